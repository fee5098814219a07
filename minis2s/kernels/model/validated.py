"""Parameters that compiled code can rely on: it checks neither shapes nor strides, and with wrong ones it would read
and write memory outside of the arrays.

    p ──> of this Config's shapes and dtype? ──no──> ValueError, TypeError
                   │yes
          each array without gaps? ──no──> a copy of that array
                   │yes
                   p
"""
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy import ascontiguousarray as contiguous

from ...core import initializers, tree, validation as input_checks
from ...layers import frame_input, linear
from ...layers.attention import SCORES
from ...layers.cells import CELLS
from ...model import decoder, dropout_masks
from ...model.checks import check_masks, check_params, own_words
from ..core import validation

LAST = [(None, None)]          # a Config, and Params that are validated: a search passes the same ones again


def validated(p, config):
    """seq2seq.Params -> the same, or with copies of those arrays that have gaps or another order.

    Raises
    ------
    ValueError, TypeError
        For parameters of another Config.
    """
    config_then, then = LAST[0]
    if p is then and config is config_then:
        return p
    if config.residual:
        raise ValueError("residual=True: models with residual connections have no compiled implementation; NumPy "
                         "computes them")
    check_params(p, config)
    for name, a in tree.named(p):
        if a.dtype != config.dtype:
            raise TypeError(f"p: {name} has dtype {a.dtype}, wanted {config.dtype} of this Config")
    if not all([a.flags.c_contiguous for a in tree.leaves(p)]):
        return tree.map(contiguous, p)                         # copies of today's numbers: they are not remembered
    remember_validated(p, config)
    return p


def remember_validated(p, config):
    """Note that these Params are validated."""
    LAST[0] = config, p


def int64_ids(ids):
    """Token ids as int64 in the machine's byte order: for each other dtype all kernels would be compiled once more."""
    return contiguous(ids, np.int64)


def frames_of(name, config, frames):
    """Frames as compiled code wants them: of the Config's dtype, and not complex, as the complex step has them."""
    if frames.dtype != config.dtype:
        raise TypeError(f"{name}: got dtype {frames.dtype}, wanted {config.dtype} of this Config")
    return contiguous(frames)


def inputs_of(config, inputs):
    """What a decoder is fed, token ids or frames, as compiled code wants it: words that only a copy can say are UNK."""
    if config.target == "frames":
        return frames_of("inputs", config, inputs)
    return int64_ids(decoder.read_ids(config, inputs))


def check_steps(name, config, inputs, source_ids=None):
    """Require what a decoder of this Config can be fed: token ids (S, N), those of words of the sources too where words
    are copied, or frames (S, N, F)."""
    if config.target == "frames":
        input_checks.array(name, inputs, ("S", "N", config.target_frame_size))
        frames_of(name, config, inputs)
        return
    input_checks.ids(name, inputs, config.target_vocab + own_words(config, source_ids), ("S", "N"))


@lru_cache
def decoder_arrays(config):
    """Names and shapes of a decoder's parameters, shared weights standing where they are used."""
    p = decoder.init(initializers.Sizes(), replace(config, tied_cells=False, tied_embedding=False))
    names = {f"p.{name}": a.shape for name, a in tree.named(p)}
    return tuple(names), list(names.values())


def check_decoder(p, config):
    """Require decoder.Params of this Config, shared weights standing where they are used (seq2seq.untie)."""
    validation.kind("p", p, decoder.Params)
    validation.kind("p.layers", p.layers, tuple)
    for i, layer in enumerate(p.layers):
        validation.kind(f"p.layers.{i}", layer, CELLS[config.cell].Params)
    if config.context == "attention":
        validation.kind("p.score", p.score, SCORES[config.attention].Params)
    if config.target == "frames":
        validation.kind("p.embedding", p.embedding, frame_input.Params)
    for name in ("readout", "gate") if config.readout == "copy" else ():
        validation.kind(f"p.{name}", getattr(p, name), linear.Params)
    (names, shapes), given = decoder_arrays(config), tree.leaves(p)
    if len(given) != len(names):
        raise ValueError(f"p: {len(given)} arrays, wanted {len(names)} of this Config: {', '.join(names)}")
    validation.arrays(np.dtype(config.dtype), names, shapes, given)


def check_decoder_inputs(p, config, source, layers, masks, output_mask, N):
    """Require what a decoder with these parameters reads of N examples: source, initial states and dropout masks."""
    dtype, C, sizes = np.dtype(config.dtype), config.encoder_size, dropout_masks.sizes(config)
    if config.context == "attention":
        hs, keys, mask = source.memory
        validation.floats("source.memory.hs", hs, 3)
        validation.array("source.memory.hs", hs, dtype, (len(hs), N, C))
        validation.bools("source.memory.mask", mask, (len(hs), N))
        if hasattr(p.score, "W_h"):
            validation.array("source.memory.keys", keys, dtype, (len(hs), N, p.score.W_h.shape[1]))
    elif config.context == "every-step":
        validation.array("source.ctx", source.ctx, dtype, (N, C))
    if config.readout == "copy":
        input_checks.ids("source.ids", source.ids, config.target_vocab + len(hs), (len(hs), N))
    if len(layers) != config.layers:
        raise ValueError(f"layers: {len(layers)} states, wanted one for each of {config.layers} layers")
    for i, s in enumerate(layers):
        validation.kind(f"layers.{i}", s, CELLS[config.cell].State)
        for name, a in zip(s._fields, s):
            validation.array(f"layers.{i}.{name}", a, dtype, (N, config.hidden))
    check_masks(dropout_masks.DropoutMasks(None, masks, output_mask), sizes, N)
