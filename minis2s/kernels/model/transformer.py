"""Compiled implementation of transformer.py: loss and gradient of a batch are one compiled call, made for a Config.

    p, k, g ──> encoder ──> keys, values ──> decoder ──> readout and loss ──> L
                   │             │              │               │
      g += ...  <──┴─── back ────┴──── back ────┴───── back ────┘

The Cache k is memory that the call fills and reads (transformer_buffers.py); the gradient is added to views of one
flat array, which the optimizer reads directly.  Everything depends on the place of the norm and on the activation
when it is compiled; sizes, heads and masks are arguments.

(TM1)..(TM4) forward; (TM1*)..(TM4*) backward.
"""
from functools import cache as once, lru_cache
from typing import Callable, NamedTuple

import numpy as np
from numpy import ascontiguousarray as contiguous

from ...core import tree
from ...layers import positions
from ...layers.attention.multi_head import KeyValues
from ...layers.attention.scaled_dot_product import see_real
from ...model import transformer as reference, transformer_decoder, transformer_masks
from ...model.transformer import check_batch, check_source
from ...model.transformer_masks import SUBLAYERS, DropoutMasks, StackMasks
from ..core import validation
from ..core.tree import unpacked
from ..layers import loss
from ..layers.readout import add_loss_and_gradient
from ..runtime.arena import empty, empty_like, in_an_arena, release, scratch_arena, zeros
from ..runtime.jit import arena_kernel, inlined, internal_kernel
from ..runtime.linking import call_linked
from . import transformer_buffers as buffers
from .transformer_decoder import decoder, free_running, readout, readout_backward, source_backward, source_of
from .transformer_encoder import encoder
from .validated import int64_ids, validated


class FlatParams(reference.Params, tree.Flat):
    """A gradient whose arrays are views of one."""


def loss_and_gradient(p, config, batch, teacher_mask=None, masks=None):
    """See transformer.loss_and_gradient."""
    p = validated(p, config)
    if not is_one_call(config, batch):                                  # one-hot
        L, _, k = forward(p, config, batch, teacher_mask, masks)
        return L, backward(p, config, k)
    p = reference.untie(p, config)
    L, g = flat_gradient(p, config, batch, teacher_mask, masks)
    return L, reference.tie_gradients(FlatParams.of(g, p), config)


def is_one_call(config, batch):
    """Whether `flat_gradient` covers such targets."""
    return np.ndim(batch.targets) == 2


def flat_gradient(p, config, batch, teacher_mask, masks):
    """Loss, and the gradient in one flat array, of validated Params whose shared weights stand at each use."""
    step, args = gradient_call(p, config, batch, teacher_mask, masks)
    return in_an_arena(step, *args), args[1]


def gradient_call(p, config, batch, teacher_mask, masks):
    """The kernel of `flat_gradient` and its arguments after the arena; the second is the gradient, still zeros."""
    k, given = arguments(p, config, batch, teacher_mask, masks)
    g = np.zeros(sum([a.size for a in tree.leaves(p)]), p.decoder.embedding.dtype)
    targets = int64_ids(batch.targets), contiguous(batch.target_mask), float(config.label_smoothing)
    return kernels_of(config).loss_and_gradient, (p, g, k, *given, *targets)


def arguments(p, config, batch, teacher_mask, masks):
    """-> a Cache to be filled; positions of both sides, source, its lengths, inputs and masks, checked, as compiled
    code wants them."""
    check_source(config, batch.source, batch.source_mask)
    check_batch(config, batch, teacher_mask, masks)
    inputs = batch.inputs
    (T, N), S = batch.source.shape, len(inputs)
    positions, lengths, flat_masks = tables(p, config, T, S), lengths_of(batch.source_mask), without_gaps(masks, config)
    inputs = int64_ids(inputs)
    if teacher_mask is not None and not teacher_mask[1:].all():
        k = source_read(p, config, batch.source, batch.source_mask, masks)
        inputs, _ = free_running(p.decoder, config, cross_of(k), lengths, positions[1], inputs, teacher_mask,
                                 flat_masks.decoder)
    k = buffers.allocated(buffers.shapes(config, T, S, N), config.dtype)
    return k, (positions, int64_ids(batch.source), lengths, inputs, flat_masks)


def lengths_of(mask):
    """The real steps of every example."""
    return mask.sum(axis=0, dtype=np.int64)


def tables(p, config, T, S):
    """Positions of source and target: learned, or sinusoids."""
    if config.positions == "learned":
        return p.encoder.positions, p.decoder.positions
    P = sinusoids(1 << (max(T, S) - 1).bit_length(), config.hidden, config.dtype)
    return P, P


@lru_cache(maxsize=8)
def sinusoids(T, D, dtype):
    """See layers.positions.sinusoidal."""
    return contiguous(positions.sinusoidal(T, D), dtype)


