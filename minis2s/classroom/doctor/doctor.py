"""`check`: the three stages one after the other, and the Report."""
import math

from ..exercises import find
from ..exercises.exercise import draws
from ..mistakes import bank_of
from . import contract
from .diagnose import diagnose, partly, ratio
from .locate import blocks, locate


class Report:
    """What `check` found.  Print it; `.passed` is True or False; `.to_json()` is a dict of plain values.

    verdict : "passed", "variant" (valid, but not our equation), "wrong", "contract", "error", "exit",
        "unfinished"; for a file that is checked in a process of its own also "file", "time", "flood", "crash"
    says : the main sentence;  look : the next thing to look at
    location : Location or None;  mistake : Mistake or None
    """

    def __init__(self, exercise, verdict, says, look="", location=None, mistake=None, notes=(), seed=0,
                 hint=None, where=""):
        self.exercise, self.verdict, self.says, self.look = exercise.name, verdict, says, look
        self.location, self.mistake, self.notes = location, mistake, tuple(notes)
        self.seed, self.where = seed, where
        self.hint = None if hint is None else exercise.hints[hint - 1]
        self.hint_number = hint

    @property
    def passed(self):
        """Whether the function is right."""
        return self.verdict == "passed"

    def __str__(self):
        heads = {"passed": "passed", "variant": "a valid variant, but not our equation",
                 "unfinished": "not implemented yet",
                 "contract": "not yet: the form of the function", "error": "not yet: it stops with an error",
                 "file": "not yet: the file", "exit": "not yet: it ends the program",
                 "time": "not yet: it does not end",
                 "flood": "not yet: it prints too much", "crash": "not yet: it crashes"}
        lines = [f"{self.exercise}: {heads.get(self.verdict, 'not yet')}"]
        if self.location:
            lines.append(f"  where:   {self.location.place()}")
            lines.append(f"           got      {_numbers(self.location.got)}")
            lines.append(f"           wanted   {_numbers(self.location.wanted)}")
        lines += [f"           {note}" for note in self.notes]
        if self.verdict != "unfinished":
            lines.append(f"  {'what' if self.location else 'note'}:    {self.says}")
        if self.look:
            lines.append(f"  next:    {self.look}")
        if self.hint:
            lines.insert(1, f"  hint {self.hint_number}:  {self.hint}")
        return "\n".join(lines)

    __repr__ = __str__

    def to_json(self):
        """A dict of plain values, for json.dumps; numbers that JSON lacks become strings ("nan")."""
        place = None
        if self.location:
            place = {**self.location._asdict(), "index": list(self.location.index),
                     "axes": list(self.location.axes),
                     "right": list(self.location.right), "wrong": list(self.location.wrong),
                     "got": [_plain(v) for v in self.location.got],
                     "wanted": [_plain(v) for v in self.location.wanted]}
        return {"exercise": self.exercise, "passed": self.passed, "verdict": self.verdict, "seed": self.seed,
                "says": self.says, "look": self.look, "mistake": self.mistake and self.mistake.name,
                "mark": self.mistake.mark if self.mistake else None, "location": place,
                "notes": list(self.notes),
                "hint": self.hint, "text": str(self)}


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
    rng = draws(seed)
    if hint is not None and hint not in (1, 2, 3):
        raise ValueError(f"hint={hint!r}: wanted 1, 2 or 3")
    cases, labels = [], set()
    for case in exercise.cases(rng):
        cases.append(case._replace(label=f"{case.label}, other sizes") if case.label in labels else case)
        labels.add(case.label)

    def report(verdict, says, look="", **more):
        return Report(exercise, verdict, says, look, seed=int(seed), hint=hint, **more)
    try:
        contract.signature(exercise, function)
        want = [answer(exercise, case) for case in cases]
        got = [contract.call(exercise, function, case) for case in cases]
        for g, w in zip(got, want):
            if w is not None:
                contract.forms(exercise, g, w)
        again = contract.call(exercise, function, cases[0])
        if not contract.same(got[0], again):
            raise contract.Problem(
                "contract", "a second call with the same arguments gives other numbers: something is "
                "remembered between calls, "
                "or drawn at random",
                "variables outside the function, default arguments that are lists or arrays, and global")
    except contract.Problem as problem:
        return report(problem.kind, problem.says, problem.look, where=problem.where)
    location = locate(exercise, cases, got, want)
    refused = location is None and exercise.contract and exercise.contract(function)
    if refused:
        return report("contract", refused, "the line above def")
    if location is None:
        return report("passed", "every number agrees with the library's")
    return _judged(exercise, report, location, cases, got, want)


def answer(exercise, case):
    """The library's answer to a case: list of arrays, or None where it refuses."""
    import numpy as np
    try:
        with np.errstate(all="ignore"):
            result = exercise.reference(**case.inputs)
    except case.raises:
        return None
    return [np.array(a) for a in (result if isinstance(result, tuple) else (result,))]


def _judged(exercise, report, location, cases, got, want):
    """The Report of a wrong answer."""
    notes = []
    if location.pattern:
        notes.append(location.pattern)
    if location.right:
        notes.append("right: " + ", ".join(location.right) + (
            "; wrong as well: " + ", ".join(location.wrong) if location.wrong else ""))
    if location.case != cases[0].label:
        notes.append(f"these inputs: {location.case}")
    number = [case.label for case in cases].index(location.case)
    bank, by_gate = bank_of(exercise.name), blocks(exercise, got[number], want[number])
    if by_gate and not location.gate:
        notes.append(by_gate)
    mistake = diagnose(bank, cases, got)
    if mistake:
        see = f"; see {mistake.mark}" if mistake.mark else ""
        return report("variant" if mistake.variant else "wrong", mistake.says + see, mistake.look,
                      location=location,
                      mistake=mistake, notes=notes)
    k = [output.name for output in exercise.outputs].index(location.output)
    output = exercise.outputs[k]
    look = f"the line that makes {output.name}" + (f", and {output.mark}" if output.mark else "")
    if exercise.backward and location.t:
        T = len(got[number][k])
        look = "the step by itself: at the last step nothing is carried back yet" if location.t == T else \
            f"what is carried back from t = {location.t + 1} to t = {location.t}: every later step is right"
    constant = ratio(cases[number], got[number][k], want[number][k])
    part = partly(exercise, bank, cases, got, want, location.output)
    if constant:
        return report("wrong", f"{output.name}: {constant}", look, location=location, notes=notes)
    if part:
        return report("wrong", f"more than one thing is wrong.  For {output.name} alone: {part.says}"
                      + (f"; see {part.mark}" if part.mark else ""), part.look, location=location,
                      notes=notes)
    if any(map(_odd, location.got)) and not any(map(_odd, location.wanted)):
        return report("wrong", f"{output.name} holds {_numbers([v for v in location.got if _odd(v)][:1])} "
                      f"where the answer "
                      "is an ordinary number", "what overflows, is divided by 0, or is the logarithm of 0",
                      location=location,
                      notes=notes)
    return report("wrong", f"this is the first wrong number in the order of computation; it is none of the "
                  f"{len({m.name for m in bank})} mistakes we know by name", look, location=location,
                  notes=notes)


def _odd(value):
    return isinstance(value, float) and not math.isfinite(value)


def _plain(value):
    return str(value) if _odd(value) else value


def _numbers(values):
    return "  ".join(f"{v:.6g}" if isinstance(v, float) else str(v) for v in values)
