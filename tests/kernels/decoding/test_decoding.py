"""The compiled implementations of the searches give the pages' answers."""
import dataclasses

import numpy as np
import pytest

from configs import CONFIGS
from draw import batch, like
from kernel_searches import LENGTHS, case, check, check_threads_and_order
from minis2s import decoding
from minis2s.core import tree
from minis2s.data.vocabulary import BOS, PAD, UNK
from minis2s.kernels.decoding import hypotheses
from minis2s.kernels.decoding.beam import beam
from minis2s.kernels.decoding.exact import exact
from minis2s.kernels.decoding.greedy import greedy
from minis2s.kernels.decoding.sampling import sample
from minis2s.kernels.model.decoder_buffers import variant_of
from minis2s.kernels.runtime import jit
from minis2s.model import seq2seq

# compiled: a few, as each takes seconds; all of them as plain Python, see test_kernels_unroll.py
COMPILED = "two-ways-additive", "everything", "every-step-sigmoid"
NAMES = COMPILED if jit.JIT else tuple(CONFIGS)
CHOSEN_IN_NUMPY = ("two-ways-additive", "every-step-sigmoid") if jit.JIT else NAMES


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("max_length", [1, 2, 9])
def test_greedy_and_a_beam_of_one(name, max_length):
    for seed in range(3):
        given = (*case(name, seed), max_length)
        want = decoding.greedy(*given)
        check(greedy(*given), want)
        check(beam(*given, 1), want)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("max_length, width, length_penalty, nbest",
                         [(1, 3, 0.0, 3), (6, 4, 0.0, 1), (7, 5, 1.0, 4), (5, 30, 0.6, 30), (3, 600, 2, 600)])
def test_beam(name, max_length, width, length_penalty, nbest):
    """Beams that keep all there is, too: then there are fewer hypotheses than the beam is wide."""
    for seed in range(3) if width < 600 else (1,):
        given = (*case(name, seed), max_length, width, length_penalty, nbest)
        check(beam(*given), decoding.beam(*given))


@pytest.mark.parametrize("name", CHOSEN_IN_NUMPY)
@pytest.mark.parametrize("options", [{}, dict(temperature=0.7, top_k=3), dict(top_p=0.8)])
def test_sampling_draws_the_same_tokens(name, options):
    for seed in range(3):
        given = (*case(name, seed), 7)
        got, want = (f(*given, np.random.default_rng(seed), **options) for f in (sample, decoding.sample))
        check(got, want)


@pytest.mark.parametrize("name", CHOSEN_IN_NUMPY)
def test_exact_search(name):
    """With fewer sources than rows that it tries at once, and with more."""
    for lengths in (LENGTHS[:2], LENGTHS * 4):
        given = (*case(name, 1, lengths=lengths), 3)
        check(exact(*given), decoding.exact(*given))


def of_many_words(V):
    rng = np.random.default_rng(0)
    config = dataclasses.replace(CONFIGS["two-ways-additive"], target_vocab=V)
    p, b = like(rng, seq2seq.init(config)), batch(rng, config)
    return p, config, b.source, b.source_mask


@pytest.mark.parametrize("V", [70, 150, 1100])
def test_vocabularies_larger_than_a_block(V):
    given = *of_many_words(V), 6, 7, 0.5, 3
    check(beam(*given), decoding.beam(*given))


@pytest.mark.parametrize("v", [5, 69, 149])
def test_the_greatest_logit_anywhere(v):
    """Only the greatest of all is a safe shift; what is no number is found wherever it stands."""
    p, *given = of_many_words(150)
    p.decoder.readout.b[v] = 800
    check(beam(p, *given, 4, 3), decoding.beam(p, *given, 4, 3))
    p.decoder.readout.b[:64] = -np.inf                          # a whole block that nobody says
    with np.errstate(all="ignore"):
        check(beam(p, *given, 4, 3), decoding.beam(p, *given, 4, 3))
    for bad in (np.nan, np.inf):
        p.decoder.readout.b[v] = bad
        with np.errstate(all="ignore"), pytest.raises(ValueError, match="hold NaN"):
            beam(p, *given, 4, 3)


