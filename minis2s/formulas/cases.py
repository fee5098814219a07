"""A small case of every formula: inputs, the library's forward and backward, and what the scalar oracle says.

A case's inputs are a tree of everything its outputs depend on smoothly (weights, inputs, states); ids and
masks are fixed when it is drawn.  The functions here only bring live code and oracle to one form:
inputs -> outputs (a tree), cache; inputs, cache, d -> gradients (a tree like the inputs); inputs -> what
plain Python answers.
"""

from collections import namedtuple
from functools import cache
from typing import Any, Callable, NamedTuple

import numpy as np

from .. import decoder, embedding, fusion, linear, loss, naive, optim, seq2seq, tree, unroll
from ..attention import SCORES, Memory, attend, attend_backward, remember, remember_backward
from ..cells import CELLS, rnn
from ..config import Config
from ..data.batches import make_batch
from ..functions import softmax, softmax_backward
from ..printed import a as printed_a
from ..printed import b as printed_b
from ..printed import c as printed_c
from ..printed import d as printed_d


class Sizes(NamedTuple):
    """Sizes of a case, and the size of its numbers (0: all scores equal; 1000: all saturated)."""

    T: int = 6
    S: int = 3
    N: int = 2
    D: int = 3
    H: int = 4
    V: int = 5
    scale: float = 0.8


class Case(NamedTuple):
    inputs: Any                # a tree of float64 arrays
    forward: Callable          # inputs -> outputs (a tree), cache
    backward: Callable         # inputs, cache, outputs' gradients -> inputs' gradients; None: there is none
    oracle: Callable           # inputs -> outputs, computed by minis2s.naive
    silent: tuple = ()         # outputs that are compared only: backward takes no gradient of them


# Words -----------------------------------------------------------------------------------------------------


def fields(**parts):
    """A tree whose parts have these names; the same names give the same type."""
    return fields_type(tuple(parts))(*parts.values())


@cache
def fields_type(names):
    return namedtuple("Fields", names)


def normal(rng, z, *shape):
    return z.scale * rng.normal(size=shape)


def like(rng, z, t):
    """A tree of the form of `t` with random entries everywhere, biases included."""
    return tree.map(lambda a: normal(rng, z, *a.shape), t)


def lengths(rng, z):
    """N source lengths in 1..T, the first one T."""
    return [z.T, *rng.integers(1, z.T + 1, size=z.N - 1).tolist()]


def ragged(rng, z):
    """A mask (T, N): lengths in 1..T, the first one T."""
    return np.arange(z.T)[:, None] < np.array(lengths(rng, z))


def gates(a, letters):
    """Blocks packed on the last axis -> a dict of lists by the gates' letters, as naive.py has them."""
    return {q: block.tolist() for q, block in zip(letters, np.split(a, len(letters), axis=-1))}


def naive_cell(name, p):
    """A cell as naive.py wants it: a function (x, state) -> state."""
    if name.startswith("rnn"):
        W, U, b = (a.tolist() for a in p)
        return lambda x, h: naive.rnn_step(W, U, b, x, h, phi="sigmoid" if name == "rnn-sigmoid" else "tanh")
    W, U, b = (gates(a, "ifgo" if name == "lstm" else "zrn") for a in p[:3])
    if name == "lstm":
        return lambda x, s: naive.lstm_step(W, U, b, x, *s)
    if name == "gru":
        return lambda x, h: naive.gru_step(W, U, b, x, h)
    return lambda x, h: naive.gru_after_step(W, U, b, p.b_U.tolist(), x, h)


def state_of(s, n):
    """Example n of a State as naive.py has it: h, or (h, c)."""
    parts = tuple(a[n].tolist() for a in s)
    return parts if len(parts) > 1 else parts[0]


def by_example(f, N):
    """f(n) -> a tuple of lists, for each example; stacked: a tuple of lists over n."""
    return tuple(zip(*(f(n) for n in range(N)), strict=True))


def time_first(examples):
    """Lists over n of lists over t -> lists over t of lists over n."""
    return [list(row) for row in zip(*examples, strict=True)]


def stacked(*blocks):
    """The documents' one matrix for [u; v]: the rows of u, then those of v, as lists."""
    return np.concatenate(blocks).tolist()


# Recurrent steps and sequences -----------------------------------------------------------------------------


