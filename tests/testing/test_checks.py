"""check_cell and check_score: they accept the library's own, and name what is wrong with others."""
import re
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from minis2s.layers.attention import SCORES, additive
from minis2s.layers.cells import CELLS, gru, lstm, rnn
from minis2s.testing import check_cell, check_score


@pytest.mark.parametrize("name", CELLS)
def test_the_librarys_cells_pass(name):
    check_cell(CELLS[name])


@pytest.mark.parametrize("name", SCORES)
def test_the_librarys_scores_pass(name):
    check_score(SCORES[name])


def variant(module, **others):
    names = ("Params", "State", "Cache", "init", "step", "step_backward", "keys", "keys_backward", "score",
             "score_backward")
    return SimpleNamespace(**{n: getattr(module, n) for n in names if hasattr(module, n)}, __name__="mine") \
        if not others else SimpleNamespace(**{**vars(variant(module)), **others})


def with_backward(change):
    def step_backward(p, k, d):
        return change(lstm, p, k, *lstm.step_backward(p, k, d))
    return variant(lstm, step_backward=step_backward)


def forgetful(p, k, d):
    """Changes its cache."""
    result = lstm.step_backward(p, k, d)
    k.i[...] = 0
    return result


CALLS = []


def counting(p, x, s):
    CALLS.append(0)
    s, k = rnn.step(p, x, s)
    return rnn.State(s.h + 1e-9 * len(CALLS)), k


def over_the_batch(p, x, s):
    return rnn.step(p, x - x.mean(axis=0), s)


@pytest.mark.parametrize("cell, said", [
    (variant(lstm, init=lambda rng, D, H: gru.Params(*lstm.init(rng, D, H))),
     "mine: init gives Params and step a State"),
    (SimpleNamespace(__name__="mine", init=lstm.init), "mine has no Params, State, step, step_backward"),
    (with_backward(lambda c, p, k, dx, ds, g: (dx, ds, g._replace(b=g.b * 1.001))), "derivative of step.*0.b"),
    (with_backward(lambda c, p, k, dx, ds, g: (dx, ds._replace(c=ds.c * 0), g)), "derivative of step.*2.c"),
    (with_backward(lambda c, p, k, dx, ds, g: (dx, ds, tuple(g))), "form of what it differentiates"),
    (variant(lstm, step_backward=forgetful), "step_backward leaves the cache as it is"),
    (variant(rnn, step=counting), "step is a function of its arguments alone"),
    (variant(lstm, init=lambda rng, D, H: lstm.Params(*(a.astype("f4") for a in lstm.init(rng, D, H)))), "float64"),
    (variant(gru, step_backward=lambda p, k, d: (lambda dx, ds, g: (dx, ds, g._replace(b=g.b * np.float64(1))))(
        *gru.step_backward(p, k, d)), step=lambda p, x, s: (lambda n, k: (gru.State(n.h * np.ones(1)), k))(
            *gru.step(p, x, s))), "float32 stays float32")])
def test_what_is_wrong_with_a_cell_is_named(cell, said):
    with pytest.raises(AssertionError, match=said):
        check_cell(cell)


def test_a_cell_that_mixes_examples_is_refused():
    cell = variant(rnn, step=over_the_batch, step_backward=lambda p, k, d: (lambda dx, ds, g: (
        dx - dx.mean(axis=0), ds, g))(*rnn.step_backward(p, k, d)))      # its gradients are right
    with pytest.raises(AssertionError, match="An example alone gives what it gives in a batch"):
        check_cell(cell)


@pytest.mark.parametrize("score, said", [
    (variant(additive, keys_backward=lambda p, hs, dkeys: (0 * hs, additive.keys_backward(p, hs, dkeys)[1])),
     "derivative of attention.*2"),
    (variant(additive, score=lambda p, s, m: (lambda e, k: (e.T, k))(*additive.score(p, s, m))), "e has shape"),
    (variant(additive, score_backward=lambda p, m, k, de: (lambda ds, dm, g: (2 * ds, dm, g))(
        *additive.score_backward(p, m, k, de))), "derivative of attention.*1"),
    (SimpleNamespace(init=additive.init), "has no Params, keys")])
def test_what_is_wrong_with_a_score_is_named(score, said):
    with pytest.raises(AssertionError, match=said):
        check_score(score)


def test_readmes_cell_of_your_own(tmp_path, capsys):
    """The section's code runs as it stands there: a cell in at most 40 lines, checked, and trained."""
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    section = text.split("### Add your own cell in 40 lines\n")[1].split("\n## ")[0].split("\n### ")[0]
    cell, use = re.findall(r"```python\n(.*?)```", section, re.S)
    assert len(cell.splitlines()) <= 40
    (tmp_path / "mgu.py").write_text(cell, encoding="utf-8")
    run = partial(exec, compile(use, "README.md", "exec"))
    with pytest.MonkeyPatch.context() as m:
        m.syspath_prepend(str(tmp_path))
        m.setitem(CELLS, "mgu", None)                                   # taken out again when the test ends
        run(names := {"__name__": "readme"})
        assert len(names["model"].translate(["ab", "ca"])) == 2 and names["model"].config.cell == "mgu"


def test_a_time_loop_that_gives_padding_a_gradient_is_refused(monkeypatch):
    from minis2s.layers import unroll
    from minis2s.layers.cells import lstm
    backward = unroll.backward

    def leaking(cell, p, k, dhs, d, mask):
        dxs, *rest = backward(cell, p, k, dhs, d, mask)
        return dxs + 1e-30 * ~mask[:, :, None], *rest
    monkeypatch.setattr(unroll, "backward", leaking)
    with pytest.raises(AssertionError, match="padding has a gradient"):
        check_cell(lstm)


def test_what_is_checked_cannot_be_changed():
    from minis2s.testing.checks import frozen
    with pytest.raises(ValueError, match="read-only"):
        frozen((np.ones(2), None))[0][0] = 5
