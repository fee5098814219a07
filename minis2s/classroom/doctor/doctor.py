"""`check`: one stage after the other, and the Report."""
import re

import numpy as np

from ..exercises import find
from ..exercises.exercise import draws
from . import contract, numbers
from .bank import Match, cause
from .bench import answer, bench  # noqa: F401
from .contract import Problem
from .experiment import experiment
from .locate import blocks, locate
from .outcome import facts, perform, still_there
from .report import Report


def check(name, function, seed=0, hint=None):
    """Judge an implementation of an exercise.

    Parameters
    ----------
    name : str
        Of the exercise: "lstm-step-backward".  `minis2s exercise list` shows all.
    function : callable
        Plain arrays in and out, in the order that the exercise's stub documents; those it gets are read-only.
    seed : int
        Of the inputs; another seed gives fresh ones.
    hint : 1, 2 or 3, optional
        Show a hint with the report: 1 is the gentlest.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        There is no such exercise (the nearest is suggested) or no such hint.
    TypeError
        `seed` or `name` is of another type.
    """
    exercise = find(name)
    draws(seed)
    if hint is not None and hint not in (1, 2, 3):
        raise ValueError(f"hint={hint!r}: wanted 1, 2 or 3")
    return examine(exercise, Here(exercise, function, int(seed)), int(seed), hint)


class Here:
    """A function in this process; `judge.process.Remote` is the same for one in another process."""

    def __init__(self, exercise, function, seed):
        self.exercise, self.function = exercise, function
        self.sets = {"ordinary": bench(exercise.name, seed).cases, "extra": bench(exercise.name, seed).extras}
        self.first = {}

    def facts(self):
        """What is known without a call."""
        return facts(self.function, self.exercise.names)

    def run(self, kind, number):
        """The Outcome of one case."""
        outcome, items = perform(self.function, self.sets[kind][number])
        if kind == "ordinary":
            self.first.setdefault(number, (items or [], outcome))
        return outcome

    def kept(self, number):
        """Whether the first answer to a case still holds its numbers."""
        return still_there(*self.first[number])


def examine(exercise, runner, seed=0, hint=None):
    """The Report on a function that `runner` calls: a Here, or a judge.process.Remote."""
    b = bench(exercise.name, seed)

    def report(verdict, says, look="", **more):
        return Report(exercise, verdict, says, look, seed=seed, hint=hint, **more)
    try:
        about = runner.facts()
        contract.signature(exercise, about)
        got, outcomes = _answers(exercise, runner, b, about)
        b = b.first(len(got))
        location = locate(exercise, b.cases, got, b.want)
        if location is None and exercise.own_memory:
            for outcome in outcomes:
                contract.own_memory(exercise, outcome)
    except Problem as problem:
        return report(problem.kind, problem.says, problem.look, where=problem.where)
    if location is None:
        refused = exercise.contract and exercise.contract(about)
        return report("contract", refused, "the line above def") if refused else \
            report("passed", "every number agrees with the library's")
    return _judged(b, report, location, got, about, runner, outcomes)


def _answers(exercise, runner, b, about):
    """The function's answers to all cases, compared in form, and the Outcomes; Problem for what is no answer.

    Answers end before a case that stops with an error if an earlier case is wrong: that is easier to understand.
    """
    got, outcomes = [], []
    for c, case in enumerate(b.cases):
        if case.layout and about.compiled:
            got.append(b.want[c])                               # a compiled signature may ask for one layout
            continue
        outcomes.append(runner.run("ordinary", c))
        try:
            arrays = contract.answer(exercise, outcomes[-1], case)
        except Problem as problem:
            if problem.kind == "error" and locate(exercise, b.cases[:c], got, b.want):
                return got, outcomes
            raise
        if b.want[c] is not None:
            contract.forms(exercise, arrays, b.want[c])
        got.append(exercise.canonical(case, arrays) if exercise.canonical and arrays is not None else arrays)
    again = contract.answer(exercise, runner.run("ordinary", 0), b.cases[0])
    again = exercise.canonical(b.cases[0], again) if exercise.canonical else again
    if not all(np.array_equal(x, y, equal_nan=x.dtype.kind == "f") for x, y in zip(got[0], again)):
        raise Problem("contract", "a second call with the same arguments gives other numbers: something is "
                      "remembered between calls, or drawn at random",
                      "variables outside the function, default arguments that are lists or arrays, and global")
    other = next((n for n, case in enumerate(b.extras) if case.label.startswith("zero")), None)
    if other is not None:
        runner.run("extra", other)                              # the same shapes, other numbers
    if not all(runner.kept(c) for c, case in enumerate(b.cases) if not (case.layout and about.compiled)):
        raise Problem("contract", "a later call changes the result of an earlier one: both are the same array, "
                      "used again", "where the array that is returned is made: inside the function, at each call")
    return got, outcomes


