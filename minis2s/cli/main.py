"""The command line: `minis2s COMMAND ...`.  Each command is a file in this folder."""
import argparse
import os
import sys
from importlib import import_module

from .. import __version__

COMMANDS = ("tasks", "train", "evaluate", "translate", "summary", "formulas", "examples", "example", "trace",
            "exercise", "bench", "figures", "claim")


def parser():
    """The parser of all commands."""
    top = argparse.ArgumentParser(prog="minis2s", description="Sequence-to-sequence models to learn from.",
                                  epilog="start with:  minis2s train dates")
    top.add_argument("--version", action="version", version=f"minis2s {__version__}")
    subs = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = import_module(f".{name}", __package__)
        sub = subs.add_parser(module.NAME, help=module.HELP, description=module.HELP, epilog=module.EPILOG,
                              formatter_class=argparse.RawDescriptionHelpFormatter)
        module.arguments(sub)
        sub.set_defaults(run=module.run)
    return top


def main(argv=None):
    """Run a command: -> exit status; 2 and one line on standard error for bad input."""
    from ..training.loop import Diverged
    for stream in (sys.stdout, sys.stderr):     # files and standard input are UTF-8 whatever the locale, so is this
        if (getattr(stream, "encoding", None) or "utf-8").lower() != "utf-8" and hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8")
    top, argv = parser(), sys.argv[1:] if argv is None else argv
    args, rest = top.parse_known_args(argv)
    behind = argv[argv.index("--") + 1:] if "--" in argv else []
    texts = [text for text in rest if text != "--"]
    options = [text for text in texts if text.startswith("-") and text not in behind]
    if texts and hasattr(args, "texts") and not options:
        args.texts += texts                     # argparse loses what stands behind options: RUN --beam 5 TEXT
    elif rest:
        top.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return args.run(args)
    except BrokenPipeError:                     # the reader of our output is gone: nothing to say, nobody to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    except (ValueError, TypeError, OSError, MemoryError, Diverged) as e:
        print(f"minis2s: {message(e)}", file=sys.stderr)
        return 2


def message(e):
    """One line that says what went wrong."""
    if isinstance(e, OSError) and e.strerror:
        return f"{e.filename}: {e.strerror}" if e.filename else e.strerror
    return " ".join(str(e).split())
