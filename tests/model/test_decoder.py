"""Decoder: one step for every Config, by complex step of all it reads; the loop, free running."""
import numpy as np
import pytest

from configs import CONFIGS, FRAMES_OUT
from draw import batch, close, form, like, mask, normal, read_only, readout, same, state
from minis2s.core import tree
from minis2s.core.gradient_check import assert_gradients
from minis2s.layers import dropout
from minis2s.layers.attention import SCORES, precompute_keys
from minis2s.layers.cells import CELLS
from minis2s.model import decoder, encoder, inputs
from minis2s.model.decoder import EncoderOutput, State

T, N = 5, 3
MASK = read_only(mask((5, 1, 3)))
ALL = {**CONFIGS, **FRAMES_OUT}
configs = pytest.mark.parametrize("c", ALL.values(), ids=ALL)


class Case:
    """A decoder with weights of its own (ties are seq2seq's affair) and a random source."""

    def __init__(self, c):
        rng, cell = np.random.default_rng(0), CELLS[c.cell]
        p = decoder.init(rng, c)
        if c.tied_cells:
            p = p._replace(layers=encoder.init(rng, c, cell).layers)
        if c.tied_embedding:
            p = p._replace(readout=p.readout._replace(W=p.embedding.T))
        self.c, self.p = c, read_only(like(rng, p))
        self.layers = read_only(tuple(state(rng, cell, N, c.hidden) for _ in range(c.layers)))
        self.z = normal(rng, N, c.fused_size) if c.input_feeding else None
        self.source = EncoderOutput(None, None)
        if c.context == "attention":
            hs = normal(rng, T, N, c.encoder_size)
            self.source = EncoderOutput(precompute_keys(SCORES[c.attention], self.p.score, hs, MASK), None)
        elif c.context == "every-step":
            self.source = EncoderOutput(None, normal(rng, N, c.encoder_size))
        self.source = read_only(self.source)
        sizes = [c.decoder_input_size] + [c.hidden] * (c.layers - 1)
        self.drops = read_only(tuple(dropout.draw(rng, c.dropout, (N, D), "float64") for D in sizes))
        self.drop_output = read_only(dropout.draw(rng, c.dropout, (N, c.readout_size), "float64"))
        self.batch, self.rng = batch(rng, c), rng

    def free(self):
        """The source as something to differentiate: without its mask."""
        memory = self.source.memory
        return self.source._replace(memory=memory and memory._replace(mask=None))

    @staticmethod
    def bound(source):
        return source._replace(memory=source.memory and source.memory._replace(mask=MASK))


@configs
def test_step_gradients(c):
    """(D1*) (D2*) (D3*) (D4*) (D5*) (D6*): rows of E, parameters, state, source and its keys."""
    case, ids = Case(c), np.array([4, 6, 5])
    ids = ids if c.target == "tokens" else normal(case.rng, N, c.target_frame_size)
    p, s = case.p, State(case.layers, case.z)

    def step(v):
        table, (layers, score, fuse), s, source = v
        q = p._replace(embedding=table, layers=layers, score=score, fusion=fuse)
        return decoder.step(q, c, case.bound(source), ids, s, case.drops)
    v = p.embedding, (p.layers, p.score, p.fusion), s, case.free()
    r, new, k = step(v)
    dr, d = read_only((normal(case.rng, *r.shape), like(case.rng, new)))
    demb, ds, dsource, grads = decoder.step_backward(p, c, case.source, read_only(k), dr, d, case.drops)
    if c.target == "tokens":
        dE = np.zeros_like(p.embedding)
        dE[ids] = demb                                   # the three ids are different
    else:
        dE = inputs.backward(p.embedding, ids[None], demb[None])
    got = dE, grads, ds, dsource
    assert form(got) == form(v)
    assert_gradients(lambda v: readout((dr, d), step(v)[:2]), v, got, 1e-11)


