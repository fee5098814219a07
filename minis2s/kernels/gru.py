"""Twin of cells/gru.py (reset before the product) and the time loop: same names and marks; read the cell first.

    a (T, N, 3H)    [z|r|n] of each step; z, r, n are views of it

One step is two products with elementwise work after each, because q = r h' must be there before q U_n:
    a_zr += h' U_zr  ->  z, r, q  ->  a_n += q U_n  ->  n, h

(G1)..(G4), (M1) forward; (G1*)..(G4*), (M1*) backward: the cell's equations and the loop's.
"""
import numpy as np

from ..cells.gru import Cache, Params, State
from .gemm import add_product, packed, product, product_of_steps
from .jit import jit
from .simd import LANES, at, sigmoid, tanh, where
from .threads import bias_gradient, over_rows, weight_gradient


def forward(p, xs, s0, mask):
    """See unroll.forward; the caches are one Cache with a leading T axis."""
    (T, N, D), H = xs.shape, p.U.shape[0]
    hs, a = np.empty((T + 1, N, H), xs.dtype), np.empty((T, N, 3 * H), xs.dtype)
    q = np.empty((T, N, H), xs.dtype)
    hs[0] = s0.h
    over_rows(_recur, *p, xs, mask, hs, a, q, N=N, work=T * N * (D + H) * 3 * H)
    z, r, n = (a[:, :, k * H:(k + 1) * H] for k in range(3))
    return hs[1:], State(hs[T]), Cache(xs, hs[:T], z, r, q, n)


def backward(p, k, dhs, d, mask):
    """See unroll.backward."""
    (T, N, D), H = k.x.shape, p.U.shape[0]
    das, dxs = np.empty((T, N, 3 * H), dhs.dtype), np.empty((T, N, D), dhs.dtype)
    dh, dq = d.h.copy(), np.empty((N, H), dhs.dtype)
    over_rows(_recur_backward, p.W, p.U, *k[1:], dhs, mask, dh, dq, das, dxs, N=N, work=T * N * (D + H) * 3 * H)
    dU_zr, dU_n = weight_gradient(k.h_prev, das[:, :, :2 * H]), weight_gradient(k.q, das[:, :, 2 * H:])
    dU = np.concatenate([dU_zr, dU_n], axis=1)                           # (G1*) (G3*)
    return dxs, State(dh), Params(weight_gradient(k.x, das), dU, bias_gradient(das))    # (G1*) (G3*)


@jit("gru.recur")
def _recur(W, U, b, xs, mask, hs, a, q, n0, n1):
    """Rows n0 .. n1-1 of the batch through all steps."""
    T, H = len(xs), U.shape[0]
    z, r, n = a[:, :, :H], a[:, :, H:2 * H], a[:, :, 2 * H:]
    b_z, b_r, b_n = b[:H], b[H:2 * H], b[2 * H:]
    W, U_zr, U_n = packed(W), packed(U[:, :2 * H]), packed(U[:, 2 * H:])
    product_of_steps(a, xs, W, n0, n1)                                   # (G1) (G3) x W
    for t in range(T):
        add_product(a[t, n0:n1, :2 * H], hs[t, n0:n1], U_zr)             # (G1) + h' U
        for row in range(n0, n1):
            for j in range(0, H, LANES):
                J = at(j, H)
                k = t, row, J
                z[k], r[k] = sigmoid(z[k] + b_z[J]), sigmoid(r[k] + b_r[J])    # (G1)
                q[k] = r[k] * hs[k]                                      # (G2)
        add_product(a[t, n0:n1, 2 * H:], q[t, n0:n1], U_n)               # (G3) + q U
        for row in range(n0, n1):
            m = mask[t, row]
            for j in range(0, H, LANES):
                J = at(j, H)
                k = t, row, J
                n[k] = tanh(n[k] + b_n[J])                               # (G3)
                h = (1.0 - z[k]) * hs[k] + z[k] * n[k]                   # (G4)
                hs[t + 1, row, J] = where(m, h, hs[k])                   # (M1)


@jit("gru.recur_backward")
def _recur_backward(W, U, h_prev, z, r, q, n, dhs, mask, dh, dq, das, dxs, n0, n1):
    """The same rows back from the last step to the first; dh becomes the gradient at t = 0."""
    T, H = len(z), U.shape[0]
    da_z, da_r, da_n = das[:, :, :H], das[:, :, H:2 * H], das[:, :, 2 * H:]
    WT, U_zrT, U_nT = packed(W.T), packed(U[:, :2 * H].T), packed(U[:, 2 * H:].T)
    for t in range(T - 1, -1, -1):
        for row in range(n0, n1):
            m = mask[t, row]
            for j in range(0, H, LANES):
                J = at(j, H)
                k = t, row, J
                d_h = dh[row, J] + dhs[k]                                # fork: h_t is output and carry
                dh_new = where(m, d_h, 0.0)                              # (M1*)
                dz, dn = dh_new * (n[k] - h_prev[k]), dh_new * z[k]      # (G4*)
                da_z[k] = dz * z[k] * (1.0 - z[k])                       # (G1*)
                da_n[k] = dn * (1.0 - n[k] * n[k])                       # (G3*)
                dh[row, J] = where(m, dh_new * (1.0 - z[k]), d_h)        # (G4*) (M1*)
        product(dq[n0:n1], das[t, n0:n1, 2 * H:], U_nT)                  # (G3*)
        for row in range(n0, n1):
            for j in range(0, H, LANES):
                J = at(j, H)
                k = t, row, J
                dr = dq[row, J] * h_prev[k]                              # (G2*)
                da_r[k] = dr * r[k] * (1.0 - r[k])                       # (G1*)
                dh[row, J] = dh[row, J] + dq[row, J] * r[k]              # (G2*) 0 where masked, as all da are
        add_product(dh[n0:n1], das[t, n0:n1, :2 * H], U_zrT)             # (G1*) fork: h' is used thrice
    product_of_steps(dxs, das, WT, n0, n1)                               # (G1*) (G3*)
