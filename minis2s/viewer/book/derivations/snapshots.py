"""What the marked backward lines of the library saw and made, while an example ran: their local names."""
import ast
import sys
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ....documents import equations
from ....documents.marks import on_code_lines
from ..examples import EXAMPLES
from ..examples.example import arriving

ALONE = ("fusion", "seq2seq", "transformer")            # examples of one example only


class Snapshot(NamedTuple):
    marks: tuple
    writes: frozenset          # names that the statement assigns
    names: dict                # locals behind the statement, and the globals of its module
    before: dict
    returned: Any


@cache
def snapshots(example):
    """What marked backward lines of the library saw and made in a run of an example: a tuple of Snapshots."""
    one = EXAMPLES[example]
    rng = np.random.default_rng(7)
    v = one.draw(rng, 1 if example in ALONE else 3)
    found = []
    outputs, k = one.forward(v)
    d = arriving(rng, one, outputs)
    d = {name: d.get(name, np.zeros_like(a)) for name, a in outputs.items()}
    previous = sys.gettrace()
    sys.settrace(lambda frame, event, arg: watch(frame, found))
    try:
        one.backward(v, k, d)
    finally:
        sys.settrace(previous)
    return tuple(found)


@cache
def statements(path):
    """{line: (first line, marks, names that are assigned)} of the marked statements of a file."""
    text = equations.text_of(path)
    marked = {line: mark for mark, lines in equations_on(text).items() for line in lines}
    found = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.stmt) and not hasattr(node, "body"):
            span = range(node.lineno, node.end_lineno + 1)
            marks = tuple(mark for line in span for mark in marked.get(line, ()))
            if marks:
                targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
                if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                    targets = node.value.args               # np.add.at(dE, ids, dx) changes dE
                writes = frozenset(n.id for target in targets if target is not None for n in ast.walk(target)
                                   if isinstance(n, ast.Name))
                found.update(dict.fromkeys(span, (node.lineno, marks, writes)))
    return found


def equations_on(text):
    """{(marks of the line): [line]} of a file's code lines."""
    by_line = {}
    for mark, lines in on_code_lines(text).items():
        for line in lines:
            by_line[line] = (*by_line.get(line, ()), mark)
    out = {}
    for line, marks in by_line.items():
        out.setdefault(marks, []).append(line)
    return out


def watch(frame, found):
    """A tracer of one call: a function of the library with marked lines."""
    path = Path(frame.f_code.co_filename)
    if not path.is_relative_to(equations.PACKAGE) or path.is_relative_to(equations.PACKAGE / "viewer" / "book"):
        return None
    if frame.f_code.co_name in ("<listcomp>", "<dictcomp>", "<genexpr>", "<setcomp>"):
        return None
    marked, inner = statements(path), frame.f_code.co_name == "<lambda>"
    now = {}

    def step(frame, event, arg):
        here = marked.get(frame.f_lineno) if event == "line" else None
        old = now.get("statement")
        if old and (event == "return" or here is None or here[0] != old[0]):
            names = {**frame.f_globals, **frozen(dict(frame.f_locals))}
            found.append(Snapshot(old[1], frozenset() if inner else old[2], names, now["before"],
                                  frozen(arg) if event == "return" else None))
            now.clear()
        if here and "statement" not in now:
            now["statement"], now["before"] = here, frozen(dict(frame.f_locals))
        return step
    return step


def frozen(value):
    """A copy of arrays in tuples, lists and dicts, so that later changes are not seen."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, tuple):
        parts = [frozen(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if isinstance(value, list):
        return [frozen(part) for part in value]
    return {name: frozen(part) for name, part in value.items()} if isinstance(value, dict) else value
