"""Twin of seq2seq.py's loss_and_gradient and logits: each one compiled call, put together for a Config.

    p, g, batch ──> encoder ──> decoder ──> readout and loss ──> L
                       │           │              │
      g += ...   <─────┴── back ───┴──── back ────┘

The gradient is added to views of one flat array, which the optimizer reads as it is.
The readout and its loss are one (readout.py), so the logits of a batch are never held.

(S1)..(S5) forward; (S1*)..(S5*) backward.
"""
from functools import cache as once

import numpy as np
from numpy import ascontiguousarray as contiguous

from ...model import seq2seq as page
from ...core import tree
from ..layers import readout
from . import decoder, encoder
from .encoder import dropped
from ..runtime.jit import alone, linked
from ..layers.readout import add_loss_and_gradient
from .validated import ready, ready_ids
from ..runtime.arena import beside, give_back, in_a_room
from ..core.tree import unpacked


def loss_and_gradient(p, config, batch, teacher=None, drops=None):
    """See seq2seq.loss_and_gradient."""
    p = ready(p, config)
    if is_one_call(config, batch):
        p = page.untie(p, config)
        L, g = flat_gradient(p, sum([a.size for a in tree.leaves(p)]), config, batch, teacher, drops)
        return L, page.tie_gradients(FlatParams.of(g, p), config)
    page.check_batch(config, batch, teacher, drops)
    drops = drops and tree.map(lambda m: contiguous(m, config.dtype), drops)
    if np.ndim(batch.targets) == 3:                                     # one-hot
        L, _, k = page.forward(p, config, batch, teacher, drops, "numba")
        return L, page.backward(p, config, k)
    return part_by_part(page.untie(p, config), config, batch, teacher, drops)


def flat_gradient(p, count, config, batch, teacher, drops):
    """Loss, and the gradient in one flat array, of `ready` Params of so many numbers, whose shared weights stand at
    each use.  See is_one_call."""
    batch, masks = given(config, batch, teacher, drops), drops or page.Drops(None, None, None)
    g = np.zeros(count, p.decoder.embedding.dtype)
    step = whole(decoder.choices(config, masks.decoder is not None, masks.output is not None), config.bridge)
    return in_a_room(step, p, g, *batch), g


def is_one_call(config, batch):
    """Whether `whole` knows such a model and such targets."""
    return encoder.covers(config) and np.ndim(batch.targets) == 2


def given(config, batch, teacher, drops):
    """A batch and what goes with it, looked at, as compiled code wants it."""
    page.check_batch(config, batch, teacher, drops)
    page.check_source(config, batch.source, batch.source_mask)
    none = np.zeros((0, 0), config.dtype)
    of_encoder = drops and drops.encoder
    of_encoder = (none,) * config.layers if of_encoder is None else tuple([contiguous(m, config.dtype)
                                                                           for m in of_encoder])
    source, source_mask, inputs, targets, target_mask = batch
    return (ready_ids(source), contiguous(source_mask), ready_ids(inputs), ready_ids(targets), contiguous(target_mask),
            float(config.label_smoothing), of_encoder,
            *decoder.optional(teacher, drops and drops.decoder, drops and drops.output, config.dtype))


def logits(p, config, batch, teacher=None):
    """See seq2seq.logits."""
    p = ready(p, config)
    if not encoder.covers(config):
        return page.forward(p, config, batch, teacher, backend="numba")[1]
    source, source_mask, inputs, _, _, _, *rest = given(config, batch, teacher, None)
    p = page.untie(p, config)
    made = np.empty((*batch.inputs.shape, len(p.decoder.readout.b)), config.dtype)
    in_a_room(forwards(decoder.choices(config, False, False), config.bridge), p, source, source_mask, inputs, *rest,
              made)
    return made


class FlatParams(page.Params, tree.Flat):
    """A gradient whose arrays are views of one."""

    @classmethod
    def of(cls, flat, p):
        """The gradient of Params whose numbers these are."""
        g = cls(*tree.unpacked(flat, p))
        g.flat = flat
        return g


@once
def whole(c, bridge):
    """-> loss and gradient of a batch, for these decoder.Choices and this kind of bridge."""
    read, decode = encoder.reading(c, bridge), decoder.loops(c)
    encode, encode_backward, states, states_backward = *read, decode.forward, decode.backward
    handed_back = decode.handed_back

    @alone(f"seq2seq.{decoder.key_of((*c, bridge))}")
    def loss_and_gradient(room, p, flat, source, source_mask, inputs, targets, target_mask, eps, of_encoder, teacher,
                          of_decoder, of_output):
        g = unpacked(flat, p)
        ks, told, s0 = linked(encode, (room, p, source, source_mask, of_encoder))    # (S1) (S2) (S3)
        give_back(beside(room))
        for_decoder = beside(room)
        k = linked(states, (for_decoder, p.decoder, told, s0, inputs, teacher, of_decoder, of_output))    # (S4)
        give_back(beside(for_decoder))
        L, drs = linked(add_loss_and_gradient, (
            for_decoder, p.decoder.readout, g.decoder.readout, dropped(for_decoder, k.rs, of_output), targets,
            target_mask, eps))                                          # (S4) (S5) (S5*) (S4*)
        give_back(beside(for_decoder))
        drs = dropped(for_decoder, drs, of_output)
        d = linked(states_backward, (for_decoder, room, p.decoder, g.decoder, k, drs))               # (S4*)
        dsource, ds0 = handed_back(room, d)
        give_back(for_decoder)
        give_back(beside(for_decoder))
        linked(encode_backward, (room, p, g, source, source_mask, of_encoder, ks, dsource, ds0))    # (S3*) (S2*) (S1*)
        return L
    return loss_and_gradient


@once
def forwards(c, bridge):
    """-> the logits of a batch, for these decoder.Choices and this kind of bridge."""
    encode, states = encoder.reading(c, bridge).forward, decoder.loops(c).forward

    @alone(f"seq2seq.logits.{decoder.key_of((*c, bridge))}")
    def logits(room, p, source, source_mask, inputs, of_encoder, teacher, of_decoder, of_output, made):
        _, told, s0 = linked(encode, (room, p, source, source_mask, of_encoder))    # (S1) (S2) (S3)
        k = linked(states, (room, p.decoder, told, s0, inputs, teacher, of_decoder, of_output))    # (S4)
        decoder.read_out_all(room, k.rs, p.decoder.readout.W, p.decoder.readout.b, made)             # (S4)
    return logits


def part_by_part(p, config, batch, teacher, drops):
    """The same for encoders that encoder.py does not cover: each part a compiled call of its own."""
    source, s0, k_encode = page.encode(p, config, batch.source, batch.source_mask, drops,
                                      "numba")                          # (S1) (S2) (S3)
    k = decoder.states(p.decoder, config, source, s0, batch.inputs, teacher, drops and drops.decoder,
                       drops and drops.output)                          # (S4)
    L, drs, g_readout = readout.loss_and_gradient(p.decoder.readout, k.rs, batch.targets, batch.target_mask,
                                                  config.label_smoothing)    # (S4) (S5) (S5*) (S4*)
    g_decoder, ds0, dsource = decoder.states_backward(p.decoder, config, source, k, drs, g_readout)    # (S4*)
    g_encoder, g_bridge, g_score = page.encode_backward(p, config, source, k_encode, dsource, ds0,
                                                        "numba")        # (S3*) (S2*) (S1*)
    g_decoder = g_decoder._replace(score=tree.add(g_decoder.score, g_score))    # fork: keys and queries
    return L, page.tie_gradients(page.Params(g_encoder, g_bridge, g_decoder), config)
