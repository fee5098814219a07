"""Compiled implementation of seq2seq.py: loss_and_gradient and logits are one compiled call each, made for a Config.

    p, g, batch ──> encoder ──> decoder ──> readout and loss ──> L
                       │           │              │
      g += ...   <─────┴── back ───┴──── back ────┘

The gradient is added to views of one flat array, which the optimizer reads directly.
The readout and its loss are one function (layers/readout.py), so the logits of a batch are never in memory.

(S1)..(S5) forward; (S1*)..(S5*) backward.
"""
from functools import cache as once

import numpy as np
from numpy import ascontiguousarray as contiguous

from ...core import tree
from ...layers.attention import SCORES
from ...layers.cells import CELLS
from ...model import bridge, seq2seq as reference
from ...model.checks import check_batch, check_source
from ...model.decoder import EncoderOutput
from ...model.dropout_masks import DropoutMasks
from ..core.tree import unpacked
from ..layers import attention, frame_output, loss, readout, readout_copying
from ..layers.copying import words_of
from ..linalg.rows import copy
from ..runtime.arena import in_an_arena, release, scratch_arena
from ..runtime.jit import arena_kernel
from ..runtime.linking import call_linked
from . import decoder, encoder
from .decoder_buffers import key_of, optional, variant_of
from .decoder_outputs import OUTPUTS
from .encoder import dropped, source_of
from .validated import frames_of, inputs_of, int64_ids, validated


def encode(p, config, ids, mask, masks=None):
    """See model.seq2seq.encode: for any encoder, a compiled call for each part."""
    check_source(config, ids, mask)
    cell, read = CELLS[config.cell], reference.decoder.read_ids(config, ids)
    hs, finals, k_encoder = encoder.forward(p.encoder, cell, read, mask, masks and masks.encoder)    # (S1)
    s0, k_bridge = bridge.forward(p.bridge, config.bridge, finals)      # (S2)
    source = EncoderOutput(None, None)
    if config.context == "attention":
        memory = attention.precompute_keys(SCORES[config.attention], p.decoder.score, hs, mask)          # (S3)
        source = EncoderOutput(memory, None)
    elif config.context == "every-step":
        source = EncoderOutput(None, k_bridge.finals[-1].h)                    # (S3)
    if config.readout == "copy":
        source = source._replace(ids=int64_ids(ids))
    return source, s0, reference.EncodeCache(hs, k_encoder, k_bridge, finals)


def encode_backward(p, config, source, k, dsource, ds0):
    """See model.seq2seq.encode_backward."""
    dhs, g_score = np.zeros_like(k.hs), None
    dfinals, g_bridge = bridge.backward(p.bridge, config.bridge, k.bridge, ds0)                      # (S2*)
    if config.context == "attention":
        dhs, g_score = attention.precompute_keys_backward(SCORES[config.attention], p.decoder.score, source.memory,
                                                          dsource.memory)                            # (S3*)
    elif config.context == "every-step":
        top = dfinals[-1]
        dfinals = (*dfinals[:-1], top._replace(h=top.h + dsource.ctx))  # (S3*) fork
    dfinals = tuple(bridge.split(like, d) for like, d in zip(k.finals, dfinals))
    g_encoder = encoder.backward(p.encoder, CELLS[config.cell], k.encoder, dhs, dfinals)        # (S1*)
    return g_encoder, g_bridge, g_score


def forward(p, config, batch, teacher_mask=None, masks=None):
    """See model.seq2seq.forward: a compiled call for each part, whose caches can be inspected."""
    check_batch(config, batch, teacher_mask, masks)
    p = reference.untie(validated(p, config), config)
    source, s0, k_encode = encode(p, config, batch.source, batch.source_mask, masks)                 # (S1) (S2) (S3)
    logits, k_decoder = decoder.forward(p.decoder, config, source, s0, batch.inputs, teacher_mask,
                                        masks and masks.decoder, masks and masks.output)             # (S4)
    answers = logits, batch.targets, batch.target_mask
    if config.target == "frames":
        L, k_loss = frame_output.forward(*answers, config.frame_error)                               # (S5)
    else:
        L, k_loss = loss.forward(*answers, config.label_smoothing)                                   # (S5)
    return L, logits, reference.Cache(k_encode, source, k_decoder, k_loss)


def backward(p, config, k):
    """See model.seq2seq.backward, for a cache of `forward` above."""
    p = reference.untie(p, config)
    dlogits = (frame_output if config.target == "frames" else loss).backward(k.loss)                 # (S5*)
    gradients = decoder.backward(p.decoder, config, k.source, k.decoder, dlogits)                    # (S4*)
    return whole_gradient(p, config, k.source, k.encode, *gradients)


