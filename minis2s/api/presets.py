"""Presets: settings of model and training that suit a kind of data, and how many epochs a data set needs.

All have attention before the cell, so that what was attended to is part of the next state (Bahdanau et al. 2015), an
encoder that reads in both directions, and a step size that falls evenly to a hundredth.  They differ in sizes, in
dropout and in the number of updates.
"""
import math
from dataclasses import fields
from typing import Any, NamedTuple

from ..data.frames import UNITS as FRAME_UNITS
from ..model.config import Config
from ..training.options import Training

SHARED = dict(bidirectional=True, attention_order="before", fusion="tanh", lr=3e-3, lr_final=3e-5, clip=1.0, batch=64,
              patience=10)
# of SHARED: choices that may contradict what a person asks for
STRUCTURE = ("bidirectional", "attention_order", "fusion")
OLD_NAMES = {"order", "activation", "reset"}            # of Config in version 0.1, which Config.from_json understands
ENOUGH = 10_000                 # pairs from which on the kind of units decides, and not the small number of pairs
MOST_EPOCHS = 100


class Preset(NamedTuple):
    """Settings for a kind of data."""
    summary: str                # for what
    options: dict               # of Config and Training
    dropout: tuple              # (pairs, dropout): the dropout where there are fewer pairs than that, in rising order
    epochs: int                 # at least
    updates: int                # at least: a small data set has more epochs


PRESETS = {
    "small": Preset("some thousand short pairs, words or characters",
                    dict(SHARED, hidden=128, embedding=64, batch=32), ((3_000, 0.3), (math.inf, 0.1)), 10, 8_000),
    "characters": Preset("spelling: pronunciation, inflection, transliteration, numbers",
                         dict(SHARED, hidden=192, embedding=96), ((20_000, 0.1), (math.inf, 0.2)), 10, 8_000),
    "frames": Preset("sounds, pictures and arrays (--source-units wav, png, npy)",
                     dict(SHARED, source="frames", stack=3, hidden=128, embedding=96, batch=32), ((math.inf, 0.2),),
                     10, 2_000),
    "frames-out": Preset("sounds and arrays that are written (--target-units wav, npy)",
                         dict(SHARED, target="frames", frames_per_step=4, hidden=128, embedding=64, batch=32),
                         ((math.inf, 0.1),), 10, 2_000),
    "translation": Preset("sentences, in words or sub-words",
                          dict(SHARED, hidden=256, embedding=192, label_smoothing=0.1),
                          ((100_000, 0.4), (1_000_000, 0.3), (math.inf, 0.2)), 11, 6_500),
}


def choose(pairs: Any, *units: str) -> str:
    """The name of the preset for so many training pairs, cut into these units."""
    if units[1:] and units[1] in FRAME_UNITS:
        return "frames-out"
    if units[0] in FRAME_UNITS:
        return "frames"
    if pairs < ENOUGH:
        return "small"
    return "translation" if any(unit == "word" or unit.startswith("bpe:") for unit in units) else "characters"


def options(name: str, pairs: Any) -> dict:
    """The options of Config and Training that a preset sets for so many training pairs: -> dict.

    Raises
    ------
    ValueError
        There is no such preset.
    """
    if name not in PRESETS:
        raise ValueError(f"preset={name!r}: choose one of {', '.join(PRESETS)}")
    preset = PRESETS[name]
    batches = math.ceil(pairs / preset.options["batch"])
    epochs = min(MOST_EPOCHS, max(preset.epochs, math.ceil(preset.updates / batches)))
    dropout = next(value for limit, value in preset.dropout if pairs < limit)
    return {**preset.options, "dropout": dropout, "epochs": epochs}


def combine(preset: dict, asked: dict) -> tuple:
    """A preset's options less those that what a person asked for leaves no room for: -> Config, Training.

    Parameters
    ----------
    preset, asked : dict
        Options of Config and Training; those of `asked` are kept.

    Raises
    ------
    ValueError, TypeError
        The options asked for cannot be, whatever the preset.
    """
    names = {f.name for f in fields(Config)} | OLD_NAMES
    if "lr" in asked and "lr_final" in preset:
        preset = {**preset, "lr_final": asked["lr"] * preset["lr_final"] / preset["lr"]}

    def built(options: dict) -> tuple:
        both = {**options, **asked}
        return (Config.from_json({k: v for k, v in both.items() if k in names}),
                Training(**{k: v for k, v in both.items() if k not in names}))
    try:
        return built(preset)
    except ValueError:
        return built({name: value for name, value in preset.items() if name not in STRUCTURE})


def description(name: str, preset: dict) -> str:
    """One line that says what a preset sets."""
    return f"preset   {name}: " + ", ".join(f"{key.replace('_', '-')} {value}" if value is not True else key
                                            for key, value in preset.items())


def table(pairs: Any) -> str:
    """All presets, with what they set for so many pairs, as text."""
    lines = [(description(name, options(name, pairs)).removeprefix("preset").strip(), preset.summary)
             for name, preset in PRESETS.items()]
    return "".join(f"  {line}\n      for {summary}\n" for line, summary in lines)
