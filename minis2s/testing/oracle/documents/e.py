"""The formula of document E: E3.3 is e3_3."""
from math import log

from ..vectors import pairs


def e3_3(ps, ys):
    """E3.3: L = -Σ_t log p(y_t given y_{<t}, x).

    ps is S x V, ys holds S token ids; returns the sum, not divided by S.
    """
    return -sum(log(p[y]) for p, y in pairs(ps, ys))
