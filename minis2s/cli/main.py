"""The command line: `minis2s COMMAND ...`.  Each command is a file in this folder."""
import argparse
import os
import sys
import warnings
from contextlib import contextmanager
from importlib import import_module

from .. import __version__
from ..api import signals
from .streams import note, one_line, repair
from .wording import for_options

COMMANDS = ("tasks", "task", "train", "evaluate", "translate", "summary", "formulas", "example", "trace", "exercise",
            "class_", "bench", "figures", "book", "claim", "claims", "compare", "shrink", "explain", "export",
            "import_")
FORMER = {"examples": "example"}    # names that commands had


class Parser(argparse.ArgumentParser):
    """argparse's, whose messages echo no control characters."""

    def error(self, message):
        """Print usage and one line, and end with status 2."""
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: error: {one_line(message)}\n")


def parser(commands=COMMANDS):
    """The parser of some commands."""
    top = Parser(prog="minis2s", description="Sequence-to-sequence models to learn from.",
                 epilog="start with:  minis2s train dates")
    top.add_argument("--version", action="version", version=f"minis2s {__version__}")
    subs = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in commands:
        module = import_module(f".{name}", __package__)
        sub = subs.add_parser(module.NAME, help=module.HELP, description=module.HELP, epilog=module.EPILOG,
                              formatter_class=argparse.RawDescriptionHelpFormatter)
        module.arguments(sub)
        sub.set_defaults(run=module.run, parser=sub)
    return top


def main(argv=None):
    """Run a command: -> exit status; 2 and one line on standard error for bad input, 130 after Ctrl-C."""
    repair()
    try:
        with signals.watched(), lost_interrupts(), warnings_as_notes():
            try:
                return command(sys.argv[1:] if argv is None else list(argv))
            finally:
                signals.check()                 # whatever became of it: a class being made turns it into RuntimeError
    except signals.Stopped as e:
        signals.Pending.number = None
        return 128 + e.signal
    except KeyboardInterrupt:
        return 130


def command(argv):
    """Parse the arguments and run their command: -> exit status."""
    if argv and argv[0] in FORMER:
        argv = [FORMER[argv[0]], *argv[1:]]
    args = parse(argv)
    from ..training.loop import Diverged
    try:
        status = args.run(args)
        sys.stdout.flush()
        return status
    except BrokenPipeError:                     # the reader of our output is gone: nothing to say, nobody to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, TypeError, OSError, MemoryError, ImportError, Diverged) as e:
        signals.check()                         # what a library makes of a Ctrl-C is no error
        note(f"minis2s: {for_options(message(e), args.parser, args)}")
        return 2


def parse(argv):
    """-> the namespace of a command's arguments."""
    files = ["class_" if argv[:1] == ["class"] else name for name in argv[:1]]    # `class` names no module
    top = parser(files if files and files[0] in COMMANDS else COMMANDS)
    args, rest = top.parse_known_args(argv)
    behind = argv[argv.index("--") + 1:] if "--" in argv else []
    texts = [text for text in rest if text != "--"]
    options = [text for text in texts if text.startswith("-") and text not in behind]
    if texts and hasattr(args, "texts") and not options:
        args.texts += texts                     # argparse loses what stands behind options: RUN --beam 5 TEXT
    elif rest:
        args.parser.error(f"unrecognized arguments: {' '.join(rest)}")
    return args


def message(e):
    """One line that says what went wrong."""
    if isinstance(e, OSError) and e.strerror:
        return f"{e.filename}: {e.strerror}" if e.filename else e.strerror
    if isinstance(e, MemoryError) and not str(e):
        return "not enough memory"
    return " ".join(str(e).split())


@contextmanager
def warnings_as_notes():
    """Within this, what the library warns of is a note of the command line."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        usual = warnings.showwarning

        def show(text, category, *rest):
            note(f"minis2s: {text}") if category is UserWarning else usual(text, category, *rest)
        warnings.showwarning = show
        yield


@contextmanager
def lost_interrupts():
    """Within this, Python says nothing of a Ctrl-C that it drops in code called by a compiled library."""
    usual = sys.unraisablehook
    sys.unraisablehook = lambda lost: None if issubclass(lost.exc_type, KeyboardInterrupt) else usual(lost)
    try:
        yield
    finally:
        sys.unraisablehook = usual