def _judged(b, report, location, got, about, runner, outcomes):
    """The Report of a wrong answer."""
    exercise, match = b.exercise, Match(b.exercise, b.cases, got, b.want)
    number = [case.label for case in b.cases].index(location.case)
    notes = _notes(exercise, location, b.cases, got[number], b.want[number])
    try:
        contract.own_memory(exercise, next((o for o in outcomes if o.shared), outcomes[0]))
    except Problem as problem:
        notes.append(problem.says)
    renamed = contract.order_of_names(exercise, about)
    if renamed:
        return report("contract", renamed, "the line that begins with def", location=location, notes=notes)
    special = _layout(b, match)
    if special:
        return report("wrong", *special, location=location, notes=notes)
    found = match.explanations(b.known, b.run)
    if found and found[0].whole:
        m = found[0].mistake
        return report("variant" if m.variant else "wrong", _see(m, m.says), m.look, location=location,
                      mistakes=[m], notes=notes)
    pair = match.together(b.known, b.run) if match.left(found) and not _only_rounding(b, match, got) else None
    if pair:
        (says, look), second = ((_see(m, cause(m.says) or m.says), m.look) for m in pair)
        return report("wrong", f"two things are wrong, and together they give all your numbers.  One: {says}", look,
                      location=location, mistakes=pair, notes=notes, more=[second])
    sentences = _for_each_output(b, match, got, found, runner)
    (says, look), *more = sentences
    return report("wrong", says, look, location=location, notes=notes, more=more,
                  mistakes=list({id(e.mistake): e.mistake for e in found}.values()))


def _only_rounding(b, match, got):
    """Whether all that is wrong is right but for its last digits."""
    return all(numbers.precision(b.exercise, b.cases[c], got[c][k], b.want[c][k], b.exercise.outputs[k])
               for c, k in match.wrong)


def _for_each_output(b, match, got, found, runner):
    """(says, look) for known mistakes first, then for what they leave: numbers, generic mistakes, an experiment."""
    named, sentences = [(_partly(e, match.names), e.mistake.look) for e in found], []
    left = match.left(found)
    kinds = {name: got[0][match.names.index(name)].dtype.kind for name in left}
    if "f" in kinds.values():
        left = [name for name in left if kinds[name] == "f"]    # choices follow from the numbers that are wrong
    if not left:
        return named

    def by_numbers(detectors):
        """Sentences on outputs that are left, by these detectors; those outputs are left no more."""
        told = {}
        for name in list(left):
            k = match.names.index(name)
            pairs = [(b.cases[c], got[c][k], b.want[c][k]) for c, j in sorted(match.wrong) if j == k]
            sentence = _not_finite(name, pairs) or numbers.detect(b.exercise, pairs, k, detectors)
            if sentence:
                told.setdefault(_about(name, sentence[0]), []).append((name, sentence))
                left.remove(name)
        for (form, _), some in told.items():
            names = ", ".join(name for name, _ in some)
            says = some[0][1][0] if len(some) == 1 else form.format(names)
            sentences.append((says, some[0][1][1]))
    by_numbers(numbers.BEFORE)
    if left:
        for e in match.explanations(b.generic, b.run):
            outputs = tuple(name for name in e.outputs if name in left)
            if outputs:
                e = e._replace(outputs=outputs)
                sentences.append((_partly(e, match.names, generic=True), e.mistake.look))
                left = [name for name in left if name not in outputs or e.cases]
    by_numbers(numbers.BEHIND)
    if left:
        sentences.append(_experiment(b, got, runner, match.names.index(left[0]), left))
    about = re.compile(rf"\b{match.wrong_outputs[0]}\b")          # the first wrong output comes first
    return named + sorted(sentences, key=lambda s: not about.search(s[0].partition(":")[0]))


