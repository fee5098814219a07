"""What the worker gives up before it loads a student's file; each part only where the system has it.

Memory, size of files, processor time (POSIX); writing outside of one folder (Linux with Landlock).
"""
import ctypes
import gc
import math
import os
import sys
import threading
import time

MEMORY, FILE_SIZE = 4 << 30, 64 << 20      # bytes that the process may use, and write into a file


def limit(seconds):
    """Bound memory, file size and processor time."""
    try:
        import resource
    except ImportError:
        threading.Thread(target=_watch, args=(seconds,), daemon=True).start()
        return
    spent = math.ceil(seconds + time.process_time()) + 1
    for what, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_FSIZE, FILE_SIZE),
                       (resource.RLIMIT_CORE, 0), (resource.RLIMIT_CPU, spent)):
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        soon = most if what != resource.RLIMIT_CPU else max(1, most - 1)    # first a signal that says why
        resource.setrlimit(what, (soon, most))


def forget(package):
    """Unload this package, answers and all: -> a set that grows by each part of it that is read again, by any means."""
    folder = os.path.dirname(os.path.abspath(sys.modules[package].__file__)) + os.sep
    for name in [name for name in sys.modules if name == package or name.startswith(package + ".")]:
        del sys.modules[name]
    gc.collect()
    used = set()

    def hook(event, arguments):
        if event == "import" and str(arguments[0]).partition(".")[0] == package:
            used.add(str(arguments[0])[:60])
        elif event == "open" and isinstance(arguments[0], (str, bytes)):
            path = os.path.abspath(os.fsdecode(arguments[0]))
            if path.startswith(folder) and path.endswith(".py"):
                used.add(path[len(folder):][:60])
    sys.addaudithook(hook)
    return used


def _watch(seconds):
    """End this process when it has used that much processor time (systems without resource limits)."""
    while time.process_time() < seconds:
        time.sleep(0.1)
    os._exit(TIME)


TIME = 124                                                      # exit status of a process that was too slow


# Landlock: numbers of the system calls, and the rights that make, change or remove files.
CREATE, ADD, RESTRICT = 444, 445, 446
WRITE, READ = 0b1_1111_1111_0010, 0b0_0000_0000_1101          # of the 13 rights of Landlock's first version


class _Ruleset(ctypes.Structure):
    _fields_ = [("handled", ctypes.c_uint64)]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32)]


def write_only_below(folders):
    """Give up the right to write, make or remove files elsewhere: -> whether the system took it away."""
    if sys.platform != "linux":
        return False
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        rules = _Ruleset(WRITE)
        fd = libc.syscall(CREATE, ctypes.byref(rules), ctypes.c_size_t(ctypes.sizeof(rules)), 0)
        if fd < 0:
            return False
        for folder in folders:
            at = os.open(folder, os.O_PATH | os.O_CLOEXEC)
            rights = WRITE if os.path.isdir(folder) else 0b10
            rule = _Beneath(rights, at)
            libc.syscall(ADD, fd, 1, ctypes.byref(rule), 0)
            os.close(at)
        libc.prctl(38, 1, 0, 0, 0)                              # no new rights by starting other programs
        done = libc.syscall(RESTRICT, fd, 0) == 0
        os.close(fd)
        return done
    except (OSError, AttributeError):
        return False
