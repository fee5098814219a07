"""Frame input: what an embedding is for tokens, for a source of frames: sound, columns of a picture, any measurements.

A token needs a table, as its number means nothing; a frame is numbers already, and a matrix makes the layer's input of
it.
Row U2 (acoustic frames); Chan et al. (2016), "Listen, Attend and Spell", section 3.1, for k frames read as one step.
Shapes: T source steps, N batch, F numbers of a step, E embedding size.  Where k neighbouring frames are one step, F is
k times the numbers of a frame: data/frames.py stands them side by side when a source is read.

Forward                     Backward, where the sums run over all steps and examples
(E2)  x_t = f_t W + b       (E2*) df_t = dx_t W^T    dW = sum f_t^T dx_t    db = sum dx_t

Padding has frames of zeros, so x_t = b there; the mask keeps it from every state, and its dx_t is 0.
"""
from typing import NamedTuple

import numpy as np

from ..core.initializers import glorot


class Params(NamedTuple):
    W: np.ndarray              # (F, E)
    b: np.ndarray              # (E,)


def init(rng: np.random.Generator, F: int, E: int) -> Params:
    """First parameters, float64."""
    return Params(glorot(rng, F, E), np.zeros(E))


def forward(p: Params, fs: np.ndarray) -> np.ndarray:
    """fs (T, N, F) -> xs (T, N, E)."""
    return fs @ p.W + p.b                                       # (E2)


def backward(p: Params, fs: np.ndarray, dxs: np.ndarray) -> tuple[np.ndarray, Params]:
    """dxs (T, N, E) -> dfs (T, N, F), Params gradients.  dfs is no use in training; it says which frames mattered."""
    F, E = p.W.shape
    dfs = dxs @ p.W.T                                           # (E2*)
    dW = fs.reshape(-1, F).T @ dxs.reshape(-1, E)               # (E2*)
    db = dxs.sum(axis=(0, 1))                                   # (E2*)
    return dfs, Params(dW, db)
