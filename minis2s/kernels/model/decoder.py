"""Compiled implementation of decoder.py: the loop over a target sequence, put together of pieces when it is compiled.

         E[y]  ctx  z_{t-1}                    the pieces, by the names of the Config
           │    │     │
           └── x_t ───┘  (D2)                  order, context, input_feeding: which parts x_t has
                │
         cell, layer by layer  (D3)            a cell's step: lstm.py, gru.py, gru_after.py, rnn.py
                │ s_t
     attend ────┤  (D1) (D4)                   a score's term: attention.py
        └─ ctx ─┤
              fuse  (D5)                       a kind: fusion.py
                │ z_t
               r_t  (D6) ── W, b ─> logits  (D7)

`loops` takes the pieces that a Config names and puts them into the one loop below; what a Config does not use
is not compiled, and the whole way forward is one call, the way back another.  Rows of the batch do not read
each other, so threads take rows n0 .. n1-1 through all steps; on the way back through a block of them, whose
share of the cells' gradients is added then (see lstm.py).  Everything that backward reads is kept in arrays
with a leading S axis.

(D7) stands apart from the loop: `states` and `states_backward` are all but the readout, for seq2seq.py, where
readout.py makes it one with the loss.  Only own tokens need the logits of a step at once.

(D1)..(D7) forward; (D1*)..(D7*) backward.
"""
from functools import cache as once
from typing import Callable, NamedTuple

import numpy as np
from numpy import ascontiguousarray as contiguous

from ...model import decoder as reference
from ...core import validation, tree
from ...layers import dropout
from ...layers.attention import Memory
from ...layers.cells import CELLS
from ..core import validation as compiled
from ..layers import attention, fusion, unroll
from ..layers.embedding import scatter
from ..linalg.gemm import Operand, add_product, operand, packed, product, product_of_rows
from ..linalg.gradients import bias_gradient, steps_of_a_block, weight_gradient, weight_gradient_shared
from ..runtime.jit import inlined, internal_kernel, jit, device_function
from ..runtime.layer_tuples import each, each_of_three
from .validated import check_decoder, check_decoder_inputs, int64_ids
from ..runtime.arena import scratch_arena, copied, empty, zeros
from ..linalg.rows import add_rows, chosen, clear, copy, multiply, top_of
from ..linalg.simd import LANES, at
from ..runtime.threads import over_columns, over_rows
from ..layers.unroll import COMPILED


class ForwardBuffers(NamedTuple):         # what the steps read and fill
    ids: np.ndarray            # (S, N), the tokens fed; own tokens are written into it
    teacher: np.ndarray        # (S, N), False = feed the model's own token; (0, 0) if none is fed
    real: np.ndarray           # (S, N), all True: every step is computed
    table: np.ndarray          # (V, E)
    cells: tuple               # for each layer the cell's ForwardBuffers
    drops: tuple               # for each layer the dropout mask (N, D) of its input, if there are any
    read: attention.ForwardBuffers
    ctx: np.ndarray            # (S, N, C)
    s_ctx: np.ndarray          # (S, N, H+C), what a learned fusion reads; else (0, N, H+C)
    fuse_W: Operand
    rs: np.ndarray             # (S, N, R)
    drop_output: np.ndarray    # (N, R)
    dropped: np.ndarray        # (N, R), r of one step after dropout
    W: Operand                 # of the readout
    b: np.ndarray
    logits: np.ndarray         # (S, N, V); (0, N, V) if no own token is fed
    z_0: np.ndarray            # (N, Z), zeros, of no numbers without input feeding


class BackwardBuffers(NamedTuple):        # the same of the way back
    drs: np.ndarray            # (S, N, R)
    cells: tuple               # for each layer the cell's BackwardBuffers
    read: attention.BackwardBuffers
    dz: np.ndarray             # (N, Z), of one step
    dz_fed: np.ndarray         # (N, Z), from the step after it
    dctx: np.ndarray           # (N, C)
    fuse_WT: np.ndarray        # packed
    da: np.ndarray             # (S, N, H), of a learned fusion
    ds_ctx: np.ndarray         # (N, H+C)
    dsource: np.ndarray        # (N, C), of a context that is the same at every step


