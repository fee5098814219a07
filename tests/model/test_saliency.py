"""Saliency: by the complex step and the oracle for several Configs, and what it says of models made by hand."""
from dataclasses import replace

import numpy as np
import pytest

from configs import CONFIGS, COPYING, RESIDUAL, transformer
from draw import like
from equations.saliency import derivatives
from minis2s.core import tree
from minis2s.core.gradient_check import complex_step
from minis2s.data.batches import make_batch
from minis2s.documents.claims import k11_alignment as k11
from minis2s.model import decoder, parameters, saliency, seq2seq

NAMES = ("plain-lstm", "general-before", "two-ways-additive", "tied-both", "every-step-concat-state")


def choose(name):
    return {**CONFIGS, **RESIDUAL}.get(name) or next(c for key, c in CONFIGS.items() if key.startswith("every-step"))


@pytest.mark.parametrize("name", [*NAMES, "residual", "residual-two-ways"])
def test_gradient_times_input_is_the_complex_steps(name):
    c = choose(name)
    p = like(np.random.default_rng(0), seq2seq.init(c))
    from equations.saliency import X, Y
    want = (derivatives(p, c) * p.encoder.embedding[X]).sum(axis=2)
    np.testing.assert_allclose(saliency.gradient_times_input(p, c, X, Y), want, rtol=0, atol=1e-12 * np.abs(want).max())


def test_a_source_read_backwards_is_told_in_the_order_of_the_text():
    c = CONFIGS["reverse"]
    p = like(np.random.default_rng(1), seq2seq.init(c))
    x, y, plain = [4, 5, 6, 4], [5], replace(c, reverse_source=False)
    for name in ("gradient_times_input", "occlusion"):
        f = getattr(saliency, name)
        np.testing.assert_array_equal(f(p, c, x, y), f(p, plain, x[::-1], y)[:, ::-1])
    np.testing.assert_array_equal(saliency.states(p, c, x), saliency.states(p, plain, x[::-1])[::-1])


@pytest.mark.parametrize("name", COPYING)
def test_what_is_copied_is_told_by_the_word_of_the_source(name):
    """Words outside the vocabulary, one of them twice: log p by the complex step in the embedding's output."""
    c = replace(COPYING[name], dropout=0.0)
    p, x, y = like(np.random.default_rng(3), seq2seq.init(c)), [4, 7, 8, 7, 5], [7, 4, 8]
    batch = make_batch([x], [y], c.reverse_source)
    rows = p.encoder.embedding[decoder.read_ids(c, batch.source[:, 0])]

    def log_p(xs, t):
        own = p._replace(encoder=p.encoder._replace(embedding=xs))
        plain = replace(c, source_vocab=max(5, len(x)), readout="state-context")
        source, s0, _ = seq2seq.encode(own, plain, np.arange(len(x))[:, None], batch.source_mask)
        return decoder.forward(p.decoder, c, source._replace(ids=batch.source), s0, batch.inputs)[0][
            t, 0, batch.targets[t, 0]]
    want = np.stack([(complex_step(lambda xs, t=t: log_p(xs, t), rows) * rows).sum(axis=1) for t in range(4)])
    want = want[:, ::-1] if c.reverse_source else want
    found = saliency.gradient_times_input(p, c, x, y)
    np.testing.assert_allclose(found, want, rtol=0, atol=1e-12 * np.abs(want).max())
    costs = saliency.occlusion(p, c, x, y)
    assert np.isinf(costs[2, 2]) and np.isinf(costs).sum() == 1         # word 8 stands in one place, word 7 in two
    whole = seq2seq.logits(p, c, batch)[:, 0]
    without = seq2seq.logits(p, c, make_batch([[3 if i == 0 else token for i, token in enumerate(x)]], [y],
                                              c.reverse_source))[:, 0]
    targets = batch.targets[:, 0]
    np.testing.assert_allclose(costs[:, 0], (whole - without)[range(4), targets], atol=1e-12)
    assert saliency.attention(p, c, x, y).shape == (4, 5) and saliency.states(p, c, x).shape[0] == 5


def test_a_planted_model_depends_on_the_token_that_it_writes():
    config, p = k11.planted()
    x = [7, 4, 9, 6]
    for f in (saliency.gradient_times_input, saliency.occlusion, saliency.attention):
        found = np.abs(f(p, config, x, sorted(x)))
        assert found.shape == (5, 4)
        # of a saturated softmax it sees only what the context repeats
        if f is not saliency.gradient_times_input:
            assert found[:4].argmax(axis=1).tolist() == [x.index(token) for token in sorted(x)]


def test_hiding_the_token_that_is_written_costs():
    config, p = k11.planted()
    x = [7, 4, 9]
    assert (saliency.occlusion(p, config, x, sorted(x))[range(3), [1, 0, 2]] > 1).all()


def test_a_token_that_nothing_reads_has_no_saliency():
    c = replace(CONFIGS["plain-gru"], dtype="float64")
    p = like(np.random.default_rng(2), seq2seq.init(c))
    p.encoder.embedding[5] = p.encoder.embedding[3]             # it looks like <unk>: hiding it changes nothing
    found = saliency.occlusion(p, c, [4, 5, 6], [4])
    assert not found[:, 1].any() and found[:, [0, 2]].all()
    p.encoder.embedding[5] = 0
    assert not saliency.gradient_times_input(p, c, [4, 5, 6], [4])[:, 1].any()


def test_a_probe_finds_what_is_there_and_nothing_else():
    rng = np.random.default_rng(0)
    hs, values = rng.normal(size=(400, 6)), rng.normal(size=400)
    hs[:, 2] = 3 * values + 1
    w, right = saliency.probe(hs, values)
    assert right > 0.999 and w[2] == pytest.approx(1 / 3, rel=1e-2) and w[-1] == pytest.approx(-1 / 3, rel=0.05)
    assert saliency.probe(rng.normal(size=(400, 6)), values)[1] < 0.1
    assert saliency.probe(rng.normal(size=(40, 30)), values[:40])[1] < 0.2        # what is learnt by heart is not read


def test_a_transformer_has_occlusion_only():
    c = transformer()
    p = parameters.init(c)
    assert saliency.occlusion(p, c, [4, 5], [4]).shape == (2, 2)
    for f in (saliency.gradient_times_input, saliency.attention):
        with pytest.raises(ValueError, match="recurrent models; architecture=transformer"):
            f(p, c, [4, 5], [4])
    with pytest.raises(ValueError, match="architecture=transformer has none"):
        saliency.states(p, c, [4, 5])
    with pytest.raises(ValueError, match="p: "):
        saliency.gradient_times_input(tree.map(lambda a: a[:1], seq2seq.init(CONFIGS["plain-gru"])),
                                      CONFIGS["plain-gru"], [4], [4])
