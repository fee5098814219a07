"""Residual connections: by the oracle and the complex step, by hand, and refused where they are not compiled."""
from dataclasses import replace

import numpy as np
import pytest

import scalar_model
from configs import RESIDUAL
from draw import batch, close, like, read_only
from minis2s import Seq2Seq
from minis2s.core import tree
from minis2s.core.gradient_check import assert_gradients
from minis2s.data.batches import make_batch
from minis2s.decoding import beam, greedy
from minis2s.kernels.backend import NUMBA
from minis2s.layers import recurrent, unroll
from minis2s.layers.cells import CELLS
from minis2s.model import dropout_masks, parameters, seq2seq
from minis2s.model.config import Config

configs = pytest.mark.parametrize("c", RESIDUAL.values(), ids=RESIDUAL)
N = 3


class Case:
    """Random parameters, a ragged batch, dropout masks where the Config drops."""

    def __init__(self, c):
        rng, self.c = np.random.default_rng(0), c
        self.p = read_only(like(rng, seq2seq.init(c)))
        self.batch = read_only(batch(rng, c))
        self.drops = read_only(dropout_masks.draw(rng, c, N))

    def forward(self, p=None):
        return seq2seq.forward(p or self.p, self.c, self.batch, None, self.drops)

    def run(self):
        L, logits, k = self.forward()
        return L, logits, seq2seq.backward(self.p, self.c, k)


@configs
def test_logits_are_the_oracles_and_gradients_those_of_the_complex_step(c):
    case = Case(c)
    L, logits, g = case.run()
    for n in range(N):
        close(logits[:, n], scalar_model.model(case.p, c, case.batch, n, drops=case.drops))
    assert_gradients(lambda p: case.forward(p=p)[0], case.p, g)
    without = Case(replace(c, residual=False))
    assert parameters.shapes(c) == parameters.shapes(without.c)
    assert abs(L - without.forward()[0]) > 1e-6


@configs
def test_decoding_takes_the_same_steps(c):
    """Greedy answers are the argmax of the teacher-forced logits of the answer itself."""
    case = Case(replace(c, dropout=0.0))
    found = greedy(case.p, case.c, case.batch.source, case.batch.source_mask, 6)
    assert [a[0].ids for a in found] == [a[0].ids
                                         for a in beam(case.p, case.c, case.batch.source, case.batch.source_mask, 6, 1)]
    for n, (answer,) in enumerate(found):
        source = case.batch.source[case.batch.source_mask[:, n], n].tolist()
        logits = seq2seq.logits(case.p, case.c, make_batch([source], [answer.ids]))[:, 0]
        logits[:, [0, 1, 3]] = -np.inf
        assert logits.argmax(axis=1)[:len(answer.ids)].tolist() == answer.ids


def test_a_stack_of_residual_layers_by_hand():
    cell, rng, mask = CELLS["gru"], np.random.default_rng(0), np.ones((4, 2), bool)
    layers = tuple(like(rng, cell.init(rng, 3, 3)) for _ in range(3))
    xs = rng.normal(size=(4, 2, 3))
    got, finals, _ = recurrent.forward(cell, layers, xs, mask, None, True)
    y = xs
    for i, p in enumerate(layers):
        h, s, _ = unroll.forward(cell, p, y, recurrent.zero_state(cell, p, 2), mask)
        y = h if i == 0 else h + y                              # the first layer's input has another size in general
        close(finals[i].h, s.h)
    close(got, y)


def test_layers_that_answer_zero_hand_the_first_on():
    """With all weights above the first layer 0, hs are the first layer's: depth cannot do harm at the start."""
    cell, rng, mask = CELLS["rnn"], np.random.default_rng(0), np.ones((4, 2), bool)
    first = cell.init(rng, 3, 5)
    nothing = tree.zeros_like(cell.init(rng, 5, 5))
    xs, d = rng.normal(size=(4, 2, 3)), rng.normal(size=(4, 2, 5))
    one, finals, k1 = recurrent.forward(cell, (first,), xs, mask)
    deep, f, k = recurrent.forward(cell, (first, *[nothing] * 7), xs, mask, None, True)
    close(deep, one)
    dxs, _ = recurrent.backward(cell, (first, *[nothing] * 7), k, d, tree.zeros_like(f), True)
    close(dxs, recurrent.backward(cell, (first,), k1, d, tree.zeros_like(finals))[0])
    assert not recurrent.forward(cell, (first, *[nothing] * 7), xs, mask)[0].any()


def test_what_cannot_be_is_refused(monkeypatch):
    with pytest.raises(ValueError, match="^residual with layers=1"):
        Config(residual=True)
    with pytest.raises(ValueError, match="architecture=transformer has no such choice"):
        Config(architecture="transformer", residual=True, layers=2)
    case = Case(replace(RESIDUAL["residual"], dtype="float32"))
    p = tree.map(lambda a: a.astype("float32"), case.p)
    for call in (lambda: NUMBA.forward(p, case.c, case.batch), lambda: NUMBA.loss_and_gradient(p, case.c, case.batch),
                 lambda: NUMBA.logits(p, case.c, case.batch),
                 lambda: NUMBA.greedy(p, case.c, case.batch.source, case.batch.source_mask, 3),
                 lambda: NUMBA.beam(p, case.c, case.batch.source, case.batch.source_mask, 3, 2)):
        with pytest.raises(ValueError, match="^residual=True: models with residual connections have no compiled"):
            call()
    monkeypatch.delenv("MINIS2S_BACKEND", raising=False)
    with pytest.warns(UserWarning, match="residual=True have no compiled implementation yet; NumPy computes"):
        assert Seq2Seq(Config(residual=True, layers=2), backend="numba").backend == "numpy"
    assert Seq2Seq(Config(residual=True, layers=2)).backend == "numpy"


@configs
def test_the_module_of_pytorch_computes_the_same(c):
    torch = pytest.importorskip("torch")
    from minis2s.pytorch import convert
    case = Case(c)
    module = convert.to_module(case.p, c)
    source, mask, inputs, *_ = convert.tensors(case.batch)
    with torch.no_grad():
        logits = module(source, mask, inputs, convert.masks(case.drops))
    close(logits.numpy(), case.forward()[1])
