"""One step of training: its batch, its random numbers, its step size, and what is carried from step to step.

Part P8; teacher forcing P2.  Everything that a later step depends on stands in `Progress`, and every random number is
drawn from (seed, what for, which step).  So training continued from a saved Progress gives the same bits as training
that was never stopped, and extra evaluations change nothing.
"""
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..core import tree
from ..core.backend import Backend
from ..data import augment
from ..data.batches import Batch, bucketed, lengths_of, make_batch
from ..model import architectures, parameters
from ..model.config import Config
from . import optimizers
from .options import TrainingOptions
from .reference import NUMPY
from .schedule import factor

ORDER, COINS, DROPS, TOKENS = 1, 2, 3, 4    # what random numbers are drawn for


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


def begin(config: Config, training: TrainingOptions) -> Progress:
    """The Progress before the first step."""
    p = parameters.init(config, training.seed)
    return Progress(p, optimizers.start(p), p, training.lr, None, 0, 0, 0, 0, 0, 0.0, 0, False)


def rng_for(training: TrainingOptions, purpose: int, number: int) -> np.random.Generator:
    """The generator for one purpose at one step (or epoch): it depends on nothing else."""
    return np.random.default_rng((training.seed, purpose, number))


def epoch_batches(training: TrainingOptions, examples: list, epoch: int) -> list:
    """Index arrays of the batches of an epoch, in their order."""
    return bucketed(lengths_of(examples), training.batch, rng_for(training, ORDER, epoch))


def teacher_ratio(training: TrainingOptions, epoch: int) -> float:
    """Share of target tokens that are fed as they are, in `epoch` (from 0)."""
    if training.teacher_final is None:
        return training.teacher_forcing
    done = min(1.0, epoch / max(1, training.epochs - 1))
    return training.teacher_forcing + done * (training.teacher_final - training.teacher_forcing)


def step_size(training: TrainingOptions, progress: Progress, batches: int) -> float:
    """The step size now: the present `lr`, by the schedule and on its even way to `lr_final`, in an epoch of so many
    batches."""
    lr = progress.lr * factor(training.schedule, training.warmup, progress.step + 1)
    if training.lr_final is None:
        return lr
    done = min(1.0, (progress.epoch + progress.batch / batches) / training.epochs)
    return lr * (1 + done * (training.lr_final / training.lr - 1))


def batch_of(config: Config, examples: list, indices: Any) -> Batch:
    """The Batch of some examples (pairs of id lists)."""
    chosen = [examples[i] for i in indices]
    return make_batch([x for x, *_ in chosen], [y for _, y, *_ in chosen], config.reverse_source,
                      config.dtype, config.frames_per_step or 1)


def drop_tokens(config: Config, training: TrainingOptions, progress: Progress, batch: Batch) -> Batch:
    """The batch with some source tokens unread, where training asks for that."""
    if not training.token_dropout:
        return batch
    V = config.source_vocab if config.readout == "copy" else None
    return augment.drop_tokens(batch, training.token_dropout, rng_for(training, TOKENS, progress.step), V)


@np.errstate(all="ignore")          # what overflows becomes NaN or infinity, and these are looked for
def one_step(config: Config, training: TrainingOptions, progress: Progress, batch: Batch, lr: float,
             backend: Backend = NUMPY) -> Progress:
    """Forward, backward, clip, update with step size `lr`: -> the next Progress."""
    ratio, teacher_mask, masks = teacher_ratio(training, progress.epoch), None, None
    if ratio < 1:
        teacher_mask = rng_for(training, COINS, progress.step).random(batch.inputs.shape[:2]) < ratio
    if config.dropout:
        masks = architectures.of(config).draw_masks(rng_for(training, DROPS, progress.step), config, batch)
    options = {"momentum": training.momentum} if training.optimizer == "sgd" else {}
    L, params, state, size, finite = backend.loss_and_update(
        progress.params, config, batch, teacher_mask, masks, progress.optimizer, training.optimizer, lr, training.clip,
        training.clip_value, **options)
    if not math.isfinite(L):
        # once more, to see where
        _, logits, k = backend.forward(progress.params, config, batch, teacher_mask, masks)
        parts = architectures.of(config).parts(k)
        raise Diverged(first_nonfinite(progress, params=progress.params, **parts, logits=logits, loss=L))
    if not math.isfinite(size):
        _, g = backend.loss_and_gradient(progress.params, config, batch, teacher_mask, masks)
        raise Diverged(first_nonfinite(progress, gradient=dict(reversed(list(tree.named(g))))))     # decoder's first
    if not finite:
        raise Diverged(first_nonfinite(progress, updated=params))
    tokens = int(np.count_nonzero(batch.target_mask))
    return progress._replace(params=params, optimizer=state, batch=progress.batch + 1, step=progress.step + 1,
                             loss_sum=progress.loss_sum + float(L) * tokens, tokens=progress.tokens + tokens)


def first_nonfinite(progress: Progress, **trees: Any) -> str:
    """A sentence that names the step and the first tensor that is not finite, in order of computation."""
    for name, array in walk(trees):
        if np.asarray(array).dtype.kind in "fc" and not np.isfinite(array).all():
            at = np.unravel_index(int(np.argmin(np.isfinite(array))), np.shape(array))
            entry = f"[{', '.join(map(str, at))}]" if at else ""
            return (f"step {progress.step + 1} (epoch {progress.epoch + 1}): {name}{entry} is "
                    f"{np.asarray(array)[at]}; try a smaller step size or clipping")
    return f"step {progress.step + 1}: the gradient's norm is not finite"


def walk(part: Any, name: str = "") -> Iterator:
    """(name, array) of dicts, lists and tuples of any depth, in order."""
    if isinstance(part, dict):
        items: Any = part.items()
    elif isinstance(part, (list, tuple)):
        items = zip(getattr(part, "_fields", range(len(part))), part)
    else:
        if isinstance(part, (np.ndarray, np.generic, float)):
            yield name, part
        return
    for key, value in items:
        yield from walk(value, f"{name}.{key}" if name else str(key))
