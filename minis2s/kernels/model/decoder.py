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
from typing import Any, Callable, NamedTuple

import numpy as np
from numpy import ascontiguousarray as contiguous

from ...core import tree, validation
from ...layers import dropout
from ...layers.attention import Memory
from ...layers.cells import CELLS
from ...model import decoder as reference
from ..core import validation as compiled
from ..layers import attention, copying, fusion, unroll
from ..linalg.gemm import packed, product_of_rows
from ..linalg.gradients import bias_gradient, steps_of_a_block, weight_gradient, weight_gradient_shared
from ..linalg.rows import copy, multiply
from ..runtime.arena import empty
from ..runtime.jit import inlined, internal_kernel, jit
from ..runtime.threads import over_columns, over_rows
from .decoder_buffers import (
    ForwardBuffers, caches_of, input_gradients_of, key_of, optional, starts, starts_backward, variant_of, work_of,
    z_size_of
)
from .decoder_inputs import INPUTS
from .decoder_outputs import OUTPUTS, _read_out_all
from .decoder_step import steps, steps_backward
from .validated import check_decoder, check_decoder_inputs, check_steps, inputs_of


class Cache(NamedTuple):
    ids: np.ndarray            # (S, N), the tokens really fed, or (S, N, F) frames
    buffers: ForwardBuffers
    rs: np.ndarray             # (S, N, R), what the readout read
    masks: tuple
    output_mask: np.ndarray
    made_for: tuple            # the Config and the shapes of all arrays, by which backward recognizes its cache
    copy: Any = None           # copying.Cache, or None


def forward(p, config, source, layers, ids, teacher_mask=None, masks=None, output_mask=None):
    """See decoder.forward."""
    k = states(p, config, source, layers, ids, teacher_mask, masks, output_mask)
    logits = np.empty((*ids.shape[:2], len(p.readout.b)), k.rs.dtype)
    _read_out_all(None, k.rs, p.readout.W, contiguous(p.readout.b), logits)                     # (D7)
    if config.readout != "copy":
        return logits, k
    log_p, k_copy = copying.forward(p.gate, k.rs, logits, alphas(k), source.ids)
    return log_p, k._replace(copy=k_copy)


def states(p, config, source, layers, ids, teacher_mask=None, masks=None, output_mask=None):
    """All of `forward` but the readout: -> Cache, whose rs is what the readout reads."""
    check_steps("ids", config, ids, source.ids)
    if teacher_mask is not None:
        validation.array("teacher_mask", teacher_mask, ids.shape[:2], "b")
    check_decoder(p, config)
    check_decoder_inputs(p, config, source, layers, masks, output_mask, ids.shape[1])
    variant = variant_of(config, masks is not None, output_mask is not None)
    k = loops(variant).called_forward(
        *(tree.map(contiguous, part) for part in (p, source, layers)), inputs_of(config, ids),
        *optional(teacher_mask, masks, output_mask, config.dtype))
    return Cache(k.ids, k, dropout.forward(k.rs, output_mask), masks, output_mask, made_for(config, k))


def backward(p, config, source, k, dlogits):
    """See decoder.backward."""
    check_decoder(p, config)
    check_cache(config, k)
    drs_gate, dalpha, g_gate = None, None, None
    if config.readout == "copy":
        drs_gate, dlogits, dalpha, g_gate = copying.backward(p.gate, k.copy, dlogits)
    compiled.array("dlogits", dlogits, k.rs.dtype, (*k.buffers.ids.shape[:2], config.output_size))
    drs, dlogits = np.empty_like(k.rs), contiguous(dlogits)
    _read_out_backward(p.readout.W, dlogits, drs)                                   # (D7*)
    g_readout = p.readout._replace(W=weight_gradient(k.rs, dlogits), b=bias_gradient(dlogits))      # (D7*)
    drs = tree.add(drs, drs_gate)                               # fork: r is read out, and opens the gate
    return states_backward(p, config, source, k, drs, g_readout, dalpha, g_gate)


def states_backward(p, config, source, k, drs, g_readout, dalpha=None, g_gate=None):
    """All of `backward` but the readout, whose gradients `drs` (S, N, R) and `g_readout` are, and, where words are
    copied, dalpha (S, T, N) and `g_gate`."""
    check_decoder(p, config)
    check_cache(config, k)
    compiled.array("drs", drs, k.buffers.rs.dtype, k.rs.shape)
    if config.readout == "copy":
        compiled.array("dalpha", dalpha, k.rs.dtype, alphas(k).shape)
        dalpha = contiguous(dalpha.transpose(0, 2, 1))
    p = tree.map(contiguous, p)
    c, g = config, tree.zeros_like(p._replace(readout=None, gate=None))
    loop = loops(variant_of(c, k.masks is not None, k.output_mask is not None)).called_backward
    (dhs, dkeys, dctx), states = loop(p, g, k.buffers, contiguous(dropout.backward(drs, k.output_mask)), dalpha)
    dmemory = None
    if c.context == "attention":
        dmemory = Memory(dhs, dkeys if attention.SCORES[c.attention].has_keys else None, None)
    dsource = reference.EncoderOutput(dmemory, dctx if c.context == "every-step" else None)
    return g._replace(readout=g_readout, gate=g_gate), states, dsource


