"""General score, compiled: a dot product with the query s W.  Read layers/attention/general.py first.

(AG1), (AG2) forward; (AG1*), (AG2*) backward.
"""
from ...linalg.simd import zeros_like
from ...runtime.jit import inlined
from .score import Score, hs_of, no_v


@inlined
def matrix(p, s):
    return p.W                                       # (AG1) (AG1*) q = s W in attend.py, dW in buffers.py


@inlined
def term(q, k, h, v):
    return q * h                                                         # (AG2)


@inlined
def term_backward(de, q, k, h, v):
    return de * h, zeros_like(q), de * q, zeros_like(q)                  # (AG2*) dq, dk, dh, dv


SCORE = Score(term, term_backward, matrix, hs_of, no_v, scores_hs=True)
