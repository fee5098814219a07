"""Attention of one query s over the encoder's states hs.  See minis2s/layers/attention/.

s has H entries, hs is a list of T states, scores e and weights alpha have T entries.
"""
from math import sqrt

from .functions import softmax, tanh_
from .vectors import add, dot, each, times


def score_dot(s, hs):
    """(AD1) e_i = s·h_i."""
    return [dot(s, h_i) for h_i in hs]                                                 # (AD1)


def score_scaled_dot(s, hs):
    """(AD2) e_i = s·h_i / √H."""
    return [dot(s, h_i) / sqrt(len(s)) for h_i in hs]                                  # (AD2)


def score_general(s, hs, W):
    """General (bilinear) score; W leads from the size of s to the size of h_i.

    (AG1) q = s W
    (AG2) e_i = q·h_i
    """
    q = times(s, W)                                                                    # (AG1)
    return [dot(q, h_i) for h_i in hs]                                                 # (AG2)


def score_additive(s, hs, W_s, W_h, v):
    """Additive score (Bahdanau).  W_s leads from the size of s to A, W_h from that of h_i to A; v has A.

    (AB1) k_i = h_i W_h
    (AB2) u_i = tanh(s W_s + k_i)
    (AB3) e_i = u_i·v
    """
    k = [times(h_i, W_h) for h_i in hs]                                                # (AB1)
    u = [each(tanh_, add(times(s, W_s), k_i)) for k_i in k]                            # (AB2)
    return [dot(u_i, v) for u_i in u]                                                  # (AB3)


def score_concat_dot(s, hs, W_s, W_h):
    """Concat-dot score.  W_s leads from the size of s to the size of h_i, W_h from the size of h_i to itself.

    (AC1) k_i = h_i W_h
    (AC2) v_i = tanh(s W_s + k_i)
    (AC3) e_i = v_i·h_i
    """
    k = [times(h_i, W_h) for h_i in hs]                                                # (AC1)
    v = [each(tanh_, add(times(s, W_s), k_i)) for k_i in k]                            # (AC2)
    return [dot(v[i], hs[i]) for i in range(len(hs))]                                  # (AC3)


def attention_weights(e, mask=None):
    """(A1) α = softmax(e) over real positions: T entries."""
    return softmax(e, mask)                                                            # (A1)


def context(alpha, hs):
    """(A2) ctx = Σ_i α_i h_i: alpha has T entries, ctx the size of h_i."""
    return [dot(alpha, [h_i[j] for h_i in hs]) for j in range(len(hs[0]))]             # (A2)
