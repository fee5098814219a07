"""minis2s class: hand out exercises, and grade what comes back."""
import sys
from pathlib import Path

NAME, HELP = "class", "hand out exercises to a class, and grade what students hand in"
EPILOG = """examples:
  minis2s class make homework --exercises softmax,rnn-step,bptt --due 2026-12-01
  minis2s class make homework --exercises softmax,bptt --points bptt=3 --variants
  minis2s class make homework --exercises softmax,rnn-step --wheel minis2s-0.2.0-py3-none-any.whl
  minis2s class grade submissions --assignment homework --csv marks.csv --html report --seed 7

submissions holds a folder or a zip file for each student; sub-folders, "Softmax (1).py" and notebooks are understood.
The CSV grows by a row as each student is done, so nothing is lost when you stop.

exit status of grade: 0, or with --pass N: 1 unless every student has N points.
Each file runs in a process of its own with limits on time, memory and output, and cannot reach the comparison; but it
runs with your rights.  Grade strangers' work in a container:
  docker run --rm --network none -v "$PWD":/class -w /class IMAGE minis2s class grade submissions --csv marks.csv
"""


def arguments(parser):
    """One action, each with its own options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    make = actions.add_parser("make", help="write a hand-out: stubs, a README, a check script; no solutions",
                              description="write a hand-out: stubs, a README, a check script; no solutions")
    make.add_argument("folder", metavar="DIR", help="a new or empty folder")
    make.add_argument("--exercises", required=True, metavar="NAMES", help="with commas; see `minis2s exercise list`")
    make.add_argument("--title", default="Exercises", metavar="TEXT", help="of the assignment")
    make.add_argument("--points", default="", metavar="NAME=N,...", help="points of an exercise (default: 1 each)")
    make.add_argument("--due", default="", metavar="DATE", help="the last day, such as 2026-12-01")
    make.add_argument("--variants", action="store_true", help="numbers of their own for every student, from the id")
    make.add_argument("--wheel", metavar="FILE", help="a built minis2s that is copied into DIR, for students to "
                      "install from; `pip wheel --no-deps FOLDER` builds it")
    grade = actions.add_parser("grade", help="check every submission: a CSV, and a page for each student",
                               description="check every submission: a CSV, and a page for each student")
    grade.add_argument("folder", metavar="SUBMISSIONS")
    grade.add_argument("--csv", required=True, metavar="FILE", help="a row for each student")
    grade.add_argument("--html", metavar="DIR", help="a page for each student, and index.html for the whole class")
    grade.add_argument("--json", metavar="FILE", help="all reports")
    grade.add_argument("--assignment", metavar="DIR", help="the hand-out's folder, or its assignment.json: exercises, "
                       "points, due date (default: all exercises that somebody handed in)")
    grade.add_argument("--exercises", metavar="NAMES", help="these exercises, with commas")
    grade.add_argument("--seed", type=int, default=0, metavar="N", help="of the inputs: a fresh one for grading")
    grade.add_argument("--jobs", type=int, metavar="N", help="files checked at once (default: one for a processor)")
    grade.add_argument("--pass", type=int, dest="enough", metavar="N", help="exit status 1 unless all have N points")
    grade.add_argument("--overwrite", action="store_true", help="replace files that exist")


def run(args):
    """Do one action: -> exit status."""
    return {"make": run_make, "grade": run_grade}[args.action](args)


def run_make(args):
    """Write the hand-out."""
    from ..classroom.assignment.make import assignment, make
    made = assignment(args.title, args.exercises.split(","), args.points, args.due, args.variants)
    for path in make(args.folder, made, args.wheel):
        print(f"wrote {path}")
    also = "" if args.wheel else ", and a minis2s to install (--wheel puts one in)"
    print(f"give the folder to your students{also}; keep it to grade:\n"
          f"  minis2s class grade SUBMISSIONS --assignment {args.folder} --csv marks.csv --html report --seed 7")
    return 0


def run_grade(args):
    """Grade the class."""
    from ..classroom.assignment.grade import grade
    from ..classroom.assignment.make import assignment, load
    from ..core import files
    for option, value, least in (("--seed", args.seed, 0), ("--jobs", args.jobs, 1)):
        if value is not None and value < least:
            raise ValueError(f"{option} {value}: wanted {least} or more")
    if args.assignment and args.exercises:
        raise ValueError("--exercises goes without --assignment, which names its own")
    for path in (args.csv, args.json):
        if path:
            files.check_free(path, args.overwrite)              # complains before any work is done
    if args.html and Path(args.html).exists() and not args.overwrite:
        raise ValueError(f"{args.html} exists already; --overwrite replaces the pages in it")
    made = load(args.assignment) if args.assignment else \
        assignment("Exercises", args.exercises.split(",")) if args.exercises else None
    records = grade(args.folder, args.csv, made, args.seed, args.html, args.json, args.jobs,
                    tell=lambda line: print(line, file=sys.stderr, flush=True))
    print(f"wrote {args.csv}" + (f" and {args.html}/index.html" if args.html else ""), file=sys.stderr)
    return 1 if args.enough is not None and any(r["points"] < args.enough for r in records) else 0
