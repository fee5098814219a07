"""Time against one size, and a straight line through it.

    time
      │            /o      time = fixed + each * size
      │          /         the line's parameters make the sum of squares of (line - time) / time least:
      │       o/           a deviation counts by its share, else only the greatest time would matter
      │   o /
      │ o/                 worst: the greatest |line - time| / time of the points
      └───────────── size

T, B and V should grow in straight lines: the line goes through the last five points, four doublings. Work
grows with the square of H, which has no line.
"""
import numpy as np

from .cases import points
from .rounds import measure

FITTED = 5


def straight_line(sizes, times):
    """Least squares of relative deviations: -> (fixed, each, worst), see above."""
    sizes, times = np.asarray(sizes, float), np.asarray(times, float)
    columns, ones = np.stack([np.ones_like(sizes), sizes], axis=1) / times[:, None], np.ones_like(times)
    fixed, each = np.linalg.lstsq(columns, ones, rcond=None)[0]
    if fixed < 0:                               # no time can be: a bent curve would pass for a steeper line
        fixed, each = 0.0, np.linalg.lstsq(columns[:, 1:], ones, rcond=None)[0][0]
    return float(fixed), float(each), float(np.abs((fixed + each * sizes) / times - 1).max())


def grow(case, threads=1, rounds=7, seconds=0.1):
    """Measure a growth case.

    Returns
    -------
    dict
        The case and `threads`; `points`: the row of `measure` for each size; `sizes`: the growing size of
        each point; `lines`: for each side [fixed seconds, seconds for each, worst deviation], {} for H.
    """
    sizes, cases = zip(*points(case))
    rows = [measure(point, threads, rounds, seconds) for point in cases]
    able = [side for side in rows[-1]["sides"] if case["of"] != "H"]
    lines = {side: straight_line(sizes[-FITTED:], [row["sides"][side]["seconds"] for row in rows[-FITTED:]])
             for side in able}
    return {**case, "threads": threads, "sizes": list(sizes), "points": rows, "lines": lines}
