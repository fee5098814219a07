"""Twin of decoder.py: the loop over a target sequence, put together of pieces when it is compiled.

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
is not compiled.  Rows of the batch do not read each other, so threads take rows n0 .. n1-1 through all steps;
on the way back through a block of them, whose share of the cells' gradients is added then (see lstm.py).
Everything that backward reads is kept in arrays with a leading S axis.

(D7) stands apart from the loop: `states` and `states_backward` are all but the readout, for seq2seq.py, where
readout.py makes it one with the loss.  Only own tokens need the logits of a step at once.

(D1)..(D7) forward; (D1*)..(D7*) backward.
"""
from functools import cache as once
from typing import NamedTuple

import numpy as np

from .. import decoder as page
from .. import dropout
from .. import fusion as fusion_page
from ..attention import Memory
from ..cells import CELLS
from . import attention, embedding, fusion, unroll
from .gemm import add_product, pack_weights, product, steps_of_a_block
from .jit import inlined, jit
from .rows import add_rows, clear, copy, multiply
from .simd import LANES, at, greatest, maximum
from .threads import bias_gradient, over_columns, over_rows, weight_gradient
from .unroll import TWINS


class Run(NamedTuple):         # what the steps read and fill
    ids: np.ndarray            # (S, N), the tokens fed; own tokens are written into it
    teacher: np.ndarray        # (S, N), False = feed the model's own token
    real: np.ndarray           # (S, N), all True: every step is computed
    table: np.ndarray          # (V, E)
    cells: tuple               # for each layer the cell's Run
    drops: tuple               # for each layer the dropout mask (N, D) of its input
    read: attention.Read
    ctx: np.ndarray            # (S, N, C)
    s_ctx: np.ndarray          # (S, N, H+C), what a learned fusion reads
    fuse_W: np.ndarray         # packed
    rs: np.ndarray             # (S, N, R)
    drop_output: np.ndarray    # (N, R)
    dropped: np.ndarray        # (N, R), r of one step after dropout
    W: np.ndarray              # packed, of the readout
    b: np.ndarray
    logits: np.ndarray         # (S, N, V)


class Back(NamedTuple):        # the same of the way back
    drs: np.ndarray            # (S, N, R)
    cells: tuple               # for each layer the cell's Back
    read: attention.Back
    dz: np.ndarray             # (N, Z), of one step
    dz_fed: np.ndarray         # (N, Z), from the step after it
    dctx: np.ndarray           # (N, C)
    fuse_WT: np.ndarray        # packed
    da: np.ndarray             # (S, N, H), of a learned fusion
    ds_ctx: np.ndarray         # (N, H+C)
    dsource: np.ndarray        # (N, C), of a context that is the same at every step


class Cache(NamedTuple):
    ids: np.ndarray            # (S, N), the tokens really fed
    cells: tuple               # for each layer the cell's Cache with a leading S axis
    run: Run
    rs: np.ndarray             # (S, N, R), what the readout read
    drops: tuple
    drop_output: np.ndarray


def forward(p, config, source, layers, ids, teacher=None, drops=None, drop_output=None):
    """See decoder.forward."""
    k = states(p, config, source, layers, ids, teacher, drops, drop_output)
    (S, N, R), V = k.rs.shape, len(p.readout.b)
    logits = np.empty((S, N, V), k.rs.dtype)
    over_rows(_readout, k.rs.reshape(S * N, R), k.run.W, k.run.b, logits.reshape(S * N, V), N=S * N,
              work=logits.size * R)    # (D7)
    return logits, k


def states(p, config, source, layers, ids, teacher=None, drops=None, drop_output=None):
    """All of `forward` but the readout: -> Cache, whose rs is what the readout reads."""
    c, (S, N), free = config, ids.shape, teacher is not None and not teacher[1:].all()
    run = start(p, c, source, layers, S, np.arange(N), drops, drop_output, logits=free)
    run.ids[:] = ids
    if free:
        run = run._replace(teacher=np.ascontiguousarray(teacher))
    over_rows(loops(*choices(c, drops is not None, drop_output is not None), free)[0], run, N=N,
              work=S * N * work_of(p))
    rs, finish = dropout.forward(run.rs, drop_output), unroll.loops(CELLS[c.cell_name]).finish
    return Cache(run.ids, tuple(finish(cell)[2] for cell in run.cells), run, rs, drops, drop_output)


