"""Exercises: write softmax, an LSTM's backward, a loss of frames, a readout that copies, and have it checked.

An Exercise holds the equation, the function to write (plain arrays in and out), inputs on which mistakes
show, three hints, and a reference: the library's own code.  `minis2s exercise list` shows all of them.
"""
import difflib

from . import (attention, copying, decoding, frame_input, frame_output, gated, learning, normalization, outputs,
               recurrent, transformer)
from .exercise import Exercise    # noqa: F401

EXERCISES = {e.name: e for module in (outputs, recurrent) for e in module.EXERCISES}
EXERCISES.update((e.name, e) for e in (*learning.EXERCISES, *gated.EXERCISES, *attention.EXERCISES, *decoding.EXERCISES,
                                       *normalization.EXERCISES, *transformer.EXERCISES, *frame_input.EXERCISES,
                                       *frame_output.EXERCISES, *copying.EXERCISES, *recurrent.COMPILED))


def find(name):
    """The Exercise of this name; "lstm_step" is "lstm-step".

    Raises
    ------
    TypeError
        `name` is no string.
    ValueError
        There is none; the message suggests the nearest.
    """
    if not isinstance(name, str):
        raise TypeError(f"name: got {type(name).__name__}, wanted the name of an exercise, such as 'softmax'")
    key = name.strip().lower().replace("_", "-").removesuffix(".py")
    if key in EXERCISES:
        return EXERCISES[key]
    near = difflib.get_close_matches(key, EXERCISES, n=3, cutoff=0.4)
    meant = f"did you mean {' or '.join(near)}?" if near else "`minis2s exercise list` shows all"
    raise ValueError(f"no exercise {name!r}; {meant}")
