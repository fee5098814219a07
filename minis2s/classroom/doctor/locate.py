"""Stage 2: the first wrong place in the order of computation."""
from typing import NamedTuple

import numpy as np

RTOL = 1e-9                    # of a tensor's largest wanted entry
NOISE = 1e-13                  # what rounding may leave of inputs near 1 where the true value is 0


class Location(NamedTuple):
    """Where the first wrong number stands.

    output : str;  index : tuple of int, as Python counts;  axes : their names
    t, n, gate : int (t from 1, n from 0), int, str, or None where the output has no such axis
    padded : bool, whether the mask is False there
    got, wanted : lists of a few numbers, from `index` to the end of its row
    right, wrong : names of the other outputs
    pattern : str, which steps, examples or gates are wrong
    case : str, label of the inputs
    """
    output: str
    index: tuple
    axes: tuple
    t: int
    n: int
    gate: str
    padded: bool
    got: list
    wanted: list
    right: tuple
    wrong: tuple
    pattern: str
    case: str

    def place(self):
        """The place in words: "dxs at t = 4, n = 1 (padded position): dxs[3, 1, 0]"."""
        words = [f"t = {self.t}"] if self.t else []
        words += [f"n = {self.n}"] if self.n is not None else []
        words += [f"gate block {self.gate}"] if self.gate else []
        text = f"{self.output} at {', '.join(words)}" if words else self.output
        text += " (padded position)" if self.padded else ""
        return text + (f", that is {self.output}[{', '.join(map(str, self.index))}]" if self.index else "")


def differs(got, want, rtol=RTOL):
    """Where two arrays of one shape differ: bool array.  NaN equals NaN."""
    if want.dtype.kind != "f":
        return got != want
    finite = np.abs(want[np.isfinite(want)])
    scale = finite.max() if finite.size and finite.max() > 0 else 1.0
    with np.errstate(all="ignore"):
        near = (np.abs(got - want) <= max(rtol * scale, NOISE)) | (got == want) | (np.isnan(got) & np.isnan(want))
    return ~near


def equal(got, want):
    """Whether two answers (lists of arrays) agree in every number."""
    return all(g.shape == w.shape and not differs(g, w).any() for g, w in zip(got, want))


def locate(exercise, cases, got, want):
    """-> Location of the first wrong number, or None; `got`, `want`: for each case a list of arrays."""
    position = {output.name: k for k, output in enumerate(exercise.outputs)}
    for case, g, w in zip(cases, got, want):
        bad = {o.name: differs(g[position[o.name]], w[position[o.name]]) for o in exercise.order
               if w is not None}
        wrong = [o for o in exercise.order if o.name in bad and bad[o.name].any()]
        if wrong:
            first, k = wrong[0], position[wrong[0].name]
            return _location(exercise, case, first, bad[first.name], g[k], w[k],
                             right=tuple(o.name for o in exercise.order if not bad[o.name].any()),
                             wrong=tuple(o.name for o in wrong[1:]))
    return None


def blocks(exercise, got, want):
    """Which gate blocks are wrong in the first output that has any wrong and any right: one phrase, or ""."""
    for output in exercise.order:
        k = exercise.outputs.index(output)
        bad = differs(got[k], want[k])
        if bad.any() and any(axis.startswith("gate") for axis in output.axes):
            phrase = _pattern(output, bad)
            return f"{output.name}: {phrase}" if "gate block" in phrase else ""
    return ""


def _location(exercise, case, output, bad, got, want, right, wrong):
    axes, index = output.axes, _first(output.axes, bad, exercise.backward)
    where = dict(zip(axes, index))
    gate = None
    for axis, name in enumerate(axes):
        if name.startswith("gate"):
            gate = _gates(name)[index[axis] // (bad.shape[axis] // len(_gates(name)))]
    mask = case.inputs.get("mask")
    over_time = axes[:2] == ("t", "n") and mask is not None and mask.shape == bad.shape[:mask.ndim]
    padded = over_time and not mask[index[:mask.ndim]]
    start = index[:-1] + (slice(index[-1], index[-1] + 4),) if index else ()
    return Location(output.name, index, axes, where["t"] + 1 if "t" in where else None, where.get("n"), gate,
                    bool(padded),
                    np.atleast_1d(got[start]).tolist(), np.atleast_1d(want[start]).tolist(), right, wrong,
                    _pattern(output, bad), case.label)


def _first(axes, bad, backward):
    """Index of the first wrong entry: the first step (the last one if time runs backward), then by entry."""
    entries = np.argwhere(bad)
    if backward and "t" in axes:
        step = entries[:, axes.index("t")]
        entries = entries[step == step.max()]
    elif "t" in axes:
        step = entries[:, axes.index("t")]
        entries = entries[step == step.min()]
    return tuple(int(k) for k in entries[0]) if len(axes) else ()


def _gates(axis):
    return axis.split(":")[1]


def _pattern(output, bad):
    """Which steps, examples, gate blocks or rows are wrong, where not all are: one phrase."""
    phrases = []
    for axis, name in enumerate(output.axes):
        wrong = bad.any(axis=tuple(k for k in range(bad.ndim) if k != axis))
        if name.startswith("gate"):
            parts = np.split(wrong, len(_gates(name)))
            found = [(gate, part.any()) for gate, part in zip(_gates(name), parts)]
            if not all(is_wrong for _, is_wrong in found):
                phrases.append("wrong in gate block " + ", ".join(g for g, is_wrong in found if is_wrong)
                               + "; right in " + ", ".join(g for g, is_wrong in found if not is_wrong))
        elif wrong.all() or len(wrong) == 1:
            continue
        elif name == "t":
            phrases.append(f"wrong at t = {_list(np.flatnonzero(wrong) + 1)}; "
                           f"right at t = {_list(np.flatnonzero(~wrong) + 1)}")
        elif axis < bad.ndim - 1 or bad.ndim == 1 or name == "column":      # another last axis is a row of numbers
            phrases.append(f"wrong only for {name} = {_list(np.flatnonzero(wrong))}")
    return "; ".join(dict.fromkeys(phrases))


def _list(numbers):
    """1, 2, 5 or 1 to 4."""
    numbers = [int(k) for k in numbers]
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(map(str, numbers[:6])) + (" ..." if len(numbers) > 6 else "")
