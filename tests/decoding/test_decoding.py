"""Every search against the whole list of outputs, which tiny models allow to be written down.

The list is made by the *training* path, seq2seq.forward on each output as a target: it shares no line with
the searches but the decoder's step.
"""
import importlib
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from minis2s.core import tree
from minis2s.core.functions import log_softmax
from minis2s.data.batches import make_batch, pad
from minis2s.data.vocabulary import BOS, EOS, PAD, UNK
from minis2s.decoding import beam, exact, greedy, sample
from minis2s.decoding.hypotheses import top
from minis2s.decoding.sampling import distribution, draw
from minis2s.model import architectures, decoder, parameters, seq2seq, transformer_decoder
from minis2s.model.config import Config

V, L = 7, 4                                 # tokens 4, 5, 6 beside the special ones; max_length
ALLOWED = [EOS, 4, 5, 6]
SOURCES = [[4, 5, 6, 3], [6], [5, 5, 4]]    # ragged, with an UNK

FAMILIES = {
    "lstm-init": dict(attention="none"),
    "gru-every-step": dict(cell="gru", attention="none", context="every-step"),
    "additive-after": dict(),
    "general-before-feeding": dict(cell="gru-after", attention="general", attention_order="before", layers=2,
                                   bidirectional=True, input_feeding=True),
    "dot-tanh-feeding": dict(attention="dot", fusion="tanh", input_feeding=True, layers=2),
    "scaled-state-context": dict(cell="rnn", attention="scaled", fusion="none", readout="state-context"),
    "ties": dict(cell="rnn", attention="concat-dot", fusion="tanh", embedding=5, tied_cells=True,
                 tied_embedding=True),
    "transformer-pre": dict(architecture="transformer", heads=2, hidden=4, norm="pre", layers=2),
    "transformer-post": dict(architecture="transformer", heads=1, norm="post", positions="learned", tied_embedding=True,
                             max_positions=9),
}


def make(seed, sharp=3.0, **kinds):
    """A Config, and random parameters that are large enough for distributions far from even."""
    small = {"hidden": 5} if "architecture" in kinds else {"hidden": 5, "embedding": 3}
    config = Config(V, V, dtype="float64", **{**small, **kinds})
    rng = np.random.default_rng(seed)
    return tree.map(lambda a: a * sharp + rng.normal(size=a.shape), parameters.init(config, seed)), config


def constant(logits):
    """A model whose next-token logits are the same whatever comes before."""
    config = Config(V, V, hidden=2, embedding=2, attention="none", dtype="float64")
    p = tree.zeros_like(seq2seq.init(config))
    readout = p.decoder.readout._replace(b=np.array(logits))
    return p._replace(decoder=p.decoder._replace(readout=readout)), config


def table(p, config, source, max_length=L):
    """log p of every beginning of at most max_length allowed tokens: a dict from tuples, EOS written out."""
    ys = [list(y) for y in product([4, 5, 6], repeat=max_length)]
    _, logits, _ = architectures.forward(p, config, make_batch([source] * len(ys), ys))
    log_ps, found = log_softmax(logits), {(): 0.0}
    for n, y in enumerate(ys):
        for t in range(max_length):
            for token in ALLOWED if t == 0 or y[t - 1] != EOS else []:
                found[(*y[:t], token)] = found[tuple(y[:t])] + log_ps[t, n, token]
    return found


def outputs(found, finished, max_length=L):
    return {y: log_p for y, log_p in found.items()
            if (y[-1:] == (EOS,) if finished else len(y) == max_length and y[-1] != EOS)}


def written(answer):
    return (*answer.ids, EOS) if answer.finished else tuple(answer.ids)


