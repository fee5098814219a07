"""GRU cell, reset BEFORE the recurrent product: one time step, forward and backward.

Source: Cho et al. (2014); row C3.1G as intended.  gru_after.py has the form that PyTorch and cuDNN use.
Shapes: N batch, D input, H hidden.  Gates are packed on the last axis as z, r, n; U_zr are the blocks
of z and r, U_n the block of n.

Forward                                Backward, where dw means dL/dw
(G1)  z,r = sigmoid(x W + h' U + b)    (G1*) da_k = dk k(1-k), k in {z, r}; then as for any product
(G2)  q   = r h'                       (G2*) dr = dq h'    dh' += dq r
(G3)  n   = tanh(x W + q U + b)        (G3*) da_n = dn (1-n^2)    dq = da_n U_n^T    dU_n = q^T da_n
(G4)  h   = (1-z) h' + z n             (G4*) dz = dh (n-h')    dn = dh z    dh' = dh (1-z)

A prime marks step t-1; (G1) and (G3) read the gates' own blocks of W, U and b.
"""
from typing import NamedTuple

import numpy as np

from ...core.functions import blocks, sigmoid
from ...core.initializers import glorot, orthogonal


class Params(NamedTuple):
    W: np.ndarray              # (D, 3H)
    U: np.ndarray              # (H, 3H)
    b: np.ndarray              # (3H,)


class State(NamedTuple):
    h: np.ndarray              # (N, H)


class Cache(NamedTuple):
    x: np.ndarray              # (N, D)
    h_prev: np.ndarray         # (N, H), as are all below
    z: np.ndarray
    r: np.ndarray
    q: np.ndarray
    n: np.ndarray


def init(rng, D, H):
    """First parameters, float64."""
    return Params(glorot(rng, D, H, blocks=3), orthogonal(rng, H, blocks=3), np.zeros(3 * H))


def step(p, x, s, a_x=None):
    """Advance one step: Params, x (N, D), State -> State, Cache.  `a_x`: x W + b, if known already."""
    H = s.h.shape[1]
    U_zr, U_n = p.U[:, :2 * H], p.U[:, 2 * H:]
    a_x = x @ p.W + p.b if a_x is None else a_x                 # (G1) (G3) the input's share
    x_z, x_r, x_n = blocks(a_x, 3)
    h_z, h_r = blocks(s.h @ U_zr, 2)                            # (G1)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)               # (G1)
    q = r * s.h                                                 # (G2)
    n = np.tanh(x_n + q @ U_n)                                  # (G3)
    h = (1 - z) * s.h + z * n                                   # (G4)
    return State(h), Cache(x, s.h, z, r, q, n)


def state_backward(p, k, d):
    """What step t-1 waits for: State gradients `d` -> da, State (t-1)."""
    H = d.h.shape[1]
    U_zr, U_n = p.U[:, :2 * H], p.U[:, 2 * H:]
    dz, dn = d.h * (k.n - k.h_prev), d.h * k.z                  # (G4*)
    da_n = dn * (1 - k.n**2)                                    # (G3*)
    dq = da_n @ U_n.T                                           # (G3*)
    dr = dq * k.h_prev                                          # (G2*)
    da_zr = np.concatenate([dz * k.z * (1 - k.z),               # (G1*)
                            dr * k.r * (1 - k.r)], axis=1)      # (G1*)
    dh_prev = d.h * (1 - k.z) + dq * k.r + da_zr @ U_zr.T       # (G4*) (G2*) (G1*) fork: h' is used thrice
    return np.concatenate([da_zr, da_n], axis=1), State(dh_prev)


def weights_backward(p, k, da):
    """What no step waits for: `k` and `da` may hold the rows of many steps: -> dx, Params gradients."""
    H = k.q.shape[1]
    da_zr, da_n = da[:, :2 * H], da[:, 2 * H:]
    dU = np.concatenate([k.h_prev.T @ da_zr, k.q.T @ da_n], axis=1)    # (G1*) (G3*)
    return da @ p.W.T, Params(k.x.T @ da, dU, da.sum(axis=0))


def step_backward(p, k, d):
    """Pull State gradients `d` back one step: -> dx, State (t-1), Params gradients."""
    da, d_prev = state_backward(p, k, d)
    dx, grads = weights_backward(p, k, da)
    return dx, d_prev, grads
