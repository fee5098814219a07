"""Generic mistakes: the reference on changed arguments ("as if b were zero"), and changed results of it.

They need no entry in the bank: what comes out if an argument is not used, transposed, shifted by a step, reversed,
exchanged with another one, or if only one example is counted, is computed from the reference itself.  Each sentence
says what the numbers are, which is a fact, and asks about the code.
"""
from itertools import combinations

import numpy as np

from ..mistakes.mistake import Mistake
from .cases import take


def changed(exercise, case):
    """Mistakes of this exercise, made for arguments such as those of `case`."""
    def add(name, says, look, change):
        found.append(Mistake(exercise.name, name, "", says, look, _on_changed(exercise, change)))
    found = []
    for name, value in case.inputs.items():
        letters = exercise.shapes.get(name, ())
        if isinstance(value, np.ndarray) and value.ndim:
            for words, look, f in _array_changes(name, value, letters):
                add(f"{name}: {words}", f"the numbers are those that come out if {name} {words}", look,
                    lambda given, name=name, f=f: {**given, name: f(given[name], given)})
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and name != "V":
            for other in (0, 1):
                add(f"{name}: {other}", f"the numbers are those that come out if {name} were {other}",
                    f"where {name} is used", lambda given, name=name, other=other: {**given, name: other})
    for a, b in combinations(exercise.shapes, 2):
        if np.shape(case.inputs[a]) == np.shape(case.inputs[b]) and exercise.shapes[a] == exercise.shapes[b]:
            add(f"{a} for {b}", f"the numbers are those that come out if {a} stands in the place of {b}",
                f"every line with {a} or {b}", lambda given, a=a, b=b: {**given, b: given[a]})
            add(f"{b} for {a}", f"the numbers are those that come out if {b} stands in the place of {a}",
                f"every line with {a} or {b}", lambda given, a=a, b=b: {**given, a: given[b]})
            add(f"{a} and {b}", f"the numbers are those that come out if {a} and {b} change places",
                f"every line with {a} or {b}", lambda given, a=a, b=b: {**given, a: given[b], b: given[a]})
    return found + list(_changed_results(exercise))


def _on_changed(exercise, change):
    def f(*values):
        return exercise.reference(**change(dict(zip(exercise.names, values))))
    return f


def _array_changes(name, value, letters):
    """(words, where to look, function of the array and of all arguments) for one array argument."""
    use = f"where {name} is used"
    if value.dtype.kind in "bi":
        yield from (_mask_changes if value.dtype.kind == "b" else _id_changes)(value, letters, use)
        return
    yield "were all zeros: is it used?", use, lambda a, g: np.zeros_like(a)
    yield "had the other sign", f"the sign of {name}", lambda a, g: -a
    yield "had gone through a tanh", use, lambda a, g: np.tanh(a)
    yield "were 1 minus itself", use, lambda a, g: 1 - a
    if len(letters) == 2 and value.shape[0] == value.shape[1]:
        yield "were transposed", f"every product with {name}", lambda a, g: a.T.copy()
    blocks = next((int(s[0]) for s in letters if s[0].isdigit() and s[1:]), 0)
    if blocks and len(letters) == 2 and value.shape[0] * blocks == value.shape[1]:
        yield "had its blocks transposed", f"every product with {name}", lambda a, g: np.concatenate(
            [b.T for b in np.split(a, blocks, axis=1)], axis=1)
    if blocks and len(letters) == 2:
        yield ("had its columns mixed, unit by unit in place of block by block", "how the blocks are cut",
               lambda a, g: a.reshape(len(a), -1, blocks).swapaxes(1, 2).reshape(a.shape))
    for axis, letter in enumerate(letters):
        if letter in ("T", "S"):
            yield f"came one step later, with its last step first (index -1 at {letter.lower()} = 1?)", \
                f"the index of {name}", lambda a, g, axis=axis: np.roll(a, 1, axis)
            yield "came one step early", f"the index of {name}", lambda a, g, axis=axis: np.roll(a, -1, axis)
            yield f"were reversed over {letter}", f"the order in which {name} is read", \
                lambda a, g, axis=axis: np.flip(a, axis)
            yield f"had its first step everywhere along {letter}", f"the index of {name}", \
                lambda a, g, axis=axis: np.broadcast_to(a.take([0], axis), a.shape)
            yield f"had its last step everywhere along {letter}", f"the index of {name}", \
                lambda a, g, axis=axis: np.broadcast_to(a.take([-1], axis), a.shape)
            yield f"had only its last step along {letter}, and zeros before", f"the index of {name}", \
                lambda a, g, axis=axis: a * _at(a, axis, -1)
            yield f"had only its first step along {letter}, and zeros behind", f"the index of {name}", \
                lambda a, g, axis=axis: a * _at(a, axis, 0)
        if letter == "N" and value.shape[axis] > 1:
            yield "had the first example's row for every example", f"the index n of {name}", \
                lambda a, g, axis=axis: np.broadcast_to(a.take([0], axis), a.shape)
            yield "were its mean over the examples", f"every mean or sum of {name}", \
                lambda a, g, axis=axis: np.broadcast_to(a.mean(axis=axis, keepdims=True), a.shape)
    if letters[:2] in (("T", "N"), ("S", "N")):
        yield "were zero at padding", f"the mask, where it meets {name}", _at_real


