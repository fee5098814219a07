"""The checks themselves: exact where they should be, and they fail on what is wrong.  (N1) (N2)"""
from typing import NamedTuple

import numpy as np
import pytest

from draw import read_only
from minis2s.core.gradient_check import (
    assert_close, assert_gradients, central_difference, complex_step, tree_gradient, worst_error
)


class P(NamedTuple):
    w: np.ndarray
    b: np.ndarray


W = read_only(np.array([[0.5, -2.0, 1.0], [3.0, -0.1, 0.25]]))
PARAMS = P(W, read_only(np.array([1.0, 2.0])))


def cubes(w):
    return (w ** 3).sum()


def loss(p):
    return (np.tanh(p.w) * p.b[:, None]).sum()


def gradient(p):
    return P((1 - np.tanh(p.w) ** 2) * p.b[:, None], np.tanh(p.w).sum(axis=1))


def test_complex_step_is_exact():
    np.testing.assert_allclose(complex_step(cubes, W), 3 * W ** 2, rtol=1e-15)             # (N1)
    np.testing.assert_allclose(complex_step(cubes, W, h=1e-200), 3 * W ** 2, rtol=1e-15)


def test_central_difference_is_close():
    np.testing.assert_allclose(central_difference(cubes, W), 3 * W ** 2, rtol=1e-7, atol=1e-9)    # (N2)


@pytest.mark.parametrize("numeric", [complex_step, central_difference])
def test_each_entry_is_moved_by_itself(numeric):
    """In a product an entry that was not put back would show in all later ones."""
    np.testing.assert_allclose(numeric(np.prod, W), np.prod(W) / W, rtol=1e-8)
    if numeric is central_difference:         # with a step that nobody could overlook
        np.testing.assert_allclose(numeric(np.prod, W, h=0.5), np.prod(W) / W, rtol=1e-12)


def test_the_step_grows_with_the_entry():
    for w in [1e6, 1e12]:                     # 1e12 + 1e-5 is 1e12: a step of fixed size would not move it
        assert central_difference(cubes, np.array([w])) == pytest.approx(3 * w ** 2, rel=1e-7)


def test_central_difference_has_an_error_of_h_squared():
    for h in [0.1, 0.2]:                      # ((w+h)^3 - (w-h)^3) / 2h = 3 w^2 + h^2
        np.testing.assert_allclose(central_difference(cubes, W, h) - 3 * W ** 2, h ** 2, rtol=1e-10)


def test_central_difference_refuses_float32():
    with pytest.raises(TypeError, match="^w is float32; central differences need float64, or rounding hides"):
        central_difference(cubes, W.astype(np.float32))


def test_tree_gradient_has_the_form_of_the_tree():
    for numeric, tol in [(complex_step, 1e-15), (central_difference, 1e-9)]:
        got = tree_gradient(loss, PARAMS, numeric)
        assert type(got) is P
        np.testing.assert_allclose(got.w, gradient(PARAMS).w, rtol=tol, atol=tol)
        np.testing.assert_allclose(got.b, gradient(PARAMS).b, rtol=tol, atol=tol)


def test_a_right_gradient_passes():
    assert_gradients(loss, PARAMS, gradient(PARAMS), rtol=1e-13)


def test_a_wrong_entry_fails_and_is_named():
    wrong = gradient(PARAMS)
    wrong.w[1, 2] += 1e-6
    with pytest.raises(AssertionError, match=r"^w\[1, 2\]: got .*, want .* \(error .* 1e-10 allowed\)"):
        assert_gradients(loss, PARAMS, wrong)


def test_a_missing_gradient_fails():
    with pytest.raises(AssertionError, match=r"gradient has \['w'\], parameters are \['b', 'w'\]"):
        assert_gradients(loss, PARAMS, gradient(PARAMS)._replace(b=None))


def test_nan_fails():
    got = W.copy()
    got[0, 1] = np.nan
    with pytest.raises(AssertionError, match=r"dW\[0, 1\]: got nan"):
        assert_close("dW", got, W)


def test_the_error_is_relative_to_the_largest_entry():
    err, at = worst_error(np.array([1.0, 200.5]), np.array([1.0, 200.0]))
    assert err == pytest.approx(0.5 / 200) and at == (1,)
    assert worst_error(np.array([0.25, 0.0]), np.zeros(2)) == (0.25, (0,))     # all zeros: absolute
    assert worst_error(np.zeros((0, 3)), np.zeros((0, 3))) == (0.0, ())


def test_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"shape \(3, 2\) where \(2, 3\) was wanted"):
        worst_error(W.T, W)


def test_assert_close_has_its_limit_where_it_says():
    assert_close("x", W + 2.9e-10, W)             # the largest entry is 3
    with pytest.raises(AssertionError):
        assert_close("x", W + 3.1e-10, W)
