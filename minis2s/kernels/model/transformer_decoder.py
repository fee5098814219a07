"""Transformer decoder, compiled: all positions of a target at once, or, where the model is fed its own tokens, one
after the other (transformer_step.py); read minis2s/model/transformer_decoder.py first.

    inputs ── E, positions ──> r ── layer after layer, in place ──> r ── W, b, loss: see layers/readout.py
                                       ↑ keys and values of the source, made before for all layers

(TD1)..(TD6) forward; (TD1*)..(TD6*) backward.
"""
from functools import cache as once
from typing import Callable, NamedTuple

import numpy as np

from ..layers import linear, positions
from ..layers.attention import multi_head
from ..linalg.gemm import packed
from ..runtime.arena import empty, empty_like, release, scratch_arena
from ..runtime.jit import arena_function, arena_kernel, internal_kernel
from ..runtime.linking import call_linked
from ..runtime.threads import over_columns, over_rows
from .decoder_inputs import best_token
from .transformer_step import step_buffers, steps, work_of
from .transformer_sublayers import FINAL_NORMS, WORK, sublayers


class Decoder(NamedTuple):     # internal kernels
    forward: Callable          # arena, Params, positions, Cache, inputs, lengths, masks, r: the Cache and r are filled
    backward: Callable         # arena, Params, gradients, Cache, inputs, lengths, masks, gradient of positions, dr,
    #                            dks, dvs: for each layer the gradients of keys and values are filled


@arena_function
def whole_lengths(arena, S, N):
    """Every example's target is S long: padding stands where (SA5) hides it."""
    lengths = empty(arena, (N,), np.int64)
    for n in range(N):
        lengths[n] = S
    return lengths


@internal_kernel("transformer_decoder.source")
def source_of(arena, p, k, hs):
    """Keys and values (T N, D) of all layers, in their Caches."""
    for i in range(len(p.layers)):
        heads = k.layers[i].cross.f.heads
        multi_head.keys_values(arena, p.layers[i].cross.f, hs, heads.k, heads.v)
    release(arena)


@internal_kernel("transformer_decoder.source_backward")
def source_backward(arena, p, g, hs, dks, dvs, dhs):
    """The gradients of all layers' keys and values: dhs and g grow."""
    for i in range(len(p.layers)):
        multi_head.keys_values_backward(arena, p.layers[i].cross.f, g.layers[i].cross.f, hs, dks[i], dvs[i],
                                        dhs)                           # fork: every layer reads hs
    release(arena)


@internal_kernel("transformer_decoder.readout_rows")
def readout_rows(W, b, r, logits, r0, r1):
    linear.forward(W, b, r, logits, r0, r1)                                             # (TD6)


@internal_kernel("transformer_decoder.readout_rows_backward")
def readout_rows_backward(WT, dlogits, dr, r0, r1):
    linear.backward(WT, dlogits, dr, r0, r1)                                            # (TD6*)


@internal_kernel("transformer_decoder.readout")
def readout(arena, p, r, logits):
    """All logits (S N, V)."""
    over_rows(readout_rows, (packed(arena, p.W), p.b, r, logits), len(r), logits.size * r.shape[1])
    release(arena)


@internal_kernel("transformer_decoder.readout_backward")
def readout_backward(arena, p, g, r, dlogits, dr):
    over_rows(readout_rows_backward, (packed(arena, p.W.T), dlogits, dr), len(r), dlogits.size * r.shape[1])
    linear.add_gradient(g.W, r, dlogits)                                                # (TD6*)
    linear.add_bias_gradient(g.b, dlogits)                                              # (TD6*)
    release(arena)


