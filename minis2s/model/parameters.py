"""A model's parameters: their first values, their shapes, and weights that stand at two places (ties, row D3.s)."""
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..core import initializers, tree, validation
from ..layers.cells import CELLS
from . import bridge, decoder, encoder, transformer_decoder, transformer_encoder
from .config import Config


class Params(NamedTuple):
    encoder: encoder.Params
    bridge: Any                # for each layer a State of linear.Params, or None
    decoder: decoder.Params


class TransformerParams(NamedTuple):
    encoder: transformer_encoder.Params
    decoder: transformer_decoder.Params


def init(config: Config, seed: int = 0) -> Any:
    """First parameters of a model, in the Config's dtype; the same seed gives the same bits.

    Raises
    ------
    ValueError, TypeError
        If the Config does not say how large the vocabularies are; for a seed that is no whole number from 0.
    """
    validation.whole("seed", seed, 0)
    return tree.map(lambda a: a.astype(config.dtype), init_float64(np.random.default_rng(seed), config))


def sizes(config: Config) -> tuple[str, str]:
    """The fields of a Config that say how large its source and its target are: their vocabulary, or a frame."""
    return ("frame_size" if config.source == "frames" else "source_vocab",
            "target_frame_size" if config.target == "frames" else "target_vocab")


def init_float64(rng: Any, config: Config) -> Any:
    """The same in float64, drawn from a random generator."""
    source, target = sizes(config)
    if None in (getattr(config, source), getattr(config, target)):
        raise ValueError(f"{source} and {target}: the Config must name both before a model can be made")
    if config.architecture == "transformer":
        return TransformerParams(transformer_encoder.init(rng, config), transformer_decoder.init(rng, config))
    cell = CELLS[config.cell]
    return Params(encoder.init(rng, config, cell),
                  bridge.init(rng, config.bridge, cell, config.encoder_size, config.hidden, config.layers),
                  decoder.init(rng, config))


@lru_cache
def shapes(config: Config) -> dict:
    """Names and shapes of the parameters of a Config: -> dict, not to be changed."""
    return {name: a.shape for name, a in tree.named(init_float64(initializers.Sizes(), config))}


def untie(p: Any, config: Config) -> Any:
    """Put shared weights where they are used: the decoder that results has parameters of its own to look at."""
    dec = p.decoder
    if config.tied_cells:
        dec = dec._replace(layers=p.encoder.layers)
    if config.tied_embedding:
        dec = dec._replace(readout=dec.readout._replace(W=dec.embedding.T))
    return p._replace(decoder=dec)


def tie_gradients(g: Any, config: Config) -> Any:
    """The gradient of a shared weight is the sum of those of its uses."""
    if not (config.tied_cells or config.tied_embedding):
        return g
    enc, dec = g.encoder, g.decoder
    if config.tied_cells:
        enc = enc._replace(layers=tree.add(enc.layers, dec.layers))                 # fork: both sides' cells
        dec = dec._replace(layers=None)
    if config.tied_embedding:
        dec = dec._replace(embedding=dec.embedding + dec.readout.W.T,               # fork: read in and read out
                           readout=dec.readout._replace(W=None))
    return g._replace(encoder=enc, decoder=dec)
