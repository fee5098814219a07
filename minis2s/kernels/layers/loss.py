"""Compiled implementation of loss.py: one row of logits is read from memory twice in place of seven times.

    row r of logits (S N, V) ── greatest ──> shift ── exp, sum ──> log of the sum ── subtract ──> log p

The reference implementation computes one-hot targets.  (X1)..(X3) forward; (X1*), (X3*) backward.
"""
import numpy as np
from numpy import ascontiguousarray as contiguous

from ...core import validation
from ...layers import loss as reference
from ...layers.loss import Cache
from ..core import validation as compiled
from ..linalg.rows import top_of
from ..linalg.simd import LANES, add, at, exp, total, zeros
from ..model.validated import int64_ids
from ..runtime.jit import internal_kernel, jit
from ..runtime.threads import over_rows


def forward(logits, targets, mask, eps=0.0):
    """See loss.forward."""
    if np.ndim(targets) == 3:
        return reference.forward(logits, targets, mask, eps)
    compiled.floats("logits", logits, 3)
    validation.ids("targets", targets, logits.shape[2], logits.shape[:2])
    compiled.bools("mask", mask, targets.shape)
    log_p, per_token = _forward(contiguous(logits), int64_ids(targets), float(eps))
    loss = np.where(mask, per_token, 0).sum() / mask.sum()              # (X3)
    return loss, Cache(log_p, targets, mask, eps)


def backward(k):
    """See loss.backward."""
    if np.ndim(k.targets) == 3:
        return reference.backward(k)
    compiled.floats("log_p", k.log_p, 3)
    validation.ids("targets", k.targets, k.log_p.shape[2], k.log_p.shape[:2])
    compiled.bools("mask", k.mask, k.targets.shape)
    return _backward(k.log_p, int64_ids(k.targets), contiguous(k.mask), float(k.eps))


@jit("loss.forward")
def _forward(logits, targets, eps):
    S, N, V = logits.shape
    log_p, per_token = np.empty_like(logits), np.empty((S, N), logits.dtype)
    over_rows(rows, (logits.reshape(S * N, V), targets.reshape(S * N), eps, log_p.reshape(S * N, V),
                     per_token.reshape(S * N)), S * N, 10 * logits.size)
    return log_p, per_token


@jit("loss.backward")
def _backward(log_p, targets, mask, eps):
    S, N, V = log_p.shape
    dlogits = np.empty_like(log_p)
    over_rows(rows_backward, (log_p.reshape(S * N, V), targets.reshape(S * N), eps, mask.reshape(S * N),
                              mask.sum(), dlogits.reshape(S * N, V)), S * N, 5 * log_p.size)
    return dlogits


@internal_kernel("loss.rows")
def rows(logits, targets, eps, log_p, per_token, r0, r1):
    V = logits.shape[1]
    for r in range(r0, r1):
        top = top_of(logits[r])
        sums = zeros(logits)
        for j in range(0, V, LANES):
            J = at(j, V)
            log_p[r, J] = exp(logits[r, J] - top)
            sums = add(sums, log_p[r, J])
        shift = top + np.log(total(sums))
        sums = zeros(logits)
        for j in range(0, V, LANES):
            J = at(j, V)
            log_p[r, J] = logits[r, J] - shift                          # (X1)
            if eps > 0:
                sums = add(sums, log_p[r, J])
        per_token[r] = -(1 - eps) * log_p[r, targets[r]] - eps * total(sums) / V    # (X2) (X3)


@internal_kernel("loss.rows_backward")
def rows_backward(log_p, targets, eps, mask, M, dlogits, r0, r1):
    V = log_p.shape[1]
    for r in range(r0, r1):
        share = 1 / M if mask[r] else 0.0
        for j in range(0, V, LANES):
            J = at(j, V)
            dlogits[r, J] = (exp(log_p[r, J]) - eps / V) * share       # (X1*) (X2) (X3*) p - q off the target
        dlogits[r, targets[r]] -= (1 - eps) * share                     # (X3*) - q
