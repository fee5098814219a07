"""What the functions on vectors mean: these bodies run where nothing is compiled, on slices of NumPy arrays."""
import numpy as np

LANES = 16


def at(j, end):
    """The entries j .. j+15 of a row, as far as they lie before `end`: an index for the last axis."""
    return slice(j, min(j + LANES, end))


def exp(x):
    """e**x."""
    return np.exp(x)


def tanh(x):
    """(F2)"""
    return np.tanh(x)


def sigmoid(x):
    """(F1) 1 / (1 + exp(-x))"""
    return 0.5 * (1 + np.tanh(0.5 * x))


def where(condition, x, y):
    """x if the condition (one truth value) holds, else y: a choice, so a NaN in the other does no harm."""
    return x if condition else y


def multiply_add(x, y, z):
    """x y + z, rounded once where it is compiled; y is one number."""
    return x * y + z


def zeros(a):
    """Sixteen zeros of the array a's dtype: a sum's beginning."""
    return np.zeros(LANES, a.dtype)


def zeros_like(x):
    """A Vector of zeros as long as x."""
    return np.zeros_like(x)


def add(total, x):
    """total + x, where total began with `zeros` and x may be the shorter last part of a row."""
    total = total.copy()
    total[:len(x)] += x
    return total


def total(x):
    """The sum of a Vector's entries."""
    return x.sum()


def greatest(x):
    """The greatest of a Vector's entries; NaN if one is NaN.  Compiled, unused lanes count as 0: pass full ones."""
    return x.max()


def maximum(x, y):
    """The greater of each two entries; NaN if one is NaN."""
    return np.maximum(x, y)


def positive(x):
    """1 for each entry greater than 0, else 0; for NaN, too."""
    return (x > 0).astype(x.dtype)


def sqrt(x):
    """Square root."""
    return np.sqrt(x)


def widened(x):
    """The same numbers in float64."""
    return x.astype(np.float64)
