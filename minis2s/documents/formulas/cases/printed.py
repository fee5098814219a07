"""Cases of the formulas as printed: minis2s.documents.printed against the oracle's `..._printed`."""
from typing import Callable, NamedTuple

from ....layers.cells import rnn
from ....testing import oracle as scalar
from ...printed import a as printed_a, b as printed_b, c as printed_c, d as printed_d
from .case import Case, by_example, fields, gates, like, naive_cell, normal, ragged, time_first
from .cells import step_case


def a4_2_printed(rng, z):
    def forward(v):
        s, p, k = printed_a.step(v.p, v.y, v.s)
        return fields(s=s, p=p), k

    def backward(v, k, d):
        dy, ds, g = printed_a.step_backward(v.p, k, d.s, d.p)
        return type(v)(g, dy, ds)

    def answer(v):
        s, p = by_example(
            lambda n: scalar.a4_2_printed(v.p.W_d.tolist(), v.y[n].tolist(), v.s[n].tolist()), z.N
        )
        return fields(s=s, p=p)

    inputs = fields(p=printed_a.Params(normal(rng, z, z.D + z.V, z.V)), y=normal(rng, z, z.N, z.D),
                    s=normal(rng, z, z.N, z.V))
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
                lambda n: scalar.a4_4(v.p.W_e.tolist(), v.p.decoder.W_d.tolist(), v.xs[:, n].tolist(),
                                      v.ys[:, n].tolist(), zero, zero if from_zero else None),
                z.N,
            )
            return fields(**dict(zip(("hs", "ss", "ps", "y"), map(time_first, parts))))

        p = printed_a.Example(normal(rng, z, z.D + z.V, z.V), printed_a.Params(normal(rng, z, z.D + z.V, z.V)))
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
        lambda p, x, s: scalar.b4_2e_printed(with_unused_g(p.W), gates(p.U, "ifgo"), gates(p.b, "ifgo"), x, *s),
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
        lambda p, h_t, s: scalar.b4_2d_printed(
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
                    scalar.b4_2a_printed(
                        v.s[n].tolist(), v.hs[:, n].tolist(), v.p.W_a.tolist(), t, mask[:, n].tolist()
                    )
                    for n in range(z.N)
                ]
            )
        )

    inputs = fields(p=printed_b.AttentionParams(normal(rng, z, z.D + z.H, z.H)), s=normal(rng, z, z.N, z.D),
                    hs=normal(rng, z, z.T, z.N, z.H))
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
            p=[scalar.c2_2_printed(W, b, W_y, b_y, y, h) for y, h in zip(v.y_prev.tolist(), v.h.tolist())]
        )

    p = printed_c.init(rng, z.D, z.H, z.T, z.V)
    inputs = fields(p=like(rng, z, p), y_prev=normal(rng, z, z.N, z.D), h=normal(rng, z, z.N, z.H))
    return Case(inputs, forward, backward, answer)


def c3_1g_printed(rng, z):
    p = printed_c.GruParams(normal(rng, z, 2 * z.H, 2 * z.H), normal(rng, z, 2 * z.H), normal(rng, z, z.H, z.H),
                            normal(rng, z, z.H))

    def oracle(p, x, h):
        W, b = gates(p.W_zr, "zr"), gates(p.b_zr, "zr")
        return scalar.c3_1g_printed({**W, "n": p.W.tolist()}, {**b, "n": p.b.tolist()}, x, h)

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
                s = scalar.d3_2_printed(cell, v.hs[t, n].tolist(), s)
                ss.append(s)
            return ss

        return fields(ss=time_first([example(n) for n in range(z.N)]))

    inputs = fields(p=like(rng, z, rnn.init(rng, z.D, z.H)), hs=normal(rng, z, z.T, z.N, z.D),
                    s=rnn.State(normal(rng, z, z.N, z.H)))
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
                    scalar.d3_3_printed_over_t(ss, hs, *p)
                    if over_t
                    else [scalar.d3_3_printed(s, h, *p) for s, h in zip(ss, hs)]
                )
            return fields(a=time_first(columns))

        p = printed_d.Params(normal(rng, z, z.D, z.S), normal(rng, z, z.H, z.S), normal(rng, z, z.S))
        inputs = fields(p=p, ss=normal(rng, z, z.T, z.N, z.D), hs=normal(rng, z, z.T, z.N, z.H))
        return Case(inputs, forward, backward, answer)

    return draw
