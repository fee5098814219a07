"""Twin of cells/lstm.py: one step for rows n0 .. n1-1 of the batch, compiled; read the cell first.

                     t = 0        1               T-1
    hs (T+1, N, H)   h_0 ── h_1 ── h_2 ── ... ── h_T        hs[t] is h_prev of step t; cs likewise
    a  (T, N, 4H)    [i|f|g|o] of each step; i, f, g, o are views of it

A step finds x W in a[t] and leaves the gates there.  The loops of unroll.py and decoder.py call it; the cache
that it fills is the cell's own, with a leading T axis.

(L1)..(L5), (M1) forward; (L1*)..(L5*), (M1*) backward: the cell's equations, and the time loop's.
"""
from typing import NamedTuple

import numpy as np

from ..cells.lstm import Cache, Params, State
from .gemm import add_product, pack_weights
from .jit import inlined
from .simd import LANES, at, sigmoid, tanh, where
from .threads import bias_gradient, weight_gradient


class Run(NamedTuple):         # what the steps of a sequence read and fill
    W: np.ndarray              # packed
    U: np.ndarray              # packed
    b: np.ndarray
    xs: np.ndarray             # (T, N, D)
    hs: np.ndarray
    cs: np.ndarray
    a: np.ndarray
    tanh_c: np.ndarray         # (T, N, H)


class Back(NamedTuple):        # the same of the way back
    WT: np.ndarray             # packed
    UT: np.ndarray             # packed
    dh: np.ndarray             # (N, H), of the step reached so far
    dc: np.ndarray
    da: np.ndarray             # (T, N, 4H)
    dxs: np.ndarray            # (T, N, D)


def start(p, xs, s0):
    """Params, xs (T, N, D), State -> Run."""
    (T, N, _), H = xs.shape, p.U.shape[0]
    hs, cs, a, tanh_c = (np.empty(shape, xs.dtype) for shape in
                         ((T + 1, N, H), (T + 1, N, H), (T, N, 4 * H), (T, N, H)))
    hs[0], cs[0] = s0
    return Run(pack_weights(p.W), pack_weights(p.U), p.b, xs, hs, cs, a, tanh_c)


@inlined
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
            i[z], f[z], o[z] = sigmoid(i[z] + b_i[J]), sigmoid(f[z] + b_f[J]), sigmoid(o[z] + b_o[J])   # (L2)
            g[z] = tanh(g[z] + b_g[J])                                   # (L3)
            c = f[z] * k.cs[z] + i[z] * g[z]                             # (L4)
            k.tanh_c[z] = tanh(c)
            h = o[z] * k.tanh_c[z]                                       # (L5)
            k.hs[t + 1, n, J] = where(m, h, k.hs[z])                     # (M1)
            k.cs[t + 1, n, J] = where(m, c, k.cs[z])                     # (M1)


def cache(k):
    """-> the cell's Cache, each array with a leading T axis."""
    T, H = len(k.xs), k.hs.shape[2]
    i, f, g, o = (k.a[:, :, gate * H:(gate + 1) * H] for gate in range(4))
    return Cache(k.xs, k.hs[:T], k.cs[:T], i, f, g, o, k.tanh_c)


def state(k):
    """-> the State after the last step."""
    return State(k.hs[-1], k.cs[-1])


def start_backward(p, k, d):
    """Params, Cache, State gradients after the last step -> Back."""
    T, N, H = k.i.shape
    return Back(pack_weights(p.W.T), pack_weights(p.U.T), d.h.copy(), d.c.copy(),
                np.empty((T, N, 4 * H), k.x.dtype), np.empty_like(k.x))


@inlined
def step_backward(k, d, mask, t, n0, n1):
    """Pull d.dh and d.dc one step back; leaves d.da[t]."""
    H = k.i.shape[2]
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
            da_i[z], da_f[z] = di * i * (1.0 - i), df * f * (1.0 - f)    # (L2*)
            da_g[z], da_o[z] = dg * (1.0 - g * g), do * o * (1.0 - o)    # (L3*) (L2*)
            d.dc[n, J] = where(m, dc * f, d.dc[n, J])                    # (L4*) (M1*)
            d.dh[n, J] = where(m, 0.0, d.dh[n, J])                       # (M1*)
    add_product(d.dh[n0:n1], d.da[t, n0:n1], d.UT)                       # (L1*) 0 where masked: da is 0


def gradients(k, d):
    """Sums over all steps and rows: Cache, Back -> State gradients at t = 0, Params gradients."""
    grads = Params(weight_gradient(k.x, d.da), weight_gradient(k.h_prev, d.da), bias_gradient(d.da))   # (L1*)
    return State(d.dh, d.dc), grads
