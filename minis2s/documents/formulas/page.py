"""The table of all formulas and the page of one, as text."""
import ast
import inspect
import re
import sys
import textwrap
import unicodedata

import numpy as np

from . import FORMULAS
from . import check
from .cases import Sizes
from .entry import resolve, source

HEAD = f"  {'':14} {'code':41} oracle exact diff."


def measure(form, sizes=Sizes(), seed=0, central=True):
    """Errors of one form, on a case drawn from `seed`."""
    rng = np.random.default_rng(seed)
    return check.measure(form.case(rng, sizes), rng, central)


def verdict(errors):
    """Whether forward and gradient are as exact as they must be."""
    good = errors.forward <= check.FORWARD and (errors.gradient is None or errors.gradient <= check.GRADIENT)
    return "ok" if good else "FAILS"


def place(name):
    """The file and line of a function."""
    path, line, _ = source(name)
    return f"{path}:{line}"


def number(error):
    return "none" if error is None else f"{error:.0e}" if error else "0"


def row(form, errors):
    return (f"  {form.name:14} {place(form.forward[0]):41} {number(errors.forward):>6} "
            f"{number(errors.gradient):>5} {number(errors.central):>5} {verdict(errors)}")


def record(formula, form, errors):
    """The same for `--json`: plain values."""
    path, line, _ = source(form.forward[0])
    return dict(id=formula.id, where=formula.where, name=formula.name, form=form.name, formula=formula.brief,
                latex=formula.latex, limit=formula.limit, file=path, line=line, forward=list(form.forward),
                backward=list(form.backward), marks=list(form.marks), forward_error=errors.forward,
                gradient_error=errors.gradient, central_difference_error=errors.central,
                arrays={name: exact for name, (exact, _) in errors.arrays.items()}, verdict=verdict(errors))


def rows(formulas):
    """Measure every form, one after the other: yields (formula, form, errors)."""
    for formula in formulas:
        for form in formula.forms:
            yield formula, form, measure(form)


LEGEND = """\
oracle: error of the forward pass against the scalar oracle (minis2s/testing/oracle); exact: error of the
hand-written derivative against the complex step; diff.: against central differences, which cannot do better
than about 1e-10.  All are computed now, relative to an array's largest entry.  `minis2s formulas ID` shows
one formula in full."""


def table(measured, width):
    """Yield the lines of the table, each as soon as it is known."""
    yield from wrap(LEGEND.replace("\n", " "), width, "")
    yield ""
    yield HEAD
    last, forms, arrays, worst, bad = None, 0, 0, (0.0, 0.0), 0
    for formula, form, errors in measured:
        if formula is not last:
            yield from wrap(f"{formula.id:6} {formula.brief}", width, "", "       ")
            if formula.limit:
                yield f"  ({formula.limit})"
            last = formula
        yield row(form, errors)
        forms, arrays = forms + 1, arrays + len(errors.arrays)
        worst = max(worst[0], errors.forward), max(worst[1], errors.gradient or 0.0)
        bad += verdict(errors) != "ok"
    yield ""
    outcome = f"{bad} FAIL" if bad else "all ok"
    yield from wrap(f"{forms} forms; gradients of {arrays} arrays checked; worst error: forward "
                    f"{number(worst[0])}, gradient {number(worst[1])}; {outcome}", width, "")


# One formula ------------------------------------------------------------------------------------------------

def columns(text):
    """Width of a text on a terminal: a combining tilde takes no column."""
    return sum(not unicodedata.combining(c) for c in text)


def pad(text, width):
    return text + " " * (width - columns(text))


def wrap(text, width, indent="  ", more=None):
    return textwrap.wrap(text, width, initial_indent=indent, break_long_words=False, break_on_hyphens=False,
                         subsequent_indent=indent if more is None else more) or [""]


def code(name):
    """(line number, line) of a function, without its docstring."""
    _, first, lines = source(name)
    tree = ast.parse(textwrap.dedent("".join(lines))).body[0]
    hidden = set()
    if ast.get_docstring(tree) is not None:
        hidden = set(range(tree.body[0].lineno, tree.body[0].end_lineno + 1))
    lines = [(first + i, line.rstrip()) for i, line in enumerate(lines) if i + 1 not in hidden]
    while lines and not lines[-1][1]:
        lines.pop()
    return lines


def equations(name, marks):
    """The equations with these marks, as the docstring of the function's module prints them."""
    module = sys.modules[inspect.unwrap(resolve(name)).__module__]
    found = []
    for paragraph in (inspect.getdoc(module) or "").split("\n\n"):
        if any(line.lstrip().startswith(f"({mark})") for line in paragraph.splitlines() for mark in marks):
            found += paragraph.splitlines()
    return found


def titled(title, lines):
    return ["", title.upper(), *lines]


def indented(text):
    return [f"  {line}" for line in text.splitlines()]


