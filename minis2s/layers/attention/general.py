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


def init(rng: np.random.Generator, Q: int, H: int, A: int) -> Params:
    """First parameters, float64."""
    return Params(glorot(rng, Q, H))


def keys(p: Params, hs: np.ndarray) -> None:
    """Nothing is precomputed: the score reads hs itself."""
    return None


def keys_backward(p: Params, hs: np.ndarray, dkeys: None) -> tuple[None, Params]:
    """-> no dhs, zero Params gradients: there are no keys."""
    return None, Params(np.zeros_like(p.W))


def score(p: Params, s: np.ndarray, memory: Memory) -> tuple[np.ndarray, Cache]:
    """s (N, Q) -> e (T, N), Cache."""
    q = s @ p.W                                                 # (AG1)
    e = np.einsum("nh,inh->in", q, memory.hs)                   # (AG2)
    return e, Cache(s, q)


def score_backward(p: Params, memory: Memory, k: Cache, de: np.ndarray) -> tuple[np.ndarray, Memory, Params]:
    """de (T, N) -> ds (N, Q), Memory gradients, Params gradients."""
    s, q = k
    dq, dhs = np.einsum("in,inh->nh", de, memory.hs), de[:, :, None] * q    # (AG2*)
    ds, dW = dq @ p.W.T, s.T @ dq                               # (AG1*)
    return ds, Memory(dhs, None, None), Params(dW)
