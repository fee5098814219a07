"""Training: batches, one step, one epoch, and when to stop.

Part P8, P9; teacher forcing P2.  Everything that a later step depends on stands in `Progress`, and every random
number is drawn from (seed, what for, which step).  So training continued from a saved Progress gives the same bits as
training that was never stopped, and extra evaluations change nothing.
"""
import math
import time
from dataclasses import asdict, dataclass, fields
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np

from ..core import tree
from ..layers import loss
from ..model import architectures
from . import optimizers
from .memory import keep_freed_memory
from .reference import NUMPY
from .schedule import SCHEDULES, factor
from ..data.batches import bucketed, make_batch
from ..data.vocabulary import UNK
from ..decoding.hypotheses import NEVER

ORDER, COINS, DROPS = 1, 2, 3       # what random numbers are drawn for


@dataclass(frozen=True)
class Training:
    """How to train.

    Parameters
    ----------
    epochs : int
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
        Longest gradient allowed (global norm); None: no clipping.
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
    evaluate_every: int | None = None
    seed: int = 0

    def __post_init__(self):
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
            value = int(value) if whole else float(value)           # NumPy's numbers would not go into JSON
            if not whole and not math.isfinite(value):
                raise ValueError(f"{f.name}={value!r}: wanted a finite number")
            object.__setattr__(self, f.name, value)
        ranges = [
            (("epochs", "seed"), lambda x: x >= 0, "0 or more"),
            (("batch", "lr_patience", "patience", "evaluate_every", "warmup"), lambda x: x >= 1, "1 or more"),
            (("minutes", "lr", "lr_final", "clip", "clip_value"), lambda x: x > 0, "more than 0"),
            (("momentum",), lambda x: 0 <= x < 1, "at least 0 and less than 1"),
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
        if self.schedule == "inverse-sqrt" and self.warmup is None:
            raise ValueError("schedule=inverse-sqrt falls from the end of the warm-up on; give warmup, a number of steps")
        if self.schedule == "inverse-sqrt" and self.lr_final is not None:
            raise ValueError(f"lr_final={self.lr_final} with schedule=inverse-sqrt: choose one way for the step size")
        if self.momentum and self.optimizer != "sgd":
            raise ValueError(f"momentum={self.momentum} is SGD's; {self.optimizer} has none to set")

    def to_json(self):
        """A dict of plain values."""
        return asdict(self)


class Progress(NamedTuple):
    """All that training depends on, between two steps."""
    params: Any                # the model's Params
    optimizer: optimizers.State
    best: Any                  # the parameters of the best epoch so far
    lr: float
    best_score: tuple | None   # (exact match or 0, -loss): larger is better
    waits: int                 # epochs since the best one
    lr_waits: int              # epochs since the best one or the last decay
    epoch: int                 # epochs completed
    batch: int                 # batches done in the current epoch
    step: int                  # batches done in all
    loss_sum: float            # sums over the current epoch, for its mean
    tokens: int
    finished: bool             # by early stopping


class Diverged(ArithmeticError):
    """Training met NaN or infinity; the message names the step and the first tensor."""


def begin(config, training):
    """The Progress before the first step."""
    p = architectures.of(config).init(config, training.seed)
    return Progress(p, optimizers.start(p), p, training.lr, None, 0, 0, 0, 0, 0, 0.0, 0, False)


def rng_for(training, purpose, number):
    """The generator for one purpose at one step (or epoch): it depends on nothing else."""
    return np.random.default_rng((training.seed, purpose, number))


def epoch_batches(training, examples, epoch):
    """Index arrays of the batches of an epoch, in their order."""
    lengths = [(len(x), len(y)) for x, y in examples]
    return bucketed(lengths, training.batch, rng_for(training, ORDER, epoch))


def teacher_ratio(training, epoch):
    """Share of target tokens that are fed as they are, in `epoch` (from 0)."""
    if training.teacher_final is None:
        return training.teacher_forcing
    done = min(1.0, epoch / max(1, training.epochs - 1))
    return training.teacher_forcing + done * (training.teacher_final - training.teacher_forcing)


def step_size(training, progress, batches):
    """The step size now: the present `lr`, by the schedule and on its even way to `lr_final`, in an epoch of so many
    batches."""
    lr = progress.lr * factor(training.schedule, training.warmup, progress.step + 1)
    if training.lr_final is None:
        return lr
    done = min(1.0, (progress.epoch + progress.batch / batches) / training.epochs)
    return lr * (1 + done * (training.lr_final / training.lr - 1))


def batch_of(config, examples, indices):
    """The Batch of some examples (pairs of id lists)."""
    chosen = [examples[i] for i in indices]
    return make_batch([x for x, *_ in chosen], [y for _, y, *_ in chosen], config.reverse_source)


@np.errstate(all="ignore")          # what overflows becomes NaN or infinity, and these are looked for
def one_step(config, training, progress, batch, lr, backend=NUMPY):
    """Forward, backward, clip, update with step size `lr`: -> the next Progress."""
    ratio, teacher, drops = teacher_ratio(training, progress.epoch), None, None
    if ratio < 1:
        teacher = rng_for(training, COINS, progress.step).random(batch.inputs.shape) < ratio
    if config.dropout:
        drops = architectures.of(config).draw_drops(rng_for(training, DROPS, progress.step), config, batch)
    options = {"momentum": training.momentum} if training.optimizer == "sgd" else {}
    L, params, state, size, finite = backend.loss_and_update(
        progress.params, config, batch, teacher, drops, progress.optimizer, training.optimizer, lr, training.clip,
        training.clip_value, **options)
    if not math.isfinite(L):
        # once more, to see where
        _, logits, k = backend.forward(progress.params, config, batch, teacher, drops)
        raise Diverged(culprit(progress, params=progress.params, **architectures.of(config).parts(k), logits=logits,
                               loss=L))
    if not math.isfinite(size):
        _, g = backend.loss_and_gradient(progress.params, config, batch, teacher, drops)
        raise Diverged(culprit(progress, gradient=dict(reversed(list(tree.named(g))))))     # decoder's first
    if not finite:
        raise Diverged(culprit(progress, updated=params))
    tokens = int(np.count_nonzero(batch.target_mask))
    return progress._replace(params=params, optimizer=state, batch=progress.batch + 1, step=progress.step + 1,
                             loss_sum=progress.loss_sum + float(L) * tokens, tokens=progress.tokens + tokens)


def culprit(progress, **trees):
    """A sentence that names the step and the first tensor that is not finite, in order of computation."""
    for name, array in walk(trees):
        if np.asarray(array).dtype.kind in "fc" and not np.isfinite(array).all():
            at = np.unravel_index(int(np.argmin(np.isfinite(array))), np.shape(array))
            entry = f"[{', '.join(map(str, at))}]" if at else ""
            return (f"step {progress.step + 1} (epoch {progress.epoch + 1}): {name}{entry} is "
                    f"{np.asarray(array)[at]}; try a smaller step size or clipping")
    return f"step {progress.step + 1}: the gradient's norm is not finite"


def walk(part, name=""):
    """(name, array) of dicts, lists and tuples of any depth, in order."""
    if isinstance(part, dict):
        items = part.items()
    elif isinstance(part, (list, tuple)):
        items = zip(getattr(part, "_fields", range(len(part))), part)
    else:
        if isinstance(part, (np.ndarray, np.generic, float)):
            yield name, part
        return
    for key, value in items:
        yield from walk(value, f"{name}.{key}" if name else str(key))


class Validation(NamedTuple):
    """What a model does on held-out pairs, without label smoothing; metrics.py says what the measures mean."""
    loss_teacher_forced: float  # nats per target token that the model can write
    loss_free_running: float
    token_accuracy: float       # teacher-forced
    exact_match: float          # share of sources whose greedy answer is one of their targets


@np.errstate(all="ignore")
def validate(p, config, examples, batch=256, backend=NUMPY, on_batch=None):
    """Evaluate parameters on held-out examples.

    Parameters
    ----------
    p : seq2seq.Params
    config : Config
    examples : list of (source ids, target ids) or (source ids, target ids, name)
        Examples with the same name, or where there is none the same source, are several targets of one source.
    batch : int
    backend : core.backend.Backend
    on_batch : callable(int), optional
        Called after each batch with the number of its examples.

    Returns
    -------
    Validation
    """
    lengths = [(len(x), len(y)) for x, y, *_ in examples]
    sums = dict(forced=0.0, free=0.0, right=0, known=0, tokens=0)
    solved = {}                                                         # source -> whether an answer was right
    for indices in bucketed(lengths, batch, np.random.default_rng(0)):
        b = batch_of(config, examples, indices)
        known = b.target_mask & (b.targets != UNK)
        for key, teacher in (("forced", None), ("free", np.zeros(b.inputs.shape, dtype=bool))):
            logits = backend.logits(p, config, b, teacher)
            sums[key] += float(loss.forward(logits, b.targets, known)[0]) * int(known.sum())
            said = logits.argmax(axis=2)
            if teacher is None:
                sums["right"] += int(((said == b.targets) & known).sum())
        right = exact(p, config, b, said, backend) if math.isfinite(sums["free"]) else np.zeros(len(indices))
        for i, one in zip(indices, right):
            x, _, *name = examples[i]
            source = name[0] if name else tuple(x)
            solved[source] = solved.get(source, False) or bool(one)
        sums["known"] += int(known.sum())
        sums["tokens"] += int(b.target_mask.sum())
        if on_batch:
            on_batch(len(indices))
    return Validation(sums["forced"] / sums["known"], sums["free"] / sums["known"], sums["right"] / sums["tokens"],
                      sum(solved.values()) / len(solved))


def exact(p, config, b, said, backend):
    """Which examples of a batch greedy decoding answers rightly, given what the model said running freely, (S, N): -> (N,).

    Decoding never writes <unk>, padding or a beginning, so where the model said one of these it is asked again.
    """
    right = ((said == b.targets) | ~b.target_mask).all(axis=0)
    writable = ((b.targets != UNK) | ~b.target_mask).all(axis=0)
    again = np.flatnonzero(writable & (np.isin(said, NEVER) & b.target_mask).any(axis=0))
    if len(again):
        source, mask = b.source[:, again], b.source_mask[:, again]
        longest = mask.any(axis=1)
        found = backend.greedy(p, config, source[longest], mask[longest], len(b.targets))
        for n, (answer,) in zip(again, found):
            right[n] = answer.finished and answer.ids == list(b.targets[b.target_mask[:, n], n][:-1])
    return right & writable


def score_of(training, v):
    """What two validations are compared by: larger is better."""
    return (v.exact_match if training.monitor == "exact-match" else 0.0, -v.loss_teacher_forced)


def record(training, progress, v, batches, speed):
    """One line of metrics.jsonl: losses in nats per target token."""
    return dict(epoch=round(progress.epoch + progress.batch / batches, 6), step=progress.step,
                end_of_epoch=progress.batch == batches, lr=step_size(training, progress, batches),
                train_loss=progress.loss_sum / progress.tokens if progress.tokens else None,
                valid_loss_teacher_forced=v.loss_teacher_forced, valid_loss_free_running=v.loss_free_running,
                valid_token_accuracy=v.token_accuracy, valid_exact_match=v.exact_match, tokens_per_second=speed)


def end_epoch(training, progress, v):
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


def run(config, training, train_set, valid_set, progress=None, on_step=None, on_record=None, save=None,
        should_stop=None, save_seconds=60, backend=NUMPY):
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
    on_step, on_record, save = on_step or nothing, on_record or nothing, save or nothing
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
            progress = one_step(config, training, progress, batch_of(config, train_set, indices), lr, backend)
            on_step(progress, progress.loss_sum / progress.tokens)
            due = training.evaluate_every and progress.step % training.evaluate_every == 0
            if due and progress.batch < len(batches):           # the epoch's end has an evaluation of its own
                v = validate(progress.params, config, valid_set, backend=backend)
                on_record(record(training, progress, v, len(batches), None))
            if should_stop():
                save(progress)
                return progress
            if time.monotonic() > deadline:
                save(progress)
                v = validate(progress.params, config, valid_set, backend=backend)
                ended = end_epoch(training, progress, v)
                on_record(record(training, progress, v, len(batches), None))
                # judged as an epoch would be, for the weights alone: a resumed run must not see it
                return progress._replace(best=ended.best, best_score=ended.best_score)
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
    return progress
