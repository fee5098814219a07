"""The house: folders in one order, an import only ever points up in it, and one place imports the compiled implementation."""
import ast
from pathlib import Path

import pytest

import minis2s

HOUSE = Path(minis2s.__file__).parent
ORDER = ("core", "data", "layers", "model", "decoding", "tasks", "training", "testing", "kernels", "pytorch", "api",
         "bench", "documents", "viewer", "classroom", "book", "cli")
CHOOSES = "api/backends.py"                 # the one place that imports minis2s.kernels; bench measures its parts
# Functions that draw a picture when they are asked for one; what they import for it knows nothing of them.
DRAW = {"api/seq2seq.py": "viewer/plots", "documents/examples/w3_student.py": "viewer/plots"}
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
    assert len([path for path in HOUSE.iterdir() if path.name != "__pycache__"]) <= 19


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


@pytest.mark.parametrize("name", [f"{name}/__init__.py" for name in ORDER])
def test_every_folder_says_what_lives_there(name):
    assert len(ast.get_docstring(ast.parse(FILES[name].read_text(encoding="utf-8"))) or "") > 60, name


def test_importing_one_of_the_checks_sees_a_wrong_import(monkeypatch, tmp_path):
    wrong = tmp_path / "wrong.py"
    wrong.write_text("def f():\n    from ..kernels.runtime import jit\n    import minis2s.cli.main\n")
    monkeypatch.setitem(FILES, "layers/wrong.py", wrong)
    assert list(imports("layers/wrong.py")) == [(("kernels", "runtime", "jit"), 2), (("cli", "main"), 3)]
    with pytest.raises(AssertionError, match="layers/wrong.py:2 imports minis2s.kernels"):
        test_an_import_only_points_up("layers/wrong.py")
