"""The house: folders in one order, an import only points up in it, and one place imports the compiled implementation.

Also: each folder says what lives in it, no file and no function is long or has many branches, and `import minis2s`
loads nothing heavy.
"""
import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import minis2s

HOUSE = Path(minis2s.__file__).parent
ORDER = ("core", "data", "layers", "model", "decoding", "tasks", "training", "testing", "kernels", "pytorch", "api",
         "bench", "documents", "classroom", "viewer", "cli")
# The one place that imports minis2s.kernels; bench does, too: it compares parts of the kernels with parts of the
# library, for which there is no choice of a backend.
CHOOSES = "api/backends.py"
# The pictures of a run are drawn by the function that has just trained it, and a notebook's by its helper, so both call
# viewer/plots; and plots knows nothing of the models (tested below).
DRAW = {"api/fitting.py": "viewer/plots", "classroom/notebooks/helpers.py": "viewer/plots"}
FILES = {path.relative_to(HOUSE).as_posix(): path for path in sorted(HOUSE.rglob("*.py"))}


def imports(name):
    """The modules of this package that a file imports anywhere in it, as tuples of names below minis2s, with lines."""
    package = ("minis2s", *Path(name).parts[:-1])
    for node in ast.walk(ast.parse(FILES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "minis2s":
                    yield tuple(alias.name.split(".")[1:]), node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = package[:len(package) - node.level + 1] if node.level else ()
            base += tuple((node.module or "").split(".")) if node.module else ()
            if base[:1] == ("minis2s",):
                for alias in node.names:
                    yield (*base[1:], alias.name), node.lineno


def folder(name):
    return name.split("/")[0] if "/" in name else None


def place(name):
    """A folder's place in the order; files of the package itself stand at the end."""
    return ORDER.index(name) if name in ORDER else len(ORDER)


def test_the_folders_are_those_of_the_order():
    inside = {path.name for path in HOUSE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert inside == set(ORDER)
    assert len([path for path in HOUSE.iterdir() if path.name != "__pycache__"]) <= 18


@pytest.mark.parametrize("name", [name for name in FILES if folder(name)])
def test_an_import_only_points_up(name):
    for target, line in imports(name):
        if target and (HOUSE / target[0]).is_dir() and DRAW.get(name) != "/".join(target[:2]):
            assert place(target[0]) <= place(folder(name)), f"{name}:{line} imports minis2s.{'.'.join(target)}"


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith(tuple(DRAW.values()))])
def test_what_draws_knows_nothing_of_the_models(name):
    assert {target[0] for target, _ in imports(name)} <= {"core", "data", "viewer"}
    assert all(target[:2] == ("viewer", "plots") for target, _ in imports(name) if target[0] == "viewer")


def test_only_one_place_imports_the_compiled_implementation():
    found = sorted({name for name in FILES for target, _ in imports(name)
                    if target[:1] == ("kernels",) and folder(name) not in ("kernels", "bench")})
    assert found == [CHOOSES]


def test_no_circles():
    """No file imports itself by way of others, functions' own imports left aside."""
    def at_top(name):
        tree = ast.parse(FILES[name].read_text(encoding="utf-8"))
        inner = {id(n) for f in ast.walk(tree) if isinstance(f, (ast.FunctionDef, ast.Lambda)) for n in ast.walk(f)}
        lines = {n.lineno for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom)) and id(n) not in inner}
        for target, line in imports(name):
            if line in lines:
                for parts in (target, target[:-1]):
                    path = "/".join(parts) + ".py"
                    if path in FILES:
                        yield path
                        break
    edges, done, way = {name: set(at_top(name)) for name in FILES}, set(), []

    def walk(name):
        assert name not in way, " -> ".join([*way[way.index(name):], name])
        if name not in done:
            way.append(name)
            for other in edges[name]:
                walk(other)
            done.add(way.pop())
    for name in FILES:
        walk(name)


# that one is copied
FOLDERS = sorted({Path(name).parent.as_posix() for name in FILES} - {".", "pytorch/standalone"})


