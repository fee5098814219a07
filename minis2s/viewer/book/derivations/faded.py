"""A derivation with a line missing: the right line among wrong ones, each with words that say what is wrong.

Wrong lines come first from the classroom's bank of mistakes, with the doctor's words; then from small changes of the
right line.  Each is run when the book is built: it must not be right.
"""
import ast
import copy
import warnings
from typing import NamedTuple

import numpy as np

from ....classroom.mistakes import BANK
from ....classroom.mistakes.edited import Edited
from . import derive

CHOICES = 3


class Choice(NamedTuple):
    text: str
    right: bool
    reason: str = ""           # a key of reasons.txt ("w_factor"), or ""
    parts: tuple = ()
    says: str = ""             # the doctor's sentence, in English
    off: float = 0.0           # by how much it differs from its neighbours; inf: it has another shape


def hidden(derivation):
    """The number of the line to fill in: the last that is no mere call of the library."""
    return max(i for i, line in enumerate(derivation.lines) if line.reason != "library" and i > 0)


def choices(derivation):
    """The right line and up to CHOICES wrong ones, in an order that does not tell: a list of Choice."""
    names = derive.namespace(derivation)
    line = derivation.lines[hidden(derivation)].text
    want = np.asarray(derive.evaluate(line, names), dtype=float)
    found = {ast.unparse(ast.parse(line, mode="eval")): Choice(line, True)}
    for text, reason, parts, says in (*doctors(derivation, line), *changed(line, names)):
        plain = ast.unparse(ast.parse(text, mode="eval"))
        off = wrong_by(plain, names, want)
        if plain not in found and off > 1e-6 and len(found) <= CHOICES:
            found[plain] = Choice(text, False, reason, parts, says, off)
    return sorted(found.values(), key=lambda choice: choice.text)


def wrong_by(text, names, want):
    """How far a line is from the right values; inf for another shape; 0 where it cannot be run."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return derive.difference(np.asarray(derive.evaluate(text, names), dtype=float), want)
    except Exception:                                        # a change may make nonsense of a line
        return 0.0


def doctors(derivation, line):
    """Wrong lines from the bank of mistakes."""
    for mistake in BANK:
        if mistake.mark == derivation.mark and isinstance(mistake.f, Edited) and not mistake.variant:
            for old, new in mistake.f.edits:
                old, new = (text.partition(" = ")[2] or text for text in (old, new))
                text = line.replace(old, new) if old in line else ""
                if text and text != line and parses(text):
                    yield text, "", (), mistake.says


def parses(text):
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True


def changed(line, names):
    """The right line with one small change each: (text, reason, parts, "")."""
    tree = ast.parse(line, mode="eval")
    for i, node in enumerate(list(ast.walk(tree))):
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.MatMult)):
            for side in ("left", "right"):
                yield edit(tree, i, lambda n, side=side: getattr(n, side)), "w_factor", (), ""
        elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
            op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
            yield edit(tree, i, lambda n, op=op: ast.BinOp(n.left, op, n.right)), "w_sign", (), ""
        elif isinstance(node, ast.Attribute) and node.attr == "T":
            yield edit(tree, i, lambda n: n.value), "w_transpose", (), ""
        elif isinstance(node, ast.Attribute) and node.attr == "sum":
            yield edit(tree, i, lambda n: ast.Attribute(n.value, "mean")), "w_mean", (), ""
        elif isinstance(node, ast.Name) and isinstance(names.get(node.id), np.ndarray):
            for other in alike(node.id, names):
                yield edit(tree, i, lambda n, other=other: ast.Name(other)), "w_name", (other, node.id), ""
        elif isinstance(node, ast.Subscript):
            yield edit(tree, i, lambda n: n.value), "w_part", (), ""
        elif isinstance(node, ast.Call):
            for argument in node.args:
                if not isinstance(argument, (ast.Constant, ast.Lambda, ast.ListComp)):
                    yield edit(tree, i, lambda n, argument=argument: argument), "w_part", (), ""
    yield f"-({line})", "w_sign", (), ""
    yield f"2 * ({line})", "w_extra", (), ""
    yield f"({line}) / 2", "w_extra", (), ""


def alike(name, names):
    """Other arrays of the same shape, of the library's own names."""
    here = names[name]
    return [other for other, a in names.items() if isinstance(a, np.ndarray) and a.shape == here.shape
            and a.dtype.kind == "f" and other != name and not np.array_equal(a, here)][:4]


def edit(tree, number, change):
    """The text of a tree in which one node, counted as ast.walk does, is changed."""
    tree = copy.deepcopy(tree)
    target = list(ast.walk(tree))[number]
    new = change(target)

    class Replace(ast.NodeTransformer):
        def visit(self, node):
            return new if node is target else self.generic_visit(node)
    return ast.unparse(ast.fix_missing_locations(Replace().visit(tree)))