def assert_same(a, b):
    """The same lists of answers, but for the rounding of batches of other shapes."""
    assert [x.ids for x in a] == [x.ids for x in b]
    assert [(x.finished, x.proven) for x in a] == [(x.finished, x.proven) for x in b]
    for x, y in zip(a, b):
        np.testing.assert_allclose([x.log_prob, x.score], [y.log_prob, y.score], rtol=1e-11)
        assert (x.alpha is None) == (y.alpha is None)
        if x.alpha is not None:
            np.testing.assert_allclose(x.alpha, y.alpha, rtol=1e-9, atol=1e-14)


def weights(config, k):
    """The attention weights (S, T) of a batch of one: a Transformer's are the means over the last layer's heads."""
    if config.architecture == "transformer":
        return transformer_decoder.alphas(k.decoder)[-1][0].mean(axis=0)
    return decoder.alphas(k.decoder)[:, :, 0]


SEARCHES = {
    "greedy": lambda *a: greedy(*a, L),
    "beam": lambda *a: beam(*a, L, width=3, nbest=2, length_penalty=0.7),
    "sample": lambda *a: sample(*a, L, np.random.default_rng(7), temperature=0.8),
    "exact": lambda *a: exact(*a, L),
}
every_family = pytest.mark.parametrize("kinds", FAMILIES.values(), ids=FAMILIES)
every_search = pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)


# What every search owes ---------------------------------------------------------------------------------

@every_family
@every_search
def test_log_prob_and_alpha_are_those_of_the_teacher_forced_model(search, kinds):
    for seed in range(4):
        p, config = make(seed, **kinds)
        for source, answers in zip(SOURCES, search(p, config, *pad(SOURCES))):
            for a in answers:
                length = len(a.ids) + a.finished
                target = a.ids if a.finished else a.ids[:-1]
                loss, _, k = architectures.forward(p, config, make_batch([source], [target]))
                if a.finished:
                    assert a.log_prob == pytest.approx(-loss * length, rel=1e-11)
                else:
                    assert length == L
                    assert a.log_prob == pytest.approx(table(p, config, source)[tuple(a.ids)], rel=1e-11)
                if config.context == "attention":
                    assert a.alpha.shape == (length, len(source))
                    np.testing.assert_allclose(a.alpha.sum(axis=1), 1)
                    np.testing.assert_allclose(a.alpha, weights(config, k), atol=1e-12)
                else:
                    assert a.alpha is None


@every_family
@every_search
def test_an_answer_depends_neither_on_neighbours_nor_on_padding(search, kinds):
    p, config = make(1, **kinds)
    ids, mask = pad(SOURCES)
    together = search(p, config, ids, mask)
    assert_same(together[0], search(p, config, *pad(SOURCES[:1]))[0])                # alone
    others = pad([[4], SOURCES[1], [6, 6, 6, 6, 6, 5], [5, 4]])
    assert_same(together[1], search(p, config, *others)[1])                          # among others
    more = np.concatenate([ids, np.full((3, 3), 5)]), np.concatenate([mask, np.zeros((3, 3), bool)])
    for a, b in zip(together, search(p, config, *more)):                             # padded, with a token
        assert_same(a, b)


@every_search
def test_pad_bos_and_unk_are_never_produced(search):
    p, config = constant([9.0, 9, 0, 9, 1, 1, 1])
    answers = sum(search(p, config, *pad(SOURCES)), [])
    assert not {PAD, BOS, UNK} & {token for a in answers for token in a.ids}
    log_z = np.log(3 * np.exp(9) + 1 + 3 * np.exp(1))
    for a in answers:                       # the share of the forbidden ones is not handed to the others
        assert a.log_prob == pytest.approx(len(a.ids) - log_z * (len(a.ids) + a.finished), rel=1e-12)


@every_search
def test_sources_are_encoded_once(search, monkeypatch):
    seen, encode = [], seq2seq.encode
    monkeypatch.setattr(seq2seq, "encode", lambda *args: seen.append(args[2].shape[1]) or encode(*args))
    search(*make(0), *pad(SOURCES))
    assert seen == ([3, 3] if search is SEARCHES["exact"] else [3])     # exact begins with a beam search


