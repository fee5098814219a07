"""From the encoder's final states to the decoder's first: (B1) (B1*), directions, layers, h and c."""
import numpy as np
import pytest

import scalar_model
from draw import close, form, like, read_only, readout, same, state
from minis2s.core import tree
from minis2s.core.gradient_check import assert_gradients
from minis2s.layers.cells import CELLS
from minis2s.layers.recurrent import Bidirectional
from minis2s.model import bridge

N, H, LAYERS = 3, 2, 2


def case(kind, two, name):
    rng, cell = np.random.default_rng(0), CELLS[name]
    finals = tuple(Bidirectional(state(rng, cell, N, H), state(rng, cell, N, H)) if two else state(rng, cell, N, H)
                   for _ in range(LAYERS))
    p = like(rng, bridge.init(rng, kind, cell, H * (1 + two), H, LAYERS))
    return read_only((p, finals)), read_only(tuple(state(rng, cell, N, H) for _ in range(LAYERS)))


every = pytest.mark.parametrize("kind, two, name", [
    (kind, two, name)
    for kind in ["copy", "dense", "zeros"] for two in [False, True] for name in ["lstm", "gru"]
    if (kind, two) != ("copy", True)])


@every
def test_forward_is_the_oracles(kind, two, name):
    (p, finals), _ = case(kind, two, name)
    s0, _ = bridge.forward(p, kind, finals)
    for n in range(N):
        joined = [scalar_model.state(bridge.join(f), n) for f in finals]
        for got, want in zip(s0, scalar_model.bridge(kind, p, joined, H), strict=True):
            close([a[n] for a in got], scalar_model.parts(want))                     # (B1)


@every
def test_gradients(kind, two, name):
    (p, finals), d = case(kind, two, name)
    s0, k = bridge.forward(p, kind, finals)
    assert form(s0) == form(d)
    k = read_only(k)
    djoined, dp = bridge.backward(p, kind, k, d)
    dfinals = tuple(bridge.split(f, each) for f, each in zip(finals, djoined))
    assert form((dp, dfinals)) == form((p, finals))
    assert_gradients(lambda v: readout(d, bridge.forward(v[0], kind, v[1])[0]), (p, finals),
                     (dp, dfinals), 1e-12)
    same(bridge.backward(p, kind, k, d), (djoined, dp))                        # (B1*)


def test_join_puts_forward_first_and_split_undoes_it():
    (_, finals), _ = case("dense", True, "lstm")
    both = bridge.join(finals[0])
    np.testing.assert_array_equal(both.h[:, :H], finals[0].forward.h)
    np.testing.assert_array_equal(both.c[:, H:], finals[0].backward.c)
    same(bridge.split(finals[0], both), finals[0])
    assert bridge.join(both) is both and bridge.split(both, both) is both


def test_parameters_only_for_dense():
    rng, cell = np.random.default_rng(0), CELLS["lstm"]
    for kind in ["copy", "zeros"]:
        assert bridge.init(rng, kind, cell, 4, 2, 1) is None
    names = [name for name, _ in tree.named(bridge.init(rng, "dense", cell, 4, 2, 1))]
    assert names == ["0.h.W", "0.h.b", "0.c.W", "0.c.b"]
