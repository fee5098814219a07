"""Compiled cells/gru_after.py (reset after the product): one step for rows n0 .. n1-1 of the batch.

    hs (T+1, N, H)   h_0 ── h_1 ── ... ── h_T        hs[t] is h_prev of step t
    a  (T, N, 3H)    [z|r|n] of each step; z, r, n are views of it          m (T, N, H) stands beside it

lstm.py explains the form; read the cell first.

(GA1)..(GA4), (M1) forward; (GA1*)..(GA4*), (M1*) backward: the cell's equations, and the time loop's.
"""
from typing import NamedTuple

import numpy as np

from ....layers.cells.gru_after import Cache, State
from ...linalg.gemm import Operand, add_product, operand, packed, product
from ...linalg.gradients import add_bias_gradient, add_weight_gradient, steps_of_a_block
from ...linalg.rows import copy
from ...linalg.simd import LANES, at, sigmoid, tanh, where
from ...runtime.arena import copied, empty, scratch_arena
from ...runtime.jit import arena_function, device_function, inlined

BLOCKS = 3                     # of W's columns, each as wide as the state


class ForwardBuffers(NamedTuple):
    W: Operand
    U_zr: Operand
    U_n: Operand
    b: np.ndarray
    b_U: np.ndarray
    xs: np.ndarray             # (T, N, D)
    hs: np.ndarray
    a: np.ndarray
    m: np.ndarray              # (T, N, H)


class BackwardBuffers(NamedTuple):
    WT: np.ndarray             # packed
    UT: np.ndarray             # packed
    dh: np.ndarray             # (N, H), of the step reached so far
    da: np.ndarray             # (steps of a block, N, 3H)
    da_U: np.ndarray           # (steps of a block, N, 3H), [da_z|da_r|dm]: what U's product receives
    dxs: np.ndarray            # (T, N, D)
    dW: np.ndarray             # added to, for all steps reached so far
    dU: np.ndarray
    db: np.ndarray
    db_U: np.ndarray


@arena_function
def start(arena, p, xs, s0):
    """See arena.py; Params, xs (T, N, D), State -> ForwardBuffers."""
    T, N, _ = xs.shape
    H = p.U.shape[0]
    hs, m = empty(arena, (T + 1, N, H), xs.dtype), empty(arena, (T, N, H), xs.dtype)
    a = empty(arena, (T, N, 3 * H), xs.dtype)
    copy(hs[0], s0.h, 0, N)
    W, U_zr = operand(scratch_arena(arena), p.W, N), operand(scratch_arena(arena), p.U[:, :2 * H], N)
    U_n = operand(scratch_arena(arena), p.U[:, 2 * H:], N)
    return ForwardBuffers(W, U_zr, U_n, p.b, p.b_U, xs, hs, a, m)


@device_function
def step(k, mask, t, n0, n1):
    """One time step; a[t] holds x W."""
    H = k.hs.shape[2]
    z, r, n = k.a[:, :, :H], k.a[:, :, H:2 * H], k.a[:, :, 2 * H:]
    b_z, b_r, b_n = k.b[:H], k.b[H:2 * H], k.b[2 * H:]
    add_product(k.a[t, n0:n1, :2 * H], k.hs[t, n0:n1], k.U_zr)           # (GA1)
    product(k.m[t, n0:n1], k.hs[t, n0:n1], k.U_n)                        # (GA2)
    for row in range(n0, n1):
        real = mask[t, row]
        for j in range(0, H, LANES):
            J = at(j, H)
            y = t, row, J
            h_prev = k.hs[y]
            gate_z, gate_r = sigmoid(z[y] + b_z[J]), sigmoid(r[y] + b_r[J])    # (GA1)
            m = k.m[y] + k.b_U[J]                                        # (GA2)
            new = tanh(n[y] + b_n[J] + gate_r * m)                       # (GA3)
            h = (1.0 - gate_z) * h_prev + gate_z * new                   # (GA4)
            z[y], r[y], k.m[y], n[y] = gate_z, gate_r, m, new
            k.hs[t + 1, row, J] = where(real, h, h_prev)                 # (M1)


