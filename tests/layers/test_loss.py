"""Softmax cross-entropy: (X1) (X2) (X3) by the oracle, (X1*) (X3*) by complex step; masks, extremes."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from draw import close, mask, normal, read_only, same
from minis2s.core.gradient_check import assert_close, assert_gradients, central_difference
from minis2s.layers import loss
from minis2s.testing import oracle

S, V = 4, 5
LENGTHS = (2, 4, 1)
N = len(LENGTHS)
rng = np.random.default_rng(0)
LOGITS, IDS, MASK = read_only((normal(rng, S, N, V, scale=2), rng.integers(0, V, (S, N)), mask(LENGTHS)))
ONE_HOT = read_only(np.eye(V)[IDS])
eps = pytest.mark.parametrize("eps", [0.0, 0.1, 0.9])
dims = st.integers(1, 5)
targets = pytest.mark.parametrize("targets", [IDS, ONE_HOT], ids=["sparse", "one-hot"])


@eps
@targets
def test_forward_is_the_oracles(targets, eps):
    L, _ = loss.forward(LOGITS, targets, MASK, eps)
    close(L, oracle.cross_entropy(LOGITS.tolist(), IDS.tolist(), MASK.tolist(), eps))       # (X1) (X2) (X3)


@eps
@targets
def test_gradients(targets, eps):
    k = read_only(loss.forward(LOGITS, targets, MASK, eps)[1])
    got = loss.backward(k)
    assert_gradients(lambda v: loss.forward(v, targets, MASK, eps)[0], LOGITS, got, 1e-12)    # (X1*) (X3*)
    same(loss.backward(k), got)


def test_gradients_by_central_differences():
    got = loss.backward(loss.forward(LOGITS, IDS, MASK, 0.1)[1])
    want = central_difference(lambda w: loss.forward(w, IDS, MASK, 0.1)[0], LOGITS)
    assert_close("logits", got, want, 1e-7)


@eps
def test_one_hot_and_sparse_targets_are_the_same_loss(eps):
    (a, ka), (b, kb) = (loss.forward(LOGITS, t, MASK, eps) for t in (IDS, ONE_HOT))
    close((a, loss.backward(ka)), (b, loss.backward(kb)), 1e-15)


@eps
def test_padding_counts_nowhere(eps):
    L, k = loss.forward(LOGITS, IDS, MASK, eps)
    d = loss.backward(k)
    assert (d[~MASK] == 0).all() and (d[MASK] != 0).all()
    other = np.where(MASK[:, :, None], LOGITS, 1000.0 * np.arange(V)), np.where(MASK, IDS, V - 1)
    L2, k2 = loss.forward(*other, MASK, eps)
    same((np.float64(L2), loss.backward(k2)), (np.float64(L), d))


@eps
def test_gradients_sum_to_zero_over_the_vocabulary(eps):
    close(loss.backward(loss.forward(LOGITS, IDS, MASK, eps)[1]).sum(axis=2), np.zeros((S, N)), 1e-15)


def test_equal_logits_cost_log_V_whatever_the_target():
    close(loss.forward(np.zeros((S, N, V)), IDS, MASK)[0], np.log(V), 1e-15)
    close(loss.forward(np.full((S, N, V), 1e3), IDS, MASK, 0.3)[0], np.log(V), 1e-12)


@eps
@targets
def test_logits_of_a_thousand(targets, eps):
    for logits in [1000.0 * ONE_HOT, -1000.0 * ONE_HOT, LOGITS + 1000, LOGITS - 1000]:
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            L, k = loss.forward(logits, targets, MASK, eps)
            d = loss.backward(k)
        want = oracle.cross_entropy(logits.tolist(), IDS.tolist(), MASK.tolist(), eps)
        close(L, want)
        assert np.isfinite(d).all()
    close(loss.forward(-1000.0 * ONE_HOT, IDS, MASK)[0], 1000 + np.log(V - 1))


@given(S=dims, N=dims, V=dims, seed=st.integers(0, 99), eps=st.floats(0, 0.99),
       scale=st.sampled_from([1.0, 1000.0]))
def test_any_shape(S, N, V, seed, eps, scale):
    rng = np.random.default_rng(seed)
    logits, ids = normal(rng, S, N, V, scale=scale), rng.integers(0, V, (S, N))
    m = mask(rng.integers(1, S + 1, N), S)
    L, k = loss.forward(logits, ids, m, eps)
    close(L, oracle.cross_entropy(logits.tolist(), ids.tolist(), m.tolist(), eps))
    assert loss.backward(k).shape == logits.shape


@targets
def test_float32_stays_float32(targets):
    _, k = loss.forward(LOGITS.astype(np.float32), targets, MASK, 0.1)
    assert loss.backward(k).dtype == np.float32
