"""The training loop: epochs, evaluations, and when to stop.

Part P8, P9.  One step is step.py, evaluation is evaluation.py; this file decides what comes when.
"""
import math
import time
from collections.abc import Callable
from typing import Any

from ..core.backend import Backend
from ..model.config import Config
from .evaluation import Validation, validate  # noqa: F401
from .memory import keep_freed_memory
from .options import Training, TrainingOptions  # noqa: F401
from .reference import NUMPY
from .step import (  # noqa: F401
    COINS, DROPS, ORDER, Diverged, Progress, batch_of, begin, drop_tokens, epoch_batches, one_step, rng_for, step_size,
    teacher_ratio
)


def score_of(training: Training, v: Any) -> tuple[float, float]:
    """What two validations are compared by: larger is better."""
    return (v.exact_match if training.monitor == "exact-match" else 0.0, -v.loss_teacher_forced)


def record(training: Training, progress: Progress, v: Any, batches: int, speed: Any) -> dict:
    """One line of metrics.jsonl: losses in nats per target token, or of frames per frame."""
    return dict(epoch=round(progress.epoch + progress.batch / batches, 6), step=progress.step,
                end_of_epoch=progress.batch == batches, lr=step_size(training, progress, batches),
                train_loss=progress.loss_sum / progress.tokens if progress.tokens else None,
                **{f"valid_{name}": value for name, value in v._asdict().items()}, tokens_per_second=speed)


def end_epoch(training: Training, progress: Progress, v: Any) -> Progress:
    """Count the epoch, keep the best weights, decay the step size, stop early; Diverged at NaN."""
    if not math.isfinite(v.loss_teacher_forced + v.loss_free_running):
        raise Diverged(f"step {progress.step} (epoch {progress.epoch + 1}): the validation loss is "
                       f"{v.loss_teacher_forced} (teacher-forced), {v.loss_free_running} (free-running)")
    score = score_of(training, v)
    better = progress.best_score is None or score > tuple(progress.best_score)
    waits, lr_waits = (0, 0) if better else (progress.waits + 1, progress.lr_waits + 1)
    lr = progress.lr
    if lr_waits >= training.lr_patience:
        lr, lr_waits = lr * training.lr_decay, 0
    return progress._replace(
        best=progress.params if better else progress.best, best_score=score if better else progress.best_score,
        waits=waits, lr_waits=lr_waits, lr=lr, epoch=progress.epoch + 1, batch=0, loss_sum=0.0, tokens=0,
        finished=training.patience is not None and waits >= training.patience)


def run(config: Config, training: Training, train_set: list, valid_set: list, progress: Progress | None = None,
        on_step: Callable | None = None, on_record: Callable | None = None, save: Callable | None = None,
        should_stop: Callable | None = None, save_seconds: float = 60, backend: Backend = NUMPY,
        prepare: Callable | None = None, project: Callable | None = None) -> Progress:
    """Train to the end, or until stopped.

    Parameters
    ----------
    config : Config
        With the sizes of both vocabularies.
    training : Training
    train_set, valid_set : lists of (source ids, target ids)
        Held-out examples may have a third entry, see `validate`.
    progress : Progress, optional
        Where to continue; None: at the beginning.
    on_step : callable(Progress, loss so far), optional
    on_record : callable(dict), optional
        Called with the metrics of each evaluation.
    save : callable(Progress), optional
        Called at the start, after each epoch, about every `save_seconds`, and when stopped.
    should_stop : callable() -> bool, optional
        Asked after each step.
    save_seconds : float
    backend : core.backend.Backend
    prepare : callable(Batch) -> Batch, optional
        What becomes of each batch before its step: see layers/distillation.py.
    project : callable(Params) -> Params, optional
        What becomes of the parameters after each step: see pruning.py.

    Returns
    -------
    Progress
        With `epoch == training.epochs` or `finished` if it came to its end.

    Raises
    ------
    Diverged
        At the first loss or gradient that is not finite; nothing is saved after it.
    """
    keep_freed_memory()
    nothing = lambda *_: None                                                           # noqa: E731
    on_step, on_record, write = on_step or nothing, on_record or nothing, save or nothing
    save = lambda progress: write(backend.arrays(progress))                             # noqa: E731
    should_stop = should_stop or (lambda: False)
    progress = progress or begin(config, training)
    save(progress)
    clock, saved_at = time.monotonic(), time.monotonic()
    deadline = clock + 60 * training.minutes if training.minutes else math.inf
    while progress.epoch < training.epochs and not progress.finished:
        batches = epoch_batches(training, train_set, progress.epoch)
        started, tokens_before = time.monotonic(), progress.tokens
        for indices in batches[progress.batch:]:
            lr = step_size(training, progress, len(batches))
            batch = batch_of(config, train_set, indices)
            batch = drop_tokens(config, training, progress, prepare(batch) if prepare else batch)
            progress = one_step(config, training, progress, batch, lr, backend)
            if project:
                progress = progress._replace(params=project(backend.arrays(progress.params)))
            on_step(progress, progress.loss_sum / progress.tokens)
            due = training.evaluate_every and progress.step % training.evaluate_every == 0
            if due and progress.batch < len(batches):           # the epoch's end has an evaluation of its own
                v = validate(progress.params, config, valid_set, backend=backend)
                on_record(record(training, progress, v, len(batches), None))
            stopped, late = backend.agree((should_stop() or 0, time.monotonic() > deadline))
            if stopped:
                save(progress)
                return backend.arrays(progress)
            if late:
                save(progress)
                v = validate(progress.params, config, valid_set, backend=backend)
                ended = end_epoch(training, progress, v)
                on_record(record(training, progress, v, len(batches), None))
                # judged as an epoch would be, for the weights alone: a resumed run must not see it
                return backend.arrays(progress._replace(best=ended.best, best_score=ended.best_score))
            if time.monotonic() - saved_at > save_seconds:
                save(progress)
                saved_at = time.monotonic()
        speed = (progress.tokens - tokens_before) / max(1e-9, time.monotonic() - started)
        v = validate(progress.params, config, valid_set, backend=backend)
        row = record(training, progress, v, len(batches), speed)
        progress = end_epoch(training, progress, v)
        on_record(row)
        save(progress)
        saved_at = time.monotonic()
    return backend.arrays(progress)
