"""Compiled implementation of decoder.py: the loop over a target sequence, composed for a Config when it is compiled.

    y_0 = BOS     y_1               y_{S-1}
      │            │                  │
     step ──s_1─> step ──s_2─> ...   step          decoder_step.py; its arrays: decoder_buffers.py
      │            │                  │
     r_1          r_2                r_S ── W, b ─> logits  (D7)

`loops` puts the step of a Config into the loop: the whole forward pass is one call, the whole backward pass another.
Rows of the batch do not read each other, so a thread takes rows n0 .. n1-1 through all steps; backward through a block
of steps, whose share of the cells' gradients is added then (see layers/cells/lstm.py).

(D7) is outside of the loop: `states` and `states_backward` are all but the readout, for seq2seq.py, where
layers/readout.py computes it together with the loss.  Only the model's own tokens need the logits of a step at once.

(D7) forward; (D7*) backward.
"""
from functools import cache as once
from typing import Callable, NamedTuple

import numpy as np
from numpy import ascontiguousarray as contiguous

from ...core import tree, validation
from ...layers import dropout
from ...layers.attention import Memory
from ...layers.cells import CELLS
from ...model import decoder as reference
from ..core import validation as compiled
from ..layers import attention, fusion, unroll
from ..layers.embedding import scatter
from ..linalg.gemm import add_product, packed, product_of_rows
from ..linalg.gradients import bias_gradient, steps_of_a_block, weight_gradient, weight_gradient_shared
from ..linalg.rows import copy, multiply, top_of
from ..linalg.simd import LANES, at
from ..runtime.arena import empty, scratch_arena
from ..runtime.jit import device_function, inlined, internal_kernel, jit
from ..runtime.threads import over_columns, over_rows
from .decoder_buffers import (
    ForwardBuffers, caches_of, input_gradients_of, key_of, optional, starts, starts_backward, variant_of, work_of
)
from .decoder_step import steps, steps_backward
from .validated import check_decoder, check_decoder_inputs, int64_ids


class Cache(NamedTuple):
    ids: np.ndarray            # (S, N), the tokens really fed
    buffers: ForwardBuffers
    rs: np.ndarray             # (S, N, R), what the readout read
    masks: tuple
    output_mask: np.ndarray
    made_for: tuple            # the Config and the shapes of all arrays, by which backward recognizes its cache


def forward(p, config, source, layers, ids, teacher_mask=None, masks=None, output_mask=None):
    """See decoder.forward."""
    k = states(p, config, source, layers, ids, teacher_mask, masks, output_mask)
    logits = np.empty((*ids.shape, len(p.readout.b)), k.rs.dtype)
    _read_out_all(None, k.rs, p.readout.W, contiguous(p.readout.b), logits)                     # (D7)
    return logits, k


def states(p, config, source, layers, ids, teacher_mask=None, masks=None, output_mask=None):
    """All of `forward` but the readout: -> Cache, whose rs is what the readout reads."""
    validation.ids("ids", ids, config.target_vocab, ("S", "N"))
    if teacher_mask is not None:
        validation.array("teacher_mask", teacher_mask, ids.shape, "b")
    check_decoder(p, config)
    check_decoder_inputs(p, config, source, layers, masks, output_mask, ids.shape[1])
    variant = variant_of(config, masks is not None, output_mask is not None)
    k = loops(variant).called_forward(
        *(tree.map(contiguous, part) for part in (p, source, layers)), int64_ids(ids),
        *optional(teacher_mask, masks, output_mask, p.embedding.dtype))
    return Cache(k.ids, k, dropout.forward(k.rs, output_mask), masks, output_mask, made_for(config, k))


def backward(p, config, source, k, dlogits):
    """See decoder.backward."""
    check_decoder(p, config)
    check_cache(config, k)
    compiled.array("dlogits", dlogits, p.embedding.dtype, (*k.buffers.ids.shape, config.target_vocab))
    drs, dlogits = np.empty_like(k.rs), contiguous(dlogits)
    _read_out_backward(p.readout.W, dlogits, drs)                                   # (D7*)
    g_readout = p.readout._replace(W=weight_gradient(k.rs, dlogits), b=bias_gradient(dlogits))      # (D7*)
    return states_backward(p, config, source, k, drs, g_readout)


