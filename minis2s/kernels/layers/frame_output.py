"""Compiled implementation of frame_output.py; with the readout together, as readout.py has it for tokens.

    96 rows r of all S N:  r ── W, b ──> y_1 .. y_r, a ── f ──> e ──> L      (of real frames and real steps)
                                                           └──> dy, da, in their place ── W^T ──> dr

A row of what the readout says is read once, and its gradient is written where it stood.

(D7), (FO1)..(FO3) forward; (D7*), (FO1*)..(FO3*) backward.
"""
import numpy as np
from numpy import ascontiguousarray as contiguous

from ...core import validation
from ...layers import linear
from ...layers.frame_output import ERRORS, Cache, stops
from ..core import validation as compiled
from ..linalg.gemm import DEPTH, packed, product
from ..linalg.rows import count
from ..linalg.simd import LANES, add, at, positive, total, zeros, zeros_like
from ..runtime.arena import empty, scratch_arena
from ..runtime.jit import device_function, inlined, internal_kernel, jit
from ..runtime.threads import over_columns, over_rows
from .copying import log_sigmoid
from .readout import ROWS, check as check_readout, columns


def check(targets, mask, dtype, shape):
    """Require targets (S, N, r F) and a mask of frames (S, N, r), for what a readout says, of this shape."""
    S, N, size = shape
    compiled.array("targets", targets, dtype, (S, N, size - 1))
    validation.array("mask", mask, (S, N, "r"), "b")
    if (size - 1) % mask.shape[2]:
        raise ValueError(f"mask: got {mask.shape[2]} frames of a step, wanted a divisor of {size - 1} numbers")


def check_error(error):
    """Require an error that there is."""
    if error not in ERRORS:
        raise ValueError(f"error={error!r}: choose one of {', '.join(ERRORS)}")


