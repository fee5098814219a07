"""Stage 1: is it a function of the right form?  Judged from an Outcome, away from the student's code."""
from itertools import permutations

import numpy as np


class Problem(Exception):
    """Something that ends the check: its kind (a Report's verdict), a sentence, and what to look at next."""

    def __init__(self, kind, says, look, where=""):
        super().__init__(says)
        self.kind, self.says, self.look, self.where = kind, says, look, where


def signature(exercise, facts):
    """Raise Problem if the function cannot be called with the exercise's arguments, in their order."""
    if facts.kind != "function":
        raise Problem("contract", f"what came is no function but {facts.kind}",
                      f"def {exercise.function}(...): in your file")
    if not facts.fits:
        wanted = f"{exercise.function}({', '.join(exercise.names)})"
        raise Problem("contract", f"your function takes {facts.parameters}, wanted {wanted}: "
                      f"{count(len(exercise.names), 'argument')}, in this order",
                      "the line that begins with def")


def order_of_names(exercise, facts):
    """A sentence if the function names the exercise's arguments in another order, else ""."""
    names = facts.names[:len(exercise.names)]
    if names != exercise.names and sorted(names) == sorted(exercise.names):
        return (f"your function names its arguments {', '.join(names)}; "
                f"they arrive in the order {', '.join(exercise.names)}")
    return ""


def answer(exercise, outcome, case):
    """The arrays of an Outcome: -> list of arrays, or None where the exercise wants a refusal and got one."""
    if outcome.error:
        if any(c.__name__ in outcome.error.names for c in case.raises):
            return None
        raise explain(outcome.error, case)
    if case.raises:
        raise Problem("contract", f"on {case.label} the function answers; wanted a {case.raises[0].__name__} "
                      "that says why not: the rounding of float32 alone makes right gradients look wrong",
                      "the dtype of w, before the first difference is taken")
    for name in outcome.changed:
        raise Problem("contract", f"the argument {name} was changed: its caller still needs it",
                      f"every line that writes into {name}; work on a copy")
    return values(exercise, outcome)


# What Python says, in other words, and what to look at.
MEANS = {
    "NameError": ("a name that is not known there: misspelt, not yet assigned, or not imported",
                  "the spelling of that name, and the line that should define it"),
    "UnboundLocalError": ("a variable is used before anything is assigned to it",
                          "whether each way to that line assigns it first"),
    "RecursionError": ("the function calls itself without end",
                       "a call of the function inside itself; a helper needs another name"),
    "EOFError": ("it waits for input from the keyboard, and there is none", "every input(...)"),
    "IndexError": ("an index lies outside of its array", "that line, and the range of the loop around it"),
    "KeyError": ("a dictionary has no such key", "that line"),
    "ZeroDivisionError": ("a division by zero", "that line: what can be zero there"),
    "AttributeError": ("an object has no such attribute or method", "that line: what the object is, and the spelling"),
    "ModuleNotFoundError": ("a module that is not installed", "whether you need it"),
    "MemoryError": ("more memory is asked for than there is", "the shape of what that line makes"),
    "AssertionError": ("an assert of your own fails", "that line: what you assumed there"),
    "TypeError": ("an operation on values of a type that it cannot take",
                  "that line: what each value in it is, and the number of arguments in each call"),
}


def explain(error, case):
    """The Problem that an Error is."""
    names, said = error.names, error.says
    where = f"line {error.line}: {error.text}" if error.text else (f"line {error.line}" if error.line else "")
    at = f" ({where})" if where else ""
    if "NotImplementedError" in names:
        return Problem("unfinished", "not implemented yet", "the equations in the docstring; your code takes "
                       "the place of `raise NotImplementedError`")
    if "SystemExit" in names:
        return Problem("exit", "your code ends the program (sys.exit, exit or quit)"
                       + (f", line {error.line}" if error.line else ""),
                       "that line: a function ends with return")
    if "ValueError" in names and ("read-only" in said or "readonly" in said):
        return Problem("contract", f"your code changes one of its inputs in place{at}",
                       "that line: the arrays belong to the caller, who still needs them; make a new array "
                       "or work on a copy", where)
    if "scipy" in said.lower() and error.compiler:
        return Problem("error", f"inside @njit the product `@` needs SciPy, which is not installed{at}",
                       "the product, written as loops over examples and units: they are fast there", where)
    if error.compiler:
        return Problem("error", f"Numba cannot compile the function, though plain Python runs it: {said}",
                       "the part that Numba names; inside @njit keep to numbers, arrays and loops")
    shown = f"{names[0]}: {said}" if said else names[0]
    means, look = next((MEANS[name] for name in names if name in MEANS), ("", "that line"))
    if "ValueError" in names and ("shape" in said or "broadcast" in said or "dimension" in said):
        means, look = "", "that line, and the shapes of what it puts together"
    return Problem("error", f"your code stops with {shown}{at} on {case.label}" + (f": {means}" if means else ""),
                   look, where)


