"""Stage 1: is it a function of the right form?  Every call is on fresh, read-only copies of the inputs."""
import inspect
import linecache
import traceback

import numpy as np


class Problem(Exception):
    """Something that ends the check: its kind (a Report's verdict), a sentence, and what to look at next."""

    def __init__(self, kind, says, look, where=""):
        super().__init__(says)
        self.kind, self.says, self.look, self.where = kind, says, look, where


def fresh(value):
    """A read-only copy of an input; lists and tuples item by item; numbers and functions as they are."""
    if isinstance(value, np.ndarray):
        value = value.copy()
        value.flags.writeable = False
        return value
    if isinstance(value, (list, tuple)):
        return type(value)(fresh(item) for item in value)
    return value


def arrays(value):
    """The arrays of an input, flat."""
    if isinstance(value, np.ndarray):
        return [value]
    return [a for item in value for a in arrays(item)] if isinstance(value, (list, tuple)) else []


def same(a, b):
    """Whether two inputs or answers hold the same values."""
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    return a is b or a == b


def signature(exercise, f):
    """Raise Problem if `f` cannot be called with the exercise's arguments, in their order."""
    if not callable(f):
        raise Problem("contract", f"what came is no function but {kind(f)}", f"def {exercise.function}(...): "
                      f"in your file")
    wanted = f"{exercise.function}({', '.join(exercise.names)})"
    try:
        form = inspect.signature(getattr(f, "py_func", f))
    except (TypeError, ValueError):                             # some built-in functions hide it
        return
    try:
        form.bind(*exercise.names)
    except TypeError:
        raise Problem("contract", f"your function takes {form}, wanted {wanted}: "
                      f"{count(len(exercise.names), 'argument')}, in "
                      "this order", "the line that begins with def") from None


def call(exercise, f, case):
    """Run `f` on one Case: -> list of arrays, one for each Output; Problem for what is no answer at all."""
    given = [fresh(value) for value in case.inputs.values()]
    try:
        with np.errstate(all="ignore"):
            result = f(*given)
    except NotImplementedError:
        raise Problem("unfinished", "not implemented yet",
                      "the equations in the docstring; your code takes the place of "
                      "`raise NotImplementedError`") from None
    except Problem:
        raise
    except case.raises:
        return None
    except SystemExit as e:
        line, _ = student_line(e, f)
        raise Problem("exit", "your code ends the program (sys.exit, exit or quit)"
                      + (f", line {line}" if line else ""),
                      "that line: a function ends with return") from None
    except Exception as e:                                      # whatever a student's code may raise
        if hasattr(f, "py_func"):
            call(exercise, f.py_func, case)                     # plain Python names a mistake more clearly
        raise explain(exercise, e, f, case) from None
    if case.raises:
        raise Problem("contract", f"on {case.label} the function answers; wanted a {case.raises[0].__name__} "
                      f"that says why "
                      "not: the rounding of float32 alone makes right gradients look wrong",
                      "the dtype of w, before the "
                      "first difference is taken")
    for name, value, before in zip(case.inputs, given, case.inputs.values()):
        if not same(value, before):
            raise Problem("contract", f"the argument {name} was changed: its caller still needs it",
                          f"every line that writes into {name}; work on a copy")
    return answers(exercise, result, given)


def explain(exercise, e, f, case):
    """The Problem that an exception of the student's code is."""
    line, text = student_line(e, f)
    where = f"line {line}: {text}" if text else (f"line {line}" if line else "")
    said = " ".join(str(e).split())
    if len(said) > 300:
        said = said[:300] + " ..."
    if isinstance(e, ValueError) and "read-only" in said:       # what NumPy says
        return Problem("contract", "your code changes one of its inputs in place" + (f" ({where})" if where
                                                                                     else ""),
                       "that line: the arrays belong to the caller, who still needs them; make a new array "
                       "or work on a copy",
                       where)
    if "scipy" in said.lower():
        return Problem("error", "inside @njit the product `@` needs SciPy, which is not installed"
                       + (f" ({where})" if where else ""),
                       "the product, written as loops over examples and units: they are fast there", where)
    if hasattr(f, "py_func"):
        return Problem("error", f"Numba cannot compile the function, though plain Python runs it: {said}",
                       "the part that Numba names; inside @njit keep to numbers, arrays and loops")
    shown = f"{type(e).__name__}: {said}" if said else type(e).__name__
    return Problem("error", f"your code stops with {shown}" + (f" ({where})" if where
                                                               else "") + f" on {case.label}",
                   "that line, and the shapes of what it puts together", where)


