"""What public functions require of their arguments: shapes, dtypes, finiteness.  Inner functions only compute.

Every function returns nothing, or raises with one line: the argument's name, what came, and what was wanted.
"""
from collections.abc import Callable
from typing import Any

import numpy as np

INT64, UINT64 = np.dtype(np.int64), np.dtype(np.uint64)
WORDS = {"f": "floating", "c": "complex", "i": "whole", "u": "unsigned", "b": "bool"}


def array(name: str, a: Any, shape: tuple, kinds: str = "fc") -> None:
    """Ask for an array.

    Parameters
    ----------
    name : str
        Of the argument, for the message.
    a : object
    shape : tuple
        Of whole numbers, and of letters ("T") where any size of at least 1 will do.
    kinds : str
        Allowed dtype kinds as NumPy writes them: f floating, c complex, i and u whole, b bool.

    Raises
    ------
    TypeError
        No array, or of another dtype.
    ValueError
        Of another shape, or with NaN or infinity.
    """
    if not isinstance(a, np.ndarray):
        raise TypeError(f"{name}: got {type(a).__name__}, wanted an array")
    kind = a.dtype.kind
    if kind not in kinds:
        raise TypeError(f"{name}: got dtype {a.dtype}, wanted {' or '.join(WORDS[k] for k in kinds)} numbers")
    if a.shape != shape and (len(a.shape) != len(shape) or not all(
            [n > 0 if isinstance(w, str) else n == w for n, w in zip(a.shape, shape)])):
        raise ValueError(f"{name}: got shape {a.shape}, wanted ({', '.join(map(str, shape))})")
    if kind in "fc" and not np.isfinite(a).all():
        at = tuple(int(i) for i in np.unravel_index(np.argmin(np.isfinite(a)), a.shape))
        raise ValueError(f"{name}: entry {at} is {a[at]}, wanted finite numbers")


def ids(name: str, a: Any, V: int, shape: tuple = ("T", "N")) -> None:
    """Ask for token ids 0 .. V-1."""
    array(name, a, shape, "iu")
    if a.dtype == INT64 and np.maximum.reduce(a.view(UINT64), None) < V:       # read so, a negative one is huge
        return
    least, most = np.minimum.reduce(a, None), np.maximum.reduce(a, None)       # as a.min(), at half its price
    if least < 0 or most >= V:
        raise ValueError(f"{name}: got ids from {least} to {most}, wanted 0 .. {V - 1}")


def mask(name: str, a: Any, shape: tuple) -> None:
    """Ask for a mask (steps, N): in every column real steps (True), at least one, and then only padding."""
    array(name, a, shape, "b")
    if not np.logical_and.reduce(a, None) and (not a[0].all() or (a[1:] > a[:-1]).any()):
        raise ValueError(f"{name}: wanted in every column a real step (True), and padding at the end only")


def whole(name: str, value: Any, least: int, most: int | None = None) -> None:
    """Ask for a whole number from `least` to `most` (None: no limit)."""
    is_whole = isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_))
    if not is_whole or value < least or (most is not None and value > most):
        wanted = f"{least} or more" if most is None else f"{least} .. {most}"
        error = ValueError if is_whole else TypeError
        raise error(f"{name}: got {value!r}, wanted a whole number, {wanted}")


def real(name: str, value: Any, ok: Callable[[Any], bool], wanted: str) -> None:
    """Ask for a finite number for which `ok` holds; `wanted` says which these are."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name}: got {value!r}, wanted {wanted}")
    if not np.isfinite(value) or not ok(value):
        raise ValueError(f"{name}: got {value!r}, wanted {wanted}")