def step_case(cell, p, x, s, oracle):
    """One step of any cell; oracle(p, x, state, n) is naive's answer for example n."""

    def forward(v):
        return cell.step(v.p, v.x, v.s)

    def backward(v, k, d):
        dx, ds, g = cell.step_backward(v.p, k, d)
        return type(v)(g, dx, ds)

    def answer(v):
        parts = by_example(lambda n: as_tuple(oracle(v.p, v.x[n].tolist(), state_of(v.s, n))), len(v.x))
        return type(v.s)(*parts)

    return Case(fields(p=p, x=x, s=s), forward, backward, answer)


def as_tuple(state):
    return state if isinstance(state, tuple) else (state,)


def one_step(name, oracle):
    """A cell of the library; oracle(p, x, state)."""

    def draw(rng, z):
        cell = CELLS[name]
        p = like(rng, z, cell.init(rng, z.D, z.H))
        if name == "rnn-sigmoid":
            p = p._replace(b=np.zeros(z.H))  # A4.1 has no bias
        s = cell.State(*(normal(rng, z, z.N, z.H) for _ in cell.State._fields))
        return step_case(cell, p, normal(rng, z, z.N, z.D), s, oracle)

    return draw


def a4_1(rng, z):
    case = one_step("rnn-sigmoid", lambda p, x, h: naive.a4_1(stacked(p.W, p.U), x, h))(rng, z)
    return without_bias(case)


def without_bias(case):
    """The same case with the cell's bias held at 0, not varied: it is not part of the formula."""
    b = np.zeros_like(case.inputs.p.b)
    return case._replace(
        inputs=case.inputs._replace(p=case.inputs.p._replace(b=None)),
        forward=lambda v: case.forward(v._replace(p=v.p._replace(b=b))),
        backward=lambda v, k, d: drop_bias(case.backward(v._replace(p=v.p._replace(b=b)), k, d)),
        oracle=case.oracle,
    )


def drop_bias(g):
    return g._replace(p=g.p._replace(b=None))


b4_2e = one_step(
    "lstm", lambda p, x, s: naive.b4_2e(gates(p.W, "ifgo"), gates(p.U, "ifgo"), gates(p.b, "ifgo"), x, *s)
)
c3_1g = one_step(
    "gru", lambda p, x, h: naive.c3_1g(gates(p.W, "zrn"), gates(p.U, "zrn"), gates(p.b, "zrn"), x, h)
)
c3_1g_after = one_step(
    "gru-after",
    lambda p, x, h: naive.c3_1g_after(
        gates(p.W, "zrn"), gates(p.U, "zrn"), gates(p.b, "zrn"), p.b_U.tolist(), x, h
    ),
)


def h_before_x(p, letters):
    """W and U as document C has them: one matrix for each gate, the rows of h first."""
    W, U = gates(p.W, letters), gates(p.U, letters)
    return {q: U[q] + W[q] for q in letters}


c3_1l = one_step("lstm", lambda p, x, s: naive.c3_1l(h_before_x(p, "ifgo"), gates(p.b, "ifgo"), x, *s))


def sequence(oracle):
    """A tanh RNN over ragged sequences; oracle(cell, xs, h0) -> the list of states."""

    def draw(rng, z):
        mask = ragged(rng, z)

        def forward(v):
            hs, s, k = unroll.forward(rnn, v.p, v.xs, v.s0, mask)
            return fields(hs=hs, context=s.h), k

        def backward(v, k, d):
            dxs, ds0, g = unroll.backward(rnn, v.p, k, d.hs, rnn.State(d.context), mask)
            return type(v)(g, dxs, ds0)

        def answer(v):
            def example(n):
                xs = v.xs[mask[:, n], n].tolist()
                hs = oracle(naive_cell("rnn", v.p), xs, v.s0.h[n].tolist())
                return hs + [hs[-1]] * (z.T - len(xs)), hs[-1]

            hs, context = by_example(example, z.N)
            return fields(hs=time_first(hs), context=list(context))

        inputs = fields(
            p=like(rng, z, rnn.init(rng, z.D, z.H)),
            xs=normal(rng, z, z.T, z.N, z.D),
            s0=rnn.State(normal(rng, z, z.N, z.H)),
        )
        return Case(inputs, forward, backward, answer)

    return draw


a3_1 = sequence(lambda cell, xs, h0: naive.a3_1(cell, xs, h0)[0])
c2_1 = sequence(naive.c2_1)
d3_1 = sequence(naive.d3_1)


# Attention -------------------------------------------------------------------------------------------------


