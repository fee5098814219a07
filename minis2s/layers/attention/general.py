"""General (bilinear) score of one query.

Source: Luong et al. (2015), "general".
Shapes: T source steps, N batch, Q query, H encoder states.

Forward                                Backward
(AG1)  q   = s W                       (AG1*) ds = dq W^T    dW = s^T dq
(AG2)  e_i = q . h_i                   (AG2*) dq = sum_i de_i h_i    dh_i = de_i q
"""
from typing import NamedTuple

import numpy as np

from ...core.initializers import glorot
from .attend import Memory


class Params(NamedTuple):
    W: np.ndarray              # (Q, H)


class Cache(NamedTuple):
    s: np.ndarray              # (N, Q)
    q: np.ndarray              # (N, H)


def init(rng, Q, H, A):
    """First parameters, float64."""
    return Params(glorot(rng, Q, H))


def keys(p, hs):
    """Nothing is precomputed: the score reads hs itself."""
    return None


def keys_backward(p, hs, dkeys):
    """-> no dhs, zero Params gradients: there are no keys."""
    return None, Params(np.zeros_like(p.W))


def score(p, s, memory):
    """s (N, Q) -> e (T, N), Cache."""
    q = s @ p.W                                                 # (AG1)
    return np.einsum("nh,tnh->tn", q, memory.hs), Cache(s, q)   # (AG2)


def score_backward(p, memory, k, de):
    """de (T, N) -> ds (N, Q), Memory gradients, Params gradients."""
    dq = np.einsum("tn,tnh->nh", de, memory.hs)                 # (AG2*)
    dhs = de[:, :, None] * k.q                                  # (AG2*)
    return dq @ p.W.T, Memory(dhs, None, None), Params(k.s.T @ dq)    # (AG1*)
