"""LSTM cell: one time step, forward and backward, in plain NumPy.

Beside the state h there is a cell state c that a step only scales and adds to, so gradients survive many steps.

Source: Hochreiter & Schmidhuber (1997) with the forget gate of Gers et al. (2000); rows B4.2e, C3.1L.
Shapes: N batch, D input, H hidden.  Rows are examples, so the documents' ``W x`` is ``x @ W``.  Gates are packed on
the last axis as i, f, g, o.  Where a document has one matrix W [h, x] for each gate, its columns for h are the gate's
block of our U, transposed, and those for x the gate's block of our W.

Forward                                Backward, where dz means dL/dz
(L1)  a   = x W + h' U + b             (L1*) dx = da W^T    dh' = da U^T
                                             dW = x^T da    dU = h'^T da    db = sum_n da
(L2)  i,f,o = sigmoid(a_i, a_f, a_o)   (L2*) da_k = dk k(1-k),  k in {i, f, o}
(L3)  g   = tanh(a_g)                  (L3*) da_g = dg (1-g^2)
(L4)  c   = f c' + i g                 (L4*) df = dc c'   dc' = dc f   di = dc g   dg = dc i
(L5)  h   = o tanh(c)                  (L5*) do = dh tanh(c)   dc += dh o (1-tanh(c)^2)

A prime marks step t-1.

>>> rng = np.random.default_rng(0)
>>> p, x, zero = init(rng, D=3, H=2), rng.normal(size=(1, 3)), np.zeros((1, 2))
>>> s, k = step(p, x, State(h=zero, c=zero))
>>> dx, ds, dp = step_backward(p, k, State(h=np.ones((1, 2)), c=zero))
>>> s.c.shape, dx.shape, dp.W.shape == p.W.shape
((1, 2), (1, 3), True)
"""
from typing import NamedTuple

import numpy as np

from ...core.functions import blocks, sigmoid
from ...core.initializers import glorot, orthogonal


class Params(NamedTuple):      # a gradient has the type of what it differentiates
    W: np.ndarray              # (D, 4H)
    U: np.ndarray              # (H, 4H)
    b: np.ndarray              # (4H,)


class State(NamedTuple):
    h: np.ndarray              # (N, H)
    c: np.ndarray              # (N, H)


class Cache(NamedTuple):       # only what the starred equations read
    x: np.ndarray              # (N, D)
    h_prev: np.ndarray         # (N, H), as are all below
    c_prev: np.ndarray
    i: np.ndarray
    f: np.ndarray
    g: np.ndarray
    o: np.ndarray
    tanh_c: np.ndarray


def init(rng: np.random.Generator, D: int, H: int) -> Params:
    """First parameters, float64; the forget gate's bias is 1, so that c is kept at the start."""
    b = np.zeros(4 * H)
    b[H:2 * H] = 1.0
    return Params(glorot(rng, D, H, blocks=4), orthogonal(rng, H, blocks=4), b)


def step(p: Params, x: np.ndarray, s: State) -> tuple[State, Cache]:
    """Advance one step: Params, x (N, D), State -> State, Cache."""
    h_prev, c_prev = s
    a = x @ p.W + h_prev @ p.U + p.b                            # (L1)
    a_i, a_f, a_g, a_o = blocks(a, 4)
    i, f, o = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o)          # (L2)
    g = np.tanh(a_g)                                            # (L3)
    c = f * c_prev + i * g                                      # (L4)
    tanh_c = np.tanh(c)
    h = o * tanh_c                                              # (L5)
    return State(h, c), Cache(x, h_prev, c_prev, i, f, g, o, tanh_c)


def step_backward(p: Params, k: Cache, d: State) -> tuple[np.ndarray, State, Params]:
    """Pull State gradients `d` back one step: -> dx, State (t-1), Params gradients."""
    x, h_prev, c_prev, i, f, g, o, tanh_c = k
    do = d.h * tanh_c                                           # (L5*)
    dc = d.c + d.h * o * (1 - tanh_c**2)                        # (L5*) fork: c feeds h and c(t+1)
    df, dc_prev = dc * c_prev, dc * f                           # (L4*)
    di, dg = dc * g, dc * i                                     # (L4*)
    da_g = dg * (1 - g**2)                                      # (L3*)
    da_i, da_f, da_o = di * i * (1 - i), df * f * (1 - f), do * o * (1 - o)    # (L2*)
    da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)
    dx, dh_prev = da @ p.W.T, da @ p.U.T                        # (L1*)
    dW, dU, db = x.T @ da, h_prev.T @ da, da.sum(axis=0)        # (L1*)
    return dx, State(dh_prev, dc_prev), Params(dW, dU, db)