def made_for(config, buffers):
    """What a cache was made for: the Config, and shapes and dtypes of all arrays that the backward pass reads."""
    return config, [(a.shape, a.dtype) for a in tree.leaves(buffers) if isinstance(a, np.ndarray)]


def check_cache(config, k):
    """Require a Cache of `forward` for this Config, as it was returned."""
    compiled.kind("k", k, Cache)
    if k.made_for != made_for(config, k.buffers):
        raise ValueError("k: not a cache that decoder.forward returned for this Config, or its arrays were replaced")
    if config.target == "tokens":
        validation.ids("k.buffers.ids", k.buffers.ids, config.target_vocab)
    compiled.array("k.rs", k.rs, k.buffers.rs.dtype, k.buffers.rs.shape)


def alphas(k):
    """Attention weights of all steps: (S, T, N), or None without attention."""
    alpha = k.buffers.attend.alpha
    return None if alpha.shape[:2] != k.ids.shape[:2] else alpha.transpose(0, 2, 1)


@jit("decoder.read_out_backward")
def _read_out_backward(W, dlogits, drs):
    (S, N, V), R = dlogits.shape, drs.shape[2]
    over_rows(product_of_rows, (drs.reshape(S * N, R), dlogits.reshape(S * N, V), packed(None, W.T)), S * N,
              dlogits.size * R)


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
    def called_backward(p, g, k, drs, dalpha):
        d = inlined_backward(None, None, p, g, k, drs, dalpha)
        return input_gradients(None, d)

    return Loops(internal_kernel(f"decoder.forward.{key}", loops=False)(forward),
                 internal_kernel(f"decoder.backward.{key}", loops=False)(backward), input_gradients, called_forward,
                 called_backward)


def forward_loop(c):
    """-> the forward loop for this Variant."""
    drop_output, start, step, z_size = c.drop_output, starts(c), steps(c), z_size_of(c)
    fill, feed_own, say = INPUTS[c.output].fill, INPUTS[c.output].own, OUTPUTS[c.output].say

    @internal_kernel(f"decoder.run.{key_of(c)}")
    def run(k, n0, n1):
        Z, free = z_size(k), len(k.teacher_mask) > 0
        for t in range(len(k.ids)):
            if free and t > 0:
                for n in range(n0, n1):
                    if not k.teacher_mask[t, n]:
                        feed_own(k, t, n)
            step(k, t, k.rs[t - 1, :, :Z] if t > 0 else k.z_0, n0, n1)
            if free:
                r = k.rs[t]
                if drop_output:
                    copy(k.dropped, r, n0, n1)
                    multiply(k.dropped, k.output_mask, n0, n1)
                    r = k.dropped
                say(k, r, t, n0, n1)                                                # (D7)

    def forward(arena, p, source, layers, ids, teacher_mask, masks, output_mask):
        S, N, M = ids.shape[0], ids.shape[1], len(layers[0].h)
        sources = empty(arena, (N,), np.int64)
        for n in range(N):
            sources[n] = n * M // N                             # neighbouring rows may read one source
        k = start(arena, p, source, layers, S, sources, teacher_mask, masks, output_mask,
                  N if len(teacher_mask) > 0 else 0)
        fill(k.ids, ids)
        over_rows(run, (k,), N, work_of(k))
        return k
    return forward


def backward_loop(c):
    """-> the backward loop for this Variant."""
    learned, score, before = fusion.KINDS[c.kind].learned, attention.SCORES.get(c.score), c.before
    start, step_backward, caches_of_cells = starts_backward(c), steps_backward(c), caches_of(c)
    add_gradients = unroll.loops(CELLS[c.cell_name]).add_gradients
    add_attention_gradient = (attention.allocation(score) if score else attention.NO_ATTENTION).add_gradient
    attends, add_inputs_gradient = bool(c.score), INPUTS[c.output].add_gradient

    @internal_kernel(f"decoder.run_backward.{key_of(c)}")
    def run_backward(k, caches, d, t0, t1, n0, n1):
        for t in range(t1 - 1, t0 - 1, -1):
            step_backward(k, caches, d, t, t0, n0, n1)
        if attends:
            attention.contexts_backward(k.attend, d.attend, t0, t1, n0, n1)

    def backward(arena, of_memory, p, g, k, drs, dalpha):
        """Two arenas, the second for gradients of the memory; Params, their gradient to add to (but the readout's),
        ForwardBuffers, drs, dalpha or None -> BackwardBuffers."""
        S, N, caches = k.ids.shape[0], k.ids.shape[1], caches_of_cells(0, k.cells)
        block = steps_of_a_block(S, N)
        d = start(arena, of_memory, p, g, k, caches, drs, dalpha, block)
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
        add_inputs_gradient(g.embedding, k.ids, d.cells[0].dxs)                     # (D2*)
        return d
    return backward
