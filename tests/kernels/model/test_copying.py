"""The compiled model whose readout copies, and the searches in it, against the reference implementation."""
import dataclasses

import numpy as np
import pytest

from configs import COPYING
from draw import batch, like, same
from kernel_layers import close, unchanged
from kernel_models import Case, in_one
from kernel_searches import case as searched, check, check_threads_and_order
from minis2s import decoding
from minis2s.core import tree
from minis2s.data.batches import make_batch
from minis2s.kernels.backend import NUMBA
from minis2s.kernels.decoding.beam import beam
from minis2s.kernels.decoding.exact import exact
from minis2s.kernels.decoding.greedy import greedy
from minis2s.kernels.decoding.sampling import sample
from minis2s.kernels.model import decoder as decoder_kernels, seq2seq as kernels
from minis2s.kernels.runtime import jit
from minis2s.model import dropout_masks, seq2seq
from minis2s.training import loop
from minis2s.training.evaluation import validate
from minis2s.training.reference import NUMPY
from random_configs import random_copier

# compiled: a model in one call, and one of several; as plain Python: all of them
NAMES = [f"copying-{name}" for name in (("before", "two-ways") if jit.JIT else COPYING) if name != "residual"]
MANY = (3, 1, 2) * 44, (9, 1, 5) * 44              # 132 rows, 10 steps: three are a block, and one is left


def probabilities(log_p):
    """log p -> p: that of a word of another source is 0."""
    return (np.exp(log_p),)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("free", [False, True])
def test_the_whole_model(name, free):
    """Loss and gradients in one call, and part by part; what was fed; log p of every word."""
    case = Case(name, "float64")
    assert case.batch.source.max() >= 8 and case.batch.targets.max() >= 8      # words that only a copy can say
    with unchanged(case.p, case.drops, case.batch):
        got, want = case.run("numba", free), case.run("numpy", free)
        close(in_one(case, kernels, free), in_one(case, seq2seq, free), "float64")
    np.testing.assert_array_equal(got[0], want[0])
    close((got[1], *probabilities(got[2]), got[3]), (want[1], *probabilities(want[2]), want[3]), "float64")
    close(got[3], in_one(case, seq2seq, free)[1], "float64")
    given = case.p, case.config, case.batch, case.coins if free else None
    close(*(probabilities(model.logits(*given)) for model in (kernels, seq2seq)), "float64")


@pytest.mark.parametrize("name", NAMES)
def test_the_readouts_cache_field_by_field(name):
    case = Case(name, "float64")
    got, want = (backend.forward(case.p, case.config, case.batch, None, case.drops)[2].decoder.copy
                 for backend in (NUMBA, NUMPY))
    for k in (got, want):
        assert np.isneginf(k.log_p).any()                       # words of other sources
    got, want = (k._replace(log_p=np.exp(k.log_p), ids=k.ids * 1.0) for k in (got, want))
    close(got, want, "float64")


@pytest.mark.parametrize("name", NAMES)
def test_validation(name):
    """With targets fed and with own words fed, in one call where there is one."""
    case = Case(name, "float64")
    for got, want in zip(*(b.forced_and_free(case.p, case.config, case.batch) for b in (NUMBA, NUMPY))):
        close(probabilities(got), probabilities(want), "float64")
    b = case.batch
    examples = [(b.source[m, n].tolist(), b.targets[t, n].tolist()[:-1])
                for n, (m, t) in enumerate(zip(b.source_mask.T, b.target_mask.T))]
    got, want = (validate(case.p, case.config, examples, 3, backend) for backend in (NUMBA, NUMPY))
    np.testing.assert_allclose(got, want, rtol=1e-12)


@pytest.mark.parametrize("name", NAMES[:1])
def test_float32_and_several_blocks_of_steps(name):
    case = Case(name, "float32", hidden=37, embedding=19, source_vocab=40, target_vocab=40, lengths=MANY, spread=0.3)
    close(in_one(case, kernels), in_one(case, seq2seq), "float32")
    if not jit.JIT:
        case = Case(name, "float64", lengths=MANY)
        close(in_one(case, kernels), in_one(case, seq2seq), "float64")


@pytest.mark.parametrize("name", NAMES)
def test_any_number_of_threads_gives_the_same_bits(name, use):
    case, results = Case(name, "float64", spread=0.15, hidden=42, embedding=19, source_vocab=21, target_vocab=21,
                         lengths=MANY), []
    for count in (1, 2, 3):
        use(count)
        results.append((in_one(case, kernels), *kernels.forced_and_free(case.p, case.config, case.batch)))
    for other in results[1:]:
        if jit.JIT:                                            # else BLAS does as it likes
            same(other, results[0])
    close(results[0][0], in_one(case, seq2seq), "float64")