def attention(name, kind, oracle):
    """A score, weights, context, and fusion (kind) of both; oracle(v, n, mask, score) -> z, alpha, ctx."""

    def draw(rng, z):
        score, mask = SCORES[name], ragged(rng, z)
        inputs = fields(
            p=like(rng, z, score.init(rng, z.H, z.H, z.D)),
            s=normal(rng, z, z.N, z.H),
            hs=normal(rng, z, z.T, z.N, z.H),
            fusion=like(rng, z, fusion.init(rng, kind, z.H, z.H)),
        )

        def forward(v):
            memory = remember(score, v.p, v.hs, mask)
            ctx, k = attend(score, v.p, v.s, memory)
            fused, k_fuse = fusion.forward(v.fusion, kind, v.s, ctx)
            return fields(z=fused, alpha=k.alpha, ctx=ctx), (memory, k, k_fuse)

        def backward(v, cache, d):
            memory, k, k_fuse = cache
            ds, dctx, g_fuse = fusion.backward(v.fusion, kind, k_fuse, d.z, z.H)
            dctx = tree.add(dctx, d.ctx)
            ds_attend, dmemory, g = attend_backward(score, v.p, memory, k, dctx)
            dhs, g_keys = remember_backward(score, v.p, memory, dmemory)
            return type(v)(tree.add(g, g_keys), ds + ds_attend, dhs, g_fuse)

        def answer(v):
            def example(n):
                return oracle(v, v.s[n].tolist(), v.hs[:, n].tolist(), mask[:, n].tolist())

            fused, alpha, ctx = by_example(example, z.N)
            return fields(z=fused, alpha=time_first(alpha), ctx=ctx)

        return Case(inputs, forward, backward, answer, silent=("alpha",))

    return draw


def weights_only(f):
    """An oracle of weights alone, completed by D3.4: -> s, alpha, ctx."""

    def oracle(v, s, hs, mask):
        alpha = f(v, s, hs, mask)
        return s, alpha, naive.context(alpha, hs)

    return oracle


a3_3 = attention("dot", "sum", lambda v, s, hs, mask: naive.a3_3(s, hs, mask=mask))
a4_3 = attention("dot", "sigmoid", lambda v, s, hs, mask: naive.a4_3(s, hs, v.fusion.W.tolist(), mask=mask))
a4_3_general = attention(
    "general",
    "sigmoid",
    lambda v, s, hs, mask: naive.a4_3(
        s, hs, v.fusion.W.tolist(), lambda s, hs: naive.score_general(s, hs, v.p.W.tolist()), mask
    ),
)
b4_2a = attention(
    "concat-dot",
    "none",
    weights_only(lambda v, s, hs, mask: naive.b4_2a(s, hs, stacked(v.p.W_s, v.p.W_h), mask)),
)
d3_3 = attention(
    "additive",
    "none",
    weights_only(lambda v, s, hs, mask: naive.d3_3(s, hs, *(a.tolist() for a in v.p), mask)),
)


class GivenScores:
    """A "score" whose query is the scores: what is left of `attend` is softmax and weighted sum."""

    @staticmethod
    def score(p, e, memory):
        return e, None

    @staticmethod
    def score_backward(p, memory, k, de):
        return de, Memory(None, None, None), ()


def d3_4(rng, z):
    mask = ragged(rng, z)

    def forward(v):
        memory = Memory(v.hs, None, mask)
        ctx, k = attend(GivenScores, (), v.e, memory)
        return fields(ctx=ctx), (memory, k)

    def backward(v, cache, d):
        de, dmemory, _ = attend_backward(GivenScores, (), *cache, d.ctx)
        return type(v)(de, dmemory.hs)

    def answer(v):
        def example(n):
            return (naive.d3_4(naive.softmax(v.e[:, n].tolist(), mask[:, n].tolist()), v.hs[:, n].tolist()),)

        return fields(ctx=by_example(example, z.N)[0])

    return Case(
        fields(e=normal(rng, z, z.T, z.N), hs=normal(rng, z, z.T, z.N, z.H)), forward, backward, answer
    )


# Readout, loss, clipping -----------------------------------------------------------------------------------


