"""Dot-product score of one query, plain and scaled.

Source: Luong et al. (2015) for (AD1), Vaswani et al. (2017) for the scale of (AD2); A section 2.3.
Shapes: T source steps, N batch, H both states (they must have one size).

Forward                                Backward
(AD1)  e_i = s . h_i                   (AD1*) ds = sum_i de_i h_i    dh_i = de_i s
(AD2)  e_i = s . h_i / sqrt(H)         (AD2*) the same with de_i / sqrt(H)
"""
import math
from typing import NamedTuple

import numpy as np

from .attend import Memory


class Params(NamedTuple):      # nothing to learn
    pass


class Cache(NamedTuple):
    s: np.ndarray              # (N, H)


def init(rng: np.random.Generator, Q: int, H: int, A: int) -> Params:
    """First parameters: none."""
    return Params()


def keys(p: Params, hs: np.ndarray) -> None:
    """Nothing is precomputed: the score reads hs itself."""
    return None


def keys_backward(p: Params, hs: np.ndarray, dkeys: None) -> tuple[None, Params]:
    """-> no dhs, no Params gradients: there are no keys."""
    return None, Params()


def score(p: Params, s: np.ndarray, memory: Memory) -> tuple[np.ndarray, Cache]:
    """s (N, H) -> e (T, N), Cache."""
    e = np.einsum("nh,inh->in", s, memory.hs)                   # (AD1)
    return e, Cache(s)


def score_backward(p: Params, memory: Memory, k: Cache, de: np.ndarray) -> tuple[np.ndarray, Memory, Params]:
    """de (T, N) -> ds (N, H), Memory gradients, Params gradients."""
    s, = k
    ds, dhs = np.einsum("in,inh->nh", de, memory.hs), de[:, :, None] * s    # (AD1*)
    return ds, Memory(dhs, None, None), Params()


def scaled_score(p: Params, s: np.ndarray, memory: Memory) -> tuple[np.ndarray, Cache]:
    """s (N, H) -> e (T, N), Cache."""
    e, k = score(p, s, memory)
    e = e / math.sqrt(s.shape[1])                               # (AD2)
    return e, k


def scaled_score_backward(p: Params, memory: Memory, k: Cache,
                          de: np.ndarray) -> tuple[np.ndarray, Memory, Params]:
    """de (T, N) -> ds (N, H), Memory gradients, Params gradients."""
    de = de / math.sqrt(k.s.shape[1])                           # (AD2*)
    return score_backward(p, memory, k, de)
