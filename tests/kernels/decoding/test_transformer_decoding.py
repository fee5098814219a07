"""The compiled searches in a Transformer, with keys and values kept, give the reference implementation's answers."""
import numpy as np
import pytest

from configs import TRANSFORMERS
from kernel_searches import LENGTHS, case, check, check_threads_and_order
from minis2s import decoding
from minis2s.data.vocabulary import BOS, EOS, PAD, UNK
from minis2s.kernels.decoding import transformer_hypotheses
from minis2s.kernels.decoding.beam import beam
from minis2s.kernels.decoding.exact import exact
from minis2s.kernels.decoding.greedy import greedy
from minis2s.kernels.decoding.sampling import sample
from minis2s.kernels.runtime import jit

# compiled: one for each place of the norm, as each takes seconds; all of them as plain Python
BOTH = "transformer-dropout-pre", "transformer-everything"
NAMES = BOTH if jit.JIT else tuple(f"transformer-{name}" for name in TRANSFORMERS)
names, both = pytest.mark.parametrize("name", NAMES), pytest.mark.parametrize("name", BOTH)
BEAMS = (1, 3, 0.0, 3), (6, 4, 0.0, 1), (6, 5, 1.0, 4), (5, 30, 0.6, 30)      # max_length, width, length_penalty, nbest


@names
def test_greedy_and_a_beam_of_one(name):
    for seed, max_length in ((0, 6), (1, 2), (2, 1)):
        given = (*case(name, seed), max_length)
        want = decoding.greedy(*given)
        check(greedy(*given), want)
        check(beam(*given, 1), want)


@names
@pytest.mark.parametrize("options", BEAMS, ids=str)
def test_beam(name, options):
    for seed in range(3):
        given = (*case(name, seed), *options)
        check(beam(*given), decoding.beam(*given))


@names
@pytest.mark.parametrize("options", [{}, dict(temperature=0.7, top_k=3)])
def test_sampling_draws_the_same_tokens(name, options):
    for seed in range(3):
        given = (*case(name, seed), 6)
        got, want = (f(*given, np.random.default_rng(seed), **options) for f in (sample, decoding.sample))
        check(got, want)


@both
def test_exact_search(name):
    """With fewer sources than rows that it tries at once, and with more."""
    for lengths in (LENGTHS[:2], LENGTHS * 4):
        given = (*case(name, 1, lengths=lengths), 3)
        check(exact(*given), decoding.exact(*given))


def test_float32():
    given = (*case("transformer-everything", 0, "float32", spread=0.2), 6, 4, 0.0, 2)      # log p far from 0
    check(beam(*given), decoding.beam(*given), 3e-6)
    got, want = (f(*given[:5], np.random.default_rng(0)) for f in (sample, decoding.sample))
    check(got, want, 3e-6)


@both
def test_heads_and_sequences_longer_than_a_vector(name):
    """Heads of 19 numbers, sources of up to 37 tokens, answers of up to 20, more tokens than a block has."""
    choices = dict(max_positions=40) if name == "transformer-everything" else {}
    p, *given = case(name, 0, lengths=(37, 1, 20, 3), spread=0.2, hidden=38, heads=2, feed_forward=35, target_vocab=70,
                     **choices)
    p.decoder.readout.b[EOS] -= 9.0
    want = decoding.beam(p, *given, 20, 3, 0.0, 3)
    check(beam(p, *given, 20, 3, 0.0, 3), want)
    assert max(len(a.ids) for a in want[0]) > 16
    check(*(f(p, *given, 20, np.random.default_rng(0)) for f in (sample, decoding.sample)))


@both
def test_any_number_of_threads_and_any_order_give_the_same_bits(name, use):
    check_threads_and_order(name, use)


def test_tokens_that_are_never_said():
    p, *given = case("transformer-everything", 0)
    p.decoder.readout.b[[PAD, BOS, UNK]] = 9.0
    check(beam(p, *given, 5, 3), decoding.beam(p, *given, 5, 3))
    for (a,) in greedy(p, *given, 5):
        assert not {PAD, BOS, UNK} & set(a.ids)


# What is refused ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_is_refused_as_by_the_page(bad):
    p, *given = case("transformer-dropout-pre", 0)
    p.decoder.readout.b[4] = bad
    for f, args in ((greedy, ()), (beam, (2,)), (sample, (np.random.default_rng(0),)), (exact, ())):
        with pytest.raises(ValueError, match="hold NaN"), np.errstate(invalid="ignore"):
            f(p, *given, 4, *args)


def test_no_token_that_can_be_chosen():
    p, *given = case("transformer-dropout-pre", 0)
    p.decoder.readout.b[3:] = -np.inf                           # all but those that are never said
    p.decoder.readout.b[EOS] = -np.inf
    for searches in (beam, decoding.beam):
        with pytest.raises(ValueError, match="^p: the model has probability 0 for all tokens that may come next"):
            searches(p, *given, 4, 2)


def test_answers_end_where_learned_positions_do():
    """There is an error where one more position is asked for, and none where all answers end before."""
    p, *given = case("transformer-everything", 0)
    for f, args in ((greedy, ()), (beam, (2,)), (sample, (np.random.default_rng(0),))):
        said = []
        for searches in (f, getattr(decoding, f.__name__)):
            p.decoder.readout.b[EOS] = -99.0
            with pytest.raises(ValueError, match="^max_length: 10 steps, wanted at most 9, as many as there are") as e:
                searches(p, *given, 30, *args)
            said.append(str(e.value))
            p.decoder.readout.b[EOS] = 99.0
            assert searches(p, *given, 30, *args)[0][0].finished
        assert said[0] == said[1]
    with pytest.raises(ValueError, match="^source: 10 steps, wanted at most 9"):
        greedy(*case("transformer-everything", 0, lengths=(10, 1)), 3)


def test_more_hypotheses_than_memory_holds():
    """A Transformer keeps more of each token, so fewer fit."""
    for name, most in (("two-ways-additive", 1 << 30), ("transformer-everything", (1 << 35) // (32 + 2 * 2 * 6 * 8))):
        with pytest.raises(ValueError, match=f"^width: .* are too many, wanted {most:,} tokens at most"):
            beam(*case(name, 0), 1 << 20, 1 << 10)


def test_hypotheses_that_no_row_is_for_are_refused():
    given = case("transformer-dropout-pre", 0)
    config = given[1]
    rows, live = transformer_hypotheses.start(*given)
    step = transformer_hypotheses.advance(rows, config, live)
    kvs = step.live.state.kvs
    wrong = {"live: got 20 hypotheses, wanted 16 at most": dict(hypotheses=live.hypotheses * 4),
             "live: got tokens from 1 to 8, wanted 0 .. 7": dict(
                 hypotheses=[h._replace(token=8 if h.n else 1) for h in live.hypotheses]),
             "live: got sources": dict(source=live.source._replace(visible=live.source.visible + 1)),
             "live.state.kvs.0.v: got shape": dict(
                 state=step.live.state._replace(kvs=(kvs[0]._replace(v=kvs[0].v[:, :1]), *kvs[1:])))}
    for text, fields in wrong.items():
        with pytest.raises(ValueError, match="^" + text):
            transformer_hypotheses.advance(rows, config, live._replace(**fields))
    with pytest.raises(TypeError, match="^rows: "):
        transformer_hypotheses.advance(rows.k, config, live)
