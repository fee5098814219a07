"""The process in which a student's file is loaded and checked; `process.py` starts it, and ends it in time."""
import json
import math
import os
import sys
import types

MEMORY, FILE_SIZE = 4 << 30, 64 << 20      # bytes that the process may use, and write into a file


def main():
    """argv: exercise, file, seed, hint ("0": none), result file, time limit.  Leaves a Report as JSON there."""
    name, path, seed, hint, result, seconds = sys.argv[1:]
    del sys.argv[1:]                                            # no business of the student's code
    limit(float(seconds))
    from ...core import files
    report = judge(name, path, int(seed), int(hint) or None)
    text = json.dumps(report.to_json(), ensure_ascii=False)
    files.write_text(result, text.encode("utf-8", "replace").decode())     # an error's words may be half a character
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)    # threads that the student's code left do not keep us


def limit(seconds):
    """Bound memory, file size and processor time, where the system can: the last for a loop whose `process.py` was
    itself ended."""
    try:
        import resource
    except ImportError:
        return
    for what, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_FSIZE, FILE_SIZE),
                       (resource.RLIMIT_CORE, 0), (resource.RLIMIT_CPU, math.ceil(4 * seconds))):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def judge(name, path, seed, hint):
    """Load the file and check its function: -> Report."""
    from ..doctor.contract import Problem
    from ..doctor.doctor import Report, check
    from . import find
    exercise = find(name)
    try:
        function = load(exercise, path)
    except Problem as problem:
        return Report(exercise, problem.kind, problem.says, problem.look, seed=seed, hint=hint,
                      where=problem.where)
    return check(name, function, seed, hint)


def load(exercise, path):
    """The exercise's function in the file `path`; Problem for a file that does not give one."""
    from ..doctor.contract import Problem
    file = os.path.basename(path)
    try:
        with open(path, "rb") as f:
            code = compile(f.read(), path, "exec")
    except SyntaxError as e:
        line = (e.text or "").strip()
        where = f"line {e.lineno}" + (f": {line}" if line else "")
        raise Problem("file", f"{file} is not valid Python: {e.msg} ({where})", "that line, and the one "
                      "before it",
                      where) from None
    except ValueError as e:                                     # null bytes
        raise Problem("file", f"{file} is not a Python file: {e}",
                      "whether this is the file you meant") from None
    except OSError as e:
        raise Problem("file", f"{file} cannot be read: {e.strerror}",
                      "the name and the rights of the file") from None
    sys.path.append(os.path.dirname(os.path.abspath(path)))     # one exercise may import another
    module = types.ModuleType("submission")
    module.__file__ = path
    try:
        exec(code, module.__dict__)
    except (Exception, SystemExit) as e:                        # whatever a student's file may raise
        where = line_of(e, path)
        if isinstance(e, SystemExit):
            raise Problem("exit", f"{file} ends the program with sys.exit" + where,
                          "that line: take it away") from None
        if isinstance(e, ModuleNotFoundError):
            raise Problem("file", f"{file} imports {e.name}, which is not installed" + where,
                          "whether you need it") from None
        raise Problem("file", f"{file} stops while it is loaded: {type(e).__name__}: {e}" + where,
                      "that line; only imports and functions are needed in this file") from None
    function = module.__dict__.get(exercise.function)
    if function is None:
        others = [k for k, v in module.__dict__.items() if isinstance(v, types.FunctionType)
                  and v.__module__ == "submission"]
        raise Problem("file", f"{file} has no function {exercise.function}"
                      + (f"; it has {', '.join(others)}" if others else ""),
                      f"the line def {exercise.function}(...):")
    return function


def line_of(e, path):
    """ " (line 3: text)" of the last place in the student's file, or ""."""
    import linecache
    import traceback
    for frame in reversed(traceback.extract_tb(e.__traceback__)):
        if frame.filename == path:
            text = (frame.line or linecache.getline(path, frame.lineno)).strip()
            return f" (line {frame.lineno}: {text})" if text else f" (line {frame.lineno})"
    return ""


if __name__ == "__main__":
    main()
