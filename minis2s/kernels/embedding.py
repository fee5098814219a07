"""Twin of embedding.py: rows gathered, and gradients scattered, one after the other in order.

(E1) forward; (E1*) backward.
"""
import numpy as np

from ..embedding import forward              # noqa: F401  (E1) NumPy's own gather is as fast
from .jit import inlined, jit
from .simd import LANES, at


@inlined
def scatter(dE, ids, dx):
    """dE (V, E) += rows of dx (T, N, E), each to that of its id in ids (T, N), in their order."""
    for t in range(ids.shape[0]):
        for n in range(ids.shape[1]):
            for j in range(0, dE.shape[1], LANES):
                J = at(j, dE.shape[1])
                dE[ids[t, n], J] = dE[ids[t, n], J] + dx[t, n, J]    # (E1*) fork: tokens come again


@jit("embedding.backward")
def _backward(E, ids, dx):
    dE = np.zeros(E.shape, E.dtype)
    scatter(dE, ids, dx)
    return dE


def backward(E, ids, dx):
    """See embedding.backward."""
    return _backward(E, np.ascontiguousarray(ids), dx)
