"""Gradient times input, and occlusion.  See minis2s/model/saliency.py."""
from .functions import log_softmax
from .vectors import dot


def gradient_times_input(x, dz_dx):
    """(SL1) r = x . dz/dx: an embedding, and the derivative of the written token's logit by it."""
    return dot(x, dz_dx)                                                               # (SL1)


def occlusion(logits, logits_without, token):
    """(SL2) f = log p(token) - log p(token) without the source token: two lists of V logits."""
    return log_softmax(logits)[token] - log_softmax(logits_without)[token]             # (SL2)
