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


def init(rng, I, J):
    """First parameters, float64."""
    return Params(glorot(rng, I, J), np.zeros(J))


def forward(p, x):
    """x (..., I) -> y (..., J)."""
    rows = x.reshape(-1, len(p.W))                              # one product, not one for each step
    return (rows @ p.W + p.b).reshape(*x.shape[:-1], -1)        # (Y1)


def backward(p, x, dy):
    """dy (..., J) -> dx (..., I), Params gradients."""
    dx, dW = product_backward(p.W, x, dy)
    return dx, Params(dW, dy.sum(axis=tuple(range(dy.ndim - 1))))    # (Y1*)


def product(W, x):
    """The same without bias: x W."""
    return (x.reshape(-1, len(W)) @ W).reshape(*x.shape[:-1], -1)    # (Y1)


def product_backward(W, x, dy):
    """The same for a product x W without bias: -> dx, dW."""
    rows, drows = x.reshape(-1, W.shape[0]), dy.reshape(-1, W.shape[1])
    return (drows @ W.T).reshape(x.shape), rows.T @ drows       # (Y1*)
