"""Layer normalisation: each row of D numbers is shifted to mean 0 and scaled to variance 1, then scaled and shifted
by what is learned.

A layer that reads normalised rows sees numbers of the same size at every depth and at every step of training.
Source: Ba, Kiros & Hinton (2016), section 3.  Shapes: rows (..., D); every row is normalised by itself, so neither
the other examples of a batch nor padding can change it.

Forward                                  Backward, where dz means dL/dz; means and sums over the row's D entries
(LN1)  c = x - mean(x)                   (LN1*) dx = dc - mean(dc)
(LN2)  r = sqrt(mean(c^2) + eps)         (LN2*) dc += dr c / (D r)
(LN3)  n = c / r                         (LN3*) dc = dn / r    dr = -sum(dn n) / r
(LN4)  y = g n + b                       (LN4*) dn = dy g    dg = sum of dy n over all rows    db = sum of dy

r is used by all D entries of the row and is made of all of them: this is why dx_j depends on every dy.  Leaving
the two means out, dx = dn / r, is the usual mistake; the gradient then points too much along x.
eps stands inside of the root, as in PyTorch; it keeps a row of equal numbers from being divided by 0.
"""
from typing import NamedTuple

import numpy as np

EPS = 1e-5


class Params(NamedTuple):
    g: np.ndarray              # (D,), the gain
    b: np.ndarray              # (D,)


class Cache(NamedTuple):
    n: np.ndarray              # (..., D)
    r: np.ndarray              # (..., 1)


def init(D: int) -> Params:
    """First parameters, float64: gain 1, shift 0."""
    return Params(np.ones(D), np.zeros(D))


def forward(p: Params, x: np.ndarray) -> tuple[np.ndarray, Cache]:
    """x (..., D) -> y (..., D), Cache."""
    c = x - x.mean(axis=-1, keepdims=True)                      # (LN1)
    r = np.sqrt((c * c).mean(axis=-1, keepdims=True) + EPS)     # (LN2)
    n = c / r                                                   # (LN3)
    return p.g * n + p.b, Cache(n, r)                           # (LN4)


def backward(p: Params, k: Cache, dy: np.ndarray) -> tuple[np.ndarray, Params]:
    """dy (..., D) -> dx (..., D), Params gradients."""
    n, r, rows = k.n, k.r, tuple(range(dy.ndim - 1))
    dn, dg, db = dy * p.g, (dy * n).sum(axis=rows), dy.sum(axis=rows)          # (LN4*)
    dc, dr = dn / r, -(dn * n).sum(axis=-1, keepdims=True) / r  # (LN3*)
    dc = dc + dr * n / n.shape[-1]                              # (LN2*) c / r is n; fork: c makes n and r
    return dc - dc.mean(axis=-1, keepdims=True), Params(dg, db)                # (LN1*)
