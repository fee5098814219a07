"""Stage 3: which known mistakes give exactly these numbers?

A cell is one output on one case.  A mistake explains a cell if it gives the very numbers that came and these are
wrong.  It is considered only if it agrees with the function on a whole output (over all cases) or on a whole case
(all outputs), so that no agreement is chance.
"""
import re
import time
from typing import NamedTuple

import numpy as np

from .locate import differs
from .outcome import fresh


class Explanation(NamedTuple):
    """A mistake, the names of the outputs that it explains, whether it explains all, labels of cases or ()."""
    mistake: object
    outputs: tuple
    whole: bool
    cases: tuple = ()


def run_one(mistake, case):
    """The mistake's answer to a case: list of arrays, None where it refuses; "fails" where it stops on an error."""
    try:
        with np.errstate(all="ignore"):
            result = mistake.f(*map(fresh, case.inputs.values()))
    except case.raises:
        return None
    except Exception:                                           # a mistake may well fail on some inputs
        return "fails"
    return [np.asarray(a) for a in (result if isinstance(result, tuple) else (result,))]


def agree_on(a, b, k):
    """Whether two answers to a case agree in output k; two refusals do."""
    if a is None or b is None:
        return a is b
    return (not isinstance(b, str) and len(b) > k and a[k].shape == b[k].shape
            and not differs(a[k], b[k]).any())


