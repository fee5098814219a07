"""Where two runs differ first: the equation and the entry, with both values.

Entries of the two runs are paired by what they are (equation, name, step, layer, direction, part, forward or
backward) and compared in the order of the first run, so that a mistake is named where it is made and not
where it is noticed.  Padding is left out: steps and positions that only one run has, and those that masks
call padding.
"""
from collections import Counter
from typing import NamedTuple

import numpy as np

from .entry import Entry

OF_A_QUERY = ("s", "ds", "q", "dq", "ctx", "dctx")     # (N, ...) in attention, where all else is (T, N, ...)


class Difference(NamedTuple):
    """The first place where two runs differ."""
    mark: str
    name: str
    t: int | None
    index: tuple               # into the value; None where a whole entry is missing or has another shape
    a: object                  # the value of the run that was asked; a shape; None where it is missing
    b: object                  # the same of the other run
    entry: Entry

    def __str__(self):
        e = self.entry
        what = f"{e.mark} {e.name}{list(self.index) if self.index else ''}, {e.phase}, {e.place}"
        read = " (read there: it was made before, outside of a marked line)" * (e.role == "in")
        if self.index is not None:
            return f"{what}: {self.a!r} here, {self.b!r} there{read}; line {e.where}"
        if self.a is None or self.b is None:
            return f"{what}: {'missing here' if self.a is None else 'missing there'}; line {e.where}"
        return f"{what}: shape {self.a} here, {self.b} there{read}; line {e.where}"


def first_difference(tr, other, rtol=1e-9):
    """Compare two traces.

    Parameters
    ----------
    tr, other : Trace
    rtol : float
        Allowed, relative to the largest entry of an array; 1e-3 for float32 against float64.

    Returns
    -------
    Difference or None
        None where everything that both have is the same.
    """
    if not hasattr(other, "_entries"):
        raise TypeError(f"other: got {type(other).__name__}, wanted a Trace")
    if not rtol >= 0:
        raise ValueError(f"rtol: got {rtol!r}, wanted 0 or more")
    mine, theirs = keyed(tr), keyed(other)
    sizes = lengths(tr), lengths(other)
    for key, e in mine.items():
        if key not in theirs:
            if e.role == "out" and not padding_step(e, sizes[1]):
                return Difference(e.mark, e.name, e.t, None, e.shape, None, e)
        elif found := compare(tr, other, e, theirs[key], rtol, sizes):
            if e.role == "in" and e.inside:             # its caller's line handed over wrong numbers
                above = [(f, theirs[k]) for k, f in mine.items() if f.execution == e.inside and k in theirs]
                found = next(filter(None, (compare(tr, other, *pair, rtol, sizes) for pair in above)), found)
            return found
    for key, e in theirs.items():
        if key not in mine and e.role == "out" and not padding_step(e, sizes[0]):
            return Difference(e.mark, e.name, e.t, None, None, e.shape, e)
    return None


def keyed(tr):
    """{what an entry is: Entry}; what happens again (a loop of one's own, a second batch) is numbered."""
    seen, found = Counter(), {}
    for e in tr.entries:
        part = e.part if e.part in ("encoder", "bridge", "decoder") else None       # one's own cell is a cell
        key = (e.marks, e.name, e.role, e.phase, part, e.layer, e.direction, e.t)
        found[(*key, seen[key])] = e
        seen[key] += 1
    return found


def lengths(tr):
    """Number of steps by part: T of the encoder, S of the decoder."""
    return {part: 1 + max(e.t for e in tr.entries if e.part == part and e.t is not None)
            for part in tr.parts() if any(e.part == part and e.t is not None for e in tr.entries)}


def padding_step(e, size):
    """Whether an entry is of a step beyond the end of the other run."""
    return e.t is not None and e.t >= size.get(e.part, 0) > 0


def compare(tr, other, e, f, rtol, sizes):
    a, b = e.value, f.value
    if a.shape != b.shape:
        if not (a.ndim == b.ndim >= 1 and a.shape[1:] == b.shape[1:]
                and any(steps_differ(len(a), len(b), sizes[0][p], sizes[1].get(p, 0)) for p in sizes[0])):
            return Difference(e.mark, e.name, e.t, None, a.shape, b.shape, e)
        a, b = a[:len(b)], b[:len(a)]                           # the longer run has padding there
    if a.dtype.kind in "biu" and b.dtype.kind in "biu":
        wrong = a != b
    else:
        with np.errstate(invalid="ignore"):
            finite = np.abs(b[np.isfinite(b)])
            near = np.abs(a - b) <= rtol * finite.max(initial=np.finfo(np.float64).tiny)
        wrong = ~(near | (a == b) | (np.isnan(a) & np.isnan(b)))
    if wrong.any():
        real = is_real(tr, e, wrong.shape) & is_real(other, f, wrong.shape)
        wrong &= real
    if not wrong.any():
        return None
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    return Difference(e.mark, e.name, e.t, at, a[at].item(), b[at].item(), e)


def steps_differ(a, b, T, U):
    """Whether a and b rows are T and U steps (of any number of examples), no two runs alike."""
    return U > 0 and a % T == 0 and b == a // T * U


def is_weight(name, value):
    """Whether it is a parameter or a parameter's gradient: its first axis is neither time nor examples."""
    return name.lstrip("d").split("_")[0] in ("W", "U", "b", "E") or value.ndim < 2


def is_real(tr, e, shape):
    """Where the masks say that a value is of a real position; everywhere for weights and their gradients."""
    real = np.ones(shape, bool)
    if is_weight(e.name, e.value):
        return real
    source, target = tr.masks.get("encoder"), tr.masks.get("decoder")
    now = tr.masks.get("steps", {}).get((e.part, e.t))
    if now is None and e.part == "decoder" and e.t is not None and target is not None:
        now = target[e.t]
    over_source = e.mark.startswith(("(A", "(F3")) and e.name not in OF_A_QUERY
    if e.t is not None and not over_source:                     # rows are examples
        return real if now is None else real & spread(now, shape)
    late = e.part in ("decoder", "loss") or e.mark.startswith(("(S4", "(S5"))
    whole = target if e.t is None and late else source          # (T, N, ...)
    if whole is not None:
        real &= spread(whole.reshape(-1) if e.name in ("rows", "drows") else whole, shape)
    if now is not None:
        real &= spread(now[None], shape)
    return real


def spread(mask, shape):
    """A mask of the first axes, ready to be combined with an array of `shape`; True where it does not fit."""
    mask = mask[:shape[0]]
    if mask.ndim > len(shape) or any(m not in (1, n) for m, n in zip(mask.shape, shape)):
        return True
    return mask.reshape(mask.shape + (1,) * (len(shape) - mask.ndim))
