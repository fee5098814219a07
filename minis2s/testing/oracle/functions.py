"""Pointwise functions and softmax: see minis2s/core/functions.py."""
from math import exp, log, tanh


def sigmoid(a):
    """(F1) σ(a) = 1 / (1 + e^-a), for one number a; the exponent is never positive, so nothing overflows."""
    return 1 / (1 + exp(-a)) if a >= 0 else exp(a) / (1 + exp(a))                      # (F1)


def tanh_(a):
    """(F2) tanh(a) = (e^a - e^-a) / (e^a + e^-a), for one number a."""
    return tanh(a)                                                                     # (F2)


def softmax(e, mask=None):
    """(F3) softmax(e)_i = e^(e_i) / Σ_j e^(e_j), over real positions only; the others are 0.

    e has T entries; so has the result.  At least one position must be real.  Taking the greatest real
    entry away from all changes nothing, and keeps e^... from overflowing.
    """
    real = [True] * len(e) if mask is None else mask
    m = max(e[i] for i in range(len(e)) if real[i])
    total = sum(exp(e[i] - m) for i in range(len(e)) if real[i])
    return [exp(e[i] - m) / total if real[i] else 0.0 for i in range(len(e))]          # (F3)


def log_softmax(e):
    """(F4) log softmax(e)_i = e_i - log Σ_j e^(e_j): V entries in, V entries out."""
    m = max(e)
    log_total = m + log(sum(exp(e_j - m) for e_j in e))
    return [e_i - log_total for e_i in e]                                              # (F4)