class Match:
    """The cells of one function's answers, and what explains them."""

    def __init__(self, exercise, cases, got, want):
        self.exercise, self.cases, self.got, self.want = exercise, cases, got, want
        self.K = range(len(exercise.outputs))
        self.wrong = {(c, k) for c in range(len(cases)) for k in self.K
                      if want[c] is not None and differs(got[c][k], want[c][k]).any()}
        self.right = set(range(len(cases))) - {c for c, _ in self.wrong}
        self.names = [o.name for o in exercise.outputs]
        self.wrong_outputs = [o.name for o in exercise.order
                              if any(self.names[k] == o.name for _, k in self.wrong)]

    def explained(self, answers):
        """Cells that these answers (one for each case, made when asked for) explain, and whether they explain all."""
        columns = {k: all(agree_on(self.got[c], answers(c), k) for c in range(len(self.cases)))
                   for k in {k for _, k in sorted(self.wrong)}}
        if all(columns.values()) and all(agree_on(self.got[c], answers(c), k) for c in range(len(self.cases))
                                         for k in self.K if k not in columns):
            return set(self.wrong), True
        cells = {(c, k) for c, k in self.wrong if columns[k] and not self.says_little(c, k, columns)}
        if not all(agree_on(self.got[c], answers(c), k) for c in self.right for k in self.K):
            return cells, False
        for c in {c for c, _ in self.wrong}:
            if all(np.isfinite(a).all() for a in self.got[c] if a.dtype.kind == "f") and \
                    all(agree_on(self.got[c], answers(c), k) for k in self.K):
                cells |= {(c, k) for k in self.K if (c, k) in self.wrong}
        return cells, False

    def says_little(self, c, k, columns):
        """Whether an agreement on this cell alone may well be chance: zeros only, or whole numbers that follow from
        fractions which are wrong in another way."""
        a = self.got[c][k]
        return a.size > 1 and not a.any() or a.dtype.kind != "f" and any(
            self.got[c][j].dtype.kind == "f" and not columns[j] for j in self.K if (c, j) in self.wrong)

    def contradictions(self, answers):
        """How many outputs these answers have wrong that the function has right."""
        right = [k for k in self.K if not any(j == k for _, j in self.wrong)]
        return sum(any(self.want[c] is not None and not agree_on(self.got[c], answers(c), k)
                       for c in range(len(self.cases))) for k in right)

    def explanations(self, bank, run):
        """The fewest mistakes of `bank` that explain most cells; run(mistake, c) gives an answer.

        -> list of Explanation; the first one explains most.
        """
        found, first = [], {}
        for c, k in sorted(self.wrong):
            first.setdefault(k, c)
        first = {(c, k) for k, c in first.items()}
        for cells_to_try in (first, self.wrong - first):
            for m in bank:
                def answers(c, m=m):
                    return run(m, c)
                if any(m is f[0] for f in found) or not any(agree_on(self.got[c], answers(c), k)
                                                            for c, k in sorted(cells_to_try)):
                    continue
                cells, whole = self.explained(answers)
                if whole:
                    return [Explanation(m, tuple(self.wrong_outputs), True)]
                if cells:
                    found.append((m, cells, self.contradictions(answers)))
            if set().union(*(f[1] for f in found)) == self.wrong:
                break
        return self._fewest(found)

    def _fewest(self, found):
        """Of (mistake, cells, contradictions) the few that cover the wrong cells, one after the other.

        The first one explains something of the first wrong case.
        """
        chosen, left, start = [], set(self.wrong), min(self.wrong)[0]
        while left:
            some = found if chosen else [f for f in found if any(c == start for c, _ in f[1])]
            best = max(some, key=lambda f: (len(f[1] & left), -f[2]), default=None)
            if best is None or not best[1] & left:
                break
            chosen += self._told(best[0], best[1], best[1] & left, start)
            left -= best[1]
            found.remove(best)
        return chosen

    def _told(self, m, cells, new, start):
        """The Explanations that a mistake gives: outputs that it explains in all cases, then those in some."""
        ks = {k for _, k in new}
        whole = {k for k in ks if all((c, j) in cells for c, j in self.wrong if j == k)}
        some = {c for c, k in new if k not in whole}
        some = {c for c in some if all((c, k) in cells for k in ks - whole if (c, k) in self.wrong)}

        def named(which):
            return tuple(n for n in self.wrong_outputs if self.names.index(n) in which)
        found = [Explanation(m, named(whole), False)] if whole else []
        if some and (start in some or not whole):
            found.append(Explanation(m, named(ks - whole), False, tuple(self.cases[c].label for c in sorted(some))))
        return found

    def together(self, bank, run, seconds=1.5):
        """Two mistakes of `bank` which, made in one function, give all the numbers: -> a pair of Mistakes or None.

        Only mistakes that are edits of one text can be put together.  Those that share most numbers with the function
        are tried first, as long as `seconds` of processor time last.
        """
        c, edits = min(self.wrong)[0], [m for m in bank if hasattr(m.f, "edits")]
        until = time.thread_time() + seconds

        def shared(m):
            answers = run(m, c)
            return -1 if isinstance(answers, str) or answers is None else sum(
                int((~differs(g, a)).sum()) for g, a in zip(self.got[c], answers) if g.shape == a.shape)
        for one in sorted(edits, key=shared, reverse=True)[:8]:
            for other in edits:
                if time.thread_time() > until:
                    return None
                if one.name != other.name and self._both(one, other, c):
                    return one, other
        return None

    def _both(self, one, other, first):
        """Whether the two mistakes together give exactly the function's numbers, on the case `first` and on all."""
        try:
            pair = one._replace(f=one.f + other.f)
        except (ValueError, SyntaxError):                       # two edits of one line
            return False
        order = sorted(range(len(self.cases)), key=lambda c: c != first)
        return all(agree_on(self.got[c], answers, k) for c in order for answers in [run_one(pair, self.cases[c])]
                   for k in self.K)

    def left(self, explanations):
        """Names of the wrong outputs that are not explained on all cases."""
        done = {name for e in explanations if not e.cases for name in e.outputs}
        for name in self.wrong_outputs:
            k = self.names.index(name)
            labels = {self.cases[c].label for c, j in self.wrong if j == k}
            if labels <= {label for e in explanations if name in e.outputs for label in e.cases}:
                done.add(name)
        return [name for name in self.wrong_outputs if name not in done]


CLAIM = re.compile(r"\b(is|are) (only )?(right|wrong)\b|^wrong at every|has the wrong sign|every gradient|is constant")


def cause(says):
    """A mistake's sentence without what it claims of other outputs; "" if nothing would be left."""
    head, colon, rest = says.partition(": ")
    if colon and CLAIM.search(head):
        says = rest
    return "" if CLAIM.search(says) else says
