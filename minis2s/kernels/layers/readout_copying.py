"""Readout that copies and its loss together, compiled, as readout.py does it for one that does not.  Read copying.py.

    a row r:   r ── W, b ──> logits ── softmax ──> q ──> share of copies in p_y ──> dlogits ── W^T ──> dr
                         alpha ──> c_y ── gate ─────────────┘     └──> da, dc_y ──> dalpha

The loss is -log p_y of the target y alone, and the p_v of all words add up to 1 whatever the weights are.  So with
dlog p_y = -1/M, and 0 elsewhere, (CP3*) is

    dlogits = (1 - share_y) / M (q - [v = y])        da = -(share_y - g) / M        dc_y = -g / (p_y M)

and no row of log p over V+K words is made.  Where y stands in the source alone, share_y is 1, and dlogits are 0.  (This
dc leaves out g / M for each word of the source: a number that is the same in all dalpha_i of a row has no effect
through the softmax that made the weights.)

(D7), (CP1)..(CP3), (X3) forward; (D7*), (CP1*)..(CP3*), (X3*) backward.
"""
import numpy as np
from numpy import ascontiguousarray as contiguous

from ...core import validation
from ...layers import linear
from ..core import validation as compiled
from ..linalg.gemm import DEPTH, packed, product
from ..linalg.rows import count, top_of
from ..linalg.simd import LANES, add, at, exp, total, zeros
from ..model.validated import int64_ids
from ..runtime.arena import empty, scratch_arena
from ..runtime.jit import device_function, inlined, internal_kernel, jit
from ..runtime.threads import over_columns, over_rows
from .copying import add_gate_gradient, check, log_sigmoid, log_sum, opening, ratio
from .readout import ROWS, check as check_readout, columns


def loss_and_gradient(p, gate, rs, alpha, ids, targets, mask):
    """Loss of a batch, and what it says about readout, gate and weights.

    Parameters
    ----------
    p, gate : linear.Params
    rs : ndarray of shape (S, N, R)
        What readout and gate read.
    alpha : ndarray of shape (S, T, N)
    ids : ndarray of int of shape (T, N)
        The words of the sources.
    targets : ndarray of int of shape (S, N)
        Those from V on must stand in the example's own source, else the loss is infinite.
    mask : ndarray of bool of shape (S, N)

    Returns
    -------
    loss : number
    drs : ndarray of shape (S, N, R)
    dalpha : ndarray of shape (S, T, N)
    grads, gate_grads : linear.Params
    """
    dtype = check_readout(p, rs)
    check(gate, rs, alpha, ids, len(p.b))
    validation.ids("targets", targets, len(p.b) + len(ids), rs.shape[:2])
    compiled.bools("mask", mask, targets.shape)
    g, g_gate = (linear.Params(np.zeros(one.W.shape, dtype), np.zeros(one.b.shape, dtype)) for one in (p, gate))
    loss, drs, dalpha = _loss_and_gradient(
        p._replace(b=contiguous(p.b)), linear.Params(*map(contiguous, gate)), g, g_gate, contiguous(rs),
        contiguous(alpha.transpose(0, 2, 1)), int64_ids(ids), int64_ids(targets), contiguous(mask))
    return loss, drs, dalpha.transpose(0, 2, 1), g, g_gate


def add_loss_and_gradient(arena, p, gate, g, g_gate, rs, alpha, ids, targets, mask):
    """The same for alpha (S, N, T), with the gradients added to g and g_gate: -> loss, drs, dalpha."""
    (S, N, R), V, T, dtype = rs.shape, len(p.b), len(ids), rs.dtype
    r, alphas = rs.reshape(S * N, R), alpha.reshape(S * N, T)
    targets, mask = targets.reshape(S * N), mask.reshape(S * N)
    dr, dalpha, while_here = empty(arena, r.shape, dtype), empty(arena, alphas.shape, dtype), scratch_arena(arena)
    per_token, da = empty(while_here, (S * N,), dtype), empty(while_here, (S * N,), dtype)
    dlogits, w = empty(while_here, (min(S * N, DEPTH), V), dtype), gate.W.reshape(R)
    W, WT, M = packed(while_here, p.W), packed(while_here, p.W.T), count(mask)
    for r0 in range(0, S * N, DEPTH):
        r1 = min(r0 + DEPTH, S * N)
        work = (r1 - r0) * R * V
        over_rows(rows, (r0, r[r0:r1], W, p.b, WT, w, gate.b, ids, alphas[r0:r1], targets[r0:r1], mask[r0:r1], M,
                         dlogits, dr[r0:r1], da[r0:r1], dalpha[r0:r1], per_token[r0:r1]), r1 - r0, 2 * work)
        over_columns(columns, (r[r0:r1], dlogits[:r1 - r0], g.W, g.b), V, work)
    add_gate_gradient(g_gate, r, da)
    loss = 0.0
    for i in range(S * N):
        if mask[i]:
            loss += per_token[i]
    return loss / M, dr.reshape(S, N, R), dalpha.reshape(S, N, T)        # (X3)