def b4_2o(rng, z):
    def forward(v):
        p = softmax(linear.forward(v.readout, v.s))
        return fields(p=p), p

    def backward(v, p, d):
        ds, g = linear.backward(v.readout, v.s, softmax_backward(p, d.p))
        return type(v)(g, ds)

    def answer(v):
        W_y, b_y = (a.tolist() for a in v.readout)
        return fields(p=[naive.b4_2o(W_y, b_y, s) for s in v.s.tolist()])

    return Case(
        fields(readout=like(rng, z, linear.init(rng, z.H, z.V)), s=normal(rng, z, z.N, z.H)),
        forward,
        backward,
        answer,
    )


def d3_5(rng, z):
    def forward(v):
        r, _ = fusion.forward(None, "concat", v.s, v.ctx)
        p = softmax(linear.forward(linear.Params(v.W_o, np.zeros(z.V)), r))
        return fields(p=p), (r, p)

    def backward(v, cache, d):
        r, p = cache
        dr, g = linear.backward(linear.Params(v.W_o, np.zeros(z.V)), r, softmax_backward(p, d.p))
        ds, dctx, _ = fusion.backward(None, "concat", None, dr, z.H)
        return type(v)(g.W, ds, dctx)

    def answer(v):
        return fields(p=[naive.d3_5(v.W_o.tolist(), s, ctx) for s, ctx in zip(v.s.tolist(), v.ctx.tolist())])

    return Case(
        fields(W_o=normal(rng, z, 2 * z.H, z.V), s=normal(rng, z, z.N, z.H), ctx=normal(rng, z, z.N, z.H)),
        forward,
        backward,
        answer,
    )


def summed_loss(formula, logits, ys, ids):
    """-sum log p by the document's formula; where p underflows and log p has no digits, by log-softmax."""
    ps = [naive.softmax(row) for row in logits]
    if min(p[i] for p, i in zip(ps, ids)) > 1e-300:
        return formula(ps, ys)
    return len(ids) * naive.cross_entropy([[row] for row in logits], [[i] for i in ids], [[True]] * len(ids))


def losses(one_hot):
    def draw(rng, z):
        mask, ids = ragged(rng, z), rng.integers(0, z.V, (z.T, z.N))
        targets = np.eye(z.V)[ids] if one_hot else ids

        def forward(v):
            L, k = loss.forward(v.logits, targets, mask)
            return fields(L=L * mask.sum()), k

        def backward(v, k, d):
            return type(v)(d.L * mask.sum() * loss.backward(k))

        def answer(v):
            total = 0.0
            for n in range(z.N):
                rows, ys = v.logits[mask[:, n], n].tolist(), targets[mask[:, n], n].tolist()
                formula = naive.b4_1l if one_hot else naive.e3_3
                total += summed_loss(formula, rows, ys, ids[mask[:, n], n].tolist())
            return fields(L=total)

        return Case(fields(logits=normal(rng, z, z.T, z.N, z.V)), forward, backward, answer)

    return draw


b4_1l, e3_3 = losses(one_hot=True), losses(one_hot=False)


def clipping(by):
    def draw(rng, z):
        limit = 0.5 * (z.scale or 1)  # less than the norm and than some entries, but not than all
        clip = {
            "norm": lambda g: optim.clip_by_norm(g, limit)[0],
            "value": lambda g: optim.clip_by_value(g, limit),
        }

        def answer(v):
            flat = naive.c3_3c([a.ravel().tolist() for a in v], limit, by)
            return type(v)(*(np.reshape(g, a.shape) for g, a in zip(flat, v)))

        inputs = fields(W=normal(rng, z, z.D, z.H), b=normal(rng, z, z.H))
        return Case(inputs, lambda v: (clip[by](v), None), None, answer)

    return draw


# One step of the whole decoder -----------------------------------------------------------------------------


