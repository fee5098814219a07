"""The arrays of a decoder's loop, forward and backward, and the choices of a Config that decide what is compiled.

Everything that the backward pass reads is kept in arrays with a leading S axis.  What a Config does not use is an array
of no numbers, and the code that would read it is not compiled.
"""
from functools import cache as once
from typing import NamedTuple

import numpy as np

from ...layers.cells import CELLS
from ..layers import attention, fusion
from ..layers.copying import Mixing
from ..layers.unroll import COMPILED
from ..linalg.gemm import Operand, operand, packed
from ..linalg.rows import chosen
from ..runtime.arena import copied, empty, scratch_arena, zeros
from ..runtime.jit import inlined
from ..runtime.layer_tuples import each, each_of_three
from .decoder_inputs import INPUTS
from .decoder_outputs import OUTPUTS


class ForwardBuffers(NamedTuple):         # what the steps read and fill
    ids: np.ndarray            # (S, N), the tokens fed; own tokens are written into it.  Frames: (S, N, F)
    teacher_mask: np.ndarray   # (S, N), False = feed the model's own token; (0, 0) if none is fed
    real: np.ndarray           # (S, N), all True: every step is computed
    table: np.ndarray          # (V, E); of frames a FrameReader
    cells: tuple               # for each layer the cell's ForwardBuffers
    masks: tuple               # for each layer the dropout mask (N, D) of its input, if there are any
    attend: attention.ForwardBuffers
    ctx: np.ndarray            # (S, N, C)
    s_ctx: np.ndarray          # (S, N, H+C), what a learned fusion reads; else (0, N, H+C)
    fuse_W: Operand
    rs: np.ndarray             # (S, N, R)
    output_mask: np.ndarray    # (N, R)
    dropped: np.ndarray        # (N, R), r of one step after dropout
    W: Operand                 # of the readout
    b: np.ndarray
    logits: np.ndarray         # (S, N, V), or log p (S, N, V+K); (0, ...) if no own token is fed
    z_0: np.ndarray            # (N, Z), zeros, of no numbers without input feeding
    mixing: Mixing             # of a readout that copies, else None


class BackwardBuffers(NamedTuple):        # gradients
    drs: np.ndarray            # (S, N, R)
    cells: tuple               # for each layer the cell's BackwardBuffers
    attend: attention.BackwardBuffers
    dz: np.ndarray             # (N, Z), of one step
    dz_fed: np.ndarray         # (N, Z), from the step after it
    dctx: np.ndarray           # (N, C)
    fuse_WT: np.ndarray        # packed
    da: np.ndarray             # (S, N, H), of a learned fusion
    ds_ctx: np.ndarray         # (N, H+C)
    dsource: np.ndarray        # (N, C), of a context that is the same at every step


class Variant(NamedTuple):
    """What a Config says about the loop; Configs that agree in it share the machine code."""
    cell_name: str
    layers: int
    score: str                 # "" without attention
    before: bool               # attention comes before the cell
    every_step: bool           # the same context is read at every step
    context_in_cell: bool
    kind: str                  # of fusion
    feeding: bool
    reads_context: bool        # the readout does
    output: str                # what it says: "tokens", "words" that may be copied, or "frames"
    drop: bool                 # inputs of layers are dropped
    drop_output: bool


def variant_of(config, drop, drop_output):
    """-> Variant."""
    c = config
    return Variant(c.cell, c.layers, c.attention if c.context == "attention" else "",
                   c.attention_order == "before", c.context == "every-step", c.context_in_cell, c.fusion,
                   c.input_feeding, c.readout != "state", output_of(config), drop, drop_output)


def output_of(config):
    """What the readout says: a key of INPUTS and OUTPUTS."""
    return "words" if config.readout == "copy" else config.target


def key_of(variant):
    """A name for a composition: part of the key under which its machine code is kept."""
    return "-".join(str(int(x)) if isinstance(x, bool) else str(x) for x in variant)


def optional(teacher_mask, masks, output_mask, dtype):
    """Arguments that may be None, as compiled code wants them: arrays of no numbers.  A `teacher_mask` that is True
    everywhere is one of them."""
    none, free = np.zeros((0, 0), dtype), teacher_mask is not None and not teacher_mask[1:].all()
    return (np.ascontiguousarray(teacher_mask) if free else np.ones((0, 0), bool),
            (none,) if masks is None else tuple([np.ascontiguousarray(m, dtype) for m in masks]),
            none if output_mask is None else np.ascontiguousarray(output_mask, dtype))


