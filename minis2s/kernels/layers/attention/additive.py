"""Additive score, compiled: the term of one query and one key.  Read layers/attention/additive.py first.

tanh(q + k_i) is computed again in the backward pass: to keep it would take the memory of a (T, N, A) array for each
query.  (AB1)..(AB3) forward; (AB1*)..(AB3*) backward.
"""
from ...linalg.simd import tanh, zeros_like
from ...runtime.jit import inlined
from .keys import add_keys_gradient, product_with
from .powers import powers_of
from .score import Score, keys_of, v_of


@inlined
def keys(arena, p, hs):
    """hs (T, N, H) -> keys (T, N, A)."""
    return product_with(arena, p.W_h, hs)                                # (AB1)


@inlined
def keys_backward(arena, p, g, hs, dkeys, dhs):
    """g and dhs (T, N, H) += their gradients through the keys."""
    add_keys_gradient(arena, p.W_h, g.W_h, hs, dkeys, dhs)               # (AB1*)


@inlined
def matrix(p, s):
    return p.W_s                                                         # (AB2) q = s W_s, in attend.py


@inlined
def term(q, k, h, v):
    return tanh(q + k) * v                                               # (AB2) (AB3)


@inlined
def term_backward(de, q, k, h, v):
    u = tanh(q + k)
    da = de * v * (1.0 - u * u)                                          # (AB3*) (AB2*)
    return da, da, zeros_like(q), de * u                                 # (AB2*) (AB3*) dq, dk, dh, dv


SCORE = Score(term, term_backward, matrix, keys_of, v_of, scores_hs=False, make_keys=keys, keys_backward=keys_backward,
              powers=powers_of)