def whole_gradient(p, config, source, k_encode, g_decoder, ds0, dsource):
    """The gradients that `decoder.backward` returns -> the gradient of all Params."""
    g_encoder, g_bridge, g_score = encode_backward(p, config, source, k_encode, dsource, ds0)    # (S3*) (S2*) (S1*)
    g_decoder = g_decoder._replace(score=tree.add(g_decoder.score, g_score))    # fork: keys and queries
    return reference.tie_gradients(reference.Params(g_encoder, g_bridge, g_decoder), config)


def loss_and_gradient(p, config, batch, teacher_mask=None, masks=None):
    """See seq2seq.loss_and_gradient."""
    p = validated(p, config)
    if is_one_call(config, batch):
        p = reference.untie(p, config)
        L, g = flat_gradient(p, config, batch, teacher_mask, masks)
        return L, reference.tie_gradients(FlatParams.of(g, p), config)
    check_batch(config, batch, teacher_mask, masks)
    masks = masks and tree.map(lambda m: contiguous(m, config.dtype), masks)
    if config.target == "tokens" and np.ndim(batch.targets) == 3:       # one-hot
        L, _, k = forward(p, config, batch, teacher_mask, masks)
        return L, backward(p, config, k)
    return part_by_part(reference.untie(p, config), config, batch, teacher_mask, masks)


def flat_gradient(p, config, batch, teacher_mask, masks):
    """Loss, and the gradient in one flat array, of validated Params whose shared weights stand at each use.  See
    is_one_call."""
    step, args = gradient_call(p, config, batch, teacher_mask, masks)
    return in_an_arena(step, *args), args[1]


def gradient_call(p, config, batch, teacher_mask, masks):
    """The kernel of `flat_gradient` and its arguments after the arena; the second is the gradient, still zeros."""
    batch, masks = arguments(config, batch, teacher_mask, masks), masks or DropoutMasks(None, None, None)
    g = np.zeros(sum([a.size for a in tree.leaves(p)]), config.dtype)
    step = whole(variant_of(config, masks.decoder is not None, masks.output is not None), config.bridge,
                 source_of(config))
    return step, (p, g, *batch)


def is_one_call(config, batch):
    """Whether `whole` covers such a model and such targets."""
    return encoder.covers(config) and (config.target == "frames" or np.ndim(batch.targets) == 2)


def arguments(config, batch, teacher_mask, masks):
    """A batch and its masks, checked, as compiled code wants them."""
    check_batch(config, batch, teacher_mask, masks)
    check_source(config, batch.source, batch.source_mask)
    none = np.zeros((0, 0), config.dtype)
    encoder_masks = (none,) * config.layers
    if masks and masks.encoder is not None:
        encoder_masks = tuple([contiguous(m, config.dtype) for m in masks.encoder])
    source, source_mask, inputs, targets, target_mask = batch
    if config.target == "frames":
        answers = frames_of("targets", config, targets), contiguous(target_mask), config.frame_error == "absolute"
    else:
        answers = int64_ids(targets), contiguous(target_mask), float(config.label_smoothing)
    return (steps_of(config, source), contiguous(source_mask), inputs_of(config, inputs), *answers, encoder_masks,
            *optional(teacher_mask, masks and masks.decoder, masks and masks.output, config.dtype))


def steps_of(config, source):
    """Token ids, words that may be copied, or frames, as compiled code wants them."""
    if config.readout == "copy":
        return words_of(source, config.source_vocab)
    return frames_of("source", config, source) if config.source == "frames" else int64_ids(source)


def logits(p, config, batch, teacher_mask=None):
    """See seq2seq.logits."""
    p = validated(p, config)
    if not encoder.covers(config):
        return forward(p, config, batch, teacher_mask)[1]
    source, source_mask, inputs, _, _, _, encoder_masks, teacher_mask, *_ = arguments(config, batch, teacher_mask, None)
    return all_logits(p, config, source, source_mask, inputs, encoder_masks, teacher_mask)


def forced_and_free(p, config, batch):
    """See architectures.forced_and_free: each source is read once, for two neighbouring rows of the decoder."""
    p = validated(p, config)
    if not encoder.covers(config):
        return logits(p, config, batch), logits(p, config, batch, np.zeros(batch.inputs.shape[:2], bool))
    source, source_mask, inputs, _, _, _, encoder_masks, *_ = arguments(config, batch, None, None)
    both = np.repeat(inputs, 2, axis=1)
    forced = np.arange(both.shape[1]) % 2 == 0
    out = all_logits(p, config, source, source_mask, both, encoder_masks, np.tile(forced, (len(both), 1)))
    return out[:, 0::2], out[:, 1::2]


def all_logits(p, config, source, source_mask, inputs, encoder_masks, teacher_mask):
    """The logits of checked arrays; `inputs` (S, N) may have several neighbouring rows for each source."""
    p, none = reference.untie(p, config), np.zeros((0, 0), config.dtype)
    size = config.output_size
    if config.readout == "copy":
        size = max(size, int(source.ids.max()) + 1)
    out = np.empty((*inputs.shape[:2], size), config.dtype)
    in_an_arena(forwards(variant_of(config, False, False), config.bridge, source_of(config)), p, source, source_mask,
                inputs, encoder_masks, teacher_mask, (none,), none, out)
    return out