def page(formula, measured, width):
    """All lines of the page of one formula; `measured` as from `rows`."""
    lines = [f"{formula.id}  {formula.name}   ({formula.where})"]
    lines += titled("as printed", indented(formula.printed) + wrap(f"LaTeX: {formula.latex}", width))
    if formula.intended:
        latex = wrap(f"LaTeX: {formula.latex_intended}", width)
        lines += titled("as intended", indented(formula.intended) + latex)
    for title, text in (("the slip" if formula.cost else "remark", formula.slip),
                        ("what it costs", formula.cost), ("what cannot be computed", formula.undefined)):
        if text:
            lines += titled(title, wrap(text, width))
    if formula.demo:
        lines += titled("shown by running it", demo(formula.demo))
    sizes = "  T source steps, S target steps, N examples in rows"
    lines += titled("symbols and shapes", [sizes, *symbols(formula, width)])
    lines += titled("the equations, from the code's own files", all_equations(formula))
    lines += titled("the code", all_code(formula))
    lines += titled("a tiny example, forward and backward", example(formula, width))
    lines += titled("checked just now", checked(measured))
    return lines


def symbols(formula, width):
    left = max(map(columns, formula.symbols))
    out = []
    for symbol, meaning in formula.symbols.items():
        out += wrap(meaning, width, f"  {pad(symbol, left)}  ", " " * (left + 4))
    return out


def demo(function):
    name = f"{function.__module__}:{function.__name__}"
    return [f"  {place(name)}", *numbered(name), "", *(f"  > {line}" for line in function())]


def numbered(name):
    """The code of a function, with line numbers."""
    return [f"  {at:4}  {line}" for at, line in code(name)]


def all_equations(formula):
    lines, seen = [], set()
    for form in formula.forms:
        for name in form.forward:
            module = resolve(name).__module__
            found = [] if module in seen else equations(name, form.marks)
            seen.add(module)
            if found:
                lines += [f"  {source(name)[0]}", *(f"    {line}" for line in found)]
    return lines


def all_code(formula):
    """Each function once, under the first form that uses it."""
    lines, seen = [], set()
    for form in formula.forms:
        for direction, names in (("forward", form.forward), ("backward", form.backward)):
            for name in names:
                if name in seen:
                    continue
                seen.add(name)
                lines += [f"  {form.name}, {direction}: {place(name)}", *numbered(name), ""]
    if not any(form.backward for form in formula.forms):
        lines += ["  There is no backward.", ""]
    return lines[:-1]


def example(formula, width):
    """The tiny example; numbers are rounded to four decimals in print only."""
    lines, givens = [], []
    steps = formula.steps()
    for step in steps:
        if not step.numbers:
            givens.append(f"{step.what} = {decimals(step.value)}")
    lines += wrap("given: " + ";  ".join(g.replace(" ", "\u00a0") for g in givens), width)
    lines = [line.replace("\u00a0", " ") for line in lines]
    steps = [step for step in steps if step.numbers]
    left, backward = min(38, max(columns(step.what) for step in steps)), None
    for step in steps:
        if backward != step.mark.endswith("*"):
            backward = step.mark.endswith("*")
            lines.append("  backward" if backward else "  forward")
        step = step._replace(numbers=re.sub(r"\(\((−[\d.]+)\)\)", r"(\1)", step.numbers))
        mark = f"({step.mark})" if step.mark else ""
        head, tail = f"  {mark:7} {pad(step.what, left)}", f"= {step.numbers} = {decimals(step.value)}"
        if step.numbers == decimals(step.value):
            tail = f"= {step.numbers}"
        fits = columns(head) <= 10 + left and columns(head + tail) + 2 <= width
        lines += [f"{head}  {tail}"] if fits else [head.rstrip(), *wrap(tail, width, " " * 12, " " * 14)]
    return lines


def decimals(x):
    """At most four decimals."""
    return f"{round(float(x), 4) + 0.0:.4f}".rstrip("0").rstrip(".").replace("-", "−")


def checked(measured):
    lines = [HEAD]
    details = []
    for _, form, errors in measured:
        lines.append(row(form, errors))
        if errors.arrays:
            details += [f"  gradient of each array, {form.name} (complex step; central difference):"]
            details += [f"    {name:24} {number(exact):>8}; {number(near):>8}"
                        for name, (exact, near) in errors.arrays.items()]
    return lines + [""] + details if details else lines


def chosen(document=None):
    """The formulas of one document, or all.

    Raises
    ------
    ValueError
        There is no such document.
    """
    documents = sorted({name[0] for name in FORMULAS})
    if document is None:
        return list(FORMULAS.values())
    if document.upper() not in documents:
        raise ValueError(f"--document {document}: wanted one of {', '.join(documents)}")
    return [formula for name, formula in FORMULAS.items() if name[0] == document.upper()]
