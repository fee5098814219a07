"""The worked examples: what they find out is asked as numbers; what they print must be readable."""
import re
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from minis2s import Config
from minis2s.cli import main as cli
from minis2s.core.gradient_check import assert_close, assert_gradients
from minis2s.data.vocabulary import BOS, EOS, Vocabulary
from minis2s.documents import examples
from minis2s.documents.examples import (
    show, w1_hello_world, w2_leak, w3_student, w4_autoencoder, w5_numbers, w6_how_are_you, w7_softmax_axis, w8_tagger
)
from minis2s.layers import loss
from minis2s.model import decoder, seq2seq
from minis2s.testing import oracle

ROOT = Path(__file__).parents[2]
NAMES = list(examples.MODULES)


@lru_cache
def result(name):
    """Each example runs once for all tests."""
    return examples.find(name).run()


# W1 -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("seed", range(5))
def test_w1_gives_the_printed_numbers(seed):
    r = w1_hello_world.run(seed)
    for ps, words in ((r.ps, r.words), (r.printed_ps, r.printed_words)):
        np.testing.assert_allclose(ps, [[0.2, 0.8], [0.8, 0.2]], rtol=0, atol=1e-12)
        assert words == ["Hello", "World"]
    np.testing.assert_allclose(r.gaps, [np.log(4), -np.log(4)], rtol=1e-14)
    np.testing.assert_allclose(r.ss @ r.delta, r.gaps, rtol=1e-11)
    np.testing.assert_allclose(r.W_y[:, 1] - r.W_y[:, 0], r.delta, rtol=1e-14)


def test_w1_agrees_with_the_oracle():
    r, one_hot = result("W1"), np.eye(3).tolist()
    W_e, W_d = r.W_e.tolist(), r.printed_W_d.tolist()
    hs, _, y_hats, _ = oracle.a4_4(W_e, W_d, one_hot, [[0, 1], [1, 0]], [0, 0], [0, 0])
    np.testing.assert_allclose(r.hs, hs, rtol=1e-12)
    np.testing.assert_allclose(r.printed_ps, y_hats, rtol=1e-12)
    s = hs[-1]                                                  # as intended: s_0 = h_3, fed BOS and Hello
    for t, fed in enumerate((one_hot[0], one_hot[2])):
        s = oracle.a4_1(r.W_d.tolist(), fed, s)
        np.testing.assert_allclose(r.ss[t], s, rtol=1e-12)


