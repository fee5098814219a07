"""What the marks say, read from a module's source once.

Which statement stands for which equation, what it reads and assigns, and how the equation is written.

A mark is a name in brackets, letters and a number, with a star for a derivative.  It stands in the module's
docstring before the equation, and in the comment of the code line that computes it.
"""
import ast
import functools
import io
import re
import tokenize
from pathlib import Path
from typing import NamedTuple

from ...documents.marks import MARK, equations

SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Expr)
INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


class Statement(NamedTuple):
    marks: tuple               # of str: ("(L2*)", "(L3*)")
    line: int
    reads: tuple               # of (local, attribute, ...): ("s", "h") is s.h
    writes: tuple              # of local names
    returns: tuple             # (name, local or None) for each part returned; None: no return
    code: str


@functools.lru_cache(maxsize=None)
def read_module(filename):
    """File -> {(first line, name of function): {line: Statement}}, {mark: equation}."""
    try:
        source = Path(filename).read_text(encoding="utf-8")
        tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError):
        return {}, {}
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}
    written, plans, lines = equations(ast.get_docstring(tree) or ""), {}, source.splitlines()
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            plan = {}
            for node in own_statements(function):
                statement = read_statement(node, function, comments, written, lines)
                if statement.marks:
                    plan.update(dict.fromkeys(range(node.lineno, node.end_lineno + 1), statement))
            first = min([function.lineno, *(d.lineno for d in function.decorator_list)])
            plans[first, function.name] = plan
    return {place: plan for place, plan in plans.items() if plan}, written


def own_statements(node):
    """The simple statements of a function, without those of functions inside it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, SIMPLE):
            yield child
        elif not isinstance(child, INNER):
            yield from own_statements(child)


def read_statement(node, function, comments, written, lines):
    """ast node -> Statement, without marks where the comment has none."""
    rows = range(node.lineno, node.end_lineno + 1)
    found = dict.fromkeys(mark for row in rows for mark in MARK.findall(comments.get(row, "")))
    code = "\n".join(lines[row - 1].removesuffix(comments.get(row, "")).rstrip() for row in rows)
    return Statement(tuple(found), node.lineno, reads(node), writes(node),
                     returned(node, function, found, written), " ".join(code.split()))


def reads(node):
    """The locals, and attributes of locals, that a statement reads, in order."""
    def chain(n):
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load):
            return (n.id,)
        if isinstance(n, ast.Attribute) and (base := chain(n.value)):
            return (*base, n.attr)
        return ()

    def visit(n):
        if path := chain(n):
            yield path
        elif isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store) and isinstance(node, ast.Assign):
            yield from visit(n.slice)                           # what is filled is not read
        else:
            for child in ast.iter_child_nodes(n):
                yield from visit(child)
    return tuple(dict.fromkeys(visit(node)))


def writes(node):
    """The locals that a statement assigns or, as `np.add.at(dE, ...)` does, fills in place."""
    if isinstance(node, ast.Expr):
        call = node.value
        return (call.args[0].id,) if isinstance(call, ast.Call) and call.args \
            and isinstance(call.args[0], ast.Name) else ()
    targets = getattr(node, "targets", None) or ([node.target] if hasattr(node, "target") else [])
    return tuple(dict.fromkeys(name for target in targets for name in names(target)))


def names(target):
    """The locals that one target of an assignment assigns or, as `dE[ids]` does, changes."""
    if isinstance(target, (ast.Tuple, ast.List)):
        for part in target.elts:
            yield from names(part)
    elif isinstance(target, (ast.Subscript, ast.Attribute, ast.Starred)):
        yield from names(target.value)
    elif isinstance(target, ast.Name):
        yield target.id


def returned(node, function, found, written):
    """Names for the parts of what is returned: from `-> dx, dW` in the docstring, else from the equation."""
    if not isinstance(node, ast.Return) or node.value is None:
        return None
    parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
    local = [part.id if isinstance(part, ast.Name) else None for part in parts]
    _, arrow, text = (ast.get_docstring(function) or "").rpartition("->")
    text = re.sub(r"\([^)]*\)|\.\s.*", "", text, flags=re.S)         # without shapes and further sentences
    words = [re.match(r"\s*([A-Za-z_]\w*)", part) for part in text.split(",")]
    words = [word and word[1] for word in words]
    if not arrow:
        heads = [re.match(r"[A-Za-z]+", written.get(mark, "")) for mark in found]
        words = [head[0] for head in heads if head][:1]
    size = max(len(local), len(words))
    words, local = words + [None] * (size - len(words)), local + [None] * (size - len(local))
    return tuple((word or name or "value", name) for word, name in zip(words, local))


def equations_of(tr):
    """Trace -> {mark: equation} of all modules that its entries come from."""
    written = {}
    for file in dict.fromkeys(e.file for e in tr.entries):
        written.update(read_module(file)[1])
    return written


def gates_of(e):
    """Entry -> the names of the gates whose blocks its last axis holds, "ifgo"; "" for any other.

    The order is read from the docstring of the cell: "packed on the last axis as i, f, g, o".
    """
    gates, name = packed_gates(e.file), e.name.removeprefix("d")
    if name not in ("a", "W", "U", "b"):
        return ""
    whole = gates and e.value.ndim and e.value.shape[-1] > 0 and e.value.shape[-1] % len(gates) == 0
    return gates if whole else ""


@functools.lru_cache(maxsize=None)
def packed_gates(filename):
    """File of a cell -> "ifgo", or "" where its docstring names no gates."""
    try:
        text = ast.get_docstring(ast.parse(Path(filename).read_text(encoding="utf-8"))) or ""
    except (OSError, SyntaxError, ValueError):
        return ""
    found = re.search(r"on the last axis as ([a-z](?:, [a-z])+)", " ".join(text.split()))
    return found[1].replace(", ", "") if found else ""
