"""Linear layer over any leading axes (time, batch).

Rows B4.2o, C4.1d, D3.5 (their W_y s + b_y and W_o [s; ctx]).  Shapes: I input, J output.

Forward                     Backward, where the sums run over all leading axes
(Y1)  y = x W + b           (Y1*) dx = dy W^T    dW = sum x^T dy    db = sum dy
"""
from typing import NamedTuple

import numpy as np

from ..core.initializers import glorot


class Params(NamedTuple):
    W: np.ndarray              # (I, J)
    b: np.ndarray              # (J,)


def init(rng: np.random.Generator, I: int, J: int) -> Params:    # noqa: E741
    """First parameters, float64."""
    return Params(glorot(rng, I, J), np.zeros(J))


def forward(p: Params, x: np.ndarray) -> np.ndarray:
    """x (..., I) -> y (..., J)."""
    return x @ p.W + p.b                                        # (Y1)


def backward(p: Params, x: np.ndarray, dy: np.ndarray) -> tuple[np.ndarray, Params]:
    """dy (..., J) -> dx (..., I), Params gradients."""
    dx, dW = product_backward(p.W, x, dy)                       # (Y1*)
    db = dy.sum(axis=tuple(range(dy.ndim - 1)))                 # (Y1*)
    return dx, Params(dW, db)


def product(W: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The same without bias: x W."""
    return x @ W                                                # (Y1)


def product_backward(W: np.ndarray, x: np.ndarray, dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same for a product x W without bias: -> dx, dW."""
    I, J = W.shape                                              # noqa: E741
    dx = dy @ W.T                                               # (Y1*)
    dW = x.reshape(-1, I).T @ dy.reshape(-1, J)                 # (Y1*)
    return dx, dW