@pytest.mark.parametrize("name", FOLDERS)
def test_every_folder_says_what_lives_there(name):
    """A folder of the order also says what it may import, and where to start reading."""
    said = ast.get_docstring(ast.parse(FILES[f"{name}/__init__.py"].read_text(encoding="utf-8"))) or ""
    assert len(said) > 60, name
    if name in ORDER:
        assert "import" in said, f"{name}: what may it import?"
        assert re.search(r"[Ss]tart\s+(with|in)\s|Read\s", said), f"{name}: where does a reader start?"


# Sizes ---------------------------------------------------------------------------------------------------

LONGEST, LINES, BRANCHES = 300, 50, 12      # lines of a file; lines and branches of a function
TABLES = {"tasks/phrases.py", "tasks/lexicon.py"}                      # rows of a grammar
CODE = {**FILES, **{f"tests/{path.name}": path for path in Path(__file__).parent.glob("*.py")}}
# Functions that may be longer than the rest, each with its reason.
LONG = {"allocator": "tests/guard.py: one piece of Python that runs in another process",
        "changed": "viewer/book/derivations/faded.py: a branch for each kind of node"}
BRANCH = ast.If, ast.For, ast.While, ast.ExceptHandler


def functions(name):
    """The functions of a file, those inside of others too."""
    return [node for node in ast.walk(ast.parse(CODE[name].read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef)]


def lines(function):
    """Lines of a function but its docstring's."""
    first = function.body[0]
    said = first.end_lineno - first.lineno + 1 if ast.get_docstring(function) is not None else 0
    return function.end_lineno - function.lineno + 1 - said


def branches(function):
    """McCabe's number: 1, and 1 for each branch and loop of the function itself, without the functions in it."""
    count, todo = 1, list(function.body)
    while todo:
        node = todo.pop()
        if not isinstance(node, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            count += isinstance(node, BRANCH)
            todo += ast.iter_child_nodes(node)
    return count


@pytest.mark.parametrize("name", sorted(FILES))
def test_no_file_is_long(name):
    assert name in TABLES or len(FILES[name].read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("name", sorted(CODE))
def test_no_function_is_long_or_has_many_branches(name):
    for function in functions(name):
        assert lines(function) <= LINES or function.name in LONG, f"{function.name}: {lines(function)} lines"
        count = branches(function)
        assert count <= BRANCHES or function.name in LONG, f"{function.name}: {count} branches"


def test_the_measures_measure():
    source = ('def f(x):\n    """Said.\n    """\n    if x:\n        return [y for y in x]\n'
              '    def g():\n        while x: pass\n')
    f, g = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))
    assert (lines(f), branches(f), lines(g), branches(g)) == (5, 2, 2, 2)


HEAVY = ("numba", "llvmlite", "matplotlib", "torch", "tqdm", "safetensors", "sacrebleu", "sentencepiece",
         "minis2s.kernels")
IMPORTS = """
import sys
import minis2s
assert not any(name in sys.modules for name in ("numpy", *sys.argv[1:])), "import minis2s"
from minis2s import Config, Seq2Seq, Training
found = [name for name in sys.argv[1:] if name in sys.modules]
assert not found, found
"""


def test_importing_the_package_loads_nothing_heavy():
    """In place of a limit of seconds, which would depend on the machine."""
    done = subprocess.run([sys.executable, "-c", IMPORTS, *HEAVY], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_importing_one_of_the_checks_sees_a_wrong_import(monkeypatch, tmp_path):
    wrong = tmp_path / "wrong.py"
    wrong.write_text("def f():\n    from ..kernels.runtime import jit\n    import minis2s.cli.main\n")
    monkeypatch.setitem(FILES, "layers/wrong.py", wrong)
    assert list(imports("layers/wrong.py")) == [(("kernels", "runtime", "jit"), 2), (("cli", "main"), 3)]
    with pytest.raises(AssertionError, match="layers/wrong.py:2 imports minis2s.kernels"):
        test_an_import_only_points_up("layers/wrong.py")
