"""The registry of formulas: complete, pointing at live code, right to rounding, and legible."""
import argparse
import functools
import json
import math
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import minis2s
from draw import close, read_only, same
from minis2s.cli import formulas as command
from minis2s.core import tree
from minis2s.documents import DOCUMENTS, PARTS, equations, formulas
from minis2s.documents.formulas import FORMULAS, check, entry, page, table, text
from minis2s.documents.formulas.cases import Sizes
from minis2s.layers.cells import lstm

IDS = """A3.1 A3.2 A3.3 A4.1 A4.2 A4.3 A4.4 B4.1 B4.1L B4.2e B4.2d B4.2a B4.2o C2.1 C2.2 C3.1L C3.1G C4.1d
         C3.3c D3.1 D3.2 D3.3 D3.4 D3.5 D3.s E3.3""".split()
SLIPS = "A4.2 A4.3 A4.4 B4.1 B4.2e B4.2d B4.2a C2.2 C3.1L C3.1G D3.2 D3.3".split()     # printed is not meant,
PRINTED = "A4.2 A4.4 B4.2e B4.2d B4.2a C2.2 C3.1G D3.2 D3.3".split()                   # but can be computed,
UNDEFINED = "B4.1 B4.2d B4.2a D3.2 D3.3".split()                                       # or not always
FORMS = [pytest.param(form, id=f"{formula.id} {form.name}")
         for formula in FORMULAS.values() for form in formula.forms]
WITH_BACKWARD = [case for case in FORMS if case.values[0].backward]
PACKAGE = Path(minis2s.__file__).parent


# The registry ----------------------------------------------------------------------------------------------

def test_every_formula_of_the_documents_has_an_entry():
    assert list(FORMULAS) == IDS
    assert all(formula.id == name for name, formula in FORMULAS.items())


def test_every_entry_says_what_it_must():
    for name, formula in FORMULAS.items():
        assert formula.where.startswith(f"{name[0]} §")
        assert formula.printed and formula.latex and formula.name and formula.symbols and formula.forms, name
        assert bool(formula.intended) == bool(formula.latex_intended), name
        assert bool(formula.undefined) == bool(formula.limit) == (name in UNDEFINED), name
    assert [name for name, f in FORMULAS.items() if f.intended and f.slip and f.cost] == \
        sorted([*SLIPS, "C3.3c", "D3.s"], key=IDS.index)
    assert [name for name, f in FORMULAS.items()
            if any("printed" in function for form in f.forms for function in form.forward)] == PRINTED
    assert all(FORMULAS[name].demo for name in [*PRINTED, *UNDEFINED])


@pytest.mark.parametrize("form", FORMS)
def test_every_name_is_live_and_every_mark_stands_in_its_file(form):
    """(L4) on a code line of a forward function, (L4*) on one of a backward function: the page shows both."""
    ahead = "".join(line for name in form.forward for line in entry.source(name)[2])
    for mark in form.marks:
        assert re.search(rf"\S.*# .*\({mark}\)", ahead), f"({mark}) on no line of {form.forward}"
    back = "".join(line for name in form.backward for line in entry.source(name)[2])
    for mark in form.marks if form.backward else ():
        mark = {"F4": "X1"}.get(mark, mark)                         # the loss has (F4) once more, as its (X1)
        if f"({mark}*)" in equations.all_equations():
            assert re.search(rf"\S.*# .*\({mark}\*\)", back), f"({mark}*) on no line of {form.backward}"


@pytest.mark.parametrize("name", ["minis2s.layers.cells.lstm:stp", "minis2s.layers.cells.lst:step",
                                  "minis2s.layers.cells.lstm"])
def test_a_name_that_names_nothing_is_found_out(name):
    with pytest.raises(LookupError, match="names nothing"):
        entry.resolve(name)


