"""What is computed once for an exercise and a seed: inputs, right answers, and the answers of known mistakes."""
import copy
from functools import lru_cache

import numpy as np

from ..exercises import find
from ..mistakes import bank_of
from .bank import run_one
from .cases import extra, ordinary
from .changed import changed


class Bench:
    """The inputs of an exercise and seed, the right answers, and those of known mistakes, each computed once."""

    def __init__(self, exercise, seed):
        self.exercise = exercise
        self.cases, self.extras = ordinary(exercise, seed), extra(exercise, seed)
        self.want = [answer(exercise, case) for case in self.cases]
        self.answers, self.right = {}, {}
        self.known, self.generic = bank_of(exercise.name), changed(exercise, self.cases[0])

    def first(self, n):
        """This Bench with its first n cases alone."""
        part = copy.copy(self)
        part.cases, part.want = self.cases[:n], self.want[:n]
        return part

    def run(self, mistake, c):
        """A mistake's answer to case c."""
        key = id(mistake), c
        if key not in self.answers:
            self.answers[key] = run_one(mistake, self.cases[c])
        return self.answers[key]

    def right_extra(self, number):
        """The right answer to an extra case; None where there is none."""
        if number not in self.right:
            try:
                right = answer(self.exercise, self.extras[number])
            except (ValueError, IndexError, ZeroDivisionError):
                right = None
            self.right[number] = right if right is None or all(np.isfinite(a).all() for a in right) else None
        return self.right[number]


@lru_cache(maxsize=64)
def bench(name, seed):
    """The Bench of an exercise."""
    return Bench(find(name), seed)


def answer(exercise, case):
    """The library's answer to a case: list of arrays, or None where it refuses."""
    try:
        with np.errstate(all="ignore"):
            result = exercise.reference(**case.inputs)
    except case.raises:
        return None
    return [np.array(a) for a in (result if isinstance(result, tuple) else (result,))]