def values(exercise, outcome):
    """Check number and types of what came back; the shapes wanted come later, from the reference."""
    outputs, came = exercise.outputs, outcome.values
    names = ", ".join(output.name for output in outputs)
    if outcome.container == "none":
        raise Problem("contract", f"the function returns nothing, wanted {names}",
                      "whether it ends with return")
    if len(outputs) == 1 and outcome.container != "one" and not (outcome.container == "tuple" and len(came) == 1):
        wanted = "an array of shape " + shape(outputs[0].letters) if outputs[0].letters else "a number"
        raise Problem("contract", f"{outputs[0].name} is a {outcome.container}, wanted {wanted}",
                      f"what makes {outputs[0].name}")
    if len(outputs) > 1 and outcome.container == "one":
        raise Problem("contract", f"the function returns {came[0].kind}, wanted {len(outputs)} values: {names}",
                      "the line with return")
    if len(came) != len(outputs):
        raise Problem("contract", f"the function returns {count(len(came), 'value')}, wanted "
                      f"{len(outputs)}: {names}", "the line with return")
    for output, value in zip(outputs, came):
        if value.array is None or value.number and output.letters:
            wanted = "an array of shape " + shape(output.letters) if output.letters else "a number"
            raise Problem("contract", f"{output.name} is {value.kind}, wanted {wanted}",
                          f"what makes {output.name}")
    return [value.array for value in came]


def own_memory(exercise, outcome):
    """Raise Problem if outputs share memory with inputs or with each other."""
    for k, other in outcome.shared:
        name = exercise.outputs[k].name
        if isinstance(other, str):
            raise Problem("contract", f"{name} shares its memory with the argument {other}: whoever changes the "
                          "one later, changes the other",
                          f"where {name} is made: return an array of your own")
        raise Problem("contract", f"{name} and {exercise.outputs[other].name} share memory: one of them will be "
                      "overwritten by the other", f"where {name} is made: a view is not a copy")


def forms(exercise, got, want):
    """Raise Problem for shapes and dtypes that differ from the reference's."""
    for output, g, w in zip(exercise.outputs, got, want):
        if g.shape != w.shape:
            order_of_results(exercise, got, want)
            wanted = f"{shape(output.letters)} = {w.shape}" if output.letters else "a number"
            axes = turned(g, w)
            raise Problem("contract", f"{output.name} has shape {g.shape}, wanted {wanted}"
                          + (": the right numbers, in another order of axes" if axes else ""),
                          f"the shapes on the way to {output.name}"
                          + (", and which axis comes first" if axes else ""))
        if w.dtype.kind == "i" and g.dtype.kind not in "iu":
            raise Problem("contract", f"{output.name} is {g.dtype}, wanted whole numbers (int64)",
                          f"the dtype of the array that becomes {output.name}")
        if w.dtype.kind == "b" and g.dtype.kind != "b":
            raise Problem("contract", f"{output.name} is {g.dtype}, wanted bool",
                          f"how {output.name} is made")
        if w.dtype.kind == "f" and g.dtype != np.float64:
            why = ("float32 keeps 7 digits, so right formulas would look wrong; all inputs are float64"
                   if g.dtype.kind == "f" else "zeros_like and full take the dtype of what they are given"
                   if g.dtype.kind in "iub" else "no complex numbers are needed here")
            raise Problem("contract", f"{output.name} is {g.dtype}, wanted float64: {why}",
                          f"where {output.name} gets its dtype")


def order_of_results(exercise, got, want):
    """Raise Problem if all results are right, and only their order is not."""
    from .locate import differs
    names = [output.name for output in exercise.outputs]
    came = [next((n for n, w in zip(names, want) if g.shape == w.shape and not differs(g, w).any()), "")
            for g in got]
    if sorted(came) == sorted(names):
        raise Problem("contract", f"the results come in the order {', '.join(came)}; wanted {', '.join(names)}",
                      "the line with return")


def turned(g, w):
    """Whether `g` is the wanted array with its axes in another order."""
    from .locate import differs
    if g.ndim != w.ndim or g.ndim < 2:
        return False
    return any(g.transpose(axes).shape == w.shape and not differs(g.transpose(axes), w).any()
               for axes in permutations(range(g.ndim)))


def shape(letters):
    """(N, D), (N,) as people write it."""
    return f"({letters[0]},)" if len(letters) == 1 else f"({', '.join(letters)})"


def count(k, thing):
    """1 value, 2 values."""
    return f"{k} {thing}{'' if k == 1 else 's'}"
