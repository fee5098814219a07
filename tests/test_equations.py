"""Every equation by its mark: one grep finds it in four places, and `pytest -k L4` runs exactly its checks.

    pytest -k L4               the checks of (L4): against the oracle, compiled against the reference implementation
    pytest -k "L4*"            those of its derivative, (L4*): by complex step, compiled against the reference
    pytest -k "L4 or L4*"      both
    pytest -k "[eq.L4-star]"   the same as -k "L4*", without the help of conftest.py

tests/conftest.py turns the marks in the expression after -k into the ids of the tests here, "[eq.L4]" and
"[eq.L4-star]": pytest alone would take A1 for every name that contains "a1".

The four places of a mark are: a code line of the reference implementation, a code line of the compiled implementation,
a code line of the oracle, and the table of checks in tests/equations/.  For a derivative, (L4*), the oracle's place
is the line of (L4): the oracle has no derivatives; the complex step differentiates the forward pass, and the forward
pass is compared with the oracle.  Equations that are not compiled are listed with the reason in
minis2s/documents/equations.py, NOT_COMPILED; they have three places.
"""
import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from equations import UNITS
from equations.unit import against_oracle, against_reference, by_complex_step, gradients, once
from minis2s.documents import equations, marks

EQUATIONS = equations.all_equations()
FORWARD = [mark for mark in EQUATIONS if not equations.is_derivative(mark)]
STARRED = [mark for mark in EQUATIONS if equations.is_derivative(mark)]
COMPILED = [mark for mark in EQUATIONS if not equations.why_not_compiled(EQUATIONS[mark])]


def name(mark):
    """"(L4*)" -> "eq.L4-star": the id of its tests."""
    return "eq." + mark.strip("()").replace("*", "-star")


# The checks ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("mark", FORWARD, ids=name)
def test_reference_against_oracle(mark):
    against_oracle(UNITS[mark], mark)


@pytest.mark.parametrize("mark", STARRED, ids=name)
def test_derivative_by_complex_step(mark):
    by_complex_step(UNITS[mark], mark)


@pytest.mark.parametrize("mark", COMPILED, ids=name)
def test_compiled_against_reference(mark):
    against_reference(UNITS[mark], mark)


# The checks check what they say ----------------------------------------------------------------------------

def lines_run(function):
    """{(file, line)} of the package that a call runs."""
    seen = set()

    def watch(frame, event, arg):
        if "minis2s" not in frame.f_code.co_filename:
            return None
        if event == "line":
            seen.add((frame.f_code.co_filename, frame.f_lineno))
        return watch
    previous = sys.gettrace()
    sys.settrace(watch)
    try:
        function()
    finally:
        sys.settrace(previous)
    return seen


def line_ranges(path):
    """{line: first line of its statement}: the interpreter names a statement of several lines by some of them."""
    found = {}
    for node in ast.walk(ast.parse(equations.text_of(path))):
        if isinstance(node, ast.stmt) and not hasattr(node, "body"):
            found.update(dict.fromkeys(range(node.lineno, node.end_lineno + 1), node.lineno))
    return found


def assert_runs(places, seen, mark):
    """One of the places was run; a table of functions, TANH = ..., runs when its module is imported."""
    ran = False
    for file, line in places:
        path = equations.PACKAGE.parent / file
        statements = line_ranges(path)
        first = statements.get(line, line)
        ran |= any(where == str(path) and statements.get(at, at) == first for where, at in seen)
        ran |= re.match(r"[A-Z]", equations.text_of(path).splitlines()[first - 1]) is not None
    assert ran, f"the check of {mark} runs none of {places}"


@pytest.mark.parametrize("unit", {id(unit): unit for unit in UNITS.values()}.values(),
                         ids=lambda unit: "unit " + " ".join(unit.marks).replace("(", "").replace(")", ""))
def test_a_check_runs_the_lines_of_its_equation(unit):
    """The marked lines of the reference implementation, forward or backward, and those of the oracle."""
    case = once(unit.case)
    ahead = lines_run(lambda: case.forward(case.inputs)) | lines_run(lambda: case.oracle(case.inputs))
    back = set()
    if case.backward:
        outputs, cache = case.forward(case.inputs)
        back = lines_run(lambda: case.backward(case.inputs, cache, outputs))
    for mark in unit.marks:
        equation = EQUATIONS[mark]
        assert_runs(equations.in_reference(equation), back if equations.is_derivative(mark) else ahead, mark)
        assert_runs(equations.in_oracle(equation), ahead, mark)


def test_a_wrong_line_is_seen_by_the_checks_of_its_equation():
    """The check of an equation looks at what it computes: a wrong output, a wrong gradient."""
    unit = UNITS["(L4)"]
    case = once(unit.case)

    def wrong(v):
        outputs, k = case.forward(v)
        return outputs._replace(s=outputs.s._replace(c=outputs.s.c * (1 + 1e-9))), k

    def wrong_gradient(v, k, d):
        g = case.backward(v, k, d)
        return g._replace(s=g.s._replace(c=g.s.c * (1 + 1e-9)))
    against_oracle(unit, "(L4)")
    by_complex_step(unit, "(L4*)")
    with pytest.raises(AssertionError, match="s.c: error"):
        against_oracle(unit._replace(case=lambda: case._replace(forward=wrong)), "(L4)")
    with pytest.raises(AssertionError, match="s.c.* error"):
        by_complex_step(unit._replace(case=lambda: case._replace(backward=wrong_gradient)), "(L4*)")
    assert gradients(unit.case)[0]["s.c"].shape == case.inputs.s.c.shape


# The places ------------------------------------------------------------------------------------------------

