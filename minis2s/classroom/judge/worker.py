"""The process in which a student's file is loaded and called; `process.py` starts it, asks, and compares.

It reads one request a line from what was its standard input, and answers each with one message of `wire.py` on
what was its standard output.  The student's code finds an empty input, and its prints go to standard error.
"""
import json
import os
import sys
from types import SimpleNamespace


def main():
    """argv: exercise, file, seed, seconds.  First message: the function's Facts; then an Outcome a request."""
    name, path, seed, seconds = sys.argv[1:]
    del sys.argv[1:]                                            # no business of the student's code
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.dup2(2, 1)
    from ..doctor import outcome
    from ..doctor.contract import Problem
    from . import guard, wire
    from .load import load
    sets, wanted = _cases(name, int(seed))
    _warm_up(path)
    guard.limit(float(seconds))
    guard.write_only_below([os.path.dirname(path), os.devnull])
    used = guard.forget(__package__.partition(".")[0])

    def send(message):
        if isinstance(message, outcome.Outcome) and used:
            message = message._replace(used=tuple(sorted(used, key=len, reverse=True)[:5]))
        answers.write(wire.encode(message))
        answers.flush()
    try:
        function = load(wanted, path)
    except Problem as problem:
        send(problem)
        return
    send(outcome.facts(function, wanted.names))
    kept = {}
    for line in requests:
        kind, number = json.loads(line)
        if kind == "kept":                                      # does that answer still hold its numbers?
            items, before = kept[number]
            send(outcome.Outcome("one" if outcome.still_there(items, before) else "none"))
            continue
        done, items = outcome.perform(function, sets[kind][number])
        if kind == "ordinary":
            kept.setdefault(number, (items or [], done))
        send(done)


def _cases(name, seed):
    """All inputs of an exercise, and what its function is called: nothing that leads to the answers."""
    from ..doctor.cases import extra, ordinary
    from ..exercises import find
    exercise = find(name)
    return ({"ordinary": ordinary(exercise, seed), "extra": extra(exercise, seed)},
            SimpleNamespace(function=exercise.function, names=exercise.names))


def _warm_up(path):
    """Import what a compiled submission needs before its time is measured."""
    with open(path, "rb") as f:
        if b"numba" in f.read(1 << 20):
            try:
                import numba  # noqa: F401
            except ImportError:
                pass


if __name__ == "__main__":
    main()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            pass
    os._exit(0)    # threads that the student's code left do not keep us
