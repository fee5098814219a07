"""The notebooks' structure, the builder, and the helpers that their cells use.

Here nothing long runs: `python -m minis2s.classroom.notebooks check` runs every source and every notebook.
"""
import ast
import json
import re
from pathlib import Path

import numpy as np
import pytest

from minis2s.classroom.exercises import EXERCISES
from minis2s.classroom.notebooks import Unsolved, attempt, judge, picture

FOLDER = Path(__file__).parents[2] / "notebooks"
SOURCES = sorted((FOLDER / "src").glob("*.py"))
BUILT = sorted(FOLDER.glob("*.ipynb"))
EACH = pytest.mark.parametrize("path", BUILT, ids=lambda path: path.stem)


def cells(path, word=None):
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in found if word is None or word in cell["metadata"]]


def text(cell):
    return "".join(cell["source"])


def code(path):
    return [cell for cell in cells(path) if cell["cell_type"] == "code"]


# the notebooks as they are committed ---------------------------------------------------------------------

def test_every_source_is_built_and_they_are_numbered():
    assert [path.stem for path in SOURCES] == [path.stem for path in BUILT]
    numbers = [int(path.stem[:2]) for path in SOURCES]
    assert numbers == list(range(17))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_source_is_python_without_warnings_and_asserts_numbers(path, recwarn):
    module = ast.parse(path.read_text(encoding="utf-8"))
    assert not recwarn.list
    assert sum(isinstance(node, ast.Assert) for node in ast.walk(module)) >= 4
    assert len({line for line in path.read_text(encoding="utf-8").splitlines() if len(line) > 110}) == 0


@EACH
def test_exercises_are_stubs_without_output(path):
    exercises = cells(path, "exercise")
    assert bool(exercises) == (not path.stem.startswith("00"))              # the teacher's guide has none
    assert "SOLUTION" not in path.read_text(encoding="utf-8")
    for cell in exercises:
        assert cell["outputs"] == []
        for f in ast.parse(text(cell)).body:            # a docstring, and the stub
            assert isinstance(f, ast.FunctionDef) and ast.get_docstring(f)
            assert [ast.unparse(line) for line in f.body[1:]] == ["raise NotImplementedError()"]


@EACH
def test_every_exercise_is_judged_once_in_order(path):
    wanted = [cell["metadata"]["exercise"] for cell in cells(path, "exercise")]
    checks = cells(path, "check")
    assert [cell["metadata"]["check"] for cell in checks] == wanted and len(set(wanted)) == len(wanted)
    for cell in checks:
        name = cell["metadata"]["check"]
        first, _, rest = text(cell).partition("\n")
        assert first.startswith("from minis2s.classroom.notebooks import attempt, judge")
        judged = re.fullmatch(r'judge\("(.*)", (\w+)\)', rest)
        if judged:
            assert judged.groups() == (name, EXERCISES[name].function)
        else:
            before, inside, after = text(cell).partition(f'with attempt("{name}")')    # helpers may stand before it
            assert inside and "assert " in after and "assert " not in before
        assert cell["outputs"] == []


@EACH
def test_functions_to_write_have_the_arguments_that_the_checker_hands_over(path):
    for cell in cells(path, "exercise"):
        exercise = EXERCISES.get(cell["metadata"]["exercise"])
        if exercise:
            [f] = ast.parse(text(cell)).body
            assert tuple(a.arg for a in f.args.args) == exercise.names


@EACH
def test_metadata_is_what_nbgrader_reads(path):
    for cell in cells(path):
        grader = cell["metadata"].get("nbgrader")
        assert (grader is not None) == bool({"exercise", "check"} & set(cell["metadata"]))
        if grader:
            judges = "check" in cell["metadata"]
            assert (grader["schema_version"], grader["task"], grader["grade_id"]) == (3, False, cell["id"])
            assert (grader["grade"], grader["locked"], grader["solution"]) == (judges, judges, not judges)
            assert grader.get("points", 0) >= 1 if judges else "points" not in grader


