"""A small case of every formula: inputs, the library's forward and backward, and what the scalar oracle says.

A case's inputs are a tree of everything its outputs depend on smoothly (weights, inputs, states); ids and
masks are fixed when it is drawn.  The functions here only bring live code and oracle to one form:
inputs -> outputs (a tree), cache; inputs, cache, d -> gradients (a tree like the inputs); inputs -> what
plain Python answers.
"""
from collections import namedtuple
from functools import cache
from typing import Any, Callable, NamedTuple

import numpy as np

from ....core import tree
from ....testing import oracle as scalar


class Sizes(NamedTuple):
    """Sizes of a case, and the size of its numbers (0: all scores equal; 1000: all saturated)."""

    T: int = 6
    S: int = 3
    N: int = 2
    D: int = 3
    H: int = 4
    V: int = 5
    scale: float = 0.8


class Case(NamedTuple):
    inputs: Any                # a tree of float64 arrays
    forward: Callable          # inputs -> outputs (a tree), cache
    backward: Callable         # inputs, cache, outputs' gradients -> inputs' gradients; None: there is none
    oracle: Callable           # inputs -> outputs, computed by minis2s.testing.oracle
    silent: tuple = ()         # outputs that are compared only: backward takes no gradient of them


# Words -----------------------------------------------------------------------------------------------------


def fields(**parts):
    """A tree whose parts have these names; the same names give the same type."""
    return fields_type(tuple(parts))(*parts.values())


@cache
def fields_type(names):
    return namedtuple("Fields", names)


def normal(rng, z, *shape):
    return z.scale * rng.normal(size=shape)


def like(rng, z, t):
    """A tree of the form of `t` with random entries everywhere, biases included."""
    return tree.map(lambda a: normal(rng, z, *a.shape), t)


def lengths(rng, z):
    """N source lengths in 1..T, the first one T."""
    return [z.T, *rng.integers(1, z.T + 1, size=z.N - 1).tolist()]


def ragged(rng, z):
    """A mask (T, N): lengths in 1..T, the first one T."""
    return np.arange(z.T)[:, None] < np.array(lengths(rng, z))


def gates(a, letters):
    """Blocks packed on the last axis -> a dict of lists by the gates' letters, as oracle.py has them."""
    return {q: block.tolist() for q, block in zip(letters, np.split(a, len(letters), axis=-1))}


def naive_cell(name, p):
    """A cell as oracle.py wants it: a function (x, state) -> state."""
    if name.startswith("rnn"):
        W, U, b = (a.tolist() for a in p)
        return lambda x, h: scalar.rnn_step(W, U, b, x, h, phi="sigmoid" if name == "rnn-sigmoid" else "tanh")
    W, U, b = (gates(a, "ifgo" if name == "lstm" else "zrn") for a in p[:3])
    if name == "lstm":
        return lambda x, s: scalar.lstm_step(W, U, b, x, *s)
    if name == "gru":
        return lambda x, h: scalar.gru_step(W, U, b, x, h)
    return lambda x, h: scalar.gru_after_step(W, U, b, p.b_U.tolist(), x, h)


def state_of(s, n):
    """Example n of a State as oracle.py has it: h, or (h, c)."""
    parts = tuple(a[n].tolist() for a in s)
    return parts if len(parts) > 1 else parts[0]


def by_example(f, N):
    """f(n) -> a tuple of lists, for each example; stacked: a tuple of lists over n."""
    return tuple(zip(*(f(n) for n in range(N)), strict=True))


def time_first(examples):
    """Lists over n of lists over t -> lists over t of lists over n."""
    return [list(row) for row in zip(*examples, strict=True)]


def stacked(*blocks):
    """The documents' one matrix for [u; v]: the rows of u, then those of v, as lists."""
    return np.concatenate(blocks).tolist()