@every_search
def test_float32_models_give_the_loss_too(search):
    p, config = make(3)
    p, config = tree.map(lambda a: a.astype("float32"), p), replace(config, dtype="float32")
    for source, (a, *_) in zip(SOURCES, search(p, config, *pad(SOURCES))):
        assert a.log_prob == pytest.approx(table(p, config, source)[written(a)], rel=1e-4)


def test_log_p_of_float32_models_are_summed_in_float64():
    p, config = constant([0, 0, -9, 0, 1, 0.5, 0])
    p, config = tree.map(lambda a: a.astype("float32"), p), replace(config, dtype="float32")
    (a,), = greedy(p, config, *pad([[4]]), 50)
    assert a.ids == [4] * 50
    assert a.log_prob == pytest.approx(50 * (1 - np.log(4 + np.exp(-9) + np.exp(1) + np.exp(0.5))), rel=1e-13)


# Greedy and beam ----------------------------------------------------------------------------------------

@every_family
def test_greedy_takes_the_best_token_each_time(kinds):
    for seed in range(4):
        p, config = make(seed, **kinds)
        for source, (a,) in zip(SOURCES, greedy(p, config, *pad(SOURCES), L)):
            found, y = table(p, config, source), ()
            while len(y) < L and y[-1:] != (EOS,):
                y = max(((*y, token) for token in ALLOWED), key=found.get)
            assert written(a) == y and a.score == a.log_prob


@every_family
def test_beam_of_one_is_greedy_to_the_bit(kinds):
    unfinished = 0
    for seed in range(25):
        p, config = make(seed, **kinds)
        best = beam(p, config, *pad(SOURCES), 6, width=1)
        for (a,), (b,) in zip(greedy(p, config, *pad(SOURCES), 6), best):
            assert a[:3] == b[:3] and a.finished == b.finished
            assert a.alpha is None or np.array_equal(a.alpha, b.alpha)
            unfinished += not a.finished
    assert 0 < unfinished < 75              # both kinds were met


def test_beam_of_one_is_greedy_where_sums_round_to_ties():
    p, config = constant([0, 0, -9, 0, 1, 1 + 4e-16, 1])       # 5 is ahead of 4, until the sum hides it
    (a,), = greedy(p, config, *pad([[4]]), 20)
    (b,), = beam(p, config, *pad([[4]]), 20, width=1)
    assert a == b and {4, 5} == set(a.ids)


@pytest.mark.parametrize("logits", [[0.0] * V, [0, 0, -1, 0, 2, 2, 2], [0, 0, 3, 0, 1, 3, 3]])
def test_ties_go_to_the_lower_id(logits):
    p, config = constant([float(a) for a in logits])
    lowest = max(ALLOWED, key=lambda v: (logits[v], -v))
    for search in (lambda *a: greedy(*a, L), lambda *a: beam(*a, L, width=1),
                   lambda *a: sample(*a, L, np.random.default_rng(0), top_k=1)):
        (a,), = search(p, config, *pad([[4]]))
        assert written(a) == ((EOS,) if lowest == EOS else (lowest,) * L)


@every_family
@pytest.mark.parametrize("a", [0.0, 0.6, 1.0])
def test_a_beam_without_limit_ranks_all_outputs(kinds, a):
    for seed in range(3):
        p, config = make(seed, **kinds)
        every = beam(p, config, *pad(SOURCES), L, width=300, length_penalty=a, nbest=125)
        for source, answers in zip(SOURCES, every):
            found = table(p, config, source)

            def ranked(finished):
                scores = {y: log_p / len(y)**a for y, log_p in outputs(found, finished).items()}
                return sorted(scores.items(), key=lambda item: -item[1])
            expected = ranked(True) + ranked(False)         # all 40 finished and 81 unfinished ones
            assert [written(x) for x in answers] == [y for y, _ in expected] and len(answers) == 121
            np.testing.assert_allclose([x.score for x in answers], [score for _, score in expected])