def without_gaps(masks, config):
    """DropoutMasks with rows (steps N, D); arrays of no numbers where nothing is dropped."""
    if masks is not None:
        return tree.map(lambda m: contiguous(m, config.dtype).reshape(-1, config.hidden), masks)
    return no_masks(config.layers, config.dtype)


@lru_cache(maxsize=8)
def no_masks(layers, dtype):
    none = np.zeros((0, 0), dtype)
    return DropoutMasks(*(StackMasks(none, ((none,) * count,) * layers) for count in SUBLAYERS.values()))


# Part by part, with caches that can be inspected ------------------------------------------------------------

def forward(p, config, batch, teacher_mask=None, masks=None):
    """See transformer.forward."""
    p = reference.untie(validated(p, config), config)
    k, given = arguments(p, config, batch, teacher_mask, masks)
    logits = logits_of(p, config, k, given)                                  # (TM1) (TM2) (TM3)
    L, k_loss = loss.forward(logits, batch.targets, batch.target_mask, config.label_smoothing)       # (TM4)
    k = buffers.opened(k, config, batch.source, given[3])
    return L, logits, k._replace(loss=k_loss, masks=masks)


def backward(p, config, k):
    """See transformer.backward, for a cache of `forward` above."""
    p = reference.untie(validated(p, config), config)
    filled, source, inputs = buffers.closed(k, config), k.encode.encoder.ids, k.decoder.ids
    dlogits = loss.backward(k.loss)                                     # (TM4*)
    validation.array("k.loss.log_p", dlogits, np.dtype(config.dtype), (*inputs.shape, config.target_vocab))
    if k.masks is not None:
        transformer_masks.check(k.masks, config, len(source), *inputs.shape)
    lengths = np.full(source.shape[1], len(source))                     # weights are 0 where padding is
    g = np.zeros(sum([a.size for a in tree.leaves(p)]), config.dtype)
    in_an_arena(kernels_of(config).backward, p, g, filled, tables(p, config, len(source), len(inputs)),
                int64_ids(source), lengths, int64_ids(inputs), without_gaps(k.masks, config),
                contiguous(dlogits).reshape(inputs.size, -1))           # (TM3*) (TM2*) (TM1*)
    return reference.tie_gradients(reference.Params(*tree.unpacked(g, p)), config)


def encode(p, config, ids, mask, masks=None):
    """See transformer.encode."""
    p = validated(p, config)
    check_source(config, ids, mask)
    return encoded(reference.untie(p, config), config, ids, mask, masks)


def encoded(p, config, ids, mask, masks):
    """`encode` for validated Params whose shared weights stand at each use, and a validated source."""
    k = buffers.opened(source_read(p, config, ids, mask, masks), config, ids, np.zeros((1, ids.shape[1]), np.int64))
    return transformer_decoder.Source(cross_of(k), see_real(mask)), k.encode


def source_read(p, config, ids, mask, masks=None):
    """-> a Cache with the encoder's part, and keys and values of the source for every layer (`cross_of`)."""
    T, N = ids.shape
    k = buffers.allocated(buffers.shapes(config, T, 1, N), config.dtype)
    in_an_arena(kernels_of(config).encode, p, k, tables(p, config, T, 1), int64_ids(ids), lengths_of(mask),
                without_gaps(masks, config))                            # (TM1) (TM2)
    return k


def cross_of(k):
    """Keys and values of the source: for each layer KeyValues."""
    return tuple(KeyValues(*layer.cross.f.heads[1:3]) for layer in k.decoder.layers)


def logits(p, config, batch, teacher_mask=None):
    """See transformer.logits."""
    return forward(p, config, batch, teacher_mask)[1]


def forced_and_free(p, config, batch):
    """See architectures.forced_and_free: the source is read once, and its keys and values serve both."""
    p = reference.untie(validated(p, config), config)
    k, given = arguments(p, config, batch, None, None)
    forced = logits_of(p, config, k, given)
    tables, _, lengths, inputs, masks = given
    nowhere = np.zeros(inputs.shape, bool)
    _, free = free_running(p.decoder, config, cross_of(k), lengths, tables[1], inputs, nowhere, masks.decoder)
    return forced, free


def logits_of(p, config, k, given):
    """The logits (S, N, V), of what `arguments` makes; the Cache k is filled."""
    inputs = given[3]
    out = np.empty((*inputs.shape, config.target_vocab), config.dtype)
    in_an_arena(kernels_of(config).forward, p, k, *given, out.reshape(inputs.size, -1))     # (TM1) (TM2) (TM3)
    return out


# The kernels ------------------------------------------------------------------------------------------------

class Kernels(NamedTuple):     # all take an arena first
    loss_and_gradient: Callable          # Params, flat gradient, Cache, what `arguments` makes, targets, their mask,
    #                                      label smoothing -> L
    forward: Callable                    # Params, Cache, what `arguments` makes, logits
    backward: Callable                   # Params, flat gradient, Cache, what `arguments` makes, dlogits
    encode: Callable                     # Params, Cache, positions, source, lengths, masks


