"""Rows n0 .. n1-1 of two-dimensional arrays, copied, added, multiplied.

In Python these would be assignments of slices.  Compiled, such an assignment contains code for every error in shapes,
which takes seconds to compile; so these are loops.
"""
from ..runtime.arena import empty
from ..runtime.jit import arena_function, device_function
from .simd import LANES, at, greatest, maximum, zeros_like


@device_function
def copy(to, a, n0, n1):
    """to = a, for the rows of two (N, ...) arrays."""
    for n in range(n0, n1):
        for j in range(0, a.shape[1], LANES):
            J = at(j, a.shape[1])
            to[n, J] = a[n, J]


@device_function
def add_rows(to, a, n0, n1):
    """to += a, for the rows of two (N, ...) arrays."""
    for n in range(n0, n1):
        for j in range(0, a.shape[1], LANES):
            J = at(j, a.shape[1])
            to[n, J] = to[n, J] + a[n, J]


@device_function
def multiply(a, m, n0, n1):
    """a *= m, for the rows of two (N, ...) arrays."""
    for n in range(n0, n1):
        for j in range(0, a.shape[1], LANES):
            J = at(j, a.shape[1])
            a[n, J] = a[n, J] * m[n, J]                                             # (DR1)


@arena_function
def chosen(arena, a, which):
    """The rows a[which] of an (M, ...) array."""
    to = empty(arena, (len(which), a.shape[1]), a.dtype)
    for n in range(len(which)):
        for j in range(a.shape[1]):
            to[n, j] = a[which[n], j]
    return to


@device_function
def clear(a, n0, n1):
    """a = 0, for the rows of an (N, ...) array."""
    for n in range(n0, n1):
        for j in range(0, a.shape[1], LANES):
            J = at(j, a.shape[1])
            a[n, J] = zeros_like(a[n, J])


@device_function
def count(mask):
    """How many entries of a flat mask are True."""
    n = 0
    for m in mask:
        n += m
    return n


@device_function
def top_of(row):
    """The greatest entry of a row; NaN if one is NaN."""
    V, top = len(row), row[0]
    if V < LANES:
        for v in range(1, V):
            if row[v] > top or row[v] != row[v]:
                top = row[v]
        return top
    best = row[at(V - LANES, V)]                                # the last 16, then all groups of 16
    for j in range(0, V - LANES + 1, LANES):
        best = maximum(best, row[at(j, V)])
    return greatest(best)
