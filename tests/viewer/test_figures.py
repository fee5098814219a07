"""The pictures: their numbers, sizes and bytes, drawn with tiny models."""
import json
from functools import lru_cache

import numpy as np
import pytest

from minis2s import decoding
from minis2s.viewer import figures
from minis2s.api.seq2seq import Seq2Seq
from minis2s.bench import cases
from minis2s.layers.cells import lstm
from minis2s.cli.main import main
from minis2s.model.config import Config
from minis2s.data.batches import pad
from minis2s.viewer.figures import growth, hypothesis_tree, lstm_graph
from minis2s.viewer.plots import style
from minis2s.tasks import TASKS, load
from minis2s.training.loop import Training

SLOW = ("speed", "share_of_peak")                        # drawn with given times


@lru_cache(maxsize=None)
def tiny(task, train=0, **options):
    """In the place of figures.trained: a model that has hardly learnt."""
    splits = load(task, sizes=dict(train=600, valid=40, test=0))
    config = Config(hidden=16, embedding=8, attention_size=None,
                    **{k: options[k] for k in ("attention", "context") if k in options})
    model = Seq2Seq(config, source_units=TASKS[task].source_unit, target_units=TASKS[task].target_unit)
    return model.fit(splits.train, splits.valid, training=Training(epochs=2, lr=1e-2), progress=False)


@pytest.fixture(autouse=True)
def no_training(monkeypatch):
    monkeypatch.setattr(figures, "trained", tiny)


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
    assert list(figures.draw([name], one)) == [name] == list(figures.draw([name], two))
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
    assert list(figures.draw(SLOW, tmp_path)) == list(SLOW)
    assert asked == ["T", "B", "V"] and len(path.read_text().splitlines()) == 7           # and kept for the next time
    panels = drawn[0].axes
    assert [axes.get_title().split("\n")[0] for axes in panels] == list(growth.PANELS.values())
    for axes, letter in zip(panels, growth.PANELS):
        (sizes, points), sides = zip(*cases.points({"of": letter, "cell": "lstm"})), (3, 1, 2)
        assert len(axes.lines) == 2 + (letter == "H")
        for line, times in zip(axes.lines, sides):
            assert list(line.get_xdata()) == list(sizes)
            wanted = grown({"case": "growth", "cell": "lstm", "of": letter})["points"][-1]["sides"]["numba"]["seconds"]
            assert line.get_ydata()[-1] == pytest.approx(1e3 * times * wanted)
    assert [line.get_ydata()[0] for line in drawn[2].axes[0].lines] == pytest.approx([30, 90, 45])
    assert [text.get_text() for text in drawn[2].axes[0].get_legend().get_texts()] == ["NumPy", "Numba", "PyTorch"]
    assert "a machine" in drawn[0].get_supxlabel()
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert list(figures.draw(SLOW, tmp_path)) == list(SLOW) and len(asked) == 3
    assert before == {p.name: p.read_bytes() for p in tmp_path.iterdir()}                  # drawn again: the same
    assert all(p.stat().st_size <= 200_000 for p in tmp_path.iterdir())


@pytest.mark.parametrize("width", [1, 3])
def test_the_tree_grows_the_answers_of_beam_search(width):
    model = tiny("addition", context="init", attention="none")
    source, mask = pad([model.source_vocab.encode(list("12+7"))])
    levels = hypothesis_tree.grow(model.params, model.config, source, mask, 5, width)
    (best,), = decoding.beam(model.params, model.config, source, mask, 5, width)
    ended = [h for level in levels for h in level if h.token == 2]
    assert max(h.log_p for h in ended) == pytest.approx(best.log_prob, abs=1e-6)
    assert all(len(level) <= width for level in levels) and len(levels[0]) == width
    for level in levels[1:]:
        assert all(h.log_p < h.previous.log_p and h.previous in levels[h.length - 2] for h in level)


def test_an_unknown_name_is_refused_before_anything_is_drawn(tmp_path):
    with pytest.raises(ValueError, match="no figure 'lstm_stepp'.*did you mean lstm_step"):
        list(figures.draw(["lstm_step", "lstm_stepp"], tmp_path / "x"))
    assert not (tmp_path / "x").exists()


def test_the_command_says_what_it_drew(tmp_path, capsys):
    assert main(["figures", "lstm_step", "--out", str(tmp_path)]) == 0
    assert f"{tmp_path}/lstm_step.png" in capsys.readouterr().out
    assert (tmp_path / "lstm_step.svg").exists()
