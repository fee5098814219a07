"""Reads the derivations, runs every line, and compares it with its neighbour and with the library's own number."""
import re
from functools import cache
from importlib.resources import files
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from ....core import functions
from ....layers import feed_forward, layer_norm
from ....layers.attention import multi_head, scaled_dot_product
from .. import bundle
from .snapshots import snapshots

BOUND, LEAST, MOST = 1e-12, 3, 8
FILES = ("functions.txt", "cells.txt", "attention.txt", "model.txt", "transformer.txt", "printed.txt")
HEAD = re.compile(r"(\([A-Z]{1,3}\d{1,2}\*\)) (.+)")


class Line(NamedTuple):
    text: str
    reason: str                # a key of reasons.txt
    parts: tuple               # what stands in its places


class Derivation(NamedTuple):
    mark: str
    target: str
    lets: tuple                # of (name, expression)
    lines: tuple               # of Line
    example: str = ""
    last: bool = False
    when: str = ""


class Wrong(ValueError):
    """A line of a derivation that is not equal to its neighbour."""


# Words ------------------------------------------------------------------------------------------------------

H = 1e-30


def grad(f, at):
    """The gradient of a number f(at): the complex step, entry by entry."""
    at = np.asarray(at, dtype=complex)
    out = np.zeros(at.shape)
    for i in np.ndindex(at.shape):
        moved = at.copy()
        moved[i] += 1j * H
        out[i] = np.imag(f(moved)) / H
    return out


def slope(f, at):
    """The slope of each entry of f(at) against its own entry of `at`."""
    return np.imag(f(np.asarray(at, dtype=complex) + 1j * H)) / H


def total(parts):
    """The sum of arrays of one shape."""
    return np.sum(list(parts), axis=0)


def onehot(ids, V):
    """Rows of zeros with a one at the id."""
    return np.eye(V)[ids]


def with_row(E, v, row):
    """E with another row v."""
    return np.concatenate([E[:v], row[None], E[v + 1:]])


WORDS = {"grad": grad, "slope": slope, "total": total, "onehot": onehot, "with_row": with_row, "sum": np.sum,
         "ein": np.einsum, "tanh": np.tanh, "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "arctanh": np.arctanh,
         "stack": np.stack, "eye": np.eye, "where": np.where, "ones": np.ones,
         "concat": lambda *parts: np.concatenate(parts, axis=-1),
         "rowsum": lambda a: a.sum(axis=-1, keepdims=True), "rowmean": lambda a: a.mean(axis=-1, keepdims=True),
         "logit": lambda y: np.log(y / (1 - y)), "sigmoid": functions.sigmoid, "softmax": functions.softmax,
         "log_softmax": functions.log_softmax, "softmax_backward": functions.softmax_backward,
         "layer_norm": layer_norm, "feed_forward": feed_forward, "multi_head": multi_head,
         "scaled_dot_product": scaled_dot_product}
OWN = ("sum", "where", "softmax", "sigmoid")            # these mean WORDS, whatever the library's module has


# Reading ----------------------------------------------------------------------------------------------------

@cache
def derivations():
    """All Derivations, in the order of the files."""
    return tuple(one for name in FILES for one in parse(files(__package__).joinpath(name).read_text(encoding="utf-8")))


def parse(text):
    """The Derivations of one file.

    Raises
    ------
    ValueError
        A block that is none.
    """
    found = []
    for block in re.split(r"\n\s*\n", text):
        rows = [row for row in block.splitlines() if row.strip() and not row.startswith("#")]
        if rows:
            found.append(parse_block(rows))
    return found


def parse_block(rows):
    """The rows of a block -> Derivation."""
    head = HEAD.fullmatch(rows[0].strip())
    if not head:
        raise ValueError(f"derivations: {rows[0]!r} is no head, such as: (L4*) dc_prev")
    options: dict[str, Any] = {}
    lets, lines = [], []
    for row in rows[1:]:
        word, _, rest = row.strip().partition(" ")
        if word == "let":
            name, _, value = rest.partition(" = ")
            lets.append((name.strip(), value.strip()))
        elif word == "in" and "|" not in row:
            options["example"] = rest.strip()
        elif word == "when" and "|" not in row:
            options["when"] = rest.strip()
        elif word == "last" and not rest:
            options["last"] = True
        else:
            code, bar, why = row.rpartition("|")
            if not bar or not why.strip():
                raise ValueError(f"derivations: {head[1]}: no reason behind the bar: {row!r}")
            reason, *parts = why.split()
            lines.append(Line(code.strip(), reason, tuple(parts)))
    if not LEAST <= len(lines) <= MOST:
        raise ValueError(f"derivations: {head[1]} {head[2]}: {len(lines)} lines, wanted {LEAST} to {MOST}")
    return Derivation(head[1], head[2], tuple(lets), tuple(lines), **options)


# Running ----------------------------------------------------------------------------------------------------

def namespace(derivation):
    """The names of a derivation's lines: the snapshot's, WORDS, and what `let` names.

    Raises
    ------
    Wrong
        The library has no such line.
    """
    example = derivation.example or bundle.shown()[derivation.mark][0]
    wanted = set(re.findall(r"[A-Za-z_]\w*", derivation.target))
    fitting = [s for s in snapshots(example) if derivation.mark in s.marks
               and (wanted & s.writes or ("returned" in wanted and s.returned is not None))]
    for snapshot in reversed(fitting) if derivation.last else fitting:
        names = {**WORDS, **snapshot.names, **{name: WORDS[name] for name in OWN if name not in snapshot.before}}
        names |= {"before": SimpleNamespace(**snapshot.before), "returned": snapshot.returned, "np": np}
        if makes(derivation.target, names) and (not derivation.when or evaluate(derivation.when, names)):
            for name, expression in derivation.lets:
                names[name] = evaluate(expression, names)
            return names
    raise Wrong(f"derivations: {derivation.mark} {derivation.target}: no line of the library makes it in {example}")


def makes(target, names):
    """Whether all that a target names is there."""
    try:
        return evaluate(target, names) is not None
    except (NameError, AttributeError):
        return False


def evaluate(expression, names):
    """The value of a line."""
    return eval(compile(expression, "<derivation>", "eval"), names)


def check(derivation):
    """Run all lines: -> their values.

    Raises
    ------
    Wrong
        A line that cannot be run, that is not equal to the one above it, or, the last one, not to the library's.
    """
    names, values = namespace(derivation), []
    where = f"derivations: {derivation.mark} {derivation.target}"
    for line in derivation.lines:
        try:
            value = np.asarray(evaluate(line.text, names), dtype=float)
        except Exception as error:
            raise Wrong(f"{where}: {line.text}: {type(error).__name__}: {error}") from error
        if values and difference(value, values[-1]) > BOUND:
            raise Wrong(f"{where}: {line.text}: differs from the line above by {difference(value, values[-1]):.1e}")
        values.append(value)
    want = np.asarray(evaluate(derivation.target, names), dtype=float)
    if difference(values[-1], want) > BOUND:
        raise Wrong(f"{where}: {derivation.lines[-1].text}: differs from what the library computes by "
                    f"{difference(values[-1], want):.1e}")
    return values


def difference(a, b):
    """The largest difference, relative to the largest entry, but at least 1; infinite for other shapes."""
    if a.shape != b.shape:
        return np.inf
    return float(np.abs(a - b).max(initial=0.0) / np.abs(b).max(initial=1.0)) if np.isfinite(a).all() else np.inf