@EACH
def test_ids_are_unique_and_legal(path):
    ids = [cell["id"] for cell in cells(path)]
    assert len(set(ids)) == len(ids) and all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", i) for i in ids)


@EACH
def test_demonstrations_kept_what_they_showed_and_nothing_of_this_machine(path):
    assert path.stat().st_size <= 300_000
    outputs = [output for cell in code(path) for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} <= {"stream", "display_data", "execute_result"}
    shown = json.dumps([o.get("text", o.get("data", {}).get("text/plain")) for o in outputs])
    assert not re.search(r"/(home|root|tmp|work|usr)/|0x[0-9a-f]{6}|site-packages", shown)
    for cell in code(path):
        shows = re.search(r"\bprint\(|with picture\(", text(cell))
        if shows and not {"exercise", "check"} & set(cell["metadata"]):
            assert cell["outputs"], text(cell)


@EACH
def test_pictures_have_words_and_stand_where_they_were_drawn(path):
    for cell in code(path):
        drawn = [o for o in cell["outputs"] if "image/png" in o.get("data", {})]
        assert len(drawn) == len(re.findall(r"with picture\(", text(cell)))
        for output in drawn:
            words = output["metadata"]["image/png"]["alt"]
            assert len(words) > 40 and "".join(output["data"]["text/plain"]) == words


@EACH
def test_built_notebook_is_what_its_source_says(path):
    build = pytest.importorskip("minis2s.classroom.notebooks.build")
    assert build.same_as_source(FOLDER, FOLDER / "src" / f"{path.stem}.py") is None


# the builder ---------------------------------------------------------------------------------------------

SOURCE = '''# %% [markdown]
r"""
Half of $\\\\pi$
"""

# %%
print(6 / 4)

# %% exercise="half"
def half(x):
    """x -> x / 2"""
    ### BEGIN SOLUTION
    y = x / 2

    return y
    ### END SOLUTION

def whole(x):
    ### BEGIN SOLUTION
    return x
    ### END SOLUTION

# %% check="half" points=2
from minis2s.classroom.notebooks import attempt
with attempt("half"):
    assert half(3) == 1.5, "Halve it."

# %%
print("the end")
'''


@pytest.fixture
def write(tmp_path):
    (tmp_path / "src").mkdir()

    def write(source=SOURCE, name="01_half.py"):
        path = tmp_path / "src" / name
        path.write_text(source, encoding="utf-8")
        return path
    return write


def builder():
    return pytest.importorskip("minis2s.classroom.notebooks.build")


def test_instructor_keeps_solutions_and_student_gets_nbgraders_stub(write):
    build = builder()
    full = build.instructor(write())
    stub = build.student(full)
    assert [build.kind(c)[0] for c in full.cells] == ["m", "d", "e", "c", "d"]
    assert "y = x / 2" in full.cells[2].source and full.cells[0].source == "Half of $\\\\pi$"
    body = "    # YOUR CODE HERE\n    raise NotImplementedError()"
    assert stub.cells[2].source == f'def half(x):\n    """x -> x / 2"""\n{body}\n\ndef whole(x):\n{body}'
    assert [a.source == b.source for a, b in zip(full.cells, stub.cells)] == [True, True, False, True, True]
    assert full.cells[3].metadata.tags == ["raises-exception"] and full.cells[3].source.startswith(build.JUDGE)
    assert full.cells[3].metadata.nbgrader.points == 2 and full.cells[3].metadata.editable is False


def test_ids_stay_when_another_cell_changes_and_twins_differ(write):
    build = builder()
    before = [cell.id for cell in build.instructor(write()).cells]
    changed = SOURCE.replace("6 / 4", "8 / 4").replace("y = x", "z = x")
    after = [cell.id for cell in build.instructor(write(changed)).cells]
    assert [a == b for a, b in zip(before, after)] == [True, False, True, True, True]
    assert before[2:4] == ["half", "check-half"]
    twins = [cell.id for cell in build.instructor(write(SOURCE + "\n# %%\nprint(\"the end\")\n")).cells]
    assert twins[:5] == before and twins[5] == before[4] + "-2"


