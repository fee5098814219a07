"""Compiled implementation of encoder.py, of recurrent.py below it and bridge.py above it, for layers in one direction.

    ids ── E ──> xs ── drop ── layer 0 ── hs ── drop ── layer 1 ── hs ──> memory, or one context
                                  └── final state ──────── └── final state ──> the decoder's first states

`loops` composes the cell's loop (unroll.py), layer after layer, and after it what the decoder receives (S2) (S3);
seq2seq.py and the searches make it part of their one call.  Bidirectional encoders, and bridges with parameters, are
computed by `forward` and `backward`, a compiled call for each part.  The xs of a source of frames come from
frame_input.py; all that follows is the same.

(S1)..(S3), (E1), (E2), (DR1) forward; (S1*)..(S3*), (E1*), (E2*), (DR1*) backward.
"""
from functools import cache as once
from typing import Callable, NamedTuple

from ...layers.attention import Memory
from ...layers.cells import CELLS
from ...layers.frame_input import Params as FrameInput
from ...model.decoder import EncoderOutput
from ...model.encoder import Cache, Params
from ..layers import attention, embedding, frame_input, recurrent, unroll
from ..layers.embedding import gather, scatter
from ..linalg.rows import add_rows, multiply
from ..runtime.arena import copied, zeros
from ..runtime.jit import arena_function, inlined, internal_kernel
from ..runtime.layer_tuples import each


def forward(p, cell, source, mask, masks=None):
    """See model.encoder.forward: for any encoder, a compiled call for each part."""
    if isinstance(p.embedding, FrameInput):
        xs = frame_input.forward(p.embedding, source)                    # (E2)
    else:
        xs = embedding.forward(p.embedding, source)                      # (E1)
    hs, finals, stack = recurrent.forward(cell, p.layers, xs, mask, masks)
    return hs, finals, Cache(source, stack)


def backward(p, cell, k, dhs, dfinals):
    """See model.encoder.backward."""
    dxs, layers = recurrent.backward(cell, p.layers, k.stack, dhs, dfinals)
    if isinstance(p.embedding, FrameInput):
        return Params(frame_input.backward(p.embedding, k.source, dxs), layers)    # (E2*)
    return Params(embedding.backward(p.embedding, k.source, dxs), layers)    # (E1*)


class Loops(NamedTuple):
    forward: Callable          # arena, seq2seq.Params, source, mask, dropout masks
    #                            -> ForwardBuffers of each layer's cell, EncoderOutput, the decoder's initial states
    backward: Callable         # see below


def covers(config):
    """Whether `loops` has the encoder of this Config."""
    return not config.bidirectional and config.bridge in ("copy", "zeros")


@arena_function
def dropped(arena, xs, m):
    """xs (T, N, D) times the mask (N, D); xs itself if the mask has no numbers."""
    if m.size == 0:
        return xs
    y = copied(arena, xs)
    for t in range(len(y)):
        multiply(y[t], m, 0, len(m))                                     # (DR1) (DR1*)
    return y


def layers_forward(n, forward):
    """-> f(arena, Params, xs, masks, mask) = the ForwardBuffers of n layers; a compiled loop cannot make a tuple."""
    @inlined
    def last(arena, ps, xs, masks, mask):
        return (forward(arena, ps[0], dropped(arena, xs, masks[0]), mask),)
    if n == 1:
        return last
    rest = layers_forward(n - 1, forward)

    @inlined
    def first_and_rest(arena, ps, xs, masks, mask):
        k = forward(arena, ps[0], dropped(arena, xs, masks[0]), mask)
        return (k,) + rest(arena, ps[1:], k.hs[1:], masks[1:], mask)
    return first_and_rest


def layers_backward(n, backward):
    """-> f(arena, Params, gradients, ForwardBuffers, masks, dhs of the top, dfinals, mask) = dxs; the top is first."""
    @inlined
    def first(arena, ps, gs, ks, masks, dhs, ds, mask):
        return dropped(arena, backward(arena, ps[0], gs[0], ks[0], dhs, ds[0], mask), masks[0])
    if n == 1:
        return first
    above = layers_backward(n - 1, backward)

    @inlined
    def after_those_above(arena, ps, gs, ks, masks, dhs, ds, mask):
        dhs = above(arena, ps[1:], gs[1:], ks[1:], masks[1:], dhs, ds[1:], mask)
        return first(arena, ps, gs, ks, masks, dhs, ds, mask)
    return after_those_above


# (S3): what the decoder may read, from the top layer's hs (T, N, H); and backward, to dhs ---------------------

def with_keys(score):
    """-> forward and backward for a Score whose keys are made of hs."""
    make_keys, keys_backward = score.make_keys, score.keys_backward

    @inlined
    def forward(arena, p, hs, mask):
        return EncoderOutput(Memory(hs, make_keys(arena, p, hs), mask), None)   # (S3)

    @inlined
    def backward(arena, p, g, hs, dsource, dh):
        dhs, dkeys, _ = dsource
        keys_backward(arena, p, g, hs, dkeys, dhs)                       # (S3*)
        return dhs
    return forward, backward


@inlined
def without_keys(arena, p, hs, mask):
    return EncoderOutput(Memory(hs, None, mask), None)                          # (S3)


@inlined
def without_keys_backward(arena, p, g, hs, dsource, dh):
    return dsource[0]                                                    # (S3*)


@inlined
def last_state(arena, p, hs, mask):
    return EncoderOutput(None, hs[len(hs) - 1])                                 # (S3)


