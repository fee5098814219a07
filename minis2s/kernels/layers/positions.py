"""Embeddings with positions, compiled: rows t N + n of x are those of step t, example n.

Both are one loop: a row of the table of embeddings is read, scaled, and written with its position added.  Sinusoids
(PE1) are a table here as learned positions are; the caller makes them with NumPy, once for all batches.
Read minis2s/layers/positions.py first.

(PE2), (E1), (DR1) forward; (PE2*), (E1*), (DR1*) backward.
"""
import numpy as np

from ..linalg.rows import multiply
from ..linalg.simd import LANES, at
from ..runtime.jit import internal_kernel


@internal_kernel("positions.forward")
def forward(E, P, ids, first, m, x, r0, r1):
    """Rows of x, for ids (S, N) at positions from `first` on, and the mask m of dropout, if it has numbers."""
    N, D, root = ids.shape[1], x.shape[1], np.sqrt(x.shape[1])
    for r in range(r0, r1):
        t, token = r // N, ids[r // N, r % N]
        for j in range(0, D, LANES):
            J = at(j, D)
            x[r, J] = E[token, J] * root + P[first + t, J]              # (E1) (PE2)
    if m.size:
        multiply(x, m, r0, r1)                                          # (DR1)


@internal_kernel("positions.backward")
def backward(dE, dP, ids, m, dx, j0, j1):
    """Columns j0 .. j1-1 of dE and, unless it has no numbers, dP grow by sums over the rows of dx, in their order."""
    N, root = ids.shape[1], np.sqrt(dx.shape[1])
    for r in range(len(dx)):
        t, token = r // N, ids[r // N, r % N]
        for j in range(j0, j1, LANES):
            J = at(j, j1)
            d = dx[r, J]
            if m.size:
                d = d * m[r, J]                                         # (DR1*)
            dE[token, J] = dE[token, J] + d * root                      # (PE2*) (E1*) fork: a token may repeat
            if dP.size:
                dP[t, J] = dP[t, J] + d                                 # (PE2*) fork: all examples have a position t