def plain_beam(found, width, a, nbest):
    """Beam search on the table, without early stopping."""
    live, finished = [()], []
    for _ in range(L):
        best = sorted(((*y, token) for y in live for token in ALLOWED), key=lambda y: -found[y])[:width]
        finished += [y for y in best if y[-1] == EOS]
        live = [y for y in best if y[-1] != EOS]

    def rank(ys):
        return sorted(ys, key=lambda y: -found[y] / len(y)**a)
    return (rank(finished) + rank(live))[:nbest]


@every_family
@pytest.mark.parametrize("a", [0.0, 0.6, 1.0, 2.0])
def test_stopping_early_loses_nothing(kinds, a):
    for seed in range(4):
        p, config = make(seed, **kinds)
        tables = [table(p, config, source) for source in SOURCES]
        for width, nbest in [(2, 1), (3, 3), (5, 2)]:
            answers = beam(p, config, *pad(SOURCES), L, width, length_penalty=a, nbest=nbest)
            for found, every in zip(answers, tables):
                assert [written(x) for x in found] == plain_beam(every, width, a, nbest)


def test_beam_stops_when_nothing_can_win(monkeypatch):
    steps, step = [], decoder.step
    monkeypatch.setattr(decoder, "step", lambda *args: steps.append(len(args[3])) or step(*args))
    p, config = constant([0.0, 0, 9, 0, 0, 0, 0])
    beam(p, config, *pad(SOURCES), 50, width=3)
    assert steps == [3]                     # EOS has log p near 0: no other beginning can reach that
    beam(p, config, *pad(SOURCES), 50, width=3, nbest=2)
    assert steps == [3, 3, 6]               # the second best is found one step later


def test_length_normalisation_favours_longer_outputs():
    p, config = constant([-9.0, -9, 0.5, -9, 1, -9, -9])
    short, long = (beam(p, config, *pad([[4]]), L, width=5, length_penalty=a)[0][0] for a in (0.0, 1.0))
    assert short.ids == [] and long.ids == [4, 4, 4]
    assert long.score == pytest.approx(long.log_prob / 4) and long.score > short.score


# Sampling -----------------------------------------------------------------------------------------------

def cut(p, temperature, top_k, top_p):
    """Temperature, top-k and top-p in plain Python: dict token -> p, to the same."""
    q = {v: x ** (1 / temperature) for v, x in p.items()}
    best = sorted(q, key=q.get, reverse=True)[:top_k]
    total, kept = sum(q[v] for v in best), []
    while best and sum(q[v] for v in kept) < (top_p or 1) * total:
        kept.append(best.pop(0))
    return {v: q[v] / sum(q[u] for u in kept) for v in kept}


@pytest.mark.parametrize("kinds", [FAMILIES["additive-after"], FAMILIES["gru-every-step"]])
@pytest.mark.parametrize("temperature, top_k, top_p", [
    (1.0, None, None), (0.5, None, None), (2.0, None, None), (1.0, 2, None), (1.0, None, 0.7), (1.5, 3, 0.8)])
def test_frequencies_are_the_model_s(kinds, temperature, top_k, top_p):
    p, config = make(5, sharp=1.0, **kinds)
    found, N = table(p, config, SOURCES[0], 2), 3000

    def q(y):
        return cut({v: np.exp(found[*y, v] - found[y]) for v in ALLOWED}, temperature, top_k, top_p)
    expected = {}
    for v, first in q(()).items():
        expected |= {(v,): first} if v == EOS else {(v, u): first * second for u, second in q((v,)).items()}
    assert sum(expected.values()) == pytest.approx(1)
    answers = sample(p, config, *pad(SOURCES[:1] * N), 2, np.random.default_rng(3), temperature, top_k, top_p)
    counts = dict.fromkeys(expected, 0)
    for (a,) in answers:
        counts[written(a)] += 1             # KeyError: an output that should have no chance
        assert a.log_prob == a.score == pytest.approx(found[written(a)])
    chi2 = sum((counts[y] - N * x)**2 / (N * x) for y, x in expected.items())
    df = len(expected) - 1
    assert chi2 < df + 4 * np.sqrt(2 * df)


