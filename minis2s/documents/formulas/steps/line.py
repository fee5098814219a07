"""One line of a tiny example, and how numbers are written in it."""
from typing import NamedTuple

import numpy as np


class Line(NamedTuple):
    mark: str                  # of the equation, "" where it has none
    what: str                  # in symbols
    numbers: str               # the same in numbers; "" where the value is given
    value: float


def n(x):
    """A number as it is written in a product: at most four decimals, in brackets where negative."""
    text = f"{round(float(x), 4) + 0.0:.4f}".rstrip("0").rstrip(".")
    return f"(−{text[1:]})" if text.startswith("-") else text


def given(**numbers):
    """Lines that name what is given."""
    return [Line("", name, "", value) for name, value in numbers.items()]


def mat(*rows):
    return np.array(rows, dtype=float)


def num(a):
    """The only entry of an array."""
    return float(np.ravel(a)[0])
