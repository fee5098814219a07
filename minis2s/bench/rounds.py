"""Sides take turns, each in a process of its own.

    this process          numpy process      numba process      torch process
        │ seconds ────────────>│ a block            .                  .
        │ <── time of a call ──│                    .                  .
        │ seconds ─────────────────────────────────>│ a block          .          one works, the others wait
        │ ...                                                                     round after round
        └─> ratio of each round; median and quartiles of the ratios

Each has its own process, so that thread pools and caches of one do not disturb another; they take turns, so
that what the machine does beside meets all alike.  Who begins changes from round to round. Between blocks
there is a pause: threads of BLAS and of OpenMP wait for new work in a busy loop before they sleep.  A ratio
is (time of that side) / (time of Numba) in the same round.

For layers one more takes its turns, "peak": it multiplies and adds as fast as the machine can, with as many
threads.
"""
import json
import os
import subprocess
import sys
import time
from importlib.util import find_spec

import numpy as np

from .cases import multiply_adds
from .limits import multiply_adds_of_peak

SIDES = ("numpy", "numba", "torch")
PAUSE = 0.15                    # seconds; OpenBLAS's threads spin for up to 100 ms
LONGEST = 3.0                   # seconds; where NumPy needs more for a call it is left out
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS",
         "VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS", "MINIS2S_THREADS")


def sides():
    """Who can be measured here."""
    return [side for side in SIDES if side != "torch" or find_spec("torch")]


def environment(threads):
    """This process's, with so many threads for everybody, and sides that are what they are called."""
    env = {**os.environ, **dict.fromkeys(POOLS, str(threads))}
    env.pop("MINIS2S_BACKEND", None)
    return env


class Worker:
    """A side in a process of its own."""

    def __init__(self, side, case, threads):
        self.side = side
        command = [sys.executable, "-m", __package__, side, str(threads), json.dumps(case)]
        self.process = subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env=environment(threads))

    def block(self, seconds):
        """Work for about so long: -> median seconds of one call."""
        try:
            self.process.stdin.write(f"{seconds}\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise OSError(f"bench: the process of {self.side} ended early; its message stands above")
        return float(answer)

    def end(self):
        """Let it go."""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()
        self.process.stdout.close()


def take_turns(workers, rounds, seconds):
    """-> {side: seconds of a call in each round}, without NumPy where it needs too long."""
    first = {side: w.block(0) for side, w in workers.items()}          # ready before the first round
    able = [side for side in workers if side != "numpy" or first[side] <= LONGEST]
    times = {side: [] for side in able}
    for r in range(rounds):
        at = r % len(able)
        for side in able[at:] + able[:at]:
            time.sleep(PAUSE)
            times[side].append(workers[side].block(seconds))
    return times


def quartiles(values):
    """-> [lower quartile, median, upper quartile]"""
    return [float(q) for q in np.quantile(values, (0.25, 0.5, 0.75))]


def measure(case, threads=1, rounds=7, seconds=0.1, who=None):
    """Time one case on all sides in turn.

    Parameters
    ----------
    case : dict
        See cases.py.
    threads : int
        Of every side.
    rounds : int
        Turns that each side takes.
    seconds : float
        Length of a turn.
    who : list of str, optional
        The sides, "numba" among them; None: all that are installed.

    Returns
    -------
    dict
        The case and `threads`; `sides`: for each its `seconds` (median of a call) and `ratio`, its time over
        Numba's as [lower quartile, median, upper quartile]. Layers also have the `peak` that was measured
        beside them, in multiply-adds a second of all threads together, and each side `share_of_peak`.
    """
    work, workers = multiply_adds(case), {}
    try:
        for side in (who or sides()) + (["peak"] if work else []):
            workers[side] = Worker(side, case, threads)
        times = take_turns(workers, rounds, seconds)
    finally:
        for w in workers.values():
            w.end()
    best, rows = times.pop("peak", None), {}
    for side, spent in times.items():
        rows[side] = {"seconds": float(np.median(spent)),
                      "ratio": quartiles([a / b for a, b in zip(spent, times["numba"])])}
        if work:
            limits = [multiply_adds_of_peak(threads) / b for b in best]
            rows[side]["share_of_peak"] = float(np.median([work / a / b for a, b in zip(spent, limits)]))
    return {**case, "threads": threads, **({"peak": float(np.median(limits))} if work else {}), "sides": rows}