def student_line(e, f):
    """Line number and text of the last place in the student's own file: -> (None, "") if there is none."""
    source = getattr(getattr(getattr(f, "py_func", f), "__code__", None), "co_filename", None)
    for frame in reversed(traceback.extract_tb(e.__traceback__)):
        if frame.filename == source:
            return frame.lineno, (frame.line or linecache.getline(frame.filename, frame.lineno)).strip()
    return None, ""


def answers(exercise, result, given):
    """Check number, types and shapes of what came back; the shapes wanted come later, from the reference."""
    outputs = exercise.outputs
    names = ", ".join(output.name for output in outputs)
    if result is None:
        raise Problem("contract", f"the function returns nothing, wanted {names}", "whether it ends with "
                      "return")
    if len(outputs) == 1:
        if isinstance(result, tuple) and len(result) == 1:
            result = result[0]
        result = (result,)
    elif not isinstance(result, (tuple, list)):
        raise Problem("contract", f"the function returns {kind(result)}, wanted {len(outputs)} values: "
                      f"{names}",
                      "the line with return")
    if len(result) != len(outputs):
        raise Problem("contract", f"the function returns {count(len(result), 'value')}, wanted "
                      f"{len(outputs)}: {names}",
                      "the line with return")
    for output, value in zip(outputs, result):
        number = isinstance(value, (int, float, np.generic)) and not isinstance(value, bool)
        number = number and not output.letters
        if not isinstance(value, np.ndarray) and not number:
            wanted = "an array of shape " + shape(output.letters) if output.letters else "a number"
            raise Problem("contract", f"{output.name} is {kind(value)}, wanted {wanted}",
                          f"what makes {output.name}")
    result = [np.asarray(value) for value in result]
    if exercise.own_memory:
        own_memory(exercise, result, given)
    return result


def own_memory(exercise, result, given):
    """Raise Problem if outputs share memory with inputs or with each other."""
    for k, (output, value) in enumerate(zip(exercise.outputs, result)):
        for name, source in zip(exercise.names, given):
            if any(np.shares_memory(value, a) for a in arrays(source)):
                raise Problem("contract", f"{output.name} shares its memory with the argument {name}: "
                              f"whoever changes the one "
                              "later, changes the other", f"where {output.name} is made: return an array of "
                              f"your own")
        for other, earlier in zip(exercise.outputs, result[:k]):
            if np.shares_memory(value, earlier):
                raise Problem("contract", f"{output.name} and {other.name} share memory: one of them will be "
                              f"overwritten by "
                              "the other", f"where {output.name} is made: a view is not a copy")


def forms(exercise, got, want):
    """Raise Problem for shapes and dtypes that differ from the reference's."""
    for output, g, w in zip(exercise.outputs, got, want):
        if g.shape != w.shape:
            letters = f"{shape(output.letters)} = " if output.letters else ""
            turned = g.ndim == w.ndim > 1 and sorted(g.shape) == sorted(w.shape)
            raise Problem("contract", f"{output.name} has shape {g.shape}, wanted {letters}{w.shape}"
                          + (": the right numbers, in another order of axes" if turned else ""),
                          f"the shapes on the way to {output.name}" + (", and which axis comes first"
                                                                       if turned else ""))
        if w.dtype.kind == "i" and g.dtype.kind not in "iu":
            raise Problem("contract", f"{output.name} is {g.dtype}, wanted whole numbers (int64)",
                          f"the dtype of the array that becomes {output.name}")
        if w.dtype.kind == "b" and g.dtype.kind != "b":
            raise Problem("contract", f"{output.name} is {g.dtype}, wanted bool",
                          f"how {output.name} is made")
        if w.dtype.kind == "f" and g.dtype != np.float64:
            why = ("float32 keeps 7 digits, so right formulas would look wrong; all inputs are float64"
                   if g.dtype.kind == "f" else "zeros_like and full take the dtype of what they are given")
            raise Problem("contract", f"{output.name} is {g.dtype}, wanted float64: {why}",
                          f"where {output.name} gets its dtype")


def shape(letters):
    """(N, D), (N,) as people write it."""
    return f"({letters[0]},)" if len(letters) == 1 else f"({', '.join(letters)})"


def kind(value):
    """What a value is, in words."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def count(k, thing):
    """1 value, 2 values."""
    return f"{k} {thing}{'' if k == 1 else 's'}"
