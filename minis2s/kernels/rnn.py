"""Twin of cells/rnn.py: one step for rows n0 .. n1-1 of the batch, compiled; read the cell first.

    hs (T+1, N, H)   h_0 ── h_1 ── ... ── h_T        hs[t] is h_prev of step t
    a  (T, N, H)     x W before the step, phi(a) after it

lstm.py explains the form.  `twin` makes the steps for an activation: TANH and SIGMOID are the two that there
are.

(R1), (R2), (M1) forward; (R1*), (R2*), (M1*) backward: the cell's equations, and the time loop's.
"""
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from ..cells.rnn import Cache, Params, State
from .gemm import add_product, pack_weights
from .jit import inlined
from .simd import LANES, at, sigmoid, tanh, where
from .threads import bias_gradient, weight_gradient


class Run(NamedTuple):
    W: np.ndarray              # packed
    U: np.ndarray              # packed
    b: np.ndarray
    xs: np.ndarray             # (T, N, D)
    hs: np.ndarray
    a: np.ndarray


class Back(NamedTuple):
    WT: np.ndarray             # packed
    UT: np.ndarray             # packed
    dh: np.ndarray             # (N, H), of the step reached so far
    da: np.ndarray             # (T, N, H)
    dxs: np.ndarray            # (T, N, D)


def start(p, xs, s0):
    """Params, xs (T, N, D), State -> Run."""
    (T, N, _), H = xs.shape, p.U.shape[0]
    hs, a = np.empty((T + 1, N, H), xs.dtype), np.empty((T, N, H), xs.dtype)
    hs[0] = s0.h
    return Run(pack_weights(p.W), pack_weights(p.U), p.b, xs, hs, a)


def cache(k):
    """-> the cell's Cache, each array with a leading T axis."""
    return Cache(k.xs, k.hs[:-1], k.a)           # a has become h, as it was before (M1)


def state(k):
    """-> the State after the last step."""
    return State(k.hs[-1])


def start_backward(p, k, d):
    """Params, Cache, State gradients after the last step -> Back."""
    return Back(pack_weights(p.W.T), pack_weights(p.U.T), d.h.copy(), np.empty_like(k.h), np.empty_like(k.x))


def gradients(k, d):
    """Sums over all steps and rows: Cache, Back -> State gradients at t = 0, Params gradients."""
    grads = Params(weight_gradient(k.x, d.da), weight_gradient(k.h_prev, d.da), bias_gradient(d.da))   # (R1*)
    return State(d.dh), grads


def twin(name, phi, dphi):
    """The twin for h = phi(a), with dphi the derivative written in terms of h."""

    @inlined
    def step(k, mask, t, n0, n1):
        H = k.hs.shape[2]
        add_product(k.a[t, n0:n1], k.hs[t, n0:n1], k.U)                  # (R1)
        for n in range(n0, n1):
            m = mask[t, n]
            for j in range(0, H, LANES):
                J = at(j, H)
                z = t, n, J
                k.a[z] = phi(k.a[z] + k.b[J])                            # (R2)
                k.hs[t + 1, n, J] = where(m, k.a[z], k.hs[z])            # (M1)

    @inlined
    def step_backward(k, d, mask, t, n0, n1):
        H = k.h.shape[2]
        for n in range(n0, n1):
            m = mask[t, n]
            for j in range(0, H, LANES):
                J = at(j, H)
                z = t, n, J
                dh = where(m, d.dh[n, J], 0.0)                           # (M1*)
                d.da[z] = dh * dphi(k.h[z])                              # (R2*)
                d.dh[n, J] = where(m, 0.0, d.dh[n, J])                   # (M1*)
        add_product(d.dh[n0:n1], d.da[t, n0:n1], d.UT)                   # (R1*) 0 where masked: da is 0

    return SimpleNamespace(__name__=name, start=start, step=step, cache=cache, state=state,
                           start_backward=start_backward, step_backward=step_backward, gradients=gradients)


@inlined
def dtanh(h):
    return 1.0 - h * h


@inlined
def dsigmoid(h):
    return h * (1.0 - h)


TANH, SIGMOID = twin("rnn-tanh", tanh, dtanh), twin("rnn-sigmoid", sigmoid, dsigmoid)
