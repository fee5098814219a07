"""Pointwise maps, softmax and log-softmax: (F1) (F2) (F3) (F4) by the oracle, derivatives by complex step."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from draw import close, normal, read_only
from minis2s.core import functions as F
from minis2s.core.gradient_check import assert_close, complex_step
from minis2s.testing import oracle

EXTREME = np.array([-1000.0, -745.0, -40.0, -1.5, -0.0, 0.3, 40.0, 745.0, 1000.0])
scores = st.lists(st.floats(-1000, 1000), min_size=1, max_size=5)


@np.errstate(over="raise", invalid="raise", divide="raise")
def test_values_are_the_oracles():
    close(F.sigmoid(EXTREME), [oracle.sigmoid(a) for a in EXTREME])              # (F1)
    close(F.SIGMOID.f(EXTREME), [oracle.sigmoid(a) for a in EXTREME])            # (F1)
    close(F.TANH.f(EXTREME), [oracle.tanh_(a) for a in EXTREME])                 # (F2)
    close(F.softmax(EXTREME), oracle.softmax(EXTREME))                           # (F3)
    close(F.log_softmax(EXTREME), oracle.log_softmax(EXTREME))                   # (F4)


def test_blocks_stand_side_by_side():
    a = normal(np.random.default_rng(0), 3, 8)
    for got, want in zip(F.blocks(a, 4), np.split(a, 4, axis=1), strict=True):
        np.testing.assert_array_equal(got, want)
        assert np.shares_memory(got, a)                                         # nothing is copied


@pytest.mark.parametrize("phi", [F.SIGMOID, F.TANH], ids=["sigmoid", "tanh"])
def test_a_derivative_is_written_in_the_output(phi):
    a = np.linspace(-3, 3, 7)
    assert_close("da", phi.df(phi.f(a)), complex_step(lambda w: phi.f(w).sum(), a), 1e-12)      # (F1*) (F2*)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_softmax_along_an_axis(axis):
    a = normal(np.random.default_rng(0), 3, 4, 2)
    for f in [F.softmax, F.log_softmax]:
        want = np.apply_along_axis(getattr(oracle, f.__name__), axis, a)
        close(f(a, axis=axis), want)


@pytest.mark.parametrize("axis", [0, 1])
def test_softmax_gradients(axis):
    rng = np.random.default_rng(1)
    a, d = normal(rng, 4, 3), normal(rng, 4, 3)
    mask = np.array([[1, 1, 0], [1, 0, 1], [1, 1, 0], [1, 1, 1]], bool)
    for m in [None, mask]:
        p = read_only(F.softmax(a, m, axis))
        want = complex_step(lambda w: (d * F.softmax(w, m, axis)).sum(), a)
        assert_close("da", F.softmax_backward(p, read_only(d), axis), want, 1e-12)              # (F3*)
    log_p = read_only(F.log_softmax(a, axis))
    want = complex_step(lambda w: (d * F.log_softmax(w, axis)).sum(), a)
    assert_close("da", F.log_softmax_backward(log_p, read_only(d), axis), want, 1e-12)          # (F4*)


@given(scores, st.data())
def test_masked_softmax_is_a_distribution_over_the_real(e, data):
    mask = data.draw(st.lists(st.booleans(), min_size=len(e), max_size=len(e)).filter(any))
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        p = F.softmax(np.array(e), np.array(mask))
    close(p, oracle.softmax(e, mask))
    assert (p[~np.array(mask)] == 0).all() and abs(p.sum() - 1) < 1e-14


@given(scores, st.floats(-1000, 1000))
def test_a_shift_changes_nothing(e, c):
    e = np.array(e)
    close(F.softmax(e + c), F.softmax(e), 1e-11)
    close(F.log_softmax(e + c), F.log_softmax(e), 1e-11)


@given(scores)
def test_log_softmax_stays_finite(e):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        log_p = F.log_softmax(np.array(e))
    close(log_p, oracle.log_softmax(e))
    assert np.isfinite(log_p).all() and (log_p <= 0).all()


def test_a_masked_score_may_be_anything():
    for junk in [1e300, np.inf, np.nan]:
        with np.errstate(invalid="ignore"):
            p = F.softmax(np.array([junk, 1.0, 2.0]), np.array([False, True, True]))
        assert p[0] == 0
        close(p[1:], oracle.softmax([1.0, 2.0]))


def test_equal_scores_give_equal_weights():
    np.testing.assert_array_equal(F.softmax(np.full((4, 2), 7.0), axis=0), np.full((4, 2), 0.25))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_the_dtype_stays(dtype):
    a = np.array([[0.5, -2.0, 1.0]], dtype)
    for y in [F.sigmoid(a), F.softmax(a), F.softmax(a, a.real > 0), F.log_softmax(a), F.SIGMOID.df(a),
              F.TANH.df(a), F.softmax_backward(a, a), F.log_softmax_backward(a, a)]:
        assert y.dtype == dtype
