"""Transformer encoder, compiled; read minis2s/model/transformer_encoder.py first.

    ids ── E, positions ──> hs ── layer after layer, in place ──> hs

(TE1)..(TE4) forward; (TE1*)..(TE4*) backward.
"""
from functools import cache as once
from typing import Callable, NamedTuple

import numpy as np

from ..layers import positions
from ..runtime.arena import empty_like, release, scratch_arena
from ..runtime.jit import internal_kernel
from ..runtime.linking import call_linked
from ..runtime.threads import over_columns, over_rows
from .transformer_sublayers import FINAL_NORMS, WORK, sublayers


class Encoder(NamedTuple):     # internal kernels
    forward: Callable          # arena, Params, positions, Cache, ids, lengths, masks, hs: the Cache and hs are filled
    backward: Callable         # arena, Params, gradients, Cache, ids, lengths, masks, gradient of positions, dhs


@once
def encoder(norm, phi):
    """-> Encoder for a place of the norm and an activation."""
    of, (final_norm, final_norm_backward) = sublayers(norm, phi), FINAL_NORMS[norm]
    self_attention, self_attention_backward = of.self_attention, of.self_attention_backward
    feed_forward, feed_forward_backward = of.feed_forward, of.feed_forward_backward

    @internal_kernel(f"transformer_encoder.forward.{norm}-{phi}")
    def forward(arena, p, P, k, ids, lengths, masks, hs):
        over_rows(positions.forward, (p.embedding, P, ids, np.int64(0), masks.inputs, hs), len(hs),
                  WORK * hs.size)  # (TE1)
        for i in range(len(p.layers)):
            q, k_layer, m = p.layers[i], k.layers[i], masks.layers[i]
            call_linked(self_attention, (arena, q.attention, hs, k_layer.attention, lengths,
                                         np.bool_(0), m[0]))  # (TE2)
            call_linked(feed_forward, (arena, q.feed_forward, hs, k_layer.feed_forward, m[1]))                # (TE3)
        final_norm(p.norm, hs, k.norm)                                                  # (TE4)

    @internal_kernel(f"transformer_encoder.backward.{norm}-{phi}")
    def backward(arena, p, g, k, ids, lengths, masks, dP, dhs):
        here, dx, dy = scratch_arena(arena), empty_like(arena, dhs), empty_like(arena, dhs)
        final_norm_backward(p.norm, g.norm, k.norm, dhs, dy)                            # (TE4*)
        for i in range(len(p.layers) - 1, -1, -1):
            q, g_layer, k_layer, m = p.layers[i], g.layers[i], k.layers[i], masks.layers[i]
            call_linked(feed_forward_backward, (here, q.feed_forward, g_layer.feed_forward, k_layer.feed_forward, dy,
                                                m[1], dx))                              # (TE3*)
            call_linked(self_attention_backward, (here, q.attention, g_layer.attention, k_layer.attention, dx, lengths,
                                                  m[0], dy))                                  # (TE2*)
        over_columns(positions.backward, (g.embedding, dP, ids, masks.inputs, dy), dy.shape[1],
                     WORK * dy.size)  # (TE1*)
        release(arena)
    return Encoder(forward, backward)
