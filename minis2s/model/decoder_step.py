"""One step of the plain decoder: no attention, no context, nothing fed back but the token.

All that it knows of the source is the state in which it begins (seq2seq.py, bridge.py).  A decoder that reads the
source at every step is context_step.py; the loop over a target sequence, for both, is decoder.py.

Rows A4.2, C4.1d.  Shapes: N batch, E embedding, H hidden.

What is left of the equations of context_step.py:

    x   = E[y_{t-1}]                            (D2)
    s_t = cell(x, s_{t-1}), layer by layer      (D3)

and (D3*), (D2*) in the other order.  What the readout reads is h of the top layer: r_t = h_t.
"""
from typing import Any, NamedTuple

import numpy as np

from ..core import tree
from ..layers import recurrent
from ..layers.cells import CELLS
from . import inputs
from .config import Config


class EncoderOutput(NamedTuple):    # what the decoder may read of the source besides its initial state
    memory: Any                # layers.attention.Memory, or None without attention
    ctx: Any                   # (N, C), the same at every step, or None
    ids: Any = None            # (T, N), the words of the source where they can be copied, or None

    def select(self, rows: Any) -> "EncoderOutput":
        """What belongs to some examples, in any order and any number of times."""
        return EncoderOutput(tree.map(lambda a: a[:, rows], self.memory), None if self.ctx is None else self.ctx[rows],
                             None if self.ids is None else self.ids[:, rows])


class State(NamedTuple):       # what one step hands to the next
    layers: tuple              # of a cell's State
    z: Any                     # the fused state, or None without input feeding


class StepCache(NamedTuple):
    cells: tuple
    attend: Any
    fuse: Any


def step(p: Any, config: Config, source: EncoderOutput, ids: np.ndarray, s: State,
         masks: tuple | None = None) -> tuple[np.ndarray, State, StepCache]:
    """Advance one step: decoder Params, tokens y_{t-1} (N,), State -> r (N, H), State, StepCache."""
    cell = CELLS[config.cell]
    x = inputs.forward(p.embedding, ids)                                         # (D2)
    h, layers, cells = recurrent.step(cell, p.layers, x, s.layers, masks, config.residual)    # (D3)
    return h, State(layers, None), StepCache(cells, None, None)


def step_backward(p: Any, config: Config, source: EncoderOutput, k: StepCache, dr: np.ndarray, d: State,
                  masks: tuple | None = None, dalpha: Any = None) -> tuple[np.ndarray, State, EncoderOutput, tuple]:
    """Pull dr (N, H) and State gradients `d` back one step: -> demb (N, E), State (t-1), EncoderOutput, gradients.

    The gradients are those of (layers, score, fusion).
    """
    cell = CELLS[config.cell]
    dx, dlayers, grads = recurrent.step_backward(cell, p.layers, k.cells, dr, d.layers, masks,
                                                 config.residual)                   # (D3*)
    demb = dx                                                                       # (D2*)
    return demb, State(dlayers, None), EncoderOutput(None, None), (grads, None, None)
