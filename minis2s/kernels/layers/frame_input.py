"""Compiled implementation of frame_input.py: one product for all steps, and the bias added to its rows.

    fs (T, N, F) ── rows of all steps side by side ──> (T N, F) W ──> + b ──> xs (T, N, E)

(E2) forward; (E2*) backward.  The gradient of the frames themselves is no use in training, and is not computed here.
"""
from typing import NamedTuple

import numpy as np
from numpy import ascontiguousarray as contiguous

from ...layers.frame_input import Params
from ..core import validation
from ..linalg.gemm import Operand, operand, product_of_rows
from ..linalg.gradients import add_bias_gradient, add_weight_gradient_columns, weight_gradient_shared
from ..linalg.simd import LANES, at
from ..runtime.arena import empty, scratch_arena
from ..runtime.jit import inlined, jit
from ..runtime.threads import over_columns, over_rows


class FrameReader(NamedTuple):     # Params, for steps of a decoder that are read one by one
    W: Operand
    b: np.ndarray


@inlined
def reader(arena, p, rows):
    """Params -> FrameReader of so many rows."""
    return FrameReader(operand(scratch_arena(arena), p.W, rows), p.b)


@inlined
def read(arena, p, fs):
    """Params, frames fs (T, N, F) -> xs (T, N, E)."""
    (T, N, F), E = fs.shape, len(p.b)
    xs = empty(arena, (T, N, E), p.b.dtype)
    rows = xs.reshape(T * N, E)
    over_rows(product_of_rows, (rows, fs.reshape(T * N, F), operand(scratch_arena(arena), p.W, T * N)), T * N,
              T * N * F * E)                                             # (E2)
    for r in range(T * N):
        for j in range(0, E, LANES):
            J = at(j, E)
            rows[r, J] = rows[r, J] + p.b[J]                             # (E2)
    return xs


@inlined
def add_gradients(g, fs, dxs):
    """What dxs (T, N, E) says about the Params is added to g."""
    weight_gradient_shared(g.W, fs, dxs)                                 # (E2*)
    add_bias_gradient(g.b, dxs, 0, len(g.b))                             # (E2*)


@inlined
def add_columns_gradients(g, fs, dxs):
    """The same where xs are the first E of the numbers that a cell reads, dxs (T, N, D)."""
    E = len(g.b)
    over_columns(add_weight_gradient_columns, (g.W, fs, dxs), E, fs.size * E)    # (E2*)
    add_bias_gradient(g.b, dxs, 0, E)                                    # (E2*)


@jit("frame_input.forward")
def _forward(p, fs):
    return read(None, p, fs)


@jit("frame_input.backward")
def _backward(p, fs, dxs):
    g = Params(np.zeros(p.W.shape, dxs.dtype), np.zeros(len(p.b), dxs.dtype))
    add_gradients(g, fs, dxs)
    return g


def check(p, fs, dxs=None):
    """Require Params, frames and gradients that belong together."""
    validation.kind("p", p, Params)
    dtype, (F, E) = validation.floats("p.W", p.W, 2), np.shape(p.W)
    validation.floats("fs", fs, 3)
    validation.array("p.b", p.b, dtype, (E,))
    validation.array("fs", fs, dtype, (*fs.shape[:2], F))
    if dxs is not None:
        validation.array("dxs", dxs, dtype, (*fs.shape[:2], E))


def forward(p, fs):
    """See layers.frame_input.forward."""
    check(p, fs)
    return _forward(Params(*map(contiguous, p)), contiguous(fs))


def backward(p, fs, dxs):
    """The Params gradients of layers.frame_input.backward."""
    check(p, fs, dxs)
    return _backward(Params(*map(contiguous, p)), contiguous(fs), contiguous(dxs))