@pytest.mark.parametrize("old, new", [
    ('check="half"', 'check="other"'),                          # an exercise nobody judges
    ('# %% check="half" points=2', "# %%"),
    ("    ### BEGIN SOLUTION\n    y = x / 2\n\n    return y\n    ### END SOLUTION\n", "    return x / 2\n"),
    ("print(6 / 4)", "### BEGIN SOLUTION\nprint(6 / 4)\n### END SOLUTION"),
])
def test_a_source_that_breaks_a_rule_is_refused(write, old, new):
    source = SOURCE.replace(old, new)
    if "return x / 2\n" in new:                                 # no solution left in the exercise
        source = source.replace("    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION", "    return x")
    assert source != SOURCE
    with pytest.raises(ValueError, match="wanted"):
        builder().instructor(write(source))


def test_numbers_choose_sources_and_unknown_ones_are_named(write, tmp_path):
    build = builder()
    write()
    write(name="02_more.py")
    assert [path.stem for path in build.sources(tmp_path)] == ["01_half", "02_more"]
    assert [path.stem for path in build.sources(tmp_path, ["02"])] == ["02_more"]
    with pytest.raises(FileNotFoundError, match="03"):
        build.sources(tmp_path, ["03"])
    with pytest.raises(FileNotFoundError, match="nothing"):
        build.sources(tmp_path / "src")


def test_build_runs_demonstrations_only_and_twice_gives_the_same_bytes(write, tmp_path):
    build = builder()
    path = write()
    build.build(tmp_path)
    build.instructors(tmp_path, tmp_path / "teachers")
    with pytest.raises(ValueError, match="students' notebooks"):
        build.instructors(tmp_path, tmp_path / "src" / "..")
    built = tmp_path / "01_half.ipynb"
    first = built.read_bytes()
    shown = [[o["text"] for o in cell["outputs"]] for cell in code(built)]
    assert shown == [[["1.5\n"]], [], [], [["the end\n"]]]
    assert "y = x / 2" in (tmp_path / "teachers" / "01_half.ipynb").read_text()
    assert build.same_as_source(tmp_path, path) is None
    build.build(tmp_path)
    assert built.read_bytes() == first
    write(SOURCE.replace("Halve it", "Halve x"))
    assert "build it again" in build.same_as_source(tmp_path, path)
    built.unlink()
    assert "missing" in build.same_as_source(tmp_path, path)


def test_a_students_run_goes_to_the_end_and_each_check_says_one_line(write, tmp_path):
    build = builder()
    assert build.runs_through(build.student(build.instructor(write())), tmp_path) is None
    rude = write(SOURCE.replace('with attempt("half"):\n    assert', "assert"))
    assert "more than one line" in build.runs_through(build.student(build.instructor(rude)), tmp_path)
    stuck = write(SOURCE.replace('print("the end")', "print(half(4))"))
    assert "stops at 'print(half(4))" in build.runs_through(build.student(build.instructor(stuck)), tmp_path)


def test_a_judge_of_the_students_own_is_not_believed(write, tmp_path):
    build = builder()
    notebook = build.student(build.instructor(write()))
    notebook.cells[2].source = "attempt = judge = lambda *a: print('ok')\ndef half(x):\n    return x"
    build.run(notebook, tmp_path)
    output, = notebook.cells[3].outputs
    assert output.output_type == "error" and "not right yet" in "".join(output.traceback)


def test_code_that_is_shown_is_the_librarys_and_pictures_are_folded(write, tmp_path):
    build = builder()
    path = write(SOURCE.replace("print(6 / 4)", "import inspect\nfrom minis2s.layers import unroll\n\n"
                                "print(inspect.getsource(unroll.backward))")
                 .replace('print("the end")', 'with picture("x") as axes:\n    pass'))
    notebook = build.instructor(path)
    assert notebook.cells[-1].metadata.jupyter.source_hidden is True
    assert len(build.shown_sources(notebook)) == 1
    import inspect

    from minis2s.layers import unroll
    notebook.cells[1].outputs = [{"output_type": "stream", "name": "stdout",
                                  "text": inspect.getsource(unroll.backward) + "\n"}]
    assert build.shown_sources(notebook) == []


