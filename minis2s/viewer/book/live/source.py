"""The oracle's source as the book's page gets it: its own lines, each followed by a call that notes what it made."""
import ast
import functools
import graphlib
import inspect
import sys
from pathlib import Path
from types import ModuleType

from ....documents.marks import MARK
from ....testing import oracle

FOLDER, LIVE = Path(oracle.__file__).parent, Path(__file__).parent


@functools.cache
def modules():
    """[(name, source)] of the oracle's files, in the order of their imports, as `engine.load` wants them."""
    texts = {path.relative_to(FOLDER).with_suffix("").as_posix(): path.read_text(encoding="utf-8")
             for path in sorted(FOLDER.rglob("*.py")) if path.name != "__init__.py"}
    order = graphlib.TopologicalSorter({name: set(imports(name, text)) for name, text in texts.items()})
    return [(name.split("/")[-1], prepared(texts[name])) for name in order.static_order()]


def imports(name, text):
    """The files of the oracle that one of them imports."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = name.split("/")[:-node.level] if "/" in name else []
            yield "/".join([*folder, node.module])


def prepared(text):
    """The source of one file with its imports as look-ups, and with `see` behind what marked functions assign."""
    tree, marks = ast.parse(text), {}
    for number, line in enumerate(text.splitlines(), 1):
        _, comment, words = line.partition("  # ")
        if comment:
            marks[number] = " ".join(MARK.findall(words))
    body = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            body.append(lookup(node))
        elif isinstance(node, ast.FunctionDef):
            body.append(watched(node, marks))
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            body.append(node)
    tree.body = body
    return ast.unparse(ast.fix_missing_locations(tree))


def lookup(node):
    """`from .vectors import add, dot` -> `add, dot = names("vectors", "add", "dot")`."""
    names = [alias.name for alias in node.names]
    module = node.module.split(".")[-1]
    quoted = ", ".join(repr(name) for name in (module, *names))
    return ast.parse(f"{', '.join(names)}, = names({quoted})").body[0]


def watched(function, marks):
    """A function without its docstring; if any of its lines has a mark, with calls of `see`."""
    if ast.get_docstring(function) is not None:
        function.body = function.body[1:] or [ast.Pass()]
    own = [marks.get(line, "") for line in range(function.lineno, function.end_lineno + 1)]
    if not any(own):
        return function
    for node in [n for n in ast.walk(function) if hasattr(n, "body") and isinstance(n.body, list)]:
        for field in ("body", "orelse"):
            if getattr(node, field, None):
                setattr(node, field, [new for old in getattr(node, field) for new in seen(function.name, old, marks)])
    heads = [note(function.name, "", arg.arg) for arg in function.args.args]
    function.body = heads + function.body
    return function


def seen(function, node, marks):
    """A statement -> itself and the notes of what it assigns or returns."""
    mark = " ".join(filter(None, (marks.get(line, "") for line in range(node.lineno, node.end_lineno + 1))))
    if isinstance(node, ast.Return) and node.value is not None:
        call = ast.parse(f"see({function!r}, {mark!r}, 'return', None)", mode="eval").body
        call.args[3], node.value = node.value, call
        return [node]
    if isinstance(node, (ast.Assign, ast.AugAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)]
        return [node, *(note(function, mark, name) for name in names)]
    return [node]


def note(function, mark, name):
    return ast.parse(f"see({function!r}, {mark!r}, {name!r}, {name})").body[0]


@functools.cache
def engine():
    """The engine as a module of this Python, with the oracle loaded: -> module, Space.

    It is the very text that the page gets, run the same way.
    """
    made = {}
    for name in ("scalar", "engine"):
        module = ModuleType(name)
        before = sys.modules.get("scalar")
        sys.modules["scalar"] = made.get("scalar", module)
        try:
            exec(compile(text(name), f"{name}.py", "exec"), module.__dict__)
        finally:
            sys.modules.pop("scalar")
            if before is not None:
                sys.modules["scalar"] = before
        made[name] = module
    return made["engine"], made["engine"].load(modules())


def blocks(a, letters):
    """Gates packed on the last axis -> a dict by their letters: the engine's."""
    return engine()[0].blocks(a, letters)


def text(name):
    """The source of scalar.py or engine.py."""
    return (LIVE / f"{name}.py").read_text(encoding="utf-8")


def function(f):
    """The source of an example's function as the page gets it, with its helpers' names."""
    return inspect.getsource(f)
