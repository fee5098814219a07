"""The recurrent cells by name, one file each.  Start with lstm.py.

A cell is anything with the attributes of `Cell`: a module with these functions will do.  A file here may import core/
and nothing else.
"""
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np

from ...core.functions import SIGMOID
from . import gru, gru_after, lstm, rnn


class Cell(Protocol):
    """What a cell consists of.  `minis2s.testing.check_cell` checks all that the rest of the library relies on."""
    @property
    def Params(self) -> Any:
        """NamedTuple of arrays, with W (D, ...) and U (H, ...) among them."""

    @property
    def State(self) -> Any:
        """NamedTuple of arrays (N, H); `h` is the one that is read from outside."""

    @property
    def init(self) -> Callable[[np.random.Generator, int, int], Any]:
        """Draw the first parameters: rng, D, H -> Params."""

    @property
    def step(self) -> Callable[[Any, np.ndarray, Any], tuple[Any, Any]]:
        """Advance one step: Params, x (N, D), State -> State, cache."""

    @property
    def step_backward(self) -> Callable[[Any, Any, Any], tuple[np.ndarray, Any, Any]]:
        """Pull gradients back: Params, cache, State -> dx, State (t-1), Params."""


class BoundCell(NamedTuple):
    """A cell's functions with an option bound."""
    Params: Any
    State: Any
    init: Callable
    step: Callable
    step_backward: Callable


rnn_sigmoid = BoundCell(rnn.Params, rnn.State, rnn.init,
                        partial(rnn.step, phi=SIGMOID), partial(rnn.step_backward, phi=SIGMOID))

CELLS: dict[str, Cell] = {"rnn": rnn, "rnn-sigmoid": rnn_sigmoid, "lstm": lstm, "gru": gru, "gru-after": gru_after}
BUILT_IN = dict(CELLS)         # without those that a person adds to the table: they have no compiled implementation
