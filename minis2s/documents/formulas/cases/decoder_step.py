"""Cases of one step of the whole decoder: attention before or after the cell, readout, greedy choice."""
from ....core import tree
from ....core.functions import softmax, softmax_backward
from ....layers import embedding, linear
from ....layers.attention import SCORES, precompute_keys, precompute_keys_backward
from ....layers.cells import CELLS
from ....model import decoder
from ....model.config import Config
from ....testing import oracle as scalar
from .case import Case, by_example, fields, gates, like, naive_cell, normal, ragged, stacked, state_of
from .cells import as_tuple


def decoder_step(oracle, **choices):
    """decoder.step and readout; oracle(v, config, y_prev, state, hs, ctx, mask) -> state, p, by example."""

    def draw(rng, z):
        config = Config(
            source_vocab=5, target_vocab=max(5, z.V), embedding=z.D, hidden=z.H, dtype="float64", **choices
        )
        cell, score, mask = CELLS[config.cell], SCORES.get(config.attention), ragged(rng, z)
        ids = rng.integers(0, config.target_vocab, z.N)
        inputs = fields(p=like(rng, z, decoder.init(rng, config)),
                        hs=normal(rng, z, z.T, z.N, z.H) if score else None,
                        ctx=normal(rng, z, z.N, z.H) if config.context == "every-step" else None,
                        s=cell.State(*(normal(rng, z, z.N, z.H) for _ in cell.State._fields)))

        def source_of(v):
            return decoder.EncoderOutput(precompute_keys(score, v.p.score, v.hs, mask) if score else None, v.ctx)

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
                dhs, g_keys = precompute_keys_backward(score, v.p.score, source.memory, dsource.memory)
                g_score = tree.add(g_score, g_keys)
            dE = embedding.backward(v.p.embedding, ids, demb)
            return type(v)(
                decoder.Params(dE, g_layers, g_score, g_fusion, g_readout), dhs, dsource.ctx, ds.layers[0]
            )

        def answer(v):
            def example(n):
                parts, p = oracle(v, config, scalar.embed(v.p.embedding.tolist(), ids[n]), state_of(v.s, n),
                                  score and v.hs[:, n].tolist(), v.ctx is not None and v.ctx[n].tolist(),
                                  mask[:, n].tolist())
                return *as_tuple(parts), p, scalar.argmax(p)

            *s, p, y = by_example(example, z.N)
            return fields(s=cell.State(*s), p=p, y=y)

        return Case(inputs, forward, backward, answer, silent=("y",))

    return draw


def read_out(v, s):
    """p of a state by B4.2o, for oracles of formulas that stop at the state."""
    return scalar.b4_2o(v.p.readout.W.tolist(), v.p.readout.b.tolist(), s)


def a4_2(rng, z):
    """Neither W_d nor W_y has a bias: both are held at 0."""

    def oracle(v, config, y_prev, s, hs, ctx, mask):
        p = v.p.layers[0]
        return scalar.a4_2(stacked(p.W, p.U), v.p.readout.W.tolist(), y_prev, s)

    case = decoder_step(oracle, cell="rnn-sigmoid", attention="none")(rng, z)
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

    return case._replace(inputs=without(case.inputs), forward=lambda v: case.forward(with_bias(v)),
                         backward=lambda v, k, d: without(case.backward(with_bias(v), k, d)))


def b4_1(order):
    def oracle(v, config, y_prev, s, hs, ctx, mask):
        def readout(s, ctx):
            return scalar.linear(v.p.readout.W.tolist(), v.p.readout.b.tolist(), scalar.concat(s, ctx))

        s, p, _ = scalar.b4_1(order, naive_cell("lstm", v.p.layers[0]),
                              lambda s, hs: scalar.score_general(s, hs, v.p.score.W.tolist()), readout, y_prev,
                              s, hs, mask)
        return s, p

    return decoder_step(oracle, cell="lstm", attention="general", attention_order=order, fusion="concat")


def b4_2d_oracle(v, config, y_prev, s, hs, ctx, mask):
    W, U, b = (gates(a, "ifgo") for a in v.p.layers[0])
    s = scalar.b4_2d(W, U, b, y_prev, ctx, *s)
    return s, read_out(v, s[0])


b4_2d = decoder_step(b4_2d_oracle, cell="lstm", attention="none", context="every-step", fusion="none")


def c4_1d(cell):
    def oracle(v, config, y_prev, s, hs, ctx, mask):
        return scalar.c4_1d(
            naive_cell(cell, v.p.layers[0]), v.p.readout.W.tolist(), v.p.readout.b.tolist(), y_prev, s
        )[:2]

    return decoder_step(oracle, cell=cell, attention="none")


def d3_2_oracle(v, config, y_prev, s, hs, ctx, mask):
    ctx = scalar.context(scalar.d3_3(s, hs, *(a.tolist() for a in v.p.score), mask), hs)
    s = scalar.d3_2(naive_cell("rnn", v.p.layers[0]), y_prev, ctx, s)
    return s, read_out(v, s)


d3_2 = decoder_step(d3_2_oracle, cell="rnn", attention="additive", attention_order="before", fusion="none")