def decoder_step(oracle, **choices):
    """decoder.step and readout; oracle(v, config, y_prev, state, hs, ctx, mask) -> state, p, by example."""

    def draw(rng, z):
        config = Config(
            source_vocab=5, target_vocab=max(5, z.V), embedding=z.D, hidden=z.H, dtype="float64", **choices
        )
        cell, score, mask = CELLS[config.cell_name], SCORES.get(config.attention), ragged(rng, z)
        ids = rng.integers(0, config.target_vocab, z.N)
        inputs = fields(
            p=like(rng, z, decoder.init(rng, config)),
            hs=normal(rng, z, z.T, z.N, z.H) if score else None,
            ctx=normal(rng, z, z.N, z.H) if config.context == "every-step" else None,
            s=cell.State(*(normal(rng, z, z.N, z.H) for _ in cell.State._fields)),
        )

        def source_of(v):
            return decoder.Source(remember(score, v.p.score, v.hs, mask) if score else None, v.ctx)

        def forward(v):
            r, new, k = decoder.step(v.p, config, source_of(v), ids, decoder.State((v.s,), None))
            p = softmax(decoder.readout(v.p, r))
            return fields(s=new.layers[0], p=p, y=p.real.argmax(axis=1)), (r, p, k)

        def backward(v, cache, d):
            r, p, k = cache
            source = source_of(v)
            dr, g_readout = linear.backward(v.p.readout, r, softmax_backward(p, d.p))
            demb, ds, dsource, grads = decoder.step_backward(
                v.p, config, source, k, dr, decoder.State((d.s,), None)
            )
            dhs, (g_layers, g_score, g_fusion) = None, grads
            if score:
                dhs, g_keys = remember_backward(score, v.p.score, source.memory, dsource.memory)
                g_score = tree.add(g_score, g_keys)
            dE = embedding.backward(v.p.embedding, ids, demb)
            return type(v)(
                decoder.Params(dE, g_layers, g_score, g_fusion, g_readout), dhs, dsource.ctx, ds.layers[0]
            )

        def answer(v):
            def example(n):
                parts, p = oracle(
                    v,
                    config,
                    naive.embed(v.p.embedding.tolist(), ids[n]),
                    state_of(v.s, n),
                    score and v.hs[:, n].tolist(),
                    v.ctx is not None and v.ctx[n].tolist(),
                    mask[:, n].tolist(),
                )
                return *as_tuple(parts), p, naive.argmax(p)

            *s, p, y = by_example(example, z.N)
            return fields(s=cell.State(*s), p=p, y=y)

        return Case(inputs, forward, backward, answer, silent=("y",))

    return draw


def read_out(v, s):
    """p of a state by B4.2o, for oracles of formulas that stop at the state."""
    return naive.b4_2o(v.p.readout.W.tolist(), v.p.readout.b.tolist(), s)


def a4_2(rng, z):
    """Neither W_d nor W_y has a bias: both are held at 0."""

    def oracle(v, config, y_prev, s, hs, ctx, mask):
        p = v.p.layers[0]
        return naive.a4_2(stacked(p.W, p.U), v.p.readout.W.tolist(), y_prev, s)

    case = decoder_step(oracle, cell="rnn", activation="sigmoid", attention="none")(rng, z)
    zeros = case.inputs.p.layers[0].b * 0, case.inputs.p.readout.b * 0

    def with_bias(v):
        return v._replace(
            p=v.p._replace(
                layers=(v.p.layers[0]._replace(b=zeros[0]),), readout=v.p.readout._replace(b=zeros[1])
            )
        )

    def without(v):
        return v._replace(
            p=v.p._replace(layers=(v.p.layers[0]._replace(b=None),), readout=v.p.readout._replace(b=None))
        )

    return case._replace(
        inputs=without(case.inputs),
        forward=lambda v: case.forward(with_bias(v)),
        backward=lambda v, k, d: without(case.backward(with_bias(v), k, d)),
    )


def b4_1(order):
    def oracle(v, config, y_prev, s, hs, ctx, mask):
        def readout(s, ctx):
            return naive.linear(v.p.readout.W.tolist(), v.p.readout.b.tolist(), naive.concat(s, ctx))

        s, p, _ = naive.b4_1(
            order,
            naive_cell("lstm", v.p.layers[0]),
            lambda s, hs: naive.score_general(s, hs, v.p.score.W.tolist()),
            readout,
            y_prev,
            s,
            hs,
            mask,
        )
        return s, p

    return decoder_step(oracle, cell="lstm", attention="general", order=order, fusion="concat")


def b4_2d_oracle(v, config, y_prev, s, hs, ctx, mask):
    W, U, b = (gates(a, "ifgo") for a in v.p.layers[0])
    s = naive.b4_2d(W, U, b, y_prev, ctx, *s)
    return s, read_out(v, s[0])


b4_2d = decoder_step(b4_2d_oracle, cell="lstm", attention="none", context="every-step", fusion="none")


def c4_1d(cell):
    def oracle(v, config, y_prev, s, hs, ctx, mask):
        return naive.c4_1d(
            naive_cell(cell, v.p.layers[0]), v.p.readout.W.tolist(), v.p.readout.b.tolist(), y_prev, s
        )[:2]

    return decoder_step(oracle, cell=cell, attention="none")


