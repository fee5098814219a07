"""Stage 5, for mistakes that nothing names: the next experiment, made by running the function on smaller inputs.

Each sentence is what was seen: "with T = 1 dxs is right, with T = 2 it is not".  So no report ends with "unknown".
"""
from typing import NamedTuple

import numpy as np

from .locate import differs

WORDS = {"T": "one step (T = 1)", "S": "one decoder step (S = 1)", "N": "one example (N = 1)",
         "positions": "one source position (T = 1)"}
LOOK = {"T": "what one step hands to the next one", "S": "what one decoder step hands to the next one",
        "N": "what is summed, averaged or normalised over examples, and along which axis",
        "positions": "what runs over the source positions: sums, maxima, the softmax's axis"}


class Seen(NamedTuple):
    """What one experiment showed of one output: whether it is right, and whether that says anything."""
    right: bool
    telling: bool


def experiment(exercise, cases, extras, got, want, run, k):
    """The most telling experiment on output k: -> (says, look).

    Parameters
    ----------
    cases, got, want
        The ordinary cases, and both answers to them.
    extras : list of Case, from `cases.extra`
    run : callable
        run(number of an extra case) -> (the function's arrays, the right arrays), or None if it stops.
    """
    name, seen = exercise.outputs[k].name, {}
    first_bad = next(c for c, (g, w) in enumerate(zip(got, want)) if w is not None and differs(g[k], w[k]).any())
    by_label = {case.label: number for number, case in enumerate(extras)}

    def look_at(label):
        """Seen, or None where this experiment cannot be made."""
        if label not in seen:
            pair = run(by_label[label]) if label in by_label else None
            seen[label] = None
            if pair and pair[0][k].shape == pair[1][k].shape:
                bad = differs(pair[0][k], pair[1][k]).any()
                seen[label] = Seen(not bad, _telling(pair[1][k], got[first_bad][k], want[first_bad][k]))
        return seen[label]

    def right(label):
        s = look_at(label)
        return s is not None and s.right and s.telling

    def wrong(label):
        s = look_at(label)
        return s is not None and not s.right
    if first_bad:
        found = _by_label(cases, got, want, k, name)
        if found:
            return found
    return (_by_padding(exercise, cases, got, want, k, name, right)
            or _by_time(exercise, cases[first_bad], got[first_bad][k], want[first_bad][k], k)
            or _by_size(exercise, name, right, wrong) or _by_argument(exercise, name, right)
            or _smallest(exercise, name, extras, by_label, wrong, right, run, k))


def _telling(answer, got, want):
    """Whether a right `answer` to an experiment says anything: not if 0, or weights of 1, are right by themselves.

    got, want : of the case that is wrong; where the shapes agree, only what is wrong there counts.
    """
    if answer.dtype.kind == "f" and answer.size and np.ptp(answer) == 0 and answer.flat[0] == 1:
        return False
    return bool(np.any(answer[differs(got, want)] if answer.shape == want.shape else answer))


def _by_time(exercise, case, got, want, k):
    """Backward in time: right at later steps and wrong before."""
    output = exercise.outputs[k]
    if not exercise.backward or "t" not in output.axes:
        return None
    bad = differs(got, want)
    step = bad.any(axis=tuple(a for a in range(bad.ndim) if a != output.axes.index("t")))
    last, T = int(np.flatnonzero(step)[-1]) + 1, len(step)
    if last == T:
        return None
    later = f"t = {T}" if last + 1 == T else f"t = {last + 1} to {T}"
    return (f"{output.name} is right at {later}, and wrong at t = {last}",
            f"what is carried back from t = {last + 1} to t = {last}: every later step is right")


def _by_size(exercise, name, right, wrong):
    """Right with one step, position or example, wrong with two."""
    time = "positions" if "S" in "".join(map("".join, exercise.shapes.values())) or any(
        n in exercise.shapes for n in ("e", "alpha", "s")) else "T"
    kinds = [time if letter == "T" else letter for letter in ("S", "T", "N")
             if right(f"{letter}=1") and wrong(f"{letter}=2")]
    if not kinds:
        return None
    return (f"with {', or with '.join(WORDS[kind] for kind in kinds)} {name} is right, with two it is not",
            "; ".join(LOOK[kind] for kind in kinds))


