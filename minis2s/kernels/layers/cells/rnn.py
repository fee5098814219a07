"""Compiled implementation of cells/rnn.py: one step for rows n0 .. n1-1 of the batch, compiled; read the cell first.

    hs (T+1, N, H)   h_0 ── h_1 ── ... ── h_T        hs[t] is h_prev of step t
    a  (T, N, H)     x W before the step, phi(a) after it

lstm.py explains the form.  `cell_with` makes the steps for an activation: TANH and SIGMOID are the two that there
are.

(R1), (R2), (M1) forward; (R1*), (R2*), (M1*) backward: the cell's equations, and the time loop's.
"""
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from ....layers.cells.rnn import Cache, State
from ...linalg.gemm import Operand, add_product, operand, packed
from ...linalg.gradients import add_bias_gradient, add_weight_gradient, steps_of_a_block
from ...linalg.rows import copy
from ...linalg.simd import LANES, at, sigmoid, tanh, where
from ...runtime.arena import copied, empty, scratch_arena
from ...runtime.jit import arena_function, device_function, inlined

BLOCKS = 1                     # of W's columns, each as wide as the state


class ForwardBuffers(NamedTuple):
    W: Operand
    U: Operand
    b: np.ndarray
    xs: np.ndarray             # (T, N, D)
    hs: np.ndarray
    a: np.ndarray


class BackwardBuffers(NamedTuple):
    WT: np.ndarray             # packed
    UT: np.ndarray             # packed
    dh: np.ndarray             # (N, H), of the step reached so far
    da: np.ndarray             # (steps of a block, N, H)
    dxs: np.ndarray            # (T, N, D)
    dW: np.ndarray             # added to, for all steps reached so far
    dU: np.ndarray
    db: np.ndarray


@arena_function
def start(arena, p, xs, s0):
    """See arena.py; Params, xs (T, N, D), State -> ForwardBuffers."""
    T, N, _ = xs.shape
    H = p.U.shape[0]
    hs, a = empty(arena, (T + 1, N, H), xs.dtype), empty(arena, (T, N, H), xs.dtype)
    copy(hs[0], s0.h, 0, N)
    return ForwardBuffers(operand(scratch_arena(arena), p.W, N), operand(scratch_arena(arena), p.U, N), p.b, xs, hs, a)


@inlined
def cache(k):
    """-> the cell's Cache, each array with a leading T axis."""
    return Cache(k.xs, k.hs[:len(k.xs)], k.a)    # a has become h, as it was before (M1)


@inlined
def state(k):
    """-> the State after the last step."""
    return State(k.hs[len(k.xs)])


@arena_function
def start_backward(arena, p, g, k, d):
    """See arena.py; Params, their gradient to add to, Cache, State gradients after the last step -> BackwardBuffers."""
    T, N, H = k.h.shape
    return BackwardBuffers(packed(scratch_arena(arena), p.W.T), packed(scratch_arena(arena), p.U.T),
                           copied(arena, d.h), empty(arena, (steps_of_a_block(T, N), N, H), k.x.dtype),
                           empty(arena, k.x.shape, k.x.dtype), g.W, g.U, g.b)


@inlined
def add_gradients(k, d, t0, t1, j0, j1):
    """Add what the steps t0 .. t1-1 say about the columns j0 .. j1-1 of W, U and b."""
    da = d.da[:t1 - t0]
    add_weight_gradient(d.dW, k.x[t0:t1], da, j0, j1)                    # (R1*)
    add_weight_gradient(d.dU, k.h_prev[t0:t1], da, j0, j1)               # (R1*)
    add_bias_gradient(d.db, da, j0, j1)                                  # (R1*)


@inlined
def state_gradient(d):
    """-> the State's gradient at t = 0."""
    return State(d.dh)


def cell_with(name, phi, dphi):
    """The compiled cell for h = phi(a), with dphi the derivative written in terms of h."""

    @device_function
    def step(k, mask, t, n0, n1):
        H = k.hs.shape[2]
        add_product(k.a[t, n0:n1], k.hs[t, n0:n1], k.U)                  # (R1)
        for n in range(n0, n1):
            m = mask[t, n]
            for j in range(0, H, LANES):
                J = at(j, H)
                z = t, n, J
                h = phi(k.a[z] + k.b[J])                                 # (R2)
                k.hs[t + 1, n, J] = where(m, h, k.hs[z])                 # (M1)
                k.a[z] = h

    @device_function
    def step_backward(k, d, mask, t, n0, n1):
        H, r = k.h.shape[2], t % len(d.da)
        for n in range(n0, n1):
            m = mask[t, n]
            for j in range(0, H, LANES):
                J = at(j, H)
                z = t, n, J
                dh = where(m, d.dh[n, J], 0.0)                           # (M1*)
                d.da[r, n, J] = dh * dphi(k.h[z])                        # (R2*)
                d.dh[n, J] = where(m, 0.0, d.dh[n, J])                   # (M1*)
        add_product(d.dh[n0:n1], d.da[r, n0:n1], d.UT)                   # (R1*) 0 where masked: da is 0

    return SimpleNamespace(__name__=name, BLOCKS=BLOCKS, Cache=Cache, start=start, step=step, cache=cache, state=state,
                           start_backward=start_backward, step_backward=step_backward,
                           add_gradients=add_gradients, state_gradient=state_gradient)


@inlined
def dtanh(h):
    return 1.0 - h * h


@inlined
def dsigmoid(h):
    return h * (1.0 - h)


TANH, SIGMOID = cell_with("rnn-tanh", tanh, dtanh), cell_with("rnn-sigmoid", sigmoid, dsigmoid)
