"""Compiled implementation of decoder_step.py and context_step.py: one step of the loop, forward and backward, composed
for a Config when it is compiled.

         E[y]  ctx  z_{t-1}                    the parts, by the names of the Config
           │    │     │
           └── x_t ───┘  (D2)                  order, context, input_feeding: which parts x_t has
                │
         cell, layer by layer  (D3)            a cell's step: layers/cells/
                │ s_t
     attend ────┤  (D1) (D4)                   a score's term: layers/attention/
        └─ ctx ─┤
              fuse  (D5)                       a kind: layers/fusion.py
                │ z_t
               r_t  (D6)

Rows n0 .. n1-1 of the batch take the step; the branches of parts that a Config does not use are not compiled.

(D1)..(D6) forward; (D1*)..(D6*) backward.
"""
from functools import cache as once

from ...layers.cells import CELLS
from ..layers import attention, fusion
from ..layers.unroll import COMPILED
from ..linalg.gemm import product
from ..linalg.rows import add_rows, clear, copy, multiply
from ..runtime.jit import device_function, inlined
from .decoder_buffers import z_size_of
from .decoder_inputs import INPUTS


@inlined
def nothing(*args):
    """The attention of a decoder that has none."""


@once
def steps(c):
    """-> one step of the forward loop, for this decoder_buffers.Variant."""
    context_in_cell, feeding, reads_context, drop = c.context_in_cell, c.feeding, c.reads_context, c.drop
    copies, enter = c.output == "words", INPUTS[c.output].enter
    embedding_size, z_size = INPUTS[c.output].size, z_size_of(c)
    cell_step, fuse, deep = COMPILED[CELLS[c.cell_name]].step, fusion.KINDS[c.kind].fuse, c.layers > 1
    attend = attention.attend_with(attention.SCORES[c.score]) if c.score else nothing
    before, after = bool(c.score) and c.before, bool(c.score) and not c.before

    @device_function
    def step(k, t, z_prev, n0, n1):
        """Feed ids[t], and z_prev (N, Z) if z is fed back; rs[t] and the states in t + 1 are written."""
        E, Z, C, layers = embedding_size(k.table), z_size(k), k.ctx.shape[2], len(k.cells)
        xs, top = k.cells[0].xs, k.cells[layers - 1]
        enter(k, xs, t, n0, n1)                                                     # (D2)
        if copies:
            copy(k.rs[t, :, Z + C:], xs[t, :, :E], n0, n1)                          # (D6)
        if before:
            attend(k.attend, top.hs[t], t, n0, n1, k.ctx[t])                          # (D1)
        used = E
        if context_in_cell:
            copy(xs[t, :, E:E + C], k.ctx[t], n0, n1)                               # (D2)
            used += C
        if feeding:
            copy(xs[t, :, used:], z_prev, n0, n1)                                   # (D2)
        for i in range(layers):
            layer = k.cells[i]
            if drop:
                multiply(layer.xs[t], k.masks[i], n0, n1)
            product(layer.a[t, n0:n1], layer.xs[t, n0:n1], layer.W)                 # (D3)
            cell_step(layer, k.real, t, n0, n1)                                     # (D3)
            if deep and i + 1 < layers:
                copy(k.cells[i + 1].xs[t], layer.hs[t + 1], n0, n1)
        if after:
            attend(k.attend, top.hs[t + 1], t, n0, n1, k.ctx[t])                      # (D4)
        fuse(k.fuse_W, top.hs[t + 1], k.ctx[t], k.s_ctx, k.rs[t, :, :Z], t, n0, n1)  # (D5)
        if reads_context:
            copy(k.rs[t, :, Z:Z + C], k.ctx[t], n0, n1)                             # (D6)
    return step


@once
def steps_backward(c):
    """-> one step of the backward loop, for this decoder_buffers.Variant."""
    every_step, context_in_cell, feeding = c.every_step, c.context_in_cell, c.feeding
    reads_context, drop, deep = c.reads_context, c.drop, c.layers > 1
    cell_step_backward, fuse_backward = COMPILED[CELLS[c.cell_name]].step_backward, fusion.KINDS[c.kind].fuse_backward
    copies, embedding_size = c.output == "words", INPUTS[c.output].size
    attend_backward = attention.attend_backward_with(attention.SCORES[c.score], copies) if c.score else nothing
    before, after = bool(c.score) and c.before, bool(c.score) and not c.before

    @inlined
    def step_backward(k, caches, d, t, t0, n0, n1):
        """Pull drs[t] and the gradients of the states back to step t-1; t0 is the first step of the block."""
        E, Z, C, layers = embedding_size(k.table), d.dz.shape[1], k.ctx.shape[2], len(k.cells)
        first, top = d.cells[0], d.cells[layers - 1]
        copy(d.dz, d.drs[t, :, :Z], n0, n1)                                     # (D6*)
        if reads_context:
            copy(d.dctx, d.drs[t, :, Z:Z + C], n0, n1)                          # (D6*)
        else:
            clear(d.dctx, n0, n1)
        if feeding:
            add_rows(d.dz, d.dz_fed, n0, n1)        # fork: z_t is read out and fed back
        # fork: ctx is fused, read out, fed to the cell
        fuse_backward(d.fuse_WT, k.rs[t, :, :Z], d.dz, d.da, d.ds_ctx, top.dh, d.dctx, t, n0, n1)    # (D5*)
        if after:
            # fork: s_t is fused and is the query
            attend_backward(k.attend, d.attend, t, n0, n1, d.dctx, top.dh)          # (D4*)
        for i in range(layers - 1, -1, -1):
            layer = d.cells[i]
            cell_step_backward(caches[i], layer, k.real, t, n0, n1)                  # (D3*)
            product(layer.dxs[t, n0:n1], layer.da[t - t0, n0:n1], layer.WT)     # (D3*)
            if drop:
                multiply(layer.dxs[t], k.masks[i], n0, n1)
            if deep and i > 0:
                add_rows(d.cells[i - 1].dh, layer.dxs[t], n0, n1)
        if copies:
            # fork: E[y_{t-1}] is fed, and read out
            add_rows(first.dxs[t, :, :E], d.drs[t, :, Z + C:], n0, n1)          # (D6*) (D2*)
        used = E
        if context_in_cell:
            add_rows(d.dctx, first.dxs[t, :, E:E + C], n0, n1)                  # (D2*)
            used += C
        if feeding:
            copy(d.dz_fed, first.dxs[t, :, used:], n0, n1)                      # (D2*)
        if before:
            attend_backward(k.attend, d.attend, t, n0, n1, d.dctx, top.dh)          # (D1*) fork: s_{t-1} is the query
        if every_step:
            add_rows(d.dsource, d.dctx, n0, n1)    # fork: the source is read at every t
    return step_backward
