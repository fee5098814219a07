"""Encoder: token ids, or frames -> embeddings -> recurrent layers -> a state for each step, and the final states.

Rows A3.1, A4.1, B4.2e, C2.1, D3.1.
Shapes: T source steps, N batch, V vocabulary, F numbers of a frame, E embedding, H hidden.

      x_t = what is read at step t, inputs.py
      h_t = cell(x_t, h_{t-1})      (R1..R2, L1..L5, G1..G4 or GA1..GA4), layer by layer
"""
from typing import Any, NamedTuple

import numpy as np

from ..layers import embedding, frame_input, recurrent
from ..layers.cells import Cell
from . import inputs
from .config import Config


class Params(NamedTuple):
    embedding: Any             # (V, E) for tokens, frame_input.Params for frames
    layers: tuple              # of a cell's Params, or Bidirectional


class Cache(NamedTuple):
    source: np.ndarray         # (T, N) token ids, or (T, N, F) frames
    stack: recurrent.Cache


def init(rng: np.random.Generator, config: Config, cell: Cell) -> Params:
    """First parameters, float64."""
    def layer(D: int) -> Any:
        if config.bidirectional:
            return recurrent.Bidirectional(cell.init(rng, D, config.hidden), cell.init(rng, D, config.hidden))
        return cell.init(rng, D, config.hidden)
    table = (frame_input.init(rng, config.step_size, config.embedding) if config.source == "frames"
             else embedding.init(rng, config.source_vocab, config.embedding))
    sizes = [config.embedding] + [config.encoder_size] * (config.layers - 1)
    return Params(table, tuple(layer(D) for D in sizes))


def forward(p: Params, cell: Cell, source: np.ndarray, mask: np.ndarray,
            masks: tuple | None = None, residual: bool = False) -> tuple[np.ndarray, tuple, Cache]:
    """source (T, N) or (T, N, F), mask (T, N) -> hs (T, N, H or 2H), final states of each layer, Cache."""
    xs = inputs.forward(p.embedding, source)
    hs, finals, stack = recurrent.forward(cell, p.layers, xs, mask, masks, residual)
    return hs, finals, Cache(source, stack)


def backward(p: Params, cell: Cell, k: Cache, dhs: np.ndarray, dfinals: tuple, residual: bool = False) -> Params:
    """dhs (T, N, H or 2H) and gradients of the finals -> Params gradients."""
    source, stack = k
    dxs, layers = recurrent.backward(cell, p.layers, stack, dhs, dfinals, residual)
    dE = inputs.backward(p.embedding, source, dxs)
    return Params(dE, layers)
