"""Maps without parameters, each with its derivative beside it.

The same lines run in float32, float64 and complex128: nothing here names a dtype, and softmax is shifted
by the largest *real part*, so that every map stays analytic and the complex-step check stays exact.

Forward                                     Backward, where dz means dL/dz
(F1)  y = sigmoid(a) = 1 / (1 + exp(-a))    (F1*) da = dy y (1-y)
(F2)  y = tanh(a)                           (F2*) da = dy (1-y^2)
(F3)  p = softmax(a), p_k = exp a_k / sum   (F3*) da = p (dp - sum_k p_k dp_k)
(F4)  l = log softmax(a)                    (F4*) da = dl - softmax(a) sum_k dl_k
"""
from typing import Callable, NamedTuple

import numpy as np


def sigmoid(a: np.ndarray) -> np.ndarray:
    """Logistic map of an array of any shape; the tanh form never overflows and accepts complex `a`."""
    return 0.5 * (1.0 + np.tanh(0.5 * a))                       # (F1)


def blocks(a: np.ndarray, n: int) -> list[np.ndarray]:
    """The n blocks of equal width that stand side by side in `a` (..., n H): a list of n views (..., H)."""
    H = a.shape[-1] // n
    return [a[..., j * H:(j + 1) * H] for j in range(n)]


class Pointwise(NamedTuple):
    """A map of single numbers, and its derivative written in terms of the map's OUTPUT."""
    f: Callable
    df: Callable


SIGMOID = Pointwise(sigmoid, lambda y: y * (1.0 - y))           # (F1) (F1*)
TANH = Pointwise(np.tanh, lambda y: 1.0 - y * y)                # (F2) (F2*)


def softmax(a: np.ndarray, mask: np.ndarray | None = None, axis: int = -1) -> np.ndarray:
    """Probabilities proportional to exp(a) along `axis`.

    Parameters
    ----------
    a : ndarray
        Scores; any real shift of them along `axis` leaves the result as it is.
    mask : ndarray of bool, broadcastable to `a`, optional
        Where it is False the probability is exactly 0, whatever the score.
    """
    real = True if mask is None else np.asarray(mask, dtype=bool)
    shift = np.max(a.real, axis=axis, keepdims=True, where=real, initial=-np.inf)
    y = np.where(real, np.exp(np.where(real, a - shift, 0.0)), 0.0)
    return y / y.sum(axis=axis, keepdims=True)                  # (F3)


def softmax_backward(p: np.ndarray, dp: np.ndarray, axis: int = -1) -> np.ndarray:
    """Pull `dp` back through `p = softmax(a)`: -> da.  Where p is 0 (masked) so is da."""
    return p * (dp - (p * dp).sum(axis=axis, keepdims=True))    # (F3*)


def log_softmax(a: np.ndarray, axis: int = -1) -> np.ndarray:
    """Logarithm of softmax(a), exact where the probability itself would underflow."""
    a = a - a.real.max(axis=axis, keepdims=True)
    return a - np.log(np.exp(a).sum(axis=axis, keepdims=True))  # (F4)


def log_softmax_backward(log_p: np.ndarray, dlog_p: np.ndarray, axis: int = -1) -> np.ndarray:
    """Pull `dlog_p` back through `log_p = log_softmax(a)`: -> da."""
    return dlog_p - np.exp(log_p) * dlog_p.sum(axis=axis, keepdims=True)    # (F4*)
