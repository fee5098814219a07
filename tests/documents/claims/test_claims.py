"""The claims as experiments: verdicts follow their rules, also on numbers that nobody measured."""
import copy
import itertools
import json

import numpy as np
import pytest

from minis2s.cli.main import main
from minis2s.data.batches import pad
from minis2s.decoding import exact
from minis2s.documents import claims
from minis2s.documents.claims import (
    FAILS, HOLDS, IN_PART, Plan, claim as form, k1_distance, k2_gates, k3_clipping, k5_cost, k6_sharing, k7_lengths,
    k8_sizes, k9_gru, k11_alignment, k12_search, small
)
from minis2s.model import saliency, seq2seq
from minis2s.model.config import Config
from minis2s.viewer.claims import figure


@pytest.fixture(scope="module")
def k3():
    return claims.run(k3_clipping.CLAIM)


# What every claim must have ------------------------------------------------------------------------------

@pytest.mark.parametrize("key", claims.MODULES)
def test_a_claim_says_all_before_it_measures(key):
    claim = claims.find(key.lower())
    assert claim.id == key and "§" in claim.where
    for text in (claim.title, claim.words, claim.known, claim.design, claim.rule):
        assert len(text) > 20
    assert 2 <= claim.design.count(". ") + 1 <= 3
    assert any("一" <= c <= "鿿" for c in claim.words)          # the document's own sentence


def test_an_unknown_claim_is_named():
    with pytest.raises(ValueError, match="claim 'K99': choose one of K"):
        claims.find("K99")


def test_a_number_that_is_not_finite_is_no_result():
    assert form.plain({"a": np.float32(1.5), 2: (np.arange(2), [True])}) == {"a": 1.5, "2": [[0, 1], [True]]}
    for wrong in (np.nan, np.inf, -np.inf):
        with pytest.raises(ValueError, match=f"a measured number is {wrong}"):
            form.plain({"a": [1.0, wrong]})


# K3: an exact statement ----------------------------------------------------------------------------------

def test_clipping_by_norm_changes_no_ratio_and_no_direction(k3):
    for row in k3["numbers"]["vanishing"] + k3["numbers"]["exploding"]:
        assert abs(1 - row["cosine_norm"]) < 1e-14 and row["same_gradient"] < 1e-14
        np.testing.assert_allclose(np.array(row["after"]) / row["after"][0],
                                   np.array(row["before"]) / row["before"][0], rtol=1e-12)
        assert row["size_after"] == pytest.approx(row["limit"], rel=1e-12) and row["size"] > row["limit"]
        assert row["cosine_value"] < 0.999
    assert k3["numbers"]["vanishing"][0]["ratio_before"] < 1e-6 and k3["numbers"]["exploding"][0]["ratio_before"] > 10
    assert k3["verdict"] == IN_PART


def test_contributions_add_up_to_the_gradient():
    """Their sum is dL/dU: checked against the loop of the library, whose gradient is one sum."""
    from minis2s.layers import unroll
    from minis2s.layers.cells import CELLS
    seen = {}

    class Watched:
        """The RNN cell, whose inputs and gradient are noted."""
        def __getattr__(self, name):
            return getattr(CELLS["rnn"], name)

        def step(self, p, x, s):
            seen.setdefault("p", p), seen.setdefault("s0", s), seen.setdefault("xs", []).append(x)
            return CELLS["rnn"].step(p, x, s)

        def step_backward(self, p, k, d):
            seen.setdefault("d", d)
            return CELLS["rnn"].step_backward(p, k, d)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(k3_clipping, "CELLS", {"rnn": Watched()})
        shares = k3_clipping.contributions(3, 0.9)
    xs, mask = np.stack(seen["xs"]), np.ones((k3_clipping.T, k3_clipping.N), bool)
    hs, _, caches = unroll.forward(CELLS["rnn"], seen["p"], xs, seen["s0"], mask)
    _, _, g = unroll.backward(CELLS["rnn"], seen["p"], caches, np.zeros_like(hs), seen["d"], mask)
    np.testing.assert_allclose(shares.sum(axis=0), g.U, rtol=0, atol=1e-12 * np.abs(g.U).max())


