"""Compiled implementation of unroll.py: one time loop for every cell.

    x W  ──> step 0 ──> step 1 ──> ... ──> step T-1       rows n0 .. n1-1: a thread's
    dx   <── step 0 <── step 1 <── ... <── step T-1       dW, dU, db: a block of steps at a time

`loops` puts a cell's step into the loop when it is compiled: a layer is one call, for any number of threads.

x W and dx depend on no other step.  Where small products are slow, or where the weights do not stay in the
processor's cache from step to step, they are one product for many steps (`steps_at_once`); otherwise each step computes
its own product while its numbers are in the cache.  (M1) and (M1*) are in the compiled cells, which read and write the
state.
"""
from functools import cache, lru_cache
from typing import Callable, NamedTuple

import numpy as np
from numpy import ascontiguousarray as contiguous

from ...layers.cells import CELLS
from ..core import validation
from ..linalg.gemm import product
from ..linalg.gradients import steps_of_a_block
from ..linalg.simd import LANES, at
from ..linalg.tile import BLOCK
from ..runtime.jit import device_function, inlined, internal_kernel, jit
from ..runtime.threads import over_columns, over_rows, second_cache
from .cells import gru, gru_after, lstm, rnn

FEW = 48                       # rows of a step from which on its products are fast alone
COMPILED = {CELLS["rnn"]: rnn.TANH, CELLS["rnn-sigmoid"]: rnn.SIGMOID, CELLS["lstm"]: lstm, CELLS["gru"]: gru,
            CELLS["gru-after"]: gru_after}


def forward(cell, p, xs, s0, mask):
    """See unroll.forward; `caches` is one Cache of the cell whose arrays have a leading T axis."""
    check_forward(cell, p, xs, s0, mask)
    if not (p.b.flags.c_contiguous and p[-1].flags.c_contiguous):
        p = tuple_map(tidy, p)
    return loops(cell).called_forward(p, tidy(xs), tuple_map(tidy, s0), tidy(mask))


def backward(cell, p, caches, dhs, d, mask):
    """See unroll.backward."""
    check_backward(cell, p, caches, dhs, d, mask)
    if not all([a.strides[-1] == a.itemsize for a in caches]):         # kernels do not look at that stride
        caches = tuple_map(tidy, caches)
    g = type(p)(*[np.zeros(a.shape, a.dtype) for a in p])
    dxs, ds = loops(cell).called_backward(p, g, caches, tidy(dhs), tuple_map(tidy, d), tidy(mask))
    return dxs, ds, g


def check_forward(cell, p, xs, s0, mask):
    """Require arguments of `forward` that belong together."""
    dtype, (D, H) = check_params(cell, p), (len(p.W), len(p.U))
    validation.floats("xs", xs, 3)
    validation.kind("s0", s0, cell.State)
    T, N, _ = xs.shape
    validation.arrays(dtype, ("xs", *STATE_NAMES["s0"]), [(T, N, D)] + [(N, H)] * len(s0), (xs, *s0))
    validation.bools("mask", mask, (T, N))


def check_backward(cell, p, caches, dhs, d, mask):
    """Require arguments of `backward` that belong together."""
    dtype, H = check_params(cell, p), len(p.U)
    validation.floats("dhs", dhs, 3)
    validation.kind("caches", caches, COMPILED[cell].Cache)
    validation.kind("d", d, cell.State)
    T, N, _ = dhs.shape
    names, shapes = backward_arrays(cell, T, N, len(p.W), H)
    validation.arrays(dtype, names, shapes, (dhs, *d, *caches))
    validation.bools("mask", mask, (T, N))


STATE_NAMES = {name: (f"{name}.h", f"{name}.c") for name in ("s0", "d")}


def check_params(cell, p):
    """Require parameters of this cell that belong together: -> their dtype."""
    if not any([cell is one for one in COMPILED]):
        raise ValueError(f"cell: got {getattr(cell, '__name__', cell)}, wanted one of {', '.join(CELLS)}: "
                         "no other has a compiled implementation")
    validation.kind("p", p, cell.Params)
    dtype = validation.floats("p.U", p.U, 2)
    validation.floats("p.W", p.W, 2)
    names, shapes = params_arrays(cell, len(p.W), len(p.U))
    validation.arrays(dtype, names, shapes, p)
    return dtype


@lru_cache(64)
def params_arrays(cell, D, H):
    """Names and shapes of a cell's parameters; kept, as a tiny layer takes no longer than making them."""
    wide = COMPILED[cell].BLOCKS * H
    shapes = dict(W=(D, wide), U=(H, wide), b=(wide,), b_U=(H,))
    return tuple(f"p.{name}" for name in cell.Params._fields), [shapes[name] for name in cell.Params._fields]


@lru_cache(64)
def backward_arrays(cell, T, N, D, H):
    """Names and shapes of dhs, the State's gradients, and the Cache's arrays; kept likewise."""
    fields = COMPILED[cell].Cache._fields
    return (("dhs", *STATE_NAMES["d"][:len(cell.State._fields)], *(f"caches.{name}" for name in fields)),
            [(T, N, H)] + [(N, H)] * len(cell.State._fields) + [(T, N, D if name == "x" else H) for name in fields])