def _by_padding(exercise, cases, got, want, k, name, right):
    """Right wherever there is no padding."""
    plain = [c for c, case in enumerate(cases)
             if isinstance(case.inputs.get("mask"), np.ndarray) and case.inputs["mask"].all()]
    fine = plain and all(want[c] is not None and not differs(got[c][k], want[c][k]).any() for c in plain)
    if fine or right("no padding"):
        return f"without padding {name} is right, with padding it is not", "what happens where the mask is False"
    return None


def _by_argument(exercise, name, right):
    """Right if an argument is zero, or a square matrix symmetric."""
    for argument, letters in exercise.shapes.items():
        if right(f"symmetric {argument}"):
            return (f"with a symmetric {argument} {name} is right, with another one it is not",
                    f"every product with {argument}: {argument} or its transpose")
    zero = [argument for argument in exercise.shapes if right(f"zero {argument}")]
    if zero and len(exercise.shapes) > max(2, len(zero)):
        return (f"with {' = 0, or with '.join(zero)} = 0 {name} is right, otherwise it is not",
                f"the terms of {name} in which {' or '.join(zero)} takes part")
    return None


def _by_label(cases, got, want, k, name):
    """Right on the ordinary inputs, wrong on special ones."""
    bad, fine = ([case.label for case, g, w in zip(cases, got, want)
                  if w is not None and not case.layout and differs(g[k], w[k]).any() == wrong]
                 for wrong in (True, False))
    if not fine or not bad:
        return None
    return (f"{name} is right for: {', '.join(fine[:3])}; and wrong for: {', '.join(bad[:3])}",
            f"what is special about these inputs: {bad[0]}")


def _smallest(exercise, name, extras, by_label, wrong, right, run, k):
    """The smallest inputs on which it is still wrong, with both numbers."""
    number = next((label for label in by_label if label.startswith("numbers ") and wrong(label)), None)
    if number:
        g, w = run(by_label[number])
        shown = " and ".join(f"{a} = {v}" for a, v in extras[by_label[number]].inputs.items())
        return (f"the smallest numbers for which {name} is wrong are {shown}: they give {name} = {_short(g[k])}, "
                f"wanted {_short(w[k])}", "the entry that differs: by hand, with these numbers in the equation")
    grown = [label[6:] for label in by_label if label.startswith("grown ") and wrong(label)]
    label = "smallest" if wrong("smallest") else f"grown {grown[0]}" if grown else ""
    if label:
        given = extras[by_label[label]].inputs
        g, w = run(by_label[label])
        shown = ", ".join(f"{a} = {_short(v)}" for a, v in given.items())
        sizes = "with all sizes 1" if label == "smallest" else f"with {grown[0]} = 2 and all other sizes 1"
        before = f"with all sizes 1 {name} is right; it becomes wrong when {' or '.join(grown)} is 2.  " \
            if label != "smallest" and right("smallest") else ""
        return (f"{before}{name} is wrong {'even ' if not before else ''}{sizes}, where a calculator is enough: "
                f"{shown} give {name} = {_short(g[k])}, wanted {_short(w[k])}",
                "these few numbers by hand, line by line, until one differs from your code's"
                + (": nothing is carried back yet at the last step" if exercise.backward else ""))
    if right("smallest"):
        return (f"with all sizes 1 {name} is right, with the sizes above it is not",
                "one size after the other: make only that one 2")
    return (f"{name} is wrong on every input that was tried",
            f"{name} by hand for one example, line by line, beside what your code prints")


def _short(a):
    """Few numbers as text."""
    if isinstance(a, np.ndarray):
        text = ", ".join(f"{v:.6g}" for v in a.ravel()[:8].tolist())
        return text if a.size == 1 else f"[{text}{', ...' if a.size > 8 else ''}]"
    return f"{a:.6g}" if isinstance(a, float) else str(a)
