"""Twin of cells/gru_after.py (reset after the product): one step for rows n0 .. n1-1 of the batch, compiled.

    hs (T+1, N, H)   h_0 ── h_1 ── ... ── h_T        hs[t] is h_prev of step t
    a  (T, N, 3H)    [z|r|n] of each step; z, r, n are views of it          m (T, N, H) stands beside it

lstm.py explains the form; read the cell first.

(GA1)..(GA4), (M1) forward; (GA1*)..(GA4*), (M1*) backward: the cell's equations, and the time loop's.
"""
from typing import NamedTuple

import numpy as np

from ..cells.gru_after import Cache, Params, State
from .gemm import add_product, pack_weights, product
from .jit import inlined
from .simd import LANES, at, sigmoid, tanh, where
from .threads import bias_gradient, weight_gradient


class Run(NamedTuple):
    W: np.ndarray              # packed
    U_zr: np.ndarray           # packed
    U_n: np.ndarray            # packed
    b: np.ndarray
    b_U: np.ndarray
    xs: np.ndarray             # (T, N, D)
    hs: np.ndarray
    a: np.ndarray
    m: np.ndarray              # (T, N, H)


class Back(NamedTuple):
    WT: np.ndarray             # packed
    U_zrT: np.ndarray          # packed
    U_nT: np.ndarray           # packed
    dh: np.ndarray             # (N, H), of the step reached so far
    da: np.ndarray             # (T, N, 3H)
    dm: np.ndarray             # (T, N, H)
    dxs: np.ndarray            # (T, N, D)


def start(p, xs, s0):
    """Params, xs (T, N, D), State -> Run."""
    (T, N, _), H = xs.shape, p.U.shape[0]
    hs, a, m = (np.empty(shape, xs.dtype) for shape in ((T + 1, N, H), (T, N, 3 * H), (T, N, H)))
    hs[0] = s0.h
    return Run(pack_weights(p.W), pack_weights(p.U[:, :2 * H]), pack_weights(p.U[:, 2 * H:]), p.b, p.b_U, xs,
               hs, a, m)


@inlined
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
            z[y], r[y] = sigmoid(z[y] + b_z[J]), sigmoid(r[y] + b_r[J])  # (GA1)
            k.m[y] = k.m[y] + k.b_U[J]                                   # (GA2)
            n[y] = tanh(n[y] + b_n[J] + r[y] * k.m[y])                   # (GA3)
            h = (1.0 - z[y]) * k.hs[y] + z[y] * n[y]                     # (GA4)
            k.hs[t + 1, row, J] = where(real, h, k.hs[y])                # (M1)


def cache(k):
    """-> the cell's Cache, each array with a leading T axis."""
    H = k.hs.shape[2]
    z, r, n = (k.a[:, :, gate * H:(gate + 1) * H] for gate in range(3))
    return Cache(k.xs, k.hs[:-1], z, r, k.m, n)


def state(k):
    """-> the State after the last step."""
    return State(k.hs[-1])


def start_backward(p, k, d):
    """Params, Cache, State gradients after the last step -> Back."""
    T, N, H = k.m.shape
    return Back(pack_weights(p.W.T), pack_weights(p.U[:, :2 * H].T), pack_weights(p.U[:, 2 * H:].T),
                d.h.copy(),
                np.empty((T, N, 3 * H), k.x.dtype), np.empty_like(k.m), np.empty_like(k.x))


@inlined
def step_backward(k, d, mask, t, n0, n1):
    """Pull d.dh one step back; leaves d.da[t] and d.dm[t]."""
    H = k.m.shape[2]
    da_z, da_r, da_n = d.da[:, :, :H], d.da[:, :, H:2 * H], d.da[:, :, 2 * H:]
    for row in range(n0, n1):
        real = mask[t, row]
        for j in range(0, H, LANES):
            J = at(j, H)
            y = t, row, J
            z, r, n = k.z[y], k.r[y], k.n[y]
            dh = where(real, d.dh[row, J], 0.0)                          # (M1*)
            dz, dn = dh * (n - k.h_prev[y]), dh * z                      # (GA4*)
            da = dn * (1.0 - n * n)                                      # (GA3*)
            da_n[y], dr, d.dm[y] = da, da * k.m[y], da * r               # (GA3*)
            da_z[y], da_r[y] = dz * z * (1.0 - z), dr * r * (1.0 - r)    # (GA1*)
            d.dh[row, J] = where(real, dh * (1.0 - z), d.dh[row, J])     # (GA4*) (M1*)
    add_product(d.dh[n0:n1], d.da[t, n0:n1, :2 * H], d.U_zrT)            # (GA1*) 0 where masked: da is 0
    add_product(d.dh[n0:n1], d.dm[t, n0:n1], d.U_nT)                     # (GA2*) fork


def gradients(k, d):
    """Sums over all steps and rows: Cache, Back -> State gradients at t = 0, Params gradients."""
    H = k.m.shape[2]
    dU = np.concatenate([weight_gradient(k.h_prev, d.da[:, :, :2 * H]), weight_gradient(k.h_prev, d.dm)],
                        axis=1)                                          # (GA1*) (GA2*)
    return State(d.dh), Params(weight_gradient(k.x, d.da), dU, bias_gradient(d.da), bias_gradient(d.dm))
