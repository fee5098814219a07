"""The dropout masks of a batch for a Transformer: another mask at every position, as in the paper.

Source: Vaswani et al. (2017), section 5.4: dropped are the sums of embedding and position, and what every sub-layer
gives, before it is added.  Shapes: T source steps, S target steps, N batch, D model size.
"""
from typing import Any, NamedTuple

import numpy as np

from ..core import tree, validation
from ..layers import dropout
from .config import Config

SUBLAYERS = {"encoder": 2, "decoder": 3}


class StackMasks(NamedTuple):  # of one side
    inputs: Any                # (steps, N, D), of embeddings with positions
    layers: tuple              # for each layer a tuple, a mask (steps, N, D) for each of its sub-layers


class DropoutMasks(NamedTuple):
    encoder: StackMasks        # T steps
    decoder: StackMasks        # S steps


def shapes(config: Config, T: int, S: int, N: int) -> DropoutMasks:
    """What the masks look like: -> DropoutMasks of arrays of zeros that need no memory."""
    def side(steps: int, sublayers: int) -> StackMasks:
        one = np.broadcast_to(0.0, (steps, N, config.hidden))
        return StackMasks(one, ((one,) * sublayers,) * config.layers)
    return DropoutMasks(side(T, SUBLAYERS["encoder"]), side(S, SUBLAYERS["decoder"]))


def draw(rng: np.random.Generator, config: Config, T: int, S: int, N: int) -> DropoutMasks | None:
    """Draw the masks of a batch; None where the rate is 0."""
    if config.dropout == 0:
        return None
    return tree.map(lambda like: dropout.draw(rng, config.dropout, like.shape, config.dtype), shapes(config, T, S, N))


def of_layers(masks: StackMasks | None, config: Config, side: str) -> tuple:
    """For each layer the masks of its sub-layers; None for each of them where nothing is dropped."""
    return masks.layers if masks else ((None,) * SUBLAYERS[side],) * config.layers


def of_steps(masks: StackMasks | None, steps: slice) -> StackMasks | None:
    """The masks of some steps."""
    return masks and tree.map(lambda m: m[steps], masks)


def check(masks: DropoutMasks, config: Config, T: int, S: int, N: int) -> None:
    """Require masks of these shapes; ValueError, TypeError."""
    want, got = dict(tree.named(shapes(config, T, S, N))), dict(tree.named(masks))
    for name in sorted(want.keys() ^ got.keys()):
        raise ValueError(f"masks.{name}: {'missing' if name in want else 'not part of this Config'}")
    for name, a in got.items():
        validation.array(f"masks.{name}", a, want[name].shape)