class Cache(NamedTuple):
    ids: np.ndarray            # (S, N), the tokens really fed
    run: ForwardBuffers
    rs: np.ndarray             # (S, N, R), what the readout read
    drops: tuple
    drop_output: np.ndarray
    made_for: tuple            # the Config and the forms of all arrays, by which backward knows its cache


def forward(p, config, source, layers, ids, teacher=None, drops=None, drop_output=None):
    """See decoder.forward."""
    k = states(p, config, source, layers, ids, teacher, drops, drop_output)
    logits = np.empty((*ids.shape, len(p.readout.b)), k.rs.dtype)
    _read_out_all(None, k.rs, p.readout.W, contiguous(p.readout.b), logits)                     # (D7)
    return logits, k


def states(p, config, source, layers, ids, teacher=None, drops=None, drop_output=None):
    """All of `forward` but the readout: -> Cache, whose rs is what the readout reads."""
    validation.ids("ids", ids, config.target_vocab, ("S", "N"))
    if teacher is not None:
        validation.array("teacher", teacher, ids.shape, "b")
    check_decoder(p, config)
    check_decoder_inputs(p, config, source, layers, drops, drop_output, ids.shape[1])
    variant = variant_of(config, drops is not None, drop_output is not None)
    run = loops(variant).called_forward(
        *(tree.map(contiguous, part) for part in (p, source, layers)), int64_ids(ids),
        *optional(teacher, drops, drop_output, p.embedding.dtype))
    return Cache(run.ids, run, dropout.forward(run.rs, drop_output), drops, drop_output, made_for(config, run))


def optional(teacher, drops, drop_output, dtype):
    """What may be None as compiled code wants it: arrays of no numbers; no `teacher` if it feeds no own tokens."""
    none, free = np.zeros((0, 0), dtype), teacher is not None and not teacher[1:].all()
    return (contiguous(teacher) if free else np.ones((0, 0), bool),
            (none,) if drops is None else tuple([contiguous(m, dtype) for m in drops]),
            none if drop_output is None else contiguous(drop_output, dtype))


def backward(p, config, source, k, dlogits):
    """See decoder.backward."""
    check_decoder(p, config)
    check_cache(config, k)
    compiled.array("dlogits", dlogits, p.embedding.dtype, (*k.run.ids.shape, config.target_vocab))
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
    loop = loops(variant_of(c, k.drops is not None, k.drop_output is not None)).called_backward
    (dhs, dkeys, dctx), states = loop(p, g, k.run, contiguous(dropout.backward(drs, k.drop_output)))
    dmemory = None
    if c.context == "attention":
        dmemory = Memory(dhs, dkeys if attention.SCORES[c.attention].has_keys else None, None)
    dsource = reference.EncoderOutput(dmemory, dctx if c.context == "every-step" else None)
    return g._replace(readout=g_readout), states, dsource


def made_for(config, run):
    """What a cache was made for: the Config, and the forms of all arrays that the way back reads."""
    return config, [(a.shape, a.dtype) for a in tree.leaves(run) if isinstance(a, np.ndarray)]


def check_cache(config, k):
    """Require a Cache of `forward` for this Config, as it was returned."""
    compiled.kind("k", k, Cache)
    if k.made_for != made_for(config, k.run):
        raise ValueError("k: not a cache that decoder.forward returned for this Config, or its arrays were replaced")
    validation.ids("k.run.ids", k.run.ids, config.target_vocab)
    compiled.array("k.rs", k.rs, k.run.rs.dtype, k.run.rs.shape)


def alphas(k):
    """Attention weights of all steps: (S, T, N), or None without attention."""
    alpha = k.run.read.alpha
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
    over_rows(rows_read_out, (rs.reshape(S * N, R), packed(scratch_arena(arena), W), b, logits.reshape(S * N, V)), S * N,
              logits.size * R)                                                      # (D7)


_read_out_all = jit("decoder.read_out")(read_out_all)          # of Python, without an arena


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


@inlined
def nothing(*args):
    """The attention of a decoder that has none."""


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
    drop: bool                 # inputs of layers are dropped
    drop_output: bool


def variant_of(config, drop, drop_output):
    """-> Variant."""
    c = config
    return Variant(c.cell, c.layers, c.attention if c.context == "attention" else "",
                   c.attention_order == "before", c.context == "every-step", c.context_in_cell, c.fusion,
                   c.input_feeding, c.readout == "state-context", drop, drop_output)


