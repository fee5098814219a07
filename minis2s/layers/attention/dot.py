"""Dot-product score of one query, plain and scaled.

Source: Luong et al. (2015) for (AD1), Vaswani et al. (2017) for the scale of (AD2); A section 2.3.
Shapes: T source steps, N batch, H both states (they must have one size).

Forward                                Backward
(AD1)  e_i = s . h_i                   (AD1*) ds = sum_i de_i h_i    dh_i = de_i s
(AD2)  e_i = s . h_i / sqrt(H)         (AD2*) the same with de_i / sqrt(H)
"""
from typing import NamedTuple

import numpy as np

from .attend import Memory


class Params(NamedTuple):      # nothing to learn
    pass


class Cache(NamedTuple):
    s: np.ndarray              # (N, H)


def init(rng, Q, H, A):
    """First parameters: none."""
    return Params()


def keys(p, hs):
    """Nothing is precomputed: the score reads hs itself."""
    return None


def keys_backward(p, hs, dkeys):
    """-> no dhs, no Params gradients: there are no keys."""
    return None, Params()


def score(p, s, memory):
    """s (N, H) -> e (T, N), Cache."""
    return np.einsum("nh,tnh->tn", s, memory.hs), Cache(s)      # (AD1)


def score_backward(p, memory, k, de):
    """de (T, N) -> ds (N, H), Memory gradients, Params gradients."""
    ds = np.einsum("tn,tnh->nh", de, memory.hs)                 # (AD1*)
    return ds, Memory(de[:, :, None] * k.s, None, None), Params()    # (AD1*)


def scaled_score(p, s, memory):
    """s (N, H) -> e (T, N), Cache."""
    e, k = score(p, s, memory)
    return e / np.sqrt(s.shape[1]).astype(e.real.dtype), k      # (AD2)


def scaled_score_backward(p, memory, k, de):
    """de (T, N) -> ds (N, H), Memory gradients, Params gradients."""
    return score_backward(p, memory, k, de / np.sqrt(k.s.shape[1]).astype(de.real.dtype))    # (AD2*)