def test_planted_numbers_flip_k3(k3):
    numbers = copy.deepcopy(k3["numbers"])
    numbers["vanishing"][0]["ratio_after"] = 3 * numbers["vanishing"][0]["ratio_before"]
    assert k3_clipping.verdict(numbers).verdict == HOLDS
    numbers["exploding"][0]["size_after"] = 1.1 * numbers["exploding"][0]["limit"]
    assert k3_clipping.verdict(numbers).verdict == IN_PART
    numbers["vanishing"][0]["ratio_after"] = numbers["vanishing"][0]["ratio_before"]
    assert k3_clipping.verdict(numbers).verdict == FAILS


# The others, on planted numbers --------------------------------------------------------------------------

def test_planted_numbers_flip_k2():
    def numbers(gru, most):
        factors = {label: [0.99] for label in k2_gates.CURVES} | {"RNN, radius 0.8": [0.8], "GRU": [gru]}
        return {"factors": factors, "stretched": {"GRU, U times 4": [most]},
                "training": {"RNN, clipped": [{"longest": 1.0}]}}
    assert k2_gates.verdict(numbers(0.95, 1.0)).verdict == HOLDS
    assert k2_gates.verdict(numbers(0.95, 1.2)).verdict == IN_PART
    assert k2_gates.verdict(numbers(0.5, 1.0)).verdict == IN_PART
    bad = numbers(0.5, 1.2)
    for label in ("LSTM, forget bias 1", "LSTM, forget bias 5"):
        bad["factors"][label] = [0.7]
    assert k2_gates.verdict(bad).verdict == FAILS


def test_a_factor_is_the_slope_of_the_logarithms():
    assert k2_gates.factor(3.0 * 0.93 ** np.arange(60)) == pytest.approx(0.93)


def test_planted_numbers_flip_k5():
    def numbers(power, last):
        sizes = [25, 50, 100, 200]
        times = [1e-6 * n ** power for n in sizes]
        return {"sizes": sizes, "seconds": {"m": times}, "slopes": {"m": k5_cost.slope(sizes, times)},
                "last_slopes": {"m": last}, "search": [{"longest": 3, "likely": 4, "unlikely": 32, "outputs": 31}]}
    assert k5_cost.verdict(numbers(1.0, 1.0)).verdict == FAILS
    assert k5_cost.verdict(numbers(3.5, 1.0)).verdict == HOLDS
    assert k5_cost.verdict(numbers(1.0, 5.0)).verdict == HOLDS      # it bends upwards at the end
    slope, error = k5_cost.slope([1, 2, 4, 8], [3.0, 12.0, 48.0, 192.0])
    assert slope == pytest.approx(2) and error < 1e-9


def test_planted_numbers_flip_k9():
    def numbers(ratio, at_equal_seconds):
        return {"H": [32, 64], "layer": {"lstm": [1.0, 2.0], "gru": [ratio, 2 * ratio]},
                "accuracy": {"lstm": [0.9], "gru, equal seconds": [at_equal_seconds]}}
    assert k9_gru.verdict(numbers(0.8, 0.9)).verdict == HOLDS
    assert k9_gru.verdict(numbers(1.0, 0.9)).verdict == k9_gru.verdict(numbers(0.8, 0.7)).verdict == IN_PART
    assert k9_gru.verdict(numbers(1.0, 0.7)).verdict == FAILS


def test_planted_numbers_flip_k12():
    def numbers(seconds, right):
        def row(seconds, right):
            return [{"seconds": seconds, "right": right, "empty": 0.0, "errors": 0.0, "length": 5.0, "proven": 1.0}]
        return {"searches": {"greedy": row(seconds, right), "beam 16": row(1.0, 0.8), "exact": row(2.0, 0.7)}}
    assert k12_search.verdict(numbers(0.1, 0.79)).verdict == HOLDS
    assert k12_search.verdict(numbers(0.9, 0.79)).verdict == k12_search.verdict(numbers(0.1, 0.5)).verdict == IN_PART
    assert k12_search.verdict(numbers(0.9, 0.5)).verdict == FAILS


