"""Every equation of a docstring stands on a code line, in the oracle and in a test, under its mark: (L4)."""
import ast
import re
from pathlib import Path

import pytest

from minis2s.testing import oracle
import minis2s

HOUSE, TESTS = Path(minis2s.__file__).parent, Path(__file__).parent
MARK = r"\([A-Z]{1,3}\d{1,2}\*?\)"
DEFINED = re.compile(rf"(?:^|(?<=  ))({MARK})(?= )", re.M)       # at the head of a line or a column

MODULES = {path.relative_to(HOUSE).as_posix().removeprefix("layers/").removeprefix("core/").removeprefix("model/").removeprefix("training/"):
           path.read_text() for path in sorted(HOUSE.rglob("*.py")) if "kernels" not in path.parts}
WITH_ORACLE = ("cells/", "attention/", "functions", "embedding", "linear", "dropout", "loss", "unroll",
               "bridge", "fusion", "optimizers", "layer_norm", "feed_forward", "positions", "residual")
CORE = (*WITH_ORACLE, "gradient_check", "initializers", "encoder", "decoder", "seq2seq", "transformer")     # not their twins


def docstring(source):
    return ast.get_docstring(ast.parse(source)) or ""


def defined(source):
    """Marks that the docstring of a module defines, in the order of the text."""
    return list(dict.fromkeys(DEFINED.findall(docstring(source))))


def code(source):
    """The module without its docstring."""
    body = ast.parse(source).body
    lines = source.splitlines()
    return "\n".join(lines[body[0].end_lineno:] if docstring(source) else lines)


MARKED = {name: source for name, source in MODULES.items() if defined(source)}


def test_marks_are_found():
    page = '"""Title.\n\n(L4)  c = f c\'     (L4*) dc = x, by (L9)\nUses (L7).\n"""\n'
    assert defined(page) == ["(L4)", "(L4*)"]
    assert defined(MODULES["cells/lstm.py"]) == [f"(L{k}{star})" for k in range(1, 6) for star in ("", "*")]
    assert {"functions.py", "gradient_check.py", "initializers.py", "unroll.py", "bridge.py", "fusion.py", "loss.py",
            "linear.py", "embedding.py", "dropout.py", "encoder.py", "decoder.py", "seq2seq.py",
            "attention/attend.py", "attention/additive.py", "cells/gru.py"} <= MARKED.keys()


@pytest.mark.parametrize("name", MARKED)
def test_every_mark_of_a_docstring_stands_on_a_code_line(name):
    lines = code(MARKED[name])
    assert [mark for mark in defined(MARKED[name]) if mark not in lines] == []


@pytest.mark.parametrize("name", [name for name in MARKED if name.startswith(WITH_ORACLE)])
def test_every_equation_stands_in_the_oracle_and_in_a_test(name):
    """On a code line of the oracle, and in a test file other than the oracle's own."""
    witness = "\n".join(code(path.read_text()) for path in Path(oracle.__file__).parent.rglob("*.py"))
    tests = "\n".join(path.read_text() for path in TESTS.rglob("test_*.py")
                      if path.name not in ("test_the oracle", "test_marks.py"))
    equations = [mark for mark in defined(MARKED[name]) if "*" not in mark]
    assert equations
    assert [mark for mark in equations if mark not in witness] == []
    assert [mark for mark in equations if mark not in tests] == []


def test_a_mark_means_one_equation():
    """No two modules of the core define the same mark, but for one that says it repeats another's."""
    repeats = {("encoder.py", "(E1)")}             # the encoder's first line is the embedding's equation
    seen = {}
    for name in [name for name in MARKED if name.startswith(CORE)]:
        for mark in defined(MARKED[name]):
            if (name, mark) not in repeats:
                assert mark not in seen, f"{mark} stands for an equation in {name} and in {seen.get(mark)}"
                seen[mark] = name
