"""Examples in docstrings are true; the exercises' have a test of their own, as the reader's function is missing."""
import doctest
import re
from importlib import import_module
from pathlib import Path

import pytest

import minis2s

HOUSE = Path(minis2s.__file__).parent
FILES = sorted(path.relative_to(HOUSE)
               for path in HOUSE.rglob("*.py") if re.search(r"^ *>>> ", path.read_text(encoding="utf-8"), re.M))
MODULES = [".".join(("minis2s", *path.with_suffix("").parts)) for path in FILES
           if path.parts[0] != "classroom" and path.parts[:2] != ("viewer", "book")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name):
    said = []
    module = import_module(name)
    found = [test for test in doctest.DocTestFinder().find(module) if test.examples]
    assert found
    for test in found:
        assert doctest.DocTestRunner(verbose=False).run(test, out=said.append).failed == 0, "".join(said)


def test_every_cell_has_an_example():
    assert {f"minis2s.layers.cells.{cell}" for cell in ("rnn", "lstm", "gru", "gru_after")} <= set(MODULES)
