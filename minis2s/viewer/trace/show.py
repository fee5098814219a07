"""A trace as text of at most 100 columns: a table of entries, and equation by equation with numbers."""
import numpy as np

from .marks import gates_of

WIDE, NUMBERS, ROWS = 100, 8, 4          # columns; numbers in a line; rows of a matrix that are shown


def table(entries, limit=None):
    """A line for each entry."""
    shown = entries if limit is None else entries[:limit]
    lines = [f"{'no.':>6}  {'mark':<13} {'name':<11} {'':<3} {'part':<10} {'t':>3} {'layer':>5} {'dir.':<8} "
             f"{'phase':<8} {'shape':<13} largest"]
    for e in shown:
        t, layer = "" if e.t is None else e.t + 1, "" if e.layer is None else e.layer
        lines.append(f"{e.number:>6}  {cut(e.mark, 13):<13} {cut(e.name, 11):<11} {e.role:<3} "
                     f"{cut(e.part, 10):<10} {t:>3} {layer:>5} {e.direction or '':<8} {e.phase:<8} "
                     f"{cut(shape(e), 13):<13} {largest(e.value)}")
    if len(shown) < len(entries):
        lines.append(f"... {len(entries) - len(shown):,} more")
    return "\n".join(lines)


def cut(text, size):
    return text if len(text) <= size else text[:size - 1] + "…"


def shape(e):
    return "x".join(map(str, e.shape)) or "number"


def largest(a):
    if not a.size:
        return "empty"
    return f"{np.abs(a).max():.4g}"


def equation_by_equation(tr, equations, phases=("forward", "backward"), steps=None):
    """Yield lines: each run of a marked line with its equation, what it reads (<) and what it gives (=).

    Parameters
    ----------
    tr : Trace
    equations : dict
        {mark: equation}, see `minis2s.viewer.trace.marks.equations`.
    phases : sequence of str
    steps : range, optional
        Indices of the steps to show; what belongs to no single step is left out then.
    """
    head, known = None, set()
    for group in worth_showing(tr.entries):
        e = group[-1]
        if e.phase not in phases or (steps is not None and e.t not in steps):
            continue
        here = f"{e.phase}: {e.place}" + (f"  {e.token!r}" if e.token is not None else "")
        if here != head:
            head = here
            yield ""
            yield f"── {here} ".ljust(WIDE, "─")
            known = set()
        for mark in e.marks:
            for i, text in enumerate((equations.get(mark) or "").split("\n")):
                yield cut(f"{mark if i == 0 else '':<7} {text}", WIDE)
        yield cut(f"        {e.where}:  {e.code}", WIDE)
        for e in sorted(group, key=lambda e: e.role):           # "in" before "out"
            yield from numbers(e, again=(e.role == "in" and id(e.value) in known))
            known.add(id(e.value))


def executions(entries):
    """Entries by run of a line, in the order in which the lines were completed."""
    groups = {}
    for e in entries:
        groups.setdefault(e.execution, []).append(e)
    return sorted((g for g in groups.values()), key=lambda g: max(e.number for e in g))


def worth_showing(entries):
    """The executions worth showing: not dropout without a mask, nor a map such as (F1) whose caller shows it."""
    groups = executions(entries)
    shown = {group[0].execution: {id(e.value) for e in group} for group in groups}
    for group in groups:
        e, names = group[0], {e.name for e in group if e.role == "in"}
        undropped = e.marks[0].startswith("(DR") and "m" not in names
        map_of_caller = e.marks[0].startswith("(F") and shown[e.execution] <= shown.get(e.inside, set())
        if not undropped and not map_of_caller:
            yield group


def numbers(e, again=False):
    """Lines with the numbers of one entry."""
    a, sign = e.value, "=" if e.role == "out" else "<"
    head = f"    {sign} {e.name:<10} "
    if a.size == 1:
        yield head + f"{shape(e):<9} {one(a.flat[0]).strip()}"
        return
    if again or a.size == 0:
        yield head + f"{shape(e):<9}{' as above' * again}"
        return
    if a.ndim > 1 and a.shape[-2] == 1:
        a = np.squeeze(a, -2)                                   # one example: its row alone
    rows, gates = a.reshape(-1, a.shape[-1]) if a.ndim > 1 else a[None], gates_of(e)
    yield (head + f"{shape(e):<9} {summary(e.value)}").rstrip()
    if gates and len(rows) == 1:                                # a line for each gate
        for gate, block in zip(gates, np.split(rows[0], len(gates))):
            yield f"      {gate} " + line(block)
        return
    if gates:
        yield "        " + "".join(f"{gate} ".rjust(10 * (NUMBERS // len(gates))) for gate in gates).rstrip()
    for row in rows[:ROWS]:
        if gates:
            blocks = [block[:NUMBERS // len(gates)] for block in np.split(row, len(gates))]
            shown = np.concatenate(blocks)
            yield "        " + line(shown, len(row) - len(shown))
        elif len(rows) == 1 and len(row) <= 2 * NUMBERS:        # a vector of two lines is shown whole
            yield from ("        " + line(row[at:at + NUMBERS], 0) for at in range(0, len(row), NUMBERS))
        else:
            yield "        " + line(row)
    if len(rows) > ROWS:
        yield f"        … {len(rows) - ROWS} more rows"


def line(row, more=None):
    """The first numbers of a row, and how many more there are."""
    more = len(row) - NUMBERS if more is None else more
    return " ".join(one(x) for x in row[:NUMBERS]) + (f"  … {more} more" if more > 0 else "")


def summary(a):
    if a.dtype.kind in "biu" or a.size <= NUMBERS:
        return ""
    return f"from {a.real.min():.4g} to {a.real.max():.4g}, norm {np.linalg.norm(a):.4g}"


def one(x):
    """A number in ten columns."""
    if isinstance(x, (bool, np.bool_)):
        return f"{'real' if x else 'padding':>9}"
    if isinstance(x, (int, np.integer)):
        return f"{x:>9d}"
    if np.iscomplexobj(x):
        return f"{x:.3g}"
    return f"{x:>+9.4f}" if x == 0 or 1e-3 <= abs(x) < 1e4 else f"{x:>+9.1e}"