@inlined
def cache(k):
    """-> the cell's Cache, each array with a leading T axis."""
    H = k.hs.shape[2]
    z, r, n = k.a[:, :, :H], k.a[:, :, H:2 * H], k.a[:, :, 2 * H:]
    return Cache(k.xs, k.hs[:len(k.xs)], z, r, k.m, n)


@inlined
def state(k):
    """-> the State after the last step."""
    return State(k.hs[len(k.xs)])


@arena_function
def start_backward(arena, p, g, k, d):
    """See arena.py; Params, their gradient to add to, Cache, State gradients after the last step -> BackwardBuffers."""
    T, N, H = k.m.shape
    steps = steps_of_a_block(T, N)
    return BackwardBuffers(packed(scratch_arena(arena), p.W.T), packed(scratch_arena(arena), p.U.T),
                           copied(arena, d.h), empty(arena, (steps, N, 3 * H), k.x.dtype),
                           empty(arena, (steps, N, 3 * H), k.x.dtype), empty(arena, k.x.shape, k.x.dtype), g.W,
                           g.U, g.b, g.b_U)


@device_function
def step_backward(k, d, mask, t, n0, n1):
    """Pull d.dh one step back; leaves da and da_U of step t."""
    H, s = k.m.shape[2], t % len(d.da)
    da_z, da_r, da_n = d.da[:, :, :H], d.da[:, :, H:2 * H], d.da[:, :, 2 * H:]
    U_z, U_r, U_n = d.da_U[:, :, :H], d.da_U[:, :, H:2 * H], d.da_U[:, :, 2 * H:]
    for row in range(n0, n1):
        real = mask[t, row]
        for j in range(0, H, LANES):
            J = at(j, H)
            y = t, row, J
            z, r, n = k.z[y], k.r[y], k.n[y]
            dh = where(real, d.dh[row, J], 0.0)                          # (M1*)
            dz, dn = dh * (n - k.h_prev[y]), dh * z                      # (GA4*)
            da = dn * (1.0 - n * n)                                      # (GA3*)
            dr, dm = da * k.m[y], da * r                                 # (GA3*)
            y = s, row, J
            da_n[y], U_n[y] = da, dm                                     # (GA3*)
            da = dz * z * (1.0 - z)                                      # (GA1*)
            da_z[y], U_z[y] = da, da                                     # fork: a_z = x W_z + h' U_z
            da = dr * r * (1.0 - r)                                      # (GA1*)
            da_r[y], U_r[y] = da, da                                     # fork: likewise
            d.dh[row, J] = where(real, dh * (1.0 - z), d.dh[row, J])     # (GA4*) (M1*)
    add_product(d.dh[n0:n1], d.da_U[s, n0:n1], d.UT)                     # (GA1*) (GA2*) 0 if masked, as da_U


@inlined
def add_gradients(k, d, t0, t1, j0, j1):
    """Add what the steps t0 .. t1-1 say about the columns j0 .. j1-1 of W, U and b, and about b_U."""
    da, da_U, H = d.da[:t1 - t0], d.da_U[:t1 - t0], k.m.shape[2]
    add_weight_gradient(d.dW, k.x[t0:t1], da, j0, j1)                    # (GA1*) (GA3*)
    add_weight_gradient(d.dU, k.h_prev[t0:t1], da_U, j0, j1)             # (GA1*) (GA2*)
    add_bias_gradient(d.db, da, j0, j1)                                  # (GA1*) (GA3*)
    add_bias_gradient(d.db_U, da_U[:, :, 2 * H:], max(j0 - 2 * H, 0), max(j1 - 2 * H, 0))    # (GA2*)


@inlined
def state_gradient(d):
    """-> the State's gradient at t = 0."""
    return State(d.dh)
