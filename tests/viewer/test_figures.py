"""The pictures: their numbers, sizes and bytes, drawn with tiny models."""
import json
import os
import signal
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from minis2s import decoding
from minis2s.api.seq2seq import Seq2Seq
from minis2s.bench import cases
from minis2s.cli.main import main
from minis2s.data.batches import pad
from minis2s.layers.cells import lstm
from minis2s.model.config import Config
from minis2s.tasks import TASKS, load
from minis2s.training.options import Training
from minis2s.viewer import figures
from minis2s.viewer.figures import growth, hypothesis_tree, lstm_graph, models, stories
from minis2s.viewer.plots import style
from minis2s.viewer.trace.tiny import tiny_model

ROOT = Path(figures.__file__).parents[3]
SLOW = ("speed", "share_of_peak")                        # drawn with given times


@lru_cache(maxsize=None)
def tiny(task, train=0, **options):
    """In the place of models.trained: a model that has hardly learnt."""
    splits = load(task, sizes=dict(train=600, valid=40, test=0))
    config = Config(hidden=16, embedding=8, attention_size=None,
                    **{k: options[k] for k in ("attention", "context") if k in options})
    model = Seq2Seq(config, source_units=TASKS[task].source_unit, target_units=TASKS[task].target_unit)
    return model.fit(splits.train, splits.valid, training=Training(epochs=2, lr=1e-2), progress=False)


@pytest.fixture(autouse=True)
def no_training(monkeypatch, request):
    """Models that have hardly learnt, whose stories are not true, and are told all the same."""
    if "stopped" not in request.node.name:
        monkeypatch.setattr(models, "trained", tiny)
        monkeypatch.setattr(stories, "must", lambda true, story: None)
        monkeypatch.setattr(stories, "looks", lambda answer, parts: True)
        monkeypatch.setattr(stories, "right_answers", lambda model, examples, count, figure: [
            best[0] for best in model.decode([source for source, _, _ in examples[:count]])])


def test_the_graph_shows_the_cells_own_numbers():
    p, x, s, d = lstm_graph.example()
    new, k = lstm.step(p, x, s)
    dx, ds, grads = lstm.step_backward(p, k, d)
    n = lstm_graph.numbers()
    for name in ("i", "f", "g", "o", "tanh_c", "h_prev", "c_prev", "x"):
        assert n[name] == getattr(k, name).item(), name
    assert (n["h"], n["c"], n["dx"], n["dh_prev"], n["dc_prev"]) == (
        new.h.item(), new.c.item(), dx.item(), ds.h.item(), ds.c.item())
    assert (n["dh"], n["dc_next"]) == (d.h.item(), d.c.item())
    of_h = d.h.item() * k.o.item() * (1 - k.tanh_c.item()**2)
    assert n["dc"] == pytest.approx(d.c.item() + of_h, abs=1e-15)
    for at, gate in enumerate("ifgo"):
        for name in "WUb":
            assert n[f"{name}_{gate}"] == np.ravel(getattr(p, name))[at]
            assert n[f"d{name}_{gate}"] == np.ravel(getattr(grads, name))[at]
        assert n[f"da_{gate}"] == grads.b[at]
    assert n["a_g"] == pytest.approx(np.arctanh(n["g"]), abs=1e-14)
    assert n["a_f"] == pytest.approx(-np.log(1 / n["f"] - 1), abs=1e-14)
    assert n["di"] * n["g"] == pytest.approx(n["dg"] * n["i"] * n["g"]**2 / n["i"]**2, abs=1e-14)


def test_every_number_of_the_graph_stands_in_the_picture(monkeypatch):
    written = []
    monkeypatch.setattr(lstm_graph, "write", lambda axes, x, y, text, *rest, **how: written.append(text))
    lstm_graph.draw(None)
    text = "\n".join(written)
    for name, value in lstm_graph.numbers().items():
        assert lstm_graph.number(value) in text, name
    for mark in ("(L1)", "(L2)", "(L3)", "(L4)", "(L5)"):
        assert mark in text
    assert f"di = {lstm_graph.number(lstm_graph.numbers()['di'])}" in text


