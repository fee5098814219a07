"""`python -m minis2s.classroom.notebooks build | check`."""
import argparse
import sys


def main(argv=None):
    """-> exit status: 0 right, 1 a notebook is wrong, 2 bad arguments or something missing."""
    top = argparse.ArgumentParser(prog="python -m minis2s.classroom.notebooks",
                                  description="Build and check the notebooks.")
    top.add_argument("--folder", default="notebooks", help="where they are (default: notebooks)")
    subs = top.add_subparsers(dest="command", required=True)
    for name, words in (("build", "write the notebooks from src/"),
                        ("check", "are they up to date, and do they run?")):
        sub = subs.add_parser(name, help=words, description=words)
        sub.add_argument("numbers", nargs="*", metavar="NN", help="only these: 01 02 ... (default: all)")
        if name == "build":
            sub.add_argument("--instructor", metavar="DIR", help="write the versions with solutions, too")
    args = top.parse_args(argv)
    try:
        from . import build
        if args.command == "check":
            return 1 if build.check(args.folder, args.numbers) else 0
        build.build(args.folder, args.numbers, args.instructor)
        return 0
    except ModuleNotFoundError as e:
        print(f"{e}: pip install \".[notebooks]\" brings what building needs", file=sys.stderr)
    except (ValueError, FileNotFoundError) as e:
        print(e, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
