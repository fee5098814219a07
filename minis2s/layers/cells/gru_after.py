"""GRU cell, reset AFTER the recurrent product: one time step, forward and backward.

As gru.py, but the reset gate scales what the recurrent product makes of the state, not the state itself.

Source: the form of cuDNN and PyTorch: the reset gate scales h'U_n, which has a bias of its own inside the
gate, so that all three recurrent products are one.  Row C3.1G, beside gru.py.
Shapes: N batch, D input, H hidden.  Gates are packed on the last axis as z, r, n: W_z, W_r, W_n are the blocks of W,
and U and b are cut likewise.

Forward                                Backward, where dw means dL/dw
(GA1)  z,r = sigmoid(x W + h' U + b)   (GA1*) da_k = dk k(1-k), k in {z, r}; then as for any product
(GA2)  m   = h' U_n + b_U              (GA2*) dh' += dm U_n^T    dU_n = h'^T dm    db_U = sum_n dm
(GA3)  n   = tanh(x W + b + r m)       (GA3*) da_n = dn (1-n^2)    dr = da_n m    dm = da_n r
(GA4)  h   = (1-z) h' + z n            (GA4*) dz = dh (n-h')    dn = dh z    dh' = dh (1-z)

A prime marks step t-1.  PyTorch calls our 1-z its z: `minis2s.pytorch.interop` converts.

>>> rng = np.random.default_rng(0)
>>> p, x, s = init(rng, D=3, H=2), rng.normal(size=(1, 3)), State(h=np.zeros((1, 2)))
>>> s, k = step(p, x, s)
>>> dx, ds, dp = step_backward(p, k, State(h=np.ones((1, 2))))
>>> s.h.shape, dx.shape, dp.b_U.shape == p.b_U.shape
((1, 2), (1, 3), True)
"""
from typing import NamedTuple

import numpy as np

from ...core.functions import blocks, sigmoid
from . import gru
from .gru import State  # the state of both forms is h alone


class Params(NamedTuple):      # a gradient has the type of what it differentiates
    W: np.ndarray              # (D, 3H)
    U: np.ndarray              # (H, 3H)
    b: np.ndarray              # (3H,)
    b_U: np.ndarray            # (H,)


class Cache(NamedTuple):       # only what the starred equations read
    x: np.ndarray              # (N, D)
    h_prev: np.ndarray         # (N, H), as are all below
    z: np.ndarray
    r: np.ndarray
    m: np.ndarray
    n: np.ndarray


def init(rng: np.random.Generator, D: int, H: int) -> Params:
    """First parameters, float64."""
    return Params(*gru.init(rng, D, H), np.zeros(H))


def step(p: Params, x: np.ndarray, s: State) -> tuple[State, Cache]:
    """Advance one step: Params, x (N, D), State -> State, Cache."""
    (W_z, W_r, W_n), (U_z, U_r, U_n), (b_z, b_r, b_n) = blocks(p.W, 3), blocks(p.U, 3), blocks(p.b, 3)
    h_prev = s.h
    z = sigmoid(x @ W_z + h_prev @ U_z + b_z)                   # (GA1)
    r = sigmoid(x @ W_r + h_prev @ U_r + b_r)                   # (GA1)
    m = h_prev @ U_n + p.b_U                                    # (GA2)
    n = np.tanh(x @ W_n + b_n + r * m)                          # (GA3)
    h = (1 - z) * h_prev + z * n                                # (GA4)
    return State(h), Cache(x, h_prev, z, r, m, n)


def step_backward(p: Params, k: Cache, d: State) -> tuple[np.ndarray, State, Params]:
    """Pull State gradients `d` back one step: -> dx, State (t-1), Params gradients."""
    x, h_prev, z, r, m, n = k
    dz, dn, dh_prev = d.h * (n - h_prev), d.h * z, d.h * (1 - z)    # (GA4*)
    da_n = dn * (1 - n**2)                                      # (GA3*)
    dr, dm = da_n * m, da_n * r                                 # (GA3*)
    da_z, da_r = dz * z * (1 - z), dr * r * (1 - r)             # (GA1*)
    du = np.concatenate([da_z, da_r, dm], axis=1)               # what reaches h' U, gate by gate
    dh_prev = dh_prev + du @ p.U.T                              # (GA1*) (GA2*) fork: h' is kept and multiplied
    dU, db_U = h_prev.T @ du, dm.sum(axis=0)                    # (GA1*) (GA2*)
    da = np.concatenate([da_z, da_r, da_n], axis=1)             # what reaches x W + b
    dx, dW, db = da @ p.W.T, x.T @ da, da.sum(axis=0)           # (GA1*) (GA3*)
    return dx, State(dh_prev), Params(dW, dU, db, db_U)
