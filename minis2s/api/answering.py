"""Answers to texts: options are checked, texts cut, searched for in batches, and notes made about each answer."""
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..core import validation
from ..core.backend import Backend
from ..data import corpus as corpora, pictures
from ..data.batches import pad_sources
from ..data.text import is_blank
from ..decoding import rough
from . import notes, signals
from .backends import choose_for_texts
from .display import Bar
from .texts import check_characters

METHODS = {"beam": ("precision",), "sample": ("temperature", "top_k", "top_p"), "exact": ("budget",)}
#                                     and options of their own
EXTRA = 10                          # tokens that an answer may be longer than the longest target trained on
WIDEST = 10_000                     # hypotheses of a beam
AT_ONCE = 1 << 15                   # tokens of a batch, padding too: so long texts go in smaller batches


class Translation(NamedTuple):
    """One answer to one text."""
    text: str                       # "" where the target is frames
    source: list                    # tokens read
    target: list                    # tokens written; alpha has one row more, for the end, where it was reached
    #                                 or frames written (T, F); alpha has a row for each step
    log_prob: float                 # log p of the answer, nats; NaN of frames, as is the score
    score: float                    # what it was ranked by
    alpha: np.ndarray               # (rows, len(source)) attention weights, or None
    finished: bool                  # False: cut off at the greatest length
    notes: tuple                    # unknown tokens, unusual length, an answer cut off: sentences
    proven: bool                    # from the exact search: no other answer is more probable


class Options(NamedTuple):
    """How to decode; see `Seq2Seq.decode`."""
    method: str = "beam"
    beam: int = 1
    nbest: int = 1
    length_penalty: float = 1.0
    max_length: int | None = None
    batch: int = 128
    seed: int = 0
    own: dict = {}                  # options of the method


def checked(how: Options, model: Any) -> Options:
    """The Options, with the greatest length that follows from the model's training pairs and learned positions.

    Raises
    ------
    ValueError, TypeError
        For options that cannot be, or are not the method's.
    """
    how = how._replace(own={name: x for name, x in how.own.items() if name != "precision" or x is not None})
    if model.config.target == "frames" and how._replace(max_length=None, batch=1, seed=0) != Options(batch=1):
        raise ValueError("target=frames: frames are written one after the other; there is neither a beam nor sampling")
    if how.method not in tuple(METHODS):
        raise ValueError(f"method={how.method!r}: choose one of {', '.join(METHODS)}")
    for name in how.own:
        if name not in METHODS[how.method]:
            known = ", ".join(METHODS[how.method]) or "none of its own"
            raise TypeError(f"{name}: no option of method={how.method!r}, which has {known}")
    for name in ("beam", "nbest", "batch"):
        validation.whole(name, getattr(how, name), 1)
    validation.whole("nbest", how.nbest, 1, how.beam)
    if how.max_length is not None:                              # numbers that would take days or all memory
        validation.whole("max_length", how.max_length, 1, notes.LONGEST)
    validation.whole("beam", how.beam, 1, WIDEST)
    if how.method != "beam" and (how.beam != 1 or how.length_penalty != 1):
        raise ValueError(f"beam={how.beam!r}, length_penalty={how.length_penalty!r}: options of method='beam', "
                         f"not of {how.method!r}")
    validation.whole("seed", how.seed, 0)
    if "precision" in how.own:
        rough.check(how.own["precision"], model.config.readout == "copy")
    if how.max_length is not None:
        return how
    usual = model.lengths["target"] + EXTRA * (model.config.frames_per_step or 1)
    return how._replace(max_length=min(usual, model.config.max_positions or usual))


def check_texts(texts: Any) -> None:
    """TypeError unless `texts` is a list of strings."""
    if not isinstance(texts, (list, tuple)):
        raise TypeError(f"texts: got {type(texts).__name__}, wanted a list of strings")
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"texts[{i}]: got {type(text).__name__}, wanted a string")
        check_characters(f"texts[{i}]", text)


def decode(model: Any, texts: list[str], how: Options, progress: bool = False,
           attention: bool = True) -> list[list[Translation]]:
    """-> for each text a list of Translation, the best first; a blank text is answered by a blank one.

    With `progress` there is a bar on standard error, if that is a terminal.  Attention weights are kept only if
    `attention` is true: those of many long texts take gigabytes.
    """
    tokens = [[] if is_blank(t) else model.source_tokenizer.split(t) for t in texts]
    answers = [[unread(t)] for t in tokens]
    read = [i for i, t in enumerate(tokens) if 0 < len(t) <= notes.LONGEST]
    backend, at = choose_for_texts(model, len(read), how.own.get("precision")), 0
    with Bar(len(read), "text", progress) as bar:
        for chosen in batches(read, tokens, how.batch):
            for i, best in zip(chosen, search(model, [tokens[i] for i in chosen], how, at, backend)):
                answers[i] = [translation(model, tokens[i], a if attention else a._replace(alpha=None)) for a in best]
            at += len(chosen)
            bar.advance(len(chosen))
            signals.check()
    return [[a._replace(notes=notes.of(model, a)) for a in best] for best in answers]


