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
    output = exercise.outputs[k]
    for detector in detectors:
        found = detector(exercise, pairs, output) if detector is ratio else [
            detector(exercise, *pair, output) for pair in pairs]
        if not found or detector is ratio:
            if found:
                return found
            continue
        if detector is precision and found[0]:
            return found[0]                                     # on other inputs the error may be larger
        if all(found) and (detector is precision or len({f[0] for f in found}) == 1):
            return found[0]
        if all(found) and detector is moved:
            return (f"{output.name} holds the right numbers in other places",
                    "sorting, reshape, transpose, and the order of loops")
    return None


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
    if got.size > 2 and np.isfinite(got).all() and (got == got.flat[0]).all() and not (
            want == want.flat[0]).all():
        return f"every number of {output.name} is the same", f"what makes {output.name}"
    return None


TOKENS = {0: "PAD", 1: "BOS", 2: "EOS"}


def exchanged(exercise, case, got, want, output):
    """Of whole numbers or truth values: wherever one of them is wanted and wrong, the same other one stands."""
    bad = differs(got, want)
    if want.dtype.kind not in "ib" or got.dtype.kind != want.dtype.kind or not got.ndim:
        return None
    came, wanted = np.unique(got[bad]), np.unique(want[bad])
    if len(came) != 1 or len(wanted) != 1 or want.dtype.kind == "i" and max(came[0], wanted[0]) > 2:
        return None
    names = [str(v) if want.dtype.kind == "b" else f"{TOKENS.get(int(v), 'the token')} ({v})"
             for v in (came[0], wanted[0])]
    everywhere = "everywhere" if not (~bad & (want == wanted[0])).any() else "at some places"
    return (f"{output.name} is right but for one thing: {names[0]} stands {everywhere} where {names[1]} is wanted",
            f"which line writes {names[0]}, and which one should write {names[1]}")


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


def ratio(exercise, pairs, output):
    """Every number is the same multiple of the right one, in each case: -> (says, look) or None."""
    factors = [_factor(got, want) for _, got, want in pairs]
    if None in factors:
        return None
    meanings = [_meanings(case, abs(f)) for (case, _, _), f in zip(pairs, factors)]
    words = next((words for name, words in meanings[0].items() if all(name in other for other in meanings)), "")
    turned, one_number = max(factors) < 0, np.ptp(factors) < 1e-6 * abs(factors[0])
    single = all(want.size == 1 for _, _, want in pairs)
    if single and not words and not (turned and one_number and abs(factors[0] + 1) < 1e-6):
        return None                                             # of one number every other one is a multiple
    if turned:
        words = ": the sign is turned" + (f" and{words[1:]}" if words else "")
    subject, look = "it is" if single else "every number is", "every division, mean and sum on the way"
    if words or one_number:
        return f"{output.name}: {subject} {factors[0]:.4g} times the wanted one{words}", look
    some = list(dict.fromkeys(f"{f:.6g}" for f in factors))
    return (f"{output.name}: {subject} a multiple of the wanted one, on each of the inputs another: "
            f"{', '.join(some[:4])} times", look)


def _factor(got, want):
    """What all numbers of `want` are multiplied with in `got`, or None."""
    if want.size == 0 or want.dtype.kind != "f" or not np.isfinite(got).all():
        return None
    big = np.abs(want) > 1e-6 * np.abs(want).max()
    if not big.any() or want.size > 1 and big.sum() < 2:
        return None
    factor = float(np.median(got[big] / want[big]))
    return None if abs(factor) < 1e-12 or differs(got, factor * want).any() else factor


def _meanings(case, factor):
    """What the factor may be in terms of the inputs' sizes: formula -> words, the simplest first."""
    found, all_sizes = {}, sizes(case)
    for size, what in all_sizes:
        for power, form in ((1, "{}"), (0.5, "sqrt({})")):
            shown = form.format(size) if power < 1 else size
            if size > 1 and abs(factor * size**power - 1) < 1e-6:
                found.setdefault(f"1/{form} {what}", f": 1/{shown}, and {size} is {what}")
            if size > 1 and abs(factor / size**power - 1) < 1e-6:
                found.setdefault(f"{form} {what}",
                                 f": {shown}, and {size} is {what}" if power < 1 else f": {size} is {what}")
    for name, value in case.inputs.items():
        for form, v in ((name, value), (f"(1 - {name})", 1 - value)) if isinstance(value, float) else ():
            for shown, f in ((form, v), (f"1/{form}", 1 / v if v else 0), (f"{form}^2", v * v)):
                if abs(f - 1) > 1e-6 and abs(factor - f) <= 1e-6 * abs(f):
                    found.setdefault(shown, f": that is {shown}")
    for a, first in all_sizes:
        for b, second in all_sizes:
            if a != b and len(first) == len(second) == 1 and abs(factor * b / a - 1) < 1e-9:
                found.setdefault(f"{first}/{second}", f": {a}/{b}, and these are {first} and {second}")
    return found


def sizes(case):
    """Pairs of a size and what it is, for this case's arrays."""
    from ..exercises import EXERCISES
    found = []
    exercise = next((e for e in EXERCISES.values() if e.names == tuple(case.inputs)), None)
    if "mask" in case.inputs:
        mask = case.inputs["mask"]
        found += [(int(mask.sum()), f"the number of real {'positions' if mask.ndim == 2 else 'frames'}"),
                  (mask.size, " ".join(exercise.shapes["mask"]))]
    letters = {letter: size for name, some in (exercise.shapes if exercise else {}).items()
               for letter, size in zip(some, np.shape(case.inputs[name])) if letter.isalpha()}
    found += [(size, letter) for letter, size in letters.items()]
    return found + [(letters["N"] * letters["V"], "N V")] if {"N", "V"} <= set(letters) else found


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


# Those that are tried before the generic mistakes, and behind them.
BEFORE = (precision, place_holders, exchanged, truncated, an_argument, moved, ratio)
BEHIND = (term_or_factor,)
