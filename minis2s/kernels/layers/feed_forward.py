"""Feed-forward layer, compiled, for rows r0 .. r1-1 of x (R, D); read minis2s/layers/feed_forward.py first.

    96 rows:  x ── W_1, b_1 ──> a ── phi ──> u ── W_2, b_2 ──> z        a and u are in the cache until z is made of them

LAYERS has both functions for each activation; phi is put into the loops when these are compiled.

(FF1)..(FF3), (FR1), (FG1), (FG2) forward; (FF1*)..(FF3*), (FR1*), (FG1*), (FG2*) backward.
"""
from typing import Callable, NamedTuple

from ...layers.feed_forward import CUBIC, C
from ..linalg.gemm import packed, product
from ..linalg.simd import LANES, at, maximum, positive, tanh, zeros_like
from ..runtime.jit import inlined, internal_kernel
from ..runtime.threads import over_rows, shared
from . import linear
from .linear import ROWS, add_bias_gradient, add_gradient


@inlined
def relu(a):
    return maximum(a, zeros_like(a))                                    # (FR1)


@inlined
def relu_slope(a):
    return positive(a)                                                  # (FR1*)


@inlined
def gelu(a):
    s = tanh((a + a * a * a * CUBIC) * C)                               # (FG1)
    return a * 0.5 * (s + 1.0)                                          # (FG2)


@inlined
def gelu_slope(a):
    s = tanh((a + a * a * a * CUBIC) * C)                               # (FG1) once more: cheaper than to keep it
    ds = (1.0 - s * s) * (a * a * (3 * CUBIC) + 1.0) * C                # (FG1*)
    return (s + 1.0) * 0.5 + a * 0.5 * ds                               # (FG2*)


class FeedForward(NamedTuple):
    forward: Callable          # arena, Params, x, Cache, z: the Cache's a and u (R, F) are filled, and z
    backward: Callable         # arena, Params, gradients, x, Cache, dz, da, dx: gradients grow; da and dx are filled
    rows: Callable             # W_1 and W_2 packed, Params, x, Cache, z, r0, r1: `forward` of some rows


@internal_kernel("feed_forward.gradients")
def gradients(g, x, k, da, dz, i0, i1):
    """Those of the first (0) and the second (1) matrix, as far as i0 .. i1-1 has them: threads take one each."""
    if i0 == 0:
        add_gradient(g.hidden.W, x, da)                                 # (FF1*)
        add_bias_gradient(g.hidden.b, da)                               # (FF1*)
    if i1 == 2:
        add_gradient(g.out.W, k.u, dz)                                  # (FF3*)
        add_bias_gradient(g.out.b, dz)                                  # (FF3*)


def layer(name, phi, slope):
    """-> FeedForward with this activation."""
    @internal_kernel(f"feed_forward.rows.{name}")
    def rows(W_1, W_2, p, x, k, z, r0, r1):
        F = k.a.shape[1]
        for first in range(r0, r1, ROWS):
            last = min(first + ROWS, r1)
            product(k.a[first:last], x[first:last], W_1)                # (FF1)
            for r in range(first, last):
                for j in range(0, F, LANES):
                    J = at(j, F)
                    a = k.a[r, J] + p.hidden.b[J]                       # (FF1)
                    k.a[r, J] = a
                    k.u[r, J] = phi(a)                                  # (FF2)
            linear.forward(W_2, p.out.b, k.u, z, first, last)           # (FF3)

    @internal_kernel(f"feed_forward.rows_backward.{name}")
    def rows_backward(WT_1, WT_2, k, dz, da, dx, r0, r1):
        F = k.a.shape[1]
        for first in range(r0, r1, ROWS):
            last = min(first + ROWS, r1)
            linear.backward(WT_2, dz, da, first, last)                  # (FF3*)
            for r in range(first, last):
                for j in range(0, F, LANES):
                    J = at(j, F)
                    da[r, J] = da[r, J] * slope(k.a[r, J])              # (FF2*)
            linear.backward(WT_1, da, dx, first, last)                  # (FF1*)

    @inlined
    def forward(arena, p, x, k, z):
        work = 2 * k.a.size * x.shape[1]
        over_rows(rows, (packed(arena, p.hidden.W), packed(arena, p.out.W), p, x, k, z), len(x), work)

    @inlined
    def backward(arena, p, g, x, k, dz, da, dx):
        work = 2 * k.a.size * x.shape[1]
        over_rows(rows_backward, (packed(arena, p.hidden.W.T), packed(arena, p.out.W.T), k, dz, da, dx), len(x), work)
        shared(gradients, (g, x, k, da, dz), 2, 1, work)
    return FeedForward(forward, backward, rows)


LAYERS = {"relu": layer("relu", relu, relu_slope), "gelu": layer("gelu", gelu, gelu_slope)}
