"""LSTM cell: one time step, forward and backward, in plain NumPy.

Source: Hochreiter & Schmidhuber (1997) with the forget gate of Gers et al. (2000); rows B4.2e, C3.1L.
Shapes: N batch, D input, H hidden.  Rows are examples, so the documents' ``W x`` is ``x @ W``.
Gates are packed on the last axis as i, f, g, o.

Forward                                Backward, where dz means dL/dz
(L1)  a   = x W + h' U + b             (L1*) dx = da W^T    dh' = da U^T
                                             dW = x^T da    dU = h'^T da    db = sum_n da
(L2)  i,f,o = sigmoid(a_i, a_f, a_o)   (L2*) da_k = dk k(1-k),  k in {i, f, o}
(L3)  g   = tanh(a_g)                  (L3*) da_g = dg (1-g^2)
(L4)  c   = f c' + i g                 (L4*) df = dc c'   dc' = dc f   di = dc g   dg = dc i
(L5)  h   = o tanh(c)                  (L5*) do = dh tanh(c)   dc += dh o (1-tanh(c)^2)

A prime marks step t-1.
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


def init(rng, D, H):
    """First parameters, float64; the forget gate's bias is 1, so that c is kept at the start."""
    b = np.zeros(4 * H)
    b[H:2 * H] = 1.0
    return Params(glorot(rng, D, H, blocks=4), orthogonal(rng, H, blocks=4), b)


def step(p, x, s, a_x=None):
    """Advance one step: Params, x (N, D), State -> State, Cache.  `a_x`: x W + b, if known already."""
    a_x = x @ p.W + p.b if a_x is None else a_x                 # (L1) the input's share
    a = a_x + s.h @ p.U                                         # (L1)
    a_i, a_f, a_g, a_o = blocks(a, 4)
    i, f, o = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o)          # (L2)
    g = np.tanh(a_g)                                            # (L3)
    c = f * s.c + i * g                                         # (L4)
    tanh_c = np.tanh(c)
    h = o * tanh_c                                              # (L5)
    return State(h, c), Cache(x, s.h, s.c, i, f, g, o, tanh_c)


def state_backward(p, k, d):
    """What step t-1 waits for: State gradients `d` -> da, State (t-1)."""
    do = d.h * k.tanh_c                                         # (L5*)
    dc = d.c + d.h * k.o * (1.0 - k.tanh_c**2)                  # (L5*) fork: c feeds h and c(t+1)
    df, dc_prev = dc * k.c_prev, dc * k.f                       # (L4*)
    di, dg = dc * k.g, dc * k.i                                 # (L4*)
    da = np.concatenate([di * k.i * (1 - k.i),                  # (L2*)
                         df * k.f * (1 - k.f),                  # (L2*)
                         dg * (1 - k.g**2),                     # (L3*)
                         do * k.o * (1 - k.o)], axis=1)         # (L2*)
    return da, State(da @ p.U.T, dc_prev)                       # (L1*)


def weights_backward(p, k, da):
    """What no step waits for: `k` and `da` may hold the rows of many steps: -> dx, Params gradients."""
    return da @ p.W.T, Params(W=k.x.T @ da, U=k.h_prev.T @ da, b=da.sum(axis=0))    # (L1*)


def step_backward(p, k, d):
    """Pull State gradients `d` back one step: -> dx, State (t-1), Params gradients."""
    da, d_prev = state_backward(p, k, d)
    dx, grads = weights_backward(p, k, da)
    return dx, d_prev, grads
