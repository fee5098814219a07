"""Compiled implementation of rough.py: the readout's weights at one or two bytes, and the likeliest tokens in full.

    W (R, V)      ── round ──>   numbers, panel after panel of 64 columns: a step's row of a panel is one line of the
                                 cache (int8) or two (bf16), and the next step's the next line
    rows r0..r1-1 ── roughly ──> logits, with their K best in full

`roughly` does nothing, and says so, where its argument is None: where nobody wants it, or it does not pay.
"""
from typing import NamedTuple

import numpy as np
from numpy import ascontiguousarray as contiguous

from ...data.vocabulary import EOS
from ...decoding.rough import FEW, LEAST, PRECISIONS, STEPS
from ..linalg.simd import LANES, add, at, greatest, maximum, multiply_add, sqrt, total, zeros
from ..linalg.simd.whole import read_whole, write_whole
from ..runtime.jit import JIT, device_function, internal_kernel, jit
from ..runtime.threads import shared

PANEL = 4 * LANES              # columns
ROWS = 4                       # that one pass over a panel serves
UNSEEN = 1e-17                 # of |r|: squares of numbers as small are 0 in float32


class Rough(NamedTuple):
    W: np.ndarray              # (R, V), in full
    numbers: np.ndarray        # flat, panel after panel; int8 or uint16
    s: np.ndarray              # (V',), V rounded up to full panels; 1 for uint16, which are the first bits of float32
    e: np.ndarray              # (V',)
    c: np.ndarray              # (V',); while W is rounded |w|^2
    best: np.ndarray           # (rows, K), the greatest of the lower ends that each group of 16 columns has


