"""How good a model is: its answers against references, and its losses."""
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..data import corpus as corpora
from ..data.text import is_blank
from ..data.vocabulary import EOS
from ..decoding.hypotheses import NEVER
from ..tasks.judge import score
from ..training import loop, metrics
from . import answering, speaking
from .backends import choose_for_texts
from .display import Bar


def evaluate(model: Any, pairs: list, beam: int, length_penalty: float, progress: bool = False,
             judge: Callable | None = None, recogniser: Any = None) -> dict:
    """See `Seq2Seq.evaluate`; with `progress` there are bars on standard error, if that is a terminal.

    With a tasks.judge.Judge there is also "right", the share of answers that its checker finds right, in all and by
    kind.  Answers that are frames are measured in speaking.py.
    """
    speaking.check_recogniser(model, recogniser)
    pairs, tokens, left_out = short_enough(model, pairs)
    if model.config.target == "frames":
        answering.checked(answering.Options(beam=beam, length_penalty=length_penalty), model)
        return {**speaking.evaluate(model, pairs, tokens, progress, judge, recogniser), "too_long": left_out}
    references: dict[str, list] = {}
    for (x, y), (_, cut) in zip(pairs, tokens):
        references.setdefault(x, []).append((y, cut))
    how = answering.checked(answering.Options(beam=beam, length_penalty=length_penalty), model)
    ids = [(*answering.numbered(model, cut), x) for cut, (x, _) in zip(tokens, pairs)]
    v, answered = losses(model, ids, how, progress)
    rest = [x for x in references if x not in answered]
    searched = answering.decode(model, rest, how, progress, attention=False)
    answered.update((x, best[0]) for x, best in zip(rest, searched))
    best = [answered[x] for x in references]
    answers, right = [a.text for a in best], list(references.values())
    said = [[model.target_tokenizer.join(cut) for _, cut in one] for one in right]      # in the form that answers have
    judged = {} if judge is None else {"right": score(judge, list(references), answers, [one[0][0] for one in right])}
    return {
        **judged, "pairs": len(pairs), "sources": len(references), "too_long": left_out, "beam": beam,
        "exact_match": metrics.exact_match(answers, said), "token_accuracy": v.token_accuracy,
        "unknown_tokens": corpora.unknown_share(ids, 1),
        "character_error_rate": metrics.error_rate(answers, said),
        "token_error_rate": metrics.error_rate([a.target for a in best], [[cut for _, cut in one] for one in right]),
        "nll_teacher_forced": v.loss_teacher_forced, "perplexity_teacher_forced": safe_exp(v.loss_teacher_forced),
        "nll_free_running": v.loss_free_running, "perplexity_free_running": safe_exp(v.loss_free_running),
        **metrics.corpus_scores(answers, [[y for y, _ in one] for one in right])}


class Answer(NamedTuple):
    """What is scored of an answering.Translation."""
    text: str
    target: list


def losses(model: Any, ids: list, how: Any, progress: bool) -> tuple:
    """The Validation of examples (source ids, target ids, text), and answers to those texts for which it found them.

    The losses are measured with the model running freely, too.  What it says then is what greedy search would say, so
    that need not be done again.
    """
    answered = {}

    def on_said(indices: list[int], said: np.ndarray) -> None:
        for n, i in enumerate(indices):
            found = finished(said[:, n], how.max_length)
            if found is not None and not is_blank(ids[i][2]):
                target = answering.written(model, found, model.source_tokenizer.split(ids[i][2]))
                answered[ids[i][2]] = Answer(model.target_tokenizer.join(target), target)
    greedy = how.beam == 1 and how.length_penalty == 1
    with Bar(len(ids), "pair", progress) as bar:
        v = loop.validate(model.params, model.config, ids, backend=choose_for_texts(model, len(ids)),
                          on_batch=bar.advance, on_said=on_said if greedy else None)
    return v, answered


def finished(said: np.ndarray, most: int) -> list[int] | None:
    """The ids of greedy search's answer in the tokens that a model said running freely; None unless it ended, after
    `most` tokens at most, and an answer may hold all of them."""
    end = next((i for i, y in enumerate(said[:most]) if y == EOS), None)
    return None if end is None or np.isin(said[:end], NEVER).any() else said[:end].tolist()


def short_enough(model: Any, pairs: list) -> tuple[list, list, int]:
    """The pairs with no side longer than model.max_length, their tokens, and how many were left out."""
    tokens = [(model.source_tokenizer.split(x), model.target_tokenizer.split(y)) for x, y in pairs]
    kept = [i for i, pair in enumerate(tokens) if max(map(len, pair)) <= model.max_length]
    if not kept:
        raise ValueError(f"pairs: all {len(pairs)} are longer than {model.max_length} tokens, the limit of this run "
                         "(max_length)")
    return [pairs[i] for i in kept], [tokens[i] for i in kept], len(pairs) - len(kept)


def safe_exp(x: float) -> float:
    """exp(x), infinite where it would overflow."""
    return math.exp(x) if x < 700 else math.inf