def test_w1_shows_both_slips():
    r = result("W1")
    assert np.array_equal(r.printed_other, r.printed_ps)        # s_0 = 0: another source, the same output
    assert abs(r.ps_other - r.ps).max() > 0.1                   # as intended it matters
    assert r.printed_swapped[0].argmax() == 0 != r.printed_ps[0].argmax()      # it says what it is fed
    np.testing.assert_allclose(r.alphas.sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(r.alphas @ r.hs, r.h_tildes, rtol=1e-13)


# W2 -----------------------------------------------------------------------------------------------------

def test_w2_leaks_and_is_cured():
    leak, cured = result("W2")
    assert leak.batch.inputs is leak.batch.targets              # what the listing feeds is what it asks for
    assert np.array_equal(cured.batch.inputs[1:], cured.batch.targets[:-1])
    assert leak.losses[-1] < 1e-5 and leak.held_out < 1e-5      # perfect by its loss ...
    assert leak.forced == w2_leak.TARGET == cured.forced
    assert leak.exact == 0 and not any(a == b for a, b in zip(leak.free, w2_leak.TARGET))       # ... useless
    assert all(len(set(said)) == 1 for said in leak.free)
    assert leak.foreign == w2_leak.FOREIGN                      # it copies
    assert cured.exact == 1 and cured.free == w2_leak.TARGET
    assert cured.foreign != w2_leak.FOREIGN
    assert 1e-5 < cured.losses[-1] < 0.05
    for one in (leak, cured):
        assert one.few[0] > one.few[1] > 0.3                    # ten updates on three pairs teach little


# W3 -----------------------------------------------------------------------------------------------------

def test_w3_translates_what_it_was_not_trained_on():
    r = result("W3")
    vocab = Vocabulary.build(x for x, _ in w3_student.PAIRS)
    assert vocab.encode(["我", "是", "学生"]) not in r.trained_on and len(r.trained_on) == 27
    assert vocab.encode(["他", "是", "学生"]) in r.trained_on
    assert r.answer == ["I", "am", "a", "student"] and r.he == ["he", "is", "a", "student"]
    assert [step.said for step in r.steps] == [*r.answer, "<eos>"]
    assert [step.fed for step in r.steps] == ["<bos>", *r.answer]
    assert r.losses[-1] < 1e-3 < 1 < r.losses[0]
    assert r.alpha.argmax(axis=1)[[0, 2, 3]].tolist() == [0, 1, 2]      # I: 我, a: 是, student: 学生


def test_w3_prints_quantities_that_satisfy_the_equations():
    r = result("W3")
    for k, h, c in zip(r.encoder, r.hs, r.cs):
        np.testing.assert_allclose(h, k.o[0] * np.tanh(c), rtol=1e-12)
    for t, step in enumerate(r.steps):
        np.testing.assert_allclose(step.s, step.o * np.tanh(step.c), rtol=1e-12)
        np.testing.assert_allclose(step.e, (step.v * r.hs).sum(axis=1), rtol=1e-12)
        np.testing.assert_allclose(step.a, oracle.softmax(step.e.tolist()), rtol=1e-12)
        np.testing.assert_allclose(step.ctx, step.a @ r.hs, rtol=1e-12)
        np.testing.assert_allclose(step.a, r.alpha[t], rtol=1e-12)
        assert step.p.sum() == pytest.approx(1) and r.words[step.p.argmax()] == step.said


def test_w3_shows_what_is_printed():
    r = result("W3")
    assert r.printed_a == [1.0, 1.0, 1.0]
    assert r.printed_error == "t=4 with T=3: as printed v_4 reads h_4, which does not exist"


# W4 -----------------------------------------------------------------------------------------------------

def test_w4_padding_flatters_the_loss():
    r = result("W4")
    assert [x.epoch for x in r.counted] == [x.epoch for x in r.masked] == [0, 1, 10, 40]
    ten, end = r.counted[2], r.counted[3]
    assert ten.loss_all < 0.4 and ten.accuracy_all == 35 / 40 and ten.said == [0] * 8
    assert ten.accuracy_real == 0 and ten.loss_real > np.log(w4_autoencoder.V)
    real = [x.loss_real for x in r.masked]
    assert real == sorted(real, reverse=True) and real[-1] < 0.5 < end.loss_real
    assert r.masked[-1].accuracy_real == 1 and r.masked[-1].said[:5] == [1, 2, 3, 4, 5]
    assert r.pad_changes[0] > 0.1 and r.pad_changes[1] == 0
    assert r.other == [1, 2, 3, 4, 5]                           # it has not read [5, 4, 3, 2, 1]


def test_w4_cannot_be_built_as_printed():
    r = result("W4")
    assert r.error == "RepeatVector: got 3 axes, shape (40, 32, 24); wanted 2, one vector for each example"
    shapes = dict(r.shapes)
    assert shapes["TimeDistributed(Dense)"] == (40, 32, 6) and shapes["LSTM, last state"] == (32, 24)
    assert np.array_equal(w4_autoencoder.repeat_vector(np.ones((2, 3)), 4), np.ones((4, 2, 3)))


def test_w4_masked_steps_need_not_be_computed():
    p = w4_autoencoder.init(np.random.default_rng(0))
    ids, real = w4_autoencoder.padded([1, 2, 3, 4, 5], 2)
    whole, _ = w4_autoencoder.forward(p, ids, real)
    cut, _ = w4_autoencoder.forward(p, ids[:5], real[:5])
    np.testing.assert_allclose(whole[:5], cut, rtol=0, atol=1e-7)    # other sizes round otherwise


# W5 -----------------------------------------------------------------------------------------------------

def test_w5_answers():
    r = result("W5")
    assert r.answer == [2, 3, 4, 5] and [s.said for s in r.steps] == ["2", "3", "4", "5", "EOS"]
    assert r.losses[0] > 2 and r.losses[-1] < 0.02
    for step in r.steps:
        assert (abs(step.h) <= abs(np.tanh(step.c))).all() and step.p.sum() == pytest.approx(1)


def test_w5_feeds_what_it_says():
    handed_on, fed_x, fed_y = w5_numbers.three_forms([1, 2, 3], [7, 8, 9])
    assert handed_on.inputs.T.tolist() == [[BOS, 10, 11, 12]]
    assert handed_on.targets.T.tolist() == [[10, 11, 12, EOS]]
    assert fed_x.inputs.tolist() == [[4, 5, 6]] and fed_x.targets.tolist() == [[10, 11, 12]]
    assert fed_y.inputs.tolist() == [[BOS, 10, 11, 12]] and fed_y.targets.tolist() == [[10, 11, 12, EOS]]
    assert fed_x.source.T.tolist() == [[4, 5, 6]] * 3 and fed_y.source.T.tolist() == [[4, 5, 6]] * 4
    assert fed_x.source_mask.all() and fed_y.target_mask.all()


def test_w5_a_restarted_decoder_cannot_count():
    (a, b, c), (d, e, f), (g, h, i) = result("W5").table
    assert max(a, b, c, d, f, g, h) < 0.02                      # what each form can learn, it learns
    assert np.log(3) <= e < np.log(3) + 0.01                    # the same distribution at every step
    best = (2 * np.log(1.5) + np.log(3)) / 4                    # 7 twice, EOS once
    assert best <= i < best + 0.02
    np.testing.assert_allclose(result("W5").stuck, 1 / 3, atol=0.01)


# W6 -----------------------------------------------------------------------------------------------------

def test_w6_the_loop_is_translate():
    r = result("W6")
    assert r.stepwise == r.translate == "你好，你怎么样？"
    assert r.right == len(w6_how_are_you.PAIRS)
    assert "".join(s.said for s in r.steps) == "你好，你怎么样？<eos>"
    assert [s.fed for s in r.steps][1:] == [s.said for s in r.steps][:-1]       # said, then fed
    assert r.losses[0] > 3 and r.losses[-1] < 0.01 and len(r.losses) == 100


def test_w6_needs_the_state():
    r = result("W6")
    assert r.forgetful.startswith("你好") and r.forgetful != r.stepwise
    after = dict()
    for first, second in zip(r.forgetful, r.forgetful[1:]):
        assert after.setdefault(first, second) == second        # a character has one successor only


# W7 -----------------------------------------------------------------------------------------------------

def test_w7_what_the_wrong_axis_does():
    w, axes = w7_softmax_axis, result("W7").axes
    printed, batch, source = axes[w.ONE_SCORE], axes[w.BATCH], axes[w.SOURCE]
    assert (printed.alpha == 1).all() and printed.score_gradient == 0 and printed.neighbour == 0
    np.testing.assert_allclose(batch.alpha.sum(axis=2), 1, rtol=1e-12)
    assert abs(batch.alpha.sum(axis=1) - 1).max() > 0.3 and batch.neighbour > 0.1 and batch.score_gradient > 0
    np.testing.assert_allclose(source.alpha.sum(axis=1), 1, rtol=1e-12)
    assert source.neighbour < 1e-12 and source.score_gradient > 0
    assert source.exact > 0.95 and printed.exact < 0.5 and batch.exact < 0.5
    assert source.losses[-1] < 0.01 < 0.2 < min(printed.losses[-1], batch.losses[-1])


def test_w7_a_linear_score_cannot_see_the_state():
    first, second = result("W7").linear_alpha
    np.testing.assert_allclose(first, second, rtol=1e-12)
    assert np.ptp(first) > 0.01


def test_w7_is_the_library_s_model_when_the_axis_is_right():
    w, rng = w7_softmax_axis, np.random.default_rng(1)
    p, batch = w.init(rng), w.data(rng, 1)[0]
    L, logits, alphas, cache = w.forward(p, batch, w.SOURCE)
    config = Config(source_vocab=w.V, target_vocab=w.V, cell="rnn", embedding=w.E, hidden=w.H,
                    attention="additive", dtype="float64")
    same = seq2seq.init(config)
    same = same._replace(encoder=same.encoder._replace(embedding=p.E_x, layers=(p.encoder,)),
                         decoder=same.decoder._replace(embedding=p.E_y, layers=(p.decoder,), score=p.score,
                                                       readout=p.readout))
    L2, logits2, k = seq2seq.forward(same, config, batch)
    np.testing.assert_allclose(logits, logits2, rtol=1e-12)
    np.testing.assert_allclose(alphas, decoder.alphas(k.decoder), rtol=1e-12)
    g, g2 = w.backward(p, cache), seq2seq.backward(same, config, k)
    for name, got, want in (("E_x", g.E_x, g2.encoder.embedding), ("E_y", g.E_y, g2.decoder.embedding),
                            *zip("WUb", g.encoder, g2.encoder.layers[0]),
                            *zip("WUb", g.decoder, g2.decoder.layers[0]),
                            *zip(g.score._fields, g.score, g2.decoder.score),
                            *zip("Wb", g.readout, g2.decoder.readout)):
        assert_close(name, got, want, 1e-11)
    assert L == pytest.approx(L2, rel=1e-13)


# W8 -----------------------------------------------------------------------------------------------------

def test_w8_a_tagger_says_only_what_it_has_read():
    r = result("W8")
    for task in ("next symbol", "running sum"):
        assert r.tagger[task].exact > 0.95 and np.mean(r.tagger[task].losses[-20:]) < 0.1
    reverse = r.tagger["reverse"]
    assert r.bound_loss == pytest.approx(np.log(6) / 2) and r.bound_accuracy.tolist() == [1 / 6, 1 / 6, 1, 1]
    assert r.bound_loss - 0.03 < np.mean(reverse.losses[-20:]) < r.bound_loss + 0.1
    assert (reverse.accuracy[2:] > 0.95).all() and (abs(reverse.accuracy[:2] - 1 / 6) < 0.07).all()
    assert reverse.exact < 0.1
    assert r.encoder_decoder.exact > 0.95
    assert r.lengths_error == "2 targets for 4 outputs: a tagger says one for each source token"
    assert dict(r.shapes)["output_layer"] == (4, 1, 10)


# Gradients of the models that stand in the examples -----------------------------------------------------

def small(monkeypatch, module, **sizes):
    for name, value in sizes.items():
        monkeypatch.setattr(module, name, value)


def double(tree_of_float32):
    return w4_autoencoder.tree.map(lambda a: a.astype(np.float64), tree_of_float32)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_w7_gradients(monkeypatch, axis):
    w = w7_softmax_axis
    small(monkeypatch, w, V=6, E=2, H=3, LENGTH=3, N=2)
    rng = np.random.default_rng(axis)
    p, batch = w.init(rng), w.data(rng, 1)[0]
    assert_gradients(lambda q: w.forward(q, batch, axis)[0], p, w.backward(p, w.forward(p, batch, axis)[-1]))


def test_w4_gradients(monkeypatch):
    w = w4_autoencoder
    small(monkeypatch, w, E=2, H=3, S=4)
    p, (ids, mask) = double(w.init(np.random.default_rng(0))), w.padded([3, 1], 2)

    def of(q):
        return loss.forward(w.forward(q, ids, mask)[0], ids, mask)
    g = w.backward(p, w.forward(p, ids, mask)[1], loss.backward(of(p)[1]))
    assert_gradients(lambda q: of(q)[0], p, g)


def test_w8_gradients(monkeypatch):
    w, rng = w8_tagger, np.random.default_rng(0)
    small(monkeypatch, w, E=2, H=3)
    p, xs = double(w.init(rng)), np.array([[4, 5], [6, 4], [9, 7]])
    ys, mask = xs[::-1], np.ones(xs.shape, bool)
    g = w.backward(p, w.forward(p, xs, mask)[1], loss.backward(w.tag_loss(w.forward(p, xs, mask)[0], ys)[1]))
    assert_gradients(lambda q: w.tag_loss(w.forward(q, xs, mask)[0], ys)[0], p, g)


# What all examples have in common -----------------------------------------------------------------------

SHORT = {"W1": {}, "W2": dict(EPOCHS=1, LONGER=1), "W3": dict(STEPS=4), "W4": dict(EPOCHS=2, LONGER=3, S=8),
         "W5": dict(STEPS=3), "W6": dict(EPOCHS=2), "W7": dict(EPOCHS=1, HELD_OUT=2), "W8": dict(STEPS=2)}


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides_everything(monkeypatch, name):
    module = examples.find(name)
    small(monkeypatch, module, **SHORT[name])
    first, again, other = (repr(module.run(seed)) for seed in (3, 3, 4))
    assert first == again != other


@pytest.mark.parametrize("name", NAMES)
def test_the_report_can_be_read_on_a_terminal(name):
    module = examples.find(name)
    lines = module.report(result(name))
    assert lines == module.report(result(name))                 # reading changes nothing
    assert lines[0].startswith(f"{name}  ") and module.WHERE in lines[0]
    for line in lines:
        assert show.columns(line) <= 79 and line == line.rstrip()
        assert "\n" not in line and not re.search(r"\b(nan|inf)\b", line)
    text = " ".join(" ".join(lines).split())
    assert name == "W2" or "slip:" in text
    numbers = {"W1": ["[0.200, 0.800]", "[0.800, 0.200]"], "W2": ["0%", "100%"],
               "W3": ["0.99", "he is a student"],
               "W4": ["87.5%", "wanted 2"], "W5": ["1.0986", "0.4774"], "W6": ["你好，你怎么样？"],
               "W7": ["6.000", "100%"], "W8": ["0.896", "100%"]}
    for number in numbers[name]:
        assert number in text


@pytest.mark.parametrize("name", NAMES)
def test_the_report_ends_with_places_that_exist(name):
    from minis2s.documents.formulas import FORMULAS
    lines = examples.find(name).report(result(name))
    places = lines[lines.index("Look next at") + 2:]
    assert len(places) >= 3
    for place in places:
        where, *_ = re.split(r"  +", place.strip())
        if where.startswith("minis2s formulas "):
            assert where.split()[-1] in FORMULAS
        else:
            text = (ROOT / where).read_text(encoding="utf-8")
            for mark in re.findall(r"\([A-Z]+\d+\)", place):
                assert mark in text, f"{where} has no {mark}"


def test_columns_counts_chinese_twice():
    assert show.columns("我是 I") == 6
    assert show.table([["我", "1"], ["a", "10"]]) == ["  我   1", "  a   10"]
    assert show.number(-0.0001) == "0.000" and show.vector([1, -2.5], 1) == "[1.0, -2.5]"
    assert show.remark("a " * 60)[0] == " ".join("a" * 40) and len(show.remark("a " * 60)) == 2
    assert show.slip("b " * 60)[1].startswith("        b")


# The command line ---------------------------------------------------------------------------------------

def test_lists(capsys):
    assert cli.main(["examples"]) == 0
    listed = capsys.readouterr().out
    assert cli.main(["example"]) == 0
    assert capsys.readouterr().out == listed
    lines = listed.splitlines()
    assert [line[:2] for line in lines] == NAMES == [f"W{n}" for n in range(1, 9)]
    assert all(show.columns(line) <= 79 for line in lines)


def test_a_name_in_any_case_with_a_seed(capsys):
    assert cli.main(["example", "w1", "--seed", "3"]) == 0
    out, report = capsys.readouterr().out, w1_hello_world.report
    assert out.splitlines() == report(w1_hello_world.run(3)) != report(result("W1"))


@pytest.mark.parametrize("argv, message", [
    (["W9"], "no example 'W9'; did you mean W8? There are W1, W2, W3, W4, W5, W6, W7, W8"),
    (["w33"], "no example 'w33'; did you mean W3? There are W1, W2, W3, W4, W5, W6, W7, W8"),
    (["W1", "--seed", "-1"], "--seed: got -1, wanted a whole number, 0 or more"),
    (["W1", "--out", "somewhere"], "--out: W1 draws no picture; W3 does"),
    (["W3", "--overwrite"], "--overwrite: wanted --out DIR, too"),
    (["--seed", "3"], "which example? W1, W2, W3, W4, W5, W6, W7, W8"),
])
def test_bad_input(capsys, argv, message):
    assert cli.main(["example", *argv]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err == f"minis2s: {message}\n"


def test_w3_draws_its_alignment_once(tmp_path, capsys, monkeypatch):
    # before it is replaced, also where this test runs alone
    known = result("W3")
    monkeypatch.setattr(w3_student, "run", lambda seed: known)
    path = tmp_path / "new" / "w3_alignment.png"
    assert cli.main(["example", "W3", "--out", str(path.parent)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"picture: {path}"
    assert path.read_bytes().startswith(b"\x89PNG") and len(path.read_bytes()) > 5000
    path.write_bytes(b"mine")
    assert cli.main(["example", "W3", "--out", str(path.parent)]) == 2
    assert capsys.readouterr() == ("", f"minis2s: {path}: exists already; replace it with --overwrite\n")
    assert path.read_bytes() == b"mine"
    assert cli.main(["example", "W3", "--out", str(path)]) == 2
    assert "is a file, wanted a directory" in capsys.readouterr().err
    assert cli.main(["example", "W3", "--out", str(path.parent), "--overwrite"]) == 0
    assert path.read_bytes().startswith(b"\x89PNG")


def test_w3_without_out_writes_nothing(tmp_path, capsys, monkeypatch):
    # before it is replaced, also where this test runs alone
    known = result("W3")
    monkeypatch.setattr(w3_student, "run", lambda seed: known)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["example", "W3"]) == 0
    assert capsys.readouterr().out.splitlines() == w3_student.report(result("W3"))
    assert not list(tmp_path.iterdir())
