"""What a live example is, and words to write one with."""
from typing import Any, Callable, NamedTuple

import numpy as np


class Example(NamedTuple):
    """One part at work on small numbers, by the oracle and by the library.

    draw : (rng, N) -> {name: float64 array}, all that the outputs depend on smoothly
    live : plain Python, {name: nested lists} -> {output: nested lists}, for N = 1; uses nothing but `oracle` and
        `blocks`; its source is part of the page
    forward : {name: array} -> {output: array}, cache
    backward : inputs, cache, {output: gradient} -> {input: gradient}; None: there is none
    silent : outputs of which no gradient arrives
    also : mark -> {symbol: name}, for equations whose line no tracer can follow, or whose line makes but a part of
        what the oracle has; the name is that of an output, "d" and an input, or "(FF2*) da": a symbol of another mark
    plain : the oracle's function needs plain floats
    """
    name: str
    draw: Callable
    live: Callable
    forward: Callable
    backward: Callable | None
    silent: tuple = ()
    also: dict = {}
    plain: bool = False


def normal(rng, *shape):
    """Random numbers of a size that saturates nothing."""
    return 0.8 * rng.normal(size=shape)


def lengths(T, N):
    """T steps are real in the first example, one less in the second, ...; mask (T, N)."""
    return np.arange(T)[:, None] < np.maximum(1, T - np.arange(N))


def arriving(rng, example, outputs):
    """Random gradients that arrive at the outputs; at a loss L, dL/dL = 1."""
    return {name: np.asarray(1.0 if name == "L" else rng.normal(size=np.shape(a))) for name, a in outputs.items()
            if name not in example.silent} if example.backward else {}


def zeros(d: dict, name: str, like: Any) -> Any:
    """The gradient that arrives at an output, zeros where none does."""
    return d.get(name, np.zeros_like(like))
