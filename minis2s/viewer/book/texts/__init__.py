"""The book's sentences in English and Chinese, keyed to marks, parts and rows.

Each file has entries of this form, blank lines between them:

    (L4) c = f c' + i g
    The cell state keeps f of what it was and takes in i of what is new.
    细胞状态保留旧值的一部分，再写入新值的一部分。

The first line is the key and what the library says of it now: the equation, the title of the part, the row in short.
Where the library has changed since, the entry is stale, and `problems` says so; a test reads it.
"""
import hashlib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from ....documents import equations
from ....documents.formulas import FORMULAS

FILES = ("marks.txt", "parts.txt", "rows.txt", "slips.txt", "reasons.txt", "glossary.txt")
SAID = ("slip", "cost", "undefined")     # of a row, in English in documents/formulas


class Entry(NamedTuple):
    key: str
    of: str                    # what was described
    en: str
    zh: str


@cache
def entries(name):
    """{key: Entry} of one file."""
    found = {}
    path = files(__name__).joinpath(name)
    if not path.is_file():
        return found
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if lines:
            if len(lines) != 3:
                raise ValueError(f"viewer/book/texts/{name}: wanted three lines, got {len(lines)}: {lines[0]}")
            key, _, of = lines[0].partition(" ")
            if key in found:
                raise ValueError(f"viewer/book/texts/{name}: {key} stands there twice")
            found[key] = Entry(key, of.strip(), lines[1], lines[2])
    return found


def sentence(mark):
    """What an equation does, in one sentence: (English, Chinese)."""
    entry = entries("marks.txt").get(mark)
    return (entry.en, entry.zh) if entry else ("", "")


def described(equation):
    """An equation's text as a key's line has it: one line."""
    return " ".join(equation.text.split())


def digest(text):
    """What tells that a longer English text has changed: twelve digits."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:12]


def problems(name, wanted):
    """What is missing, stale or no longer wanted in a file: `wanted` is {key: what the library says now}."""
    found = []
    there = entries(name)
    for key, of in wanted.items():
        if key not in there:
            found.append(f"{name}: {key} is missing")
        elif there[key].of != of:
            found.append(f"{name}: {key} is stale: it describes {there[key].of!r}, now it is {of!r}")
        elif not there[key].en or not any("一" <= c <= "鿿" for c in there[key].zh):
            found.append(f"{name}: {key} has not both languages")
    return found + [f"{name}: {key} is described, but there is none" for key in there if key not in wanted]


def wanted_rows():
    """{row: its formula in short} and {row/slip: digest} of what is said of it."""
    rows = {name: formula.brief for name, formula in FORMULAS.items()}
    said = {f"{name}/{what}": digest(getattr(formula, what)) for name, formula in FORMULAS.items() for what in SAID
            if getattr(formula, what)}
    return rows, said


def wanted_marks():
    """{mark: its equation} of all forward equations, and of derivatives without one."""
    known = equations.all_equations()
    return {mark: described(known[mark]) for mark in known
            if not equations.is_derivative(mark) or equations.forward(mark) not in known}
