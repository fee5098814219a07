"""The dropout masks of a batch: one for each place where something is dropped (Gal & Ghahramani 2016)."""
from typing import Any, NamedTuple

import numpy as np

from ..core import tree
from ..layers import dropout
from .config import Config


class DropoutMasks(NamedTuple):    # each None where nothing is dropped
    encoder: Any               # tuple: (N, D) for each layer's input
    decoder: Any
    output: Any                # (N, R)


def sizes(config: Config) -> DropoutMasks:
    """How many units the masks are for: -> DropoutMasks of numbers."""
    above = config.layers - 1
    return DropoutMasks((config.embedding,) + (config.encoder_size,) * above,
                        (config.decoder_input_size,) + (config.hidden,) * above, config.readout_size)


def draw(rng: np.random.Generator, config: Config, N: int) -> DropoutMasks | None:
    """Draw the masks of a batch of N examples; None where the rate is 0."""
    if config.dropout == 0:
        return None
    return tree.map(lambda D: dropout.draw(rng, config.dropout, (N, D), config.dtype), sizes(config))
