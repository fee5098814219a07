"""Every equation of the library, found by its mark: what it says, and the places where it stands.

An equation stands in four places under one mark: a code line of the reference implementation, of the compiled
implementation, of the oracle, and a test.  For a derivative, (L4*), the oracle's line is that of the equation itself,
(L4): the oracle has no derivatives, and a derivative is checked by the complex step of the forward pass.

`PLACES` finds the lines.  tests/test_equations.py demands all of them.
"""
import difflib
import functools
from pathlib import Path
from typing import NamedTuple

from .marks import defined, on_code_lines

PACKAGE = Path(__file__).parents[1]
TESTS = PACKAGE.parent / "tests"                        # in a checkout; an installed package has none
CHECKS = "equations"                                    # the folder of tests/ with a check of each equation
REFERENCE = ("core", "layers", "model", "training", "decoding", "documents/printed")

# Where the compiled implementation of a file is, when it is not the file of the same path in kernels/.
ALL_CELLS = tuple(f"layers/cells/{cell}.py" for cell in ("rnn", "lstm", "gru", "gru_after"))
COMPILED = {"layers/unroll.py": ALL_CELLS, "layers/dropout.py": ("model/encoder.py",),
            "model/context_step.py": ("model/decoder_step.py",)}

# Why an equation has no code line of its own in kernels/, by file or by mark.
NOT_COMPILED = {
    "core/functions.py": "written out where it is used, under the mark of that line",
    "core/initializers.py": "runs once for each model",
    "core/gradient_check.py": "for checks, not for training",
    "layers/distillation.py": "its targets are handed to the compiled loss, (X3), as they are",
    "training/quantization.py": "runs once for each model",
    "training/pruning.py": "one product for each update",
    "model/bridge.py": "runs once for each batch; the compiled model calls the reference implementation",
    "model/saliency.py": "looks at one example",
    "training/schedule.py": "one number for each update",
    "(RC1)": "models with residual connections have no compiled implementation",
    "(C2)": "clipping by value calls the reference implementation",
    "documents/printed": "the printed forms are for comparison only",
    "(PE1)": "a table for all batches, made once by the reference implementation",
}


class Equation(NamedTuple):
    mark: str                  # "(L4)"
    file: str                  # of the reference implementation, relative to the package
    text: str                  # as its docstring has it


@functools.cache
def text_of(path):
    """A file's text."""
    return path.read_text(encoding="utf-8")


def python_files(folder):
    return sorted(folder.rglob("*.py"))


@functools.cache
def all_equations():
    """{mark: Equation}, derivatives included, in the order of the files."""
    found = {}
    for folder in REFERENCE:
        for path in python_files(PACKAGE / folder):
            for mark, text in defined(text_of(path)).items():
                found.setdefault(mark, Equation(mark, path.relative_to(PACKAGE).as_posix(), text))
    return found


def find(name):
    """The Equation with this mark: "L4", "(L4)", "L4*".

    Raises
    ------
    ValueError
        There is none; the message names the nearest.
    """
    mark, known = normal(name), all_equations()
    if mark in known:
        return known[mark]
    near = difflib.get_close_matches(mark, known, n=3, cutoff=0)
    raise ValueError(f"no equation {name!r}; the nearest are {', '.join(near)}")


def normal(name):
    """"l4", "L4" or "(L4)" -> "(L4)"."""
    return f"({name.strip().strip('()').upper()})"


def is_derivative(mark):
    return mark.endswith("*)")


def derivative(mark):
    """"(L4)" -> "(L4*)"."""
    return mark if is_derivative(mark) else f"{mark[:-1]}*)"


def forward(mark):
    """"(L4*)" -> "(L4)"."""
    return mark.replace("*", "")


def why_not_compiled(equation):
    """The reason why an Equation has no compiled line of its own, or None."""
    for name in (equation.mark, forward(equation.mark), equation.file, str(Path(equation.file).parent)):
        if name in NOT_COMPILED:
            return NOT_COMPILED[name]
    return None


def compiled_files(equation):
    """The files of kernels/ in which an Equation must stand, relative to the package; one of them none: ()."""
    if why_not_compiled(equation):
        return ()
    return tuple(f"kernels/{file}" for file in COMPILED.get(equation.file, (equation.file,)))


def lines(paths, mark):
    """Where a mark stands on a code line: [(path from the package's parent, line)]."""
    return [(path.relative_to(PACKAGE.parent).as_posix(), number)
            for path in paths for number in on_code_lines(text_of(path)).get(mark, [])]


def in_reference(equation):
    return lines([PACKAGE / equation.file], equation.mark)


def in_kernels(equation):
    return lines([path for file in compiled_files(equation) if (path := PACKAGE / file).exists()], equation.mark)


def in_oracle(equation):
    return lines(python_files(PACKAGE / "testing" / "oracle"), forward(equation.mark))


def in_tests(equation):
    """Lines of the table of checks in tests/equations/ that name the mark; [] without a checkout."""
    found = []
    for path in python_files(TESTS / CHECKS):
        for number, line in enumerate(text_of(path).splitlines(), 1):
            if f'"{equation.mark}"' in line:
                found.append((path.relative_to(TESTS.parent).as_posix(), number))
    return found


def path_of(file):
    """The path of a file that `PLACES` names: of the package, or of tests/, which may stand elsewhere."""
    return (TESTS if file.startswith("tests/") else PACKAGE).parent / file


PLACES = {"reference implementation": in_reference, "compiled implementation": in_kernels, "oracle": in_oracle,
          "test": in_tests}
