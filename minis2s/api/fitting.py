"""What `Seq2Seq.fit` does: examples from texts, the run's directory, the training loop, pictures.

The functions change the model that they are given: its vocabularies, sizes, parameters and records.
"""
import dataclasses
import os
import warnings
from contextlib import nullcontext
from typing import Any

import numpy as np

from ..data import corpus as corpora
from ..data.corpus import Corpus
from ..data.frames import UNITS as FRAME_UNITS, WRITTEN, FrameReader
from ..model import parameters
from ..model.config import Config
from ..training import checkpoint, loop
from ..training.options import Training
from ..training.step import Progress
from . import opening, transfer
from .answering import attention_of, frames_and_attention
from .backends import choose
from .display import Display
from .run import Run
from .signals import Stopped, stop_signals
from .texts import fingerprint

FREE = ("epochs", "minutes")        # options that may change when a run is resumed


def for_units(config: Config, source_units: str, target_units: str) -> Config:
    """The Config for units: that of frames where they make frames; ValueError where both do not fit."""
    for side, unit, of_frames in (("source", source_units, FRAME_UNITS), ("target", target_units, WRITTEN)):
        if unit in of_frames and getattr(config, side) != "frames":
            changes: dict[str, Any] = {side: "frames", f"{side}_vocab": None}
            config = dataclasses.replace(config, **changes)
        elif unit not in of_frames and getattr(config, side) == "frames":
            raise ValueError(f"{side}_units={unit!r} with {side}=frames: choose one of {', '.join(of_frames)}")
    return config


def fit(model: Any, pairs: list[tuple[str, str]], valid: list[tuple[str, str]], training: Training,
        out: str | os.PathLike | None, resume: bool, overwrite: bool, progress: bool, origin: dict | None,
        start: Any = None, teacher: Any = None, distill: str = "word") -> None:
    """See `Seq2Seq.fit`; pairs are lists of (source, target)."""
    check_frames(model.config, training, teacher)
    run = None if out is None else Run(out)
    with run.owned(make=not resume) if run else nullcontext():
        before = vars(model).copy()
        try:
            answers = teacher if distill == "sequence" else None
            corpus = prepare(model, pairs, valid, origin, answers)
            teacher = None if answers else teacher
            if teacher:
                transfer.check_teacher(model, teacher)
            state = open_run(model, run, training, resume, overwrite, start)
        except BaseException:
            vars(model).update(before)                  # a call that is refused changes nothing
            raise
        if progress:
            opening.show(model.settings, corpus, model.config, training, model.backend)
        train(model, corpus, training, run, state, progress, teacher)
        if run:
            checkpoint.save_weights(run.weights, model.params, model.config)
            draw(model, run, corpus.valid_texts)
    if model.stopped_by is not None:
        raise Stopped(model.stopped_by, "training was stopped; the model has the best weights so far")


def check(training: Any, out: Any, resume: bool, overwrite: bool, origin: Any, distill: str) -> None:
    """TypeError, ValueError for arguments of `Seq2Seq.fit` that cannot be, or do not go together."""
    if not isinstance(training, (Training, type(None))):
        raise TypeError(f"training: got {type(training).__name__}, wanted a Training")
    if not isinstance(origin, (dict, type(None))):
        raise TypeError(f"origin: got {type(origin).__name__}, wanted a dict")
    if (resume or overwrite) and out is None:
        raise ValueError("out: wanted the directory of the run, as resume or overwrite is True")
    if resume and overwrite:
        raise ValueError("resume=True and overwrite=True: choose one")
    if distill not in transfer.LEVELS:
        raise ValueError(f"distill={distill!r}: choose one of {', '.join(transfer.LEVELS)}")


def check_frames(config: Config, training: Training, teacher: Any) -> None:
    """ValueError for what there is for tokens alone, where the target is frames."""
    if config.target == "frames" and training.monitor != "loss":
        raise ValueError(f"monitor={training.monitor!r} with target=frames: frames are near the right ones, and never "
                         f"equal; choose loss")
    if teacher and "frames" in (config.target, teacher.config.target):
        raise ValueError("teacher: it says frames, and no probabilities of tokens that a student could learn from"
                         if teacher.config.target == "frames" else
                         "teacher: target=frames: wanted a student that writes tokens, as its teacher does")


def prepare(model: Any, pairs: list[tuple[str, str]], valid: list[tuple[str, str]], origin: dict | None,
            answers: Any = None) -> Corpus:
    """Vocabularies and sizes from the pairs: -> Corpus; `answers`: the teacher whose answers are the targets, or
    None."""
    model.params = None                                 # those of other vocabularies would answer nonsense
    learnt = transfer.taught(answers, pairs) if answers else pairs
    corpus = corpora.build(learnt, valid, **model._units(), stack=model.config.stack or 1,
                           shared=model.config.readout == "copy")
    (model.source_tokenizer, model.source_vocab), (model.target_tokenizer, model.target_vocab) = corpus[:2]
    sizes = {name: side.tokenizer.frame_size if isinstance(side.tokenizer, FrameReader) else len(side.vocab)
             for name, side in zip(parameters.sizes(model.config), corpus[:2])}
    model.config = dataclasses.replace(model.config, **sizes)
    model.lengths = corpora.lengths(corpus)
    model.origin, model.held_out = origin or {}, corpus.valid_texts
    model.data = {"train": len(corpus.train), "valid": len(corpus.valid), "too_long": sum(corpus.too_long),
                  "seen": corpus.seen, "sha256": fingerprint(pairs, valid, files=model._files)}
    return corpus


