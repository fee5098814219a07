"""Stage 4: what can be said of wrong numbers by looking at them beside the right ones and the arguments.

Each detector gives a sentence that is true of the numbers, or nothing.
"""
from itertools import permutations

import numpy as np

from .locate import differs

CLOSE = 1e-5                   # relative error below which float32 or an added small number is suspected


def detect(exercise, pairs, k, detectors):
    """The first sentence of these detectors that is true in every pair: -> (says, look) or None.

    pairs : list of (case, got, want) of output k, of those cases in which it is wrong
    """
    for detector in detectors:
        found = [detector(exercise, *pair, exercise.outputs[k]) for pair in pairs]
        if detector is precision and found[0]:
            return found[0]                                     # on other inputs the error may be larger
        if not all(found):
            continue
        if detector is ratio:
            return _ratios(found)
        if detector is precision or len({f[0] for f in found}) == 1:
            return found[0]
    return None


def _ratios(found):
    """One sentence on the ratios in several cases: with their meaning where it is the same one in all."""
    meanings = {f[0].rpartition(" is ")[2] if ": " in f[0][len("x: "):] and " is " in f[0].partition(" one")[2] else ""
                for f in found}
    factors = {f[0].partition(" times the wanted one")[0] for f in found}
    if len(meanings) == 1 or len(found) == 1:
        return found[0]
    if len(factors) == 1:
        return found[0][0].partition(" times the wanted one")[0] + " times the wanted one", found[0][1]
    return found[0][0].partition(":")[0] + ": every number is a multiple of the wanted one, by input", found[0][1]


def precision(exercise, case, got, want, output):
    """Right to about 7 digits."""
    if want.dtype.kind != "f" or not np.isfinite(got).all():
        return None
    scale = np.abs(want).max()
    error = np.abs(got - want).max()
    if not 0 < error < CLOSE * scale:
        return None
    digits = int(-np.log10(error / scale))
    return (f"{output.name} agrees with the right numbers to about {digits} digits: float32 somewhere inside, a "
            "small number such as 1e-8 added, or a difference where a formula is wanted",
            "astype, dtype=, small constants, and differences of nearly equal numbers")


def place_holders(exercise, case, got, want, output):
    """All zeros, or all one number."""
    if got.size > 1 and not got.any():
        return f"{output.name} is all zeros: is anything ever written into it?", f"what makes {output.name}"
    if got.size > 2 and np.isfinite(got).all() and np.ptp(got) == 0 and np.ptp(want) != 0:
        return f"every number of {output.name} is the same", f"what makes {output.name}"
    return None


def truncated(exercise, case, got, want, output):
    """Whole numbers where fractions belong."""
    if want.dtype.kind != "f" or not np.isfinite(got).all() or (want == np.round(want)).all():
        return None
    if (got == np.trunc(want)).all():
        return (f"{output.name} holds the right numbers without their decimals: an array of integers cut them off",
                "the dtype of the array that becomes it: zeros_like and full take it from what they are given")
    if (got == np.round(got)).all() and got.any():
        return (f"every number of {output.name} is whole, and the right ones are not",
                "integer arrays, // and rounding")
    return None


def an_argument(exercise, case, got, want, output):
    """An argument returned as it came."""
    for name, value in case.inputs.items():
        if isinstance(value, np.ndarray) and value.shape == got.shape and value.size > 1 and not differs(
                got, value.astype(got.dtype)).any():
            return f"{output.name} is the argument {name}, unchanged", f"what makes {output.name}"
    return None


def moved(exercise, case, got, want, output):
    """The right numbers, in other places."""
    if not got.ndim or got.ndim != len(output.letters) or not np.isfinite(got).all():
        return None
    for axis, letter in enumerate(output.letters):
        if not differs(np.flip(got, axis), want).any():
            return (f"{output.name} holds the right numbers in reversed order over {letter}",
                    f"the order in which {output.name} is filled")
        for by, words in ((1, "later"), (-1, "earlier")):
            if not differs(np.roll(got, -by, axis), want).any():
                return (f"{output.name} holds the right numbers one place {words} along {letter}, the last and "
                        "the first joined", f"the index that {output.name} is written with")
        n = got.shape[axis]
        if 1 < n <= 5:
            for order in permutations(range(n)):
                if not differs(got.take(order, axis), want).any():
                    return (f"{output.name} holds the right numbers in another order along {letter}",
                            f"the order in which {output.name} is filled")
    if got.ndim == 2 and got.shape[0] == got.shape[1] and not differs(got.T, want).any():
        return f"{output.name} is transposed", f"what makes {output.name}"
    if got.size > 2 and not differs(np.sort(got, axis=None), np.sort(want, axis=None)).any():
        return (f"{output.name} holds the right numbers in other places",
                "reshape, transpose, and the order of loops")
    return None


