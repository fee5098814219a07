"""Sides take turns, each in a process of its own.

    this process          numpy process      numba process      torch process
        │ seconds ────────────>│ a block            .                  .
        │ <── time of a call ──│                    .                  .
        │ seconds ─────────────────────────────────>│ a block          .          one works, the others wait
        │ ...                                                                     round after round
        └─> ratio of each round; median and quartiles of the ratios

Each has its own process, so that thread pools and caches of one do not disturb another; they take turns, so
that what else the machine does meets all alike.  Who begins changes from round to round. Between blocks
there is a pause: threads of BLAS and of OpenMP wait for new work in a busy loop before they sleep.  A ratio
is (time of that side) / (time of Numba) in the same round.

For layers one more takes its turns, "peak": it multiplies and adds as fast as the machine can, with as many
threads, in calls as long as Numba's.

Meanwhile the system is asked how much its processors worked.  What no side did, others did: then, or where the ratios
of the rounds differ much, the row is `doubtful`, and no ratio is printed.
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
from .load import Load

SIDES = ("numpy", "numba", "torch")
PAUSE = 0.15                    # seconds; OpenBLAS's threads spin for up to 100 ms
LONGEST = 3.0                   # seconds; where NumPy needs more for a call it is left out
BUSY = 0.15                     # cores; more work of others than this disturbs caches and memory
SPREAD = 0.25                   # between the quartiles of the ratios, as a share of their median
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
        """Work for about so long: -> median seconds of one call, processor seconds of the block."""
        try:
            self.process.stdin.write(f"{seconds}\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise OSError(f"bench: the process of {self.side} ended early; its message stands above")
        middle, spent = answer.split()
        return float(middle), float(spent)

    def end(self):
        """Let it go."""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()
        self.process.stdout.close()


def take_turns(workers, rounds, seconds):
    """-> {side: seconds of a call in each round}, without those that need too long; the cores that others used."""
    times, load = {side: [] for side in workers}, Load()
    for r in range(rounds):
        at = r % len(times)
        order = list(times)
        for side in order[at:] + order[:at]:
            time.sleep(PAUSE)
            with load:
                middle, spent = workers[side].block(seconds)
                load.own += spent
            times[side].append(middle)
    return times, load.others()


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
        besides them, in multiply-adds a second of all threads together, and each side `share_of_peak`.
        `others`: cores that other programs used meanwhile (None: not known); `doubtful`: why the figures are
        not to be trusted, or "".
    """
    work, workers = multiply_adds(case), {}
    try:
        workers = {side: Worker(side, case, threads) for side in who or sides()}
        first = {side: w.block(0)[0] for side, w in workers.items()}       # ready before the first round
        if first.get("numpy", 0.0) > LONGEST:
            workers.pop("numpy").end()
        if work:
            workers["peak"] = Worker("peak", {"case": "peak", "seconds": first["numba"]}, threads)
            workers["peak"].block(0)
        times, others = take_turns(workers, rounds, seconds)
    finally:
        for w in workers.values():
            w.end()
    best, rows = times.pop("peak", None), {}
    for side, spent in times.items():
        rows[side] = {"seconds": float(np.median(spent)),
                      "ratio": quartiles([a / b for a, b in zip(spent, times["numba"])])}
        if work:
            limits = [multiply_adds_of_peak(threads, first["numba"]) / b for b in best]
            rows[side]["share_of_peak"] = float(np.median([work / a / b for a, b in zip(spent, limits)]))
    return {**case, "threads": threads, **({"peak": float(np.median(limits))} if work else {}), "sides": rows,
            "others": others, "doubtful": doubt(rows, others)}


def doubt(rows, others):
    """Why the ratios of these sides are not to be trusted: one sentence, or ""."""
    if others is not None and others > BUSY:
        return f"other programs used {others:.1f} cores meanwhile"
    spread = max((high - low) / middle for low, middle, high in (side["ratio"] for side in rows.values()))
    return f"ratios of the rounds differ by {spread:.0%}" if spread > SPREAD else ""