def test_random_configs():
    """All cells, scores, orders, fusions, bridges, ties, dropout; of any sizes."""
    rng = np.random.default_rng(0)
    for seed in range(2 if jit.JIT else 60):
        c = random_copier(rng)
        lengths = rng.integers(1, 6, (2, int(rng.integers(1, 5)))).tolist()
        p, b = like(rng, seq2seq.init(c), 0.5), batch(rng, c, *lengths)
        drops = dropout_masks.draw(rng, c, len(lengths[0])) if c.dropout else None
        coins = None if rng.random() < 0.5 else rng.random(b.inputs.shape) < 0.5
        (L, g), (want, g_want) = (m.loss_and_gradient(p, c, b, coins, drops) for m in (kernels, seq2seq))
        close((np.asarray([L]), *seq2seq.Params(*g)), (np.asarray([want]), *g_want), "float64")
        close(*(probabilities(m.logits(p, c, b, coins)) for m in (kernels, seq2seq)), "float64")
        asked = p, c, b.source, b.source_mask, 5, 3, 0.5, 2
        check(beam(*asked), decoding.beam(*asked))


def test_training_gives_what_numpy_gives():
    case, found = Case(NAMES[0], "float64"), []
    training = loop.Training(epochs=1)
    for backend in (NUMBA, NUMPY):
        progress = loop.begin(case.config, training)
        for _ in range(3):
            progress = loop.one_step(case.config, training, progress, case.batch, 1e-2, backend)
        found.append(progress.params)
    close(*found, "float64")


# Searches -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", NAMES)
def test_searches(name):
    said = set()
    for seed in range(3):
        given = searched(name, seed)
        check(greedy(*given, 6), decoding.greedy(*given, 6))
        for options in ((4, 0.0, 1), (5, 1.0, 4), (30, 0.6, 30)):
            check(beam(*given, 5, *options), decoding.beam(*given, 5, *options))
        for options in ({}, dict(temperature=0.7, top_k=3), dict(top_p=0.8)):
            check(*(f(*given, 6, np.random.default_rng(seed), **options) for f in (sample, decoding.sample)))
        check(exact(*given, 3), decoding.exact(*given, 3))
        said |= {y for answers in beam(*given, 6, 4, 0.0, 4) for a in answers for y in a.ids}
    assert max(said) >= given[1].target_vocab                   # a copy of a word that is not in the vocabulary


def test_any_number_of_threads_and_any_order_give_the_same_answers(use):
    check_threads_and_order(NAMES[0], use)


def test_an_answer_has_no_words_of_other_sources():
    """Whatever stands beside it in the batch, and though the gate is wide open."""
    p, config, _, _ = searched(NAMES[0], 0)
    p.decoder.gate.b[:] = 9.0
    sources = [[4, 5], [7, 8, 9, 7], [7, 4]]
    b = make_batch(sources, [[4]] * 3)
    for answers in beam(p, config, b.source, b.source_mask, 4, 4, 0.0, 4):
        assert answers
    for n, answers in enumerate(beam(p, config, b.source, b.source_mask, 4, 4, 0.0, 4)):
        assert all(y < config.target_vocab or y in sources[n] for a in answers for y in a.ids)


# What does not fit --------------------------------------------------------------------------------------------

def test_the_doors_refuse_what_the_page_refuses():
    case = Case(NAMES[0], "float64")
    b, V = case.batch, case.config.target_vocab
    for wrong, message in (
            (dict(source=b.source + 99), "source: got ids from"), (dict(inputs=b.inputs + 99), "inputs: got ids from"),
            (dict(targets=b.targets + 99), "targets: got ids"),
            (dict(targets=np.full_like(b.targets, V + 4)), "targets: ids from 7 on are words of the example's own"),
            (dict(targets=np.full((*b.targets.shape, V), 1 / V)), "targets: readout=copy needs ids")):
        for door in (kernels.loss_and_gradient, kernels.forward, kernels.logits, seq2seq.loss_and_gradient):
            with pytest.raises(ValueError, match=f"^{message}"):
                door(case.p, case.config, b._replace(**wrong))


def test_the_parts_refuse_what_does_not_fit():
    case = Case(NAMES[0], "float64")
    b, p = case.batch, seq2seq.untie(case.p, case.config).decoder
    source, s0, _ = kernels.encode(case.p, case.config, b.source, b.source_mask)
    for ids, message in ((source.ids + 99, "source.ids: got ids from"), (source.ids[:, :2], "source.ids: got shape")):
        with pytest.raises(ValueError, match=f"^{message}"):
            decoder_kernels.states(p, case.config, source._replace(ids=ids), s0, b.inputs)
    with pytest.raises(TypeError, match="^p.gate: got NoneType, wanted linear.Params$"):
        decoder_kernels.states(p._replace(gate=None), case.config, source, s0, b.inputs)
    log_p, k = decoder_kernels.forward(p, case.config, source, s0, b.inputs)
    with pytest.raises(ValueError, match="^dlog_p: got shape"):
        decoder_kernels.backward(p, case.config, source, k, log_p[:, :, :-1])
    with pytest.raises(ValueError, match="^dalpha: got shape"):
        decoder_kernels.states_backward(p, case.config, source, k, k.rs, p.readout, k.rs, p.gate)
    residual = dataclasses.replace(case.config, layers=2, residual=True)
    with pytest.raises(ValueError, match="^residual=True: models with residual connections have no compiled"):
        kernels.loss_and_gradient(tree.map(np.array, case.p), residual, b)