def test_planted_numbers_flip_k1():
    def numbers(plain, attention):
        exact = {name: [[1.0, 1.0, 1 - fall]] for name, fall in (
            ("no attention", plain), ("no attention, source reversed", plain / 2), ("attention", attention),
            ("attention, source reversed", attention))}
        return {"lengths": [2, 4, 6], "exact": exact}
    assert k1_distance.verdict(numbers(0.8, 0.1)).verdict == HOLDS
    assert k1_distance.verdict(numbers(0.8, 0.7)).verdict == k1_distance.verdict(numbers(0.1, 0.0)).verdict == IN_PART
    assert k1_distance.verdict(numbers(0.1, 0.1)).verdict == FAILS
    assert "takes 40.0% of the fall of 80.0% away" in k1_distance.verdict(numbers(0.8, 0.1)).because[-1]


def test_planted_numbers_flip_k6():
    def numbers(equal_H, equal_parameters):
        names = dict(zip(("untied", "tied, equal H", "tied, equal parameters"), (0.5, equal_H, equal_parameters)))
        return {"lags": [2, 3, 4], "parameters": dict.fromkeys(names, 1000),
                "exact": {name: [[1.0, 1.0, value]] for name, value in names.items()}}
    assert k6_sharing.verdict(numbers(0.6, 0.7)).verdict == HOLDS
    assert k6_sharing.verdict(numbers(0.5, 0.52)).verdict == k6_sharing.verdict(numbers(0.4, 0.7)).verdict == FAILS


def test_planted_numbers_flip_k7():
    def numbers(free, given):
        return {"N": 2, "lengths": [1, 2, 3, 4], "exact": dict(zip(k7_lengths.WAYS, (
            [[1.0, 1.0, free, free]], [[1.0, 1.0, given, given]], [[1.0, 1.0, given, given]])))}
    assert k7_lengths.verdict(numbers(0.95, 0.95)).verdict == HOLDS
    assert k7_lengths.verdict(numbers(0.5, 0.95)).verdict == IN_PART
    assert k7_lengths.verdict(numbers(0.5, 0.5)).verdict == FAILS


def test_planted_numbers_flip_k8():
    def numbers(at_steps, at_seconds):
        def rows(largest):
            return {"E = 4": [[0.5, 0.6]], "E = 32": [[0.9, largest]]}
        return {"hidden": [8, 64], "steps": rows(at_steps), "seconds": rows(at_seconds)}
    assert k8_sizes.verdict(numbers(0.8, 0.2)).verdict == HOLDS
    assert k8_sizes.verdict(numbers(0.95, 0.2)).verdict == IN_PART
    assert k8_sizes.verdict(numbers(0.95, 0.89)).verdict == FAILS


def test_planted_numbers_flip_k11():
    def numbers(before, after):
        def rows(now, later):
            return [{"attention": now, "attention, one step later": later, "gradient x input": 0.5, "occlusion": 0.5}]
        return {"errors": {"before": rows(0.9, before), "after": rows(after, 0.9)},
                "exact": {"before": [1.0], "after": [1.0]}, "random": 0.77, "planted": 0.0, "chance": 0.77}
    assert k11_alignment.verdict(numbers(0.05, 0.05)).verdict == HOLDS
    assert k11_alignment.verdict(numbers(0.05, 0.3)).verdict == IN_PART
    assert k11_alignment.verdict(numbers(0.3, 0.05)).verdict == IN_PART
    assert k11_alignment.verdict(numbers(0.3, 0.3)).verdict == FAILS


