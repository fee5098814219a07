"""GRU cell, reset AFTER the recurrent product: one time step, forward and backward.

Source: the form of cuDNN and PyTorch: the reset gate scales h'U_n, which has a bias of its own inside the
gate, so that all three recurrent products are one.  Row C3.1G, beside gru.py.
Shapes: N batch, D input, H hidden.  Gates are packed on the last axis as z, r, n.

Forward                                Backward, where dw means dL/dw
(GA1)  z,r = sigmoid(x W + h' U + b)   (GA1*) da_k = dk k(1-k), k in {z, r}; then as for any product
(GA2)  m   = h' U_n + b_U              (GA2*) dh' += dm U_n^T    dU_n = h'^T dm    db_U = sum_n dm
(GA3)  n   = tanh(x W + b + r m)       (GA3*) da_n = dn (1-n^2)    dr = da_n m    dm = da_n r
(GA4)  h   = (1-z) h' + z n            (GA4*) dz = dh (n-h')    dn = dh z    dh' = dh (1-z)

A prime marks step t-1.  PyTorch calls our 1-z its z: `minis2s.pytorch.interop` converts.
"""
from typing import NamedTuple

import numpy as np

from ...core.functions import blocks, sigmoid
from . import gru
from .gru import State         # noqa: F401  the state of both forms is h alone


class Params(NamedTuple):
    W: np.ndarray              # (D, 3H)
    U: np.ndarray              # (H, 3H)
    b: np.ndarray              # (3H,)
    b_U: np.ndarray            # (H,)


class Cache(NamedTuple):
    x: np.ndarray              # (N, D)
    h_prev: np.ndarray         # (N, H), as are all below
    z: np.ndarray
    r: np.ndarray
    m: np.ndarray
    n: np.ndarray


def init(rng, D, H):
    """First parameters, float64."""
    return Params(*gru.init(rng, D, H), np.zeros(H))


def step(p, x, s, a_x=None):
    """Advance one step: Params, x (N, D), State -> State, Cache.  `a_x`: x W + b, if known already."""
    a_x = x @ p.W + p.b if a_x is None else a_x                 # (GA1) (GA3) the input's share
    x_z, x_r, x_n = blocks(a_x, 3)
    h_z, h_r, h_n = blocks(s.h @ p.U, 3)                        # (GA1) (GA2)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)               # (GA1)
    m = h_n + p.b_U                                             # (GA2)
    n = np.tanh(x_n + r * m)                                    # (GA3)
    h = (1 - z) * s.h + z * n                                   # (GA4)
    return State(h), Cache(x, s.h, z, r, m, n)


def state_backward(p, k, d):
    """What step t-1 waits for: State gradients `d` -> da, State (t-1)."""
    dz, dn = d.h * (k.n - k.h_prev), d.h * k.z                  # (GA4*)
    da_n = dn * (1 - k.n**2)                                    # (GA3*)
    dr, dm = da_n * k.m, da_n * k.r                             # (GA3*)
    da_z, da_r = dz * k.z * (1 - k.z), dr * k.r * (1 - k.r)     # (GA1*)
    da = np.concatenate([da_z, da_r, da_n], axis=1)             # reaches x W + b
    du = np.concatenate([da_z, da_r, dm], axis=1)               # reaches h' U
    dh_prev = d.h * (1 - k.z) + du @ p.U.T                      # (GA4*) (GA1*) (GA2*) fork
    return da, State(dh_prev)


def weights_backward(p, k, da):
    """What no step waits for: `k` and `da` may hold the rows of many steps: -> dx, Params gradients."""
    H = k.r.shape[1]
    dm = da[:, 2 * H:] * k.r                                    # (GA3*)
    du = np.concatenate([da[:, :2 * H], dm], axis=1)
    grads = Params(k.x.T @ da, k.h_prev.T @ du, da.sum(axis=0), dm.sum(axis=0))    # (GA1*) (GA2*)
    return da @ p.W.T, grads


def step_backward(p, k, d):
    """Pull State gradients `d` back one step: -> dx, State (t-1), Params gradients."""
    da, d_prev = state_backward(p, k, d)
    dx, grads = weights_backward(p, k, da)
    return dx, d_prev, grads
