"""What a claim is, how its experiment runs, and what is kept of it.

    run(claim, plan)  ──> experiment(plan, tick) ──> numbers ──> verdict(numbers) ──> a Result, JSON all through
                                                                  by the rule that stands in the claim, in words,
                                                                  before anything is measured

An experiment only measures.  A verdict only reads numbers, so a test can hand it others and see it flip.
"""
import json
from typing import Callable, NamedTuple

import numpy as np

HOLDS, IN_PART, FAILS = "holds", "holds in part", "does not hold"


class Plan(NamedTuple):
    """How much is measured: `full` means several seeds and the sizes of the table, else at most a minute."""
    full: bool = False
    seeds: tuple = (0,)


class Verdict(NamedTuple):
    verdict: str               # HOLDS, IN_PART or FAILS
    because: list              # sentences with the numbers that decide it


class Claim(NamedTuple):
    id: str                    # "K3"
    title: str                 # a few words
    where: str                 # document and section
    words: str                 # the document's own sentence
    known: str                 # what the literature knows, with papers
    design: str                # the experiment in three sentences
    rule: str                  # how the numbers decide
    experiment: Callable       # (Plan, tick) -> numbers, a dict of plain values; tick(share done, what comes next)
    verdict: Callable          # numbers -> Verdict
    panels: Callable           # numbers -> list of dicts for `minis2s.viewer.claims`: see `panel`


def panel(title, xlabel, ylabel, lines, xscale="linear", yscale="linear", note=""):
    """One pair of axes; `lines` are dicts of `line`."""
    return dict(title=title, xlabel=xlabel, ylabel=ylabel, lines=lines, xscale=xscale, yscale=yscale, note=note)


def line(label, x, y, low=None, high=None, style="line"):
    """One curve (style "line", "points" or "bars"), with an interval where there are several seeds."""
    return dict(label=label, x=list(x), y=list(y), low=low, high=high, style=style)


def over_seeds(label, x, rows):
    """A `line` through the means of rows (seeds, points), from the least to the greatest of them."""
    rows = np.asarray(rows, float)
    several = len(rows) > 1
    return line(label, x, rows.mean(axis=0).tolist(), rows.min(axis=0).tolist() if several else None,
                rows.max(axis=0).tolist() if several else None)


def run(claim, plan=Plan(), tick=lambda share, text: None):
    """Measure and decide.

    Returns
    -------
    dict
        The claim's id, "full", "seeds", "numbers", "verdict", "because", "panels": plain values all.
    """
    numbers = plain(claim.experiment(plan, tick))
    tick(1.0, "done")
    verdict, because = claim.verdict(numbers)
    return {"claim": claim.id, "full": plan.full, "seeds": list(plan.seeds), "numbers": numbers, "verdict": verdict,
            "because": because, "panels": plain(claim.panels(numbers))}


def plain(x):
    """The same with Python's own numbers and lists in place of NumPy's; ValueError where a number is not finite."""
    if isinstance(x, dict):
        return {str(key): plain(value) for key, value in x.items()}
    if isinstance(x, (list, tuple, np.ndarray)):
        return [plain(value) for value in x]
    if isinstance(x, (np.floating, np.integer, np.bool_)):
        x = x.item()
    if isinstance(x, float) and not np.isfinite(x):
        raise ValueError(f"a measured number is {x}: say None where nothing could be measured")
    return x


def as_json(result):
    """A Result as one line of JSON."""
    return json.dumps(result, ensure_ascii=False, allow_nan=False)
