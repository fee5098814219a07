"""Numerical derivatives, for tests and for the classroom.

(N1)  complex step        dL/dw = Im L(w + ih) / h          no difference is taken: exact to rounding
(N2)  central difference  dL/dw = (L(w+h) - L(w-h)) / 2h    error ~ h^2 (cut off) + eps/h (rounding)

(N2) is best near h = eps^(1/3), and even there only about 1e-10 right; (N1) has no such trade-off.
"""
from collections.abc import Callable
from typing import Any

import numpy as np

from . import tree


def complex_step(loss: Callable, w: np.ndarray, h: float = 1e-30) -> np.ndarray:
    """Gradient of `loss` at the array `w`, entry by entry, by (N1).

    Parameters
    ----------
    loss : callable
        Takes one array of w's shape, returns a number; analytic (no abs, no branch on values).
    w : ndarray of float64
    h : float
        Size of the imaginary step; any tiny value does.
    """
    grad, wc = np.empty(w.shape), w.astype(complex)
    for at in np.ndindex(w.shape):
        wc[at] += 1j * h
        grad[at] = loss(wc).imag / h                            # (N1)
        wc[at] = w[at]
    return grad


def central_difference(loss: Callable, w: np.ndarray, h: float | None = None) -> np.ndarray:
    """Gradient of `loss` at the array `w` by (N2); `h` defaults to eps^(1/3) max(1, |w|) for each entry.

    Raises
    ------
    TypeError
        For float32: its rounding alone makes correct gradients look wrong.
    """
    if w.dtype != np.float64:
        raise TypeError(f"w is {w.dtype}; central differences need float64, or rounding hides the answer")
    grad, moved = np.empty(w.shape), w.copy()
    for at in np.ndindex(w.shape):
        step = np.finfo(float).eps ** (1 / 3) * max(1.0, float(abs(w[at]))) if h is None else h
        moved[at] = w[at] + step
        up = loss(moved)
        moved[at] = w[at] - step
        grad[at] = (up - loss(moved)) / (2 * step)              # (N2)
        moved[at] = w[at]
    return grad


def tree_gradient(loss: Callable, params: Any, numeric: Callable = complex_step) -> Any:
    """Gradient of `loss(params)` for a whole tree of parameters: a tree of the same form."""
    arrays = dict(tree.named(params))
    grads = {name: numeric(lambda w: loss(tree.replace(params, {**arrays, name: w})), array)
             for name, array in arrays.items()}
    return tree.replace(params, grads)


def worst_error(got: Any, want: Any) -> tuple[float, tuple[int, ...]]:
    """Largest error of `got` relative to the largest entry of `want`: -> (error, index of that entry)."""
    if np.shape(got) != np.shape(want):
        raise ValueError(f"shape {np.shape(got)} where {np.shape(want)} was wanted")
    got, want = np.asarray(got), np.asarray(want)
    if want.size == 0:
        return 0.0, ()
    err = np.abs(got - want) / (np.abs(want).max() or 1.0)
    at = np.unravel_index(np.nan_to_num(err, nan=np.inf).argmax(), err.shape)
    return float(err[at]), tuple(int(k) for k in at)


def assert_close(name: str, got: np.ndarray, want: np.ndarray, rtol: float = 1e-10) -> None:
    """Fail, naming the worst entry, unless `got` equals `want` to `rtol` of want's largest entry."""
    err, at = worst_error(got, want)
    if not err <= rtol:
        raise AssertionError(f"{name}{list(at)}: got {got[at]:.12g}, want {want[at]:.12g} "
                             f"(error {err:.2g} of the largest entry, {rtol:.0e} allowed)")


def assert_gradients(loss: Callable, params: Any, grads: Any, rtol: float = 1e-10) -> None:
    """Check every array of the tree `grads` against the complex step of `loss(params)`."""
    want = dict(tree.named(tree_gradient(loss, params)))
    got = dict(tree.named(grads))
    if got.keys() != want.keys():
        raise AssertionError(f"gradient has {sorted(got)}, parameters are {sorted(want)}")
    for name in want:
        assert_close(name, got[name], want[name], rtol)