def test_a_planted_model_errs_never_and_random_weights_by_chance():
    config, p = k11_alignment.planted()
    xs, ys = k11_alignment.unsorted(np.random.default_rng(0), 60)
    assert all(sorted(x) == y and len(set(x)) == len(x) for x, y in zip(xs, ys)) and max(map(len, xs)) == 6
    found = k11_alignment.errors(p, config, xs, ys)
    assert found["attention"] == 0.0 and found["occlusion"] == 0.0 and found["attention, one step later"] > 0.5
    config = Config(cell="gru", hidden=16, embedding=8, attention="additive", source_vocab=k11_alignment.V,
                    target_vocab=k11_alignment.V)
    chance = 1 - np.mean([1 / len(x) for x in xs for _ in x])
    random = [k11_alignment.errors(seq2seq.init(config, seed), config, xs, ys)["attention"] for seed in range(2)]
    assert np.mean(random) == pytest.approx(chance, abs=0.06)


def test_gradient_times_input_is_the_derivative_of_the_logit():
    """Against central differences of the logit, letter by letter."""
    config = Config(cell="gru", hidden=6, embedding=5, attention="dot", source_vocab=k11_alignment.V,
                    target_vocab=k11_alignment.V, dtype="float64")
    from minis2s.data.batches import make_batch
    p, x, y = seq2seq.init(config, 3), [7, 4, 9], [4, 7, 9]
    p = p._replace(encoder=p.encoder._replace(embedding=3.0 * p.encoder.embedding))
    batch = make_batch([x], [y])

    def logit(E, t):
        return seq2seq.logits(p._replace(encoder=p.encoder._replace(embedding=E)), config, batch)[t, 0, y[t]]
    places = np.abs(saliency.gradient_times_input(p, config, x, y)).argmax(axis=1)
    for t, place in enumerate(places[:3]):
        effects = []
        for token in x:
            moved = [p.encoder.embedding.copy() for _ in range(2)]
            moved[0][token] *= 1 + 1e-5
            moved[1][token] *= 1 - 1e-5
            effects.append(abs(logit(moved[0], t) - logit(moved[1], t)))
        assert place == int(np.argmax(effects))


def test_the_end_is_neither_in_the_loss_nor_in_the_answer():
    from minis2s.data.vocabulary import EOS
    batch = k7_lengths.without_the_end([[4, 5], [6]], [[4, 5], [6]], False)
    assert batch.target_mask.sum(axis=0).tolist() == [2, 1] and (batch.targets[~batch.target_mask] <= EOS).all()
    p = seq2seq.init(k7_lengths.CONFIG)
    p.decoder.readout.b[EOS] = 50.0                            # a model that always ends at once
    assert k7_lengths.exact(p, [[4]], given=False) == 0.0
    p.decoder.readout.b[4] = 40.0                              # and would say 4 if it could not
    assert k7_lengths.exact(p, [[4, 4]], given=True) == 1.0


def test_models_of_equal_size_are_that():
    for made in (k1_distance.configs(32), k6_sharing.models(32)):
        sizes = [small.parameters(c) for name, c in made.items() if name != "tied, equal H"]
        assert max(sizes) < 1.06 * min(sizes)


# What the experiments measure with -----------------------------------------------------------------------

def test_exact_search_is_brute_force_on_a_tiny_vocabulary():
    """Every output of up to four tokens, its log p summed from the model's own logits: none is more probable."""
    config = Config(cell="gru", hidden=5, embedding=4, attention="dot", source_vocab=7, target_vocab=7, dtype="float64")
    for seed in range(3):
        p = seq2seq.init(config, seed)
        p.decoder.readout.W[...] *= 3
        source, mask = pad([[4, 5, 6]])
        found = exact(p, config, source, mask, 4, 100_000)[0][0]
        best = max(((log_p(p, config, list(ids)), ids) for n in range(4)
                    for ids in itertools.product((4, 5, 6), repeat=n)))
        assert found.proven and found.ids == list(best[1]) and found.log_prob == pytest.approx(best[0], abs=1e-10)


def log_p(p, config, ids):
    """log p of one output and its end, by teacher forcing, among the tokens that an answer may have."""
    from minis2s.core.functions import log_softmax
    from minis2s.data.batches import make_batch
    batch = make_batch([[4, 5, 6]], [ids])
    rows = log_softmax(seq2seq.logits(p, config, batch)[:, 0], axis=1)
    return float(sum(rows[t, token] for t, token in enumerate(batch.targets[:, 0])))