def kernels_of(config):
    """-> Kernels for a Config."""
    return kernels(config.norm, config.feed_forward_activation)


@once
def passes(norm, phi):
    """-> `states` and `pull_back`: all but the readout, forward and backward."""
    (encode, encode_backward), (decode, decode_backward) = encoder(norm, phi), decoder(norm, phi)

    @internal_kernel(f"transformer.pull_back.{norm}-{phi}")
    def pull_back(arena, p, g, k, tables, source, lengths, inputs, masks, dr):
        """dr (S N, D) -> g grows by the gradients of all but the readout; three arenas are needed."""
        here, hs, n = scratch_arena(arena), k.encode.hs, len(p.decoder.layers)
        dks, dvs = empty(arena, (n, *hs.shape), hs.dtype), empty(arena, (n, *hs.shape), hs.dtype)
        dhs = zeros(arena, hs.shape, hs.dtype)
        call_linked(decode_backward, (here, p.decoder, g.decoder, k.decoder, inputs, lengths, masks.decoder,
                                      learned(g.decoder.positions, tables[1]), dr, dks, dvs))          # (TM3*)
        call_linked(source_backward, (here, p.decoder, g.decoder, hs, dks, dvs, dhs))                  # (TM2*)
        call_linked(encode_backward, (here, p.encoder, g.encoder, k.encode.encoder, source, lengths, masks.encoder,
                                      learned(g.encoder.positions, tables[0]), dhs))                   # (TM1*)

    @internal_kernel(f"transformer.states.{norm}-{phi}")
    def states(arena, p, k, tables, source, lengths, inputs, masks):
        """The Cache is filled, with what the readout reads."""
        hs = k.encode.hs
        call_linked(encode, (arena, p.encoder, tables[0], k.encode.encoder, source, lengths,
                             masks.encoder, hs))  # (TM1)
        call_linked(source_of, (arena, p.decoder, k.decoder, hs))                                      # (TM2)
        call_linked(decode, (arena, p.decoder, tables[1], k.decoder, inputs, lengths, masks.decoder,
                             k.decoder.r))  # (TM3)

    return states, pull_back


@once
def kernels(norm, phi):
    """-> Kernels for a place of the norm and an activation."""
    (states, pull_back), encode = passes(norm, phi), encoder(norm, phi).forward

    @arena_kernel(f"transformer.{norm}-{phi}")
    def loss_and_gradient(arena, p, flat, k, tables, source, lengths, inputs, masks, targets, target_mask, eps):
        g, (S, N), r, here = unpacked(flat, p), inputs.shape, k.decoder.r, scratch_arena(arena)
        call_linked(states, (here, p, k, tables, source, lengths, inputs, masks))                # (TM1) (TM2) (TM3)
        L, dr = call_linked(add_loss_and_gradient, (arena, p.decoder.readout, g.decoder.readout,
                                                    r.reshape(S, N, r.shape[1]), targets, target_mask,
                                                    eps))                                              # (TM4) (TM4*)
        release(here)
        call_linked(pull_back, (arena, p, g, k, tables, source, lengths, inputs, masks,
                                dr.reshape(S * N, r.shape[1])))                               # (TM3*) (TM2*) (TM1*)
        return L

    @arena_kernel(f"transformer.forward.{norm}-{phi}")
    def forward(arena, p, k, tables, source, lengths, inputs, masks, logits):
        call_linked(states, (arena, p, k, tables, source, lengths, inputs, masks))               # (TM1) (TM2) (TM3)
        call_linked(readout, (arena, p.decoder.readout, k.decoder.r, logits))                          # (TM3)

    @arena_kernel(f"transformer.backward.{norm}-{phi}")
    def backward(arena, p, flat, k, tables, source, lengths, inputs, masks, dlogits):
        g, here = unpacked(flat, p), scratch_arena(arena)
        dr = empty_like(arena, k.decoder.r)
        call_linked(readout_backward, (here, p.decoder.readout, g.decoder.readout, k.decoder.r, dlogits, dr))  # (TM3*)
        call_linked(pull_back, (arena, p, g, k, tables, source, lengths, inputs, masks, dr))   # (TM3*) (TM2*) (TM1*)

    @arena_kernel(f"transformer.encode.{norm}-{phi}")
    def encode_alone(arena, p, k, tables, source, lengths, masks):
        hs = k.encode.hs
        call_linked(encode, (arena, p.encoder, tables[0], k.encode.encoder, source, lengths,
                             masks.encoder, hs))  # (TM1)
        call_linked(source_of, (arena, p.decoder, k.decoder, hs))                                      # (TM2)
    return Kernels(loss_and_gradient, forward, backward, encode_alone)


@inlined
def learned(dP, P):
    """The gradient of learned positions; for sinusoids P, which learn nothing, an array of no numbers."""
    return P[:0] if dP is None else dP