def test_what_top_k_and_top_p_keep():
    log_p = np.log([0.125, 0.5, 0.125, 0.25, 1e-300])

    def kept(**cuts):
        return np.flatnonzero(distribution(log_p, **cuts)).tolist()
    assert kept(top_p=0.3) == kept(top_p=0.49) == kept(top_k=1) == [1]
    assert kept(top_p=0.51) == kept(top_p=0.74) == kept(top_k=2) == [1, 3]
    assert kept(top_p=0.76) == kept(top_k=3) == [0, 1, 3]       # of the equal 0 and 2 the lower
    assert kept(top_p=1.0) == kept(top_k=9) == kept() == [0, 1, 2, 3, 4]
    assert kept(temperature=1e-300) == [1]
    assert kept(top_k=2, top_p=0.6) == [1]                      # 0.5 of 0.75: top-p reads what top-k left
    np.testing.assert_allclose(distribution(log_p, top_k=2), [0, 2/3, 0, 1/3, 0])
    np.testing.assert_allclose(distribution(log_p, temperature=0.5, top_k=2), [0, 0.8, 0, 0.2, 0])
    with_never = np.array([-np.inf, np.log(0.3), -np.inf, np.log(0.2)])
    np.testing.assert_allclose(distribution(with_never, top_k=4, top_p=1.0), [0, 0.6, 0, 0.4])


def test_draw_never_takes_what_has_no_chance():
    class Rng:
        def __init__(self, u):
            self.random = lambda: u
    q = np.array([0, 0.25, 0, 0.75, 0])
    assert [draw(Rng(u), q) for u in (0.0, 0.2499, 0.25, 0.9, np.nextafter(1, 0))] == [1, 1, 3, 3, 3]
    assert draw(Rng(np.nextafter(1, 0)), np.full(10, 0.1)) == 9     # the running sum ends a little below 1


@every_family
def test_top_1_and_a_low_temperature_are_greedy(kinds):
    for seed in range(4):
        p, config = make(seed, **kinds)
        best = greedy(p, config, *pad(SOURCES), L)
        for options in (dict(top_k=1), dict(temperature=1e-6), dict(top_p=1e-9)):
            found = sample(p, config, *pad(SOURCES), L, np.random.default_rng(seed), **options)
            assert [a.ids for a, in found] == [a.ids for a, in best]


def test_the_seed_decides():
    p, config = make(5, sharp=1.0)

    def run(rng):
        return [a.ids for a, in sample(p, config, *pad(SOURCES[:1] * 20), L, rng)]
    rng = np.random.default_rng(1)
    first, second = run(rng), run(rng)
    assert first == run(np.random.default_rng(1)) and first != second
    assert len(set(map(tuple, first))) > 3                      # equal sources draw apart


# Exact --------------------------------------------------------------------------------------------------

@every_family
@pytest.mark.parametrize("width, at_once", [(4, 16), (1, 1), (1, 3)])
def test_exact_is_the_best_of_all_outputs(kinds, width, at_once, monkeypatch):
    module = importlib.import_module("minis2s.decoding.exact")
    monkeypatch.setattr(module, "WIDTH", width)
    monkeypatch.setattr(module, "AT_ONCE", at_once)
    beaten = 0
    for seed in range(8):
        p, config = make(seed, **kinds)
        first = beam(p, config, *pad(SOURCES), L, width)
        for source, (a,), (b,) in zip(SOURCES, exact(p, config, *pad(SOURCES), L), first):
            best = outputs(table(p, config, source), finished=True)
            y = max(best, key=best.get)
            assert written(a) == y and a.proven and a.finished
            assert a.score == a.log_prob == pytest.approx(best[y], rel=1e-11)
            beaten += a.ids != b.ids
    assert beaten or width > 1              # the search itself was at work, not only the beam before it