def tidy(a):
    """`a` itself if it has no gaps, otherwise a copy."""
    return a if a.flags.c_contiguous else contiguous(a)


def tuple_map(f, state):
    return type(state)(*[f(a) for a in state])


@inlined
def work_of(p, rows):
    """Multiply-adds of a step for so many rows."""
    return rows * (p.W.size + p.U.size)


@device_function
def steps_at_once(T, N, rows, weights):
    """For how many of T steps of N examples a thread makes one product with the weights; it has so many rows of each.

    All, where rows are few; up to BLOCK rows, where the weights leave the second-level cache between two steps; else
    one.
    """
    if rows < N:
        return 1
    if N < FEW:
        return T
    return max(1, BLOCK // N) if 2 * weights.size * weights.itemsize > second_cache() else 1


class Loops(NamedTuple):       # the compiled functions for one cell
    forward: Callable          # arena, Params, xs, State, mask -> the cell's ForwardBuffers, filled
    backward: Callable         # arena, Params, their gradient, Cache, dhs, State gradients, mask -> BackwardBuffers
    add_gradients: Callable    # of a block of steps
    called_forward: Callable   # the two as Python calls them
    called_backward: Callable


@cache
def loops(cell):
    """-> Loops with this cell's steps in them."""
    compiled = COMPILED[cell]
    state, cell_cache, state_gradient, name = compiled.state, compiled.cache, compiled.state_gradient, name_of(cell)
    add_gradients = internal_kernel(f"unroll.add_gradients.{name}")(compiled.add_gradients)
    forward, backward = forward_loop(cell), backward_loop(cell, add_gradients)

    @jit(f"unroll.forward.{name}")
    def called_forward(p, xs, s0, mask):
        k = forward(None, p, xs, s0, mask)
        return k.hs[1:], state(k), cell_cache(k)

    @jit(f"unroll.backward.{name}")
    def called_backward(p, g, k, dhs, d, mask):
        b = backward(None, p, g, k, dhs, d, mask)
        return b.dxs, state_gradient(b)

    return Loops(forward, backward, add_gradients, called_forward, called_backward)


def name_of(cell):
    """The name of a cell's compiled implementation, in the names of its kernels."""
    return COMPILED[cell].__name__.split(".")[-1]


def forward_loop(cell):
    """-> the forward loop for this cell."""
    step, start = COMPILED[cell].step, COMPILED[cell].start

    @internal_kernel(f"unroll.run.{name_of(cell)}")
    def run(k, mask, n0, n1):
        T, N, D = k.xs.shape
        group = steps_at_once(T, N, n1 - n0, k.W.numbers)
        for t in range(T):
            if group == 1:
                product(k.a[t, n0:n1], k.xs[t, n0:n1], k.W)
            elif t % group == 0:
                rows = min(group, T - t) * N
                product(k.a[t:t + group].reshape(rows, k.a.shape[2]), k.xs[t:t + group].reshape(rows, D), k.W)
            step(k, mask, t, n0, n1)

    @inlined
    def forward(arena, p, xs, s0, mask):
        k, (T, N) = start(arena, p, xs, s0), mask.shape
        over_rows(run, (k, mask), N, work_of(p, T * N))
        return k
    return forward


def backward_loop(cell, add_gradients):
    """-> the backward loop for this cell."""
    step_backward, start = COMPILED[cell].step_backward, COMPILED[cell].start_backward

    @internal_kernel(f"unroll.run_backward.{name_of(cell)}")
    def run_backward(k, d, dhs, mask, t0, t1, n0, n1):
        N, H = dhs.shape[1], dhs.shape[2]
        together, D = steps_at_once(t1 - t0, N, n1 - n0, d.WT) > 1, k.x.shape[2]
        for t in range(t1 - 1, t0 - 1, -1):
            for n in range(n0, n1):
                for j in range(0, H, LANES):
                    J = at(j, H)
                    d.dh[n, J] = d.dh[n, J] + dhs[t, n, J]      # fork: h_t is output and carry
            step_backward(k, d, mask, t, n0, n1)
            if not together:
                product(d.dxs[t, n0:n1], d.da[t - t0, n0:n1], d.WT)
        if together:
            rows = (t1 - t0) * N
            product(d.dxs[t0:t1].reshape(rows, D), d.da[:t1 - t0].reshape(rows, d.da.shape[2]), d.WT)

    @inlined
    def backward(arena, p, g, k, dhs, d, mask):
        T, N = mask.shape
        b, steps = start(arena, p, g, k, d), steps_of_a_block(T, N)
        for t0 in range((T - 1) // steps * steps, -1, -steps):
            t1 = min(t0 + steps, T)
            work = work_of(p, (t1 - t0) * N)
            over_rows(run_backward, (k, b, dhs, mask, t0, t1), N, work)
            over_columns(add_gradients, (k, b, t0, t1), p.W.shape[1], work)
        return b
    return backward
