"""What training shows on standard error: a progress bar on a terminal, and one line for each evaluation anywhere.

A display that cannot be written to (closed, full, or none, as for a program without a window) is given up; what it
was to show is computed all the same.
"""
import math
import sys


class Bar:
    """tqdm's bar on standard error, or nothing."""

    def __init__(self, total, unit, visible=True, initial=0):
        self.bar = None
        if visible and sys.stderr is not None:
            from tqdm import tqdm
            self.try_to(lambda: setattr(self, "bar", tqdm(
                total=total, initial=initial, unit=unit, disable=None, file=sys.stderr, dynamic_ncols=True)))

    def try_to(self, act):
        """Call `act`; where standard error refuses, show nothing from now on."""
        try:
            act()
        except (OSError, ValueError):                           # ValueError: the file is closed
            self.bar = None

    def advance(self, count=1, text=None):
        """So many more are done; `text` stands behind the bar."""
        if self.bar is not None:
            self.try_to(lambda: self.bar.update(count))
        if self.bar is not None and text is not None:
            self.bar.set_postfix_str(text, refresh=False)

    def line(self, text):
        """Write a line above the bar."""
        if self.bar is not None:
            self.try_to(lambda: self.bar.write(text, file=sys.stderr))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.bar is not None:
            self.try_to(self.bar.close)


class Display(Bar):
    """The progress of training."""

    def __init__(self, training, examples, state, visible):
        super().__init__(training.epochs * math.ceil(examples / training.batch), "batch", visible,
                         state.step if state else 0)
        self.exact = None

    def step(self, progress, loss):
        """A batch is done."""
        held = "" if self.exact is None else f", exact match {self.exact:.1%}"
        self.advance(1, f"loss {loss:.4f}{held}")

    def epoch(self, row):
        """An evaluation is done."""
        self.exact = row["valid_exact_match"]
        self.line(f"epoch {row['epoch']:g}: loss {row['train_loss']:.4f}, held out: teacher-forced "
                  f"{row['valid_loss_teacher_forced']:.4f}, free-running {row['valid_loss_free_running']:.4f}, "
                  f"tokens right {row['valid_token_accuracy']:.2%}, exact match {row['valid_exact_match']:.2%}")
