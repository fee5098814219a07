"""The three sub-layers of a Transformer, compiled; read minis2s/model/transformer_sublayers.py first.

    x ── branch ──> u ── attention, or feed-forward ──> z ── join with x ──> x, now y
    dy ── join ──> dx, dz ── ... ──> du ── branch ──> dx is complete

All arrays have a row for each position and example, (S N, D); the Caches are the reference implementation's, and their
arrays are there before (transformer_buffers.py).  `lengths` says how many keys an example has.

(TS1)..(TS3) forward; (TS1*)..(TS3*) backward.
"""
from functools import cache as once
from typing import Callable, NamedTuple

import numpy as np

from ..layers import feed_forward as feed_forward_layers, layer_norm
from ..layers.attention import multi_head
from ..layers.residual import NORMS
from ..linalg.rows import copy
from ..runtime.arena import empty_like, release
from ..runtime.jit import inlined, internal_kernel
from ..runtime.threads import over_rows

WORK = 10                      # of a number on its way through a norm


class Sublayers(NamedTuple):   # internal kernels; the arena is released at their end
    self_attention: Callable             # arena, p, x, k, lengths, causal, m: x becomes y
    cross_attention: Callable            # arena, p, x, k, lengths, m: likewise; k has its keys and values already
    feed_forward: Callable               # arena, p, x, k, m: likewise
    feed_forward_backward: Callable      # arena, p, g, k, dy, m, dx
    cross_attention_backward: Callable   # arena, p, g, k, dy, lengths, m, dk, dv, dx: dk and dv go to the encoder
    self_attention_backward: Callable    # arena, p, g, k, dy, lengths, m, dx


@once
def sublayers(norm, phi):
    """-> Sublayers for a place of the norm and an activation."""
    return Sublayers(*attention(norm)[:2], *feed_forward(norm, phi), *attention(norm)[2:])


@once
def attention(norm):
    """-> the four functions of self- and cross-attention."""
    branch, join, join_backward, branch_backward, add_norm_gradients = NORMS[norm]

    @internal_kernel(f"sublayers.self_attention.{norm}")
    def self_attention(arena, p, x, k, lengths, causal, m):
        z = empty_like(arena, x)
        over_rows(branch, (p.norm, x, k), len(x), WORK * x.size)
        multi_head.keys_values(arena, p.f, k.u, k.f.heads.k, k.f.heads.v)               # (TS1)
        multi_head.attend(arena, p.f, k.u, k.f, lengths, causal, z)                     # (TS1)
        over_rows(join, (p.norm, x, z, m, k), len(x), WORK * x.size)
        release(arena)

    @internal_kernel(f"sublayers.cross_attention.{norm}")
    def cross_attention(arena, p, x, k, lengths, m):
        z = empty_like(arena, x)
        over_rows(branch, (p.norm, x, k), len(x), WORK * x.size)
        multi_head.attend(arena, p.f, k.u, k.f, lengths, np.bool_(0), z)                      # (TS2)
        over_rows(join, (p.norm, x, z, m, k), len(x), WORK * x.size)
        release(arena)

    @internal_kernel(f"sublayers.cross_attention_backward.{norm}")
    def cross_attention_backward(arena, p, g, k, dy, lengths, m, dk, dv, dx):
        dz, du, here = empty_like(arena, dy), empty_like(arena, dy), empty_like(arena, dy)
        over_rows(join_backward, (p.norm, k, dy, m, dx, dz), len(dy), WORK * dy.size)
        multi_head.attend_backward(arena, p.f, g.f, k.u, k.f, dz, lengths, dk, dv, du)           # (TS2*)
        over_rows(branch_backward, (p.norm, k, du, here, dx), len(dy), WORK * dy.size)
        add_norm_gradients(g.norm, k, dy, du)
        release(arena)

    @internal_kernel(f"sublayers.self_attention_backward.{norm}")
    def self_attention_backward(arena, p, g, k, dy, lengths, m, dx):
        dz, du, here = empty_like(arena, dy), empty_like(arena, dy), empty_like(arena, dy)
        dk, dv = empty_like(arena, dy), empty_like(arena, dy)
        over_rows(join_backward, (p.norm, k, dy, m, dx, dz), len(dy), WORK * dy.size)
        multi_head.attend_backward(arena, p.f, g.f, k.u, k.f, dz, lengths, dk, dv, du)          # (TS1*)
        multi_head.keys_values_backward(arena, p.f, g.f, k.u, dk, dv, du)      # (TS1*) fork: u asks and is asked
        over_rows(branch_backward, (p.norm, k, du, here, dx), len(dy), WORK * dy.size)
        add_norm_gradients(g.norm, k, dy, du)
        release(arena)
    return self_attention, cross_attention, cross_attention_backward, self_attention_backward


@once
def feed_forward(norm, phi):
    """-> both functions of the feed-forward sub-layer."""
    branch, join, join_backward, branch_backward, add_norm_gradients = NORMS[norm]
    layer, layer_backward, _ = feed_forward_layers.LAYERS[phi]

    @internal_kernel(f"sublayers.feed_forward.{norm}-{phi}")
    def forward(arena, p, x, k, m):
        z = empty_like(arena, x)
        over_rows(branch, (p.norm, x, k), len(x), WORK * x.size)
        layer(arena, p.f, k.u, k.f, z)                                                  # (TS3)
        over_rows(join, (p.norm, x, z, m, k), len(x), WORK * x.size)
        release(arena)

    @internal_kernel(f"sublayers.feed_forward_backward.{norm}-{phi}")
    def backward(arena, p, g, k, dy, m, dx):
        dz, du, here = empty_like(arena, dy), empty_like(arena, dy), empty_like(arena, dy)
        da = empty_like(arena, k.f.a)
        over_rows(join_backward, (p.norm, k, dy, m, dx, dz), len(dy), WORK * dy.size)
        layer_backward(arena, p.f, g.f, k.u, k.f, dz, da, du)                           # (TS3*)
        over_rows(branch_backward, (p.norm, k, du, here, dx), len(dy), WORK * dy.size)
        add_norm_gradients(g.norm, k, dy, du)
        release(arena)
    return forward, backward


# The norm at the end of a stack -------------------------------------------------------------------------------

@internal_kernel("sublayers.norm_rows")
def norm_rows(p, x, k, r0, r1):
    layer_norm.forward(p, x, k, x, r0, r1)


@internal_kernel("sublayers.norm_rows_backward")
def norm_rows_backward(p, k, dy, dx, r0, r1):
    layer_norm.backward(p, k, dy, dx, r0, r1)


@inlined
def norm_at_end(p, x, k):
    """x becomes its norm."""
    over_rows(norm_rows, (p, x, k), len(x), WORK * x.size)


@inlined
def norm_at_end_backward(p, g, k, dy, dx):
    over_rows(norm_rows_backward, (p, k, dy, dx), len(dy), WORK * dy.size)
    layer_norm.add_gradients(g, k, dy)


@inlined
def nothing_at_end(p, x, k):
    """Post-norm: the last sub-layer has ended with a norm."""


@internal_kernel("sublayers.copy_rows")
def copy_rows(dy, dx, r0, r1):
    copy(dx, dy, r0, r1)


@inlined
def nothing_at_end_backward(p, g, k, dy, dx):
    over_rows(copy_rows, (dy, dx), len(dy), dy.size)


FINAL_NORMS = {"pre": (norm_at_end, norm_at_end_backward), "post": (nothing_at_end, nothing_at_end_backward)}
