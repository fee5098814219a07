"""Measure how long the hot loops take, how they grow, what they hold: NumPy, Numba, PyTorch where it is installed.
Start with cases.py, then rounds.py.

    cases.py    what is measured: names and sizes             ours.py, pytorch.py   the work, one call of it
    rounds.py   alternating sides, each in its own process     __main__.py           such a process
    growth.py   a straight line through times                 memory.py             bytes of a training step
    limits.py   the machine: its name, its peak               profiling.py          where the time goes
    table.py    rows as text, as Markdown, as JSON lines

It may import everything above bench/, and parts of the kernels, which it compares with those of the library.
"""
from .cases import NAMES, chosen
from .growth import grow
from .limits import machine, peak
from .memory import held
from .profiling import profile
from .rounds import measure, sides

__all__ = ["NAMES", "chosen", "grow", "held", "machine", "measure", "peak", "profile", "run", "sides"]


def run(case, threads=1, rounds=7, seconds=0.1):
    """Measure one case of any kind: -> its row, a dict."""
    row = {"growth": grow, "memory": held}.get(case["case"], measure)(case, threads, rounds, seconds)
    return {"machine": machine(), **row}
