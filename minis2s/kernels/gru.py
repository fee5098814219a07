"""Twin of cells/gru.py (reset before the product): one step for rows n0 .. n1-1 of the batch, compiled.

    hs (T+1, N, H)   h_0 ── h_1 ── ... ── h_T        hs[t] is h_prev of step t
    a  (T, N, 3H)    [z|r|n] of each step; z, r, n are views of it

One step is two products with elementwise work after each, because q = r h' must be there before q U_n:
    a_zr += h' U_zr  ->  z, r, q  ->  a_n += q U_n  ->  n, h
lstm.py explains the form; read the cell first.

(G1)..(G4), (M1) forward; (G1*)..(G4*), (M1*) backward: the cell's equations, and the time loop's.
"""
from typing import NamedTuple

import numpy as np

from ..cells.gru import Cache, Params, State
from .gemm import add_product, pack_weights, product
from .jit import inlined
from .simd import LANES, at, sigmoid, tanh, where
from .threads import bias_gradient, weight_gradient


class Run(NamedTuple):
    W: np.ndarray              # packed
    U_zr: np.ndarray           # packed
    U_n: np.ndarray            # packed
    b: np.ndarray
    xs: np.ndarray             # (T, N, D)
    hs: np.ndarray
    a: np.ndarray
    q: np.ndarray              # (T, N, H)


class Back(NamedTuple):
    WT: np.ndarray             # packed
    U_zrT: np.ndarray          # packed
    U_nT: np.ndarray           # packed
    dh: np.ndarray             # (N, H), of the step reached so far
    dq: np.ndarray             # (N, H)
    da: np.ndarray             # (T, N, 3H)
    dxs: np.ndarray            # (T, N, D)


def start(p, xs, s0):
    """Params, xs (T, N, D), State -> Run."""
    (T, N, _), H = xs.shape, p.U.shape[0]
    hs, a, q = (np.empty(shape, xs.dtype) for shape in ((T + 1, N, H), (T, N, 3 * H), (T, N, H)))
    hs[0] = s0.h
    return Run(pack_weights(p.W), pack_weights(p.U[:, :2 * H]), pack_weights(p.U[:, 2 * H:]), p.b, xs, hs, a,
               q)


@inlined
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
            z[y], r[y] = sigmoid(z[y] + b_z[J]), sigmoid(r[y] + b_r[J])  # (G1)
            k.q[y] = r[y] * k.hs[y]                                      # (G2)
    add_product(k.a[t, n0:n1, 2 * H:], k.q[t, n0:n1], k.U_n)             # (G3)
    for row in range(n0, n1):
        m = mask[t, row]
        for j in range(0, H, LANES):
            J = at(j, H)
            y = t, row, J
            n[y] = tanh(n[y] + b_n[J])                                   # (G3)
            h = (1.0 - z[y]) * k.hs[y] + z[y] * n[y]                     # (G4)
            k.hs[t + 1, row, J] = where(m, h, k.hs[y])                   # (M1)


def cache(k):
    """-> the cell's Cache, each array with a leading T axis."""
    H = k.hs.shape[2]
    z, r, n = (k.a[:, :, gate * H:(gate + 1) * H] for gate in range(3))
    return Cache(k.xs, k.hs[:-1], z, r, k.q, n)


def state(k):
    """-> the State after the last step."""
    return State(k.hs[-1])


def start_backward(p, k, d):
    """Params, Cache, State gradients after the last step -> Back."""
    T, N, H = k.q.shape
    return Back(pack_weights(p.W.T), pack_weights(p.U[:, :2 * H].T), pack_weights(p.U[:, 2 * H:].T),
                d.h.copy(),
                np.empty_like(d.h), np.empty((T, N, 3 * H), k.x.dtype), np.empty_like(k.x))


@inlined
def step_backward(k, d, mask, t, n0, n1):
    """Pull d.dh one step back; leaves d.da[t]."""
    H = k.q.shape[2]
    da_z, da_r, da_n = d.da[:, :, :H], d.da[:, :, H:2 * H], d.da[:, :, 2 * H:]
    for row in range(n0, n1):
        m = mask[t, row]
        for j in range(0, H, LANES):
            J = at(j, H)
            y = t, row, J
            z, n = k.z[y], k.n[y]
            dh = where(m, d.dh[row, J], 0.0)                             # (M1*)
            dz, dn = dh * (n - k.h_prev[y]), dh * z                      # (G4*)
            da_z[y] = dz * z * (1.0 - z)                                 # (G1*)
            da_n[y] = dn * (1.0 - n * n)                                 # (G3*)
            d.dh[row, J] = where(m, dh * (1.0 - z), d.dh[row, J])        # (G4*) (M1*)
    product(d.dq[n0:n1], d.da[t, n0:n1, 2 * H:], d.U_nT)                 # (G3*)
    for row in range(n0, n1):
        for j in range(0, H, LANES):
            J = at(j, H)
            y = t, row, J
            r, dq = k.r[y], d.dq[row, J]
            dr = dq * k.h_prev[y]                                        # (G2*)
            da_r[y] = dr * r * (1.0 - r)                                 # (G1*)
            d.dh[row, J] = d.dh[row, J] + dq * r                         # (G2*) 0 where masked, as all da are
    add_product(d.dh[n0:n1], d.da[t, n0:n1, :2 * H], d.U_zrT)            # (G1*) fork: h' is used thrice


def gradients(k, d):
    """Sums over all steps and rows: Cache, Back -> State gradients at t = 0, Params gradients."""
    H = k.q.shape[2]
    dU = np.concatenate([weight_gradient(k.h_prev, d.da[:, :, :2 * H]),
                         weight_gradient(k.q, d.da[:, :, 2 * H:])], axis=1)    # (G1*) (G3*)
    return State(d.dh), Params(weight_gradient(k.x, d.da), dU, bias_gradient(d.da))
