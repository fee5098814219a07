"""RNN cell: one time step, forward and backward, in plain NumPy.

The simplest memory there is: the new state is a squashed mixture of the input and the state before it.

Source: Elman (1990); rows A3.1, A4.1 (phi = sigmoid, b = 0), C2.1, D3.1 of the formula index.
Shapes: N batch, D input, H hidden.  Rows are examples, so the documents' ``W x`` is ``x @ W``.  Where a document has
one matrix W [h, x], its columns for h are our U transposed, and those for x our W transposed.

Forward                                Backward, where dz means dL/dz
(R1)  a = x W + h' U + b               (R1*) dx = da W^T    dh' = da U^T
                                             dW = x^T da    dU = h'^T da    db = sum_n da
(R2)  h = phi(a), tanh or sigmoid      (R2*) da = dh phi'(a), from the output: 1-h^2 or h(1-h)

A prime marks step t-1.

>>> rng = np.random.default_rng(0)
>>> p, x, s = init(rng, D=3, H=2), rng.normal(size=(1, 3)), State(h=np.zeros((1, 2)))
>>> s, k = step(p, x, s)
>>> dx, ds, dp = step_backward(p, k, State(h=np.ones((1, 2))))
>>> s.h.shape, dx.shape, dp.W.shape == p.W.shape
((1, 2), (1, 3), True)
"""
from typing import NamedTuple

import numpy as np

from ...core.functions import TANH, Pointwise
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


def init(rng: np.random.Generator, D: int, H: int) -> Params:
    """First parameters, float64."""
    return Params(glorot(rng, D, H), orthogonal(rng, H), np.zeros(H))


def step(p: Params, x: np.ndarray, s: State, phi: Pointwise = TANH) -> tuple[State, Cache]:
    """Advance one step: Params, x (N, D), State -> State, Cache."""
    h_prev = s.h
    a = x @ p.W + h_prev @ p.U + p.b                            # (R1)
    h = phi.f(a)                                                # (R2)
    return State(h), Cache(x, h_prev, h)


def step_backward(p: Params, k: Cache, d: State, phi: Pointwise = TANH) -> tuple[np.ndarray, State, Params]:
    """Pull State gradients `d` back one step: -> dx, State (t-1), Params gradients."""
    x, h_prev, h = k
    da = d.h * phi.df(h)                                        # (R2*)
    dx, dh_prev = da @ p.W.T, da @ p.U.T                        # (R1*)
    dW, dU, db = x.T @ da, h_prev.T @ da, da.sum(axis=0)        # (R1*)
    return dx, State(dh_prev), Params(dW, dU, db)
