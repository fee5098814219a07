"""Twin of cells/rnn.py and the time loop: the same names and marks, compiled; read the cell first.

The tape is the cell's Cache with a leading T axis.  `twin(phi, dphi)` makes the two loops for an activation, which
becomes part of the compiled code; `TANH` and `SIGMOID` are the two that there are.

(R1), (R2), (M1) forward; (R1*), (R2*), (M1*) backward: the cell's equations and the loop's.
"""
from typing import Callable, NamedTuple

import numpy as np

from ..cells.rnn import Cache, Params, State
from .gemm import add_product, packed, product_of_steps
from .jit import inlined, jit
from .simd import LANES, at, sigmoid, tanh, where
from .threads import bias_gradient, over_rows, weight_gradient


class Twin(NamedTuple):
    forward: Callable
    backward: Callable


def twin(name, phi, dphi):
    """The loops for h = phi(a), with dphi the derivative written in terms of h."""

    @jit(f"rnn.recur-{name}")
    def recur(W, U, b, xs, mask, hs, a, n0, n1):
        T, H = len(xs), U.shape[0]
        W, U = packed(W), packed(U)
        product_of_steps(a, xs, W, n0, n1)                               # (R1) x W
        for t in range(T):
            add_product(a[t, n0:n1], hs[t, n0:n1], U)                    # (R1) + h' U
            for n in range(n0, n1):
                m = mask[t, n]
                for j in range(0, H, LANES):
                    J = at(j, H)
                    z = t, n, J
                    a[z] = phi(a[z] + b[J])                              # (R2)
                    hs[t + 1, n, J] = where(m, a[z], hs[z])              # (M1)

    @jit(f"rnn.recur_backward-{name}")
    def recur_backward(W, U, h, dhs, mask, dh, das, dxs, n0, n1):
        T, H = len(h), U.shape[0]
        WT, UT = packed(W.T), packed(U.T)
        for t in range(T - 1, -1, -1):
            for n in range(n0, n1):
                m = mask[t, n]
                for j in range(0, H, LANES):
                    J = at(j, H)
                    z = t, n, J
                    d_h = dh[n, J] + dhs[z]                              # fork: h_t is output and carry
                    das[z] = where(m, d_h, 0.0) * dphi(h[z])             # (M1*) (R2*)
                    dh[n, J] = where(m, 0.0, d_h)                        # (M1*)
            add_product(dh[n0:n1], das[t, n0:n1], UT)                    # (R1*) 0 where masked: da is 0
        product_of_steps(dxs, das, WT, n0, n1)                           # (R1*)

    def forward(p, xs, s0, mask):
        """See unroll.forward; the caches are one Cache with a leading T axis."""
        (T, N, D), H = xs.shape, p.U.shape[0]
        hs, a = np.empty((T + 1, N, H), xs.dtype), np.empty((T, N, H), xs.dtype)
        hs[0] = s0.h
        over_rows(recur, *p, xs, mask, hs, a, N=N, work=T * N * (D + H) * H)
        return hs[1:], State(hs[T]), Cache(xs, hs[:T], a)                # a has become h, before (M1)

    def backward(p, k, dhs, d, mask):
        """See unroll.backward."""
        (T, N, D), H = k.x.shape, p.U.shape[0]
        das, dxs, dh = np.empty((T, N, H), dhs.dtype), np.empty((T, N, D), dhs.dtype), d.h.copy()
        over_rows(recur_backward, p.W, p.U, k.h, dhs, mask, dh, das, dxs, N=N, work=T * N * (D + H) * H)
        grads = Params(weight_gradient(k.x, das), weight_gradient(k.h_prev, das), bias_gradient(das))    # (R1*)
        return dxs, State(dh), grads
    return Twin(forward, backward)


@inlined
def dtanh(h):
    return 1.0 - h * h


@inlined
def dsigmoid(h):
    return h * (1.0 - h)


TANH, SIGMOID = twin("tanh", tanh, dtanh), twin("sigmoid", sigmoid, dsigmoid)
