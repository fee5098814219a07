"""Check a student's file: the comparison here, the student's code in a process of its own.

Endless loops, crashes, exits and floods of output end there.  What is promised: see this package's docstring.
"""
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from ..doctor.contract import Problem
from ..doctor.outcome import Facts, Outcome
from ..exercises import find
from . import wire

OUTPUT = 1_000_000             # bytes printed that are taken for a flood
KEPT = 2000                    # bytes of them that are kept to be shown
PATIENCE = 12                  # times its processor time that a file may take by the clock: other programs run, too
RUNNING = set()                # the processes that are running now, for `stop_all`

MEDDLED = Problem("exit", "the code wrote into the judge's own channel, or its answer is far too large",
                  "every write to a file descriptor, and the shapes of what is returned")


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
        Limit of processor time; default: the exercise's own.

    Returns
    -------
    dict : as Report.to_json, with "printed": the beginning of what the code printed, and "remarks": what a
        teacher may want to look at in the file
    """
    exercise = find(name)
    seconds = seconds or exercise.seconds
    remote = Remote(exercise, os.path.abspath(path), int(seed), seconds)
    try:
        from ..doctor.doctor import examine
        report = examine(exercise, remote, int(seed), hint)
    finally:
        remote.close()
    used = [f"it uses the library minis2s while it runs: {', '.join(remote.used[:3])}"] if remote.used else []
    return {**report.to_json(), "printed": remote.printed(), "remarks": used + remarks(path)}


class Remote:
    """A student's function in another process: what `doctor.examine` asks of it is asked by messages."""

    def __init__(self, exercise, path, seed, seconds):
        self.seconds, self.said, self.flooded, self.used = seconds, bytearray(), False, ()
        self.deadline = time.monotonic() + max(30.0, PATIENCE * seconds)
        self.process = _start([exercise.name, path, str(seed), str(seconds)], os.path.dirname(path))
        RUNNING.add(self.process)
        self.messages = queue.Queue()
        self.threads = [threading.Thread(target=work, daemon=True) for work in (self._receive, self._listen)]
        for thread in self.threads:
            thread.start()

    def facts(self):
        """The function's Facts; Problem if the file gives no function."""
        return self._next(Facts)

    def run(self, kind, number):
        """The Outcome of one case; Problem if the process has ended or takes too long."""
        self._ask(kind, number)
        outcome = self._next(Outcome)
        self.used = outcome.used or self.used
        return outcome

    def kept(self, number):
        """Whether the first answer to an ordinary case still holds its numbers."""
        self._ask("kept", number)
        return self._next(Outcome).container == "one"

    def printed(self):
        """The beginning of what the code printed."""
        return self.said.decode("utf-8", "replace")

    def close(self):
        """End the process and all that it started."""
        _kill(self.process)
        self.process.wait()
        RUNNING.discard(self.process)
        for thread in self.threads:
            thread.join(timeout=1)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except (OSError, ValueError):
                pass

    def _ask(self, kind, number):
        try:
            self.process.stdin.write(json.dumps([kind, number]).encode() + b"\n")
            self.process.stdin.flush()
        except (OSError, ValueError):
            pass                                                # it has ended: the next message says so

    def _next(self, wanted):
        """The next message, of the type `wanted`; Problem for the end of the process, silence, and no message."""
        try:
            message = self.messages.get(timeout=max(0.01, self.deadline - time.monotonic()))
        except queue.Empty:
            _kill(self.process)
            raise Problem("time", "no answer for a long time, though the processor was hardly used: it waits for "
                          "something",
                          "sleep, input, locks, and what waits for another program") from None
        if isinstance(message, Problem):
            raise message
        if message is None:
            _kill_soon(self.process)
            for thread in self.threads:
                thread.join(timeout=1)
            raise self._ended()
        if not isinstance(message, wanted):
            raise MEDDLED
        return message

    def _receive(self):
        """Read messages until the end."""
        try:
            while True:
                message = wire.read(self.process.stdout)
                self.messages.put(message)
                if message is None:
                    return
        except wire.Garbled:
            self.messages.put(MEDDLED)
            _kill(self.process)
        except (OSError, ValueError):
            self.messages.put(None)

    def _listen(self):
        """Keep the beginning of what is printed; end who prints without end."""
        total = 0
        try:
            for chunk in iter(lambda: self.process.stderr.read1(65536), b""):
                self.said.extend(chunk[:max(0, KEPT - len(self.said))])
                total += len(chunk)
                if total > OUTPUT:
                    self.flooded = True
                    _kill(self.process)
                    return
        except (OSError, ValueError):
            pass

    def _ended(self):
        """The Problem of a process that ended without an answer."""
        status = self.process.poll()
        if self.flooded:
            return Problem("flood", "the code prints without end; it was stopped", "every print inside a loop")
        if status in (-getattr(signal, "SIGXCPU", 24), 124):
            return Problem("time", f"no answer within {self.seconds:g} seconds of processor time: an endless loop, "
                           "or far too slow", "every while loop, and loops inside loops")
        if isinstance(status, int) and status < 0:
            name = {s.value: s.name for s in signal.Signals}.get(-status, str(-status))
            return Problem("crash", f"Python itself was ended by the signal {name}",
                           "compiled code, recursion without an end, and calls that end processes")
        return Problem("exit", f"the code ended the program (exit status {status}) before there was an answer",
                       "every exit, quit and os._exit")