def forward(out, targets, mask, error="squared"):
    """See frame_output.forward."""
    dtype = compiled.floats("out", out, 3)
    check(targets, mask, dtype, out.shape)
    check_error(error)
    (S, N, _), r, dout = out.shape, mask.shape[2], np.empty(out.shape, dtype)
    e = np.empty((S, N, r, targets.shape[2] // r), dtype)
    L = _forward(contiguous(out), contiguous(targets), contiguous(mask), error == "absolute", e, dout)
    return L, Cache(e, out[:, :, -1], stops(mask), mask, error)


def backward(k):
    """See frame_output.backward."""
    compiled.floats("k.e", k.e, 4)
    (S, N, r, F), dtype = k.e.shape, k.e.dtype
    compiled.array("k.a", k.a, dtype, (S, N))
    compiled.bools("k.stop", k.stop, (S, N))
    compiled.bools("k.mask", k.mask, (S, N, r))
    check_error(k.error)
    out = np.concatenate([k.e.reshape(S, N, r * F), k.a[:, :, None]], axis=2)
    _forward(out, np.zeros((S, N, r * F), dtype), contiguous(k.mask), k.error == "absolute", np.empty_like(k.e), out)
    return out


def loss_and_gradient(p, rs, targets, mask, error="squared"):
    """Loss of a batch, and what it says about the readout.

    Parameters
    ----------
    p : linear.Params
        With r F + 1 columns.
    rs : ndarray of shape (S, N, R)
        What the readout reads.
    targets, mask, error
        See frame_output.forward.

    Returns
    -------
    loss : number
    drs : ndarray of shape (S, N, R)
    grads : linear.Params
    """
    dtype = check_readout(p, rs)
    check(targets, mask, dtype, (*rs.shape[:2], len(p.b)))
    check_error(error)
    g = linear.Params(np.zeros(p.W.shape, dtype), np.zeros(p.b.shape, dtype))
    L, drs = _loss_and_gradient(p._replace(b=contiguous(p.b)), g, contiguous(rs), contiguous(targets), contiguous(mask),
                                error == "absolute")
    return L, drs, g


@jit("frame_output.forward")
def _forward(out, targets, mask, absolute, e, dout):
    (S, N, size), (_, _, r), F = out.shape, mask.shape, e.shape[3]
    per_step = np.empty(S * N, np.float64)
    over_rows(all_rows, (out.reshape(S * N, size), targets.reshape(S * N, r * F), mask, absolute,
                         e.reshape(S * N, r * F), dout.reshape(S * N, size), per_step), S * N, 10 * out.size)
    L = 0.0
    for i in range(S * N):
        L += per_step[i]
    return L / count(mask.reshape(mask.size))                           # (FO3)


@internal_kernel("frame_output.all_rows")
def all_rows(out, targets, mask, absolute, e, dout, per_step, r0, r1):
    M, size = count(mask.reshape(mask.size)), out.shape[1]
    for r in range(r0, r1):
        for j in range(0, size - 1, LANES):
            J = at(j, size - 1)
            e[r, J] = out[r, J] - targets[r, J]
        for j in range(0, size, LANES):
            dout[r, at(j, size)] = out[r, at(j, size)]
        per_step[r] = row(dout[r], targets[r], mask, r, absolute, 1 / M)


def add_loss_and_gradient(arena, p, g, rs, targets, mask, absolute):
    """`loss_and_gradient`, with the gradient added to g: -> loss, drs."""
    (S, N, R), size, dtype = rs.shape, len(p.b), rs.dtype
    r, targets, here = rs.reshape(S * N, R), targets.reshape(S * N, size - 1), scratch_arena(arena)
    dr, per_step, dout = empty(arena, r.shape, dtype), empty(here, (S * N,), np.float64), empty(
        here, (min(S * N, DEPTH), size), dtype)
    W, WT, M = packed(here, p.W), packed(here, p.W.T), count(mask.reshape(mask.size))
    for r0 in range(0, S * N, DEPTH):
        r1 = min(r0 + DEPTH, S * N)
        work = (r1 - r0) * R * size
        over_rows(rows, (r0, r[r0:r1], W, p.b, WT, targets[r0:r1], mask, M, absolute, dout, dr[r0:r1],
                         per_step[r0:r1]), r1 - r0, 2 * work)
        over_columns(columns, (r[r0:r1], dout[:r1 - r0], g.W, g.b), size, work)
    L = 0.0
    for i in range(S * N):
        L += per_step[i]
    return L / M, dr.reshape(S, N, R)                                   # (FO3)


for_python = inlined(add_loss_and_gradient)
add_loss_and_gradient = internal_kernel("frame_output.add_loss_and_gradient")(add_loss_and_gradient)


@jit("frame_output.loss_and_gradient")
def _loss_and_gradient(p, g, rs, targets, mask, absolute):
    return for_python(None, p, g, rs, targets, mask, absolute)


@internal_kernel("frame_output.rows")
def rows(before, rs, W, b, WT, targets, mask, M, absolute, dout, drs, per_step, r0, r1):
    """Rows r0 .. r1-1, which stand behind so many others of the batch."""
    size = len(b)
    for first in range(r0, r1, ROWS):
        last = min(first + ROWS, r1)
        product(dout[first:last], rs[first:last], W)                    # (D7)
        for r in range(first, last):
            for j in range(0, size, LANES):
                J = at(j, size)
                dout[r, J] = dout[r, J] + b[J]                          # (D7)
            per_step[r] = row(dout[r], targets[r], mask, before + r, absolute, 1 / M)
        product(drs[first:last], dout[first:last], WT)                  # (D7*)


@device_function
def row(x, targets, mask, i, absolute, dE):
    """Step and example i of all S N: x is what the readout says, y_1 .. y_r and a, and becomes its gradient, with
    dE = dB = 1 / M (FO3*) -> its terms of E + B."""
    (S, N, r), a = mask.shape, np.float64(x[len(x) - 1])
    t, n, F = i // N, i % N, len(targets) // r
    E, real = 0.0, mask[t, n, 0]
    stop = real and (t + 1 == S or not mask[t + 1, n, 0])
    for j in range(r):
        E += frame(x[j * F:(j + 1) * F], targets[j * F:(j + 1) * F], mask[t, n, j], absolute, dE / F)
    x[len(x) - 1] = (np.exp(log_sigmoid(a)) - (1.0 if stop else 0.0)) * dE if real else 0.0    # (FO2*) (FO3*)
    return E / F + (-log_sigmoid(a if stop else -a) if real else 0.0)   # (FO1) (FO2)


@device_function
def frame(y, f, real, absolute, share):
    """One frame y (F,), which becomes its gradient: -> the sum of its numbers' errors, 0 for padding."""
    F, sums = len(y), zeros(y)
    for j in range(0, F, LANES):
        J = at(j, F)
        e = y[J] - f[J]
        if not real:
            y[J] = zeros_like(e)                                        # (FO1*)
        elif absolute:
            sign = positive(e) - positive(e * -1.0)
            sums = add(sums, e * sign)                                  # (FO1)
            y[J] = sign * share                                         # (FO1*)
        else:
            sums = add(sums, e * e)                                     # (FO1)
            y[J] = e * (2 * share)                                      # (FO1*)
    return np.float64(total(sums))
