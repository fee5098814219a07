"""Quantisation, pruning, distillation.  See minis2s/training/ and minis2s/layers/distillation.py."""
from math import ceil, floor, sqrt

from .functions import log_softmax, softmax
from .loss import target_distribution
from .vectors import dot


def nearest(a):
    """The nearest whole number; of two, the even one."""
    low, high = floor(a), ceil(a)
    if a - low == high - a:
        return low if low % 2 == 0 else high
    return low if a - low < high - a else high


def quantize(ws, b):
    """The weights of one scale, rounded to b bits: -> whole numbers, their scale.

    (QZ1) s = max |w| / (2^(b-1) - 1)
    (QZ2) q = round(w / s)
    (QZ4) s = mean |w|, q = sign(w), for one bit
    """
    if b == 1:
        return [-1 if w < 0 else 1 for w in ws], sum(map(abs, ws)) / len(ws)           # (QZ4)
    s = max(map(abs, ws)) / (2 ** (b - 1) - 1)                                         # (QZ1)
    return [nearest(w / s) for w in ws], s                                             # (QZ2)


def dequantize(qs, s):
    """(QZ3) w' = s q."""
    return [s * q for q in qs]                                                         # (QZ3)


def prune(matrices, share, scheme):
    """Lists of weights, one for each matrix -> the same with zeros.

    (PR1) u = |w|, or |w| / sigma of its matrix
    (PR2) kept: not among the round(share * number) smallest, of all or of the matrix
    (PR3) w' = w where kept, else 0
    """
    def sigma(ws):
        mean = sum(ws) / len(ws)
        return sqrt(sum((w - mean) ** 2 for w in ws) / len(ws)) if scheme == "distribution" else 1.0
    us = [[abs(w) / sigma(ws) for w in ws] for ws in matrices]                         # (PR1)

    def last(numbers):
        return sorted(numbers)[round(share * len(numbers)) - 1]
    limits = [last(u) if scheme == "uniform" else last(sum(us, [])) for u in us]
    kept = [[u_j > limit for u_j in u] for u, limit in zip(us, limits)]                # (PR2)
    return [[w if k else 0.0 for w, k in zip(ws, ks)] for ws, ks in zip(matrices, kept)]    # (PR3)


def distillation(logits, teacher_logits, ids, mask, share):
    """Loss for each real token; logits and the teacher's are S x N x V, ids and mask S x N.

    (KD1) q = (1 - λ) y + λ softmax(z'), y one-hot
    (KD2) L = -Σ_{real (t, n)} Σ_v q_v log p_v / (number of real tokens)
    """
    total, count = 0.0, 0
    for t in range(len(ids)):
        for n in range(len(ids[t])):
            if mask[t][n]:
                y, z = target_distribution(ids[t][n], len(logits[t][n])), softmax(teacher_logits[t][n])
                q = [(1 - share) * a + share * b for a, b in zip(y, z)]                # (KD1)
                total, count = total - dot(q, log_softmax(logits[t][n])), count + 1
    return total / count                                                               # (KD2)
