"""A readout that copies.  See minis2s/layers/copying.py."""
from math import exp, inf, log

from .functions import softmax
from .layers import linear


def copy_gate(w, b, r):
    """(CP1) a = r w + b, whose σ is g: how much is copied; w is R x 1, b has one entry."""
    (a,) = linear(w, b, r)                                                             # (CP1)
    return a


def copies(alpha, ids, size):
    """(CP2) c_v = Σ_i alpha_i [x_i = v]: `size` entries; alpha and ids have T."""
    return [sum(alpha[i] for i in range(len(ids)) if ids[i] == v) for v in range(size)]    # (CP2)


def mixed(logits, c, a):
    """(CP3) log p_v = log((1-g) softmax(logits)_v + g c_v): V logits and V+K weights in, V+K entries out."""
    q, g = softmax(logits) + [0.0] * (len(c) - len(logits)), 1 / (1 + exp(-a))
    p = [q_v / (1 + exp(a)) + g * c_v for q_v, c_v in zip(q, c)]                       # (CP3)
    return [log(p_v) if p_v > 0 else -inf for p_v in p]
