"""Stage 0: call a function once on read-only copies of the inputs, and write down all that happened.

This runs where the student's code runs: in a notebook, or in the judge's child process.  It decides nothing;
an Outcome goes to the contract (contract.py), which runs where the student's code does not.
"""
import inspect
import linecache
import traceback
from typing import NamedTuple

import numpy as np

LONGEST = 300                      # characters that are kept of an error's message


class Value(NamedTuple):
    """One returned value: its kind in words, and a copy of its numbers (None if it is no array or number)."""
    kind: str
    array: np.ndarray = None
    number: bool = False


class Error(NamedTuple):
    """An exception: names of its class and of the classes it is derived from, message, line in the student's file.

    `compiler`: only the compiled function fails, plain Python runs it.
    """
    names: tuple
    says: str
    line: int = None
    text: str = ""
    compiler: bool = False


class Outcome(NamedTuple):
    """What one call gave.

    container : "one", "tuple", "list" or "none": the form in which `values` came.
    values : tuple of Value;  error : Error or None
    changed : names of the arguments that the function changed
    shared : pairs (number of the value, name of an argument or number of another value) with common memory
    used : parts of this library that the code has imported or read until now, where that is watched
    """
    container: str = "none"
    values: tuple = ()
    error: Error = None
    changed: tuple = ()
    shared: tuple = ()
    used: tuple = ()


class Facts(NamedTuple):
    """What is known of the function without a call: what it is, its parameters, whether Numba compiles it.

    kind : "function", or what it is in its place;  parameters : as text, "(a, b=1)";  names : of the parameters
    fits : whether the exercise's arguments can be handed over in order
    compiled : "" for plain Python, "njit", or "object mode"
    """
    kind: str
    parameters: str = ""
    names: tuple = ()
    fits: bool = True
    compiled: str = ""


def facts(f, names):
    """The Facts of a function that is to be called with the arguments `names`."""
    if not callable(f):
        return Facts(kind(f))
    compiled = ""
    if hasattr(f, "py_func"):
        options = getattr(f, "targetoptions", {})
        forced = options.get("forceobj") or options.get("nopython") is False
        compiled = "object mode" if forced else "njit"
    elif any(hasattr(getattr(f, "__globals__", {}).get(name), "py_func")
             for name in getattr(getattr(f, "__code__", None), "co_names", ())):
        compiled = "njit"                                       # a plain function that calls a compiled one
    try:
        form = inspect.signature(getattr(f, "py_func", f))
    except (TypeError, ValueError):                             # some built-in functions hide it
        return Facts("function", compiled=compiled)
    try:
        form.bind(*names)
        fits = True
    except TypeError:
        fits = False
    return Facts("function", str(form), tuple(form.parameters), fits, compiled)


def fresh(value, writeable=False, layout=""):
    """A copy of an input, read-only unless told otherwise; lists and tuples item by item; the rest as it is."""
    if isinstance(value, np.ndarray):
        value = _stored(value, layout)
        value.flags.writeable = writeable
        return value
    if isinstance(value, (list, tuple)):
        return type(value)(fresh(item, writeable, layout) for item in value)
    return value


def _stored(a, layout):
    """A copy with the same numbers, stored in memory as `layout` says."""
    if layout == "fortran":
        return a.copy(order="F")
    if layout == "gaps":
        wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype.newbyteorder())
        wide[..., ::2] = a
        return wide[..., ::2]
    return a.copy()


def perform(f, case):
    """Call `f` on one Case: -> Outcome, and the result itself (for `still_there`)."""
    outcome, result = _attempt(f, case, writeable=False)
    if outcome.error and outcome.error.compiler and "readonly" in outcome.error.says.replace("-", ""):
        again = _attempt(f, case, writeable=True)       # a signature written out takes writeable arrays only
        if again[0].error is None:
            return again
    return outcome, result


def _attempt(f, case, writeable):
    given = [fresh(value, writeable, case.layout) for value in case.inputs.values()]
    try:
        with np.errstate(all="ignore"):
            result = f(*given)
    except (Exception, SystemExit) as e:                        # whatever a student's code may raise
        return Outcome(error=_error(e, f, case)), None
    changed = tuple(name for name, value, before in zip(case.inputs, given, case.inputs.values())
                    if not same(value, before))
    container = "none" if result is None else next(
        (c.__name__ for c in (tuple, list) if isinstance(result, c)), "one")
    items = [] if result is None else list(result)[:50] if container != "one" else [result]
    return Outcome(container, tuple(map(_value, items)), None, changed,
                   _shared(items, given, list(case.inputs))), items


def _error(e, f, case):
    """The Error that an exception of the student's code is."""
    names = tuple(c.__name__ for c in type(e).__mro__)
    says = " ".join(str(e).split())
    says = says[:LONGEST] + (" ..." if len(says) > LONGEST else "")
    compiler = False
    plain = getattr(f, "py_func", f)
    if plain is not f and not isinstance(e, (NotImplementedError, SystemExit)):
        plain = perform(plain, case)[0].error                   # plain Python names a mistake more clearly
        if plain:
            return plain
        compiler = True
    line, text = student_line(e, f)
    return Error(names, says, line, text, compiler)


def student_line(e, f):
    """Line number and text of the last place in the student's own file: -> (None, "") if there is none."""
    source = getattr(getattr(getattr(f, "py_func", f), "__code__", None), "co_filename", None)
    for frame in reversed(traceback.extract_tb(e.__traceback__)):
        if frame.filename == source:
            return frame.lineno, (frame.line or linecache.getline(frame.filename, frame.lineno)).strip()[:120]
    return None, ""


def _value(item):
    """A Value: arrays and numbers are copied, so nothing that the function does later can change them."""
    number = isinstance(item, (int, float, np.generic)) and not isinstance(item, bool)
    if isinstance(item, np.ndarray) or number:
        try:
            a = np.array(item)
        except (OverflowError, ValueError):
            return Value(kind(item))
        if a.dtype.kind in "biufc" and a.dtype.itemsize <= 16:
            if not a.dtype.isnative:
                a = a.astype(a.dtype.newbyteorder("="))
            return Value(kind(item), np.ascontiguousarray(a) if a.ndim else a, number)
        return Value(f"an array of {a.dtype}")
    return Value(kind(item))


def still_there(items, outcome):
    """Whether a result that was received earlier still holds its numbers; no, if a buffer is used again."""
    return all(v.array is None or np.array_equal(np.asarray(item), v.array, equal_nan=v.array.dtype.kind == "f")
               for item, v in zip(items, outcome.values))


def _shared(items, given, names):
    """Pairs of a value and an argument, or of two values, that share memory."""
    pairs = []
    for k, item in enumerate(items):
        if isinstance(item, np.ndarray):
            pairs += [(k, name) for name, source in zip(names, given)
                      if any(np.shares_memory(item, a) for a in arrays(source))]
            pairs += [(k, j) for j, other in enumerate(items[:k])
                      if isinstance(other, np.ndarray) and np.shares_memory(item, other)]
    return tuple(pairs)


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


def kind(value):
    """What a value is, in words."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    name = type(value).__name__[:40]
    return "None" if value is None else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
