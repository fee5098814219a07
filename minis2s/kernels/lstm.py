"""Twin of cells/lstm.py and the time loop: the same names and marks, compiled; read the cell first.

                     t = 0        1               T-1
    hs (T+1, N, H)   h_0 ── h_1 ── h_2 ── ... ── h_T        hs[t] is h_prev of step t
    a  (T, N, 4H)    [i|f|g|o] of each step; i, f, g, o are views of it

The tape is the cell's Cache with a leading T axis.  x W does not depend on h', so it is done for all steps at once.

(L1)..(L5), (M1) forward; (L1*)..(L5*), (M1*) backward: the cell's equations and the loop's.
"""
import numpy as np

from ..cells.lstm import Cache, Params, State
from .gemm import add_product, packed, product_of_steps
from .jit import jit
from .simd import LANES, at, sigmoid, tanh, where
from .threads import bias_gradient, over_rows, weight_gradient


def forward(p, xs, s0, mask):
    """See unroll.forward; the caches are one Cache with a leading T axis."""
    (T, N, D), H = xs.shape, p.U.shape[0]
    hs, cs = np.empty((T + 1, N, H), xs.dtype), np.empty((T + 1, N, H), xs.dtype)
    a, tanh_c = np.empty((T, N, 4 * H), xs.dtype), np.empty((T, N, H), xs.dtype)
    hs[0], cs[0] = s0
    over_rows(_recur, *p, xs, mask, hs, cs, a, tanh_c, N=N, work=T * N * (D + H) * 4 * H)
    i, f, g, o = (a[:, :, k * H:(k + 1) * H] for k in range(4))
    return hs[1:], State(hs[T], cs[T]), Cache(xs, hs[:T], cs[:T], i, f, g, o, tanh_c)


def backward(p, k, dhs, d, mask):
    """See unroll.backward."""
    (T, N, D), H = k.x.shape, p.U.shape[0]
    das, dxs = np.empty((T, N, 4 * H), dhs.dtype), np.empty((T, N, D), dhs.dtype)
    dh, dc = d.h.copy(), d.c.copy()
    over_rows(_recur_backward, p.W, p.U, *k[2:], dhs, mask, dh, dc, das, dxs, N=N, work=T * N * (D + H) * 4 * H)
    grads = Params(weight_gradient(k.x, das), weight_gradient(k.h_prev, das), bias_gradient(das))    # (L1*)
    return dxs, State(dh, dc), grads


@jit("lstm.recur")
def _recur(W, U, b, xs, mask, hs, cs, a, tanh_c, n0, n1):
    """Rows n0 .. n1-1 of the batch through all steps."""
    T, H = len(xs), U.shape[0]
    i, f, g, o = a[:, :, :H], a[:, :, H:2 * H], a[:, :, 2 * H:3 * H], a[:, :, 3 * H:]
    b_i, b_f, b_g, b_o = b[:H], b[H:2 * H], b[2 * H:3 * H], b[3 * H:]
    W, U = packed(W), packed(U)
    product_of_steps(a, xs, W, n0, n1)                                   # (L1) x W
    for t in range(T):
        add_product(a[t, n0:n1], hs[t, n0:n1], U)                        # (L1) + h' U
        for n in range(n0, n1):
            m = mask[t, n]
            for j in range(0, H, LANES):
                J = at(j, H)
                z = t, n, J
                i[z], f[z], o[z] = sigmoid(i[z] + b_i[J]), sigmoid(f[z] + b_f[J]), sigmoid(o[z] + b_o[J])  # (L2)
                g[z] = tanh(g[z] + b_g[J])                               # (L3)
                c = f[z] * cs[z] + i[z] * g[z]                           # (L4)
                tanh_c[z] = tanh(c)
                h = o[z] * tanh_c[z]                                     # (L5)
                hs[t + 1, n, J] = where(m, h, hs[z])                     # (M1)
                cs[t + 1, n, J] = where(m, c, cs[z])                     # (M1)


@jit("lstm.recur_backward")
def _recur_backward(W, U, cs, i, f, g, o, tanh_c, dhs, mask, dh, dc, das, dxs, n0, n1):
    """The same rows back from the last step to the first; dh and dc become the gradients at t = 0."""
    T, H = len(i), U.shape[0]
    da_i, da_f, da_g, da_o = das[:, :, :H], das[:, :, H:2 * H], das[:, :, 2 * H:3 * H], das[:, :, 3 * H:]
    WT, UT = packed(W.T), packed(U.T)
    for t in range(T - 1, -1, -1):
        for n in range(n0, n1):
            m = mask[t, n]
            for j in range(0, H, LANES):
                J = at(j, H)
                z = t, n, J
                d_h, d_c = dh[n, J] + dhs[z], dc[n, J]                   # fork: h_t is output and carry
                dh_new, dc_new = where(m, d_h, 0.0), where(m, d_c, 0.0)  # (M1*)
                do = dh_new * tanh_c[z]                                  # (L5*)
                dc_new = dc_new + dh_new * o[z] * (1.0 - tanh_c[z] * tanh_c[z])    # (L5*) fork
                df, di, dg = dc_new * cs[z], dc_new * g[z], dc_new * i[z]          # (L4*)
                da_i[z] = di * i[z] * (1.0 - i[z])                       # (L2*)
                da_f[z] = df * f[z] * (1.0 - f[z])                       # (L2*)
                da_g[z] = dg * (1.0 - g[z] * g[z])                       # (L3*)
                da_o[z] = do * o[z] * (1.0 - o[z])                       # (L2*)
                dc[n, J] = where(m, dc_new * f[z], d_c)                  # (L4*) (M1*)
                dh[n, J] = where(m, 0.0, d_h)                            # (M1*)
        add_product(dh[n0:n1], das[t, n0:n1], UT)                        # (L1*) 0 where masked: da is 0
    product_of_steps(dxs, das, WT, n0, n1)                               # (L1*)