for_python = inlined(add_loss_and_gradient)
add_loss_and_gradient = internal_kernel("readout_copying.add_loss_and_gradient")(add_loss_and_gradient)


@jit("readout_copying.loss_and_gradient")
def _loss_and_gradient(p, gate, g, g_gate, rs, alpha, ids, targets, mask):
    return for_python(None, p, gate, g, g_gate, rs, alpha, ids, targets, mask)


@internal_kernel("readout_copying.rows")
def rows(before, rs, W, b, WT, w, w_b, ids, alphas, targets, mask, M, dlogits, drs, da, dalpha, per_token, r0, r1):
    """Rows r0 .. r1-1, which stand behind so many others of the batch."""
    N = ids.shape[1]
    for first in range(r0, r1, ROWS):
        last = min(first + ROWS, r1)
        product(dlogits[first:last], rs[first:last], W)                 # (D7)
        for r in range(first, last):
            per_token[r], da[r] = row(dlogits[r], b, opening(rs[r], w, w_b), ids, (before + r) % N, alphas[r],
                                      targets[r], 1 / M if mask[r] else 0.0, dalpha[r])    # (CP1)
        product(drs[first:last], dlogits[first:last], WT)               # (D7*)
        for r in range(first, last):
            add_open_backward(w, da[r], drs[r])                         # (CP1*) fork: r is read out, and opens the gate


@internal_kernel("readout_copying.row")
def row(x, b, a, ids, n, alpha, y, d, dalpha):
    """One row of example n, with target y and dlog p_y = -d: x is r W, and becomes dlogits -> -log p_y, da."""
    V, sums, c, said, copied = len(b), zeros(x), 0.0, -np.inf, -np.inf
    for j in range(0, V, LANES):
        x[at(j, V)] = x[at(j, V)] + b[at(j, V)]                         # (D7)
    top, of_y = top_of(x), x[min(y, V - 1)]
    for j in range(0, V, LANES):
        J = at(j, V)
        x[J] = exp(x[J] - top)
        sums = add(sums, x[J])
    q_sum, log_g = np.float64(total(sums)), log_sigmoid(a)
    for i in range(len(ids)):
        if ids[i, n] == y:
            c += alpha[i]                                               # (CP2)
    if y < V:
        said = log_sigmoid(-a) + (np.float64(of_y) - top - np.log(q_sum))
    if c != 0:
        copied = log_g + np.log(c)
    log_p = log_sum(said, copied)                                       # (CP3)
    of_copies = ratio(c, log_g, log_p)
    learned = (1 - of_copies * c) * d if y < V else 0.0
    for j in range(0, V, LANES):
        x[at(j, V)] = x[at(j, V)] * (learned / q_sum)                   # (X3*) (CP3*)
    if y < V:
        x[y] -= learned                                                 # (X3*) (CP3*)
    for i in range(len(ids)):
        dalpha[i] = -of_copies * d if ids[i, n] == y else 0.0           # (CP3*) (CP2*)
    return -log_p, (np.exp(log_g) - of_copies * c) * d                  # (X3) (CP3*)


@device_function
def add_open_backward(w, da, dr):
    """dr (R,) += what da of one row says."""
    for j in range(0, len(w), LANES):
        J = at(j, len(w))
        dr[J] = dr[J] + w[J] * da                                       # (CP1*)
