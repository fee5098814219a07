"""RNN cell: one time step, forward and backward, in plain NumPy.

Source: Elman (1990); rows A3.1, A4.1 (phi = sigmoid, b = 0), C2.1, D3.1 of the formula index.
Shapes: N batch, D input, H hidden.  Rows are examples, so the documents' ``W x`` is ``x @ W``.

Forward                                Backward, where dz means dL/dz
(R1)  a = x W + h' U + b               (R1*) dx = da W^T    dh' = da U^T
                                             dW = x^T da    dU = h'^T da    db = sum_n da
(R2)  h = phi(a), tanh or sigmoid      (R2*) da = dh phi'(a), from the output: 1-h^2 or h(1-h)

A prime marks step t-1.
"""
from typing import NamedTuple

import numpy as np

from ...core.functions import TANH
from ...core.initializers import glorot, orthogonal


class Params(NamedTuple):      # a gradient has the type of what it differentiates
    W: np.ndarray              # (D, H)
    U: np.ndarray              # (H, H)
    b: np.ndarray              # (H,)


class State(NamedTuple):
    h: np.ndarray              # (N, H)


class Cache(NamedTuple):       # only what the starred equations read
    x: np.ndarray              # (N, D)
    h_prev: np.ndarray         # (N, H)
    h: np.ndarray              # (N, H)


def init(rng, D, H):
    """First parameters, float64."""
    return Params(glorot(rng, D, H), orthogonal(rng, H), np.zeros(H))


def step(p, x, s, a_x=None, phi=TANH):
    """Advance one step: Params, x (N, D), State -> State, Cache.  `a_x`: x W + b, if known already."""
    a_x = x @ p.W + p.b if a_x is None else a_x                 # (R1) the input's share
    a = a_x + s.h @ p.U                                         # (R1)
    h = phi.f(a)                                                # (R2)
    return State(h), Cache(x, s.h, h)


def state_backward(p, k, d, phi=TANH):
    """What step t-1 waits for: State gradients `d` -> da, State (t-1)."""
    da = d.h * phi.df(k.h)                                      # (R2*)
    return da, State(da @ p.U.T)                                # (R1*)


def weights_backward(p, k, da):
    """What no step waits for: `k` and `da` may hold the rows of many steps: -> dx, Params gradients."""
    return da @ p.W.T, Params(W=k.x.T @ da, U=k.h_prev.T @ da, b=da.sum(axis=0))    # (R1*)


def step_backward(p, k, d, phi=TANH):
    """Pull State gradients `d` back one step: -> dx, State (t-1), Params gradients."""
    da, d_prev = state_backward(p, k, d, phi)
    dx, grads = weights_backward(p, k, da)
    return dx, d_prev, grads