def test_of_equal_candidates_the_lower_row_and_token_is_kept():
    """A readout that says the same whatever the state, and of many tokens the same."""
    config = dataclasses.replace(CONFIGS["two-ways-additive"], target_vocab=100)
    p, b = seq2seq.init(config), batch(np.random.default_rng(0), config)
    p.decoder.readout.W[:], p.decoder.readout.b[:] = 0, np.round(np.random.default_rng(1).normal(size=100))
    given = (p, config, b.source, b.source_mask, 4, 6, 0.0, 6)
    want = decoding.beam(*given)
    check(beam(*given), want)
    assert len({a.log_prob for a in want[0]}) < 6               # there were equal ones
    check(greedy(*given[:5]), decoding.greedy(*given[:5]))


def test_float32():
    given = (*case("concat-dot-before", 1, "float32"), 6, 4, 0.0, 2)
    check(beam(*given), decoding.beam(*given), 3e-6)
    got, want = (f(*given[:5], np.random.default_rng(0)) for f in (sample, decoding.sample))
    check(got, want, 3e-6)


@pytest.mark.parametrize("name", ["two-ways-additive", "everything"])
def test_any_number_of_threads_and_any_order_give_the_same_bits(name, use):
    check_threads_and_order(name, use)


def test_sources_share_their_memory():
    """Hypotheses read what is remembered of their source where it stands."""
    p, config, source, mask = case("two-ways-additive", 0)
    encoded, layers, _ = seq2seq.encode(p, config, source, mask)
    start, _ = hypotheses.called_steps(variant_of(config, False, False))
    rows = start(p.decoder, *hypotheses.without_gaps(encoded, layers), np.arange(5).repeat(4), config.fused_size)
    assert rows.k.attend.hs.shape[1] == rows.k.attend.keys.shape[1] == 5 and rows.k.ids.shape == (1, 20)


def test_tokens_that_are_never_said():
    p, config, source, mask = case("two-ways-additive", 0)
    p.decoder.readout.b[[PAD, BOS, UNK]] = 30.0
    for (a,), in zip(greedy(p, config, source, mask, 5), strict=True):
        assert not {PAD, BOS, UNK} & set(a.ids) and a.log_prob < -30 * len(a.ids)
    given = (p, config, source, mask, 5, 3)
    check(beam(*given), decoding.beam(*given))


def test_a_token_of_no_probability_is_no_candidate():
    p, config, source, mask = case("two-ways-additive", 0)
    p.decoder.readout.b[5:] = -np.inf                           # 4 and EOS are left
    given = (p, config, source, mask, 3, 9, 0.0, 9)
    want = decoding.beam(*given)
    check(beam(*given), want)
    assert len(want[0]) < 9


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_is_refused_as_by_the_page(bad):
    p, config, source, mask = case("two-ways-additive", 0)
    p.decoder.readout.b[4] = bad
    for f, args in ((greedy, ()), (beam, (2,)), (sample, (np.random.default_rng(0),)), (exact, ())):
        with pytest.raises(ValueError, match="hold NaN"), np.errstate(invalid="ignore"):
            f(p, config, source, mask, 4, *args)
    with pytest.raises(ValueError, match="hold NaN"):
        greedy(tree.map(lambda a: a * np.nan, p), config, source, mask, 4)


def test_bad_arguments_are_refused_as_by_the_page():
    given = case("two-ways-additive", 0)
    for function, args, text in ((greedy, (0,), "max_length: got 0"), (beam, (4, 0), "width: got 0"),
                                 (beam, (4, 2, -1.0), "length_penalty: got -1.0"),
                                 (beam, (4, 2, 0.0, 3), "nbest: got 3"),
                                 (sample, (4, 7), "rng: got int"), (exact, (4, 0), "budget: got 0")):
        with pytest.raises(TypeError if "rng" in text else ValueError, match=text):
            function(*given, *args)
