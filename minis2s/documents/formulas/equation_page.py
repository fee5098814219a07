"""The page of one equation, found by its mark, and of one part: `minis2s formulas L4`, `minis2s formulas P4`."""
import re

from .. import PARTS, claims, equations
from . import FORMULAS
from .text import titled, wrap

NAME = re.compile(r"\(?[A-Za-z]{1,3}\d{1,2}\*?\)?")


def is_mark(name):
    """Whether a name looks like a mark, L4 or (L4*), and not like a formula of the documents, A4.1."""
    return NAME.fullmatch(name.strip()) is not None


def pair(equation):
    """The Equation and its derivative, or one of them and None where there is no other."""
    known = equations.all_equations()
    forward = equations.forward(equation.mark)
    return known.get(forward), known.get(equations.derivative(forward))


def uses(mark):
    """IDs of the documents' formulas in which an equation occurs."""
    name = equations.forward(mark).strip("()")
    return [formula.id for formula in FORMULAS.values() if any(name in form.marks for form in formula.forms)]


def record(equation):
    """The same for `--json`: plain values."""
    forward, backward = pair(equation)
    return dict(mark=equation.mark, equation=forward and forward.text, derivative=backward and backward.text,
                places={place: [f"{file}:{line}" for file, line in found(equation)]
                        for place, found in equations.PLACES.items()},
                not_compiled=equations.why_not_compiled(equation), formulas=uses(equation.mark))


def page(equation, width):
    """All lines of the page of one equation."""
    forward, backward = pair(equation)
    lines = [f"{equation.mark}  in minis2s/{equation.file}, where its symbols and shapes are explained"]
    for title, one in (("the equation", forward), ("its derivative", backward)):
        if one:
            lines += titled(title, text(one))
    if backward is None:
        lines += titled("its derivative", ["  has no equation of its own."])
    asked = [equation] if equations.is_derivative(equation.mark) else [one for one in (forward, backward) if one]
    for one in asked:
        lines += titled(f"where {one.mark} is", places(one, width))
    lines += titled("its checks", [line for one in asked for line in checks(one)])
    if uses(equation.mark):
        lines += titled("in these formulas of the documents", wrap(", ".join(uses(equation.mark)), width))
    return lines


def text(equation):
    first, *more = equation.text.splitlines()
    left = f"  {equation.mark}  "
    return [left + first, *(" " * len(left) + line for line in more)]


def places(equation, width):
    """For each place the file, and its lines with their numbers."""
    lines = []
    for place, found in equations.PLACES.items():
        at = found(equation)
        if place == "oracle" and equations.is_derivative(equation.mark):
            place = f"oracle, of {equations.forward(equation.mark)}"
        if not at:
            why = equations.why_not_compiled(equation) if place.startswith("compiled") else "tests are not installed"
            lines += wrap(f"{place}: none ({why})", width)
        for file in dict.fromkeys(file for file, _ in at):
            numbers = [line for name, line in at if name == file]
            lines.append(f"  {place}: {file}:{numbers[0]}")
            lines += [f"  {number:5}  {line_of(file, number)}" for number in numbers]
    return lines


def line_of(file, number):
    path = equations.path_of(file)
    return re.sub(r"  +# ", "  # ", equations.text_of(path).splitlines()[number - 1].strip())


def checks(equation):
    """The commands that run the checks of one equation."""
    star = equations.is_derivative(equation.mark)
    name = equation.mark.strip("()")
    what = ["by complex step" if star else "against the oracle"]
    what += [] if equations.why_not_compiled(equation) else ["compiled against the reference implementation"]
    command = f'pytest -k "{name}"' if star else f"pytest -k {name}"
    return [f"  {command:20} {'; '.join(what)}"]


def part_page(name, width):
    """All lines about a part that the documents name without a formula; None if there is no such part."""
    part = PARTS.get(name.strip().upper())
    if part is None:
        return None
    lines = [f"{name.strip().upper()}  {part.name}   ({part.where})"]
    found = re.compile(rf"\b[Pp]arts? {name.strip().upper()}\b")
    files = [path.relative_to(equations.PACKAGE.parent).as_posix()
             for path in equations.python_files(equations.PACKAGE)
             if path.parent.name not in ("documents", "formulas") and found.search(equations.text_of(path))]
    lines += titled("in", [f"  {file}" for file in files]) if files else []
    said = claims.lines_about(name.strip().upper())
    return lines + (titled("claims about it, to be measured", said) if said else [])
