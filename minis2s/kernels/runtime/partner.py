"""Two processes that compile for one training: each marks what it compiles, and waits for what the other one has
marked.

    this process     compiles encoder.forward           waits ...       loads decoder.backward
    the other        compiles decoder.backward ─────────────────┘
                     encoder.forward-81d0….nbc.compiled-by-1234   an empty file beside the cache's, while it is compiled

Neither waits for ever: a process waits for a kernel only while it compiles one that calls it, and only while the
other one runs.  A process that compiles for itself alone marks nothing.
"""
import os
import time

MARK = ".compiled-by-"         # between the name of a kernel's file and the number of a process


class Partner:
    """The other process, if there is one."""
    pid, is_alive = None, None

    @classmethod
    def work_with(cls, pid, is_alive):
        """Begin; the function `is_alive` says whether that process still runs."""
        cls.pid, cls.is_alive = pid, is_alive

    @classmethod
    def end(cls, folder):
        """Work alone again, without marks in the folder, which a process that was stopped leaves."""
        for pid in (cls.pid, os.getpid()):
            for left in folder.glob(f"*{MARK}{pid}"):
                left.unlink(missing_ok=True)
        cls.pid = cls.is_alive = None


def mark_of(path, pid):
    """The file that says that a process compiles the kernel whose file will be `path`."""
    return path.with_name(f"{path.name}{MARK}{pid}")


def mark(path):
    """This process begins to compile a kernel."""
    if Partner.pid:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            mark_of(path, os.getpid()).touch()
        except OSError:                                        # where nothing can be kept the cache says so
            pass


def unmark(path):
    """This process has compiled a kernel."""
    if Partner.pid:
        mark_of(path, os.getpid()).unlink(missing_ok=True)


def partner_compiles(path):
    """Whether the partner compiles a kernel; if so, wait until it has."""
    waited = False
    while Partner.pid and mark_of(path, Partner.pid).exists() and Partner.is_alive():
        waited = True
        time.sleep(0.01)
    return waited
