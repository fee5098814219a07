"""What training shows on standard error: a progress bar on a terminal, and one line for each evaluation anywhere.

A display that cannot be written to (closed, full, or none, as for a program without a window) is given up; what it
was to show is computed all the same.
"""
import math
import sys
import time
from collections.abc import Callable
from typing import Any

from ..core.backend import COMPILATION_LISTENERS
from ..training.evaluation import in_words, measure
from ..training.options import Training
from ..training.step import Progress


class Bar:
    """tqdm's bar on standard error, or nothing."""

    def __init__(self, total: int, unit: str, visible: bool = True, initial: int = 0) -> None:
        self.bar = None
        if visible and sys.stderr is not None:
            from tqdm import tqdm
            self.try_to(lambda: setattr(self, "bar", tqdm(
                total=total, initial=initial, unit=unit, disable=None, file=sys.stderr, dynamic_ncols=True)))

    def try_to(self, act: Callable[[], Any]) -> None:
        """Call `act`; where standard error refuses, show nothing from now on."""
        try:
            act()
        except (OSError, ValueError):                           # ValueError: the file is closed
            self.bar = None

    def advance(self, count: int = 1, text: str | None = None) -> None:
        """So many more are done; `text` stands behind the bar."""
        if self.bar is not None:
            self.try_to(lambda: self.bar.update(count))
        if self.bar is not None and text is not None:
            self.bar.set_postfix_str(text, refresh=False)

    def line(self, text: str) -> None:
        """Write a line above the bar."""
        if self.bar is not None:
            self.try_to(lambda: self.bar.write(text, file=sys.stderr))

    def compiling(self, kernel: str) -> None:
        """This kernel is compiled now, which is why the bar stands still."""
        if self.bar is not None:
            self.try_to(lambda: self.bar.set_postfix_str(f"compiling {kernel.split('-')[0]}"))

    def __enter__(self) -> Any:
        COMPILATION_LISTENERS.append(self.compiling)
        return self

    def __exit__(self, *_: Any) -> None:
        COMPILATION_LISTENERS.remove(self.compiling)
        if self.bar is not None:
            self.try_to(self.bar.close)


class Display(Bar):
    """The progress of training."""

    def __init__(self, training: Training, examples: int, state: Progress, visible: bool,
                 clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(training.epochs * math.ceil(examples / training.batch), "batch", visible,
                         state.step if state else 0)
        self.training, self.clock = training, clock
        self.right = ""
        self.began = clock()
        self.first: Any = None                                  # (epochs done, time) after the first batch here

    def step(self, progress: Progress, loss: float) -> None:
        """A batch is done."""
        if self.first is None and progress.batch == 1:          # an epoch begins, and kernels are compiled by now
            self.first = progress.epoch, self.clock()
        self.advance(1, f"loss {loss:.4f}{self.right}")

    def epoch(self, row: dict) -> None:
        """An evaluation is done."""
        name, share = measure(row)
        self.right = f", {name} {share:.1%}"
        self.line(f"epoch {row['epoch']:g}: loss {row['train_loss']:.4f}, held out: {in_words(row)}")
        if self.first and row["end_of_epoch"]:
            done, then = self.first
            note = too_many_epochs(self.training, done, then - self.began, self.clock() - then)
            self.first = ()                                     # said once
            self.line(note) if note else None


def too_many_epochs(training: Training, done: float, before: float, seconds: float) -> str:
    """What a person should know whose time ends before the step size has fallen, or "".

    Parameters
    ----------
    training : Training
    done : int
        Epochs that an earlier process completed.
    before, seconds : float
        Seconds that went by until the first batch of the next epoch was done, and until its end from there.
    """
    if training.minutes is None or training.lr_final is None:
        return ""
    fit = done + max(1, int((60 * training.minutes - before) / seconds))
    if fit >= training.epochs:
        return ""
    return (f"note: at this speed {fit} of {training.epochs} epochs fit into {training.minutes:g} minutes, and the "
            f"step size falls over all {training.epochs}; with --epochs {fit} it would reach its last value")
