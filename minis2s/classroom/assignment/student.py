"""What a hand-out's check.py runs."""
import argparse
import sys

from ..exercises import find, progress
from ..judge.process import check_file
from .make import load


def main(folder, arguments):
    """Check the files of a hand-out: -> exit status, 0 only if all that was checked has passed."""
    parser = argparse.ArgumentParser(prog="check.py", description="Check your work.")
    parser.add_argument("names", nargs="*", metavar="EXERCISE", help="default: all of this assignment")
    parser.add_argument("--hint", type=int, choices=(1, 2, 3), metavar="N", help="show a hint: 1 is the gentlest")
    args = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        made = load(folder)
        names = [find(name).name for name in args.names] or list(made.exercises)
        student = _student(folder) if made.variants else ""
    except ValueError as e:
        print(f"check.py: {e}", file=sys.stderr)
        return 2
    reports = []
    for name in names:
        path = folder / f"{find(name).function}.py"
        if not path.exists():
            print(f"{name}: there is no file {path.name}")
            reports.append(False)
            continue
        report = check_file(name, path, made.seed(student), args.hint)
        print(report["text"])
        progress.note(folder, [report])
        reports.append(report["passed"])
    print(f"{sum(reports)} of {len(reports)} passed")
    return 0 if all(reports) else 1


def _student(folder):
    """The id in student.txt; ValueError where there is none."""
    try:
        text = (folder / "student.txt").read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError):
        text = ""
    if not text:
        raise ValueError("write your student id into student.txt first: your numbers depend on it")
    return text.splitlines()[0].strip()
