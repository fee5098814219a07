"""From a source to the notebooks: jupytext reads, nbclient runs, nbformat writes."""
import copy
import hashlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?^ *### END SOLUTION *$", re.DOTALL | re.MULTILINE)
STUB = r"\1# YOUR CODE HERE\n\1raise NotImplementedError()"        # the very stub of nbgrader
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")       # for the kernels: small matrices, few cores
os.environ.setdefault("PYTHONFAULTHANDLER", "1")         # a kernel that dies says where
ENDED = (CellTimeoutError, DeadKernelError)
METADATA = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"}}


def sources(folder, numbers=()):
    """Paths of the sources in `folder`/src, in order; only those whose name begins with one of `numbers`.

    Raises
    ------
    FileNotFoundError
        There are none.
    """
    paths = sorted((Path(folder) / "src").glob("[0-9][0-9]_*.py"))
    missing = [n for n in numbers if not any(path.name.startswith(f"{n}_") for path in paths)]
    if missing or not paths:
        raise FileNotFoundError(f"no source {', '.join(missing) or 'NN_name.py'} in {folder}/src; "
                                f"there is {', '.join(path.stem for path in paths) or 'nothing'}")
    return [path for path in paths if not numbers or path.name[:2] in numbers]


def kind(cell):
    """-> "markdown", "demonstration", "exercise" or "check"."""
    if cell.cell_type == "markdown":
        return "markdown"
    return next((word for word in ("exercise", "check") if word in cell.metadata), "demonstration")


def instructor(path):
    """The notebook of a source with its solutions, without outputs.

    Raises
    ------
    ValueError
        The source breaks a rule of this package's docstring.
    """
    found = jupytext.reads(Path(path).read_text(encoding="utf-8"), fmt="py:percent")
    cells, taken = [], set()
    for cell in found.cells:
        if cell.source.strip():
            cell.metadata = _metadata(cell)
            cell.id = _id(cell, taken)
            cells.append(cell)
    wanted = [cell.metadata["exercise"] for cell in cells if kind(cell) == "exercise"]
    judged = [cell.metadata["check"] for cell in cells if kind(cell) == "check"]
    if wanted != judged or len(set(wanted)) < len(wanted):
        raise ValueError(f"{path}: exercises {wanted}, checks {judged}: wanted each once, in the same order")
    for cell in cells:
        if (kind(cell) == "exercise") != bool(SOLUTION.search(cell.source)):
            raise ValueError(f"{path}: {cell.source[:60]!r}: wanted a solution in every exercise, only there")
    return nbformat.from_dict({"cells": cells, "metadata": copy.deepcopy(METADATA),
                               "nbformat": 4, "nbformat_minor": 5})


def _metadata(cell):
    """What the source says about the cell, and what nbgrader wants to read there."""
    name = cell.metadata.get("exercise") or cell.metadata.get("check")
    if name is None:
        return {}
    judge = "check" in cell.metadata
    grader = {"grade": judge, "grade_id": f"check-{name}" if judge else name, "locked": judge,
              "schema_version": 3, "solution": not judge, "task": False}
    if not judge:
        return {"exercise": name, "nbgrader": grader}
    return {"check": name, "deletable": False, "editable": False,
            "nbgrader": {**grader, "points": cell.metadata.get("points", 1)}}


def _id(cell, taken):
    """An exercise is known by its name, any other cell by its text: edits elsewhere leave it as it is."""
    name = cell.metadata.get("nbgrader", {}).get("grade_id")
    stem, again = name or hashlib.sha256(cell.source.encode()).hexdigest()[:8], 1
    while (found := stem if again == 1 else f"{stem}-{again}") in taken:
        again += 1
    taken.add(found)
    return found


def student(notebook):
    """The same notebook with stubs in place of solutions."""
    stubs = copy.deepcopy(notebook)
    for cell in stubs.cells:
        cell.source = SOLUTION.sub(STUB, cell.source)
    return stubs


def with_outputs(notebook, folder):
    """A copy of a student's notebook in which demonstrations have run; check cells have not.

    Raises
    ------
    CellExecutionError
        A demonstration fails: also one that needs an exercise's solution.
    """
    done = copy.deepcopy(notebook)
    unjudged = nbformat.NotebookNode(done)              # shares its cells with done: outputs appear in both
    unjudged.cells = [cell for cell in done.cells if kind(cell) != "check"]
    run(unjudged, folder)
    done.metadata = copy.deepcopy(notebook.metadata)    # without the kernel's version
    for cell in done.cells:
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = [_settled(o) for o in cell.outputs
                            if kind(cell) != "exercise" and o.get("name") != "stderr"]    # notes on compiling
    return done


