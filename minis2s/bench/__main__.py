"""A side at work in a process of its own: python -m minis2s.bench SIDE THREADS CASE, the case as JSON.

Each line of standard input is a number of seconds to work for, answered by the median seconds of a call and by the
processor time of the whole block. A memory case is answered by its row, at once.

The process stays on as many cores as it has threads. With one thread a call is timed by the processor time of the
process, so another program that interrupts it is not counted; with more threads by the clock on the wall.
"""
import json
import os
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
        return limits.make(threads, case.get("seconds", 0.0))
    return ours.make(side, threads, **case)


def pin(threads):
    """Stay on the last `threads` of the cores that this process may use, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])


def block(run, seconds, clock=None):
    """Work for about so long: -> median seconds of a call by this clock, at least three if they are short.

    The first one fills the caches that the other sides' blocks have emptied, and does not count, unless it
    takes a second.  The clock is the one on the wall, if none is given.
    """
    end, times, clock = None, [], clock or time.perf_counter
    while not times or time.perf_counter() < end or len(times) < 4 and times[-1] < LONG:
        start = clock()
        run()
        times.append(clock() - start)
        end = end or time.perf_counter() + seconds
    return statistics.median(times if len(times) == 1 else times[1:])


def main(side, threads, case):
    """Answer until standard input ends."""
    threads, case = int(threads), json.loads(case)
    if case["case"] == "memory":
        print(json.dumps(memory.account(side, threads, case)))
        return
    pin(threads)
    run = make(side, threads, case)
    run()                                                      # compile, or load what was compiled
    for line in sys.stdin:
        before = time.process_time()
        middle = block(run, float(line), time.process_time if threads == 1 else time.perf_counter)
        print(middle, time.process_time() - before, flush=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:4])
    except KeyboardInterrupt:                                  # who asked has it too, and tells
        sys.exit(130)