def d3_2_oracle(v, config, y_prev, s, hs, ctx, mask):
    ctx = naive.context(naive.d3_3(s, hs, *(a.tolist() for a in v.p.score), mask), hs)
    s = naive.d3_2(naive_cell("rnn", v.p.layers[0]), y_prev, ctx, s)
    return s, read_out(v, s)


d3_2 = decoder_step(d3_2_oracle, cell="rnn", attention="additive", order="before", fusion="none")


# Whole models: the output is the loss, the gradient that of every parameter --------------------------------


def model(oracle, free=False, **choices):
    """seq2seq.forward and backward; oracle(p, xs, ys, zero) -> the states s_1..s_S of one example."""

    def draw(rng, z):
        V = max(5, z.V)
        config = Config(
            source_vocab=V, target_vocab=V, hidden=z.H, dtype="float64", **{"embedding": z.D, **choices}
        )
        sources = [rng.integers(4, V, n).tolist() for n in lengths(rng, z)]
        targets = [rng.integers(4, V, rng.integers(0, z.S)).tolist() for _ in range(z.N - 1)]
        batch = make_batch(sources, [rng.integers(4, V, z.S - 1).tolist(), *targets])
        teacher = np.zeros(batch.inputs.shape, dtype=bool) if free else None
        M = batch.target_mask.sum()

        def forward(p):
            L, _, k = seq2seq.forward(p, config, batch, teacher)
            return fields(L=L * M), k

        def backward(p, k, d):
            return tree.map(lambda g: d.L * M * g, seq2seq.backward(p, config, k))

        def answer(p):
            total, q = 0.0, seq2seq.untie(p, config)
            for n in range(z.N):
                xs = [
                    naive.embed(p.encoder.embedding.tolist(), i)
                    for i in batch.source[batch.source_mask[:, n], n]
                ]
                real = batch.target_mask[:, n]
                ys = [naive.embed(p.decoder.embedding.tolist(), i) for i in batch.inputs[real, n]]
                ids = batch.targets[real, n].tolist()
                W_y, b_y = readout_of(q)
                logits = [naive.linear(W_y, b_y, s) for s in oracle(q, xs, ys, [0.0] * z.H)]
                total += summed_loss(naive.e3_3, logits, ids, ids)
            return fields(L=total)

        return Case(like(rng, z, seq2seq.init(config, 0)), forward, backward, answer)

    return draw


def readout_of(p):
    return p.decoder.readout.W.tolist(), p.decoder.readout.b.tolist()


def a3_2_oracle(p, xs, ys, zero):
    """BOS is read first, as in the library; then the document's loop: say a word, read it."""
    W_y, b_y = readout_of(p)
    cell = naive_cell("rnn", p.decoder.layers[0])
    _, context = naive.a3_1(naive_cell("rnn", p.encoder.layers[0]), xs, zero)
    context = cell(ys[0], context)
    _, after = naive.a3_2(
        cell, lambda ctx, ys: naive.linear(W_y, b_y, ctx), p.decoder.embedding.tolist(), context, len(ys)
    )
    return [context, *after[:-1]]


def a4_4_oracle(p, xs, ys, zero):
    (enc,), (dec,) = p.encoder.layers, p.decoder.layers
    _, s = naive.a3_1(naive_cell("rnn-sigmoid", enc), xs, zero)
    ss = []
    for y_prev in ys:
        s = naive_cell("rnn-sigmoid", dec)(y_prev, s)
        ss.append(s)
    return ss


def c2_2_oracle(p, xs, ys, zero):
    encoder, decoder_cell = naive_cell("rnn", p.encoder.layers[0]), naive_cell("rnn", p.decoder.layers[0])
    ps, ss = naive.c2_2(encoder, decoder_cell, *readout_of(p), xs, zero, ys)
    assert ps == [naive.b4_2o(*readout_of(p), s) for s in ss]   # what `model` will do with them
    return ss


def d3_s_oracle(p, xs, ys, zero):
    return naive.d3_s(naive_cell("rnn", p.encoder.layers[0]), xs, ys, zero)[1]


a3_2 = model(a3_2_oracle, free=True, cell="rnn", attention="none")
a4_4 = model(a4_4_oracle, cell="rnn", activation="sigmoid", attention="none")
c2_2 = model(c2_2_oracle, cell="rnn", attention="none", context="every-step", fusion="none")
d3_s = model(d3_s_oracle, cell="rnn", attention="none", tied_cells=True)


