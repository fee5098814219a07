"""Check a student's file in a process of its own: endless loops, crashes, exits and print floods end there.

This is a seat belt, not a prison: the code runs with the rights of whoever starts it.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from ..doctor.doctor import Report
from . import find

OUTPUT = 1_000_000             # bytes printed that are taken for a flood
KEPT = 2000                    # bytes of them that are kept to be shown


def check_file(name, path, seed=0, hint=None, seconds=None):
    """Judge the function in a file.

    Parameters
    ----------
    name : str
        Of the exercise.
    path : str or os.PathLike
    seed, hint
        See minis2s.check.
    seconds : float, optional
        Time limit; default: the exercise's own.

    Returns
    -------
    dict : as Report.to_json, with "printed": the beginning of what the code printed
    """
    exercise = find(name)
    seconds = seconds or exercise.seconds
    with tempfile.TemporaryDirectory() as folder:
        result = os.path.join(folder, "result.json")
        printed, ending = _run(exercise, os.path.abspath(path), seed, hint, result, seconds)
        try:
            report = json.loads(Path(result).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            verdict, says, look = _ended(ending, seconds)
            report = Report(exercise, verdict, says, look, seed=seed, hint=hint).to_json()
    return {**report, "printed": printed}


def _run(exercise, path, seed, hint, result, seconds):
    """Start the worker and wait: -> what it printed, how it ended ("time", "flood", or its return code)."""
    package = str(Path(__file__).resolve().parents[3])
    inherited = os.environ.get("PYTHONPATH")
    env = {**os.environ, "PYTHONPATH": package + (os.pathsep + inherited if inherited else ""),
           "OPENBLAS_NUM_THREADS": "1",
           "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8:replace", "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", f"{__package__}.worker", exercise.name, path, str(seed), str(hint or 0),
         result, str(seconds)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env,
        cwd=os.path.dirname(path) or None, start_new_session=True)
    kept, flooded = bytearray(), threading.Event()

    def listen():
        total = 0
        for chunk in iter(lambda: process.stdout.read1(65536), b""):
            kept.extend(chunk[:max(0, KEPT - len(kept))])
            total += len(chunk)
            if total > OUTPUT:
                flooded.set()
                _kill(process)
                return
    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        ending = process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        ending = "time"
    finally:
        _kill(process)
    process.wait()
    listener.join(timeout=1)
    if not listener.is_alive():
        process.stdout.close()
    return kept.decode("utf-8", "replace"), "flood" if flooded.is_set() else ending


def _kill(process):
    """End the worker and all that it started."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)    # its own group: it was started in a new session
        else:
            process.kill()
    except (ProcessLookupError, PermissionError):
        pass


def _ended(ending, seconds):
    """Verdict, sentence and next look for a worker that left no result."""
    if ending == "time":
        return "time", f"no answer within {seconds:g} seconds: an endless loop, or far too slow", \
            "every while loop, and loops inside loops"
    if ending == "flood":
        return "flood", "the code prints without end; it was stopped", "every print inside a loop"
    if isinstance(ending, int) and ending < 0:
        name = {s.value: s.name for s in signal.Signals}.get(-ending, str(-ending))
        return "crash", f"Python itself was ended by the signal {name}", \
            "compiled code, and recursion without an end"
    return "exit", f"the code ended the program (exit status {ending}) before there was an answer", \
        "every exit, quit and os._exit"
