"""Grade a class: every file in a process of its own, and a row of the CSV as soon as a student is done."""
import csv
import datetime
import io
import json
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from ...core import files
from ..exercises import EXERCISES, find
from ..judge import process
from . import pages
from .make import Assignment
from .submissions import collect, listed, match, submissions, unzip


def grade(folder, csv_path, made=None, seed=0, html=None, json_path=None, jobs=None, tell=lambda line: None):
    """Check every submission.

    Parameters
    ----------
    folder : str or os.PathLike
        Holds a folder or a zip file for each student.
    csv_path : str or os.PathLike
        Grows by a row as each student is done; put in order at the end.
    made : Assignment, optional
        Default: all exercises that somebody handed in, a point each.
    seed : int
        Of the inputs: a fresh one for grading.
    html, json_path : optional
        A folder for the pages; a file for all reports.
    jobs : int, optional
        Files that are checked at once; default: the number of processors.
    tell : callable
        Gets a line of text for each student that is done.

    Returns
    -------
    list of dict, one for each student: "student", "points", "of", "late", "reports" (by exercise)

    Raises
    ------
    ValueError
        `folder` is no folder, or holds no submissions or no exercises.
    """
    handed_in = submissions(folder)
    with tempfile.TemporaryDirectory(prefix="minis2s-class-") as space:
        found = [_files(s, Path(space) / str(n)) for n, s in enumerate(handed_in)]
        made = made or _guess(folder, found)
        table = _Table(csv_path, ["student", "points", "of", "late", *made.exercises])
        records = [{"student": s.name, "points": 0, "of": made.total, "late": _late(own, made.due), "reports": {}}
                   for s, own in zip(handed_in, found)]
        jobs_to_do = [(n, name, own, made.seed(s.student, seed), Path(space) / f"{n}-{name}")
                      for n, (s, own) in enumerate(zip(handed_in, found)) for name in made.exercises]
        for n, name, report in _all(jobs_to_do, jobs):
            record = records[n]
            record["reports"][name] = report
            if len(record["reports"]) == len(made.exercises):
                _finish(record, made)
                table.add(_row(record, made))
                tell(f"{record['student']}: {record['points']} of {made.total} points")
                if html:
                    pages.student(html, record, made)
    table.put_in_order([_row(record, made) for record in records])
    if html:
        pages.overview(html, records, made)
    if json_path:
        files.write_text(json_path, json.dumps({"assignment": made._asdict(), "students": records}, indent=1) + "\n")
    return records


def _all(jobs_to_do, jobs):
    """Check files, some at once: yields (number of the student, exercise, report) as they are done."""
    pool = ThreadPoolExecutor(jobs or os.cpu_count() or 1)
    try:
        waiting = {pool.submit(_one, *job[1:]): job[:2] for job in jobs_to_do}
        for job in as_completed(waiting):
            yield *waiting[job], job.result()
    except BaseException:
        process.stop_all()
        pool.shutdown(wait=False, cancel_futures=True)
        process.stop_all()
        raise
    pool.shutdown()


def _files(submission, space):
    """Exercise's function -> (path, remark), of one submission; {} where nothing can be read."""
    place = submission.place
    if not place.is_dir():
        space.mkdir(parents=True)
        try:
            unzip(place, space)
        except Exception:                                       # whatever a broken archive may raise
            return {}
        place = space
    return match(listed(place), [e.function for e in EXERCISES.values()])


def _guess(folder, found):
    """An Assignment of all exercises that somebody handed in."""
    names = [e.name for e in EXERCISES.values() if any(e.function in own for own in found)]
    if not names:
        raise ValueError(f"no submission in {folder} holds an exercise, such as softmax.py")
    return Assignment("Exercises", tuple(names), dict.fromkeys(names, 1))


def _one(name, own, seed, space):
    """The report on one exercise of one student; no bad submission stops the rest."""
    function = find(name).function
    if function not in own:
        return {"passed": False, "verdict": "missing", "says": "not handed in", "look": "", "text": "", "remarks": []}
    path, remark = own[function]
    try:
        report = process.check_file(name, collect(path, function, space), seed)
    except Exception as e:
        report = {"passed": False, "verdict": "error", "says": f"not checked: {type(e).__name__}: {e}", "look": "",
                  "text": "", "remarks": []}
    report["remarks"] = [*([remark] if remark else []), *report["remarks"]]
    return report


def _finish(record, made):
    record["reports"] = {name: record["reports"][name] for name in made.exercises}
    record["points"] = sum(made.points[name] for name, r in record["reports"].items() if r["passed"])


def _late(own, due):
    """Whether the newest file is from after the day it was due; "" where that cannot be known."""
    if not due or not own:
        return ""
    newest = max(path.lstat().st_mtime for path, _ in own.values())
    return "yes" if datetime.date.fromtimestamp(newest) > datetime.date.fromisoformat(due) else "no"


def _row(record, made):
    return [cell(record["student"]), record["points"], made.total, record["late"],
            *(_outcome(record["reports"][name]) for name in made.exercises)]


def _outcome(report):
    """One cell: passed, missing, or why not; and whether the file deserves a look."""
    look = " (look at the file)" if any("uses the library" in r or "replaces" in r for r in report["remarks"]) else ""
    if report["passed"] or report["verdict"] == "missing":
        return ("passed" if report["passed"] else "missing") + look
    return cell(f"{report['verdict']}: {report['says']}{look}")


def cell(text):
    """Text that no spreadsheet takes for a formula, on one line."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return "'" + text if text[:1] in ("=", "+", "-", "@") else text


class _Table:
    """A CSV that is whole after every row: UTF-8 with the mark at its beginning that spreadsheets want."""

    def __init__(self, path, head):
        self.path, self.head = path, head
        self.put_in_order([])

    def put_in_order(self, rows):
        """Write all rows anew, whole or not at all."""
        out = io.StringIO(newline="")
        csv.writer(out).writerows([self.head, *rows])
        files.write_text(self.path, "\ufeff" + out.getvalue())

    def add(self, row):
        """One row more."""
        out = io.StringIO(newline="")
        csv.writer(out).writerow(row)
        with open(self.path, "a", encoding="utf-8", newline="") as f:
            f.write(out.getvalue())
            f.flush()
            os.fsync(f.fileno())
