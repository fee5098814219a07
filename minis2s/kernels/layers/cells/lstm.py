"""Compiled implementation of cells/lstm.py: one step for rows n0 .. n1-1 of the batch, compiled; read the cell first.

                     t = 0        1               T-1
    hs (T+1, N, H)   h_0 ── h_1 ── h_2 ── ... ── h_T        hs[t] is h_prev of step t; cs likewise
    a  (T, N, 4H)    [i|f|g|o] of each step; i, f, g, o are views of it

A step finds x W in a[t] and leaves the gates there.  The loops of unroll.py and decoder.py call it; the cache
that it fills is the cell's own, with a leading T axis.  On the way back da is kept for a block of steps only,
while it is still in the processor's cache; then the block's share of dW, dU and db is added (gradients.py).

(L1)..(L5), (M1) forward; (L1*)..(L5*), (M1*) backward: the cell's equations, and the time loop's.
"""
from typing import NamedTuple

import numpy as np

from ....layers.cells.lstm import Cache, State
from ...linalg.gemm import Operand, add_product, operand, packed
from ...linalg.gradients import add_bias_gradient, add_weight_gradient, steps_of_a_block
from ...linalg.rows import copy
from ...linalg.simd import LANES, at, sigmoid, tanh, where
from ...runtime.arena import copied, empty, scratch_arena
from ...runtime.jit import arena_function, device_function, inlined

BLOCKS = 4                     # of W's columns, each as wide as the state


class ForwardBuffers(NamedTuple):         # what the steps of a sequence read and fill
    W: Operand
    U: Operand
    b: np.ndarray
    xs: np.ndarray             # (T, N, D)
    hs: np.ndarray
    cs: np.ndarray
    a: np.ndarray
    tanh_c: np.ndarray         # (T, N, H)


class BackwardBuffers(NamedTuple):        # the same of the way back
    WT: np.ndarray             # packed
    UT: np.ndarray             # packed
    dh: np.ndarray             # (N, H), of the step reached so far
    dc: np.ndarray
    da: np.ndarray             # (steps of a block, N, 4H)
    dxs: np.ndarray            # (T, N, D)
    dW: np.ndarray             # added to, for all steps reached so far
    dU: np.ndarray
    db: np.ndarray


@arena_function
def start(arena, p, xs, s0):
    """See arena.py; Params, xs (T, N, D), State -> ForwardBuffers."""
    T, N, _ = xs.shape
    H = p.U.shape[0]
    hs, cs = empty(arena, (T + 1, N, H), xs.dtype), empty(arena, (T + 1, N, H), xs.dtype)
    a, tanh_c = empty(arena, (T, N, 4 * H), xs.dtype), empty(arena, (T, N, H), xs.dtype)
    copy(hs[0], s0.h, 0, N)
    copy(cs[0], s0.c, 0, N)
    W, U = operand(scratch_arena(arena), p.W, N), operand(scratch_arena(arena), p.U, N)
    return ForwardBuffers(W, U, p.b, xs, hs, cs, a, tanh_c)


@device_function
def step(k, mask, t, n0, n1):
    """One time step; a[t] holds x W."""
    H = k.hs.shape[2]
    i, f, g, o = k.a[:, :, :H], k.a[:, :, H:2 * H], k.a[:, :, 2 * H:3 * H], k.a[:, :, 3 * H:]
    b_i, b_f, b_g, b_o = k.b[:H], k.b[H:2 * H], k.b[2 * H:3 * H], k.b[3 * H:]
    add_product(k.a[t, n0:n1], k.hs[t, n0:n1], k.U)                      # (L1)
    for n in range(n0, n1):
        m = mask[t, n]
        for j in range(0, H, LANES):
            J = at(j, H)
            z = t, n, J
            h_prev, c_prev = k.hs[z], k.cs[z]
            gate_i, gate_f = sigmoid(i[z] + b_i[J]), sigmoid(f[z] + b_f[J])   # (L2)
            gate_g, gate_o = tanh(g[z] + b_g[J]), sigmoid(o[z] + b_o[J])      # (L3) (L2)
            c = gate_f * c_prev + gate_i * gate_g                        # (L4)
            tanh_c = tanh(c)
            h = gate_o * tanh_c                                          # (L5)
            i[z], f[z], g[z], o[z], k.tanh_c[z] = gate_i, gate_f, gate_g, gate_o, tanh_c
            k.hs[t + 1, n, J] = where(m, h, h_prev)                      # (M1)
            k.cs[t + 1, n, J] = where(m, c, c_prev)                      # (M1)


