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
JUDGE = "from minis2s.classroom.notebooks import attempt, judge    # whatever these names mean further up"
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
        if kind(cell) == "check":
            cell.source = f"{JUDGE}\n{cell.source}"
        elif kind(cell) == "demonstration" and cell.source.startswith("with picture("):
            cell.metadata["jupyter"] = {"source_hidden": True}              # folded: it only draws
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
    return {"check": name, "deletable": False, "editable": False, "tags": ["raises-exception"],
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


def build(folder, numbers=()):
    """Write the student notebooks of `folder`/src to `folder`; their demonstrations are run."""
    for path in sources(folder, numbers):
        start = time.perf_counter()
        write(with_outputs(student(instructor(path)), folder), Path(folder) / f"{path.stem}.ipynb")
        print(f"{path.stem}: built in {time.perf_counter() - start:.1f} s", flush=True)


def instructors(folder, into, numbers=()):
    """Write the notebooks with solutions, without outputs, to the folder `into`; nothing is run.

    Raises
    ------
    ValueError
        `into` is the students' folder, whose notebooks would be replaced.
    """
    if Path(into).resolve() == Path(folder).resolve():
        raise ValueError(f"{into} holds the students' notebooks; wanted another folder")
    Path(into).mkdir(parents=True, exist_ok=True)
    for path in sources(folder, numbers):
        write(instructor(path), Path(into) / f"{path.stem}.ipynb")
        print(f"wrote {Path(into) / path.stem}.ipynb")


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


def runs_through(notebook, folder):
    """Run a student's notebook as it is: a sentence if it stops, or if a check says more than one line."""
    notebook = copy.deepcopy(without_outputs(notebook))
    try:
        run(notebook, folder)
    except CellExecutionError:
        cell = next(cell for cell in notebook.cells for o in cell.get("outputs", ()) if o.output_type == "error"
                    and "raises-exception" not in cell.metadata.get("tags", ()))
        return f"stops at {cell.source[:60]!r}"
    for cell in notebook.cells:
        if kind(cell) == "check":
            shown = ["\n".join(o.traceback) for o in cell.outputs if o.output_type == "error"]
            if len(shown) != 1:
                return f"passes at {cell.metadata['check']}, which nobody has solved"
            if "\n" in shown[0].strip() or len(shown[0]) > 200:
                return f"stops at {cell.metadata['check']} with more than one line: {shown[0][:300]!r}"
    return None


def shown_sources(notebook):
    """Sentences on cells that show code of the library which is not its code any more."""
    faults, world = [], {}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        imports = re.findall(r"^(?:from|import) minis2s.*$|^import inspect$", cell.source, re.MULTILINE)
        exec("\n".join(imports), world)
        for shown in re.findall(r"^print\((inspect\.getsource\(.+?\))\)$", cell.source, re.MULTILINE):
            text = "".join(o.get("text", "") for o in cell.outputs)
            if eval(shown, world).strip() not in text:
                faults.append(f"print({shown}) shows other code than the library's: build it again")
    return faults


def check(folder, numbers=()):
    """Print what is wrong with each notebook: -> how many are.

    A source must run as plain Python, solutions included; the built notebook must be what the source says;
    it must run through for a student who has solved nothing, and each check says so in one line.
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
        else:
            faults += shown_sources(nbformat.read(Path(folder) / f"{path.stem}.ipynb", as_version=4))
        notebook = student(instructor(path))
        try:
            if sentence := runs_through(notebook, folder):
                faults.append(f"the student's version {sentence}")
        except ENDED as e:
            faults.append(f"the student's version ends or stops its kernel: {type(e).__name__}: {e}")
        wrong += bool(faults)
        print(f"{path.stem}: {'; '.join(faults) or 'right'} ({plain_seconds:.1f} s as plain Python, "
              f"{time.perf_counter() - start:.1f} s in all)", flush=True)
    return wrong
