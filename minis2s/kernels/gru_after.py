"""Twin of cells/gru_after.py (reset after the product) and the time loop: same names and marks; read the cell first.

    a (T, N, 3H)    [z|r|n] of each step; z, r, n are views of it          m (T, N, H) is beside it: it is kept, too

(GA1)..(GA4), (M1) forward; (GA1*)..(GA4*), (M1*) backward: the cell's equations and the loop's.
"""
import numpy as np

from ..cells.gru_after import Cache, Params, State
from .gemm import add_product, packed, product, product_of_steps
from .jit import jit
from .simd import LANES, at, sigmoid, tanh, where
from .threads import bias_gradient, over_rows, weight_gradient


def forward(p, xs, s0, mask):
    """See unroll.forward; the caches are one Cache with a leading T axis."""
    (T, N, D), H = xs.shape, p.U.shape[0]
    hs, a = np.empty((T + 1, N, H), xs.dtype), np.empty((T, N, 3 * H), xs.dtype)
    m = np.empty((T, N, H), xs.dtype)
    hs[0] = s0.h
    over_rows(_recur, *p, xs, mask, hs, a, m, N=N, work=T * N * (D + H) * 3 * H)
    z, r, n = (a[:, :, k * H:(k + 1) * H] for k in range(3))
    return hs[1:], State(hs[T]), Cache(xs, hs[:T], z, r, m, n)


def backward(p, k, dhs, d, mask):
    """See unroll.backward."""
    (T, N, D), H = k.x.shape, p.U.shape[0]
    das, dxs = np.empty((T, N, 3 * H), dhs.dtype), np.empty((T, N, D), dhs.dtype)
    dms, dh = np.empty((T, N, H), dhs.dtype), d.h.copy()
    over_rows(_recur_backward, p.W, p.U, *k[1:], dhs, mask, dh, das, dms, dxs, N=N, work=T * N * (D + H) * 3 * H)
    dU = np.concatenate([weight_gradient(k.h_prev, das[:, :, :2 * H]),
                         weight_gradient(k.h_prev, dms)], axis=1)        # (GA1*) (GA2*)
    return dxs, State(dh), Params(weight_gradient(k.x, das), dU, bias_gradient(das), bias_gradient(dms))


@jit("gru_after.recur")
def _recur(W, U, b, b_U, xs, mask, hs, a, m, n0, n1):
    """Rows n0 .. n1-1 of the batch through all steps."""
    T, H = len(xs), U.shape[0]
    z, r, n = a[:, :, :H], a[:, :, H:2 * H], a[:, :, 2 * H:]
    b_z, b_r, b_n = b[:H], b[H:2 * H], b[2 * H:]
    W, U_zr, U_n = packed(W), packed(U[:, :2 * H]), packed(U[:, 2 * H:])
    product_of_steps(a, xs, W, n0, n1)                                   # (GA1) (GA3) x W
    for t in range(T):
        add_product(a[t, n0:n1, :2 * H], hs[t, n0:n1], U_zr)             # (GA1) + h' U
        product(m[t, n0:n1], hs[t, n0:n1], U_n)                          # (GA2)
        for row in range(n0, n1):
            real = mask[t, row]
            for j in range(0, H, LANES):
                J = at(j, H)
                k = t, row, J
                z[k], r[k] = sigmoid(z[k] + b_z[J]), sigmoid(r[k] + b_r[J])    # (GA1)
                m[k] = m[k] + b_U[J]                                     # (GA2)
                n[k] = tanh(n[k] + b_n[J] + r[k] * m[k])                 # (GA3)
                h = (1.0 - z[k]) * hs[k] + z[k] * n[k]                   # (GA4)
                hs[t + 1, row, J] = where(real, h, hs[k])                # (M1)


@jit("gru_after.recur_backward")
def _recur_backward(W, U, h_prev, z, r, m, n, dhs, mask, dh, das, dms, dxs, n0, n1):
    """The same rows back from the last step to the first; dh becomes the gradient at t = 0."""
    T, H = len(z), U.shape[0]
    da_z, da_r, da_n = das[:, :, :H], das[:, :, H:2 * H], das[:, :, 2 * H:]
    WT, U_zrT, U_nT = packed(W.T), packed(U[:, :2 * H].T), packed(U[:, 2 * H:].T)
    for t in range(T - 1, -1, -1):
        for row in range(n0, n1):
            real = mask[t, row]
            for j in range(0, H, LANES):
                J = at(j, H)
                k = t, row, J
                d_h = dh[row, J] + dhs[k]                                # fork: h_t is output and carry
                dh_new = where(real, d_h, 0.0)                           # (M1*)
                dz, dn = dh_new * (n[k] - h_prev[k]), dh_new * z[k]      # (GA4*)
                da_n[k] = dn * (1.0 - n[k] * n[k])                       # (GA3*)
                dr, dms[k] = da_n[k] * m[k], da_n[k] * r[k]              # (GA3*)
                da_z[k], da_r[k] = dz * z[k] * (1.0 - z[k]), dr * r[k] * (1.0 - r[k])    # (GA1*)
                dh[row, J] = where(real, dh_new * (1.0 - z[k]), d_h)     # (GA4*) (M1*)
        add_product(dh[n0:n1], das[t, n0:n1, :2 * H], U_zrT)             # (GA1*) 0 where masked: da is 0
        add_product(dh[n0:n1], dms[t, n0:n1], U_nT)                      # (GA2*) fork
    product_of_steps(dxs, das, WT, n0, n1)                               # (GA1*) (GA3*)
