"""Recurrent cells and the time loop: (R), (L), (G), (GA), (M)."""
from functools import partial

import numpy as np

import kernel_layers
from minis2s.documents.formulas.cases.case import (
    Case, Sizes, by_example, fields, gates, like, naive_cell, normal, ragged, time_first
)
from minis2s.kernels.layers import unroll as compiled_unroll
from minis2s.layers import unroll
from minis2s.layers.cells import CELLS
from minis2s.testing import oracle

from .unit import Unit


def one_step(name, inside, answer):
    """One step of a cell: the new State, and the fields `inside` of its cache.

    answer(p, x, *state) gives the same of one example: the parts of the state, then the fields.
    """
    rng, z, cell = np.random.default_rng(0), Sizes(), CELLS[name]
    inputs = fields(p=like(rng, z, cell.init(rng, z.D, z.H)), x=normal(rng, z, z.N, z.D),
                    s=cell.State(*(normal(rng, z, z.N, z.H) for _ in cell.State._fields)))

    def forward(v):
        s, k = cell.step(v.p, v.x, v.s)
        return fields(s=s, **{field: getattr(k, field) for field in inside}), k

    def backward(v, k, d):
        dx, ds, g = cell.step_backward(v.p, k, d.s)
        return type(v)(g, dx, ds)

    def by_oracle(v):
        def example(n):
            return answer(v.p, v.x[n].tolist(), *(a[n].tolist() for a in v.s))
        parts = by_example(example, z.N)
        state = len(cell.State._fields)
        return fields(s=cell.State(*parts[:state]), **dict(zip(inside, parts[state:], strict=True)))
    return Case(inputs, forward, backward, by_oracle, silent=tuple(inside))


def ragged_layer():
    """A tanh RNN over sequences of different lengths."""
    rng, z, cell = np.random.default_rng(0), Sizes(), CELLS["rnn"]
    mask = ragged(rng, z)
    inputs = fields(p=like(rng, z, cell.init(rng, z.D, z.H)), xs=normal(rng, z, z.T, z.N, z.D),
                    s=cell.State(normal(rng, z, z.N, z.H)))

    def forward(v):
        hs, s, k = unroll.forward(cell, v.p, v.xs, v.s, mask)
        return fields(hs=hs, s=s), k

    def backward(v, k, d):
        dxs, ds, g = unroll.backward(cell, v.p, k, d.hs, d.s, mask)
        return type(v)(g, dxs, ds)

    def answer(v):
        found = [oracle.unroll(naive_cell("rnn", v.p), v.xs[:, n].tolist(), v.s.h[n].tolist(), mask[:, n].tolist())
                 for n in range(z.N)]
        return fields(hs=time_first([hs for hs, _ in found]), s=cell.State([s for _, s in found]))
    return Case(inputs, forward, backward, answer)


def compiled_layer(name):
    """A layer over ragged sequences: (hs, last state, caches), gradients; compiled, and by the reference."""
    case = kernel_layers.Case(name, 5, 7, 3, 4, "float64")
    both = []
    for loop in (compiled_unroll, unroll):
        outputs, _, gradients = case.run(loop)
        both.append((outputs, gradients))
    return both


def rnn(p, x, h):
    return (oracle.rnn_step(*(a.tolist() for a in p), x, h),)


def lstm(p, x, h, c):
    W, U, b = (gates(a, "ifgo") for a in p)
    return *oracle.lstm_step(W, U, b, x, h, c), *oracle.lstm_gates(W, U, b, x, h)


def gru(p, x, h):
    W, U, b = (gates(a, "zrn") for a in p)
    return oracle.gru_step(W, U, b, x, h), *oracle.gru_gates(W, U, b, x, h)


def gru_after(p, x, h):
    W, U, b = (gates(a, "zrn") for a in p[:3])
    args = W, U, b, p.b_U.tolist(), x, h
    return oracle.gru_after_step(*args), *oracle.gru_after_gates(*args)


UNITS = [
    Unit({"(R1)": "s", "(R2)": "s",
          "(R1*)": "p x s", "(R2*)": ""},
         partial(one_step, "rnn", (), rnn), partial(compiled_layer, "rnn")),
    Unit({"(L1)": "i f g o", "(L2)": "i f o", "(L3)": "g", "(L4)": "s.c", "(L5)": "s.h",
          "(L1*)": "p x s.h", "(L2*)": "p.b", "(L3*)": "p.b", "(L4*)": "s.c p.b", "(L5*)": "s.c p.b"},
         partial(one_step, "lstm", ("i", "f", "g", "o"), lstm), partial(compiled_layer, "lstm")),
    Unit({"(G1)": "z r", "(G2)": "q", "(G3)": "n", "(G4)": "s",
          "(G1*)": "p x s", "(G2*)": "s p.b", "(G3*)": "p x", "(G4*)": "s p.b"},
         partial(one_step, "gru", ("z", "r", "q", "n"), gru), partial(compiled_layer, "gru")),
    Unit({"(GA1)": "z r", "(GA2)": "m", "(GA3)": "n", "(GA4)": "s",
          "(GA1*)": "p x s", "(GA2*)": "p.U p.b_U s", "(GA3*)": "p x", "(GA4*)": "s p.b"},
         partial(one_step, "gru-after", ("z", "r", "m", "n"), gru_after), partial(compiled_layer, "gru-after")),
    Unit({"(M1)": "", "(M1*)": ""}, ragged_layer, partial(compiled_layer, "rnn")),
]
