"""GRU cell, reset BEFORE the recurrent product: one time step, forward and backward.

One gate chooses how much of the state is replaced, another how much of it the replacement may read.

Source: Cho et al. (2014); row C3.1G as intended.  gru_after.py has the form that PyTorch and cuDNN use.
Shapes: N batch, D input, H hidden.  Gates are packed on the last axis as z, r, n: W_z, W_r, W_n are the blocks of W,
and U and b are cut likewise.  Where a document has one matrix W [h, x] for each gate, its columns for h are the gate's
block of our U, transposed, and those for x the gate's block of our W.

Forward                                Backward, where dw means dL/dw
(G1)  z,r = sigmoid(x W + h' U + b)    (G1*) da_k = dk k(1-k), k in {z, r}; then as for any product
(G2)  q   = r h'                       (G2*) dr = dq h'    dh' += dq r
(G3)  n   = tanh(x W + q U + b)        (G3*) da_n = dn (1-n^2)    dq = da_n U_n^T    dU_n = q^T da_n
(G4)  h   = (1-z) h' + z n             (G4*) dz = dh (n-h')    dn = dh z    dh' = dh (1-z)

A prime marks step t-1; (G1) and (G3) read the gates' own blocks of W, U and b.

>>> rng = np.random.default_rng(0)
>>> p, x, s = init(rng, D=3, H=2), rng.normal(size=(1, 3)), State(h=np.zeros((1, 2)))
>>> s, k = step(p, x, s)
>>> dx, ds, dp = step_backward(p, k, State(h=np.ones((1, 2))))
>>> s.h.shape, dx.shape, dp.W.shape == p.W.shape
((1, 2), (1, 3), True)
"""
from typing import NamedTuple

import numpy as np

from ...core.functions import blocks, sigmoid
from ...core.initializers import glorot, orthogonal


class Params(NamedTuple):      # a gradient has the type of what it differentiates
    W: np.ndarray              # (D, 3H)
    U: np.ndarray              # (H, 3H)
    b: np.ndarray              # (3H,)


class State(NamedTuple):
    h: np.ndarray              # (N, H)


class Cache(NamedTuple):       # only what the starred equations read
    x: np.ndarray              # (N, D)
    h_prev: np.ndarray         # (N, H), as are all below
    z: np.ndarray
    r: np.ndarray
    q: np.ndarray
    n: np.ndarray


def init(rng: np.random.Generator, D: int, H: int) -> Params:
    """First parameters, float64."""
    return Params(glorot(rng, D, H, blocks=3), orthogonal(rng, H, blocks=3), np.zeros(3 * H))


def step(p: Params, x: np.ndarray, s: State) -> tuple[State, Cache]:
    """Advance one step: Params, x (N, D), State -> State, Cache."""
    (W_z, W_r, W_n), (U_z, U_r, U_n), (b_z, b_r, b_n) = blocks(p.W, 3), blocks(p.U, 3), blocks(p.b, 3)
    h_prev = s.h
    z = sigmoid(x @ W_z + h_prev @ U_z + b_z)                   # (G1)
    r = sigmoid(x @ W_r + h_prev @ U_r + b_r)                   # (G1)
    q = r * h_prev                                              # (G2)
    n = np.tanh(x @ W_n + q @ U_n + b_n)                        # (G3)
    h = (1 - z) * h_prev + z * n                                # (G4)
    return State(h), Cache(x, h_prev, z, r, q, n)


def step_backward(p: Params, k: Cache, d: State) -> tuple[np.ndarray, State, Params]:
    """Pull State gradients `d` back one step: -> dx, State (t-1), Params gradients."""
    x, h_prev, z, r, q, n = k
    U_z, U_r, U_n = blocks(p.U, 3)
    dz, dn, dh_prev = d.h * (n - h_prev), d.h * z, d.h * (1 - z)    # (G4*)
    da_n = dn * (1 - n**2)                                      # (G3*)
    dq = da_n @ U_n.T                                           # (G3*)
    dr, dh_prev = dq * h_prev, dh_prev + dq * r                 # (G2*) fork: h' is kept and reset
    da_z, da_r = dz * z * (1 - z), dr * r * (1 - r)             # (G1*)
    dh_prev = dh_prev + da_z @ U_z.T + da_r @ U_r.T             # (G1*) fork: h' makes both gates
    dU = np.concatenate([h_prev.T @ da_z, h_prev.T @ da_r, q.T @ da_n], axis=1)    # (G1*) (G3*)
    da = np.concatenate([da_z, da_r, da_n], axis=1)
    dx, dW, db = da @ p.W.T, x.T @ da, da.sum(axis=0)           # (G1*) (G3*)
    return dx, State(dh_prev), Params(dW, dU, db)
