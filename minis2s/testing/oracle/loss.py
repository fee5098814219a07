"""Softmax cross-entropy.  See minis2s/layers/loss.py."""
from .functions import log_softmax
from .vectors import dot


def target_distribution(token, V, eps=0.0):
    """(X2) q_v = (1 - ε) [v = token] + ε / V: V entries; one-hot when ε = 0, smoothed otherwise."""
    return [(1 - eps) * (1.0 if v == token else 0.0) + eps / V for v in range(V)]      # (X2)


def cross_entropy(logits, ids, mask, eps=0.0):
    """Loss for each real token of a batch: logits are S x N x V, ids and mask are S x N.

    (X1) log p = log_softmax(logits)
    (X2) q = target_distribution(id)
    (X3) L = -Σ_{real (t, n)} Σ_v q_v log p_v / (number of real tokens)
    """
    total, count = 0.0, 0
    for t in range(len(ids)):
        for n in range(len(ids[t])):
            if mask[t][n]:
                log_p = log_softmax(logits[t][n])                                      # (X1)
                q = target_distribution(ids[t][n], len(log_p), eps)                    # (X2)
                total, count = total - dot(q, log_p), count + 1
    return total / count                                                               # (X3)