def ratio(exercise, case, got, want, output):
    """Every number is the same multiple of the right one."""
    if want.size == 0 or want.dtype.kind != "f" or not np.isfinite(got).all():
        return None
    big = np.abs(want) > 1e-6 * np.abs(want).max()
    if not big.any() or want.size > 1 and big.sum() < 2:
        return None
    factor = float(np.median(got[big] / want[big]))
    if abs(factor) < 1e-12 or differs(got, factor * want).any():
        return None
    words = _meaning(case, abs(factor))
    if want.size == 1 and not words and abs(factor + 1) > 1e-6:
        return None                                             # of one number every other one is a multiple
    if abs(factor + 1) < 1e-6:
        words = ": the sign is turned"
    elif factor < 0:
        words = ": the sign is turned" + (" and" + words[1:] if words else "")
    subject = "it is" if want.size == 1 else "every number is"
    return (f"{output.name}: {subject} {factor:.4g} times the wanted one{words}",
            "every division, mean and sum on the way")


def _meaning(case, factor):
    """": 1/4, and 4 is N" if the factor, or one over it, is a size of the inputs."""
    for size, meaning in sizes(case).items():
        if size > 1 and abs(factor * size - 1) < 1e-6:
            return f": 1/{size}, and {size} is {meaning}"
        if size > 1 and abs(factor / size - 1) < 1e-6:
            return f": {size} is {meaning}"
    for a, first in sizes(case).items():
        for b, second in sizes(case).items():
            if a != b and len(first) == len(second) == 1 and abs(factor * b / a - 1) < 1e-9:
                return f": {a}/{b}, and these are {first} and {second}"
    return ""


def sizes(case):
    """Size -> what it is, for this case's arrays."""
    from ..exercises import EXERCISES
    found = {}
    exercise = next((e for e in EXERCISES.values() if e.names == tuple(case.inputs)), None)
    if "mask" in case.inputs:
        mask = case.inputs["mask"]
        found[int(mask.sum())] = "the number of real positions"
        found[mask.size] = "T N" if "T" in exercise.shapes["mask"] else "S N"
    for name, letters in (exercise.shapes if exercise else {}).items():
        for letter, size in zip(letters, np.shape(case.inputs[name])):
            if letter.isalpha():
                found.setdefault(size, letter)
    if exercise and {"N", "V"} <= set("".join(map("".join, exercise.shapes.values()))):
        n, v = (next(s for s, m in found.items() if m == letter) if letter in found.values() else 1
                for letter in "NV")
        found.setdefault(n * v, "N V")
    return found


FACTORS = (("{}", lambda a: a), ("(1 - {})", lambda a: 1 - a), ("(1 - {}^2)", lambda a: 1 - a**2),
           ("{} (1 - {})", lambda a: a * (1 - a)), ("{}^2", lambda a: a**2), ("tanh({})", np.tanh))


def term_or_factor(exercise, case, got, want, output):
    """A term or a factor that is an argument, or made of one, is missing or too much."""
    if got.dtype.kind != "f" or not got.ndim or not np.isfinite(got).all() or got.size < 3:
        return None
    for name, value in case.inputs.items():
        if not isinstance(value, np.ndarray) or value.dtype.kind != "f" or value.shape != got.shape:
            continue
        for sign, words in ((1, f"plus the argument {name}"), (-1, f"minus the argument {name}")):
            if not differs(got - sign * value, want).any():
                return (f"{output.name} is the right answer {words}", f"where {name} is added or taken away")
        for form, f in FACTORS:
            a, shown = f(value), form.format(name, name)
            if np.abs(a).min() < 1e-9:
                continue
            if not differs(got * a, want).any():
                return (f"{output.name} times {shown} is the right answer: the factor {shown} is missing",
                        f"where {name} belongs")
            if not differs(got, want * a).any():
                return (f"{output.name} is the right answer times {shown}: a factor too much",
                        f"where {name} is multiplied")
    if got.size > 1 and not differs(got - np.median(got - want), want).any():
        return (f"every number of {output.name} is wrong by the same amount, {np.median(got - want):.6g}",
                "what is added to every entry")
    return None


BEFORE = (precision, place_holders, truncated, an_argument, moved, ratio)      # before the generic mistakes are tried
BEHIND = (term_or_factor,)
