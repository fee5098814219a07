"""Readout and loss together, compiled, as linear.py and loss.py: gradients while the logits are at hand.

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
from numpy import ascontiguousarray as contiguous

from ...core import validation
from ..core import validation as compiled
from ..linalg.gemm import DEPTH, packed, product
from ..linalg.gradients import add_bias_gradient, add_weight_gradient
from ..linalg.rows import count
from ..linalg.simd import LANES, add, at, exp, greatest, maximum, total, zeros
from ..model.validated import int64_ids
from ..runtime.arena import empty, scratch_arena
from ..runtime.jit import inlined, internal_kernel, jit
from ..runtime.threads import over_columns, over_rows

ROWS = 96                      # whose logits are made, used and overwritten at a time


def check(p, rs):
    """Require Params of a readout, and what it reads (S, N, R): -> their dtype."""
    dtype = compiled.floats("rs", rs, 3)
    compiled.floats("p.b", p.b, 1)
    compiled.arrays(dtype, ("p.W", "p.b"), [(rs.shape[2], len(p.b)), (len(p.b),)], p)
    return dtype


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
    check(p, rs)
    validation.ids("targets", targets, len(p.b), rs.shape[:2])
    compiled.bools("mask", mask, targets.shape)
    g = type(p)(np.zeros(p.W.shape, p.W.dtype), np.zeros(p.b.shape, p.b.dtype))
    loss, drs = _loss_and_gradient(p._replace(b=contiguous(p.b)), g, contiguous(rs), int64_ids(targets),
                                   contiguous(mask), float(eps))
    return loss, drs, g


def add_loss_and_gradient(arena, p, g, rs, targets, mask, eps):
    """The same, with the gradient added to g: -> loss, drs."""
    (S, N, R), V, dtype = rs.shape, len(p.b), rs.dtype
    r, targets, mask = rs.reshape(S * N, R), targets.reshape(S * N), mask.reshape(S * N)
    dr, while_here = empty(arena, r.shape, dtype), scratch_arena(arena)
    per_token, dlogits = empty(while_here, (S * N,), dtype), empty(while_here, (min(S * N, DEPTH), V), dtype)
    W, WT, M = packed(while_here, p.W), packed(while_here, p.W.T), count(mask)
    for r0 in range(0, S * N, DEPTH):
        r1 = min(r0 + DEPTH, S * N)
        work = (r1 - r0) * R * V
        over_rows(rows, (r[r0:r1], W, p.b, WT, targets[r0:r1], mask[r0:r1], M, eps, dlogits, dr[r0:r1],
                         per_token[r0:r1]), r1 - r0, 2 * work)
        over_columns(columns, (r[r0:r1], dlogits[:r1 - r0], g.W, g.b), V, work)
    loss = 0.0
    for i in range(S * N):
        if mask[i]:
            loss += per_token[i]
    return loss / M, dr.reshape(S, N, R)                                # (X3)


for_python = inlined(add_loss_and_gradient)
add_loss_and_gradient = internal_kernel("readout.add_loss_and_gradient")(add_loss_and_gradient)


@jit("readout.loss_and_gradient")
def _loss_and_gradient(p, g, rs, targets, mask, eps):
    return for_python(None, p, g, rs, targets, mask, eps)


@internal_kernel("readout.rows")
def rows(rs, W, b, WT, targets, mask, M, eps, dlogits, drs, per_token, r0, r1):
    for first in range(r0, r1, ROWS):
        last = min(first + ROWS, r1)
        product(dlogits[first:last], rs[first:last], W)                 # (D7)
        for r in range(first, last):
            per_token[r] = row(dlogits[r], b, targets[r], 1 / M if mask[r] else 0.0, eps)
        product(drs[first:last], dlogits[first:last], WT)               # (D7*)


@internal_kernel("readout.row")
def row(x, b, target, share, eps):
    """One row: x is r W, and becomes dlogits; -> its share of the loss."""
    V, best = len(b), zeros(x) - np.inf
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
    for j in range(V // LANES * LANES, V):                              # one by one: `greatest` is for full vectors
        if x[j] > top or x[j] != x[j]:
            top = x[j]
    target_logit = x[target]
    for j in range(0, V, LANES):
        J = at(j, V)
        x[J] = exp(x[J] - top)
        sums = add(sums, x[J])                                          # as it is written: 0 in lanes that are off
    y = total(sums)
    shift, scale = top + np.log(y), share / y
    for j in range(0, V, LANES):
        J = at(j, V)
        x[J] = x[J] * scale - eps / V * share                           # (X1*) (X2) (X3*) p - q elsewhere
    x[target] -= (1 - eps) * share                                      # (X3*) - q
    return -(1 - eps) * (target_logit - shift) - eps * (total(plain) / V - shift)    # (X1) (X2) (X3)


@internal_kernel("readout.columns")
def columns(rs, dlogits, dW, db, j0, j1):
    rows = len(rs)
    add_weight_gradient(dW, rs.reshape(1, rows, rs.shape[1]), dlogits.reshape(1, rows, len(db)),
                        j0, j1)                                         # (D7*)
    add_bias_gradient(db, dlogits.reshape(1, rows, len(db)), j0, j1)    # (D7*)
