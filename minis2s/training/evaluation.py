"""Evaluation of parameters on held-out examples: losses, token accuracy, exact match; of frames their error, and
stops."""
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..core.backend import Backend
from ..data.batches import Batch, bucketed, lengths_of
from ..data.vocabulary import UNK
from ..decoding.hypotheses import NEVER
from ..layers import frame_output, loss
from ..model.config import Config
from .reference import NUMPY
from .step import batch_of


class Validation(NamedTuple):
    """What a model does on held-out pairs, without label smoothing; metrics.py says what the measures mean."""
    loss_teacher_forced: float  # nats per target token that the model can write
    loss_free_running: float
    token_accuracy: float       # teacher-forced
    exact_match: float          # share of sources whose greedy answer is one of their targets


class FrameValidation(NamedTuple):
    """The same of a model that writes frames; an error is that of one of their numbers, squared or absolute."""
    loss_teacher_forced: float  # for each real frame, the stop's part too
    loss_free_running: float
    frame_error_teacher_forced: float
    frame_error_free_running: float     # frame by frame: one that comes a little late counts as wrong
    stop_accuracy: float        # share of examples that stop, running freely, in the target's last step


def measure(row: dict) -> tuple[str, float]:
    """The share in a record of training that says how many held-out examples are right, and what it is called."""
    if "valid_stop_accuracy" in row:
        return "stops right", row["valid_stop_accuracy"]
    return "exact match", row["valid_exact_match"]


def in_words(row: dict) -> str:
    """What a record of training says of held-out examples."""
    losses = (f"teacher-forced {row['valid_loss_teacher_forced']:.4f}, free-running "
              f"{row['valid_loss_free_running']:.4f}")
    first = (f"frame errors {row['valid_frame_error_teacher_forced']:.4f} and "
             f"{row['valid_frame_error_free_running']:.4f}" if "valid_stop_accuracy" in row else
             f"tokens right {row['valid_token_accuracy']:.2%}")
    name, share = measure(row)
    return f"{losses}, {first}, {name} {share:.2%}"


@np.errstate(all="ignore")
def validate(p: Any, config: Config, examples: list, batch: int = 256, backend: Backend = NUMPY,
             on_batch: Callable | None = None, on_said: Callable | None = None) -> Any:
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
    on_said : callable(indices, ndarray of int of shape (S, N)), optional
        Called for each batch with the numbers of its examples and the most probable tokens when the model runs freely.

    Returns
    -------
    Validation, or FrameValidation where the target is frames
    """
    if config.target == "frames":
        return validate_frames(p, config, examples, batch, backend, on_batch)
    sums = dict(forced=0.0, free=0.0, right=0, known=0, tokens=0)
    solved: dict[Any, bool] = {}                                        # source -> whether an answer was right
    for indices in bucketed(lengths_of(examples), batch, np.random.default_rng(0)):
        b = batch_of(config, examples, indices)
        known = b.target_mask & (b.targets != UNK)
        for key, logits in zip(("forced", "free"), backend.forced_and_free(p, config, b)):
            sums[key] += float(loss.forward(logits, b.targets, known)[0]) * int(known.sum())
            said = logits.argmax(axis=2)
            if key == "forced":
                sums["right"] += int(((said == b.targets) & known).sum())
        if on_said:
            on_said(indices, said)
        right = exact(p, config, b, said, backend) if math.isfinite(sums["free"]) else np.zeros(len(indices))
        for i, one in zip(indices, right):
            x, _, *name = examples[i]
            source = name[0] if name else x.tobytes() if isinstance(x, np.ndarray) else tuple(x)
            solved[source] = solved.get(source, False) or bool(one)
        sums["known"] += int(known.sum())
        sums["tokens"] += int(b.target_mask.sum())
        if on_batch:
            on_batch(len(indices))
    return Validation(sums["forced"] / sums["known"], sums["free"] / sums["known"], sums["right"] / sums["tokens"],
                      sum(solved.values()) / len(solved))


def validate_frames(p: Any, config: Config, examples: list, batch: int, backend: Backend,
                    on_batch: Callable | None = None) -> FrameValidation:
    """See `validate`."""
    sums, stopped, frames = np.zeros(4), 0, 0
    for indices in bucketed(lengths_of(examples), batch, np.random.default_rng(0)):
        b, losses, errors = batch_of(config, examples, indices), [], []
        for out in backend.forced_and_free(p, config, b):
            L, k = frame_output.forward(out, b.targets, b.target_mask, str(config.frame_error))
            losses.append(float(L))
            errors.append(frame_output.parts(k)[0])
        count = int(b.target_mask.sum())
        sums += np.array([*losses, *errors]) * count
        frames += count
        said, real = k.a > 0, b.target_mask[:, :, 0]            # k is that of the free run
        stopped += int(((said & real) == k.stop).all(axis=0).sum())
        if on_batch:
            on_batch(len(indices))
    forced, free, error_forced, error_free = (sums / frames).tolist()
    return FrameValidation(forced, free, error_forced, error_free, stopped / len(examples))


def exact(p: Any, config: Config, b: Batch, said: np.ndarray, backend: Backend) -> np.ndarray:
    """Which examples of a batch greedy decoding answers rightly, given what the model said running freely
    (S, N): -> (N,).

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
