"""Dot score, plain and scaled, compiled: the term of one query and one encoder state.  Read
layers/attention/dot.py first.

(AD1), (AD2) forward; (AD1*), (AD2*) backward.
"""
from ...linalg.simd import zeros_like
from ...runtime.jit import inlined
from .score import Score, hs_of, no_matrix, no_v


@inlined
def term(q, k, h, v):
    return q * h                                                         # (AD1)


@inlined
def term_backward(de, q, k, h, v):
    return de * h, zeros_like(q), de * q, zeros_like(q)                  # (AD1*) dq, dk, dh, dv


@inlined
def scale(s):
    """What a state is multiplied by to become a query of the scaled score."""
    return s.shape[1] ** -0.5                                            # (AD2)


@inlined
def scale_backward(dq, scale):
    """dq -> ds of either score; the scale of the plain one is 1."""
    return dq * scale                                                    # (AD1*) (AD2*)


DOT = Score(term, term_backward, no_matrix, hs_of, no_v, scores_hs=True)
SCALED = DOT._replace(is_scaled=True)