def rough_of(W, b, precision, rows, K):
    """Round a readout W (R, V), b for so many rows of hypotheses, K to a source: -> Rough; None where nobody wants it,
    rows are too many, or weights are not finite."""
    if precision is None or rows > FEW:
        return None
    wide, dtype = -(-W.shape[1] // PANEL) * PANEL, W.dtype
    rough = Rough(contiguous(W), np.zeros(len(W) * wide, PRECISIONS[precision]), *np.zeros((3, wide), dtype),
                  np.empty((rows, K), dtype))
    round_weights(rough, b, precision == "int8", np.array([LEAST, 2 * len(W) * np.finfo(dtype).eps], dtype))
    return rough if np.isfinite(rough.e).all() else None


@internal_kernel("rough.columns")
def round_columns(rough, b, whole, small, v0, v1):
    """Columns v0 .. v1-1, whole panels, row after row as W lies in memory; `small` holds the least s, and 2 R eps."""
    W, q, s, moved, size = rough.W, rough.numbers, rough.s, rough.e, rough.c
    R, end = len(W), min(v1, W.shape[1])
    for v in range(v0, v1):
        s[v] = small[0] if whole else 1
    for k in range(R if whole else 0):
        for g in range(v0, end, LANES):
            J = at(g, end)
            w = W[k, J]
            s[J] = maximum(s[J], maximum(w, -w) / STEPS)
    for k in range(R):
        for g in range(v0, end, LANES):
            J, i = at(g, g + LANES), (g // PANEL * R + k) * PANEL + g % PANEL
            w = add(zeros(s), W[k, at(g, end)])                 # and zeros where there are no more columns
            write_whole(q, i, w / s[J])
            d = read_whole(q, i, s) * s[J] - w
            moved[J], size[J] = moved[J] + d * d, size[J] + w * w
    for g in range(v0, v1, LANES):
        J = at(g, g + LANES)
        moved[J] = sqrt(moved[J]) + sqrt(size[J]) * small[1]
    for v in range(v0, v1):
        rough.c[v] = abs(b[v]) * small[1] if v < end else 0


@jit("rough.round")
def round_weights(rough, b, whole, small):
    """Fill `numbers`, `s`, `e` and `c`."""
    shared(round_columns, (rough, b, whole, small), len(rough.s), PANEL, 8 * rough.W.size)


@device_function
def one_row(rough, rs, b, logits, r, j):
    """The rough logits of row r in the panel that begins at column j."""
    q, R, V = rough.numbers, len(rough.W), len(b)
    l0, l1, l2, l3 = zeros(b), zeros(b), zeros(b), zeros(b)
    for k in range(R):
        x, i = rs[r, k], j * R + k * PANEL
        l0 = multiply_add(read_whole(q, i, b), x, l0)
        l1 = multiply_add(read_whole(q, i + LANES, b), x, l1)
        l2 = multiply_add(read_whole(q, i + 2 * LANES, b), x, l2)
        l3 = multiply_add(read_whole(q, i + 3 * LANES, b), x, l3)
    put(rough, b, logits, r, j, V, l0)
    put(rough, b, logits, r, j + LANES, V, l1)
    put(rough, b, logits, r, j + 2 * LANES, V, l2)
    put(rough, b, logits, r, j + 3 * LANES, V, l3)


@device_function
def four_rows(rough, rs, b, logits, r, j):
    """The same of rows r .. r+3, group after group of columns."""
    q, R, V = rough.numbers, len(rough.W), len(b)
    for g in range(j, min(j + PANEL, V), LANES):
        l0, l1, l2, l3 = zeros(b), zeros(b), zeros(b), zeros(b)
        for k in range(R):
            w = read_whole(q, j * R + k * PANEL + g - j, b)
            l0, l1 = multiply_add(w, rs[r, k], l0), multiply_add(w, rs[r + 1, k], l1)
            l2, l3 = multiply_add(w, rs[r + 2, k], l2), multiply_add(w, rs[r + 3, k], l3)
        put(rough, b, logits, r, g, V, l0)
        put(rough, b, logits, r + 1, g, V, l1)
        put(rough, b, logits, r + 2, g, V, l2)
        put(rough, b, logits, r + 3, g, V, l3)


@device_function
def put(rough, b, logits, r, g, V, l):
    """The columns of a group that there are."""
    if g < V:
        J = at(g, g + LANES)
        logits[r, J] = add(l * rough.s[J], b[at(g, V)])
        for v in range(V, g + LANES):
            logits[r, v] = -np.inf


@device_function
def insert(best, low):
    """Put a lower end in its place among the greatest."""
    i = len(best) - 1
    if low > best[i]:
        while i > 0 and best[i - 1] < low:
            best[i] = best[i - 1]
            i -= 1
        best[i] = low


@device_function
def refine(rough, rs, b, logits, r):
    """Compute the logits of row r in full for all tokens that may be among its best.

    The greatest lower end of each group of 16 stands for it: of K groups, the least of these is not above the K-th
    greatest of all.  Of the first group, where tokens stand that no answer may hold, only the end's is taken: that may
    make the limit lower, and never wrong.  What cannot be compared, a NaN, is computed in full.
    """
    W, e, c, best, V, square = rough.W, rough.e, rough.c, rough.best[r], len(b), zeros(b)
    for k in range(0, rs.shape[1], LANES):
        x = rs[r, at(k, rs.shape[1])]
        square = add(square, x * x)
    norm = np.sqrt(total(square)) + UNSEEN
    for i in range(len(best)):
        best[i] = -np.inf
    insert(best, logits[r, EOS] - norm * e[EOS] - c[EOS])
    for g in range(LANES, logits.shape[1], LANES):
        J = at(g, g + LANES)
        insert(best, greatest(logits[r, J] - e[J] * norm - c[J]))
    least = best[len(best) - 1]
    for g in range(0, logits.shape[1], LANES):
        J = at(g, g + LANES)
        if not greatest(logits[r, J] + e[J] * norm + c[J]) < least:
            for v in range(g, min(g + LANES, V)):
                if not logits[r, v] + norm * e[v] + c[v] < least:
                    logits[r, v] = exact(rs, W, b, r, v)


@device_function
def exact(rs, W, b, r, v):
    """One logit, summed in the order of every product (linalg/gemm.py)."""
    l = b[v]
    for k in range(len(W)):
        l = l + rs[r, k] * W[k, v]
    return l


def roughly(rough, rs, b, logits, r0, r1):
    """Whether the logits of rows r0 .. r1-1 were written: not where there is no Rough."""
    if rough is not None:
        write_roughly(rough, rs, b, logits, r0, r1)
    return rough is not None


def in_full(rough, R):
    """Of how many of R rows the readout is asked in full; with a Rough 1, so that it is not packed."""
    return R if rough is None else 1


@device_function
def write_roughly(rough, rs, b, logits, r0, r1):
    """The same, where there is one."""
    fours = r0 + (r1 - r0) // ROWS * ROWS
    for j in range(0, len(b), PANEL):
        for r in range(r0, fours, ROWS):
            four_rows(rough, rs, b, logits, r, j)
        for r in range(fours, r1):
            one_row(rough, rs, b, logits, r, j)
    for r in range(r0, r1):
        refine(rough, rs, b, logits, r)


if JIT:
    from numba import types
    from numba.extending import overload

    @overload(roughly)
    def roughly_compiled(rough, rs, b, logits, r0, r1):
        if isinstance(rough, types.NoneType):
            return lambda rough, rs, b, logits, r0, r1: False

        def compiled(rough, rs, b, logits, r0, r1):
            write_roughly(rough, rs, b, logits, r0, r1)
            return True
        return compiled

    @overload(in_full)
    def in_full_compiled(rough, R):
        return (lambda rough, R: R) if isinstance(rough, types.NoneType) else lambda rough, R: 1