@pytest.mark.parametrize("form", FORMS)
def test_the_functions_named_are_those_that_run(form):
    """Every function of an entry is called by its case: forward ones forward, backward ones back."""
    called = set()

    def watch(frame, event, arg):
        if event == "call":
            called.add(frame.f_code)
    case = form.case(np.random.default_rng(0), Sizes())
    previous = sys.getprofile()
    sys.setprofile(watch)
    try:
        outputs, cache = case.forward(case.inputs)
        ahead, called = called, set()
        if case.backward:
            case.backward(case.inputs, cache, tree.map(np.ones_like, outputs))
    finally:
        sys.setprofile(previous)
    for name in form.forward:
        assert entry.resolve(name).__code__ in ahead, f"{name} was not called"
    for name in form.backward:
        assert entry.resolve(name).__code__ in called, f"{name} was not called"


# Right to rounding -----------------------------------------------------------------------------------------

size = st.integers(1, 5)
SIZES = st.builds(Sizes, T=size, S=size, N=size, D=size, H=size, V=st.integers(2, 5), scale=st.just(0.8))
EXTREME = st.builds(Sizes, T=size, S=size, N=st.integers(1, 2), D=st.integers(1, 3), H=st.integers(1, 3),
                    V=st.integers(2, 5), scale=st.sampled_from([0.0, 30.0, 1000.0]))