def test_small_models_learn_and_are_counted():
    config = Config(cell="gru", hidden=12, embedding=8, attention="none", source_vocab=7, target_vocab=7)
    assert small.parameters(config) == sum(a.size for a in arrays(seq2seq.init(config)))

    def draw(rng, count):
        xs = small.strings(rng, count, 1, 2, 3)
        return xs, xs
    p, steps = small.train(config, draw, 150, lr=2e-2)
    held_out = draw(np.random.default_rng(1), 50)
    assert steps == 150 and small.exact_match(p, config, *held_out) > 0.9
    assert small.exact_match(seq2seq.init(config), config, *held_out) < 0.3
    assert small.train(config, draw, 150, seconds=1e-9)[1] == 1


def arrays(p):
    from minis2s.core import tree
    return tree.leaves(p)


def test_noisy_targets_are_as_noisy_as_they_say():
    xs, ys = k12_search.noisy(np.random.default_rng(0), 4000)
    empty = np.mean([not y for y in ys])
    wrong = np.mean([a != b for x, y in zip(xs, ys) for a, b in zip(x, y)])
    assert empty == pytest.approx(k12_search.EMPTY, abs=0.02)
    assert wrong == pytest.approx(k12_search.WRONG * (1 - 1 / k12_search.LETTERS), abs=0.02)


# The command and the picture -----------------------------------------------------------------------------

def test_the_command_writes_and_refuses(k3, tmp_path, capsys):
    assert main(["claim"]) == 0
    listed = capsys.readouterr().out
    assert all(key in listed for key in claims.MODULES)
    assert main(["claim", "k3", "--out", str(tmp_path / "a")]) == 0
    out = capsys.readouterr().out
    assert "verdict: the claim holds in part" in out and out.index("The rule") < out.index("Vanishing:")
    saved = json.loads((tmp_path / "a" / "K3.json").read_text())
    assert saved["numbers"] == k3["numbers"] and saved["verdict"] == k3["verdict"]           # the same bits again
    assert (tmp_path / "a" / "K3.png").stat().st_size > 5000
    assert main(["claim", "K3", "--out", str(tmp_path / "a")]) == 2
    assert "exists already" in capsys.readouterr().err
    assert saved["command"] == "minis2s claim K3" and saved["numpy"] == np.__version__ and saved["machine"]
    assert main(["claim", "K3", "--seeds", "2", "--json"]) == 0
    several = json.loads(capsys.readouterr().out)
    assert several["seeds"] == [0, 1] and several["command"] == "minis2s claim K3 --seeds 2"
    assert main(["claim", "K3", "--seeds", "0"]) == 2 and "--seeds" in capsys.readouterr().err
    assert main(["claim", "K77"]) == 2 and "choose one of" in capsys.readouterr().err


def test_the_picture_has_all_lines(k3, tmp_path):
    drawn = figure({**k3, "panels": k3["panels"] + [form.panel("t", "", "y", [
        form.line(label, [label], [0.5], [0.4], [0.6], "bars") for label in "ab"])]})
    lines, bars = drawn.axes[0], drawn.axes[2]
    assert [line.get_label() for line in lines.get_lines()] == ["before clipping", "clipped by norm"]
    assert lines.get_yscale() == "log" and len(bars.patches) == 2
    with pytest.raises(ValueError, match="no panels"):
        figure({"claim": "K3", "verdict": HOLDS, "panels": []})


def test_intervals_are_drawn_where_there_are_several_seeds():
    assert form.over_seeds("a", [1, 2], [[1.0, 2.0]])["low"] is None
    several = form.over_seeds("a", [1, 2], [[1.0, 2.0], [3.0, 6.0]])
    assert several["y"] == [2.0, 4.0] and several["low"] == [1.0, 2.0] and several["high"] == [3.0, 6.0]
    assert Plan() == Plan(False, (0,))