# As printed ------------------------------------------------------------------------------------------------


def a4_2_printed(rng, z):
    def forward(v):
        s, p, k = printed_a.step(v.p, v.y, v.s)
        return fields(s=s, p=p), k

    def backward(v, k, d):
        dy, ds, g = printed_a.step_backward(v.p, k, d.s, d.p)
        return type(v)(g, dy, ds)

    def answer(v):
        s, p = by_example(
            lambda n: naive.a4_2_printed(v.p.W_d.tolist(), v.y[n].tolist(), v.s[n].tolist()), z.N
        )
        return fields(s=s, p=p)

    inputs = fields(
        p=printed_a.Params(normal(rng, z, z.D + z.V, z.V)),
        y=normal(rng, z, z.N, z.D),
        s=normal(rng, z, z.N, z.V),
    )
    return Case(inputs, forward, backward, answer)


def a4_4_printed(from_zero):
    def draw(rng, z):
        def forward(v):
            hs, ss, ps, k = printed_a.example(v.p, v.xs, v.ys, from_zero)
            return fields(hs=hs, ss=ss, ps=ps, y=ps.real.argmax(axis=2)), k

        def backward(v, k, d):
            dxs, dys, g = printed_a.example_backward(v.p, k, d.hs, d.ss, d.ps)
            return type(v)(g, dxs, dys)

        def answer(v):
            zero = [0.0] * z.V
            parts = by_example(
                lambda n: naive.a4_4(
                    v.p.W_e.tolist(),
                    v.p.decoder.W_d.tolist(),
                    v.xs[:, n].tolist(),
                    v.ys[:, n].tolist(),
                    zero,
                    zero if from_zero else None,
                ),
                z.N,
            )
            return fields(**dict(zip(("hs", "ss", "ps", "y"), map(time_first, parts))))

        p = printed_a.Example(
            normal(rng, z, z.D + z.V, z.V), printed_a.Params(normal(rng, z, z.D + z.V, z.V))
        )
        inputs = fields(p=p, xs=normal(rng, z, z.T, z.N, z.D), ys=normal(rng, z, z.S, z.N, z.D))
        return Case(inputs, forward, backward, answer, silent=("y",))

    return draw


class _Encoder(NamedTuple):
    step: Callable = printed_b.encoder_step
    step_backward: Callable = printed_b.encoder_step_backward


class _Decoder(NamedTuple):
    step: Callable = printed_b.decoder_step
    step_backward: Callable = printed_b.decoder_step_backward


class _Gru(NamedTuple):
    step: Callable = printed_c.gru_step
    step_backward: Callable = printed_c.gru_step_backward


def with_unused_g(a):
    """Blocks i, f, o -> a dict with a block g of None: the oracle must not read it."""
    return {**gates(a, "ifo"), "g": None}


def b4_2e_printed(rng, z):
    p = printed_b.EncoderParams(
        normal(rng, z, z.D, 3 * z.H), normal(rng, z, z.H, 4 * z.H), normal(rng, z, 4 * z.H)
    )
    s = printed_b.State(normal(rng, z, z.N, z.H), normal(rng, z, z.N, z.H))
    return step_case(
        _Encoder(),
        p,
        normal(rng, z, z.N, z.D),
        s,
        lambda p, x, s: naive.b4_2e_printed(
            with_unused_g(p.W), gates(p.U, "ifgo"), gates(p.b, "ifgo"), x, *s
        ),
    )


def b4_2d_printed(rng, z):
    p = printed_b.DecoderParams(
        normal(rng, z, z.D, 4 * z.H), normal(rng, z, z.H, 3 * z.H), normal(rng, z, 4 * z.H)
    )
    s = printed_b.State(normal(rng, z, z.N, z.H), normal(rng, z, z.N, z.H))
    return step_case(
        _Decoder(),
        p,
        normal(rng, z, z.N, z.D),
        s,
        lambda p, h_t, s: naive.b4_2d_printed(
            gates(p.W, "ifgo"), with_unused_g(p.U), gates(p.b, "ifgo"), h_t, *s
        ),
    )