def start(p, config, source, layers, S, sources, drops=None, drop_output=None, logits=True):
    """Room for S steps, and for their logits if wanted: rows begin in the states `layers`, row n reads the
    memory of sources[n] -> Run."""
    c, twin, N, dtype = config, unroll.loops(CELLS[config.cell_name]), len(sources), p.embedding.dtype
    H, C, R, none = c.hidden, c.encoder_size, c.readout_size, np.zeros((1, 1, 1), p.embedding.dtype)
    xs = [np.empty((S, N, len(layer.W)), dtype) for layer in p.layers]
    cells = tuple(twin.start(*each) for each in zip(p.layers, xs, layers))
    if c.context == "attention":
        read = attention.start(c.attention, p.score, source.memory, S, H, sources)
        ctx = np.empty((S, N, C), dtype)
    else:
        read = attention.Read(none[0, 0], none[0, 0], dtype.type(1), none, none, np.ones((1, 1), bool),
                              sources, none, none)
        ctx = none if source.ctx is None else source.ctx[None, sources].repeat(S, axis=0)
    learned = p.fusion is not None
    return Run(np.empty((S, N), np.int64), np.ones((1, 1), bool), np.ones((S, N), bool), p.embedding, cells,
               drops if drops else tuple(none[0] for _ in cells), read, ctx,
               np.empty((S, N, H + C), dtype) if learned else none,
               pack_weights(p.fusion.W) if learned else none[0, 0],
               np.empty((S, N, R), dtype), none[0] if drop_output is None else drop_output,
               none[0] if drop_output is None else np.empty((N, R), dtype), pack_weights(p.readout.W),
               p.readout.b, np.empty((S, N, len(p.readout.b)), dtype) if logits else none)


def work_of(p):
    """Multiply-adds of one row's step, about."""
    return sum(layer.W.size + layer.U.size for layer in p.layers) + p.readout.W.size


def backward(p, config, source, k, dlogits):
    """See decoder.backward."""
    (S, N, R), V, drs = k.rs.shape, len(p.readout.b), np.empty_like(k.rs)
    over_rows(_product, dlogits.reshape(S * N, V), pack_weights(p.readout.W.T), drs.reshape(S * N, R),
              N=S * N, work=dlogits.size * R)                                       # (D7*)
    g_readout = p.readout._replace(W=weight_gradient(k.rs, dlogits), b=bias_gradient(dlogits))      # (D7*)
    return states_backward(p, config, source, k, drs, g_readout)


