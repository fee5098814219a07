"""Compiled implementation of embedding.py: rows gathered, and gradients scattered, one after the other in order.

(E1) forward; (E1*) backward.
"""
import numpy as np
from numpy import ascontiguousarray as contiguous

from ...core import validation
from ...layers.embedding import forward  # noqa: F401  (E1) alone, NumPy's own is as fast
from ..core import validation as compiled
from ..linalg.simd import LANES, at
from ..model.validated import int64_ids
from ..runtime.arena import empty
from ..runtime.jit import arena_function, device_function, jit


@arena_function
def gather(arena, E, ids):
    """Rows of the table E (V, E) for ids (T, N) -> xs (T, N, E)."""
    (T, N), D = ids.shape, E.shape[1]
    xs = empty(arena, (T, N, D), E.dtype)
    for t in range(T):
        for n in range(N):
            for j in range(0, D, LANES):
                xs[t, n, at(j, D)] = E[ids[t, n], at(j, D)]          # (E1)
    return xs


@device_function
def scatter(dE, ids, dx):
    """dE (V, E) += rows of dx (T, N, E), each to that of its id in ids (T, N), in their order."""
    for t in range(ids.shape[0]):
        for n in range(ids.shape[1]):
            for j in range(0, dE.shape[1], LANES):
                J = at(j, dE.shape[1])
                dE[ids[t, n], J] = dE[ids[t, n], J] + dx[t, n, J]    # (E1*) fork: a token may repeat


@jit("embedding.backward")
def _backward(E, ids, dx):
    dE = np.zeros(E.shape, E.dtype)
    scatter(dE, ids, dx)
    return dE


def backward(E, ids, dx):
    """See embedding.backward."""
    dtype = compiled.floats("E", E, 2)
    compiled.array("dx", dx, dtype, (*np.shape(ids), E.shape[1]))
    if np.size(ids):
        validation.ids("ids", ids, len(E))
    return _backward(E, int64_ids(ids), contiguous(dx))
