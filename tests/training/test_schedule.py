"""Schedules of the step size: (LR1) and (LR2), the paper's formula, and that training follows them."""
import math
from dataclasses import replace

import pytest

from minis2s.model.config import Config
from minis2s.training import loop, schedule
from minis2s.training.options import Training

SMALL = Config(source_vocab=8, target_vocab=8, embedding=3, hidden=2)
PAIRS = [([4, 5], [5, 4]), ([6], [6]), ([7, 4], [4, 7]), ([5], [5])]


def test_warm_up_alone():
    """(LR1)"""
    assert [schedule.factor("constant", 4, t) for t in (1, 2, 4, 5, 100)] == [0.25, 0.5, 1, 1, 1]
    assert [schedule.factor("constant", None, t) for t in (1, 100)] == [1, 1]


def test_inverse_square_root_is_the_papers():
    """(LR2) with lr = (D w)^-0.5"""
    D, w = 512, 4000
    for t in (1, 7, 3999, 4000, 4001, 100000):
        paper = D ** -0.5 * min(t ** -0.5, t * w ** -1.5)
        assert (D * w) ** -0.5 * schedule.factor("inverse-sqrt", w, t) == pytest.approx(paper, rel=1e-14)
    assert schedule.factor("inverse-sqrt", w, w) == 1


@pytest.mark.parametrize("change, want", [
    (dict(warmup=3), [1 / 3, 2 / 3, 1, 1, 1, 1]),
    (dict(warmup=2, schedule="inverse-sqrt"), [1 / 2, 1, *(math.sqrt(2 / t) for t in (3, 4, 5, 6))]),
    (dict(warmup=2, lr_final=0.05), [1 / 2, *(1 - k / 12 for k in range(1, 6))]),
])
def test_training_follows_it(monkeypatch, change, want):
    """Six steps, two in each of three epochs; with lr_final=lr/2 the two factors are multiplied."""
    training, seen, step = Training(epochs=3, batch=2, lr=0.1, lr_patience=9, **change), [], loop.one_step
    monkeypatch.setattr(loop, "one_step", lambda c, t, p, b, lr, *rest: seen.append(lr) or step(c, t, p, b, lr, *rest))
    loop.run(SMALL, training, PAIRS, PAIRS)
    if change.get("lr_final"):
        want = [0.5 * 1.0, *want[1:]]
    assert seen == pytest.approx([0.1 * x for x in want], rel=1e-12)


@pytest.mark.parametrize("sentence, change", [
    ("schedule='cosine': wanted one of constant, inverse-sqrt", dict(schedule="cosine")),
    ("schedule=inverse-sqrt falls from the end of the warm-up on; give warmup, a number of steps",
     dict(schedule="inverse-sqrt")),
    ("lr_final=0.1 with schedule=inverse-sqrt: choose one way for the step size",
     dict(schedule="inverse-sqrt", warmup=5, lr_final=0.1)),
    ("warmup=0: wanted 1 or more", dict(warmup=0)),
])
def test_impossible_options(sentence, change):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        replace(Training(), **change)
