"""Concat-dot score, compiled: the term of one query, one key and one encoder state.  Read
layers/attention/concat_dot.py first.

(AC1)..(AC3) forward; (AC1*)..(AC3*) backward.
"""
from ...linalg.simd import tanh, zeros_like
from ...runtime.jit import inlined
from .keys import add_keys_gradient, product_with
from .score import Score, keys_of, no_v


@inlined
def keys(arena, p, hs):
    """hs (T, N, H) -> keys (T, N, A)."""
    return product_with(arena, p.W_h, hs)                                # (AC1)


@inlined
def keys_backward(arena, p, g, hs, dkeys, dhs):
    """g and dhs (T, N, H) += their gradients through the keys."""
    add_keys_gradient(arena, p.W_h, g.W_h, hs, dkeys, dhs)               # (AC1*)


@inlined
def matrix(p, s):
    return p.W_s                                                         # (AC2) q = s W_s, in attend.py


@inlined
def term(q, k, h, v):
    return tanh(q + k) * h                                               # (AC2) (AC3)


@inlined
def term_backward(de, q, k, h, v):
    u = tanh(q + k)
    da = de * h * (1.0 - u * u)                                          # (AC3*) (AC2*)
    return da, da, de * u, zeros_like(q)                                 # (AC2*) (AC3*) dq, dk, dh, dv


SCORE = Score(term, term_backward, matrix, keys_of, no_v, scores_hs=True, make_keys=keys, keys_backward=keys_backward)
