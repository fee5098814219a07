"""Stacks of layers in one and two directions: by the oracle, by complex step, and by hand."""
import numpy as np
import pytest

import scalar_model
from draw import close, form, like, mask, normal, read_only, readout, same, state
from minis2s.core import tree
from minis2s.core.gradient_check import assert_gradients
from minis2s.layers import dropout, recurrent, unroll
from minis2s.layers.cells import CELLS
from minis2s.layers.recurrent import Bidirectional

T, D, H = 5, 4, 2
LENGTHS = (3, 5, 1)
N = len(LENGTHS)


class Case:
    """A stack; random vectors read out the top's h at every t and every final state of every layer."""

    def __init__(self, name, layers, two, rate=0.0):
        rng, self.name, self.cell = np.random.default_rng(0), name, CELLS[name]
        sizes = [D] + [H * (1 + two)] * (layers - 1)

        def both(make):
            return Bidirectional(make(), make()) if two else make()
        p = tuple(both(lambda: like(rng, self.cell.init(rng, size, H))) for size in sizes)
        self.mask = read_only(mask(LENGTHS))
        self.drops = read_only(tuple(dropout.draw(rng, rate, (N, size), "float64") for size in sizes))
        self.v = read_only((p, normal(rng, T, N, D)))
        self.dhs = read_only(normal(rng, T, N, H * (1 + two)))
        self.d = read_only(tuple(both(lambda: state(rng, self.cell, N, H)) for _ in sizes))

    def forward(self, v=None):
        return recurrent.forward(self.cell, *(v or self.v), self.mask, self.drops)

    def loss(self, v):
        return readout((self.dhs, self.d), self.forward(v)[:2])

    def backward(self):
        dxs, dp = recurrent.backward(self.cell, self.v[0], read_only(self.forward()[2]), self.dhs, self.d)
        return dp, dxs


every = pytest.mark.parametrize("name, layers, two, rate", [
    *((name, 1, two, 0.0) for name in CELLS for two in (False, True)),
    *((name, 2, two, 0.4) for name in ("lstm", "gru", "gru-after") for two in (False, True)),
    ("rnn", 3, True, 0.0), ("lstm", 3, False, 0.3)])


@every
def test_forward_is_the_oracles(name, layers, two, rate):
    c = Case(name, layers, two, rate)
    p, xs = c.v
    hs, finals, _ = c.forward()
    for n, L in enumerate(LENGTHS):
        want, last = scalar_model.stack(name, p, xs[:, n].tolist(), c.mask[:, n].tolist(), c.drops, n)
        close(hs[:L, n], want[:L])
        for got, s in zip(finals, last, strict=True):
            if two:
                got = tree.map(lambda f, b: np.concatenate([f, b], axis=1), *got)
            close([a[n] for a in got], scalar_model.parts(s))


@every
def test_gradients(name, layers, two, rate):
    c = Case(name, layers, two, rate)
    got = c.backward()
    assert form(got) == form(c.v)
    assert_gradients(c.loss, c.v, got, 1e-11)
    same(c.backward(), got)


@pytest.mark.parametrize("name", CELLS)
def test_the_backward_direction_is_each_example_reversed_by_its_own_length(name):
    c = Case(name, 1, True)
    ((p,), xs), (hs, (final,), _) = c.v, c.forward()
    for n, L in enumerate(LENGTHS):
        x, on, zero = xs[:L, n:n + 1], np.ones((L, 1), bool), recurrent.zero_state(c.cell, p.forward, 1)
        fw, s_fw, _ = unroll.forward(c.cell, p.forward, x, zero, on)
        bw, s_bw, _ = unroll.forward(c.cell, p.backward, x[::-1], zero, on)
        close(hs[:L, n:n + 1], np.concatenate([fw, bw[::-1]], axis=2))
        close(tree.map(lambda a: a[n:n + 1], final), Bidirectional(s_fw, s_bw))


@pytest.mark.parametrize("two", [False, True])
def test_padding_changes_nothing(two):
    c = Case("lstm", 2, two, 0.3)
    (p, xs), (hs, finals, _) = c.v, c.forward()
    dhs = np.where(c.mask[:, :, None], c.dhs, 0)
    dxs, dp = recurrent.backward(c.cell, p, c.forward()[2], dhs, c.d)
    junk = np.concatenate([np.where(c.mask[:, :, None], xs, 1e3), np.full((2, N, D), -1e3)])
    longer = np.concatenate([c.mask, np.zeros((2, N), bool)])
    hs2, finals2, k = recurrent.forward(c.cell, p, junk, longer, c.drops)
    close((hs2[:T][c.mask], finals2), (hs[c.mask], finals))
    dxs2, dp2 = recurrent.backward(c.cell, p, k, np.concatenate([dhs, np.zeros((2, *dhs.shape[1:]))]), c.d)
    close((dp2, dxs2[:T]), (dp, dxs))
    assert (dxs[~c.mask] == 0).all() and (dxs2[T:] == 0).all()


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_step_by_step_equals_the_whole(name):
    c = Case(name, 3, False, 0.3)
    c.mask = np.ones((T, N), bool)
    (p, xs), (hs, finals, _) = c.v, c.forward()
    states = tuple(recurrent.zero_state(c.cell, layer, N) for layer in p)
    for t in range(T):
        h, states, _ = recurrent.step(c.cell, p, xs[t], states, c.drops)
        close(h, hs[t])
    close(states, finals)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("dropped", [False, True])
def test_step_gradients(name, dropped):
    c, rng = Case(name, 3, False, 0.4), np.random.default_rng(1)
    p, xs = c.v
    v = p, xs[0], read_only(tuple(state(rng, c.cell, N, H) for _ in p))
    dh, drops = read_only(normal(rng, N, H)), c.drops if dropped else None
    k = read_only(recurrent.step(c.cell, *v, drops)[2])
    dx, dstates, dp = recurrent.step_backward(c.cell, p, k, dh, c.d, drops)
    assert form((dp, dx, dstates)) == form(v)
    assert_gradients(lambda v: readout((dh, c.d), recurrent.step(c.cell, *v, drops)[:2]), v,
                     (dp, dx, dstates), 1e-12)


@pytest.mark.parametrize("two", [False, True])
def test_no_dropout_unless_asked(two):
    c = Case("gru", 2, two)
    assert c.drops == (None, None)
    same(recurrent.forward(c.cell, *c.v, c.mask)[:2], c.forward()[:2])


def test_zero_state_has_the_parameters_dtype_and_every_field():
    for dtype in ["float32", "float64", "complex128"]:
        p = tree.map(lambda a: a.astype(dtype), Case("lstm", 1, False).v[0][0])
        s = recurrent.zero_state(CELLS["lstm"], p, N)
        assert form(s) == (CELLS["lstm"].State, [(N, H), (N, H)])
        assert s.h.dtype == s.c.dtype == dtype and not s.h.any() and not s.c.any()