@once
def decoder(norm, phi):
    """-> Decoder for a place of the norm and an activation."""
    of, (final_norm, final_norm_backward) = sublayers(norm, phi), FINAL_NORMS[norm]
    self_attention, self_attention_backward = of.self_attention, of.self_attention_backward
    cross_attention, cross_attention_backward = of.cross_attention, of.cross_attention_backward
    feed_forward, feed_forward_backward = of.feed_forward, of.feed_forward_backward

    @internal_kernel(f"transformer_decoder.forward.{norm}-{phi}")
    def forward(arena, p, P, k, ids, lengths, masks, r):
        here, whole = scratch_arena(arena), whole_lengths(arena, *ids.shape)
        over_rows(positions.forward, (p.embedding, P, ids, np.int64(0), masks.inputs, r), len(r),
                  WORK * r.size)  # (TD1)
        for i in range(len(p.layers)):
            q, k_layer, m = p.layers[i], k.layers[i], masks.layers[i]
            call_linked(self_attention, (here, q.attention, r, k_layer.attention, whole, np.bool_(1), m[0]))  # (TD2)
            call_linked(cross_attention, (here, q.cross, r, k_layer.cross, lengths, m[1]))                    # (TD3)
            call_linked(feed_forward, (here, q.feed_forward, r, k_layer.feed_forward, m[2]))                  # (TD4)
        final_norm(p.norm, r, k.norm)                                                   # (TD5)
        release(arena)

    @internal_kernel(f"transformer_decoder.backward.{norm}-{phi}")
    def backward(arena, p, g, k, ids, lengths, masks, dP, dr, dks, dvs):
        here, whole = scratch_arena(arena), whole_lengths(arena, *ids.shape)
        dx, dy = empty_like(arena, dr), empty_like(arena, dr)
        final_norm_backward(p.norm, g.norm, k.norm, dr, dy)                             # (TD5*)
        for i in range(len(p.layers) - 1, -1, -1):
            q, g_layer, k_layer, m = p.layers[i], g.layers[i], k.layers[i], masks.layers[i]
            call_linked(feed_forward_backward, (here, q.feed_forward, g_layer.feed_forward, k_layer.feed_forward, dy,
                                                m[2], dx))                              # (TD4*)
            call_linked(cross_attention_backward, (here, q.cross, g_layer.cross, k_layer.cross, dx, lengths, m[1],
                                                   dks[i], dvs[i], dy))                 # (TD3*)
            call_linked(self_attention_backward, (here, q.attention, g_layer.attention, k_layer.attention, dy, whole,
                                                  m[0], dx))                                   # (TD2*)
            dx, dy = dy, dx
        over_columns(positions.backward, (g.embedding, dP, ids, masks.inputs, dy), dy.shape[1],
                     WORK * dy.size)  # (TD1*)
        release(arena)
    return Decoder(forward, backward)


# Fed its own tokens -----------------------------------------------------------------------------------------

def free_running(p, config, source, lengths, P, ids, teacher_mask, masks):
    """See transformer_decoder.free_running: -> the tokens fed (S, N), and the logits (S, N, V).

    What it is given has been checked, shared weights stand at each use; source, lengths, P: see step_buffers.
    """
    (S, N), rows = ids.shape, np.arange(ids.shape[1])
    k, fed = step_buffers(p, config, source, lengths, P, N, S), ids.copy()
    logits = np.empty((S, N, config.target_vocab), config.dtype)
    free_runs(config.norm, config.feed_forward_activation)(
        k, masks, config.heads, fed, np.tile(rows, (S, 1)), rows, np.ascontiguousarray(teacher_mask), logits,
        S * N * work_of(k))
    return fed, logits


@once
def free_runs(norm, phi):
    """-> the kernel of `free_running` for a place of the norm and an activation."""
    step = steps(norm, phi)

    @internal_kernel(f"transformer_decoder.free_rows.{norm}-{phi}")
    def free_rows(k, masks, h, ids, previous, sources, teacher_mask, logits, n0, n1):
        for t in range(len(ids)):
            for n in range(n0, n1):
                if t > 0 and not teacher_mask[t, n]:
                    ids[t, n] = best_token(logits[t - 1, n])
            call_linked(step, (k, masks, h, ids, previous, sources, t, n0, n1))
            call_linked(readout_rows, (k.W, k.b, k.x, logits[t], n0, n1))               # (TD6)

    @arena_kernel(f"transformer_decoder.free_running.{norm}-{phi}", loops=False)
    def run(k, masks, h, ids, previous, sources, teacher_mask, logits, work):
        over_rows(free_rows, (k, masks, h, ids, previous, sources, teacher_mask, logits), ids.shape[1], work)
    return run
