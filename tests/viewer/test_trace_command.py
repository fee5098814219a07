"""`minis2s trace`: every equation with its numbers on the terminal, or one page; bad input is one line."""
import argparse
import re

import numpy as np
import pytest

from minis2s import Config, Seq2Seq, Training
from minis2s.cli import trace as command
from minis2s.data.batches import make_batch
from minis2s.model import seq2seq
from minis2s.viewer.trace import trace
from minis2s.viewer.trace.marks import equations_of
from minis2s.viewer.trace.show import equation_by_equation


@pytest.fixture(autouse=True)
def readable_path(monkeypatch):
    """The trace follows the NumPy path, whatever the rest of the tests run on."""
    monkeypatch.delenv("MINIS2S_BACKEND", raising=False)


@pytest.fixture(scope="module")
def run_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    pairs = [("abc", "cba"), ("bca", "acb"), ("cab", "bac"), ("ab", "ba")]
    model = Seq2Seq(Config(hidden=3, embedding=4, attention="additive", reverse_source=True, dtype="float64"))
    model.fit(pairs, valid=pairs, training=Training(epochs=1), progress=False)
    model.save(path)
    return path


@pytest.fixture(scope="module")
def copying_path(tmp_path_factory):
    """A model of words that copies: it knows "say" and "so"."""
    path, pairs = tmp_path_factory.mktemp("runs") / "copier", [(f"say n{i} n{i}", f"n{i} so") for i in range(6)]
    model = Seq2Seq(Config(hidden=3, embedding=4, cell="gru", readout="copy", dtype="float64"), source_units="space",
                    target_units="space", min_count=3, backend="numpy")
    model.fit(pairs, valid=pairs, training=Training(epochs=1), progress=False)
    model.save(path)
    return path


def call(*words):
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    return command.run(parser.parse_args([str(word) for word in words]))


def test_terminal_shows_each_equation_with_its_numbers(run_path, capsys):
    assert call(run_path, "abc", "--backward", "cba") == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    model = Seq2Seq.load(run_path)
    tr, source, target = command.of_pair(model, "abc", "cba")
    assert (source, target) == (list("abc"), list("cba"))
    assert lines[0] == f"abc → cba   loss {tr.loss.L.value:.4f} nats per token"
    assert max(map(len, lines)) <= 100 and err == ""
    heads = [line.strip("─ ") for line in lines if line.startswith("──")]
    assert heads[1] == "forward: encoder, t = 1, layer 0  'c'"      # read last token first
    assert "forward: decoder, t = 4, layer 0  '<eos>'" in heads
    assert "backward: encoder, t = 3, layer 0  'a'" in heads
    assert heads.index("forward: loss") < heads.index("backward: loss")
    # (L4) of the encoder's step 1, forward: what it reads and what it gives
    at = next(i for i, line in enumerate(lines) if line.startswith("── forward: encoder, t = 2, layer 0"))
    at = next(i for i in range(at, len(lines)) if lines[i].startswith("(L4)"))
    assert lines[at] == "(L4)    c = f c' + i g" and lines[at + 1].strip().startswith("cells/lstm.py:")
    assert lines[at + 1].endswith("c = f * c_prev + i * g")
    given = next(i for i in range(at, at + 20) if lines[i].strip().startswith("= c "))
    c = tr.encoder(mark="L4").c[1][0]
    assert [float(x) for x in lines[given + 1].split()] == pytest.approx(c, abs=5e-5)
    marks = {mark for e in tr.entries for mark in e.marks if not mark.startswith(("(F", "(DR"))}
    assert [mark for mark in marks if not any(line.startswith(mark) for line in lines)] == []


def test_without_a_target_the_own_answer_is_fed(run_path, capsys):
    assert call(run_path, "abc") == 0
    out = capsys.readouterr().out
    answer = Seq2Seq.load(run_path).decode(["abc"])[0][0]
    assert out.startswith(f"abc → {answer.text} ") and "backward" not in out


def test_steps(run_path, capsys):
    call(run_path, "abc", "--backward", "cba", "--steps", "1-2")
    out = capsys.readouterr().out
    assert set(re.findall(r"t = (\d)", out)) == {"1", "2"} and "── forward: loss" not in out
    call(run_path, "abc", "--steps", "2")
    assert set(re.findall(r"t = (\d)", capsys.readouterr().out)) == {"2"}


def test_big_arrays_are_cut_with_a_note():
    from minis2s.layers.cells import rnn
    p = rnn.init(np.random.default_rng(0), 3, 40)
    with trace() as tr:
        rnn.step(p, np.ones((1, 3)), rnn.State(np.zeros((1, 40))))
    text = "\n".join(equation_by_equation(tr, equations_of(tr)))
    assert re.search(r"= a +1x40 +from .*norm", text) and "… 32 more" in text and "… 36 more rows" in text
    assert max(map(len, text.splitlines())) <= 100
    assert "< a          1x40      as above" in text            # (R2) reads what (R1) gave


def test_every_gate_is_shown_by_its_name():
    from minis2s.layers.cells import lstm
    p, s = lstm.init(np.random.default_rng(0), 3, 40), lstm.State(np.ones((1, 40)), np.zeros((1, 40)))
    with trace() as tr:
        lstm.step(p, np.ones((1, 3)), s)
    lines = list(equation_by_equation(tr, equations_of(tr)))
    at = next(i for i, line in enumerate(lines) if line.startswith("    = a  "))
    a = tr.cell.a.value[0].reshape(4, 40)
    for line, gate, row in zip(lines[at + 1:], "ifgo", a):
        name, *numbers = line.split()
        assert name == gate and numbers[-2:] == ["32", "more"]
        assert [float(x) for x in numbers[:8]] == pytest.approx(row[:8], abs=1e-3)
    at = next(i for i, line in enumerate(lines) if line.startswith("    < U  "))
    assert lines[at + 1].split() == list("ifgo")
    row = [float(x) for x in lines[at + 2].split()[:8]]
    assert row == pytest.approx(p.U[0].reshape(4, 40)[:, :2].ravel(), abs=1e-3) and "… 152 more" in lines[at + 2]
    assert max(map(len, lines)) <= 100


