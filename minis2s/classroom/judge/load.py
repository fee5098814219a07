"""Load a student's file in the worker, and find the exercise's function in it."""
import os
import sys
import types

from ..doctor.contract import Problem


def load(exercise, path):
    """The exercise's function in the file `path`; Problem for a file that does not give one."""
    file = os.path.basename(path)
    code = _compiled(path, file)
    sys.path.append(os.path.dirname(os.path.abspath(path)))     # one exercise may import another
    module = types.ModuleType("submission")
    module.__file__ = path
    try:
        exec(code, module.__dict__)
    except (Exception, SystemExit) as e:                        # whatever a student's file may raise
        raise _stopped(e, file, path) from None
    function = module.__dict__.get(exercise.function)
    if function is None:
        others = [k for k, v in module.__dict__.items() if isinstance(v, types.FunctionType)
                  and v.__module__ == "submission"][:10]
        raise Problem("file", f"{file} has no function {exercise.function}"
                      + (f"; it has {', '.join(others)}" if others else ""),
                      f"the line def {exercise.function}(...):")
    return function


def _compiled(path, file):
    """The file's code object."""
    try:
        with open(path, "rb") as f:
            return compile(f.read(), path, "exec")
    except SyntaxError as e:
        line = (e.text or "").strip()
        where = f"line {e.lineno}" + (f": {line}" if line else "")
        raise Problem("file", f"{file} is not valid Python: {e.msg} ({where})",
                      "that line, and the one before it", where) from None
    except (ValueError, RecursionError, MemoryError) as e:      # null bytes, endless brackets
        raise Problem("file", f"{file} is not a Python file: {e or type(e).__name__}",
                      "whether this is the file you meant") from None
    except OSError as e:
        raise Problem("file", f"{file} cannot be read: {e.strerror}",
                      "the name and the rights of the file") from None


def _stopped(e, file, path):
    """The Problem of a file that raises while it is loaded."""
    where = _line_of(e, path)
    if isinstance(e, SystemExit):
        return Problem("exit", f"{file} ends the program with sys.exit" + where,
                       "that line: take it away")
    if isinstance(e, ModuleNotFoundError):
        return Problem("file", f"{file} imports {e.name}, which is not installed" + where,
                       "whether you need it")
    return Problem("file", f"{file} stops while it is loaded: {type(e).__name__}: {e}" + where,
                   "that line; only imports and functions are needed in this file")


def _line_of(e, path):
    """ " (line 3: text)" of the last place in the student's file, or ""."""
    import linecache
    import traceback
    for frame in reversed(traceback.extract_tb(e.__traceback__)):
        if frame.filename == path:
            text = (frame.line or linecache.getline(path, frame.lineno)).strip()
            return f" (line {frame.lineno}: {text})" if text else f" (line {frame.lineno})"
    return ""
