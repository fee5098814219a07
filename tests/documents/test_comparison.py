"""LSTM against Transformer: fair sizes and budgets, and a verdict that numbers decide."""
import json

import numpy as np
import pytest

from minis2s.cli import main as cli
from minis2s.documents import comparison as compare
from minis2s.documents.claims import FAILS, HOLDS, IN_PART
from minis2s.documents.claims.claim import plain
from minis2s.documents.claims.small import parameters
from minis2s.viewer.claims import figure

NAMES = ("lstm", "transformer")
TINY = compare.Sizes(40, 8, 6, 2, 2, 8, 2, (0.5, 1.0), 32)


def test_both_have_nearly_as_many_parameters():
    for hidden in (32, 64):
        both = compare.configs(12, 14, hidden)
        sizes = [parameters(c) for c in both.values()]
        assert max(sizes) / min(sizes) < 1.15, sizes
        assert both["transformer"].hidden % compare.HEADS == 0 and both["lstm"].context == "attention"


@pytest.fixture(scope="module")
def numbers():
    """A comparison of tiny models on reversed strings of 1 to 4 letters, tested up to 6."""
    rng = np.random.default_rng(0)

    def examples(count, longest):
        xs = [rng.integers(4, 9, size=rng.integers(1, longest + 1)).tolist() for _ in range(count)]
        return [(x, x[::-1] + [2], str(x)) for x in xs]
    ticks = []
    train = [pair[:2] for pair in examples(40, 4)]
    found = compare.measured(compare.configs(9, 9, 8), TINY, (0, 1), train, examples(8, 4), examples(20, 6),
                             lambda share, text: ticks.append(share))
    assert ticks == sorted(ticks) and 0 <= ticks[0] and ticks[-1] < 1
    return json.loads(json.dumps(plain(found)))


def test_everything_is_measured_for_both(numbers):
    for name in NAMES:
        assert len(numbers["trials"][name]["losses"]) == 2
        assert np.array(numbers["data"][name]).shape == (2, 2) and len(numbers["length"][name]) == 2
        for curve in numbers["curves"][name]:
            steps, seconds, right = np.array(curve).T
            assert (np.diff(steps) > 0).all() and (np.diff(seconds) > 0).all() and ((right >= 0) & (right <= 1)).all()
        assert len(numbers["cost"][name]) == len(numbers["lengths"]) == 2
    assert numbers["parts"] == [20, 40] and numbers["longest"] == 5
    assert compare.beyond(numbers, inside=False).keys() == {"lstm", "transformer"}
    assert len(figure({"claim": "P15", "verdict": "", "panels": compare.panels(numbers)}).axes) == 5


def planted(numbers, **better):
    """The numbers with one winner for each question: lstm, transformer or None."""
    made = json.loads(json.dumps(numbers))
    score = {q: {name: 0.9 if better.get(q) == name else 0.5 for name in NAMES} for q in ("steps", "data", "longer")}
    for name in NAMES:
        made["curves"][name] = [[[10, 5.0, score["steps"][name]]]]
        made["data"][name] = [[score["data"][name], 1.0]]
        made["length"][name] = [[1.0 if high <= made["longest"] else score["longer"][name] for _, high in made["bins"]]]
    return made


def test_the_verdict_follows_the_numbers(numbers):
    T, L = "transformer", "lstm"
    for better, want in (({}, FAILS), (dict(steps=T), HOLDS), (dict(data=T), HOLDS), (dict(longer=T), HOLDS),
                         (dict(longer=L), FAILS), (dict(steps=T, data=L), IN_PART), (dict(steps=L, longer=T), IN_PART),
                         (dict(steps=L, data=L), FAILS)):
        verdict, because = compare.verdict(planted(numbers, **better))
        assert verdict == want, better
    said = " ".join(because)
    assert "lstm wins" in said and "level" in said and "A step's time grows" in said


def test_equal_seconds_are_those_of_the_quicker_one():
    curves = {"lstm": [[[1, 1.0, 0.1], [2, 2.0, 0.2]]], "transformer": [[[1, 3.0, 0.6], [2, 6.0, 0.9]]]}
    assert compare.at_equal_seconds(curves) == ({"lstm": 0.2, "transformer": 0.0}, 2.0)
    assert compare.slope([10, 20, 40], [1, 5, 20]) == pytest.approx(2)


def test_unknown_tasks(capsys, monkeypatch):
    monkeypatch.setattr(cli, "COMMANDS", ("compare",))
    assert cli.main(["compare", "nothing"]) == 2
    assert "task 'nothing': choose one of" in capsys.readouterr().err
