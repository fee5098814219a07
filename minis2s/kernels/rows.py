"""Rows n0 .. n1-1 of two-dimensional arrays copied, added, multiplied: what lies between the equations.

An assignment of slices would do for Python; compiled, it brings all that could be said about shapes that do
not fit, which takes seconds.
"""
import numpy as np

from .jit import inlined
from .simd import LANES, at


@inlined
def copy(to, a, n0, n1):
    """to = a, for the rows of two (N, ...) arrays."""
    for n in range(n0, n1):
        for j in range(0, a.shape[1], LANES):
            J = at(j, a.shape[1])
            to[n, J] = a[n, J]


@inlined
def add_rows(to, a, n0, n1):
    """to += a, for the rows of two (N, ...) arrays."""
    for n in range(n0, n1):
        for j in range(0, a.shape[1], LANES):
            J = at(j, a.shape[1])
            to[n, J] = to[n, J] + a[n, J]


@inlined
def multiply(a, m, n0, n1):
    """a *= m, for the rows of two (N, ...) arrays."""
    for n in range(n0, n1):
        for j in range(0, a.shape[1], LANES):
            J = at(j, a.shape[1])
            a[n, J] = a[n, J] * m[n, J]                                             # (DR1)


@inlined
def chosen(a, which):
    """The rows a[which] of an (M, ...) array."""
    to = np.empty((len(which), a.shape[1]), a.dtype)
    for n in range(len(which)):
        for j in range(a.shape[1]):
            to[n, j] = a[which[n], j]
    return to


@inlined
def clear(a, n0, n1):
    """a = 0, for the rows of an (N, ...) array."""
    for n in range(n0, n1):
        for j in range(a.shape[1]):
            a[n, j] = 0
