"""Layer normalisation, compiled, for rows r0 .. r1-1 of x (R, D); read minis2s/layers/layer_norm.py first.

    x ── minus its mean ──> c ── divided by its root r ──> n ── g, b ──> y        three times through a row in the cache

(LN1)..(LN4) forward; (LN1*)..(LN4*) backward.
"""
import numpy as np

from ...layers.layer_norm import EPS
from ..linalg.simd import LANES, add, at, total, zeros
from ..runtime.jit import device_function


@device_function
def forward(p, x, k, y, r0, r1):
    """Rows of x -> y; the Cache k (n (R, D), r (R, 1)) is filled."""
    D = x.shape[1]
    for r in range(r0, r1):
        sums, squares = zeros(x), zeros(x)
        for j in range(0, D, LANES):
            sums = add(sums, x[r, at(j, D)])
        mean = total(sums) / D
        for j in range(0, D, LANES):
            J = at(j, D)
            k.n[r, J] = x[r, J] - mean                                  # (LN1)
            squares = add(squares, k.n[r, J] * k.n[r, J])               # as it is written: 0 in lanes that are off
        root = np.sqrt(total(squares) / D + EPS)                        # (LN2)
        k.r[r, 0] = root
        for j in range(0, D, LANES):
            J = at(j, D)
            k.n[r, J] = k.n[r, J] / k.r[r, 0]                           # (LN3)
            y[r, J] = p.g[J] * k.n[r, J] + p.b[J]                       # (LN4)


@device_function
def backward(p, k, dy, dx, r0, r1):
    """Rows of dy -> dx."""
    D = dy.shape[1]
    for r in range(r0, r1):
        products, sums, root = zeros(dy), zeros(dy), k.r[r, 0]
        for j in range(0, D, LANES):
            J = at(j, D)
            dx[r, J] = dy[r, J] * p.g[J]                                # (LN4*)
            products = add(products, dx[r, J] * k.n[r, J])
        dr = -total(products) / root                                    # (LN3*)
        for j in range(0, D, LANES):
            J = at(j, D)
            dx[r, J] = dx[r, J] / root + k.n[r, J] * (dr / D)  # (LN3*) (LN2*) fork: c makes n and r
            sums = add(sums, dx[r, J])
        mean = total(sums) / D
        for j in range(0, D, LANES):
            J = at(j, D)
            dx[r, J] = dx[r, J] - mean                                  # (LN1*)


@device_function
def add_gradients(g, k, dy):
    """Add the gradients of gain and shift, sums over the rows in their order, to g."""
    R, D = dy.shape
    for j in range(0, D, LANES):
        J = at(j, D)
        dg, db = g.g[J], g.b[J]
        for r in range(R):
            dg = dg + dy[r, J] * k.n[r, J]                              # (LN4*)
            db = db + dy[r, J]                                          # (LN4*)
        g.g[J] = dg
        g.b[J] = db
