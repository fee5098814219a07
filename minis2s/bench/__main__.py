"""A side at work in a process of its own: python -m minis2s.bench SIDE THREADS CASE, the case as JSON.

Each line of standard input is a number of seconds to work for, answered by the median seconds of a call. A
memory case is answered by its row, at once.
"""
import json
import statistics
import sys
import time

from . import memory, ours

LONG = 1.0                      # seconds of a call that needs no company


def make(side, threads, case):
    """-> the function to be timed."""
    if side == "torch":
        from . import pytorch
        return pytorch.make(threads, **case)
    if side == "peak":
        from . import limits
        return limits.make(threads)
    return ours.make(side, threads, **case)


def block(run, seconds):
    """Work for about so long: -> median seconds of a call, at least three if they are short.

    The first one fills the caches that the other sides' blocks have emptied, and does not count, unless it
    takes a second.
    """
    end, times = None, []
    while not times or time.perf_counter() < end or len(times) < 4 and times[-1] < LONG:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
        end = end or time.perf_counter() + seconds
    return statistics.median(times if len(times) == 1 else times[1:])


def main(side, threads, case):
    """Answer until standard input ends."""
    threads, case = int(threads), json.loads(case)
    if case["case"] == "memory":
        print(json.dumps(memory.account(side, threads, case)))
        return
    run = make(side, threads, case)
    run()                                                      # compile, or load what was compiled
    for line in sys.stdin:
        print(block(run, float(line)), flush=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:4])
    except KeyboardInterrupt:                                  # who asked has it too, and tells
        sys.exit(130)
