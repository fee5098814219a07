"""Additive score of one query: a small network with one hidden layer.

Source: Bahdanau et al. (2015); row D3.3 as intended.
Shapes: T source steps, N batch, Q query, H encoder states, A size of the hidden layer.

Forward                                Backward
(AB1)  k_i = h_i W_h                   (AB1*) dh_i = dk_i W_h^T    dW_h = sum_i h_i^T dk_i
(AB2)  u_i = tanh(s W_s + k_i)         (AB2*) da_i = du_i (1-u_i^2)    dk_i = da_i
                                              ds = sum_i da_i W_s^T    dW_s = s^T sum_i da_i
(AB3)  e_i = u_i . v                   (AB3*) du_i = de_i v    dv = sum_i,n de_i u_i

The keys k_i do not depend on the query: they are made once for all of a sequence's queries.
"""
from typing import NamedTuple

import numpy as np

from ...core.initializers import glorot
from .. import linear
from .attend import Memory


class Params(NamedTuple):
    W_s: np.ndarray            # (Q, A)
    W_h: np.ndarray            # (H, A)
    v: np.ndarray              # (A,)


class Cache(NamedTuple):
    s: np.ndarray              # (N, Q)
    u: np.ndarray              # (T, N, A)


def init(rng: np.random.Generator, Q: int, H: int, A: int) -> Params:
    """First parameters, float64."""
    return Params(glorot(rng, Q, A), glorot(rng, H, A), glorot(rng, A, 1)[:, 0])


def keys(p: Params, hs: np.ndarray) -> np.ndarray:
    """hs (T, N, H) -> keys (T, N, A)."""
    return hs @ p.W_h                                           # (AB1)


def keys_backward(p: Params, hs: np.ndarray, dkeys: np.ndarray) -> tuple[np.ndarray, Params]:
    """dkeys (T, N, A) -> dhs (T, N, H), Params gradients (of W_h alone)."""
    dhs, dW_h = linear.product_backward(p.W_h, hs, dkeys)       # (AB1*)
    return dhs, Params(np.zeros_like(p.W_s), dW_h, np.zeros_like(p.v))


def score(p: Params, s: np.ndarray, memory: Memory) -> tuple[np.ndarray, Cache]:
    """s (N, Q) -> e (T, N), Cache."""
    u = np.tanh(s @ p.W_s + memory.keys)                        # (AB2)
    e = u @ p.v                                                 # (AB3)
    return e, Cache(s, u)


def score_backward(p: Params, memory: Memory, k: Cache, de: np.ndarray) -> tuple[np.ndarray, Memory, Params]:
    """de (T, N) -> ds (N, Q), Memory gradients, Params gradients (of W_s and v)."""
    s, u = k
    du, dv = de[:, :, None] * p.v, np.einsum("in,ina->a", de, u)    # (AB3*)
    da = du * (1 - u**2)                                        # (AB2*)
    dkeys, dq = da, da.sum(axis=0)                              # (AB2*) fork: s meets every k_i
    ds, dW_s = dq @ p.W_s.T, s.T @ dq                           # (AB2*)
    return ds, Memory(None, dkeys, None), Params(dW_s, np.zeros_like(p.W_h), dv)
