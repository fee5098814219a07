"""Stage 3: which known mistake gives exactly these numbers?"""
import numpy as np

from .contract import fresh
from .locate import differs, equal


def run(mistake, cases):
    """The mistake's answers to all cases: a list of lists of arrays; None where it stops on an error."""
    results = []
    for case in cases:
        try:
            with np.errstate(all="ignore"):
                result = mistake.f(*map(fresh, case.inputs.values()))
        except case.raises:
            results.append(None)
        except Exception:                                       # a mistake may well fail on some inputs
            return None
        else:
            results.append([np.asarray(a) for a in (result if isinstance(result, tuple) else (result,))])
    return results


def agree(a, b):
    """Whether two runs over all cases give the same numbers."""
    return a is not None and b is not None and all(
        x is y is None or (x is not None and y is not None and len(x) == len(y) and equal(x, y)) for x,
        y in zip(a, b))


def diagnose(bank, cases, got):
    """-> the Mistake whose numbers are exactly `got`, or None."""
    return next((m for m in bank if agree(got, run(m, cases))), None)


def partly(exercise, bank, cases, got, want, name):
    """-> the one Mistake that explains the output `name` (there are other errors beside it), or None."""
    k = [output.name for output in exercise.outputs].index(name)

    def column(results):
        return None if results is None else [r and [r[k]] for r in results]
    if len(exercise.outputs) == 1:
        return None
    matches = [m for m in bank if agree(column(got), column(run(m, cases)))]
    return matches[0] if len(matches) == 1 else None


def ratio(case, got, want):
    """A sentence if every entry of `got` is the same multiple of `want`, else ""."""
    if want.size == 0 or want.dtype.kind != "f":
        return ""
    big = np.abs(want) > 1e-6 * np.abs(want).max()
    if big.sum() < 2 or not np.isfinite(got).all() or differs(got, want).sum() == 0:
        return ""
    factor = float(np.median(got[big] / want[big]))
    if factor == 0 or differs(got, factor * want).any():
        return ""
    sizes = {}
    for value in case.inputs.values():
        if isinstance(value, np.ndarray) and value.ndim >= 2:
            sizes.setdefault(value.shape[0], "T" if value.ndim == 3 else "the number of rows")
    if "mask" in case.inputs:
        T, N = case.inputs["mask"].shape
        sizes.update({int(case.inputs["mask"].sum()): "the number of real positions", T: "T", N: "N",
                      T * N: "T N"})
    words = ""
    for size, meaning in sizes.items():
        if size > 1 and abs(factor * size - 1) < 1e-6:
            words = f": 1/{size}, and {size} is {meaning}"
        elif size > 1 and abs(factor / size - 1) < 1e-6:
            words = f": {size} is {meaning}"
    if abs(factor + 1) < 1e-6:
        words = ": the sign is turned"
    return f"every number is {factor:.4g} times the wanted one{words}"