def states_backward(p, config, source, k, drs, g_readout):
    """All of `backward` but the readout, whose gradients `drs` (S, N, R) and `g_readout` are."""
    c, twin, run = config, unroll.loops(CELLS[config.cell_name]), k.run
    (S, N), dtype = k.ids.shape, k.rs.dtype
    Z, E, C, work = c.fused_size, p.embedding.shape[1], c.encoder_size, N * work_of(p)
    none, learned, attends = np.zeros((1, 1, 1), dtype), p.fusion is not None, c.context == "attention"
    drs, steps = dropout.backward(drs, k.drop_output), steps_of_a_block(S, N)

    def zero_state():
        cell = CELLS[c.cell_name]
        return cell.State(*(np.zeros((N, c.hidden), dtype) for _ in cell.State._fields))
    backs = tuple(twin.start_backward(layer, kl, zero_state()) for layer, kl in zip(p.layers, k.cells))
    read = attention.start_backward(c.attention, p.score, run.read, steps) if attends else \
        attention.Back(none[0, 0], none, none, none[0], none, none, none)
    d = Back(drs, backs, read, np.zeros((N, Z), dtype), np.zeros((N, Z), dtype), np.zeros((N, C), dtype),
             pack_weights(p.fusion.W.T) if learned else none[0, 0],
             np.empty((S, N, c.hidden), dtype) if learned else none,
             np.empty((N, c.hidden + C), dtype) if learned else none[0], np.zeros((N, C), dtype))
    loop = loops(*choices(c, k.drops is not None, k.drop_output is not None), False)
    for t0 in range((S - 1) // steps * steps, -1, -steps):
        t1 = min(t0 + steps, S)
        over_rows(loop[1], run, k.cells, d, t0, t1, N=N, work=work * (t1 - t0))
        for layer, kl, back in zip(p.layers, k.cells, backs):
            over_columns(twin.add_gradients, kl, back, t0, t1, J=layer.W.shape[1],
                         work=(t1 - t0) * N * (layer.W.size + layer.U.size))

    # fork: weights are used at every t
    states, grads = zip(*(twin.finish_backward(back)[1:] for back in backs))
    dmemory, g_score = None, None
    if attends:
        hs = run.cells[-1].hs
        dhs, dkeys, g_score = attention.gradients(c.attention, p.score, run.read, read,
                                                  hs[:-1] if c.order == "before" else hs[1:])
        dmemory = Memory(dhs, dkeys, None)
    g_fusion = fusion_page.Params(weight_gradient(run.s_ctx, d.da)) if learned else None
    dE = embedding.backward(p.embedding, k.ids, backs[0].dxs[:, :, :E])             # (D2*)
    dsource = page.Source(dmemory, d.dsource if c.context == "every-step" else None)
    return page.Params(dE, grads, g_score, g_fusion, g_readout), states, dsource


def alphas(k):
    """Attention weights of all steps: (S, T, N), or None without attention."""
    alpha = k.run.read.alpha
    return None if alpha.shape[:2] != k.ids.shape else alpha.transpose(0, 2, 1)


@inlined
def read_out(rs, W, b, logits, r0, r1):
    """logits = r W + b, for rows r0 .. r1-1."""
    V = len(b)
    for r in range(r0, r1):
        for j in range(0, V, LANES):
            logits[r, at(j, V)] = b[at(j, V)]                                       # (D7)
    add_product(logits[r0:r1], rs[r0:r1], W)                                        # (D7)


@jit("decoder.readout")
def _readout(rs, W, b, logits, r0, r1):
    read_out(rs, W, b, logits, r0, r1)


@jit("decoder.product")
def _product(a, W, c, r0, r1):
    product(c[r0:r1], a[r0:r1], W)


@inlined
def best_token(logits):
    """The first of the greatest logits; a NaN counts as the greatest, as in NumPy."""
    V = len(logits)
    top = logits[0]
    if V < LANES:
        top = logits.max()
    else:
        best = logits[at(V - LANES, V)]                         # the last 16, then all groups of 16
        for j in range(0, V - LANES + 1, LANES):
            best = maximum(best, logits[at(j, V)])
        top = greatest(best)
    v = 0
    while logits[v] != top and logits[v] == logits[v]:
        v += 1
    return v


@inlined
def nothing(*args):
    """The attention of a decoder that has none."""


def choices(config, drop, drop_output):
    """What a Config says about the loop; Configs that agree in it share the machine code."""
    c = config
    return (c.cell_name, c.layers > 1, c.attention if c.context == "attention" else "", c.order == "before",
            c.context == "every-step", c.context_in_cell, c.fusion, c.input_feeding,
            c.readout == "state-context", drop, drop_output)


def key_of(choices):
    """A name for a composition: part of the key under which its machine code is kept."""
    return "-".join(str(x) if isinstance(x, str) else "01"[x] for x in choices)


def steps(cell_name, deep, score, before, every_step, context_in_cell, kind, feeding, reads_context, drop,
          drop_output):
    """-> one step of the loop forward, for these choices."""
    cell_step = TWINS[CELLS[cell_name]].step
    attend = attention.steps(score)[0] if score else nothing
    attends, before, after = bool(score), bool(score) and before, bool(score) and not before
    fuse = fusion.KINDS[kind][0]

    @inlined
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
        ctx, s_ctx = k.ctx[t if attends or every_step else 0], k.s_ctx[t if k.s_ctx.shape[0] > 1 else 0]
        fuse(k.fuse_W, top.hs[t + 1], ctx, s_ctx, k.rs[t, :, :Z], n0, n1)           # (D5)
        if reads_context:
            copy(k.rs[t, :, Z:], ctx, n0, n1)                                       # (D6)
    return step


@once
def loops(cell_name, deep, score, before, every_step, context_in_cell, kind, feeding, reads_context, drop,
          drop_output,
          free):
    """-> the loops forward and backward for these choices; `free`: own tokens may be fed."""
    chosen = (cell_name, deep, score, before, every_step, context_in_cell, kind, feeding, reads_context, drop,
              drop_output)
    step, step_backward = steps(*chosen), TWINS[CELLS[cell_name]].step_backward
    attend_backward, contexts_backward = attention.steps(score)[1:] if score else (nothing, nothing)
    before, after = bool(score) and before, bool(score) and not before
    fuse_backward, key = fusion.KINDS[kind][1], key_of((*chosen, free))

    @jit(f"decoder.{key}")
    def run(k, n0, n1):
        Z = k.rs.shape[2] - (k.ctx.shape[2] if reads_context else 0)
        nothing_yet = np.zeros((n1, Z if feeding else 0), k.rs.dtype)
        for t in range(len(k.ids)):
            if free and t > 0:
                for n in range(n0, n1):
                    if not k.teacher[t, n]:
                        k.ids[t, n] = best_token(k.logits[t - 1, n])
            step(k, t, k.rs[t - 1, :, :Z] if t > 0 else nothing_yet, n0, n1)
            if free:
                r = k.rs[t]
                if drop_output:
                    copy(k.dropped, r, n0, n1)
                    multiply(k.dropped, k.drop_output, n0, n1)
                    r = k.dropped
                read_out(r, k.W, k.b, k.logits[t], n0, n1)                          # (D7)

    @jit(f"decoder_backward.{key}")
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
            fuse_backward(d.fuse_WT, k.rs[t, :, :Z], d.dz, d.da[t if d.da.shape[0] > 1 else 0], d.ds_ctx,
                          top.dh,
                          d.dctx, n0, n1)                                           # (D5*)
            if after:
                # (D4*) fork: s_t is fused and asks
                attend_backward(k.read, d.read, t, n0, n1, d.dctx, top.dh)
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

    return run, run_backward
