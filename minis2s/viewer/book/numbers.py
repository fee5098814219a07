"""What each equation computes in its live example: the library's numbers, bound to the oracle's.

The library's side is traced: every quantity that a marked line makes.  The oracle's side is the list of all numbers
that its equations make, with their gradients (live/engine.py).  Each number of the one is sought in the other by value,
to 1e-12, for five draws of the inputs; what is found is bound, and the page shows the oracle's number in its place.
Names need not agree, nor layouts: a packed gate finds its own block.
"""
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ...documents import equations
from ..trace import trace
from .examples import EXAMPLES
from .examples.example import arriving
from .live import source

BOUND, SEEDS = 1e-12, (1, 2, 3, 4, 5)
VALUE, GRADIENT, ZERO = "v", "g", "0"
ALSO = -1                      # in place of an occurrence: what the example adds by hand


class Bound(NamedTuple):
    """A quantity of an equation, and where the oracle's trace has each of its numbers.

    where : for each number (kind, place): of a value, a gradient, or a number that is always 0
    """
    mark: str
    name: str
    times: int                 # how often the name was made before on lines of this mark
    shape: tuple
    where: tuple


class Run(NamedTuple):
    """One run of an example, by the library and by the oracle."""
    inputs: list               # (name, shape, flat values), as the engine takes them
    quantities: dict           # (mark, name, occurrence) -> array: the library's
    values: np.ndarray         # the oracle's numbers
    gradients: np.ndarray
    heads: list                # (function, mark, name, first place)
    L: float
    outputs: dict              # the library's, by name
    grads: dict                # the library's, by the input's name


def flat(name, a):
    """An array as the engine takes it."""
    return name, list(np.shape(a)), [float(x) for x in np.ravel(a)]


def run(example, seed, given=None):
    """Run an example on drawn or given inputs (name -> array, "arrives:name" too)."""
    rng = np.random.default_rng(seed)
    v: dict[str, Any] = example.draw(rng, 1)
    if given:
        v = {name: np.reshape(given[name], np.shape(a)) for name, a in v.items()}
    with trace() as tr:
        outputs, k = example.forward(v)
        d = arriving(rng, example, outputs)
        if given:
            d = {name: np.reshape(given[f"arrives:{name}"], np.shape(a)) for name, a in d.items()}
        full = {name: d.get(name, np.zeros_like(a)) for name, a in outputs.items()}
        grads = example.backward(v, k, full) if example.backward else {}
    inputs = [flat(name, a) for name, a in v.items()] + [flat(f"arrives:{name}", a) for name, a in d.items()]
    engine, space = source.engine()
    live = live_function(example, space)
    L, values, gradients = engine.compute(live, inputs, example.plain)
    return Run(inputs, quantities(example, tr, outputs, grads), np.array(values), np.array(gradients),
               list(engine.HEADS), L, outputs, grads)


def live_function(example, space):
    """The example's function from its source, as the page runs it."""
    names = {"oracle": space, "blocks": source.blocks}
    exec(source.function(example.live), names)
    return names[example.live.__name__]


def quantities(example, tr, outputs, grads):
    """{(mark, name, how often before): array} of all that marked lines make, and what the example adds by hand."""
    found: dict[tuple, Any] = {}
    counts: dict[tuple, int] = {}
    for e in tr.entries:
        if e.role == "out" and np.size(e.value):
            for mark in e.marks:
                wanted = e.phase == "backward" or not equations.is_derivative(mark)
                if wanted and np.asarray(e.value).dtype.kind == "f":
                    n = counts[mark, e.name] = counts.get((mark, e.name), -1) + 1
                    found[mark, e.name, n] = np.asarray(e.value)
    for mark, names in example.also.items():
        for symbol, name in names.items():
            if name.startswith("("):
                a = found[(*name.split(), 0)]
            elif name in outputs and not equations.is_derivative(mark):
                a = outputs[name]
            else:
                a = grads[name[1:]]
            found[mark, symbol, ALSO] = np.asarray(a, dtype=float)
    return found


def bind(example):
    """-> the first Run of an example, [Bound] of it, [(mark, name)] of what the oracle has no number for."""
    runs = [run(example, seed) for seed in SEEDS]
    bound, free = [], []
    for key in runs[0].quantities:
        where = place(runs, key)
        if all(where):
            bound.append(Bound(*key, runs[0].quantities[key].shape, tuple(where)))
        else:
            free.append((key[0], key[1]))
    return runs[0], bound, free


def place(runs, key):
    """Where the oracle's trace has each number of a quantity, in all runs: [(kind, place), or None].

    Best is a place where they stand one behind the other; else each number is sought by itself.
    """
    wanted = np.array([r.quantities[key].ravel() for r in runs])
    kinds = (GRADIENT, VALUE) if equations.is_derivative(key[0]) else (VALUE,)
    found = [None if any(column) else (ZERO, 0) for column in wanted.T]
    for kind in kinds:
        there = np.array([r.gradients if kind == GRADIENT else r.values for r in runs])
        fits = [(np.abs(there - column[:, None]) <= BOUND * np.maximum(1.0, np.abs(column))[:, None]).all(axis=0)
                for column in wanted.T]
        starts = np.ones(max(0, there.shape[1] - len(fits) + 1), dtype=bool)
        for i, fit in enumerate(fits):
            starts = starts & fit[i:i + len(starts)]
        if starts.any() and not all(found):
            first = int(np.flatnonzero(starts)[0])
            return [one or (kind, first + i) for i, one in enumerate(found)]
        found = [one or ((kind, int(np.flatnonzero(fit)[0])) if fit.any() else None) for one, fit in zip(found, fits)]
    return found


@cache
def all_bound():
    """{name of example: (Run, [Bound], [free])}."""
    return {name: bind(example) for name, example in EXAMPLES.items()}