def _about(name, says):
    """A sentence without the output that it is about, to say it once of several; one of a kind stays alone."""
    rest = says.removeprefix(name)
    return ("{}" + rest.replace(" holds ", " hold ", 1) if rest.startswith((":", " holds ")) else says,
            "" if rest.startswith((":", " holds ")) else name)


def _experiment(b, got, runner, k, left):
    """The next experiment on output k; said of all outputs where all are wrong."""
    def run(number):
        right = b.right_extra(number)
        if right is None:
            return None
        try:
            return contract.answer(b.exercise, runner.run("extra", number), b.extras[number]), right
        except Problem:
            return None
    says, look = experiment(b.exercise, b.cases, b.extras, got, b.want, run, k)
    if len(left) == len(b.exercise.outputs) > 1:
        together = f"; what all outputs are made of: {b.exercise.shared}" if b.exercise.shared else ""
        return f"all {len(left)} outputs are wrong; {says}", look + together
    return says, look


def _not_finite(name, pairs):
    """A sentence about inf and nan where the answer is an ordinary number."""
    for _, got, want in pairs:
        bad = ~np.isfinite(got) & np.isfinite(want) if want.dtype.kind == "f" and got.dtype.kind == "f" else None
        if bad is not None and bad.any():
            first = float(got[bad][0])
            return (f"{name} holds {first:.6g} where the answer is an ordinary number",
                    "0/0, inf - inf, inf/inf, and the root or the logarithm of a negative number" if np.isnan(first)
                    else "what overflows, is divided by 0, or is the logarithm of 0")
    return None


def _layout(b, match):
    """A sentence if only the order in memory matters."""
    wrong = {c for c, _ in match.wrong}
    if all(b.cases[c].layout for c in wrong):
        labels = " and ".join(b.cases[c].label for c in sorted(wrong))
        return (f"right for arrays stored as usual, wrong for {labels}",
                "what depends on the order in memory: reshape, ravel, view, tobytes, strides, comparisons of dtypes")
    return None


def _partly(explanation, names, generic=False):
    """The sentence of a mistake that explains some outputs, or some inputs; `names` are those of all outputs."""
    m = explanation.mistake
    where = ", ".join(explanation.outputs)
    if explanation.cases:
        where += f" (inputs: {'; '.join(explanation.cases[:2])})"
    says = m.says if generic else cause(m.says)
    if not generic and any(re.search(rf"\b{name}\b", says) for name in names if name not in explanation.outputs):
        says = ""                                               # it would speak of outputs that show something else
    if not says:
        return f"{where}: the numbers are those of a known mistake, \"{m.name}\""
    return _see(m, f"{where}: {says}")


def _see(mistake, says):
    return f"{says}; see {mistake.mark}" if mistake.mark else says


def _notes(exercise, location, cases, got, want):
    """What else is right and wrong, and on which inputs."""
    notes = [location.pattern] if location.pattern else []
    if location.right:
        notes.append("right: " + ", ".join(location.right) + (
            "; wrong as well: " + ", ".join(location.wrong) if location.wrong else ""))
    if location.case != cases[0].label:
        notes.append(f"these inputs: {location.case}")
    by_gate = blocks(exercise, got, want)
    if by_gate and not location.gate:
        notes.append(by_gate)
    return notes
