"""What the page's Python gets: the oracle, the examples, and which of their numbers the page shows."""
import json
from bisect import bisect_right
from functools import cache

from ...documents import equations
from . import numbers
from .examples import EXAMPLES
from .live import source

MOST, TIMES = 7, 3              # quantities shown of one equation, and how often one that is made at several steps


@cache
def shown():
    """{mark: (name of the example, [Bound])}: for each equation the example that it is shown in.

    "(outputs)" are those of the searches, which have no marks.
    """
    found = {}
    for mark in equations.all_equations():
        homes = [name for name, (_, bound, _) in numbers.all_bound().items() if any(b.mark == mark for b in bound)]
        if homes:                                               # a later part may have no example yet
            found[mark] = homes[0], chosen([b for b in numbers.all_bound()[homes[0]][1] if b.mark == mark])
    found["(outputs)"] = "decoding", numbers.all_bound()["decoding"][1]
    return found


def chosen(bound):
    """At most MOST names, each at most TIMES."""
    names = list(dict.fromkeys(b.name for b in bound))[:MOST]
    return [b for name in names for b in [b for b in bound if b.name == name][:TIMES]]


def places(name):
    """The places of an example's numbers that are shown: sorted values, sorted gradients."""
    kinds = {numbers.VALUE: set(), numbers.GRADIENT: set()}
    for example, bound in shown().values():
        for b in bound if example == name else ():
            for kind, at in b.where:
                if kind != numbers.ZERO:
                    kinds[kind].add(at)
    run, at = numbers.all_bound()[name][0], 0
    for key, _, flat in run.inputs:
        if not key.startswith("arrives:"):
            kinds[numbers.GRADIENT].update(range(at, at + len(flat)))
            at += len(flat)
    return sorted(kinds[numbers.VALUE]), sorted(kinds[numbers.GRADIENT])


def needed(name):
    """The calls of `see` that note what the page shows, counted from 1, and {place: place when they alone note}."""
    run = numbers.all_bound()[name][0]
    starts = [head[3] for head in run.heads] + [len(run.values)]
    all_places = sorted({place for kind in places(name) for place in kind})
    calls = sorted({bisect_right(starts, place) for place in all_places})
    new, at = {}, 0
    for call in calls:
        for place in range(starts[call - 1], starts[call]):
            new[place] = at
            at += 1
    return calls, new


def used():
    """Names of the examples that any equation is shown in."""
    return [name for name in EXAMPLES if any(home == name for home, _ in shown().values())]


def python():
    """The text of /book.json, which live/page.py reads."""
    examples = {}
    for name in used():
        run = numbers.all_bound()[name][0]
        wanted, new = needed(name)
        values, gradients = ([new[i] for i in kind] for kind in places(name))
        examples[name] = {"source": source.function(EXAMPLES[name].live), "function": EXAMPLES[name].live.__name__,
                          "inputs": [[key, shape] for key, shape, _ in run.inputs], "plain": EXAMPLES[name].plain,
                          "wanted": wanted, "values": values, "gradients": gradients}
    return json.dumps({"modules": source.modules(), "examples": examples}, ensure_ascii=False)