@configs
def test_gradients_of_the_loop(c):
    """(D7*) and the sums over all steps: parameters, initial states, source."""
    case = Case(c)
    ids = case.batch.inputs

    def run(v):
        p, layers, source = v
        return decoder.forward(p, c, case.bound(source), layers, ids, None, case.drops, case.drop_output)
    v = case.p, case.layers, case.free()
    logits, k = run(v)
    dlogits = read_only(normal(case.rng, *logits.shape))
    got = decoder.backward(case.p, c, case.source, read_only(k), dlogits)
    assert form(got) == form(v)
    same(decoder.backward(case.p, c, case.source, k, dlogits), got)
    assert_gradients(lambda v: readout(dlogits, run(v)[0]), v, got, 1e-10)


@configs
def test_step_by_step_equals_the_loop(c):
    case = Case(c)
    ids = case.batch.inputs
    logits, k = decoder.forward(case.p, c, case.source, case.layers, ids, None, case.drops, case.drop_output)
    s = decoder.initial_state(c, case.layers)
    for t, y in enumerate(ids):
        r, s, _ = decoder.step(case.p, c, case.source, y, s, case.drops)
        close(decoder.readout(case.p, dropout.forward(r, case.drop_output)), logits[t])      # (D7)
    np.testing.assert_array_equal(k.ids, ids)
    alpha = decoder.alphas(k)
    assert (alpha is None) == (c.context != "attention")
    if alpha is not None:
        close(alpha.sum(axis=1), np.ones(ids.shape[:2]))
        assert alpha.shape == (len(ids), T, N) and (alpha[:, ~MASK] == 0).all()


@configs
def test_the_first_fused_state_is_zero(c):
    case = Case(c)
    s = decoder.initial_state(c, case.layers)
    assert s.layers is case.layers
    assert s.z is None if not c.input_feeding else (s.z.shape == (N, c.fused_size) and not s.z.any())


@configs
def test_free_running_equals_feeding_the_argmaxes_or_last_frames_by_hand(c):
    case = Case(c)
    ids, S = read_only(case.batch.inputs), len(case.batch.inputs)
    args, F = (case.drops, case.drop_output), c.target_frame_size
    off = np.zeros(ids.shape[:2], bool)
    logits, k = decoder.forward(case.p, c, case.source, case.layers, ids, off, *args)
    s, y = decoder.initial_state(c, case.layers), ids[0]
    for t in range(S):
        np.testing.assert_array_equal(k.ids[t], y)
        r, s, _ = decoder.step(case.p, c, case.source, y, s, case.drops)
        out = decoder.readout(case.p, dropout.forward(r, case.drop_output))
        close(logits[t], out)
        y = out.argmax(axis=1) if F is None else out[:, -F - 1:-1]
    again, _ = decoder.forward(case.p, c, case.source, case.layers, k.ids, None, *args)    # forced
    same(again, logits)


def test_some_tokens_forced_and_some_free():
    case = Case(CONFIGS["general-after"])
    ids = case.batch.inputs
    teacher = np.arange(ids.size).reshape(ids.shape) % 2 == 0
    logits, k = decoder.forward(case.p, case.c, case.source, case.layers, ids, teacher)
    own = logits.argmax(axis=2)
    np.testing.assert_array_equal(k.ids[0], ids[0])
    np.testing.assert_array_equal(k.ids[1:], np.where(teacher[1:], ids[1:], own[:-1]))
    assert (k.ids != ids).any()
    forced, k = decoder.forward(case.p, case.c, case.source, case.layers, ids, np.ones(ids.shape, bool))
    same(forced, decoder.forward(case.p, case.c, case.source, case.layers, ids)[0])


@pytest.mark.parametrize("c", [c for c in CONFIGS.values() if c.context != "init"],
                         ids=[name for name, c in CONFIGS.items() if c.context != "init"])
def test_another_source_gives_other_logits(c):
    case = Case(c)
    logits, _ = decoder.forward(case.p, c, case.source, case.layers, case.batch.inputs)
    other = tree.map(lambda a: a if a.dtype == bool else a + 0.5, case.source)
    assert np.abs(decoder.forward(case.p, c, other, case.layers, case.batch.inputs)[0] - logits).max() > 1e-3
