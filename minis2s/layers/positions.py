"""Position encodings: what tells a Transformer the order of its tokens.

Attention sums over positions, and a sum does not know the order of its terms; so each position's own vector is
added to the token there.  Source: Vaswani et al. (2017), sections 3.4 (the factor sqrt(D)) and 3.5.
Shapes: T steps, N batch, D model size; positions i = 0, 1, ...

Forward                                                  Backward
(PE1)  P_i,2k = sin(i / 10000^(2k/D))    "sinusoidal"    nothing to learn
       P_i,2k+1 = cos(i / 10000^(2k/D))
       P is a table of parameters        "learned"
(PE2)  y_i = sqrt(D) x_i + P_i                           (PE2*) dx_i = sqrt(D) dy_i    dP_i = sum_n dy_i

Sinusoids go on for ever: P_{i+j} is a rotation of P_i that depends on j alone, so "j tokens back" is the same linear
map everywhere.  A learned table ends at the length it was made for, and what stands in the rows that training never
reached is chance.
"""
import numpy as np

KINDS = ("sinusoidal", "learned")


def sinusoidal(T: int, D: int) -> np.ndarray:
    """The first T rows of the sinusoids: (T, D), float64."""
    angles = np.arange(T)[:, None] / 10000.0 ** (np.arange(0, D, 2) / D)
    pairs = np.stack([np.sin(angles), np.cos(angles)], axis=2)  # (PE1)
    return pairs.reshape(T, -1)[:, :D]                          # where D is odd, the last sine has no cosine


def init(rng: np.random.Generator, kind: str, M: int, D: int) -> np.ndarray | None:
    """First table (M, D) of "learned" positions, float64, as large as sinusoids; None for sinusoids."""
    return rng.normal(scale=0.5 ** 0.5, size=(M, D)) if kind == "learned" else None


def forward(table: np.ndarray | None, x: np.ndarray, first: int = 0) -> np.ndarray:
    """Scale x (T, N, D), whose first row stands at position `first`, and add positions: -> y of x's shape.

    `table` (M, D) holds learned positions; None: sinusoids.
    """
    T, _, D = x.shape
    P = sinusoidal(first + T, D).astype(x.real.dtype) if table is None else table       # (PE1)
    return x * np.sqrt(D).astype(x.real.dtype) + P[first:first + T, None]               # (PE2)


def backward(table: np.ndarray | None, dy: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """dy (T, N, D) of positions from 0 -> dx (T, N, D), gradient of the table or None."""
    T, _, D = dy.shape
    dx, dtable = dy * np.sqrt(D).astype(dy.real.dtype), None                            # (PE2*)
    if table is not None:
        dtable = np.zeros_like(table)
        dtable[:T] = dy.sum(axis=1)                             # (PE2*) fork: all examples have a position i
    return dx, dtable
