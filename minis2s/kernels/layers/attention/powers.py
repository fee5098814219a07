"""Additive scores without a tanh for each key: e^{2q} is made once a query, e^{2k} once a key, and they are multiplied.
Read additive.py first.

    tanh(q + k_i) = 1 - 2 / (e^{2q} e^{2k_i} + 1)

    e_i = sum of v tanh(q + k_i) = sum of v - sum of 2v / (e^{2q} e^{2k_i} + 1)

The first sum is the same for all i, so the softmax does not change with it, and it is left out.  One division serves
two keys: with the denominators a and b, v/a = b v/(ab) and v/b = a v/(ab).  The product ab must not overflow; queries
that are out of reach are computed term by term (attend.py).

(AB2), (AB3) forward.
"""
from typing import NamedTuple

import numpy as np

from ...linalg.simd import LANES, at, exp, greatest, maximum, total, zeros
from ...runtime.arena import empty, zeros as zeros_of
from ...runtime.jit import device_function, inlined

REACH = 2e17                   # the greatest e^{2(q + k)}: its square is a float32, and tanh is 1 long before


class Powers(NamedTuple):      # A' is A rounded up to a multiple of LANES; numbers behind A are zeros
    keys: np.ndarray           # (M, T, A'), e^{2k}
    greatest: np.ndarray       # (M,), of a source's keys, at least 1
    query: np.ndarray          # (N, A'), e^{2q} of one step
    v: np.ndarray              # (A',), -2v


@inlined
def powers_of(arena, keys, mask, v, N):
    """keys (T, M, A) and v (A,) -> the Powers for N rows."""
    (T, M, A), dtype = keys.shape, keys.dtype
    wide = (A + LANES - 1) // LANES * LANES
    powers = Powers(zeros_of(arena, (M, T, wide), dtype), empty(arena, (M,), dtype), zeros_of(arena, (N, wide), dtype),
                    zeros_of(arena, (wide,), dtype))
    for j in range(0, A, LANES):
        powers.v[at(j, A)] = v[at(j, A)] * -2.0
    for m in range(M):
        for i in range(T):
            if mask[i, m]:
                for j in range(0, A, LANES):
                    powers.keys[m, i, at(j, A)] = exp(keys[i, m, at(j, A)] * 2.0)
        powers.greatest[m] = greatest_of(powers.keys[m].reshape(T * wide))
    return powers


@inlined
def no_powers(arena, keys, mask, v, N):
    """The Powers of a score that needs none."""
    none = empty(arena, (0, 0), keys.dtype)
    return Powers(empty(arena, (0, 0, 0), keys.dtype), empty(arena, (0,), keys.dtype), none,
                  empty(arena, (0,), keys.dtype))


@device_function
def greatest_of(row):
    """The greatest of some powers, at least 1; NaN if one is NaN."""
    best = zeros(row)
    for j in range(0, len(row), LANES):
        best = maximum(best, row[at(j, j + LANES)])
    top = greatest(best)
    return top if not top < 1.0 else row.dtype.type(1.0)


@device_function
def within_reach(k, t, n):
    """Make the powers of query t of row n: -> whether its scores can be computed with them."""
    A = k.q.shape[2]
    for j in range(0, A, LANES):
        k.powers.query[n, at(j, A)] = exp(k.q[t, n, at(j, A)] * 2.0)
    return greatest_of(k.powers.query[n]) * k.powers.greatest[k.source[n]] <= REACH


@device_function
def scores_by_powers(k, t, n):
    """Write e_i of query t of row n into alpha, less what is the same for all i: -> the greatest."""
    m, T, top = k.source[n], len(k.hs), -np.inf
    query, keys, v = k.powers.query[n], k.powers.keys[m], k.powers.v
    for i in range(0, T, 2):
        first, second = k.mask[i, m], i + 1 < T and k.mask[i + 1, m]
        e, e_next = zeros(v), zeros(v)
        if first or second:
            one, other = i if first else i + 1, i + 1 if second else i          # a key alone stands for both
            for j in range(0, len(v), LANES):
                J = at(j, j + LANES)
                a, b = query[J] * keys[one, J] + 1.0, query[J] * keys[other, J] + 1.0       # (AB2)
                share = v[J] / (a * b)
                e, e_next = e + share * b, e_next + share * a                               # (AB3)
        k.alpha[t, n, i] = total(e) if first else -np.inf                       # padding has no weight
        top = max(top, k.alpha[t, n, i])
        if i + 1 < T:
            k.alpha[t, n, i + 1] = total(e_next) if second else -np.inf
            top = max(top, k.alpha[t, n, i + 1])
    return top
