"""A backend: one implementation of everything that training, evaluation and decoding compute.

There are two.  `training.reference.NUMPY` is the readable code, whose every line can be stepped through;
`kernels.backend.NUMBA` is the compiled code, which mirrors it file by file and is fast.  Users name them by the
strings "numpy" and "numba"; `api.backends.choose` turns the name into the value, and is the only place that imports
the compiled implementation.  Code that computes receives the value and calls its functions.
"""
import os
from collections.abc import Callable
from typing import NamedTuple

MOST_THREADS = 256


class Backend(NamedTuple):
    """The functions of one implementation; each is documented where the reference implementation defines it."""
    name: str                      # what users type: "numpy" or "numba"
    # a whole model: minis2s/model/seq2seq.py
    forward: Callable              # p, config, batch, teacher, masks -> loss, logits, cache
    backward: Callable             # p, config, cache -> gradient
    loss_and_gradient: Callable    # p, config, batch, teacher, masks -> loss, gradient
    logits: Callable               # p, config, batch, teacher -> logits
    # one step of training: minis2s/training/update.py
    loss_and_update: Callable      # p, config, batch, teacher, masks, optimizer's state and options -> loss, new p, ...
    # searches for outputs: minis2s/decoding/
    greedy: Callable
    beam: Callable
    sample: Callable
    exact: Callable
    # one recurrent layer over time: minis2s/layers/unroll.py
    unroll: Callable
    unroll_backward: Callable
    # what only the compiled implementation needs; the reference has functions that do nothing
    use_threads: Callable          # number of threads, or None for the usual number
    description: Callable          # -> a few words for people: what computes, with how many threads
    precompile: Callable           # config, optimizer -> context manager of a function that waits, see kernels/runtime


def cores():
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads(otherwise):
    """How many threads MINIS2S_THREADS says, or `otherwise`; ValueError unless a whole number, 1 .. 256."""
    word = os.environ.get("MINIS2S_THREADS") or str(otherwise)
    if not word.isdecimal() or not 1 <= int(word) <= MOST_THREADS:
        raise ValueError(f"MINIS2S_THREADS={word!r}: wanted a whole number, 1 .. {MOST_THREADS}")
    return int(word)


def thread_count(count=None):
    """`count`, or for None the number that MINIS2S_THREADS says, or one for each core; ValueError unless 1 .. 256."""
    if count is None:
        count = threads(min(cores(), MOST_THREADS))
    if not 1 <= count <= MOST_THREADS:
        raise ValueError(f"threads={count}: wanted 1 .. {MOST_THREADS}")
    return count
