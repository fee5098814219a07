"""Softmax cross-entropy from logits, with padding masked and optional label smoothing.

Rows B4.1L, E3.3; part P7 (one-hot and sparse targets); smoothing: Szegedy et al. (2016).
Shapes: S target steps, N batch, V vocabulary.  M is the number of real target tokens in the batch.

Forward                                            Backward
(X1)  log p = log_softmax(logits)                  (X1*) dlogits = dlog_p - p sum_v dlog_p_v
(X2)  q = (1-eps) y + eps/V, y one-hot                   and as sum_v q_v = 1, (X1*) of (X3*) is
(X3)  L = -(1/M) sum_real sum_v q_v log p_v        (X3*) dlogits = (p - q) / M on real tokens, else 0
"""
from typing import Any, NamedTuple

import numpy as np

from ..core.functions import log_softmax


class Cache(NamedTuple):
    log_p: np.ndarray          # (S, N, V)
    targets: np.ndarray        # (S, N) ids or (S, N, V) one-hot
    mask: np.ndarray           # (S, N)
    eps: float


def forward(logits: np.ndarray, targets: np.ndarray, mask: np.ndarray, eps: float = 0.0) -> tuple[Any, Cache]:
    """Mean loss in nats per real token.

    Parameters
    ----------
    logits : ndarray of shape (S, N, V)
    targets : ndarray of int of shape (S, N), or one-hot of shape (S, N, V)
    mask : ndarray of bool of shape (S, N)
        True = real; padded tokens count neither in the sum nor in M.
    eps : float in [0, 1)
        Label smoothing.

    Returns
    -------
    L : number
    cache : Cache
    """
    log_p = log_softmax(logits)                                 # (X1)
    if targets.ndim == 3:
        at_target = (targets * log_p).sum(axis=2)
    else:
        at_target = np.take_along_axis(log_p, targets[:, :, None], axis=2)[:, :, 0]
    per_token = -(1 - eps) * at_target
    if eps:
        per_token = per_token - eps * log_p.mean(axis=2)        # (X2)
    L = np.where(mask, per_token, 0).sum() / mask.sum()         # (X3)
    return L, Cache(log_p, targets, mask, eps)


def backward(k: Cache) -> np.ndarray:
    """-> dlogits (S, N, V)."""
    log_p, targets, mask, eps = k
    dlogits = np.exp(log_p)                                     # (X1*) (X3*) p
    if targets.ndim == 3:
        dlogits -= (1 - eps) * targets                          # (X3*) - q
    else:
        t, n = np.indices(targets.shape)
        dlogits[t, n, targets] -= 1 - eps                       # (X3*) - q
    dlogits -= eps / log_p.shape[2]                             # (X2) (X3*)
    dlogits *= (mask / mask.sum(dtype=dlogits.real.dtype))[:, :, None]    # (X3*)
    return dlogits
