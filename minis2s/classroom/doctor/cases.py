"""The inputs: those that judge a function, and smaller ones for experiments on one that is wrong.

Both sides of the judge make them anew from the exercise and the seed, and get the same numbers.
"""
from itertools import product

import numpy as np

from ..exercises.exercise import draws

LAYOUTS = (("fortran", "the same numbers, stored column by column"),
           ("gaps", "the same numbers, stored with gaps and in the other byte order"))


def ordinary(exercise, seed):
    """The Cases that a right function passes; labels are unique."""
    cases, labels = [], set()
    for case in exercise.cases(draws(seed)):
        label = case.label
        while label in labels:
            label += ", other sizes"
        labels.add(label)
        cases.append(case._replace(label=label))
    alone = take(exercise, cases[0].inputs, "N", [0]) if "one example" not in labels else None
    if alone:
        cases.append(cases[0]._replace(label="one example (N = 1)", inputs=alone))
    if exercise.layouts:
        cases += [cases[0]._replace(label=label, layout=layout) for layout, label in LAYOUTS]
    return cases


def extra(exercise, seed):
    """Cases for experiments; each label says what is special about it, as `experiment.py` reads it."""
    first = _longest_first(exercise, ordinary(exercise, seed)[0].inputs)
    found = {}
    for letter in "NTS":
        for size in (1, 2):
            found[f"{letter}={size}"] = take(exercise, first, letter, range(size))
    for name, letters in exercise.shapes.items():
        value = first[name]
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            found[f"zero {name}"] = {**first, name: np.zeros_like(value)}
            if len(letters) == 2 and letters[0] == letters[1]:
                found[f"symmetric {name}"] = {**first, name: (value + value.T) / 2}
        if name == "mask" and "mask" not in exercise.depends:
            found["no padding"] = {**first, name: np.ones_like(value)}
    if all(isinstance(value, int) for value in first.values()):
        for numbers in sorted(product(range(1, 5), repeat=len(first)), key=sum):
            found[f"numbers {numbers}"] = dict(zip(first, numbers))
    letters = sorted({letter.lstrip("234") for shape in exercise.shapes.values() for letter in shape})
    for grown in ("", *letters):
        some = first
        for letter in letters:
            some = some and take(exercise, some, letter, [0, 1] if letter == grown else [0])
        found[f"grown {grown}" if grown else "smallest"] = some if letters else None
    from ..exercises.exercise import Case
    return [Case(label, inputs) for label, inputs in found.items() if inputs is not None]


def _longest_first(exercise, inputs):
    """The inputs with the example that has no padding in the first place: with N = 1 the padding is gone, too."""
    mask, letters = inputs.get("mask", inputs.get("alpha")), exercise.shapes.get("mask", exercise.shapes.get("alpha"))
    if letters not in (("T", "N"), ("S", "N"), ("S", "N", "r")) or np.ndim(mask) != len(letters):
        return inputs
    order = np.argsort(-(mask != 0).sum(axis=(0, *range(2, len(letters)))), kind="stable")
    return take(exercise, inputs, "N", order) or inputs


def take(exercise, inputs, letter, which):
    """The inputs with only the entries `which` along every axis called `letter`: None where no array has one.

    Gates packed side by side ("4H") are cut block by block.  Attention weights are made to sum to 1 again, targets stay
    below V, and the words of a source below U.
    """
    which, found, touched = list(which), dict(inputs), False
    if "width" in inputs and letter in "KV":
        return None
    for name, letters in exercise.shapes.items():
        a = inputs[name]
        if not isinstance(a, np.ndarray):
            return None
        for axis, own in enumerate(letters):
            blocks = int(own[0]) if own[0].isdigit() else 1
            if own.lstrip("234") == letter and a.ndim == len(letters):
                size = a.shape[axis] // blocks
                if max(which) >= size:
                    return None
                a = a.take([k * size + w for k in range(blocks) for w in which], axis=axis)
                touched = True
        if letter == "T" and name in ("alpha", "alphas"):
            a = a / a.sum(axis=letters.index("T"), keepdims=True)
        found[name] = a
    if not touched or any(not isinstance(v, (np.ndarray, float, int)) for v in found.values()):
        return None
    if letter == "V" and "targets" in found:
        found["targets"] = found["targets"] % len(which)
    if letter == "U":
        found["ids"] = found["ids"] % len(which)
    return found