def run(notebook, folder):
    """Run all cells in a fresh kernel, in place; every cell may take five minutes: kernels may have to be compiled.

    A kernel that does not come up at all (its ports were taken by another program, say) has run nothing yet, and is
    tried once more.
    """
    client = NotebookClient(notebook, timeout=300, startup_timeout=300, kernel_name="python3", record_timing=False,
                            coalesce_streams=True, extra_arguments=["--log-level=ERROR"],
                            resources={"metadata": {"path": str(folder)}})
    try:
        client.execute()
    except RuntimeError as e:
        if isinstance(e, ENDED) or client.code_cells_executed:
            raise
        print(f"no kernel came up ({e}): once more", flush=True)
        client.execute()


def _settled(output):
    if "execution_count" in output:
        output.execution_count = None
    return output


def write(notebook, path):
    nbformat.validate(notebook)
    Path(path).write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def build(folder, numbers=(), instructor_folder=None):
    """Write the student notebooks of `folder`/src to `folder`, and perhaps the instructor's, too."""
    for path in sources(folder, numbers):
        start, full = time.perf_counter(), instructor(path)
        write(with_outputs(student(full), folder), Path(folder) / f"{path.stem}.ipynb")
        if instructor_folder is not None:
            Path(instructor_folder).mkdir(parents=True, exist_ok=True)
            write(full, Path(instructor_folder) / f"{path.stem}.ipynb")
        print(f"{path.stem}: built in {time.perf_counter() - start:.1f} s")


def without_outputs(notebook):
    """What a built notebook must share with its source: everything but the outputs."""
    bare = copy.deepcopy(notebook)
    for cell in bare.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return bare


def same_as_source(folder, path):
    """One sentence if the built notebook is missing or not what the source says, else None."""
    built = Path(folder) / f"{path.stem}.ipynb"
    if not built.exists():
        return f"{built} is missing: build it"
    if without_outputs(nbformat.read(built, as_version=4)) != student(instructor(path)):
        return f"{built} is not what {path} says: build it again"
    return None


def stops_kindly(notebook, folder):
    """Run a student's notebook as it is: a sentence if it does not stop at its first check with a line."""
    checks = [cell for cell in notebook.cells if kind(cell) == "check"]
    notebook = copy.deepcopy(without_outputs(notebook))
    try:
        run(notebook, folder)
    except CellExecutionError:
        stopped, shown = next((cell, "\n".join(o.traceback)) for cell in notebook.cells
                              for o in cell.get("outputs", ()) if o.output_type == "error")
        if stopped.id != checks[0].id:
            return f"stops at another cell than its first check: {stopped.source[:60]!r}: {shown[-300:]}"
        if "\n" in shown.strip() or len(shown) > 200:
            return f"stops at {checks[0].metadata['check']} with more than one line: {shown[:300]!r}"
        return None
    return "does not stop at all" if checks else None


def check(folder, numbers=()):
    """Print what is wrong with each notebook: -> how many are.

    A source must run as plain Python, solutions included; the built notebook must be what the source says;
    its demonstrations must run without any solution; a student who has solved nothing must be stopped kindly.
    """
    wrong = 0
    for path in sources(folder, numbers):
        start, faults = time.perf_counter(), []
        plain = subprocess.run([sys.executable, str(path.resolve())], cwd=folder, capture_output=True,
                               text=True, timeout=600)
        plain_seconds = time.perf_counter() - start
        if plain.returncode:
            faults.append(f"the source does not run to its end:\n{plain.stderr}")
        if sentence := same_as_source(folder, path):
            faults.append(sentence)
        notebook = student(instructor(path))
        try:
            with_outputs(notebook, folder)
        except CellExecutionError as e:
            faults.append(f"a demonstration does not run without the solutions:\n{e}")
        except ENDED as e:
            faults.append(f"a demonstration ends or stops its kernel: {type(e).__name__}: {e}")
        try:
            if sentence := stops_kindly(notebook, folder):
                faults.append(f"the student's version {sentence}")
        except ENDED as e:
            faults.append(f"the student's version ends or stops its kernel: {type(e).__name__}: {e}")
        wrong += bool(faults)
        print(f"{path.stem}: {'; '.join(faults) or 'right'} ({plain_seconds:.1f} s as plain Python, "
              f"{time.perf_counter() - start:.1f} s in all)", flush=True)
    return wrong
