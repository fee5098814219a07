"""Presets: what each sets, for how many pairs, and what gives way to a person's own choices."""
import math

import pytest

from minis2s import Config, Training
from minis2s.api import presets


@pytest.mark.parametrize("pairs, units, name", [
    (300, ("word", "word"), "small"), (9_999, ("char", "char"), "small"), (10_000, ("char", "space"), "characters"),
    (27_000, ("word", "char"), "translation"), (27_000, ("char", "bpe:4000"), "translation"),
    (27_000, ("wav", "char"), "frames"), (27_000, ("word", "wav"), "frames-out"), (9, ("npy", "npy"), "frames-out"),
])
def test_units_and_number_of_pairs_decide(pairs, units, name):
    assert presets.choose(pairs, *units) == name


@pytest.mark.parametrize("name", presets.PRESETS)
@pytest.mark.parametrize("pairs", [1, 100, 3_000, 20_000, 100_000, 5_000_000])
def test_every_preset_makes_a_model_that_gets_enough_updates(name, pairs):
    options = presets.options(name, pairs)
    config, training = presets.combine(options, {})
    batches = math.ceil(pairs / training.batch)
    assert training.epochs == presets.MOST_EPOCHS or training.epochs * batches >= presets.PRESETS[name].updates
    assert training.epochs >= presets.PRESETS[name].epochs and training.lr_final < training.lr / 50
    assert config.attention_order == "before" and config.bidirectional and config.dropout == options["dropout"]


def test_more_pairs_need_less_dropout_and_fewer_epochs():
    for name in presets.PRESETS:
        sizes = [presets.options(name, pairs) for pairs in (1_000, 10_000, 2_000_000)]
        assert sizes[0]["epochs"] >= sizes[1]["epochs"] >= sizes[2]["epochs"] == presets.PRESETS[name].epochs
    assert [presets.options("translation", n)["dropout"] for n in (99_999, 100_000, 1_000_000)] == [0.4, 0.3, 0.2]


def test_what_is_asked_for_goes_first():
    preset = presets.options("characters", 50_000)
    config, training = presets.combine(preset, {"hidden": 8, "epochs": 2, "lr": 0.03})
    assert (config.hidden, training.epochs, training.lr) == (8, 2, 0.03) and config.embedding == preset["embedding"]
    assert training.lr_final == pytest.approx(3e-4)                     # a hundredth of the step size, as it was
    assert presets.combine(preset, {"lr": 0.03, "lr_final": 0.01})[1].lr_final == 0.01


@pytest.mark.parametrize("asked", [dict(attention="dot"), dict(bridge="copy"), dict(cell="rnn", attention="scaled")])
def test_choices_that_two_directions_leave_no_room_for(asked):
    config, _ = presets.combine(presets.options("small", 100), asked)
    assert not config.bidirectional and config.hidden == 128
    assert all(getattr(config, name) == value for name, value in asked.items())


def test_what_cannot_be_stays_refused():
    with pytest.raises(ValueError, match="reset|cell"):
        presets.combine(presets.options("small", 100), dict(reset="after"))
    known = "small, characters, frames, frames-out, translation"
    with pytest.raises(ValueError, match=f"preset='huge': choose one of {known}"):
        presets.options("huge", 5)
    assert presets.combine({}, {}) == (Config(), Training())


def test_the_help_lists_all():
    text = presets.table(20_000)
    assert all(f"  {name}: " in text and preset.summary in text for name, preset in presets.PRESETS.items())


def test_a_preset_in_one_line():
    line = presets.description("small", presets.options("small", 100))
    assert line.startswith("preset   small: bidirectional, attention-order before")
    assert "epochs 100" in line and "\n" not in line