def _start(arguments, folder):
    """The worker, below its supervisor, in a session of its own."""
    package = str(Path(__file__).resolve().parents[3])
    inherited = os.environ.get("PYTHONPATH")
    env = {**os.environ, "PYTHONPATH": package + (os.pathsep + inherited if inherited else ""),
           "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8:replace",
           "PYTHONDONTWRITEBYTECODE": "1"}
    own = ({"start_new_session": True} if hasattr(os, "setsid") else
           {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)})
    supervisor = str(Path(__file__).with_name("supervisor.py"))
    return subprocess.Popen(
        [sys.executable, "-I", "-S", supervisor, sys.executable, "-P", "-m", f"{__package__}.worker", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, cwd=folder or None, **own)


def _kill(process):
    """End the supervisor, the worker and all that it started."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)    # its own group: it was started in a new session
        else:
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        pass
    try:
        process.kill()
    except OSError:
        pass


def _kill_soon(process):
    """Wait a moment for the status of a process that is ending, then end what is left."""
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        pass
    _kill(process)


def stop_all():
    """End every process that is running now: for Ctrl-C."""
    for process in list(RUNNING):
        _kill(process)


LOOK_AT = (("minis2s", "uses the library minis2s itself"), ("__import__", "imports by a computed name"),
           ("importlib", "imports by a computed name"), ("subprocess", "starts other programs"),
           ("os.kill", "ends processes"), ("os.system", "starts other programs"), ("ctypes", "calls C"),
           ("socket", "uses the network"), ("shutil.rmtree", "removes folders"), ("exec(", "runs text as code"),
           ("eval(", "runs text as code"), ("np.exp =", "replaces a function of NumPy"),
           ("_getframe", "looks into the judge's own variables"), ("get_objects", "looks through all of memory"),
           ("__globals__", "looks into other functions' variables"), ("sys.modules", "looks at loaded modules"))


def remarks(path):
    """What a teacher may want to look at in a file: a list of "line 3 uses the library minis2s itself: ..."."""
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            lines = f.read(1 << 20).splitlines()
    except OSError:
        return []
    found = []
    for number, line in enumerate(lines, 1):
        code = line.split("#")[0]
        for word, meaning in LOOK_AT:
            written = "import" in code if word == "minis2s" else True
            if word in code and written:
                found.append(f"line {number} {meaning}: {wire.clean(line.strip(), 100)}")
    return found[:10]