def key_of(variant):
    """A name for a composition: part of the key under which its machine code is kept."""
    return "-".join(str(int(x)) if isinstance(x, bool) else str(x) for x in variant)


@once
def starts(c):
    """-> `start`: arena for the steps, for these Variant."""
    kind, reads_context, feeding = c.kind, c.reads_context, c.feeding
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
    def start(arena, p, source, layers, S, sources, teacher, drops, drop_output, own):
        """`source` and `layers` are what is known of M sources and the states they begin in; row n is for
        sources[n] -> ForwardBuffers.  `own`: the readout may be asked for single steps."""
        N, dtype, V, s0 = len(sources), p.embedding.dtype, len(p.readout.b), layers[0].h
        cells, H = start_layers((arena, S, sources), p.layers, layers, layers), s0.shape[1]
        read, ctx = read_memory(arena, p.score, source, s0, S, sources)
        C, real = ctx.shape[2], empty(arena, (S, N), np.bool_)
        Z = H + C if kind == "concat" else H
        R = Z + C if reads_context else Z
        for t in range(S):
            for n in range(N):
                real[t, n] = True
        return ForwardBuffers(empty(arena, (S, N), np.int64), teacher, real, p.embedding, cells, drops,
                   read, ctx, empty(arena, (S if learned else 0, N, H + C), dtype),
                   operand(scratch_arena(arena), fusion_matrix(p.fusion, s0), N), empty(arena, (S, N, R), dtype), drop_output,
                   empty(arena, drop_output.shape, dtype), operand(scratch_arena(arena), p.readout.W[:R if own else 0], N),
                   p.readout.b, empty(arena, (len(teacher), N, V), dtype),
                   zeros(arena, (N, Z if feeding else 0), dtype))
    return start


@once
def steps(c):
    """-> one step of the loop forward, for these Variant."""
    context_in_cell, feeding, reads_context, drop = c.context_in_cell, c.feeding, c.reads_context, c.drop
    cell_step, fuse, deep = COMPILED[CELLS[c.cell_name]].step, fusion.KINDS[c.kind].fuse, c.layers > 1
    attend = attention.attend_with(attention.SCORES[c.score]) if c.score else nothing
    before, after = bool(c.score) and c.before, bool(c.score) and not c.before

    @device_function
    def step(k, t, z_prev, n0, n1):
        """Feed ids[t], and z_prev (N, Z) if z is fed back; leaves rs[t], and states in t + 1."""
        E, Z, C, layers = k.table.shape[1], k.rs.shape[2], k.ctx.shape[2], len(k.cells)
        if reads_context:
            Z -= C
        xs, top = k.cells[0].xs, k.cells[layers - 1]
        for n in range(n0, n1):
            for j in range(0, E, LANES):
                xs[t, n, at(j, E)] = k.table[k.ids[t, n], at(j, E)]                 # (D2)
        if before:
            attend(k.read, top.hs[t], t, n0, n1, k.ctx[t])                          # (D1)
        used = E
        if context_in_cell:
            copy(xs[t, :, E:E + C], k.ctx[t], n0, n1)                               # (D2)
            used += C
        if feeding:
            copy(xs[t, :, used:], z_prev, n0, n1)                                   # (D2)
        for i in range(layers):
            layer = k.cells[i]
            if drop:
                multiply(layer.xs[t], k.drops[i], n0, n1)
            product(layer.a[t, n0:n1], layer.xs[t, n0:n1], layer.W)                 # (D3)
            cell_step(layer, k.real, t, n0, n1)                                     # (D3)
            if deep and i + 1 < layers:
                copy(k.cells[i + 1].xs[t], layer.hs[t + 1], n0, n1)
        if after:
            attend(k.read, top.hs[t + 1], t, n0, n1, k.ctx[t])                      # (D4)
        fuse(k.fuse_W, top.hs[t + 1], k.ctx[t], k.s_ctx, k.rs[t, :, :Z], t, n0, n1)  # (D5)
        if reads_context:
            copy(k.rs[t, :, Z:], k.ctx[t], n0, n1)                                  # (D6)
    return step


class Loops(NamedTuple):       # the compiled functions for some Variant
    forward: Callable          # see below
    backward: Callable
    handed_back: Callable      # arena that stays, BackwardBuffers -> (dhs, dkeys, dctx), gradients of the first states
    called_forward: Callable   # the ways as Python calls them
    called_backward: Callable


