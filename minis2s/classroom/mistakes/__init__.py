"""The bank of mistakes: deliberately wrong implementations, each with the sentence that says what is wrong.

`minis2s.check` runs an exercise's bank on the inputs that a function got; equal numbers name the mistake.
Nothing here is ever shown as code.
"""
from . import (attention, attention_backward, beam, bptt, copying, decoder_backward, decoding, embedding, frame_input,
               frame_output, gated, gru_backward, learning, lstm_backward, lstm_bptt, normalization, outputs, recurrent,
               transformer)
from .mistake import Mistake    # noqa: F401

BANK = tuple(m for module in (
    outputs, embedding, recurrent, bptt, learning, gated, lstm_backward, lstm_bptt, gru_backward, attention,
    attention_backward, decoding, beam, decoder_backward, normalization, transformer, frame_input, frame_output,
    copying) for m in module.BANK)


def bank_of(name):
    """The Mistakes of an exercise."""
    return tuple(m for m in BANK if m.exercise == name)