def _mask_changes(value, letters, use):
    """As `_array_changes`, for a mask."""
    yield "were True everywhere", use, lambda a, g: np.ones_like(a)
    yield "were inverted (False for True)", use, lambda a, g: ~a
    yield "were shifted by one step", use, lambda a, g: np.concatenate([a[1:], 0 * a[:1]])


def _id_changes(value, letters, use):
    """As `_array_changes`, for token ids."""
    top = int(value.max())
    yield "were one smaller, as if counted from 1", use, lambda a, g: a - 1
    yield "were one greater", use, lambda a, g: np.minimum(a + 1, top)
    for axis, letter in enumerate(letters):
        yield f"were reversed over {letter}", use, lambda a, g, axis=axis: np.flip(a, axis)
        yield f"were shifted by one over {letter}", use, lambda a, g, axis=axis: np.roll(a, 1, axis)
        yield f"were shifted back by one over {letter}", use, lambda a, g, axis=axis: np.roll(a, -1, axis)


def _at(a, axis, which):
    """1 at one place along an axis, 0 elsewhere."""
    shape = [1] * a.ndim
    shape[axis] = a.shape[axis]
    one = np.zeros(a.shape[axis])
    one[which] = 1
    return one.reshape(shape)


def _at_real(a, g):
    mask = g["mask"]
    if mask.ndim > a.ndim:                                      # one of frames, and a number for each step
        mask = mask.any(axis=2)
    return np.where(mask.reshape(mask.shape + (1,) * (a.ndim - mask.ndim)), a, 0)


def _changed_results(exercise):
    """Mistakes that are the reference's result, changed: only some examples are counted, and so on."""
    def on_part(which):
        def f(*values):
            given = dict(zip(exercise.names, values))
            n = max(len(given[name]) if letters[0] == "N" else given[name].shape[letters.index("N")]
                    for name, letters in exercise.shapes.items() if "N" in letters)
            return exercise.reference(**take(exercise, given, "N", which(n)))
        return f
    summed = ", ".join(o.name for o in exercise.outputs if "N" not in o.letters)
    if summed and any("N" in letters for letters in exercise.shapes.values()):
        for words, which in (("the first example", lambda n: [0]), ("the last example", lambda n: [n - 1]),
                             ("all examples but the first", lambda n: range(1, n)),
                             ("all examples but the last", lambda n: range(n - 1))):
            yield Mistake(exercise.name, f"part of {words}", "", f"it is the part of {words} alone, "
                          "and not the sum over all", "the sum over n", on_part(which))
    for i, a in enumerate(exercise.outputs):
        for j, b in enumerate(exercise.outputs):
            if i < j and a.letters == b.letters:
                def swapped(*values, i=i, j=j):
                    r = list(exercise.reference(**dict(zip(exercise.names, values))))
                    r[i], r[j] = r[j], r[i]
                    return tuple(r)
                yield Mistake(exercise.name, f"{a.name} and {b.name} swapped", "",
                              f"{a.name} holds the numbers of {b.name}, or the other way round: they have "
                              "changed places", "the line with return", swapped)