def b4_2a_printed(rng, z):
    mask, t = ragged(rng, z), int(rng.integers(z.T))

    def forward(v):
        alpha, k = printed_b.attend(v.p, v.s, v.hs, t, mask)
        return fields(alpha=alpha), k

    def backward(v, k, d):
        ds, dhs, g = printed_b.attend_backward(v.p, v.hs, k, d.alpha)
        return type(v)(g, ds, dhs)

    def answer(v):
        return fields(
            alpha=time_first(
                [
                    naive.b4_2a_printed(
                        v.s[n].tolist(), v.hs[:, n].tolist(), v.p.W_a.tolist(), t, mask[:, n].tolist()
                    )
                    for n in range(z.N)
                ]
            )
        )

    inputs = fields(
        p=printed_b.AttentionParams(normal(rng, z, z.D + z.H, z.H)),
        s=normal(rng, z, z.N, z.D),
        hs=normal(rng, z, z.T, z.N, z.H),
    )
    return Case(inputs, forward, backward, answer)


def c2_2_printed(rng, z):
    def forward(v):
        p, k = printed_c.decoder_step(v.p, v.y_prev, v.h)
        return fields(p=p), k

    def backward(v, k, d):
        dy, dh, g = printed_c.decoder_step_backward(v.p, k, d.p, z.H)
        return type(v)(g, dy, dh)

    def answer(v):
        W, b, W_y, b_y = (a.tolist() for a in (*v.p.hidden, *v.p.readout))
        return fields(
            p=[
                naive.b4_2o(W_y, b_y, naive.bridge(W, b, naive.concat(y, h)))
                for y, h in zip(v.y_prev.tolist(), v.h.tolist())
            ]
        )

    p = printed_c.init(rng, z.D, z.H, z.T, z.V)
    inputs = fields(p=like(rng, z, p), y_prev=normal(rng, z, z.N, z.D), h=normal(rng, z, z.N, z.H))
    return Case(inputs, forward, backward, answer)


def c3_1g_printed(rng, z):
    p = printed_c.GruParams(
        normal(rng, z, 2 * z.H, 2 * z.H),
        normal(rng, z, 2 * z.H),
        normal(rng, z, z.H, z.H),
        normal(rng, z, z.H),
    )

    def oracle(p, x, h):
        W, b = gates(p.W_zr, "zr"), gates(p.b_zr, "zr")
        return naive.c3_1g_printed({**W, "n": p.W.tolist()}, {**b, "n": p.b.tolist()}, x, h)

    return step_case(_Gru(), p, normal(rng, z, z.N, z.H), printed_c.State(normal(rng, z, z.N, z.H)), oracle)


def d3_2_printed(rng, z):
    S = min(z.S, z.T)

    def forward(v):
        ss, k = printed_d.decode(v.p, v.hs, v.s, S)
        return fields(ss=ss), k

    def backward(v, k, d):
        dhs, ds, g = printed_d.decode_backward(v.p, v.hs, k, d.ss)
        return type(v)(g, dhs, ds)

    def answer(v):
        cell = naive_cell("rnn", v.p)

        def example(n):
            s, ss = v.s.h[n].tolist(), []
            for t in range(S):
                s = naive.d3_2_printed(cell, v.hs[t, n].tolist(), s)
                ss.append(s)
            return ss

        return fields(ss=time_first([example(n) for n in range(z.N)]))

    inputs = fields(
        p=like(rng, z, rnn.init(rng, z.D, z.H)),
        hs=normal(rng, z, z.T, z.N, z.D),
        s=rnn.State(normal(rng, z, z.N, z.H)),
    )
    return Case(inputs, forward, backward, answer)


def d3_3_printed(over_t):
    def draw(rng, z):
        def forward(v):
            a, k = printed_d.weights(v.p, v.ss, v.hs, over_t)
            return fields(a=a), k

        def backward(v, k, d):
            dss, dhs, g = printed_d.weights_backward(v.p, k, d.a, over_t)
            return type(v)(g, dss, dhs)

        def answer(v):
            p = [a.tolist() for a in v.p]
            columns = []
            for n in range(z.N):
                ss, hs = v.ss[:, n].tolist(), v.hs[:, n].tolist()
                columns.append(
                    naive.d3_3_printed_over_t(ss, hs, *p)
                    if over_t
                    else [naive.d3_3_printed(s, h, *p) for s, h in zip(ss, hs)]
                )
            return fields(a=time_first(columns))

        p = printed_d.Params(normal(rng, z, z.D, z.S), normal(rng, z, z.H, z.S), normal(rng, z, z.S))
        inputs = fields(p=p, ss=normal(rng, z, z.T, z.N, z.D), hs=normal(rng, z, z.T, z.N, z.H))
        return Case(inputs, forward, backward, answer)

    return draw
