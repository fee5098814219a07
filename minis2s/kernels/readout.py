"""Twin of the readout and the loss together, linear.py and loss.py: gradients while the logits are at hand.

    96 rows r of all S N:   r ── W, b ──> logits ── softmax ──> p ── (p - q) / M ──> dlogits ── W^T ──> dr
                                             └──────── log p of the target ────> L
    and of 512 rows:        r^T dlogits ──> dW

Logits are the largest array of a model with many words: at V = 8000 a batch has 50 megabytes of them, log p
and dlogits as much again.  Training wants none of them afterwards.  So they are made, used and overwritten in
place, a few rows at a time, while these are in the processor's cache; memory holds those of 512 rows, until
they have been added to dW and db.

(D7), (X1)..(X3) forward; (D7*), (X1*), (X3*) backward.
"""
import numpy as np

from .gemm import DEPTH, add_bias_gradient, add_weight_gradient, pack_weights, product
from .jit import jit
from .simd import LANES, add, at, exp, greatest, maximum, total, zeros
from .threads import over_columns, over_rows

ROWS = 96                      # whose logits are made, used and overwritten at a time


def loss_and_gradient(p, rs, targets, mask, eps=0.0):
    """Loss of a batch, and what it says about the readout.

    Parameters
    ----------
    p : linear.Params
    rs : ndarray of shape (S, N, R)
        What the readout reads.
    targets : ndarray of int of shape (S, N)
    mask : ndarray of bool of shape (S, N)
    eps : float
        Label smoothing.

    Returns
    -------
    loss : number
    drs : ndarray of shape (S, N, R)
    grads : linear.Params
    """
    S, N, R = rs.shape
    V, M, dtype = len(p.b), mask.sum(), rs.dtype
    r, share = rs.reshape(S * N, R), (mask / M).astype(dtype).ravel()
    targets = np.ascontiguousarray(targets).ravel()
    dr, per_token, dlogits = np.empty_like(r), np.empty(S * N, dtype), np.empty((min(S * N, DEPTH), V), dtype)
    W, WT, dW, db = pack_weights(p.W), pack_weights(p.W.T), np.zeros((R, V), dtype), np.zeros(V, dtype)
    for r0 in range(0, S * N, DEPTH):
        rows = slice(r0, min(r0 + DEPTH, S * N))
        count = rows.stop - r0
        over_rows(_rows, r[rows], W, p.b, WT, targets[rows], share[rows], eps, dlogits, dr[rows],
                  per_token[rows], N=count, work=2 * count * R * V)
        over_columns(_columns, r[rows], dlogits[:count], dW, db, J=V, work=count * R * V)
    loss = np.where(mask.ravel(), per_token, 0).sum() / M               # (X3)
    return loss, dr.reshape(S, N, R), type(p)(dW, db)


@jit("readout.rows")
def _rows(rs, W, b, WT, targets, share, eps, dlogits, drs, per_token, r0, r1):
    V = len(b)
    for first in range(r0, r1, ROWS):
        last = min(first + ROWS, r1)
        product(dlogits[first:last], rs[first:last], W)                 # (D7)
        for r in range(first, last):
            per_token[r] = _row(dlogits[r], b, targets[r], share[r], eps, V)
        product(drs[first:last], dlogits[first:last], WT)               # (D7*)


@jit("readout.row")
def _row(x, b, target, share, eps, V):
    """One row: x is r W, and becomes dlogits; -> its share of the loss."""
    best = zeros(x) - np.inf
    plain, sums = zeros(x), zeros(x)
    for j in range(0, V, LANES):
        J = at(j, V)
        logits = x[J] + b[J]                                            # (D7)
        x[J] = logits
        if eps > 0:
            plain = add(plain, logits)
        if j + LANES <= V:
            best = maximum(best, logits)
    top = greatest(best)
    for j in range(V // LANES * LANES, V):
        if x[j] > top or x[j] != x[j]:
            top = x[j]
    target_logit = x[target]
    for j in range(0, V, LANES):
        J = at(j, V)
        x[J] = exp(x[J] - top)
        sums = add(sums, x[J])
    y = total(sums)
    shift, scale = top + np.log(y), share / y
    for j in range(0, V, LANES):
        J = at(j, V)
        x[J] = x[J] * scale - eps / V * share                           # (X1*) (X2) (X3*) p - q elsewhere
    x[target] -= (1 - eps) * share                                      # (X3*) - q
    return -(1 - eps) * (target_logit - shift) - eps * (total(plain) / V - shift)    # (X1) (X2) (X3)


@jit("readout.columns")
def _columns(rs, dlogits, dW, db, j0, j1):
    rows = len(rs)
    add_weight_gradient(dW, rs.reshape(1, rows, rs.shape[1]), dlogits.reshape(1, rows, len(db)),
                        j0, j1)                                         # (D7*)
    add_bias_gradient(db, dlogits.reshape(1, rows, len(db)), j0, j1)    # (D7*)
