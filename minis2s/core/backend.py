"""A backend: one implementation of everything that training, evaluation and decoding compute.

There are three.  `training.reference.NUMPY` is the readable code, whose every line can be stepped through;
`kernels.backend.NUMBA` is the compiled code, which mirrors it file by file and is fast; `pytorch.backend` trains the
same models on PyTorch, for a GPU or for several processes.  Users name them by the strings "numpy", "numba" and
"torch"; `api.backends.choose` turns the name into the value, and is the only place that imports the compiled
implementation.  Code that computes receives the value and calls its functions.
"""
import os
from collections.abc import Callable
from typing import Any, NamedTuple

MOST_THREADS = 256
COMPILATION_LISTENERS: list = []   # functions that receive the name of each kernel that is about to be compiled


def same(value: Any) -> Any:
    """What it is given."""
    return value


class Backend(NamedTuple):
    """The functions of one implementation; each is documented where the reference implementation defines it."""
    name: str                      # what users type: "numpy", "numba", or "torch" with a device behind it
    # a whole model: minis2s/model/seq2seq.py
    forward: Callable              # p, config, batch, teacher, masks -> loss, logits, cache
    backward: Callable             # p, config, cache -> gradient
    loss_and_gradient: Callable    # p, config, batch, teacher, masks -> loss, gradient
    logits: Callable               # p, config, batch, teacher -> logits
    forced_and_free: Callable      # p, config, batch -> logits with targets fed, logits with the model's own tokens fed
    # one step of training: minis2s/training/update.py
    loss_and_update: Callable      # p, config, batch, teacher, masks, optimizer's state and options -> loss, new p, ...
    # searches for outputs: minis2s/decoding/
    greedy: Callable
    beam: Callable
    sample: Callable
    exact: Callable
    write: Callable                # of frames; nothing is searched for
    # one recurrent layer over time: minis2s/layers/unroll.py
    unroll: Callable
    unroll_backward: Callable
    # what only the compiled implementation needs; the reference has functions that do nothing
    use_threads: Callable          # number of threads, or None for the usual number
    description: Callable          # -> a few words for people: what computes, with how many threads
    precompile: Callable           # config, optimizer -> context manager of a function that waits, see kernels/runtime
    # what only PyTorch needs, whose arrays may be on another device, and whose processes may be several
    arrays: Callable = same        # a tree of this implementation's arrays -> the same of NumPy's
    agree: Callable = same         # whole numbers -> for each the greatest that any of the processes has that train
    from_first: Callable = same    # a value -> that of the first of these processes


def processes() -> tuple[int, int]:
    """The number of this process, from 0, among those that train one model together, and how many they are.

    So torchrun says; 0 and 1 for a process that it did not start.
    """
    return int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads(otherwise: int) -> int:
    """How many threads MINIS2S_THREADS says, or `otherwise`; ValueError unless a whole number, 1 .. 256."""
    word = os.environ.get("MINIS2S_THREADS") or str(otherwise)
    if not word.isdecimal() or not 1 <= int(word) <= MOST_THREADS:
        raise ValueError(f"MINIS2S_THREADS={word!r}: wanted a whole number, 1 .. {MOST_THREADS}")
    return int(word)


def thread_count(count: int | None = None) -> int:
    """`count`, or for None the number that MINIS2S_THREADS says, or one for each core; ValueError unless 1 .. 256."""
    if count is None:
        count = threads(min(cores(), MOST_THREADS))
    if not 1 <= count <= MOST_THREADS:
        raise ValueError(f"threads={count}: wanted 1 .. {MOST_THREADS}")
    return count