@once
def starts(c):
    """-> `start` for this Variant: it makes the ForwardBuffers."""
    kind, reads_context, feeding, copies = c.kind, c.reads_context, c.feeding, c.output == "words"
    new_inputs, table_of, embedding_size = INPUTS[c.output].new, INPUTS[c.output].table, INPUTS[c.output].size
    output_size, mixing = OUTPUTS[c.output].size, OUTPUTS[c.output].mixing
    start_cell = COMPILED[CELLS[c.cell_name]].start
    read_memory = attention.allocation(attention.SCORES[c.score]).start if c.score else (
        attention.same_context if c.every_step else attention.no_context)
    fusion_matrix, learned = fusion.KINDS[kind].matrix, fusion.KINDS[kind].learned
    State = CELLS[c.cell_name].State

    @inlined
    def start_layer(size, p, s0, _):
        arena, S, sources = size
        xs = empty(arena, (S, len(sources), len(p.W)), p.W.dtype)
        if has_c:
            s0 = State(chosen(arena, s0.h, sources), chosen(arena, s0.c, sources))
        else:
            s0 = State(chosen(arena, s0.h, sources))
        return start_cell(arena, p, xs, s0)
    start_layers, has_c = each_of_three(c.layers, start_layer), "c" in State._fields

    @inlined
    def start(arena, p, source, layers, S, sources, teacher_mask, masks, output_mask, asked):
        """`source` and `layers` are the EncoderOutput and the initial states of M sources; row n is for sources[n]
        -> ForwardBuffers.  `asked`: the rows of which the readout may be asked at once, for single steps; 0: never."""
        N, dtype, size, s0 = len(sources), p.readout.b.dtype, output_size(p.readout, source), layers[0].h
        cells, H = start_layers((arena, S, sources), p.layers, layers, layers), s0.shape[1]
        attend, ctx = read_memory(arena, p.score, source, s0, S, sources)
        C, real = ctx.shape[2], empty(arena, (S, N), np.bool_)
        Z = H + C if kind == "concat" else H
        table = table_of(arena, p.embedding, N)
        R = (Z + C if reads_context else Z) + (embedding_size(table) if copies else 0)
        for t in range(S):
            for n in range(N):
                real[t, n] = True
        return ForwardBuffers(
            new_inputs(arena, S, N, p.embedding), teacher_mask, real, table, cells, masks, attend, ctx,
            empty(arena, (S if learned else 0, N, H + C), dtype),
            operand(scratch_arena(arena), fusion_matrix(p.fusion, s0), N), empty(arena, (S, N, R), dtype), output_mask,
            empty(arena, output_mask.shape, dtype),
            operand(scratch_arena(arena), p.readout.W[:R if asked else 0], asked), p.readout.b,
            empty(arena, (len(teacher_mask), N, size), dtype), zeros(arena, (N, Z if feeding else 0), dtype),
            mixing(arena, p, source, asked, size))
    return start


@once
def z_size_of(c):
    """-> the function from the ForwardBuffers to Z, the size of the fused state."""
    reads_context, copies, embedding_size = c.reads_context, c.output == "words", INPUTS[c.output].size

    @inlined
    def z_size(k):
        Z = k.rs.shape[2]
        if reads_context:
            Z -= k.ctx.shape[2]
        if copies:
            Z -= embedding_size(k.table)
        return Z
    return z_size


@once
def starts_backward(c):
    """-> `start` for this Variant: it makes the BackwardBuffers."""
    start_cell, State = COMPILED[CELLS[c.cell_name]].start_backward, CELLS[c.cell_name].State
    fusion_matrix, learned, has_c = fusion.KINDS[c.kind].matrix, fusion.KINDS[c.kind].learned, "c" in State._fields
    allocation = attention.allocation(attention.SCORES[c.score]) if c.score else attention.NO_ATTENTION
    start_attention, z_size = allocation.start_backward, z_size_of(c)

    @inlined
    def start_layer(size, p, g, cache):
        arena, N, H = size
        zero = zeros(arena, (N, H), p.W.dtype)                  # copied
        return start_cell(arena, p, g, cache, State(zero, zero) if has_c else State(zero))
    start_layers = each_of_three(c.layers, start_layer)

    @inlined
    def start(arena, of_memory, p, g, k, caches, drs, dalpha, steps):
        """Two arenas, the second for gradients of the memory; blocks of so many steps -> BackwardBuffers."""
        (S, N, _), H, C, dtype, Z = k.rs.shape, k.cells[0].hs.shape[2], k.ctx.shape[2], drs.dtype, z_size(k)
        return BackwardBuffers(
            drs, start_layers((arena, N, H), p.layers, g.layers, caches),
            start_attention(arena, of_memory, p.score, k.attend, dalpha, steps), empty(arena, (N, Z), dtype),
            zeros(arena, (N, Z), dtype), zeros(arena, (N, C), dtype),
            packed(scratch_arena(arena), fusion_matrix(p.fusion, k.cells[0].hs[0]).T),
            empty(arena, (S if learned else 0, N, H), dtype), empty(arena, (N, H + C), dtype),
            zeros(arena, (N, C), dtype))
    return start


@once
def caches_of(c):
    """-> the function from the ForwardBuffers of all layers' cells to their Caches."""
    cell_cache = COMPILED[CELLS[c.cell_name]].cache

    @inlined
    def cache_layer(_, cell):
        return cell_cache(cell)
    return each(c.layers, cache_layer)


@once
def input_gradients_of(c):
    """-> `input_gradients`: an arena that stays, BackwardBuffers -> the gradients of what the decoder received."""
    state_gradient, State = COMPILED[CELLS[c.cell_name]].state_gradient, CELLS[c.cell_name].State
    has_c = "c" in State._fields

    @inlined
    def of_layer(arena, cell):
        s = state_gradient(cell)
        if has_c:
            return State(copied(arena, s.h), copied(arena, s.c))
        return State(copied(arena, s.h))
    of_layers = each(c.layers, of_layer)

    @inlined
    def input_gradients(arena, d):
        """-> (dhs, dkeys, dctx), gradients of the initial states."""
        return (d.attend.dhs, d.attend.dkeys, copied(arena, d.dsource)), of_layers(arena, d.cells)
    return input_gradients


@inlined
def work_of(k):
    """Multiply-adds of all steps of the cells, approximately."""
    top = k.cells[len(k.cells) - 1]
    return len(k.ids) * len(k.real[0]) * len(k.cells) * 2 * top.W.numbers.size
