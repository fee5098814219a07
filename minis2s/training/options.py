"""TrainingOptions: how to train, checked on construction."""
import math
from dataclasses import asdict, dataclass, fields
from numbers import Integral, Real

from . import optimizers
from .schedule import SCHEDULES


@dataclass(frozen=True)
class TrainingOptions:
    """How to train.

    Parameters
    ----------
    epochs : int
        Passes over the data.
    minutes : float or None
        Stop after this time, at the end of a step; None: no limit.
    batch : int
        Examples in a batch.
    lr : float
        Step size at the start.
    lr_final : float or None
        Step size at the end of the last epoch, reached evenly from `lr`; None: constant.
    warmup : int or None
        Steps over which the step size grows evenly from 0 to `lr`; None: no warm-up.
    schedule : {"constant", "inverse-sqrt"}
        After the warm-up: `lr` as it is, or falling with the inverse square root of the step (see schedule.py).
    optimizer : {"adam", "rmsprop", "sgd"}
    momentum : float
        Of SGD.
    clip : float or None
        Largest global gradient norm allowed; None: no clipping.
    clip_value : float or None
        Largest gradient entry allowed.
    lr_decay : float
        The step size is multiplied by this when validation has not improved for `lr_patience` epochs; 1: never.
    lr_patience : int
    patience : int or None
        Stop when validation has not improved for so many epochs; None: never.
    monitor : {"loss", "exact-match"}
        What "improved" looks at: the teacher-forced validation loss, or exact match (the loss decides a tie).
    teacher_forcing : float
        Share of target tokens fed as they are; the model's own answers are fed in place of the others.
    teacher_final : float or None
        That share in the last epoch, reached in equal steps; None: constant.
    token_dropout : float
        Share of source tokens that are read as unknown, others at every step (see data/augment.py).
    evaluate_every : int or None
        Also evaluate after so many steps; only for the record, it changes nothing.
    seed : int

    Raises
    ------
    ValueError, TypeError
        For values that cannot be.
    """
    epochs: int = 10
    minutes: float | None = None
    batch: int = 64
    lr: float = 1e-3
    lr_final: float | None = None
    warmup: int | None = None
    schedule: str = "constant"
    optimizer: str = "adam"
    momentum: float = 0.0
    clip: float | None = 5.0
    clip_value: float | None = None
    lr_decay: float = 0.5
    lr_patience: int = 2
    patience: int | None = None
    monitor: str = "loss"
    teacher_forcing: float = 1.0
    teacher_final: float | None = None
    token_dropout: float = 0.0
    evaluate_every: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        self._check_types()
        self._check_ranges()
        if self.schedule == "inverse-sqrt" and self.warmup is None:
            raise ValueError("schedule=inverse-sqrt falls from the end of the warm-up on; give warmup, a number of "
                             "steps")
        if self.schedule == "inverse-sqrt" and self.lr_final is not None:
            raise ValueError(f"lr_final={self.lr_final} with schedule=inverse-sqrt: choose one way for the step size")
        if self.momentum and self.optimizer != "sgd":
            raise ValueError(f"momentum={self.momentum} is SGD's; {self.optimizer} has none to set")

    def _check_types(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if value is None and "None" in str(f.type):
                continue
            if f.type is str:
                if not isinstance(value, str):
                    raise TypeError(f"{f.name}={value!r}: wanted a string")
                continue
            whole = "int" in str(f.type)
            if isinstance(value, bool) or not isinstance(value, Integral if whole else Real):
                raise TypeError(f"{f.name}={value!r}: wanted a {'whole number' if whole else 'number'}")
            value = int(value) if isinstance(value, Integral) and whole else float(value)    # JSON has no NumPy numbers
            if not whole and not math.isfinite(value):
                raise ValueError(f"{f.name}={value!r}: wanted a finite number")
            object.__setattr__(self, f.name, value)

    def _check_ranges(self) -> None:
        ranges = [
            (("epochs", "seed"), lambda x: x >= 0, "0 or more"),
            (("batch", "lr_patience", "patience", "evaluate_every", "warmup"), lambda x: x >= 1, "1 or more"),
            (("minutes", "lr", "lr_final", "clip", "clip_value"), lambda x: x > 0, "more than 0"),
            (("momentum", "token_dropout"), lambda x: 0 <= x < 1, "at least 0 and less than 1"),
            (("lr_decay",), lambda x: 0 < x <= 1, "more than 0 and at most 1"),
            (("teacher_forcing", "teacher_final"), lambda x: 0 <= x <= 1, "from 0 to 1"),
            (("optimizer",), lambda x: x in optimizers.OPTIMIZERS, "one of " + ", ".join(optimizers.OPTIMIZERS)),
            (("schedule",), lambda x: x in SCHEDULES, "one of " + ", ".join(SCHEDULES)),
            (("monitor",), lambda x: x in ("loss", "exact-match"), "loss or exact-match"),
        ]
        for names, allowed, wanted in ranges:
            for name in names:
                value = getattr(self, name)
                if value is not None and not allowed(value):
                    raise ValueError(f"{name}={value!r}: wanted {wanted}")

    def to_json(self) -> dict:
        """A dict of plain values."""
        return asdict(self)


Training = TrainingOptions     # its short name, for users: `from minis2s import Training`