class FlatParams(reference.Params, tree.Flat):
    """A gradient whose arrays are views of one."""


def of_source(kind):
    """What the kind of source adds to a kernel's key: nothing for tokens."""
    return () if kind == "tokens" else (kind,)


@once
def whole(c, bridge, kind="tokens"):
    """-> loss and gradient of a batch, for this decoder_buffers.Variant, this kind of bridge, and of source."""
    encode_loops, decode = encoder.loops(c, bridge, kind), decoder.loops(c)
    encode, encode_backward, states, states_backward = *encode_loops, decode.forward, decode.backward
    input_gradients, read_out = decode.input_gradients, OUTPUTS[c.output].loss_and_gradient

    @arena_kernel(f"seq2seq.{key_of((*c, bridge, *of_source(kind)))}", loops=False)
    def loss_and_gradient(arena, p, flat, source, source_mask, inputs, targets, target_mask, option, encoder_masks,
                          teacher_mask, decoder_masks, output_mask):
        g = unpacked(flat, p)
        ks, encoder_output, s0 = call_linked(encode, (arena, p, source, source_mask, encoder_masks))    # (S1) (S2) (S3)
        release(scratch_arena(arena))
        decoder_arena = scratch_arena(arena)
        k = call_linked(states, (decoder_arena, p.decoder, encoder_output, s0, inputs, teacher_mask, decoder_masks,
                                 output_mask))                                          # (S4)
        release(scratch_arena(decoder_arena))
        L, drs, dalpha = read_out(decoder_arena, p.decoder, g.decoder, k, dropped(decoder_arena, k.rs, output_mask),
                                  targets, target_mask, option)         # (S4) (S5) (S5*) (S4*)
        release(scratch_arena(decoder_arena))
        drs = dropped(decoder_arena, drs, output_mask)
        d = call_linked(states_backward, (decoder_arena, arena, p.decoder, g.decoder, k, drs, dalpha))       # (S4*)
        dsource, ds0 = input_gradients(arena, d)
        release(decoder_arena)
        release(scratch_arena(decoder_arena))
        call_linked(encode_backward, (arena, p, g, source, source_mask, encoder_masks, ks, dsource,
                                      ds0))                             # (S3*) (S2*) (S1*)
        return L
    return loss_and_gradient


@once
def forwards(c, bridge, kind="tokens"):
    """-> the logits of a batch, for this decoder_buffers.Variant, this kind of bridge, and of source."""
    encode, states = encoder.loops(c, bridge, kind).forward, decoder.loops(c).forward
    say_all = OUTPUTS[c.output].say_all

    @arena_kernel(f"seq2seq.logits.{key_of((*c, bridge, *of_source(kind)))}", loops=False)
    def logits(arena, p, source, source_mask, inputs, encoder_masks, teacher_mask, decoder_masks, output_mask, out):
        _, encoder_output, s0 = call_linked(encode, (arena, p, source, source_mask, encoder_masks))    # (S1) (S2) (S3)
        k = call_linked(states, (arena, p.decoder, encoder_output, s0, inputs, teacher_mask, decoder_masks,
                                 output_mask))                          # (S4)
        if len(teacher_mask) > 0:                                       # then each step has read out
            for t in range(len(out)):
                copy(out[t], k.logits[t], 0, out.shape[1])
        else:
            say_all(arena, k, p.decoder, out)                           # (S4)
    return logits


def part_by_part(p, config, batch, teacher_mask, masks):
    """The same for encoders that encoder.py does not cover: each part a compiled call of its own."""
    source, s0, k_encode = encode(p, config, batch.source, batch.source_mask, masks)                 # (S1) (S2) (S3)
    k = decoder.states(p.decoder, config, source, s0, batch.inputs, teacher_mask, masks and masks.decoder,
                       masks and masks.output)                          # (S4)
    L, *gradients = output_loss(p.decoder, config, source, k, batch)    # (S4) (S5) (S5*) (S4*)
    gradients = decoder.states_backward(p.decoder, config, source, k, *gradients)                    # (S4*)
    return L, whole_gradient(p, config, source, k_encode, *gradients)


def output_loss(p, config, source, k, batch):
    """The loss of what the states say: -> L, drs, the readout's gradient, and of a readout that copies dalpha, the
    gate's."""
    if config.readout == "copy":
        L, drs, dalpha, g_readout, g_gate = readout_copying.loss_and_gradient(
            p.readout, p.gate, k.rs, decoder.alphas(k), source.ids, batch.targets, batch.target_mask)
        return L, drs, g_readout, dalpha, g_gate
    if config.target == "frames":
        return frame_output.loss_and_gradient(p.readout, k.rs, batch.targets, batch.target_mask, config.frame_error)
    return readout.loss_and_gradient(p.readout, k.rs, batch.targets, batch.target_mask, config.label_smoothing)
