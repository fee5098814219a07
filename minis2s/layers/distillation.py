"""Word-level distillation: a student learns the distribution that a teacher gives, beside the right word.

Part P13.  Source: Hinton et al. (2015); for sequences Kim & Rush (2016), section 3.1.  Their sequence level needs no
loss of its own: the student learns the answers of the teacher's beam as if they were targets.

Shapes: S target steps, N batch, V vocabulary; M real target tokens.  y is one-hot, z' the teacher's logits, lam in
[0, 1] the teacher's part.

Forward                                               Backward
(KD1)  q = (1-lam) y + lam softmax(z')                      the teacher is given: no gradient goes to z'
(KD2)  L = -(1/M) sum_real sum_v q_v log p_v          (KD2*) dlogits = (p - q) / M on real tokens, else 0

(KD2) is the loss (X3) with q in place of the one-hot target, and (KD2*) its derivative, as sum_v q_v = 1.  So a Batch
whose targets are q trains any model with any optimizer.
"""
from typing import Any

import numpy as np

from ..core.functions import softmax
from . import loss


def soft_targets(targets: np.ndarray, teacher_logits: np.ndarray, share: float) -> np.ndarray:
    """What the student is to answer.

    Parameters
    ----------
    targets : ndarray of int of shape (S, N)
    teacher_logits : ndarray of shape (S, N, V)
    share : float in [0, 1]
        lam; 0 are the targets alone, 1 is the teacher alone.

    Returns
    -------
    ndarray of shape (S, N, V)
        For each token a distribution.
    """
    y = np.eye(teacher_logits.shape[2], dtype=teacher_logits.dtype)[targets]
    return (1 - share) * y + share * softmax(teacher_logits, axis=2)        # (KD1)


def forward(logits: np.ndarray, targets: np.ndarray, mask: np.ndarray, teacher_logits: np.ndarray,
            share: float) -> tuple[Any, loss.Cache]:
    """Mean loss in nats per real token: student's logits (S, N, V), ids and mask (S, N) -> L, cache."""
    q = soft_targets(targets, teacher_logits, share)
    return loss.forward(logits, q, mask)                                    # (KD2)


def backward(k: loss.Cache) -> np.ndarray:
    """-> dlogits (S, N, V)."""
    return loss.backward(k)                                                 # (KD2*)
