"""Beam search: keep the K most probable hypotheses of each length, in place of greedy's one.

Part P10.  Source: Sutskever et al. (2014); length normalisation: Wu et al. (2016), in its plain form.

One step, for one source with beginnings of length l:

    1.  every live hypothesis, extended by every token, is a candidate: log p(new) = log p(old) + log p(token)
    2.  the K most probable candidates stay (all have length l+1, so log p compares them fairly)
    3.  those of them that end in EOS are finished and put aside; the others are the live ones of length l+1

Finished ones have different lengths, and every further token makes an output less probable, so log p alone
favours short outputs.  Therefore they are ranked by score = log p / length**a.  With a = 0 that is log p,
with a = 1 the mean log p of a token.

When to stop.  A live hypothesis with log p = L can still reach L / max_length**a at most: more tokens only
lower log p, which is not positive, and a negative number divided by length**a is greatest at the greatest
length, as a >= 0.  The live one with the greatest L has the greatest of these bounds.  So when the n-best
list is full, and its last entry's score is not below that bound, nothing live can displace it.
"""
import math
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np

from ..core import validation
from ..model.config import Config
from .hypotheses import (
    Answer, Hypothesis, Step, advance, answer, check_source, ended, extend, follow, score, start, top
)


def beam(p: Any, config: Config, source: np.ndarray, mask: np.ndarray, max_length: int, width: int,
         length_penalty: float = 0.0, nbest: int = 1) -> list[list[Answer]]:
    """Answer each source with the best outputs that a beam of `width` hypotheses finds.

    Parameters
    ----------
    p, config, source, mask, max_length
        See greedy.
    width : int
        K, hypotheses kept for each source; 1 is greedy search.
    length_penalty : float, 0 or more
        a: answers are ranked by log p / length**a, the EOS counted.  Usual values lie between 0 and 1.
    nbest : int, at most `width`
        Answers for each source.

    Returns
    -------
    list of N lists of Answer, best first
        All of a list are different.  Finished answers come first; unfinished ones, cut off at max_length,
        only fill the list up.  It is shorter than `nbest` only where there are no more outputs.

    Raises
    ------
    ValueError, TypeError
        For arrays or numbers that cannot be.
    """
    check(config, source, mask, max_length, width, length_penalty, nbest)

    def rank(hypotheses: list[Hypothesis]) -> list[Hypothesis]:
        return sorted(hypotheses, key=lambda h: -score(h, length_penalty))

    def may_enter(best: Any, kept: list[Hypothesis]) -> bool:                                  # see "When to stop"
        bound = best.log_p / max_length ** length_penalty
        return len(kept) < nbest or bound > score(kept[-1], length_penalty)

    p, live = start(p, config, source, mask)
    kept: list[list[Hypothesis]] = [[] for _ in live.hypotheses]    # for each source, finished ones, best first
    while live.hypotheses and live.hypotheses[0].length < max_length:
        step = advance(p, config, live)
        going = []
        for n, new in candidates(step, width):
            kept[n] = rank(kept[n] + [h for h in new if ended(h)])[:nbest]
            new = [h for h in new if not ended(h)]
            if new and may_enter(new[0], kept[n]):
                going += new
        live = follow(step, going)
    for h in live.hypotheses:                                   # cut off; they stand best first
        kept[h.n].append(h)
    return [[answer(h, mask, length_penalty) for h in best[:nbest]] for best in kept]


def check(config: Config, source: np.ndarray, mask: np.ndarray, max_length: int, width: int, length_penalty: float,
          nbest: int) -> None:
    """ValueError, TypeError for arrays or numbers that cannot be."""
    check_source(config, source, mask, max_length)
    validation.whole("width", width, 1)
    validation.whole("nbest", nbest, 1, width)
    validation.real("length_penalty", length_penalty, lambda a: a >= 0 and a * math.log(max_length + 1) < 700,
                    f"a number, 0 or more, with which {max_length} ** it is one")


def candidates(step: Step, width: int) -> Iterator[tuple[int, list[Hypothesis]]]:
    """Yield for each source that is live: n, its `width` most probable extended hypotheses, best first."""
    rows, V = range(len(step.live.hypotheses)), step.total.shape[1]
    for n, neighbours in groupby(rows, key=lambda row: step.live.hypotheses[row].n):
        group = np.array(list(neighbours))
        row, token = np.divmod(top(step.total[group].ravel(), width), V)
        yield n, extend(step, group[row], token)