def open_run(model: Any, run: Run | None, training: Training, resume: bool, overwrite: bool,
             start: Any = None) -> Progress:
    """The Progress to train from: the first one, of a run that is made here, or that of a run that is resumed."""
    if resume:
        return resumed(model, run, training)
    for shape in parameters.shapes(model.config).values():         # a model too large: nothing is written yet
        np.empty(shape, model.config.dtype)
    state = loop.begin(model.config, training)
    if start:
        p = transfer.started(model, start, training.seed)
        state = state._replace(params=p, best=p)

    # with its first checkpoint: an old run is replaced
    def write(new: Run) -> None:
        write_run(model, new, training)                         # when all of the new one has found room
        new.save_progress(state, model.config)
    if run:
        run.create(write, overwrite)
    return state


def write_run(model: Any, run: Run, training: Training) -> None:
    """Write what stays the same in training."""
    run.write_model({**model._description(), "training": training.to_json(), "backend": model.backend},
                    model.source_vocab, model.target_vocab)


def resumed(model: Any, run: Run, training: Training) -> Progress:
    """Check that a run can go on with a model's options and data: -> its Progress."""
    description, *vocabs = run.read_model()
    if not isinstance(description.get("training"), dict) or "sha256" not in description.get("data", ()):
        raise ValueError(f"{run.config}: a saved model, not a run that training could go on with")
    # options that the run does not know, because it is older than they are
    usual = {f.name: f.default for f in dataclasses.fields(training)}
    then = {**usual, **description["training"], **description["units"]}
    for name, value in {**training.to_json(), **model._units()}.items():
        if name not in FREE and then.get(name) != value:
            raise ValueError(f"{run.path}: the run was begun with {name}={then.get(name)!r}, not {value!r}")
    if description["data"]["sha256"] != model.data["sha256"]:
        raise ValueError(f"{run.path}: these are not the pairs that the run was begun with")
    checkpoint.check_config(run.config, description["config"].to_json(), model.config)
    symbols = [model.source_vocab.symbols, model.target_vocab.symbols]
    subwords = model._description()["subwords"]
    if [v.symbols for v in vocabs] != symbols or description["subwords"] != subwords:
        raise ValueError(f"{run.vocabulary}: not the vocabulary of these pairs")
    try:
        state = checkpoint.load_progress(run.checkpoint, model.config)
    except FileNotFoundError:
        state = loop.begin(model.config, training)
    check_epochs(run, training, state)
    model.origin = model.origin or description["origin"]
    run.clear()
    write_run(model, run, training)
    problem = run.read_records()[1]
    if problem:
        warnings.warn(problem, stacklevel=5)
    run.rewind(state)
    return state


def check_epochs(run: Run, training: Training, state: Progress) -> None:
    """ValueError if a run has had more epochs than it shall have in all; a warning if there is nothing left to
    train."""
    begun, done = state.epoch + (state.batch > 0), f"{state.epoch} epoch{'s' if state.epoch != 1 else ''}"
    if training.epochs < begun:
        raise ValueError(f"epochs={training.epochs}: {run.path} has completed {done}"
                         f"{' and begun another' if state.batch else ''}; wanted {begun} or more in all")
    if state.finished or training.epochs == state.epoch:
        why = "training had stopped early" if state.finished else "for more, give a larger number of epochs"
        warnings.warn(f"{run.path}: {done} completed, nothing is left to train; {why}", stacklevel=6)


def train(model: Any, corpus: Corpus, training: Training, run: Run | None, state: Progress, progress: bool,
          teacher: Any = None) -> None:
    """The training loop, from `state` to its end or to a signal: params, records and stopped_by are set."""
    backend = choose(model.backend)
    state = backend.from_first(state)
    model.records = run.records() if run else []

    def on_record(row: dict) -> None:
        model.records.append(row)
        if run:
            run.append(row)
        show.epoch(row)

    show = Display(training, len(corpus.train), state, progress)
    with show, stop_signals() as stopped:
        end = loop.run(
            model.config, training, corpus.train, corpus.valid, state, on_step=show.step, on_record=on_record,
            save=(lambda s: run.save_progress(s, model.config)) if run else None, should_stop=stopped,
            backend=backend, prepare=teacher and transfer.with_teacher(teacher))
        model.stopped_by = backend.agree((stopped() or 0,))[0] or None
    model.params = end.params if end.best_score is None else end.best


def draw(model: Any, run: Run, valid: list[tuple[str, str]]) -> None:
    """Draw the run's pictures; a training that is done does not fail for them."""
    try:
        pictures(model, run, valid)
    except Exception as e:                                      # matplotlib's, whatever they are
        warnings.warn(f"{run.path}: trained and saved, but its pictures were not drawn: {e}", stacklevel=4)


def pictures(model: Any, run: Run, valid: list[tuple[str, str]]) -> None:
    """Loss curves, and attention maps of a few held-out texts."""
    from ..viewer import plots
    if model.records:
        plots.loss_curves(model.records, run.loss)
    if model.config.context == "attention":
        texts = list(dict.fromkeys(x for x, _ in valid))
        texts = texts[::len(texts) // 6 or 1][:6] if any(model._files) else texts[:6]
        answers = [a for best in model.decode(texts) for a in best[:1] if len(a.target)]
        if answers:
            draw_attention(model, answers, run.attention)


def draw_attention(model: Any, answers: list, path: Any) -> None:
    """Draw what answers attended to, in one figure; where a side is frames, beside them."""
    from ..viewer import plots
    if "frames" in (model.config.source, model.config.target):
        plots.attention_over_frames([frames_and_attention(model, a) for a in answers], path,
                                    by_row=model.config.target == "tokens")
    else:
        plots.attention_grid([attention_of(a) for a in answers], path)