def test_a_backward_pass_of_two_examples_is_shown():
    """Here the cell reads no context: its gradient has no numbers, and two rows."""
    c = Config(source_vocab=9, target_vocab=8, embedding=3, hidden=4, attention="dot")
    b, p = make_batch([[4, 5], [6]], [[4], [5, 6]], False), seq2seq.init(c)
    with trace() as tr:
        seq2seq.backward(p, c, seq2seq.forward(p, c, b)[2])
    lines = list(equation_by_equation(tr, equations_of(tr)))
    assert sum("2x0" in line for line in lines) > 0 and sum("= dx " in line for line in lines) > 3


def test_page_is_written_whole_and_never_over_another(run_path, tmp_path, capsys):
    path = tmp_path / "t.html"
    assert call(run_path, "abc", "--backward", "cba", "--html", path) == 0
    first = path.read_text(encoding="utf-8")
    assert first.startswith("<!DOCTYPE html>") and "<title>run: abc</title>" in first
    assert "lines in" in capsys.readouterr().err
    with pytest.raises(FileExistsError, match="t.html: exists already; replace it with --overwrite"):
        call(run_path, "ab", "--html", path)
    assert path.read_text(encoding="utf-8") == first
    assert call(run_path, "ab", "--html", path, "--overwrite", "--steps", "1-2") == 0
    assert path.read_text(encoding="utf-8") != first
    assert [p.name for p in tmp_path.iterdir()] == ["t.html"]


def test_a_tiny_model_is_trained_at_once_and_shows_its_numbers(run_path, tmp_path, capsys):
    from minis2s.viewer.trace.tiny import PAIRS, tiny_model
    model = tiny_model()
    assert model.translate([x for x, _ in PAIRS]) == [y for _, y in PAIRS]
    assert call("--tiny", "cab", "--backward", "bac", "--html", tmp_path / "t.html") == 0
    assert "<title>tiny: cab</title>" in (tmp_path / "t.html").read_text(encoding="utf-8")
    assert call("--tiny", "cab") == 0 and capsys.readouterr().out.startswith("cab → bac ")
    for words in (("--tiny", run_path, "cab"), ("cab",)):
        with pytest.raises(ValueError, match="RUN or --tiny: wanted one of them"):
            call(*words)


@pytest.mark.parametrize("words, match", [
    (["", ], "TEXT: empty"),
    (["abc", "--steps", "7-9"], "--steps 7-9: the last step is"),
    (["abc", "--overwrite"], "--overwrite goes with --html"),
    (["abc", "--html", "missing/t.html"], "folder 'missing' does not exist")])
def test_bad_input(run_path, words, match, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ValueError, OSError), match=match):
        call(run_path, *words)
    assert list(tmp_path.iterdir()) == []


def test_steps_that_end_behind_the_last_one_are_shown_to_the_last(run_path, capsys):
    call(run_path, "abc", "--steps", "2-99")
    whole = capsys.readouterr().out
    call(run_path, "abc", "--steps", "2-4")
    assert whole == capsys.readouterr().out and "t = 3" in whole and "t = 1 " not in whole


@pytest.mark.parametrize("steps", ["3-1", "a", "-1", "1-", "1-2-3", "0", "0-2"])
def test_bad_steps(run_path, steps, capsys):
    with pytest.raises(SystemExit):
        call(run_path, "abc", f"--steps={steps}")
    assert "wanted steps such as 1-3" in capsys.readouterr().err


def test_unknown_tokens_are_told(run_path, capsys):
    call(run_path, "abz", "--backward", "zy")
    assert capsys.readouterr().err.splitlines() == [
        "minis2s: text: unknown to the model, read as <unk>: z",
        "minis2s: target: unknown to the model, read as <unk>: z y"]


def test_words_that_are_only_copied_have_numbers_of_their_own(copying_path, capsys):
    """Not UNK: the loss is that of the word of the source, and only words that stand nowhere are unknown."""
    model = Seq2Seq.load(copying_path)
    V = len(model.source_vocab)
    tr, source, target = command.of_pair(model, "say zora quint zora", "zora so")
    assert (source, target) == (["say", "zora", "quint", "zora"], ["zora", "so"])
    batch = make_batch([model.source_vocab.encode_beside(source, source)], [[V, model.source_vocab.encode(["so"])[0]]])
    assert batch.source[:, 0].tolist()[1:] == [V, V + 1, V]
    assert float(tr.loss.L.value) == seq2seq.forward(model.params, model.config, batch)[0]
    log_p = next(e for e in tr.entries if "(CP3)" in e.marks and e.role == "out" and e.name == "log_p")
    assert log_p.shape == (3, 1, V + 2) and log_p.part == "decoder"
    assert {"(CP1)", "(CP2)", "(CP3)", "(CP1*)", "(CP2*)", "(CP3*)"} <= {mark for e in tr.entries for mark in e.marks}
    assert call(copying_path, "say zora quint zora", "--backward", "zora else") == 0
    out, err = capsys.readouterr()
    assert out.startswith("say zora quint zora → zora else   loss ") and "'zora'" in out
    assert err == "minis2s: target: unknown to the model, read as <unk>: else\n"