def batches(indices: list[int], tokens: list, count: int) -> Iterator[list[int]]:
    """Share texts out into batches of similar lengths: at most `count` texts, and AT_ONCE tokens, in each."""
    batch: list[int] = []
    for i in sorted(indices, key=lambda i: len(tokens[i])):
        if batch and (len(batch) == count or (len(batch) + 1) * len(tokens[i]) > AT_ONCE):
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def unread(tokens: Any) -> Translation:
    """The answer to a text that is not read, because it is blank or too long."""
    return Translation("", tokens, [], 0.0, 0.0, None, not len(tokens), (), False)


def search(model: Any, tokens: list, how: Options, at: int, backend: Backend) -> list:
    """Search answers to one batch of token lists; `at` counts the texts before it, for the random numbers."""
    ids = [numbered(model, (t, []))[0] for t in tokens]
    source, mask = pad_sources([x[::-1] for x in ids] if model.config.reverse_source else ids, model.config.dtype)
    args = (model.params, model.config, source, mask, how.max_length)
    if model.config.target == "frames":
        return [[a] for a in backend.write(*args[:-1], math.ceil(how.max_length / model.config.frames_per_step))]
    if how.method == "sample":
        return backend.sample(*args, np.random.default_rng((how.seed, at)), **how.own)
    if how.method == "exact":
        return backend.exact(*args, **how.own)
    if how.beam == 1 and how.length_penalty == 1:
        return backend.greedy(*args, **how.own)
    return backend.beam(*args, how.beam, how.length_penalty, how.nbest, **how.own)


def numbered(model: Any, pair: tuple) -> tuple:
    """Tokens of (source, target) -> their numbers, a pair."""
    return corpora.numbered((model.source_vocab, model.target_vocab), pair, model.config.readout == "copy")


def written(model: Any, ids: Any, source: list) -> list:
    """Numbers of an answer -> tokens; those that were copied are tokens of the source."""
    return model.target_vocab.decode(ids, source if model.config.readout == "copy" else ())


def translation(model: Any, source: list, answer: Any) -> Translation:
    """decoding's Answer to source tokens -> Translation."""
    alpha = answer.alpha
    if alpha is not None and model.config.reverse_source:
        alpha = alpha[:, ::-1]                              # back to the order of the text
    if model.config.target == "frames":
        return Translation("", source, answer.frames, math.nan, math.nan, alpha, answer.finished, (), False)
    target = written(model, answer.ids, source)
    return Translation(model.target_tokenizer.join(target), source, target, answer.log_prob, answer.score, alpha,
                       answer.finished, (), answer.proven)


def said(model: Any, a: Translation) -> Any:
    """What an answer is for a person: a text; of frames a signal, (samples, rate) or an array (T, F)."""
    return a.text if model.config.target == "tokens" else model.target_tokenizer.join(a.target)


def frames_and_attention(model: Any, a: Translation) -> tuple:
    """Translation from or to frames -> (frames (T, F) or pixels (H, W, C), alpha, labels) for the plots.

    A row of the weights belongs to a target token, and a column to a step of the source's frames; where the target is
    frames a row belongs to a token of the source, and a column to a step of the target.
    """
    reads = model.config.target == "tokens"
    reader, steps = (model.source_tokenizer, a.source) if reads else (model.target_tokenizer, a.target)
    frames = reader.frames(steps)
    picture = pictures.from_columns(frames, reader.form[1]) if reader.unit == "png" else frames.T[::-1, :, None]
    if reads:
        return picture, a.alpha, a.target + ["<eos>"] * (len(a.alpha) - len(a.target))
    names = a.source if model.config.source == "tokens" else [str(i + 1) for i in range(len(a.source))]
    return picture, a.alpha.T, names


def attention_of(a: Translation) -> tuple:
    """Translation -> (alpha, source labels, target labels) for the plots; the end of the answer has a row."""
    return a.alpha, a.source, a.target + ["<eos>"] * (len(a.alpha) - len(a.target))