@pytest.mark.parametrize("name", [name for name in figures.FIGURES if name not in SLOW])
def test_each_figure_is_drawn_small_and_twice_the_same(name, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    assert figures.draw([name], one) == [one / f"{name}.png", one / f"{name}.svg"]
    figures.draw([name], two)
    assert sorted(p.name for p in one.iterdir()) == [f"{name}.png", f"{name}.svg"]
    for path in one.iterdir():
        data = path.read_bytes()
        assert data == (two / path.name).read_bytes(), path.name
        assert 5_000 < len(data) <= 200_000, (path.name, len(data))
        assert b"Software" not in data and b"<dc:date>" not in data


def grown(case, **how):
    """In the place of bench.run: times that grow with every size; NumPy takes three times as long."""
    rows = []
    for size, point in cases.points(case):
        time = 1e-6 * point["T"] * point["N"] * point["H"]**2 * point.get("V", 1000) / 1e6
        rows.append({**point, "threads": 1, "sides": {
            side: {"seconds": slow * time, "share_of_peak": 0.9 / slow}
            for side, slow in dict(numpy=3, numba=1).items()}})
    return {"machine": "a machine", **case, "threads": 1, "sizes": [size for size, _ in cases.points(case)],
            "points": rows, "lines": {}}


def test_figures_of_speed_show_what_was_measured(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(growth.bench, "run", lambda case, **how: asked.append(case["of"]) or grown(case))
    drawn = []
    save = style.save
    monkeypatch.setattr(style, "save", lambda figure, path: drawn.append(figure) or save(figure, path))
    kept = grown({"case": "growth", "cell": "lstm", "of": "H"})
    for point in kept["points"]:                              # measured where there was a PyTorch
        point["sides"]["torch"] = {"seconds": 2 * point["sides"]["numba"]["seconds"], "share_of_peak": 0.45}
    others = [{**kept, "threads": 2}, {**kept, "cell": "gru"}, {**kept, "case": "layer"}]
    path = tmp_path / growth.FILE
    path.write_text("".join(json.dumps(row) + "\n" for row in [kept, *others]))
    assert len(figures.draw(SLOW, tmp_path)) == 4
    assert asked == ["T", "B", "V"] and len(path.read_text().splitlines()) == 7           # and kept for the next time
    panels = drawn[0].axes
    assert [axes.get_title().split("\n")[0] for axes in panels] == list(growth.PANELS.values())
    for axes, letter in zip(panels, growth.PANELS):
        (sizes, _), sides = zip(*cases.points({"of": letter, "cell": "lstm"})), (3, 1, 2)
        assert len(axes.lines) == 2 + (letter == "H")
        for line, times in zip(axes.lines, sides):
            assert list(line.get_xdata()) == list(sizes)
            wanted = grown({"case": "growth", "cell": "lstm", "of": letter})["points"][-1]["sides"]["numba"]["seconds"]
            assert line.get_ydata()[-1] == pytest.approx(1e3 * times * wanted)
    assert [line.get_ydata()[0] for line in drawn[2].axes[0].lines] == pytest.approx([30, 90, 45])
    assert [text.get_text() for text in drawn[2].axes[0].get_legend().get_texts()] == ["NumPy", "Numba", "PyTorch"]
    assert "a machine" in drawn[0].get_supxlabel()
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert len(figures.draw(SLOW, tmp_path, overwrite=True)) == 4 and len(asked) == 3
    assert before == {p.name: p.read_bytes() for p in tmp_path.iterdir()}                  # drawn again: the same
    assert all(p.stat().st_size <= 200_000 for p in tmp_path.iterdir())


@pytest.mark.parametrize("width", [1, 3])
def test_the_tree_grows_the_answers_of_beam_search(width):
    model = tiny("addition", context="init", attention="none")
    source, mask = pad([model.source_vocab.encode(list("12+7"))])
    levels = hypothesis_tree.grow(model.params, model.config, source, mask, 5, width)
    (best,), = decoding.beam(model.params, model.config, source, mask, 5, width)
    ended = [h for level in levels for h in level if h.token == 2]
    assert hypothesis_tree.best_tokens(levels) == (best.ids if ended else [])
    assert max(h.log_p for h in ended) == pytest.approx(best.log_prob, abs=1e-6)
    assert all(len(level) <= width for level in levels) and len(levels[0]) == width
    for level in levels[1:]:
        assert all(h.log_p < h.previous.log_p and h.previous in levels[h.length - 2] for h in level)


def test_an_unknown_name_is_refused_before_anything_is_drawn(tmp_path):
    with pytest.raises(ValueError, match="no figure 'lstm_stepp'.*did you mean lstm_step"):
        figures.draw(["lstm_step", "lstm_stepp"], tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_the_command_says_what_it_drew_and_shows_no_bar_where_there_is_no_terminal(tmp_path, capsys):
    assert main(["figures", "lstm_step", "gradient_flow", "--out", str(tmp_path / "new")]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [f"{tmp_path / 'new' / name}.png and .svg" for name in ("lstm_step", "gradient_flow")]
    assert err == "" and (tmp_path / "new" / "lstm_step.svg").exists()
    assert main(["figures", "gradient_flow", "--out", str(tmp_path / "new")]) == 2
    assert "gradient_flow.png: exists already; replace it with --overwrite" in capsys.readouterr().err
    assert main(["figures", "gradient_flow", "--out", str(tmp_path / "new"), "--overwrite"]) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_on_a_terminal_a_bar_counts_the_figures(tmp_path):
    import fcntl
    import pty
    import struct
    import termios
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    words = ["-m", "minis2s", "figures", "lstm_step", "gradient_flow", "--out", str(tmp_path)]
    done = subprocess.run([sys.executable, *words], stdout=subprocess.PIPE, stderr=theirs,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    assert done.returncode == 0 and done.stdout.count(b".png and .svg") == 2
    assert "gradient_flow: 1 of 2 figures drawn" in shown and "2 of 2 figures drawn" in shown


# ---- stopped ----

@pytest.mark.parametrize("stop_at", ["lstm_step", "gradient_flow"])
def test_ctrl_c_replaces_nothing(stop_at, tmp_path, monkeypatch):
    names = ["lstm_step", "gradient_flow"]
    for name in names:
        for suffix in ("png", "svg"):
            (tmp_path / f"{name}.{suffix}").write_bytes(b"old")

    def stopped(path):
        raise KeyboardInterrupt
    monkeypatch.setitem(figures.FIGURES, stop_at, stopped)
    assert main(["figures", *names, "--out", str(tmp_path), "--overwrite"]) == 130
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"old"] * 4


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_while_a_model_is_trained_ends_with_130_and_no_picture(tmp_path):
    """With NumPy, which begins at once; told by the first batch that training is under way."""
    code = """
import sys
from minis2s.api import seq2seq
from minis2s.training import loop
from minis2s.cli.main import main
first = loop.run
class OnNumpy(seq2seq.Seq2Seq):
    def __init__(self, *a, backend=None, **k):
        super().__init__(*a, backend="numpy", **k)
seq2seq.Seq2Seq = OnNumpy
def run(*a, **k):
    print("training", flush=True)
    return first(*a, **k)
loop.run = run
sys.exit(main(["figures", "dates_attention", "--out", sys.argv[1]]))
"""
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True,
                               env={**os.environ, "PYTHONPATH": str(ROOT), "MINIS2S_BACKEND": ""})
    assert process.stdout.readline() == "training\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130 and list(tmp_path.iterdir()) == []


def test_a_model_that_was_stopped_is_no_model(monkeypatch):
    def stopped(self, *args, **how):
        self.stopped_by = signal.SIGTERM
        return self
    monkeypatch.setattr(Seq2Seq, "fit", stopped)
    models.trained.cache_clear()
    with pytest.raises(KeyboardInterrupt):
        models.trained("reverse", train=50)
    with pytest.raises(KeyboardInterrupt):
        tiny_model()


# ---- stories ----

class Answering:
    """A model that gives these answers."""

    def __init__(self, answers):
        self.answers = answers

    def decode(self, sources):
        return [[self.answers[source]] for source in sources]


def answer(source, target, alpha):
    return SimpleNamespace(text=target, source=list(source), target=list(target), alpha=np.array(alpha, float))


def test_an_example_that_is_wrong_or_looks_elsewhere_is_not_shown(monkeypatch):
    monkeypatch.undo()
    right, cross = np.eye(3)[[0, 1, 2, 0]], np.eye(3)[[1, 0, 2, 0]]
    examples = [(source, "xyz", {"x": source[0], "y": source[1]}) for source in ("abc", "ade", "afg", "ahi")]
    model = Answering({"abc": answer("abc", "xzz", right), "ade": answer("ade", "xyz", cross),
                       "afg": answer("afg", "xyz", right), "ahi": answer("ahi", "xyz", right)})
    assert [a.source for a in stories.right_answers(model, examples, 2, "f")] == [list("afg"), list("ahi")]
    with pytest.raises(ValueError, match="f: 3 of the 4 examples are answered right.*this is not so"):
        stories.right_answers(model, examples, 3, "f")


def test_spans_count_tokens():
    assert stories.span(["We", "read", "novels"], "read") == slice(1, 2)
    assert stories.span(list("1998-03-16"), "03-") == slice(5, 8)


def test_stories_of_the_curves():
    def model(exact, *losses):
        return SimpleNamespace(records=[dict(valid_exact_match=exact, valid_loss_teacher_forced=a,
                                             valid_loss_free_running=b) for a, b in losses])
    better, worse = model(0.8, (1, 1.1)), model(0.6, (1, 2), (1, 0.9))
    assert stories.contexts({"init": worse, "every-step": better, "attention": better})
    assert not stories.contexts({"init": better, "every-step": worse, "attention": better})
    assert stories.free_costs(better) and not stories.free_costs(worse)
    flows = {name: SimpleNamespace(dh=np.array([size, 1])) for name, size in (("lstm", 1e-4), ("rnn", 1e-6))}
    assert stories.lstm_reaches(flows) and not stories.lstm_reaches({"lstm": flows["rnn"], "rnn": flows["rnn"]})


def test_the_examples_are_held_out_and_their_answers_are_those_of_the_tasks():
    splits = load("phrases", sizes=dict(train=14_000, valid=8000, test=8000))
    held_out, practised = dict(splits.valid + splits.test), dict(splits.train)
    for source, target, parts in stories.PHRASES:
        assert held_out[source] == target and source not in practised
        assert all(a in target and b in source for a, b in parts.items())
    practised = dict(load("dates", sizes=dict(train=12_000, valid=500, test=0)).train)
    for source, target, parts in stories.DATES:
        assert source not in practised and "".join(parts) == target and all(b in source for b in parts.values())


def test_a_false_story_is_not_drawn(tmp_path, monkeypatch, capsys):
    monkeypatch.undo()
    monkeypatch.setattr(models, "trained", tiny)
    for name in ("dates_attention", "encoder_decoder", "phrases_attention"):
        assert main(["figures", name, "--out", str(tmp_path)]) == 2
        assert f"{name}: " in capsys.readouterr().err
    monkeypatch.setattr(stories, "contexts", lambda models: False)
    monkeypatch.setattr(stories, "free_costs", lambda model: False)
    monkeypatch.setattr(stories, "lstm_reaches", lambda flows: False)
    for name in ("context_kinds", "forced_and_free", "gradient_flow"):
        assert main(["figures", name, "--out", str(tmp_path)]) == 2
        assert f"{name}: " in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("tokens, verdict", [("833", "answers 833, which is wrong"), ("", "comes to no end"),
                                             ("843", "answers 843, which is right")])
def test_the_tree_says_whether_its_answer_is_right(tokens, verdict, monkeypatch):
    model, titles = tiny("addition", context="init", attention="none"), []
    monkeypatch.setattr(hypothesis_tree, "best_tokens", lambda levels: model.target_vocab.encode(list(tokens)))
    monkeypatch.setattr(hypothesis_tree, "draw", lambda levels, decode, title, path: titles.append(title))
    figures.FIGURES["beam_tree"](None)
    assert titles == [f"478+365 = 843: a half-trained model {verdict}, by a beam of 4"]