@inlined
def cache(k):
    """-> the cell's Cache, each array with a leading T axis."""
    T, H = len(k.xs), k.hs.shape[2]
    i, f, g, o = k.a[:, :, :H], k.a[:, :, H:2 * H], k.a[:, :, 2 * H:3 * H], k.a[:, :, 3 * H:]
    return Cache(k.xs, k.hs[:T], k.cs[:T], i, f, g, o, k.tanh_c)


@inlined
def state(k):
    """-> the State after the last step."""
    T = len(k.xs)
    return State(k.hs[T], k.cs[T])


@arena_function
def start_backward(arena, p, g, k, d):
    """See arena.py; Params, their gradient to add to, Cache, State gradients after the last step -> BackwardBuffers."""
    T, N, H = k.i.shape
    return BackwardBuffers(packed(scratch_arena(arena), p.W.T), packed(scratch_arena(arena), p.U.T),
                           copied(arena, d.h), copied(arena, d.c),
                           empty(arena, (steps_of_a_block(T, N), N, 4 * H), k.x.dtype),
                           empty(arena, k.x.shape, k.x.dtype), g.W, g.U, g.b)


@device_function
def step_backward(k, d, mask, t, n0, n1):
    """Pull d.dh and d.dc one step back; leaves da of step t."""
    H, r = k.i.shape[2], t % len(d.da)
    da_i, da_f, da_g, da_o = d.da[:, :, :H], d.da[:, :, H:2 * H], d.da[:, :, 2 * H:3 * H], d.da[:, :, 3 * H:]
    for n in range(n0, n1):
        m = mask[t, n]
        for j in range(0, H, LANES):
            J = at(j, H)
            z = t, n, J
            i, f, g, o, tanh_c = k.i[z], k.f[z], k.g[z], k.o[z], k.tanh_c[z]
            dh, dc = where(m, d.dh[n, J], 0.0), where(m, d.dc[n, J], 0.0)      # (M1*)
            do = dh * tanh_c                                             # (L5*)
            dc = dc + dh * o * (1.0 - tanh_c * tanh_c)                   # (L5*) fork: c feeds h and c(t+1)
            df, di, dg = dc * k.c_prev[z], dc * g, dc * i                # (L4*)
            da_i[r, n, J], da_f[r, n, J] = di * i * (1.0 - i), df * f * (1.0 - f)    # (L2*)
            da_g[r, n, J], da_o[r, n, J] = dg * (1.0 - g * g), do * o * (1.0 - o)    # (L3*) (L2*)
            d.dc[n, J] = where(m, dc * f, d.dc[n, J])                    # (L4*) (M1*)
            d.dh[n, J] = where(m, 0.0, d.dh[n, J])                       # (M1*)
    add_product(d.dh[n0:n1], d.da[r, n0:n1], d.UT)                       # (L1*) 0 where masked: da is 0


@inlined
def add_gradients(k, d, t0, t1, j0, j1):
    """Add what the steps t0 .. t1-1 say about the columns j0 .. j1-1 of W, U and b."""
    da = d.da[:t1 - t0]
    add_weight_gradient(d.dW, k.x[t0:t1], da, j0, j1)                    # (L1*)
    add_weight_gradient(d.dU, k.h_prev[t0:t1], da, j0, j1)               # (L1*)
    add_bias_gradient(d.db, da, j0, j1)                                  # (L1*)


@inlined
def state_gradient(d):
    """-> the State's gradient at t = 0."""
    return State(d.dh, d.dc)