@once
def loops(c):
    """-> the ways forward and back for these Variant."""
    every_step, context_in_cell, feeding = c.every_step, c.context_in_cell, c.feeding
    reads_context, drop, drop_output = c.reads_context, c.drop, c.drop_output
    deep, key, has_c = c.layers > 1, key_of(c), "c" in CELLS[c.cell_name].State._fields
    start, step, cell, State = starts(c), steps(c), COMPILED[CELLS[c.cell_name]], CELLS[c.cell_name].State
    step_backward, add_gradients = cell.step_backward, unroll.loops(CELLS[c.cell_name]).add_gradients
    _, fuse_backward, fusion_matrix, learned = fusion.KINDS[c.kind]
    score = attention.SCORES.get(c.score)
    attend_backward = attention.attend_backward_with(score) if score else nothing
    contexts_backward = attention.contexts_backward if score else nothing
    _, start_attention, add_attention_gradient = attention.allocation(score) if score else attention.NO_ATTENTION
    before, after = bool(c.score) and c.before, bool(c.score) and not c.before

    @internal_kernel(f"decoder.run.{key}")
    def run(k, n0, n1):
        Z, free = k.rs.shape[2] - (k.ctx.shape[2] if reads_context else 0), len(k.teacher) > 0
        for t in range(len(k.ids)):
            if free and t > 0:
                for n in range(n0, n1):
                    if not k.teacher[t, n]:
                        k.ids[t, n] = best_token(k.logits[t - 1, n])
            step(k, t, k.rs[t - 1, :, :Z] if t > 0 else k.z_0, n0, n1)
            if free:
                r = k.rs[t]
                if drop_output:
                    copy(k.dropped, r, n0, n1)
                    multiply(k.dropped, k.drop_output, n0, n1)
                    r = k.dropped
                read_out(r, k.W, k.b, k.logits[t], n0, n1)                          # (D7)

    def forward(arena, p, source, layers, ids, teacher, drops, drop_output):
        """An arena, Params, EncoderOutput, States, and what `optional` makes of the rest -> ForwardBuffers, filled."""
        S, N = ids.shape
        sources = empty(arena, (N,), np.int64)
        for n in range(N):
            sources[n] = n
        k = start(arena, p, source, layers, S, sources, teacher, drops, drop_output, len(teacher) > 0)
        for t in range(S):
            for n in range(N):
                k.ids[t, n] = ids[t, n]
        over_rows(run, (k,), N, work_of(k))
        return k

    @internal_kernel(f"decoder.run_backward.{key}")
    def run_backward(k, caches, d, t0, t1, n0, n1):
        E, Z, C, layers = k.table.shape[1], d.dz.shape[1], k.ctx.shape[2], len(k.cells)
        first, top = d.cells[0], d.cells[layers - 1]
        for t in range(t1 - 1, t0 - 1, -1):
            copy(d.dz, d.drs[t, :, :Z], n0, n1)                                     # (D6*)
            if reads_context:
                copy(d.dctx, d.drs[t, :, Z:], n0, n1)                               # (D6*)
            else:
                clear(d.dctx, n0, n1)
            if feeding:
                add_rows(d.dz, d.dz_fed, n0, n1)        # fork: z_t is read out and fed back
            # fork: ctx is fused, read out, fed to the cell
            fuse_backward(d.fuse_WT, k.rs[t, :, :Z], d.dz, d.da, d.ds_ctx, top.dh, d.dctx, t, n0,
                          n1)                                                       # (D5*)
            if after:
                # fork: s_t is fused and is the query
                attend_backward(k.read, d.read, t, n0, n1, d.dctx, top.dh)          # (D4*)
            for i in range(layers - 1, -1, -1):
                layer = d.cells[i]
                step_backward(caches[i], layer, k.real, t, n0, n1)                  # (D3*)
                product(layer.dxs[t, n0:n1], layer.da[t - t0, n0:n1], layer.WT)     # (D3*)
                if drop:
                    multiply(layer.dxs[t], k.drops[i], n0, n1)
                if deep and i > 0:
                    add_rows(d.cells[i - 1].dh, layer.dxs[t], n0, n1)
            used = E
            if context_in_cell:
                add_rows(d.dctx, first.dxs[t, :, E:E + C], n0, n1)                  # (D2*)
                used += C
            if feeding:
                copy(d.dz_fed, first.dxs[t, :, used:], n0, n1)                      # (D2*)
            if before:
                attend_backward(k.read, d.read, t, n0, n1, d.dctx, top.dh)          # (D1*) fork: s_{t-1} asks
            if every_step:
                add_rows(d.dsource, d.dctx, n0, n1)    # fork: the source is read at every t
        if before or after:
            contexts_backward(k.read, d.read, t0, t1, n0, n1)

    @inlined
    def cache_layer(_, run):
        return cell_cache(run)

    @inlined
    def start_layer(size, p, g, cache):
        arena, N, H = size
        zero = zeros(arena, (N, H), p.W.dtype)                  # copied
        return start_cell(arena, p, g, cache, State(zero, zero) if has_c else State(zero))

    @inlined
    def state_gradient_layer(arena, back):
        s = state_gradient(back)
        if has_c:
            return State(copied(arena, s.h), copied(arena, s.c))
        return State(copied(arena, s.h))
    cell_cache, start_cell, state_gradient = cell.cache, cell.start_backward, cell.state_gradient
    caches_of, gradients_of = each(c.layers, cache_layer), each(c.layers, state_gradient_layer)
    start_layers = each_of_three(c.layers, start_layer)

    def backward(arena, of_memory, p, g, k, drs):
        """Two arenas, the second for gradients of the memory, Params, their gradient to add to (but the readout's),
        ForwardBuffers, drs -> BackwardBuffers."""
        (S, N), H, C, E = k.ids.shape, k.cells[0].hs.shape[2], k.ctx.shape[2], k.table.shape[1]
        dtype, caches, steps = drs.dtype, caches_of(0, k.cells), steps_of_a_block(S, N)
        Z = k.rs.shape[2] - (C if reads_context else 0)
        d = BackwardBuffers(drs, start_layers((arena, N, H), p.layers, g.layers, caches),
                 start_attention(arena, of_memory, p.score, k.read, steps), empty(arena, (N, Z), dtype),
                 zeros(arena, (N, Z), dtype), zeros(arena, (N, C), dtype),
                 packed(scratch_arena(arena), fusion_matrix(p.fusion, k.cells[0].hs[0]).T),
                 empty(arena, (S if learned else 0, N, H), dtype), empty(arena, (N, H + C), dtype),
                 zeros(arena, (N, C), dtype))
        for t0 in range((S - 1) // steps * steps, -1, -steps):
            t1 = min(t0 + steps, S)
            work = work_of(k) // S * (t1 - t0)
            over_rows(run_backward, (k, caches, d, t0, t1), N, work)
            for i in range(len(caches)):
                over_columns(add_gradients, (caches[i], d.cells[i], t0, t1), d.cells[i].db.size, work)
        # fork: weights are used at every t
        hs = k.cells[len(k.cells) - 1].hs
        add_attention_gradient(g.score, d.read, hs[:S] if before else hs[1:])
        if learned:
            weight_gradient_shared(g.fusion.W, k.s_ctx, d.da)                       # (D5*)
        scatter(g.embedding, k.ids, d.cells[0].dxs[:, :, :E])                       # (D2*)
        return d

    @inlined
    def handed_back(arena, d):
        return (d.read.dhs, d.read.dkeys, copied(arena, d.dsource)), gradients_of(arena, d.cells)

    for_python, back_for_python = inlined(forward), inlined(backward)

    @jit(f"decoder.{key}")
    def called_forward(p, source, layers, ids, teacher, drops, drop_output):
        return for_python(None, p, source, layers, ids, teacher, drops, drop_output)

    @jit(f"decoder_backward.{key}")
    def called_backward(p, g, k, drs):
        d = back_for_python(None, None, p, g, k, drs)
        return handed_back(None, d)

    return Loops(internal_kernel(f"decoder.forward.{key}")(forward), internal_kernel(f"decoder.backward.{key}")(backward),
                 handed_back, called_forward, called_backward)


@inlined
def work_of(k):
    """Multiply-adds of all steps of the cells, about."""
    top = k.cells[len(k.cells) - 1]
    return len(k.ids) * len(k.real[0]) * len(k.cells) * 2 * top.W.numbers.size
