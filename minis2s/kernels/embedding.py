"""Twin of embedding.py: rows gathered, and gradients scattered, one after the other in order.

(E1) forward; (E1*) backward.
"""
import numpy as np

from ..embedding import forward              # noqa: F401  (E1) NumPy's own gather is as fast
from .jit import jit
from .simd import LANES, at


def backward(E, ids, dx):
    """See embedding.backward."""
    dE = np.zeros(E.shape, E.dtype)
    _scatter(dE, np.ascontiguousarray(ids).reshape(-1), dx.reshape(-1, E.shape[1]))
    return dE


@jit("embedding.scatter")
def _scatter(dE, ids, dx):
    for r in range(len(ids)):
        for j in range(0, dE.shape[1], LANES):
            J = at(j, dE.shape[1])
            dE[ids[r], J] = dE[ids[r], J] + dx[r, J]    # (E1*) fork: a repeated token is used often
