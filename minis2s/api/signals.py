"""Ctrl-C and SIGTERM: noted at once, obeyed between two steps, and never lost.

Python answers Ctrl-C with a KeyboardInterrupt wherever it is.  In code that a compiled library calls, such as Numba's
while it compiles, that exception is printed and dropped, and the program runs on as if nobody had asked.  So the
handler of this file also writes down that there was a signal, and whoever works long looks it up: `check`.
"""
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

STOPS = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):
    """Training was stopped by a signal after it had saved what it could; `signal` is its number."""

    def __init__(self, number: int, message: str = "stopped by a signal") -> None:
        super().__init__(message)
        self.signal = number


class Pending:
    """The first signal that came within `watched` and was not answered yet."""
    number: int | None = None


def check() -> None:
    """Raise Stopped if a signal came whose KeyboardInterrupt was lost."""
    number, Pending.number = Pending.number, None
    if number is not None:
        raise Stopped(number)


@contextmanager
def watched() -> Iterator[None]:
    """Within this, the signals that stop a program raise Stopped and are written down for `check`."""
    def note(number: int, frame: Any) -> None:
        Pending.number = number
        raise Stopped(number)

    with handled(note):
        yield


@contextmanager
def stop_signals() -> Iterator[Callable[[], int | None]]:
    """Turn Ctrl-C and SIGTERM into a wish that training asks for between steps; a second Ctrl-C stops at once.

    Yields a function: -> the number of the signal that came, or None.
    """
    seen: list[int] = []

    def note(number: int, frame: Any) -> None:
        if seen:
            raise Stopped(number)
        seen.append(number)

    with handled(note):
        if Pending.number is not None:                          # it came before, in code that lost it
            seen.append(Pending.number)
        yield lambda: seen[0] if seen else None
    Pending.number = None


@contextmanager
def handled(handler: Callable) -> Iterator[None]:
    """Within this, `handler` answers Ctrl-C and SIGTERM, in the main thread, where they are not ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    old = {s: signal.signal(s, handler) for s in STOPS
           if signal.getsignal(s) is not signal.SIG_IGN}        # ignored in a job of the background
    try:
        yield
    finally:
        for s, former in old.items():
            signal.signal(s, former)
