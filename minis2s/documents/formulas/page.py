"""The page of one formula, as text."""
import ast
import inspect
import re
import sys
import textwrap

from .. import claims
from .entry import place, resolve, source
from .table import HEAD, number, row
from .text import columns, decimals, indented, pad, titled, wrap


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
    said = claims.lines_about(formula.id)
    return lines + (titled("claims about it, to be measured", said) if said else [])


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
