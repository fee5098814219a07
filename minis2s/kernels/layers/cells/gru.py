"""Compiled cells/gru.py (reset before the product): one step for rows n0 .. n1-1 of the batch.

    hs (T+1, N, H)   h_0 ── h_1 ── ... ── h_T        hs[t] is h_prev of step t
    a  (T, N, 3H)    [z|r|n] of each step; z, r, n are views of it

One step is two products with elementwise work after each, because q = r h' must be there before q U_n:
    a_zr += h' U_zr  ->  z, r, q  ->  a_n += q U_n  ->  n, h
lstm.py explains the form; read the cell first.

(G1)..(G4), (M1) forward; (G1*)..(G4*), (M1*) backward: the cell's equations, and the time loop's.
"""
from typing import NamedTuple

import numpy as np

from ....layers.cells.gru import Cache, State
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
    xs: np.ndarray             # (T, N, D)
    hs: np.ndarray
    a: np.ndarray
    q: np.ndarray              # (T, N, H)


class BackwardBuffers(NamedTuple):
    WT: np.ndarray             # packed
    U_zrT: np.ndarray          # packed
    U_nT: np.ndarray           # packed
    dh: np.ndarray             # (N, H), of the step reached so far
    dq: np.ndarray             # (N, H)
    da: np.ndarray             # (steps of a block, N, 3H)
    dxs: np.ndarray            # (T, N, D)
    dW: np.ndarray             # added to, for all steps reached so far
    dU: np.ndarray
    db: np.ndarray


@arena_function
def start(arena, p, xs, s0):
    """See arena.py; Params, xs (T, N, D), State -> ForwardBuffers."""
    T, N, _ = xs.shape
    H = p.U.shape[0]
    hs, q = empty(arena, (T + 1, N, H), xs.dtype), empty(arena, (T, N, H), xs.dtype)
    a = empty(arena, (T, N, 3 * H), xs.dtype)
    copy(hs[0], s0.h, 0, N)
    W, U_zr = operand(scratch_arena(arena), p.W, N), operand(scratch_arena(arena), p.U[:, :2 * H], N)
    U_n = operand(scratch_arena(arena), p.U[:, 2 * H:], N)
    return ForwardBuffers(W, U_zr, U_n, p.b, xs, hs, a, q)


@device_function
def step(k, mask, t, n0, n1):
    """One time step; a[t] holds x W."""
    H = k.hs.shape[2]
    z, r, n = k.a[:, :, :H], k.a[:, :, H:2 * H], k.a[:, :, 2 * H:]
    b_z, b_r, b_n = k.b[:H], k.b[H:2 * H], k.b[2 * H:]
    add_product(k.a[t, n0:n1, :2 * H], k.hs[t, n0:n1], k.U_zr)           # (G1)
    for row in range(n0, n1):
        for j in range(0, H, LANES):
            J = at(j, H)
            y = t, row, J
            gate_z, gate_r = sigmoid(z[y] + b_z[J]), sigmoid(r[y] + b_r[J])    # (G1)
            k.q[y] = gate_r * k.hs[y]                                    # (G2)
            z[y], r[y] = gate_z, gate_r
    add_product(k.a[t, n0:n1, 2 * H:], k.q[t, n0:n1], k.U_n)             # (G3)
    for row in range(n0, n1):
        m = mask[t, row]
        for j in range(0, H, LANES):
            J = at(j, H)
            y = t, row, J
            gate_z, h_prev = z[y], k.hs[y]
            new = tanh(n[y] + b_n[J])                                    # (G3)
            h = (1.0 - gate_z) * h_prev + gate_z * new                   # (G4)
            k.hs[t + 1, row, J] = where(m, h, h_prev)                    # (M1)
            n[y] = new


@inlined
def cache(k):
    """-> the cell's Cache, each array with a leading T axis."""
    H = k.hs.shape[2]
    z, r, n = k.a[:, :, :H], k.a[:, :, H:2 * H], k.a[:, :, 2 * H:]
    return Cache(k.xs, k.hs[:len(k.xs)], z, r, k.q, n)


@inlined
def state(k):
    """-> the State after the last step."""
    return State(k.hs[len(k.xs)])


@arena_function
def start_backward(arena, p, g, k, d):
    """See arena.py; Params, their gradient to add to, Cache, State gradients after the last step -> BackwardBuffers."""
    T, N, H = k.q.shape
    return BackwardBuffers(packed(scratch_arena(arena), p.W.T), packed(scratch_arena(arena), p.U[:, :2 * H].T),
                           packed(scratch_arena(arena), p.U[:, 2 * H:].T), copied(arena, d.h),
                           empty(arena, d.h.shape, d.h.dtype),
                           empty(arena, (steps_of_a_block(T, N), N, 3 * H), k.x.dtype),
                           empty(arena, k.x.shape, k.x.dtype), g.W, g.U, g.b)


@device_function
def step_backward(k, d, mask, t, n0, n1):
    """Pull d.dh one step back; leaves da of step t."""
    H, s = k.q.shape[2], t % len(d.da)
    da_z, da_r, da_n = d.da[:, :, :H], d.da[:, :, H:2 * H], d.da[:, :, 2 * H:]
    for row in range(n0, n1):
        m = mask[t, row]
        for j in range(0, H, LANES):
            J = at(j, H)
            y = t, row, J
            z, n = k.z[y], k.n[y]
            dh = where(m, d.dh[row, J], 0.0)                             # (M1*)
            dz, dn = dh * (n - k.h_prev[y]), dh * z                      # (G4*)
            da_z[s, row, J] = dz * z * (1.0 - z)                         # (G1*)
            da_n[s, row, J] = dn * (1.0 - n * n)                         # (G3*)
            d.dh[row, J] = where(m, dh * (1.0 - z), d.dh[row, J])        # (G4*) (M1*)
    product(d.dq[n0:n1], d.da[s, n0:n1, 2 * H:], d.U_nT)                 # (G3*)
    for row in range(n0, n1):
        for j in range(0, H, LANES):
            J = at(j, H)
            y = t, row, J
            r, dq = k.r[y], d.dq[row, J]
            dr = dq * k.h_prev[y]                                        # (G2*)
            da_r[s, row, J] = dr * r * (1.0 - r)                         # (G1*)
            d.dh[row, J] = d.dh[row, J] + dq * r                         # (G2*) 0 where masked, as all da are
    add_product(d.dh[n0:n1], d.da[s, n0:n1, :2 * H], d.U_zrT)            # (G1*) fork: h' is used thrice


@inlined
def add_gradients(k, d, t0, t1, j0, j1):
    """Add what the steps t0 .. t1-1 say about the columns j0 .. j1-1 of W, U and b."""
    da, H2 = d.da[:t1 - t0], 2 * k.q.shape[2]
    add_weight_gradient(d.dW, k.x[t0:t1], da, j0, j1)                    # (G1*) (G3*)
    add_weight_gradient(d.dU, k.h_prev[t0:t1], da, min(j0, H2), min(j1, H2))    # (G1*)
    add_weight_gradient(d.dU, k.q[t0:t1], da, max(j0, H2), max(j1, H2))  # (G3*)
    add_bias_gradient(d.db, da, j0, j1)                                  # (G1*) (G3*)


@inlined
def state_gradient(d):
    """-> the State's gradient at t = 0."""
    return State(d.dh)
