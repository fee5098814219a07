"""Answers that are frames: written as files, measured, and read back.

A sound can be right and yet equal no other sound.  So answers are judged by who hears them: by a task's checker, and by
a recogniser, another model that was trained to read such files, on other voices, say.  What it reads is compared with
what was to be said.  It errs on real files too; its errors there are the least that can be reached.
"""
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ..core.files import numbered
from ..data import frames
from ..tasks.judge import score
from ..training import loop, metrics
from . import answering
from .answering import Translation
from .backends import choose_for_texts
from .display import Bar
from .run import LEFT


def evaluate(model: Any, pairs: list, tokens: list, progress: bool = False, judge: Any = None,
             recogniser: Any = None) -> dict:
    """How good a model that writes frames is.

    Parameters
    ----------
    model : Seq2Seq
    pairs : list of (source, target)
    tokens : list of (source tokens, target frames)
    progress : bool
        Show bars.
    judge : tasks.judge.Judge, optional
    recogniser : Seq2Seq, optional
        One that `check_recogniser` accepts.

    Returns
    -------
    dict
        pairs, sources; losses per frame and errors of a frame's number, teacher-forced and free-running; stop_accuracy
        (see training.evaluation.FrameValidation); finished (share of answers that came to a stop), length_error (mean
        of |frames written - wanted| / wanted); with a judge "right", see evaluation.evaluate; with a recogniser
        read_back_error_rate and read_back_exact_match of answers, and the same of the targets' own files,
        "..._targets", without the kinds of sources that are beyond training (tasks.judge.Judge).
    """
    ids = [(*answering.numbered(model, cut), x) for cut, (x, _) in zip(tokens, pairs)]
    with Bar(len(ids), "pair", progress) as bar:
        v = loop.validate(model.params, model.config, ids, backend=choose_for_texts(model, len(ids)),
                          on_batch=bar.advance)
    first: dict[str, tuple] = {}                                # the first target of each source
    for (x, y), (_, cut) in zip(pairs, tokens):
        first.setdefault(x, (y, len(cut)))
    sources, targets = list(first), [y for y, _ in first.values()]
    how = answering.checked(answering.Options(), model)
    answers = [best[0] for best in answering.decode(model, sources, how, progress, attention=False)]
    late = [abs(len(a.target) - count) / count for a, (_, count) in zip(answers, first.values())]
    found = {"pairs": len(pairs), "sources": len(sources), **v._asdict(),
             "finished": float(np.mean([a.finished for a in answers])), "length_error": float(np.mean(late))}
    if not (judge or recogniser):
        return found
    with tempfile.TemporaryDirectory() as folder:
        paths = write(model, answers, folder)
        if judge:
            found = {"right": score(judge, sources, paths, targets), **found}
        if recogniser:
            usual = [row for row in zip(sources, paths, targets) if not (judge and judge.is_beyond(row[0]))]
            sources, paths, targets = map(list, zip(*(usual or zip(sources, paths, targets))))
            found |= read_back(recogniser, sources, paths, progress)
            of_targets = read_back(recogniser, sources, targets, progress)
            found |= {f"{name}_targets": value for name, value in of_targets.items()}
    return found


def check_recogniser(model: Any, recogniser: Any) -> None:
    """ValueError unless a recogniser, if there is one, reads files such as the model writes."""
    if recogniser is None:
        return
    if model.config.target != "frames":
        raise ValueError("recogniser: it reads sounds back, and this model writes texts")
    if recogniser.params is None or recogniser.source_units != model.target_units or any(recogniser._files[1:]):
        raise ValueError(f"recogniser: wanted a trained model that reads {model.target_units} and writes texts, this "
                         f"one reads {recogniser.source_units} and writes {recogniser.target_units}")
    reads, writes = recogniser.source_tokenizer, model.target_tokenizer
    if reads.form != writes.form:
        raise ValueError(f"recogniser: it reads {reads.described()}, wanted what this model writes: "
                         f"{writes.described()}")


def read_back(recogniser: Any, texts: list[str], files: list[str], progress: bool = False) -> dict:
    """What a recogniser reads in files, in its own tokens, against the texts that they say."""
    how = answering.checked(answering.Options(), recogniser)
    heard = [best[0].target for best in answering.decode(recogniser, files, how, progress, attention=False)]
    wanted = [[recogniser.target_tokenizer.split(text)] for text in texts]
    return {"read_back_error_rate": metrics.error_rate(heard, wanted),
            "read_back_exact_match": float(np.mean([[a] == right for a, right in zip(heard, wanted)]))}


def write(model: Any, answers: list[Translation], folder: Any, overwrite: bool = False) -> list[str]:
    """Write answers as 1.wav, 2.wav, ... (or .npy) into a folder: all of them, or none.

    Raises
    ------
    NotADirectoryError, FileExistsError
        See core.files.numbered; nothing is written.
    """
    paths = numbered(folder, len(answers), f".{model.target_units}", overwrite)
    signals = [answering.said(model, a) for a in answers]
    Path(folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=LEFT) as new:
        for path, signal in zip(paths, signals):
            frames.write_signal(Path(new) / path.name, model.target_units, signal)
        for path in paths:
            (Path(new) / path.name).replace(path)
    return [str(path) for path in paths]
