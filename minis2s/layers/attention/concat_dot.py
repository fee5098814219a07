"""Concat-dot score of one query: mix state and encoder state, then compare with the encoder state again.

Source: row B4.2a as intended (the index i of h runs over the source also inside v).  With W_a split into its
rows for s and its rows for h, [s; h_i] W_a = s W_s + h_i W_h.
Shapes: T source steps, N batch, Q query, H encoder states.

Forward                                Backward
(AC1)  k_i = h_i W_h                   (AC1*) dh_i = dk_i W_h^T    dW_h = sum_i h_i^T dk_i
(AC2)  v_i = tanh(s W_s + k_i)         (AC2*) da_i = dv_i (1-v_i^2)    dk_i = da_i
                                              ds = sum_i da_i W_s^T    dW_s = s^T sum_i da_i
(AC3)  e_i = v_i . h_i                 (AC3*) dv_i = de_i h_i    dh_i += de_i v_i
"""
from typing import NamedTuple

import numpy as np

from .. import linear
from ...core.initializers import glorot
from .attend import Memory


class Params(NamedTuple):
    W_s: np.ndarray            # (Q, H)
    W_h: np.ndarray            # (H, H)


class Cache(NamedTuple):
    s: np.ndarray              # (N, Q)
    v: np.ndarray              # (T, N, H)


def init(rng, Q, H, A):
    """First parameters, float64."""
    return Params(glorot(rng, Q, H), glorot(rng, H, H))


def keys(p, hs):
    """hs (T, N, H) -> keys (T, N, H)."""
    return hs @ p.W_h                                           # (AC1)


def keys_backward(p, hs, dkeys):
    """dkeys (T, N, H) -> dhs (T, N, H), Params gradients (of W_h alone)."""
    dhs, dW_h = linear.product_backward(p.W_h, hs, dkeys)       # (AC1*)
    return dhs, Params(np.zeros_like(p.W_s), dW_h)


def score(p, s, memory):
    """s (N, Q) -> e (T, N), Cache."""
    v = np.tanh(s @ p.W_s + memory.keys)                        # (AC2)
    return np.einsum("tnh,tnh->tn", v, memory.hs), Cache(s, v)  # (AC3)


def score_backward(p, memory, k, de):
    """de (T, N) -> ds (N, Q), Memory gradients, Params gradients (of W_s alone)."""
    dv, dhs = de[:, :, None] * memory.hs, de[:, :, None] * k.v  # (AC3*)
    da = dv * (1 - k.v**2)                                      # (AC2*)
    dq = da.sum(axis=0)                                         # (AC2*) fork: s meets every k_i
    return dq @ p.W_s.T, Memory(dhs, da, None), Params(k.s.T @ dq, np.zeros_like(p.W_h))    # (AC2*)