SOME, FEW = (max(4, settings.default.max_examples // k) for k in (3, 6))    # gradients are slow


@pytest.mark.parametrize("form", FORMS)
def test_forward_and_gradient_of_a_case_of_different_sizes(form):
    """Every array, by complex step to 1e-12 of its largest entry; central differences as far as they can."""
    rng = np.random.default_rng(1)
    errors = check.measure(form.case(rng, Sizes()), rng)
    assert errors.forward <= 1e-12
    if form.backward:
        assert errors.arrays and errors.gradient <= 1e-12
        assert errors.central <= 1e-6
    else:
        assert form.name in ("by norm", "by value")     # clipping: nothing is differentiated through it


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=SOME)
@given(z=st.one_of(SIZES, EXTREME), seed=st.integers(0, 2**32 - 1))
def test_forward_is_the_oracles(form, z, seed):
    """To 1e-12 of an array's largest entry, or of 1: where all gates are shut, h is but rounding."""
    case = form.case(np.random.default_rng(seed), z)
    outputs, _ = case.forward(read_only(case.inputs))
    close(outputs, check.array_tree(outputs, case.oracle(case.inputs)))


@pytest.mark.parametrize("form", WITH_BACKWARD)
@settings(max_examples=FEW)
@given(z=SIZES, seed=st.integers(0, 2**32 - 1))
def test_gradient_of_every_array_by_complex_step(form, z, seed):
    rng = np.random.default_rng(seed)
    errors = check.measure(form.case(rng, z), rng, central=False)
    assert errors.gradient <= 1e-12, errors.arrays


@pytest.mark.parametrize("form", WITH_BACKWARD)
@settings(max_examples=FEW)
@given(z=EXTREME, seed=st.integers(0, 2**32 - 1))
def test_gradient_where_gates_are_saturated_or_all_scores_equal(form, z, seed):
    """Where a derivative is all but 0, 1-h^2 has no digits left: 1e-12 is absolute, for inputs of size 1."""
    rng = np.random.default_rng(seed)
    case = form.case(rng, z)
    outputs, cache = case.forward(case.inputs)
    d = check.read_out_weights(rng, case, outputs)
    got = dict(tree.named(case.backward(case.inputs, cache, d)))
    want = dict(tree.named(check.gradient_check.tree_gradient(
        lambda v: check.weighted_sum(d, case.forward(v)[0]), case.inputs)))
    assert got.keys() == want.keys()
    for name in want:
        bound = 1e-12 * max(np.abs(want[name]).max(), z.scale**2, 1.0)
        assert np.abs(got[name] - want[name]).max() <= bound, name


@pytest.mark.parametrize("form", WITH_BACKWARD)
def test_a_second_backward_gives_the_same_bits_and_nothing_is_written_into(form):
    case = form.case(np.random.default_rng(2), Sizes())
    v = read_only(case.inputs)
    outputs, cache = case.forward(v)
    same(case.forward(v)[0], outputs)
    d = read_only(check.read_out_weights(np.random.default_rng(3), case, outputs))
    first = case.backward(v, cache, d)
    kept = tree.map(np.copy, first)
    same(case.backward(v, cache, d), kept)
    assert [name for name, _ in tree.named(first)] == [name for name, _ in tree.named(v)]


def test_losses_of_logits_beyond_a_thousand_are_exact():
    """log p by log-softmax, where p itself is 0 and the printed -log p would be infinite."""
    for name in ("B4.1L", "E3.3"):
        case = FORMULAS[name].forms[0].case(np.random.default_rng(0), Sizes(scale=1000.0))
        outputs, _ = case.forward(case.inputs)
        assert 100 < outputs.L < 1e5 and check.forward_error(case, outputs) <= 1e-12


def run(*argv):
    """The command as the command line calls it."""
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    return command.run(parser.parse_args(argv))


# A check that cannot fail is no check ----------------------------------------------------------------------

def case_of(name):
    return FORMULAS[name].forms[0].case(np.random.default_rng(0), Sizes())


def test_a_wrong_gradient_is_measured():
    case = case_of("B4.2e")

    def wrong(v, k, d):
        g = case.backward(v, k, d)
        return g._replace(x=g.x * (1 + 1e-9))
    errors = check.measure(case._replace(backward=wrong), np.random.default_rng(0), central=False)
    assert 0.9e-9 < errors.gradient < 1.1e-9 and table.verdict(errors) == "FAILS"
    assert errors.arrays["x"][0] == errors.gradient


def test_a_missing_gradient_is_measured():
    case = case_of("B4.2e")
    with pytest.raises(AssertionError, match="gradient has"):
        check.measure(case._replace(backward=lambda v, k, d: case.backward(v, k, d)._replace(x=None)),
                      np.random.default_rng(0))


@pytest.mark.parametrize("name", ["A3.3", "B4.2a", "C4.1d", "D3.3"])
def test_a_wrong_forward_is_measured_in_every_output(name):
    """The compared-only ones (weights, chosen words) included."""
    case = case_of(name)
    outputs, _ = case.forward(case.inputs)
    for field in outputs._fields:
        wrong = outputs._replace(**{field: tree.map(lambda a: a + 1, getattr(outputs, field))})
        assert check.forward_error(case, wrong) > 1e-3, field


def test_the_command_reports_a_planted_bug(monkeypatch, capsys):
    step_backward = lstm.step_backward

    def bug(p, k, d):
        dx, s, g = step_backward(p, k, d)
        return dx, s._replace(c=s.c * 1.001), g
    assert run("B4.2e", "--json") == 0
    monkeypatch.setattr(lstm, "step_backward", bug)
    capsys.readouterr()
    assert run("B4.2e", "--json") == 1
    wrong, printed = json.loads(capsys.readouterr().out)
    assert wrong["verdict"] == "FAILS" and printed["verdict"] == "ok"
    assert run("C3.1L", "--json") == 1
    capsys.readouterr()
    assert run("C3.1L") == 1
    assert re.search(r"minis2s/layers/cells/lstm.py:\d+ .* FAILS$", capsys.readouterr().out, re.M)


# The tiny examples -----------------------------------------------------------------------------------------

CALCULATOR = {"σ": lambda a: 1 / (1 + math.exp(-a)), "tanh": math.tanh, "exp": math.exp, "log": math.log,
              "sqrt": math.sqrt, "min": min, "max": max}


def calculate(text):
    """What a pocket calculator makes of the numbers of a line."""
    text = text.replace("·", "*").replace("−", "-").replace("²", "**2").replace("√", "sqrt")
    return eval(text, {"__builtins__": {}}, CALCULATOR)


@pytest.mark.parametrize("formula", FORMULAS.values(), ids=FORMULAS)
def test_the_tiny_example_can_be_followed_with_a_calculator(formula):
    lines = formula.steps()
    assert sum(bool(line.numbers) for line in lines) >= 5
    for line in lines:
        assert math.isfinite(line.value)
        if line.numbers:
            assert abs(calculate(line.numbers) - line.value) <= 2e-4 * max(1, abs(line.value)), line
    marks = {line.mark for line in lines}
    assert any(form.backward for form in formula.forms) == any(mark.endswith("*") for mark in marks)


def test_the_example_of_a4_4_gives_the_numbers_that_the_document_prints():
    found = [line.value for line in FORMULAS["A4.4"].steps() if line.what.startswith("ŷ_")]
    assert found == pytest.approx([0.2, 0.8, 0.8, 0.2])


def test_the_calculator_finds_a_wrong_line_out():
    assert calculate("(−0.5)·2 + 3² − √(4) + σ(0)") == -1 + 9 - 2 + 0.5
    line = next(line for line in FORMULAS["B4.2e"].steps() if line.what == "c = f c' + i g")
    assert abs(calculate(line.numbers.replace("+", "-")) - line.value) > 0.1


def test_the_marks_of_the_examples_are_marks_of_the_code():
    text = "".join(path.read_text() for path in PACKAGE.rglob("*.py") if "formulas" not in path.parts)
    for formula in FORMULAS.values():
        for line in formula.steps():
            assert not line.mark or f"({line.mark})" in text, line


# The slips, by running them --------------------------------------------------------------------------------

def test_the_demonstrations_show_what_the_entries_say():
    found = {name: "\n".join(formula.demo()) for name, formula in FORMULAS.items() if formula.demo}
    rests = re.findall(r"at rest at|comes to rest at (\S+)", found["B4.1"])
    assert len(set(rests)) == 3                                 # three solutions: none is *the* s_t
    for s in map(float, rests):                                 # and each is one: s = tanh(2 tanh s)
        assert abs(math.tanh(2 * math.tanh(s)) - s) < 1e-6
    for name in ("B4.2d", "D3.2"):
        assert "reads h_2, which does not exist" in found[name]
    assert "reads h_4, which does not exist" in found["B4.2a"]
    assert found["B4.2e"].count("as printed [0.000, 0.000]") == 2
    assert "[1.000, 1.000, 1.000]; largest gradient of v 0.000" in found["D3.3"]
    assert re.search(r"s_0 = 0 +p_1 for source 1 (\[.*?\]), for source 2 \1\n +largest entry of dW_e 0.000",
                     found["A4.4"])
    assert not re.search(r"s_0 = h_T +p_1 for source 1 (\[.*?\]), for source 2 \1", found["A4.4"])
    assert len(set(re.findall(r"as printed (\[.*?\])", found["C2.2"]))) == 1
    assert len(set(re.findall(r"as intended (\[.*?\])", found["C2.2"]))) == 3
    assert len(set(re.findall(r"as intended h = (\[.*?\])", found["C3.1G"]))) == 1
    assert len(set(re.findall(r"as printed h = (\[.*?\])", found["C3.1G"]))) == 2
    assert len(set(re.findall(r"ctx as intended (\[.*?\])", found["B4.2a"]))) == 1
    assert len(set(re.findall(r", as printed (\[.*?\])", found["B4.2a"]))) == 2
    assert "loss 0.0001" in found["A4.2"] and "[0.500, 0.500]" in found["A4.2"]


# The command -----------------------------------------------------------------------------------------------

@pytest.fixture
def measured_once(monkeypatch):
    """Each form is measured by the first test that asks; the numbers do not depend on who asks."""
    monkeypatch.setattr(table, "measure", measured)


measured = functools.cache(table.measure)


def test_the_table_has_every_formula_and_form(capsys, monkeypatch, measured_once):
    monkeypatch.setenv("COLUMNS", "80")
    assert run() == 0
    out = capsys.readouterr().out
    assert re.findall(r"^([A-E]\d\.\S+) ", out, re.M) == IDS
    rows = re.findall(r"^  \S.{13} (minis2s/\S+:\d+) .* ok$", out, re.M)
    assert len(rows) == len(FORMS)
    for place in rows:
        file, line = place.split(":")
        assert (PACKAGE.parent / file).read_text().splitlines()[int(line) - 1].startswith("def ")
    assert max(map(len, out.splitlines())) <= 80
    assert "FAIL" not in out and "all ok" in out


@pytest.mark.parametrize("letter", "AbCdE")
def test_the_table_of_one_document(letter, capsys, measured_once):
    assert run("--document", letter, "--json") == 0
    records = json.loads(capsys.readouterr().out)
    wanted = [name for name in IDS if name[0] == letter.upper()]
    assert list(dict.fromkeys(r["id"] for r in records)) == wanted
    for r in records:
        assert r["verdict"] == "ok" and r["forward_error"] <= 1e-12 and (r["gradient_error"] or 0) <= 1e-12
        assert (r["gradient_error"] is None) == (r["id"] == "C3.3c")
        assert bool(r["arrays"]) == (r["id"] != "C3.3c")


@pytest.mark.parametrize("formula", FORMULAS.values(), ids=FORMULAS)
def test_the_page_of_one_formula(formula, capsys, monkeypatch, measured_once):
    monkeypatch.setenv("COLUMNS", "80")
    assert run(formula.id.lower()) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{formula.id}  {formula.name}")
    flat = " ".join(out.split())
    for words in (formula.printed, formula.latex, formula.intended, formula.latex_intended, formula.slip,
                  formula.cost, formula.undefined):
        assert " ".join(words.split()) in flat
    for form in formula.forms:
        for name in (*form.forward, *form.backward):            # the very lines, with their numbers
            file, first, lines = entry.source(name)
            assert f"{file}:{first}" in out
            assert f"{first:4}  {lines[0].rstrip()}" in out and lines[-1].rstrip() in out
        assert re.search(rf"^  {re.escape(f'{form.name:14}')} minis2s/\S+ .* ok$", out, re.M)
    head = out.split("THE EQUATIONS")[0].splitlines()
    prose = [line for line in head if not re.match(r" +\d+  |  > ", line)]
    tail = out.split("A TINY EXAMPLE")[1].splitlines()
    assert [line for line in prose + tail if text.columns(line) > 96] == []
    assert "\n\n\n" not in out and not re.search(r" $", out, re.M)
    assert ("SHOWN BY RUNNING IT" in out) == bool(formula.demo)


@pytest.mark.parametrize("name, nearest", [
    ("B4.2", "B4.2"), ("C31G", "C3.1G"), ("d3.S ", "D3.s"), ("4", ""), ("", "")])
def test_an_unknown_formula_is_refused_with_the_nearest_and_all(name, nearest):
    if not name:
        with pytest.raises(ValueError, match="no formula ''"):
            formulas.find(name)
        return
    with pytest.raises(ValueError) as error:
        run(name)
    message = str(error.value)
    assert f"no formula {name!r}; did you mean {nearest}" in message and "\n" not in message
    assert all(known in message for known in IDS)


def test_what_cannot_be_asked_is_refused():
    with pytest.raises(ValueError, match="--document F: wanted one of A, B, C, D, E"):
        run("--document", "F")
    with pytest.raises(ValueError, match="not both"):
        run("A3.1", "--document", "A")
    assert formulas.find("b4.2A") is FORMULAS["B4.2a"]


@pytest.mark.parametrize("name", ["L4", "(l4)"])
def test_the_page_of_an_equation(name, capsys):
    """Its derivative, and the very lines of all places of both."""
    assert run(name) == 0
    out = capsys.readouterr().out
    assert out.startswith("(L4)  in minis2s/layers/cells/lstm.py")
    assert "(L4)  c = f c' + i g" in out and "(L4*)  df = dc c'  dc' = dc f" in out
    for mark in ("(L4)", "(L4*)"):
        for find in equations.PLACES.values():
            for file, line in find(equations.find(mark)):
                assert file in out
                shown = " ".join(equations.path_of(file).read_text().splitlines()[line - 1].split())
                assert f"{line} {shown}" in " ".join(out.split())
    assert "pytest -k L4 " in out and 'pytest -k "L4*"' in out and "B4.2e" in out
    assert not re.search(r" $", out, re.M)


def test_the_page_of_a_derivative_alone(capsys):
    assert run("L4*") == 0
    out = capsys.readouterr().out
    assert "WHERE (L4*) IS" in out and "WHERE (L4) IS" not in out and "oracle, of (L4)" in out


def test_an_equation_as_json(capsys):
    assert run("B1*", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["mark"] == "(B1*)" and found["equation"].startswith("s_0 = tanh(")
    assert found["places"]["compiled implementation"] == [] and found["not_compiled"]
    assert found["places"]["reference implementation"][0].startswith("minis2s/model/bridge.py:")


@pytest.mark.parametrize("mark", equations.all_equations())
def test_every_equation_has_a_page(mark, capsys):
    assert run(mark) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{mark}  in minis2s/") and f"WHERE {mark} IS" in out and "ITS CHECKS" in out


def test_an_unknown_equation_is_refused():
    with pytest.raises(ValueError, match=r"no equation 'X9'; the nearest are \(X"):
        run("X9")


def test_the_documents_and_their_parts_are_explained(capsys, measured_once):
    run()
    out = " ".join(capsys.readouterr().out.split())
    for letter, document in DOCUMENTS.items():
        assert f"{letter} {document.file}" in out and document.subject in out
    assert '"(2nd)" means the second' in out
    for name, part in PARTS.items():
        assert run(name) == 0
        assert capsys.readouterr().out.startswith(f"{name}  {part.name}   ({part.where})")


def test_every_part_that_the_package_names_is_explained():
    named = {name for path in PACKAGE.rglob("*.py") for name in re.findall(r"\bparts? (P\d+)\b", path.read_text())}
    assert {"P2", "P4"} <= named <= PARTS.keys()
    assert {formula.id[0] for formula in FORMULAS.values()} == DOCUMENTS.keys()


def test_documents_draw_nothing():
    """They stand above the viewer in the order of folders: examples and claims return data, the command line draws."""
    for path in (PACKAGE / "documents").rglob("*.py"):
        assert not re.search(r"^\s*(import|from) \S*(viewer|classroom|cli|matplotlib)\b", path.read_text(), re.M), path


def test_the_package_imports_nothing_of_the_tests():
    """An installed package has no tests/: the oracle it compares with is its own minis2s.testing.oracle."""
    folders = ("documents", "cli")
    files = [file for folder in folders for file in (PACKAGE / folder).rglob("*.py")]
    assert len(files) > 20
    for path in files:
        assert not re.search(r"^\s*(import|from) (tests|naive|draw|oracle)\b", path.read_text(), re.M), path


def test_cases_have_padding_and_a_first_example_of_all_steps():
    from minis2s.documents.formulas.cases import case
    for seed in range(3):
        z = Sizes(T=5, N=4)
        found = case.lengths(np.random.default_rng(seed), z)
        assert len(found) == 4 and found[0] == 5 and 1 <= min(found) < 5 == max(found)
        assert not case.ragged(np.random.default_rng(seed), z).all()


def test_the_last_line_of_the_table_has_the_worst_errors_and_the_failures():
    formula = FORMULAS["A3.1"]
    form = formula.forms[0]
    good = [check.Errors(3e-13, 1e-14, 1e-10, {}), check.Errors(1e-15, 2e-13, 1e-10, {"W": (0, 0)}),
            check.Errors(0.0, None, None, {})]
    last = " ".join(list(table.table([(formula, form, e) for e in good], 200))[-1].split())
    assert last == "3 forms; gradients of 1 arrays checked; worst error: forward 3e-13, gradient 2e-13; all ok"
    bad = [check.Errors(0.0, 1e-6, 1e-10, {}), check.Errors(1e-6, 0.0, 1e-10, {}), check.Errors(1e-6, None, None, {}),
           *good]
    assert list(table.table([(formula, form, e) for e in bad], 200))[-1].endswith("; 3 FAIL")


def test_the_code_of_a_function_is_shown_without_its_docstring():
    import inspect

    from minis2s.layers import recurrent
    shown = page.code("minis2s.layers.recurrent:forward")
    source, first = inspect.getsourcelines(recurrent.forward)
    end = [i for i, line in enumerate(source) if '"""' in line][1]
    assert [line for _, line in shown[-3:]] == [line.rstrip() for line in source[-3:]]
    assert not any('"""' in line or "Parameters" in line for _, line in shown)
    assert all(source[at - first].rstrip() == line for at, line in shown) and first + end + 1 in dict(shown)


def test_each_function_is_shown_once_under_its_formula():
    for formula in FORMULAS.values():
        heads = [line.rpartition(": ")[2]
                 for line in page.all_code(formula) if re.match(r"  \S.*, (forward|backward): ", line)]
        names = {name for form in formula.forms for name in (*form.forward, *form.backward)}
        assert len(heads) == len(set(heads)) == len(names), formula.id