def states_backward(p, config, source, k, drs, g_readout):
    """All of `backward` but the readout, whose gradients `drs` (S, N, R) and `g_readout` are."""
    check_decoder(p, config)
    check_cache(config, k)
    compiled.array("drs", drs, p.embedding.dtype, k.rs.shape)
    p = tree.map(contiguous, p)
    c, g = config, tree.zeros_like(p._replace(readout=None))
    loop = loops(variant_of(c, k.masks is not None, k.output_mask is not None)).called_backward
    (dhs, dkeys, dctx), states = loop(p, g, k.buffers, contiguous(dropout.backward(drs, k.output_mask)))
    dmemory = None
    if c.context == "attention":
        dmemory = Memory(dhs, dkeys if attention.SCORES[c.attention].has_keys else None, None)
    dsource = reference.EncoderOutput(dmemory, dctx if c.context == "every-step" else None)
    return g._replace(readout=g_readout), states, dsource


def made_for(config, buffers):
    """What a cache was made for: the Config, and shapes and dtypes of all arrays that the backward pass reads."""
    return config, [(a.shape, a.dtype) for a in tree.leaves(buffers) if isinstance(a, np.ndarray)]


def check_cache(config, k):
    """Require a Cache of `forward` for this Config, as it was returned."""
    compiled.kind("k", k, Cache)
    if k.made_for != made_for(config, k.buffers):
        raise ValueError("k: not a cache that decoder.forward returned for this Config, or its arrays were replaced")
    validation.ids("k.buffers.ids", k.buffers.ids, config.target_vocab)
    compiled.array("k.rs", k.rs, k.buffers.rs.dtype, k.buffers.rs.shape)


def alphas(k):
    """Attention weights of all steps: (S, T, N), or None without attention."""
    alpha = k.buffers.attend.alpha
    return None if alpha.shape[:2] != k.ids.shape else alpha.transpose(0, 2, 1)


@device_function
def read_out(rs, W, b, logits, r0, r1):
    """logits = r W + b, for rows r0 .. r1-1."""
    V = len(b)
    for r in range(r0, r1):
        for j in range(0, V, LANES):
            logits[r, at(j, V)] = b[at(j, V)]                                       # (D7)
    add_product(logits[r0:r1], rs[r0:r1], W)                                        # (D7)


rows_read_out = internal_kernel("decoder.rows_read_out")(read_out)


@inlined
def read_out_all(arena, rs, W, b, logits):
    """logits = r W + b, for all steps at once."""
    (S, N, R), V = rs.shape, len(b)
    over_rows(rows_read_out, (rs.reshape(S * N, R), packed(scratch_arena(arena), W), b, logits.reshape(S * N, V)),
              S * N, logits.size * R)                                               # (D7)


_read_out_all = jit("decoder.read_out")(read_out_all)          # called from Python, without an arena


@jit("decoder.read_out_backward")
def _read_out_backward(W, dlogits, drs):
    (S, N, V), R = dlogits.shape, drs.shape[2]
    over_rows(product_of_rows, (drs.reshape(S * N, R), dlogits.reshape(S * N, V), packed(None, W.T)), S * N,
              dlogits.size * R)


@device_function
def best_token(logits):
    """The first of the greatest logits; a NaN counts as the greatest, as in NumPy."""
    top = top_of(logits)
    v = 0
    while logits[v] != top and logits[v] == logits[v]:
        v += 1
    return v


class Loops(NamedTuple):       # the compiled functions for a Variant
    forward: Callable          # arena, Params, EncoderOutput, states, ids, and what `optional` returns: ForwardBuffers
    backward: Callable         # see backward_loop
    input_gradients: Callable  # see decoder_buffers.py
    called_forward: Callable   # the two loops as Python calls them
    called_backward: Callable