@inlined
def last_state_backward(arena, p, g, hs, dsource, dh):
    add_rows(dh, dsource[2], 0, len(dh))                                  # (S3*) fork
    return zeros(arena, hs.shape, hs.dtype)


@inlined
def nothing(arena, p, hs, mask):
    return EncoderOutput(None, None)


@inlined
def nothing_backward(arena, p, g, hs, dsource, dh):
    return zeros(arena, hs.shape, hs.dtype)


# (S1): the layers' first inputs, of token ids (T, N), of copying.Words or of frames (T, N, F); and backward -----

@inlined
def embedded(arena, E, ids):
    return gather(arena, E, ids)                                         # (S1) (E1)


@inlined
def embedded_backward(g, ids, dxs):
    scatter(g, ids, dxs)                                                 # (S1*) (E1*)


@inlined
def words_embedded(arena, E, words):
    return gather(arena, E, words.read)                                  # (S1) (E1)


@inlined
def words_embedded_backward(g, words, dxs):
    scatter(g, words.read, dxs)                                          # (S1*) (E1*)


@inlined
def framed(arena, p, fs):
    return frame_input.read(arena, p, fs)                                # (S1) (E2)


@inlined
def framed_backward(g, fs, dxs):
    frame_input.add_gradients(g, fs, dxs)                                # (S1*) (E2*)


ENTRIES = {"tokens": (embedded, embedded_backward), "words": (words_embedded, words_embedded_backward),
           "frames": (framed, framed_backward)}


@inlined
def of_memory(source, output):
    return output


@inlined
def with_words(words, output):
    return EncoderOutput(output.memory, output.ctx, words.ids)


def source_of(config):
    """What the encoder reads: a key of ENTRIES."""
    return "words" if config.readout == "copy" else config.source


def output_of(c):
    """-> forward and backward of (S3) for this Variant."""
    if c.score and attention.SCORES[c.score].has_keys:
        return with_keys(attention.SCORES[c.score])
    if c.score:
        return without_keys, without_keys_backward
    return (last_state, last_state_backward) if c.every_step else (nothing, nothing_backward)


def bridge_of(c, bridge):
    """-> forward and backward of (S2) for all layers, and the zero state, for this Variant and kind of bridge."""
    state, State, copies = unroll.COMPILED[CELLS[c.cell_name]].state, CELLS[c.cell_name].State, bridge == "copy"
    has_c = "c" in State._fields

    @inlined
    def zero_state(arena, N, H, dtype):
        if has_c:
            return State(zeros(arena, (N, H), dtype), zeros(arena, (N, H), dtype))
        return State(zeros(arena, (N, H), dtype))

    @inlined
    def forward(arena, k):
        _, N, H = k.hs.shape
        return state(k) if copies else zero_state(arena, N, H, k.hs.dtype)    # (S2)

    @inlined
    def backward(arena, d):
        N, H = d.h.shape
        return d if copies else zero_state(arena, N, H, d.h.dtype)        # (S2*)
    return each(c.layers, forward), each(c.layers, backward), zero_state


@once
def loops(c, bridge, source="tokens"):
    """-> Loops for this decoder_buffers.Variant, this kind of bridge, "copy" or "zeros", and of source, a key of
    ENTRIES."""
    key = f"{c.cell_name}-{c.layers}-{c.score}-{c.every_step:d}-{bridge}" + ("" if source == "tokens" else f"-{source}")
    (enter, enter_backward), hand_on = ENTRIES[source], with_words if source == "words" else of_memory
    cell_cache, loop = unroll.COMPILED[CELLS[c.cell_name]].cache, unroll.loops(CELLS[c.cell_name])
    loop_forward, loop_backward = loop.forward, loop.backward
    (output, output_backward), (bridge_forward, bridge_backward, zero_state) = output_of(c), bridge_of(c, bridge)

    @inlined
    def layer(arena, p, xs, mask):
        return loop_forward(arena, p, xs, zero_state(arena, xs.shape[1], len(p.U), xs.dtype), mask)

    @inlined
    def layer_backward(arena, p, g, k, dhs, d, mask):
        return loop_backward(arena, p, g, cell_cache(k), dhs, d, mask).dxs
    all_layers, all_layers_backward = layers_forward(c.layers, layer), layers_backward(c.layers, layer_backward)

    @internal_kernel(f"encoder.forward.{key}", loops=False)
    def forward(arena, p, source, mask, masks):
        xs = enter(arena, p.encoder.embedding, source)                    # (S1)
        ks = all_layers(arena, p.encoder.layers, xs, masks, mask)         # (S1)
        top = ks[len(ks) - 1]
        encoded = hand_on(source, output(arena, p.decoder.score, top.hs[1:], mask))    # (S3)
        return ks, encoded, bridge_forward(arena, ks)                     # (S2)

    @internal_kernel(f"encoder.backward.{key}", loops=False)
    def backward(arena, p, g, source, mask, masks, ks, dsource, ds0):
        """Add to g the gradients through the EncoderOutput, (dhs, dkeys, dctx), and through the initial states."""
        ds, top = bridge_backward(arena, ds0), len(ks) - 1                # (S2*)
        dhs = output_backward(arena, p.decoder.score, g.decoder.score, ks[top].hs[1:], dsource, ds[top].h)    # (S3*)
        dxs = all_layers_backward(arena, p.encoder.layers, g.encoder.layers, ks, masks, dhs, ds, mask)    # (S1*)
        enter_backward(g.encoder.embedding, source, dxs)                  # (S1*)
    return Loops(forward, backward)