def files(mark):
    """{place: files in which the mark must stand}."""
    equation = EQUATIONS[mark]
    oracle = sorted({file for file, _ in equations.in_oracle(equation)})
    tests = sorted({file for file, _ in equations.in_tests(equation)})
    found = {"reference": [f"minis2s/{equation.file}"], "oracle": oracle, "test": tests}
    compiled = [f"minis2s/{file}" for file in equations.compiled_files(equation)]
    return found | {"compiled": compiled} if compiled else found


def missing(texts, wanted):
    """The (place, mark, file) that are wanted but do not stand in the texts of the files."""
    found = []
    for mark, place, file in wanted:
        looked = equations.forward(mark) if place == "oracle" else mark
        there = f'"{mark}"' in texts[file] if place == "test" else looked in marks.on_code_lines(texts[file])
        found += [] if there else [(mark, place, file)]
    return found


WANTED = [(mark, place, file) for mark in EQUATIONS for place, found in files(mark).items() for file in found]
PATHS = {file: equations.path_of(file) for _, _, file in WANTED}
TEXTS = {file: path.read_text() if path.exists() else "" for file, path in PATHS.items()}


@pytest.mark.parametrize("mark", EQUATIONS, ids=lambda mark: "places of " + mark.strip("()"))
def test_every_mark_stands_in_all_its_places(mark):
    wanted = [one for one in WANTED if one[0] == mark]
    assert {"reference", "oracle", "test"} <= {place for _, place, _ in wanted}
    assert missing(TEXTS, wanted) == []
    assert ("compiled" in {place for _, place, _ in wanted}) != bool(equations.why_not_compiled(EQUATIONS[mark]))


def test_there_is_a_check_for_every_mark_and_no_other():
    assert UNITS.keys() == EQUATIONS.keys()
    assert {mark for mark in COMPILED if UNITS[mark].compiled is None} == set()
    assert {mark for mark in UNITS if UNITS[mark].compiled} == set(COMPILED)


def test_every_mark_on_a_line_of_code_is_defined_and_every_defined_one_stands_on_a_line():
    for folder in (*equations.REFERENCE, "kernels"):
        for path in equations.python_files(equations.PACKAGE / folder):
            text = equations.text_of(path)
            assert marks.on_code_lines(text).keys() <= EQUATIONS.keys(), path
            if folder != "kernels":
                lost = marks.defined(text).keys() - marks.on_code_lines(text).keys()
                assert not lost, f"{path}: {lost} in the docstring, but on no line of code"


def test_no_two_files_define_the_same_mark():
    # which of two layers' equations reads a side in
    repeats = {("(E1)", "model/inputs.py"), ("(E2)", "model/inputs.py")}
    seen = {}
    for folder in equations.REFERENCE:
        for path in equations.python_files(equations.PACKAGE / folder):
            file = path.relative_to(equations.PACKAGE).as_posix()
            for mark in marks.defined(equations.text_of(path)):
                if (mark, file) not in repeats:
                    assert mark not in seen, f"{mark} is defined in {file} and in {seen.get(mark)}"
                    seen[mark] = file


def test_a_mark_that_is_not_compiled_stands_nowhere_in_the_kernels():
    """Where it does, the reason in NOT_COMPILED is out of date."""
    kernels = [path for path in equations.python_files(equations.PACKAGE / "kernels")]
    for mark in EQUATIONS:
        if equations.why_not_compiled(EQUATIONS[mark]):
            assert equations.lines(kernels, mark) == [], mark


@pytest.mark.mutants
@pytest.mark.parametrize("mark", EQUATIONS, ids=lambda mark: "deleted " + mark.strip("()"))
def test_a_mark_deleted_in_one_place_is_missed(mark):
    """In memory: the mark is deleted from the code lines of one file at a time, and the other files are as they are."""
    for one in (one for one in WANTED if one[0] == mark):
        _, place, file = one
        looked = equations.forward(mark) if place == "oracle" else mark
        if place == "test":
            text = TEXTS[file].replace(f'"{mark}"', '""')
        else:
            text = "\n".join(line.replace(looked, "") if "  # " in line else line for line in TEXTS[file].splitlines())
        assert text != TEXTS[file]
        assert one in missing(TEXTS | {file: text}, [w for w in WANTED if w[0] == mark]), one


# pytest -k -------------------------------------------------------------------------------------------------

SELECTED = {
    "L4": ["test_reference_against_oracle[eq.L4]", "test_compiled_against_reference[eq.L4]"],
    "L4*": ["test_derivative_by_complex_step[eq.L4-star]", "test_compiled_against_reference[eq.L4-star]"],
    "(A1*)": ["test_derivative_by_complex_step[eq.A1-star]", "test_compiled_against_reference[eq.A1-star]"],
    "(A1 or PA1)": ["test_reference_against_oracle[eq.A1]", "test_reference_against_oracle[eq.PA1]",
                    "test_compiled_against_reference[eq.A1]"],
    "[eq.C1]": ["test_reference_against_oracle[eq.C1]", "test_compiled_against_reference[eq.C1]"],
    "F1 and oracle": ["test_reference_against_oracle[eq.F1]"],
    "L40": [],
}
COLLECT = """
import contextlib, io, json, sys
import pytest
for expression in sys.argv[2:]:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        pytest.main(["--collect-only", "-k", expression, "-p", "no:cacheprovider", sys.argv[1]])
    print(json.dumps([line.split("::")[1] for line in out.getvalue().splitlines() if "::" in line]))
"""


def test_an_expression_selects_exactly_the_checks_of_its_marks():
    """`pytest -k`, in a process of its own, for this file."""
    done = subprocess.run([sys.executable, "-c", COLLECT, __file__, *SELECTED], capture_output=True, text=True,
                          cwd=Path(__file__).parents[1])
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert list(map(sorted, found)) == list(map(sorted, SELECTED.values())), done.stderr
