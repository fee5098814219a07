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

from ..functions import TANH
from ..initial import glorot, orthogonal


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


def step(p, x, s, phi=TANH):
    """Advance one step: Params, x (N, D), State -> State, Cache."""
    a = x @ p.W + s.h @ p.U + p.b                               # (R1)
    h = phi.f(a)                                                # (R2)
    return State(h), Cache(x, s.h, h)


def step_backward(p, k, d, phi=TANH):
    """Pull State gradients `d` back one step: -> dx, State (t-1), Params gradients."""
    da = d.h * phi.df(k.h)                                      # (R2*)
    grads = Params(W=k.x.T @ da, U=k.h_prev.T @ da, b=da.sum(axis=0))  # (R1*)
    return da @ p.W.T, State(da @ p.U.T), grads                 # (R1*)
