"""A whole class: a folder for each student -> a CSV, one row for each student, a column for each exercise."""
import csv
import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import EXERCISES
from ..judge.process import check_file


def grade(folder, seed=0, only=None, tell=lambda line: None):
    """Check every submission.

    Parameters
    ----------
    folder : str or os.PathLike
        Holds one folder for each student, with files such as lstm_step.py.
    seed : int
        Of the inputs: a fresh one for grading.
    only : list of Exercise, optional
        Default: all that at least one student has handed in.
    tell : callable
        Gets a line of text for each student that is done.

    Returns
    -------
    str : the CSV

    Raises
    ------
    ValueError
        `folder` is no folder, or holds no folders or no exercises.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder")
    students = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    if not students:
        raise ValueError(f"{folder} holds no folders; wanted one for each student")
    exercises = only or [e for e in EXERCISES.values() if any((s / f"{e.function}.py").exists()
                                                              for s in students)]
    if not exercises:
        raise ValueError(f"no folder in {folder} holds an exercise, such as softmax.py")

    def one(exercise, student):
        path = student / f"{exercise.function}.py"
        if not path.exists():
            return None
        try:
            return check_file(exercise.name, path, seed)
        except Exception as e:                                  # one bad submission must not stop the rest
            return {"passed": False, "verdict": "error", "says": f"not checked: {type(e).__name__}: {e}"}

    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow(["student", "passed", "of", *(e.name for e in exercises)])
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for student in students:
            reports = list(pool.map(one, exercises, [student] * len(exercises)))
            passed = sum(bool(r and r["passed"]) for r in reports)
            table.writerow([_cell(student.name), passed, len(exercises), *map(_outcome, reports)])
            tell(f"{student.name}: {passed} of {len(exercises)}")
    return out.getvalue()


def _outcome(report):
    """One cell: passed, missing, or why not."""
    if report is None:
        return "missing"
    return "passed" if report["passed"] else _cell(f"{report['verdict']}: {report['says']}")


def _cell(text):
    """Text that no spreadsheet takes for a formula, on one line."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return "'" + text if text[:1] in ("=", "+", "-", "@") else text
