"""Encoder: token ids -> embeddings -> recurrent layers -> a state for each step, and the final states.

Rows A3.1, A4.1, B4.2e, C2.1, D3.1.  Shapes: T source steps, N batch, V vocabulary, E embedding, H hidden.

(E1)  x_t = E[id_t]
      h_t = cell(x_t, h_{t-1})      (R1..R2, L1..L5, G1..G4 or GA1..GA4), layer by layer
"""
from typing import NamedTuple

import numpy as np

from ..layers import embedding, recurrent
from ..layers.cells import Cell
from .config import Config


class Params(NamedTuple):
    embedding: np.ndarray      # (V, E)
    layers: tuple              # of a cell's Params, or Bidirectional


class Cache(NamedTuple):
    ids: np.ndarray            # (T, N)
    stack: recurrent.Cache


def init(rng: np.random.Generator, config: Config, cell: Cell) -> Params:
    """First parameters, float64."""
    def layer(D):
        if config.bidirectional:
            return recurrent.Bidirectional(cell.init(rng, D, config.hidden), cell.init(rng, D, config.hidden))
        return cell.init(rng, D, config.hidden)
    table = embedding.init(rng, config.source_vocab, config.embedding)
    sizes = [config.embedding] + [config.encoder_size] * (config.layers - 1)
    return Params(table, tuple(layer(D) for D in sizes))


def forward(p: Params, cell: Cell, ids: np.ndarray, mask: np.ndarray,
            masks: tuple | None = None, residual: bool = False) -> tuple[np.ndarray, tuple, Cache]:
    """ids (T, N), mask (T, N) -> hs (T, N, H or 2H), final states of each layer, Cache."""
    xs = embedding.forward(p.embedding, ids)                    # (E1)
    hs, finals, stack = recurrent.forward(cell, p.layers, xs, mask, masks, residual)
    return hs, finals, Cache(ids, stack)


def backward(p: Params, cell: Cell, k: Cache, dhs: np.ndarray, dfinals: tuple, residual: bool = False) -> Params:
    """dhs (T, N, H or 2H) and gradients of the finals -> Params gradients."""
    ids, stack = k
    dxs, layers = recurrent.backward(cell, p.layers, stack, dhs, dfinals, residual)
    dE = embedding.backward(p.embedding, ids, dxs)              # (E1*)
    return Params(dE, layers)