@EACH
def test_code_that_a_built_notebook_shows_is_the_librarys(path):
    build = builder()
    assert build.shown_sources(build.nbformat.read(path, as_version=4)) == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_solution_stands_above_its_exercise(path):
    source = path.read_text(encoding="utf-8")
    shows = [m.start() for m in re.finditer(r"^print\(inspect\.getsource\(unroll\.backward", source, re.MULTILINE)]
    assert all(at > source.index('check="bptt"') for at in shows)


def test_check_counts_what_is_wrong(write, tmp_path, capsys):
    build = builder()
    write(SOURCE.replace("== 1.5", "== 2").replace("print(6 / 4)", "print(6 / 0)"))
    assert build.check(tmp_path) == 1
    said = capsys.readouterr().out
    for words in ("does not run to its end", "is missing", "stops at 'print(6 / 0)'"):
        assert words in said


def test_a_kernel_that_dies_is_a_fault_of_its_notebook(write, tmp_path, capsys):
    """And no end of the check: the next one is looked at."""
    build = builder()
    write(SOURCE.replace("print(6 / 4)", "import os; os._exit(3)"))
    write(name="02_more.py")
    build.build(tmp_path, ["02"])
    assert build.check(tmp_path) == 1
    first, second = capsys.readouterr().out.strip().splitlines()[-2:]
    assert "ends or stops its kernel: DeadKernelError" in first and "02_more: right" in second


def test_a_kernel_that_does_not_come_up_is_tried_once_more(write, tmp_path, monkeypatch, capsys):
    build, tries = builder(), []
    real = build.NotebookClient.execute

    def execute(client):
        tries.append(client)
        if len(tries) < 2:
            raise RuntimeError("Kernel died before replying to kernel_info")
        return real(client)
    monkeypatch.setattr(build.NotebookClient, "execute", execute)
    notebook = build.student(build.instructor(write()))
    build.with_outputs(notebook, tmp_path)
    assert len(tries) == 2 and "once more" in capsys.readouterr().out
    tries.clear()
    monkeypatch.setattr(build.NotebookClient, "execute", lambda client: tries.append(client) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build.with_outputs(notebook, tmp_path)
    assert len(tries) == 1


# what cells use ------------------------------------------------------------------------------------------

def test_attempt_turns_stubs_and_failed_asserts_into_one_line(capsys):
    stub, wrong = NotImplementedError(), AssertionError("Halve it.")
    for error, words in ((stub, "not solved yet"), (wrong, "Halve it.")):
        with pytest.raises(Unsolved, match=words) as caught:
            with attempt("half"):
                raise error
        assert caught.value._render_traceback_() == [str(caught.value)] and "\n" not in str(caught.value)
        assert caught.value.__suppress_context__
    assert capsys.readouterr().out == ""
    with attempt("half"):
        pass
    assert "right" in capsys.readouterr().out


def test_attempt_hides_no_other_error():
    with pytest.raises(ZeroDivisionError), attempt("half"):
        1 / 0


def test_judge_passes_what_the_checker_passes_and_shows_its_report_otherwise(capsys):
    def right(a):
        e = np.exp(a - a.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def stub(a):
        raise NotImplementedError()

    judge("softmax", right)
    assert "right" in capsys.readouterr().out
    with pytest.raises(Unsolved, match="not solved yet"):
        judge("softmax", stub)
    with pytest.raises(Unsolved, match="not right yet"):
        judge("softmax", lambda a: np.exp(a) / np.exp(a).sum())
    assert "wanted" in capsys.readouterr().out


def test_picture_draws_in_our_style_and_leaves_matplotlib_as_it_was():
    import matplotlib
    matplotlib.use("agg")
    before = matplotlib.rcParams.copy()
    with picture("Two lines.", 4, 2, columns=2) as (left, right):
        line, = left.plot([1, 2])
        assert line.get_color() == "#0072B2" and left.figure is right.figure
    assert matplotlib.rcParams == before
    assert tuple(left.figure.get_size_inches()) == (4, 2)
