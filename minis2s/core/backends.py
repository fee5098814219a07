"""Who computes the hot loops: "numpy", whose every line can be stepped through, or "numba", the twins.

The twin of a module stands in kernels/ under the same name, with those of its functions that take time:
kernels/unroll.py for unroll.py. This is the one place that chooses.  The environment variable MINIS2S_BACKEND
overrides what the program says. Numba is imported when a twin is first used, not before.
"""
import os
from contextlib import nullcontext
from functools import cache
from importlib import import_module

from ..kernels.runtime import memory    # noqa: F401  memory acts by being there, for both

BACKENDS = ("numpy", "numba")
MOST_THREADS = 256


def chosen(backend):
    """The backend to use where `backend` was asked for: MINIS2S_BACKEND if set; ValueError for an unknown
    one."""
    name = os.environ.get("MINIS2S_BACKEND") or backend
    if name not in BACKENDS:
        source = "MINIS2S_BACKEND" if os.environ.get("MINIS2S_BACKEND") else "backend"
        raise ValueError(f"{source}={name!r}: choose one of {', '.join(BACKENDS)}")
    return name


def module(name, backend):
    """The module minis2s.`name`, or its twin."""
    return imported(f"minis2s.kernels.{name}" if chosen(backend) == "numba" else f"minis2s.{name}")


imported = cache(import_module)    # asked many times in a step, and importlib is slow to say what it has


def cores():
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads(otherwise):
    """How many threads MINIS2S_THREADS says, or `otherwise`; ValueError unless a whole number, 1 .. 256."""
    word = os.environ.get("MINIS2S_THREADS") or str(otherwise)
    if not word.isdecimal() or not 1 <= int(word) <= MOST_THREADS:
        raise ValueError(f"MINIS2S_THREADS={word!r}: wanted a whole number, 1 .. {MOST_THREADS}")
    return int(word)


def use_threads(backend, count):
    """Let the compiled kernels use so many threads, if `backend` is they; None: as MINIS2S_THREADS says, or all cores.
    ValueError unless 1 .. 256."""
    if count is None:
        count = threads(min(cores(), MOST_THREADS))
    if not 1 <= count <= MOST_THREADS:
        raise ValueError(f"threads={count}: wanted 1 .. {MOST_THREADS}")
    if chosen(backend) == "numba":
        import_module("minis2s.kernels.runtime.threads").use(count)


def compiled_ahead(backend, config, optimizer):
    """A context in which another process compiles what a training by `backend` needs later: -> a function that waits
    for it (see kernels/ahead.py)."""
    if chosen(backend) == "numpy":
        return nullcontext(lambda: None)
    return import_module("minis2s.kernels.runtime.precompile").compiled_ahead(config, optimizer)
