"""What is recorded: one quantity at one moment."""
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Entry(NamedTuple):
    """One quantity at one moment."""
    number: int                # entries are counted in the order of the computation
    marks: tuple               # of the equations on its line: ("(L4)",)
    name: str                  # as in the math: "c", "dh_prev" for the gradient of h'
    role: str                  # "out": what the equation gives; "in": what it reads
    t: int | None              # index of the step in the sequence, from 0; None for all steps at once
    layer: int | None
    direction: str | None      # "forward" or "backward" in a layer of two directions
    part: str                  # "encoder", "bridge", "decoder", "loss", ...
    phase: str                 # "forward" or "backward"
    token: str | None          # label of step t
    value: np.ndarray
    execution: int             # entries of one run of one line have the same
    inside: int | None         # the execution of the line that called this one: (L2) calls (F1)
    file: str
    line: int
    code: str                  # the line

    @property
    def mark(self):
        return " ".join(self.marks)

    @property
    def shape(self):
        return self.value.shape

    @property
    def where(self):
        """Folder, file and line: "cells/lstm.py:62"."""
        return f"{'/'.join(Path(self.file).parts[-2:])}:{self.line}"

    @property
    def place(self):
        """In words, with steps counted from 1: "decoder, t = 3, layer 0"."""
        t = None if self.t is None else self.t + 1
        parts = ((self.part, "{}"), (t, "t = {}"), (self.layer, "layer {}"),
                 (self.direction, "direction {}"))
        return ", ".join(words.format(value) for value, words in parts if value is not None)
