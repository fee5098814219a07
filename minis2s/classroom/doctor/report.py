"""What `check` found, as text and as plain values."""
import math
import re

HEADS = {"passed": "passed", "variant": "a valid variant, but not our equation",
         "unfinished": "not implemented yet", "contract": "not yet: the form of the function",
         "error": "not yet: it stops with an error", "file": "not yet: the file",
         "exit": "not yet: it ends the program", "time": "not yet: it does not end",
         "flood": "not yet: it prints too much", "crash": "not yet: it crashes"}


class Report:
    """What `check` found.  Print it; `.passed` is True or False; `.to_json()` is a dict of plain values.

    verdict : "passed", "variant" (valid, but not our equation), "wrong", "contract", "error", "exit",
        "unfinished"; for a file that is checked in a process of its own also "file", "time", "flood", "crash"
    says : the main sentence;  look : the next thing to look at
    location : Location or None;  mistake : Mistake or None, the first of `mistakes`
    mistakes : tuple of Mistake: more than one where different outputs show different ones
    more : tuple of (sentence, what to look at) beside the main one
    """

    def __init__(self, exercise, verdict, says, look="", location=None, mistakes=(), notes=(), seed=0,
                 hint=None, where="", more=()):
        self.exercise, self.verdict, self.says, self.look = exercise.name, verdict, says, _line(look)
        self.location, self.mistakes, self.notes = location, tuple(mistakes), tuple(notes)
        self.mistake = self.mistakes[0] if self.mistakes else None
        self.seed, self.where, self.more = seed, where, tuple((says, _line(look)) for says, look in more)
        self.hint = None if hint is None else exercise.hints[hint - 1]
        self.hint_number = hint

    @property
    def passed(self):
        """Whether the function is right."""
        return self.verdict == "passed"

    def __str__(self):
        lines = [f"{self.exercise}: {HEADS.get(self.verdict, 'not yet')}"]
        if self.hint:
            lines.append(f"  hint {self.hint_number}:  {self.hint}")
        if self.location:
            got, wanted = numbers(self.location.got, self.location.wanted)
            lines += [f"  where:   {self.location.place()}", f"           got      {got}",
                      f"           wanted   {wanted}"]
        lines += [f"           {note}" for note in self.notes]
        if self.verdict != "unfinished":
            lines.append(f"  {'what' if self.location else 'note'}:    {self.says}")
        if self.look:
            lines.append(f"  next:    {self.look}")
        for says, look in self.more:
            lines += [f"  and:     {says}", f"  next:    {look}"]
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
                "mistakes": [m.name for m in self.mistakes],
                "mark": self.mistake.mark if self.mistake else None, "location": place,
                "notes": list(self.notes), "more": [list(pair) for pair in self.more],
                "hint": self.hint, "text": str(self)}


def _line(look):
    """Where only marks say what to look at, in words: "the line of (LN2) in the docstring, beside yours"."""
    marks = re.findall(r"\([A-Z]+\d\*?\)", look)
    return f"the line of {look} in the docstring, beside yours" if marks and look == " ".join(marks) else look


def odd(value):
    """Whether a number is infinite or not a number."""
    return isinstance(value, float) and not math.isfinite(value)


def _plain(value):
    if isinstance(value, complex):
        return str(value)
    return str(value) if odd(value) else value


def numbers(got, wanted):
    """Both rows of numbers as text, with as many digits as it takes to see that they differ."""
    for digits in range(6, 18):
        rows = [["%.*g" % (digits, v) if isinstance(v, float) else str(v) for v in row] for row in (got, wanted)]
        if got == wanted or rows[0][:1] != rows[1][:1]:
            break
    return ["  ".join(row) for row in rows]
