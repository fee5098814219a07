"""minis2s exercise: learn by writing the parts yourself."""
import json
import sys
from pathlib import Path

NAME, HELP = "exercise", "write softmax, LSTMs, attention and their gradients yourself, and have them checked"
EPILOG = """examples:
  minis2s exercise list
  minis2s exercise start softmax rnn-step            write the stubs softmax.py and rnn_step.py here
  minis2s exercise check softmax                     what is wrong, and where to look next
  minis2s exercise check softmax --hint 1            the first of three hints
  minis2s exercise faded lstm-step-backward          easier: one line is missing
  minis2s exercise parsons lstm-step-backward        easier: the lines are there, in the wrong order
  minis2s exercise progress --html progress.html
  minis2s class grade submissions --csv marks.csv     a whole class: see minis2s class --help

exit status of check: 0 only if all that was checked has passed.
check and grade run the code that they judge in a process of its own with a time limit, but with your rights:
grade strangers' work where it can do no harm.
"""


def arguments(parser):
    """One action, each with its own options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name, text):
        sub = actions.add_parser(name, help=text, description=text)
        return sub

    def folder(sub):
        sub.add_argument("--dir", default=".", metavar="D", help="where you work (default: here)")
        return sub
    action("list", "all exercises, in a good order to do them")
    start = folder(action("start", "write an exercise's stub; never over a file that exists"))
    start.add_argument("names", nargs="+", metavar="NAME")
    check = folder(action("check", "check your work: one exercise, or all that were started"))
    check.add_argument("name", nargs="?", metavar="NAME")
    check.add_argument("--hint", type=int, choices=(1, 2, 3), metavar="N", help="show a hint: 1 is the "
                       "gentlest, 3 says most")
    check.add_argument("--json", action="store_true", help="print a list of reports as JSON")
    check.add_argument("--seed", type=int, default=0, metavar="N", help="of the inputs (default: 0)")
    progress = folder(action("progress", "a table of what has been checked"))
    progress.add_argument("--html", metavar="FILE", help="write it as a page, too")
    progress.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")
    for name, words in (("faded", "fill in the missing lines of an exercise, one after the other"),
                        ("parsons", "put the lines of an exercise in order")):
        puzzle = action(name, words)
        puzzle.add_argument("name", metavar="NAME")
        puzzle.add_argument("--seed", type=int, default=0, metavar="N", help="of the order shown, and of the inputs")
    grade = action("grade", "check a whole class: one folder for each student, one CSV")
    grade.add_argument("folder", metavar="FOLDER")
    grade.add_argument("--csv", required=True, metavar="OUT.csv")
    grade.add_argument("--overwrite", action="store_true", help="replace OUT.csv if it exists")
    grade.add_argument("--seed", type=int, default=0, metavar="N", help="of the inputs (default: 0)")
    grade.add_argument("--only", metavar="NAMES", help="exercises, with commas (default: all that anybody "
                       "handed in)")


def run(args):
    """Do one action: -> exit status."""
    return {"list": run_list, "start": run_start, "check": run_check, "progress": run_progress, "grade": run_grade,
            "faded": run_puzzle, "parsons": run_puzzle}[args.action](args)


def run_list(args):
    """Print all exercises."""
    from ..classroom.exercises import EXERCISES
    for name, exercise in EXERCISES.items():
        print(f"{name:28} {exercise.title}")
    return 0


def run_start(args):
    """Write stubs."""
    from ..classroom.exercises import find
    from ..classroom.exercises.stub import free, start
    exercises = [find(name) for name in dict.fromkeys(args.names)]
    for exercise in exercises:
        free(exercise, args.dir)                                # all or none
    where = f" --dir {args.dir}" if args.dir != "." else ""
    for exercise in exercises:
        path = start(exercise, args.dir)
        print(f"wrote {path}\nedit it, then:  minis2s exercise check {exercise.name}{where}")
    return 0


def run_check(args):
    """Check one exercise, or all that were started."""
    from ..classroom.exercises import EXERCISES, find, progress
    from ..classroom.judge.process import check_file
    if args.seed < 0:
        raise ValueError(f"--seed {args.seed}: wanted 0 or more")
    folder = Path(args.dir)
    if args.name:
        exercises = [find(args.name)]
        path = folder / f"{exercises[0].function}.py"
        if not path.exists():
            where = f" --dir {args.dir}" if args.dir != "." else ""
            raise ValueError(f"there is no file {path}; begin with: minis2s exercise start "
                             f"{exercises[0].name}{where}")
    else:
        exercises = [e for e in EXERCISES.values() if (folder / f"{e.function}.py").exists()]
        if not exercises:
            raise ValueError(f"no exercise has been started in {folder}; begin with: minis2s exercise start "
                             f"softmax")
    progress.load(folder)                                       # complains before any work is done
    reports = []
    for exercise in exercises:
        report = check_file(exercise.name, folder / f"{exercise.function}.py", args.seed, args.hint)
        reports.append(report)
        if not args.json:
            show(report)
    progress.note(folder, reports)
    if args.json:
        print(json.dumps(reports, indent=1))
    elif len(reports) > 1:
        print(f"{sum(r['passed'] for r in reports)} of {len(reports)} passed")
    return 0 if all(r["passed"] for r in reports) else 1


def show(report):
    """Print a report, and the beginning of what the code printed itself."""
    print(report["text"])
    lines = report["printed"].splitlines()
    if lines:
        print("  your code printed:")
        for line in lines[:10]:
            print("    " + "".join(c if c.isprintable() else "?" for c in line[:120]))
        if len(lines) > 10:
            print("    ...")


def run_puzzle(args):
    """Ask line by line on the terminal: -> 0 if all was right in the end."""
    from ..classroom import puzzles
    if args.seed < 0:
        raise ValueError(f"--seed {args.seed}: wanted 0 or more")
    some = puzzles.faded(args.name) if args.action == "faded" else puzzles.parsons(args.name, args.seed)
    if not some:
        raise ValueError(f"{args.name}: no lines whose order matters; `minis2s exercise faded` has lines to fill in")
    solved = 0
    for number, puzzle in enumerate(some, 1):
        print(f"{number} of {len(some)}\n\n{puzzle}\n")
        asked = f"{puzzle.left}" if args.action == "faded" else "order, such as 2 1 3: "
        while True:
            try:
                answer = input(asked)
            except EOFError:
                print()
                return 1
            if not answer.strip():
                break                                           # an empty line goes on to the next one
            if args.action == "parsons":
                if not all(word.isdigit() for word in answer.replace(",", " ").split()):
                    print("numbers, please")
                    continue
                answer = [int(word) for word in answer.replace(",", " ").split()]
            try:
                report = puzzle.judge(answer, args.seed)
            except ValueError as e:
                print(e)
                continue
            if report.passed:
                print("right\n")
                solved += 1
                break
            print(report, "\n\nonce more, or an empty line to go on")
    print(f"{solved} of {len(some)} right")
    return 0 if solved == len(some) else 1


def run_progress(args):
    """Print the table; write the page."""
    from ..classroom.exercises import progress
    from ..core import files
    if not Path(args.dir).is_dir():
        raise ValueError(f"there is no folder {args.dir}")
    if args.html:
        files.check_free(args.html, args.overwrite)
    elif args.overwrite:
        raise ValueError("--overwrite goes with --html")
    print(progress.table(args.dir))
    if args.html:
        files.write_text(args.html, progress.page(args.dir))
        print(f"wrote {args.html}", file=sys.stderr)
    return 0


def run_grade(args):
    """As `minis2s class grade`, with fewer options."""
    from ..classroom.assignment.grade import grade
    from ..classroom.assignment.make import assignment
    from ..core import files
    if args.seed < 0:
        raise ValueError(f"--seed {args.seed}: wanted 0 or more")
    files.check_free(args.csv, args.overwrite)                  # complains before any work is done
    made = assignment("Exercises", args.only.split(",")) if args.only else None
    grade(args.folder, args.csv, made, args.seed, tell=lambda line: print(line, file=sys.stderr))
    print(f"wrote {args.csv}", file=sys.stderr)
    return 0