def test_planted_numbers_flip_k10():
    from minis2s.documents.claims import k10_compression as k10
    names = ["as trained", "teacher, beam 5", "student, from the targets", "student, word level",
             "student, sequence level"]

    def numbers(quantised=1.0, pruned=1.0, taught=0.95, seconds=0.5):
        models = dict.fromkeys(names, {"bytes": 1000, "seconds": 1.0, "exact": 1.0})
        models["student, from the targets"] = {"bytes": 100, "seconds": 0.3, "exact": 0.9}
        models["student, word level"] = models["student, sequence level"] = dict(
            bytes=100, seconds=0.3, exact=taught)
        models["8 bits, per channel"] = {"bytes": 260, "seconds": seconds, "exact": quantised}
        models["60% pruned, uniform"] = {"bytes": 430, "seconds": seconds, "exact": pruned}
        models["20% pruned, uniform"] = {"bytes": 830, "seconds": seconds, "exact": 1.0}
        return {"models": {name: [row] for name, row in models.items()}}
    assert k10.verdict(numbers()).verdict == HOLDS
    assert k10.verdict(numbers(seconds=1.0)).verdict == IN_PART
    assert k10.verdict(numbers(quantised=0.9)).verdict == k10.verdict(numbers(pruned=0.9)).verdict == IN_PART
    assert k10.verdict(numbers(taught=0.9)).verdict == IN_PART
    assert k10.verdict(numbers(0.9, 0.9, 0.9)).verdict == FAILS
    assert "20% pruned, uniform, 0.83 of 1,000 bytes" in k10.verdict(numbers(pruned=0.9)).because[1]


def test_planted_numbers_flip_k4():
    from minis2s.documents.claims import k4_depth

    def numbers(vanishing, exploding):
        found = {"depths": [1, 8], "first": {}, "factors": {},
                 "exact": {"plain": [[0.5, 0.6]], "residual": [[0.5, 0.9]]}}
        for kind, one, deep in (("vanishing", 0.7, vanishing), ("exploding", 1.3, exploding)):
            found["factors"][f"{kind}, plain"] = [[one, deep]]
            found["first"][f"{kind}, plain"] = [[1e-9, 1e-8]]
        return found
    assert k4_depth.verdict(numbers(0.9, 1.1)).verdict == HOLDS
    assert k4_depth.verdict(numbers(0.9, 1.4)).verdict == k4_depth.verdict(numbers(0.75, 1.1)).verdict == IN_PART
    assert k4_depth.verdict(numbers(0.75, 1.4)).verdict == k4_depth.verdict(numbers(1.3, 0.6)).verdict == FAILS
    assert "help the deepest model: +30.0%" in k4_depth.verdict(numbers(0.75, 1.4)).because[-1]


def test_the_gradient_at_the_first_step_of_one_layer_is_a_power_of_the_radius():
    """One layer, tanh nearly linear, U a rotation times the radius: exactly radius^(T-1)."""
    from minis2s.documents.claims import k4_depth
    for radius in (0.7, 1.3):
        for T in (5, 20):
            found = k4_depth.first_gradient(1, radius, T, False, np.random.default_rng(0))
            assert found == pytest.approx(radius ** (T - 1), rel=1e-6)


def test_planted_numbers_flip_p13():
    from minis2s.documents.claims import p13_augmentation as p13

    def numbers(*gains):
        rows = dict(zip(p13.WAYS, ([[0.2, 0.5]], *([[0.2 + gain, 0.5 + gain]] for gain in gains))))
        return {"sizes": [200, 1000], "exact": rows}
    assert p13.verdict(numbers(0.03, 0.05, 0.1)).verdict == HOLDS
    assert p13.verdict(numbers(-0.03, 0.05, 0.01)).verdict == IN_PART
    assert p13.verdict(numbers(-0.03, 0.01, 0.01)).verdict == FAILS