@once
def loops(c):
    """-> Loops for this Variant."""
    key, input_gradients = key_of(c), input_gradients_of(c)
    forward, backward = forward_loop(c), backward_loop(c)
    inlined_forward, inlined_backward = inlined(forward), inlined(backward)

    @jit(f"decoder.{key}")
    def called_forward(p, source, layers, ids, teacher_mask, masks, output_mask):
        return inlined_forward(None, p, source, layers, ids, teacher_mask, masks, output_mask)

    @jit(f"decoder_backward.{key}")
    def called_backward(p, g, k, drs):
        d = inlined_backward(None, None, p, g, k, drs)
        return input_gradients(None, d)

    return Loops(internal_kernel(f"decoder.forward.{key}", loops=False)(forward),
                 internal_kernel(f"decoder.backward.{key}", loops=False)(backward), input_gradients, called_forward,
                 called_backward)


def forward_loop(c):
    """-> the forward loop for this Variant."""
    reads_context, drop_output, start, step = c.reads_context, c.drop_output, starts(c), steps(c)

    @internal_kernel(f"decoder.run.{key_of(c)}")
    def run(k, n0, n1):
        Z, free = k.rs.shape[2] - (k.ctx.shape[2] if reads_context else 0), len(k.teacher_mask) > 0
        for t in range(len(k.ids)):
            if free and t > 0:
                for n in range(n0, n1):
                    if not k.teacher_mask[t, n]:
                        k.ids[t, n] = best_token(k.logits[t - 1, n])
            step(k, t, k.rs[t - 1, :, :Z] if t > 0 else k.z_0, n0, n1)
            if free:
                r = k.rs[t]
                if drop_output:
                    copy(k.dropped, r, n0, n1)
                    multiply(k.dropped, k.output_mask, n0, n1)
                    r = k.dropped
                read_out(r, k.W, k.b, k.logits[t], n0, n1)                          # (D7)

    def forward(arena, p, source, layers, ids, teacher_mask, masks, output_mask):
        (S, N), M = ids.shape, len(layers[0].h)
        sources = empty(arena, (N,), np.int64)
        for n in range(N):
            sources[n] = n * M // N                             # neighbouring rows may read one source
        k = start(arena, p, source, layers, S, sources, teacher_mask, masks, output_mask, len(teacher_mask) > 0)
        for t in range(S):
            for n in range(N):
                k.ids[t, n] = ids[t, n]
        over_rows(run, (k,), N, work_of(k))
        return k
    return forward


def backward_loop(c):
    """-> the backward loop for this Variant."""
    learned, score, before = fusion.KINDS[c.kind].learned, attention.SCORES.get(c.score), c.before
    start, step_backward, caches_of_cells = starts_backward(c), steps_backward(c), caches_of(c)
    add_gradients = unroll.loops(CELLS[c.cell_name]).add_gradients
    add_attention_gradient = (attention.allocation(score) if score else attention.NO_ATTENTION).add_gradient
    attends = bool(c.score)

    @internal_kernel(f"decoder.run_backward.{key_of(c)}")
    def run_backward(k, caches, d, t0, t1, n0, n1):
        for t in range(t1 - 1, t0 - 1, -1):
            step_backward(k, caches, d, t, t0, n0, n1)
        if attends:
            attention.contexts_backward(k.attend, d.attend, t0, t1, n0, n1)

    def backward(arena, of_memory, p, g, k, drs):
        """Two arenas, the second for gradients of the memory; Params, their gradient to add to (but the readout's),
        ForwardBuffers, drs -> BackwardBuffers."""
        (S, N), E, caches = k.ids.shape, k.table.shape[1], caches_of_cells(0, k.cells)
        block = steps_of_a_block(S, N)
        d = start(arena, of_memory, p, g, k, caches, drs, block)
        for t0 in range((S - 1) // block * block, -1, -block):
            t1 = min(t0 + block, S)
            work = work_of(k) // S * (t1 - t0)
            over_rows(run_backward, (k, caches, d, t0, t1), N, work)
            for i in range(len(caches)):
                over_columns(add_gradients, (caches[i], d.cells[i], t0, t1), d.cells[i].db.size, work)
        # fork: weights are used at every t
        hs = k.cells[len(k.cells) - 1].hs
        add_attention_gradient(g.score, d.attend, hs[:S] if before else hs[1:])
        if learned:
            weight_gradient_shared(g.fusion.W, k.s_ctx, d.da)                       # (D5*)
        scatter(g.embedding, k.ids, d.cells[0].dxs[:, :, :E])                       # (D2*)
        return d
    return backward
