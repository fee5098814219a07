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

from ...core.initializers import glorot
from .. import linear
from .attend import Memory


class Params(NamedTuple):
    W_s: np.ndarray            # (Q, H)
    W_h: np.ndarray            # (H, H)


class Cache(NamedTuple):
    s: np.ndarray              # (N, Q)
    v: np.ndarray              # (T, N, H)


def init(rng: np.random.Generator, Q: int, H: int, A: int) -> Params:
    """First parameters, float64."""
    return Params(glorot(rng, Q, H), glorot(rng, H, H))


def keys(p: Params, hs: np.ndarray) -> np.ndarray:
    """hs (T, N, H) -> keys (T, N, H)."""
    return hs @ p.W_h                                           # (AC1)


def keys_backward(p: Params, hs: np.ndarray, dkeys: np.ndarray) -> tuple[np.ndarray, Params]:
    """dkeys (T, N, H) -> dhs (T, N, H), Params gradients (of W_h alone)."""
    dhs, dW_h = linear.product_backward(p.W_h, hs, dkeys)       # (AC1*)
    return dhs, Params(np.zeros_like(p.W_s), dW_h)


def score(p: Params, s: np.ndarray, memory: Memory) -> tuple[np.ndarray, Cache]:
    """s (N, Q) -> e (T, N), Cache."""
    v = np.tanh(s @ p.W_s + memory.keys)                        # (AC2)
    e = np.einsum("inh,inh->in", v, memory.hs)                  # (AC3)
    return e, Cache(s, v)


def score_backward(p: Params, memory: Memory, k: Cache, de: np.ndarray) -> tuple[np.ndarray, Memory, Params]:
    """de (T, N) -> ds (N, Q), Memory gradients, Params gradients (of W_s alone)."""
    s, v = k
    dv, dhs = de[:, :, None] * memory.hs, de[:, :, None] * v    # (AC3*)
    da = dv * (1 - v**2)                                        # (AC2*)
    dkeys, dq = da, da.sum(axis=0)                              # (AC2*) fork: s meets every k_i
    ds, dW_s = dq @ p.W_s.T, s.T @ dq                           # (AC2*)
    return ds, Memory(dhs, dkeys, None), Params(dW_s, np.zeros_like(p.W_h))