def test_planted_numbers_flip_p16():
    from minis2s.documents.claims import p16_transfer as p16

    def numbers(few, last):
        scratch = [0.1, 0.2, 0.3, 0.5, 0.9]
        transfer = [0.1 + few, 0.2 + few, 0.3 + few, 0.5, 0.9 + last]
        return {"counts": p16.COUNTS, "exact": {"transfer": [transfer], "from scratch": [scratch]}, "english": [1.0],
                "probe": {"trained": [0.9], "random": [0.5]}, "trace": {"unit": 3, "correlation": 0.8}}
    assert p16.verdict(numbers(0.2, 0.0)).verdict == HOLDS
    assert p16.verdict(numbers(0.2, -0.1)).verdict == p16.verdict(numbers(0.05, 0.2)).verdict == IN_PART
    assert p16.verdict(numbers(0.05, 0.0)).verdict == FAILS
    assert "correlation of 0.80" in p16.verdict(numbers(0.2, 0.0)).because[-1]


def test_what_p13_draws_is_what_it_says():
    from minis2s.documents.claims import p13_augmentation as p13
    pairs, more = [([4, 5, 6, 7, 8, 9], [4])], [([10, 11], [5])]
    xs, ys = p13.drawing(pairs, more=more)(np.random.default_rng(0), 6)
    assert xs == [pairs[0][0], more[0][0]] * 3 and ys == [[4], [5]] * 3
    xs, ys = p13.drawing(pairs, noise=True)(np.random.default_rng(0), 40)
    assert all(x == pairs[0][0] for x in xs[::2]) and any(x != pairs[0][0] for x in xs[1::2]) and ys == [[4]] * 40
    assert p13.drawing(pairs)(np.random.default_rng(0), 2) == ([pairs[0][0]] * 2, [[4]] * 2)


def test_what_p16_reads_and_draws():
    from minis2s.documents.claims import p16_transfer as p16
    from minis2s.tasks.numbers import english
    for n in (0, 7, 20, 21, 100, 999, 1000, 9012, 9999):
        assert p16.worth(p16.Numbers.words(english, n)) == len(str(n))
    drawn = p16.some(np.random.default_rng(0), 60, but=range(50))
    assert len(set(drawn)) == 60 and min(drawn) >= 50 and max(drawn) < p16.LARGEST
    data = p16.Numbers()
    (x,), (y,) = data.pairs(p16.esperanto, [2345])
    assert data.vocabs[0].decode(x) == ["du", "mil", "tricent", "kvardek", "kvin"]
    assert data.vocabs[1].decode(y) == list("两千三百四十五")


def test_pages_of_formulas_and_parts_name_the_claims_about_them(capsys):
    from minis2s.documents import PARTS
    from minis2s.documents.formulas import FORMULAS
    assert claims.ABOUT.keys() == claims.MODULES.keys()
    assert {name for names in claims.ABOUT.values() for name in names} <= {*FORMULAS, *PARTS}
    assert [claim.id for claim in claims.about("C3.3c")] == ["K2", "K3"] and claims.about("A3.1") == []
    assert main(["formulas", "P13"]) == 0
    out = capsys.readouterr().out
    assert "minis2s claim K10" in out and "minis2s/training/pruning.py" in out


def test_the_results_of_this_repository_are_judged_by_todays_rules_and_stand_in_readme():
    from pathlib import Path

    from minis2s.documents.claims import results
    root = Path(__file__).parents[3]
    found = results.read(root / "figures" / "claims")
    assert found.keys() == claims.MODULES.keys()
    for key, result in found.items():
        assert results.judged(result) == result["verdict"], key
        assert len(result["seeds"]) >= 3 and result["commit"], key
        assert result["command"].startswith(f"minis2s claim {key} "), key
        assert form.plain(claims.find(key).panels(result["numbers"])) == result["panels"], key
        assert (root / "figures" / "claims" / f"{key}.png").exists()
    assert results.table(found, "figures/claims") in (root / "README.md").read_text(encoding="utf-8"), (
        "write results.table(...) into README, between <!-- claims --> and <!-- end of claims -->")
