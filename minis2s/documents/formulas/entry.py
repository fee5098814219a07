"""What is known about one formula of the documents: text, and the names of the code that computes it."""
import importlib
import inspect
from pathlib import Path
from typing import Callable, NamedTuple

PACKAGE = Path(__file__).parents[2]


class Form(NamedTuple):
    """One way to compute a formula.

    `forward` and `backward` are names of live functions, "minis2s.layers.cells.lstm:step"; `marks` are the marks of
    the equations in them ("L4"; its derivative is L4*); `case` draws a cases.Case from (rng, Sizes).
    """
    name: str                  # "as intended", "as printed", ...
    forward: tuple
    backward: tuple
    marks: tuple
    case: Callable


class Formula(NamedTuple):
    id: str
    where: str                 # document and section
    name: str
    brief: str                 # the formula in short, for the table
    printed: str               # as printed, in Unicode, one equation a line
    latex: str                 # as printed
    symbols: dict              # symbol -> meaning and shape (examples are rows: N of them)
    forms: tuple               # of Form; the first is the one that is meant
    steps: Callable            # the tiny example: -> list of steps.Line
    intended: str = ""         # "" where it is what is printed
    latex_intended: str = ""
    slip: str = ""             # what is wrong with the printed form, or what it leaves open
    cost: str = ""             # what the slip costs
    undefined: str = ""        # what cannot be computed as printed
    limit: str = ""            # the same in a few words, for the table
    demo: Callable = None      # a small function that shows cost or undefined by running: -> lines


def resolve(name):
    """The live function that "minis2s.layers.cells.lstm:step" names.

    Raises
    ------
    LookupError
        It names nothing.
    """
    module, _, function = name.partition(":")
    try:
        return getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise LookupError(f"{name} names nothing: {error}") from None


def source(name):
    """Where a function stands: -> path from the package's parent, its first line's number, its lines."""
    function = inspect.unwrap(resolve(name))
    lines, first = inspect.getsourcelines(function)
    path = Path(inspect.getsourcefile(function))
    return str(path.relative_to(PACKAGE.parent) if path.is_relative_to(PACKAGE.parent) else path), first, lines


def place(name):
    """The file and line of a function."""
    path, line, _ = source(name)
    return f"{path}:{line}"
