"""Embedding: a row of a table for each token id.

Part P1.  Shapes: V vocabulary, E embedding size; ids have any shape, here written (...).

Forward                     Backward
(E1)  x = E[id]             (E1*) dE[v] = sum of dx over the places where id = v
"""
import numpy as np


def init(rng: np.random.Generator, V: int, E: int) -> np.ndarray:
    """First table, float64: small normal numbers."""
    return rng.normal(scale=E ** -0.5, size=(V, E))


def forward(E: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Table (V, E), ids (...) -> x (..., E)."""
    return E[ids]                                               # (E1)


def backward(E: np.ndarray, ids: np.ndarray, dx: np.ndarray) -> np.ndarray:
    """dx (..., E) -> dE (V, E).  `dE[ids] += dx` would keep only the last of a token's repetitions."""
    dE = np.zeros_like(E)
    np.add.at(dE, ids, dx)                                      # (E1*) fork: a repeated token is used often
    return dE
