"""Cases of recurrent cells: one step, and whole sequences of different lengths."""
import numpy as np

from ....layers import unroll
from ....layers.cells import CELLS, rnn
from ....testing import oracle as scalar
from .case import Case, by_example, fields, gates, like, naive_cell, normal, ragged, stacked, state_of, time_first


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
    case = one_step("rnn-sigmoid", lambda p, x, h: scalar.a4_1(stacked(p.W, p.U), x, h))(rng, z)
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
    "lstm", lambda p, x, s: scalar.b4_2e(gates(p.W, "ifgo"), gates(p.U, "ifgo"), gates(p.b, "ifgo"), x, *s)
)
c3_1g = one_step(
    "gru", lambda p, x, h: scalar.c3_1g(gates(p.W, "zrn"), gates(p.U, "zrn"), gates(p.b, "zrn"), x, h)
)
c3_1g_after = one_step(
    "gru-after",
    lambda p, x, h: scalar.c3_1g_after(
        gates(p.W, "zrn"), gates(p.U, "zrn"), gates(p.b, "zrn"), p.b_U.tolist(), x, h
    ),
)


def h_before_x(p, letters):
    """W and U as document C has them: one matrix for each gate, the rows of h first."""
    W, U = gates(p.W, letters), gates(p.U, letters)
    return {q: U[q] + W[q] for q in letters}


c3_1l = one_step("lstm", lambda p, x, s: scalar.c3_1l(h_before_x(p, "ifgo"), gates(p.b, "ifgo"), x, *s))


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

        inputs = fields(p=like(rng, z, rnn.init(rng, z.D, z.H)), xs=normal(rng, z, z.T, z.N, z.D),
                        s0=rnn.State(normal(rng, z, z.N, z.H)))
        return Case(inputs, forward, backward, answer)

    return draw


a3_1 = sequence(lambda cell, xs, h0: scalar.a3_1(cell, xs, h0)[0])
c2_1 = sequence(scalar.c2_1)
d3_1 = sequence(scalar.d3_1)