def test_exact_expands_only_what_must_be_expanded(monkeypatch):
    module, rows, step = importlib.import_module("minis2s.decoding.exact"), [], decoder.step
    monkeypatch.setattr(module, "WIDTH", 1)
    monkeypatch.setattr(module, "AT_ONCE", 1)
    monkeypatch.setattr(decoder, "step", lambda *args: rows.append(len(args[3])) or step(*args))
    beaten = 0
    for seed in range(30):
        p, config = make(seed, **FAMILIES["gru-every-step"])
        found, rows[:] = table(p, config, SOURCES[0]), []
        (first,), = beam(p, config, *pad(SOURCES[:1]), L, width=1)
        of_beam, rows[:] = sum(rows), []
        (a,), = exact(p, config, *pad(SOURCES[:1]), L)
        beaten += first.ids != a.ids
        prefixes = [log_p for y, log_p in found.items() if len(y) < L and y[-1:] != (EOS,)]
        assert sum(rows) - of_beam == sum(log_p > a.log_prob for log_p in prefixes)
    assert beaten > 3


def test_exact_never_expands_what_the_first_answer_beats(monkeypatch):
    """Not even to fill a batch: such prefixes are cut off when they are made."""
    module = importlib.import_module("minis2s.decoding.exact")
    expanded, advance = [], module.advance                      # of exact alone: beam has it by its own name
    monkeypatch.setattr(module, "advance", lambda *args: expanded.extend(args[2].hypotheses) or advance(*args))
    for seed in range(8):
        p, config = make(seed, **FAMILIES["gru-every-step"])
        (first,), = beam(p, config, *pad(SOURCES[:1]), L, module.WIDTH)
        expanded[:] = []
        exact(p, config, *pad(SOURCES[:1]), L)
        assert first.finished and len(expanded) > 1
        assert all(h.log_p > first.log_prob for h in expanded)


@pytest.mark.parametrize("max_length", [1, 2, 7])
def test_exact_for_other_lengths(max_length):
    p, config = make(8, **FAMILIES["dot-tanh-feeding"])
    for source, (a,) in zip(SOURCES, exact(p, config, *pad(SOURCES), max_length)):
        best = outputs(table(p, config, source, max_length), finished=True)
        assert written(a) == max(best, key=best.get) and a.proven


def test_a_spent_budget_is_admitted(monkeypatch):
    p, config = constant([-9.0, -9, -4, -9, 1, 0.9, 0.8])      # EOS is costly: every beginning beats it
    steps, step = [], decoder.step
    monkeypatch.setattr(decoder, "step", lambda *args: steps.append(len(args[3])) or step(*args))
    for budget in (1, 2, 5):
        beam(p, config, *pad([[4]]), L, width=4)
        of_beam, steps[:] = sum(steps), []
        (a,), = exact(p, config, *pad([[4]]), L, budget)
        assert sum(steps) == of_beam + budget
        assert a.finished and not a.proven
        steps[:] = []
    (a,), = exact(p, config, *pad([[4]]), L)
    assert a.proven and a.ids == []


def test_exact_finds_a_finished_output_where_the_beam_has_none(monkeypatch):
    monkeypatch.setattr(importlib.import_module("minis2s.decoding.exact"), "WIDTH", 3)
    p, config = constant([-9.0, -9, -50, -9, 0, 0, 0])
    assert not beam(p, config, *pad([[4]]), L, width=3)[0][0].finished
    for budget, proven in [(1, False), (1000, True)]:
        (a,), = exact(p, config, *pad([[4]]), L, budget)
        assert a.finished and a.ids == [] and a.proven == proven


# Bad input ----------------------------------------------------------------------------------------------

