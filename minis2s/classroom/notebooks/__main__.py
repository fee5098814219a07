"""`python -m minis2s.classroom.notebooks build | instructor | check`."""
import argparse
import sys


def main(argv=None):
    """-> exit status: 0 right, 1 a notebook is wrong, 2 bad arguments or something missing."""
    top = argparse.ArgumentParser(prog="python -m minis2s.classroom.notebooks",
                                  description="Build and check the notebooks.")
    top.add_argument("--folder", default="notebooks", help="where they are (default: notebooks)")
    subs = top.add_subparsers(dest="command", required=True)
    for name, words in (("build", "write the students' notebooks from src/, and run their demonstrations"),
                        ("instructor", "write the notebooks with solutions to another folder; nothing is run"),
                        ("check", "are they up to date, and do they run?")):
        sub = subs.add_parser(name, help=words, description=words)
        if name == "instructor":
            sub.add_argument("into", metavar="DIR", help="where the notebooks with solutions go")
        sub.add_argument("numbers", nargs="*", metavar="NN", help="only these: 01 02 ... (default: all)")
    args = top.parse_args(argv)
    try:
        from . import build
        if args.command == "check":
            return 1 if build.check(args.folder, args.numbers) else 0
        if args.command == "instructor":
            build.instructors(args.folder, args.into, args.numbers)
        else:
            build.build(args.folder, args.numbers)
        return 0
    except ModuleNotFoundError as e:
        print(f"{e}: pip install \".[notebooks]\" brings what building needs", file=sys.stderr)
    except (ValueError, FileNotFoundError) as e:
        print(e, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