def test_top_takes_the_greatest_in_order():
    values = np.array([1.0, 3, -np.inf, 3, 2, 1])
    assert top(values, 1).tolist() == [1]
    assert top(values, 4).tolist() == [1, 3, 4, 0]
    assert top(values, 9).tolist() == [1, 3, 4, 0, 5]
    assert top(values[2:3], 2).tolist() == []


RNG = np.random.default_rng(0)


@pytest.mark.parametrize("name, error, call", [
    ("max_length", ValueError, lambda *a: greedy(*a, 0)),
    ("max_length", TypeError, lambda *a: exact(*a, 2.0)),
    ("width", ValueError, lambda *a: beam(*a, 3, 0)),
    ("width", TypeError, lambda *a: beam(*a, 3, True)),
    ("nbest", ValueError, lambda *a: beam(*a, 3, 2, nbest=3)),
    ("nbest", ValueError, lambda *a: beam(*a, 3, 2, nbest=0)),
    ("length_penalty", ValueError, lambda *a: beam(*a, 3, 2, length_penalty=-0.1)),
    ("length_penalty", ValueError, lambda *a: beam(*a, 3, 2, length_penalty=np.nan)),
    ("temperature", ValueError, lambda *a: sample(*a, 3, RNG, temperature=0)),
    ("temperature", ValueError, lambda *a: sample(*a, 3, RNG, temperature=np.inf)),
    ("temperature", TypeError, lambda *a: sample(*a, 3, RNG, temperature="warm")),
    ("top_k", ValueError, lambda *a: sample(*a, 3, RNG, top_k=0)),
    ("top_p", ValueError, lambda *a: sample(*a, 3, RNG, top_p=0.0)),
    ("top_p", ValueError, lambda *a: sample(*a, 3, RNG, top_p=1.1)),
    ("rng", TypeError, lambda *a: sample(*a, 3, 7)),
    ("budget", ValueError, lambda *a: exact(*a, 3, budget=0)),
    ("source", ValueError, lambda p, c, ids, mask: greedy(p, c, ids[0], mask[0], 3)),
    ("source", TypeError, lambda p, c, ids, mask: greedy(p, c, ids + 0.5, mask, 3)),
    ("source", ValueError, lambda p, c, ids, mask: greedy(p, c, ids + V, mask, 3)),
    ("source", ValueError, lambda p, c, ids, mask: greedy(p, c, ids[:, :0], mask[:, :0], 3)),
    ("source", ValueError, lambda p, c, ids, mask: beam(p, c, ids - 9, mask, 3, 2)),
    ("source", ValueError, lambda p, c, ids, mask: greedy(p, c, ids[:0], mask[:0], 3)),
    ("mask", ValueError, lambda p, c, ids, mask: sample(p, c, ids, mask[1:], 3, RNG)),
    ("mask", TypeError, lambda p, c, ids, mask: greedy(p, c, ids, mask * 1.0, 3)),
    ("mask", ValueError, lambda p, c, ids, mask: exact(p, c, ids, mask[::-1], 3)),
    ("mask", ValueError, lambda p, c, ids, mask: greedy(p, c, ids, mask & False, 3)),
    ("p", ValueError, lambda p, c, ids, mask: greedy(tree.map(lambda a: a * np.nan, p), c, ids, mask, 3)),
])
def test_bad_input_is_named(name, error, call):
    with pytest.raises(error, match=f"^{name}: ") as e:
        call(*make(0), *pad(SOURCES))
    assert "wanted" in str(e.value) and "\n" not in str(e.value)


def test_answers_end_where_learned_positions_do():
    p, config = make(0, architecture="transformer", heads=1, positions="learned", max_positions=3)
    assert greedy(p, config, *pad([[4, 5]]), 3)
    with pytest.raises(ValueError, match="^max_length: 4 steps, wanted at most 3, as many as there are learned"):
        for seed in range(20):                                              # until one does not end by itself
            greedy(make(seed, architecture="transformer", heads=1, positions="learned", max_positions=3)[0], config,
                   *pad([[4, 5]]), 9)
