"""Exact search: the most probable output, with proof, by branch and bound on log-probability.

Part P10.  Source: Land & Doig (1960) for branch and bound; Stahlberg & Byrne (2019) for such models.

Outputs are the leaves of a tree: at the root nothing, at every branch one token more.  There are about
V^max_length of them, but one fact closes most of the tree:

    log p(prefix + more tokens)  <=  log p(prefix)             as no log-probability is positive

So a prefix that is already no more probable than the best finished output known need not be looked at again,
nor anything behind it.  Beam search gives the first "best known"; then the most probable open prefix is
expanded, again and again.  When the most probable open prefix does not beat the best known output, no other
does: proven.

What is proven: of all outputs that end in EOS within max_length tokens (EOS counted, and without PAD, BOS and
UNK) none has a greater log p, up to the rounding of the sums.  Nothing is said of longer outputs, nor of
unfinished ones.
"""
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from itertools import count
from typing import Any

import numpy as np

from ..core import tree, validation
from ..data.vocabulary import EOS
from ..model.config import Config
from .beam import beam
from .hypotheses import Answer, Beam, advance, answer, check_source, ended, extend, select, start

WIDTH = 4                      # of the beam search that finds the first answer to beat
AT_ONCE = 16                   # prefixes expanded as one batch: quicker, though a few are in vain


def exact(p: Any, config: Config, source: np.ndarray, mask: np.ndarray, max_length: int,
          budget: int = 10000) -> list[list[Answer]]:
    """Answer each source with the most probable finished output of at most max_length tokens.

    Parameters
    ----------
    p, config, source, mask, max_length
        See greedy.
    budget : int
        Prefixes to expand for each source at most; those of the beam search that goes before do not count.

    Returns
    -------
    list of N lists of one Answer
        proven=False: the budget was spent before the proof was complete, and this is the best output known.
        score is log_prob.  The answer is always finished: the budget reaches for the empty output at least.

    Raises
    ------
    ValueError, TypeError
        For arrays or numbers that cannot be.
    """
    check(config, source, mask, max_length, budget)
    incumbents = beam(p, config, source, mask, max_length, WIDTH)
    p, live = start(p, config, source, mask)
    return [[branch_and_bound(advance, p, config, live, mask, n, first, max_length, budget)]
            for n, (first,) in enumerate(incumbents)]


def check(config: Config, source: np.ndarray, mask: np.ndarray, max_length: int, budget: int) -> None:
    """Validate the arguments of `exact`; ValueError, TypeError."""
    check_source(config, source, mask, max_length)
    validation.whole("budget", budget, 1)


def branch_and_bound(advance: Callable, p: Any, config: Config, roots: Beam, mask: np.ndarray, n: int, best: Answer,
                     max_length: int, budget: int) -> Answer:
    """Search the tree of source n; `best` is the Answer to beat: -> Answer."""
    least = best.log_prob if best.finished else -np.inf         # what a prefix must exceed to matter
    order = count()                                             # of equally probable prefixes the older first
    open_ = [(0.0, next(order), roots.hypotheses[n], select(roots.state, n))]   # a heap, most probable on top
    while open_ and -open_[0][0] > least and budget > 0:
        popped = [heappop(open_) for _ in range(min(AT_ONCE, budget, len(open_)))]
        budget -= len(popped)
        for batch in alike(popped):
            _, _, prefixes, states = zip(*batch)
            state = tree.map(lambda *rows: np.stack(rows), *states)
            step = advance(p, config, Beam(list(prefixes), roots.source.select([n] * len(batch)), state))
            matters = step.total > least                        # the rest of the tree is cut off here
            matters[[h.length + 1 == max_length for h in prefixes], EOS + 1:] = False   # the last must be EOS
            for h in extend(step, *np.nonzero(matters)):
                if not ended(h):
                    heappush(open_, (-h.log_p, next(order), h, select(step.live.state, h.row)))
                elif h.log_p > least:                           # `least` may have grown in this loop
                    best, least = answer(h, mask), h.log_p
    return best._replace(proven=not open_ or -open_[0][0] <= least)


def alike(entries: list) -> Iterable[list]:
    """Share entries of the heap out into lists whose states have the same shapes.

    Recurrent states all have; what a Transformer keeps grows with the prefix.
    """
    lists: dict[tuple, list] = {}
    for entry in entries:
        lists.setdefault(tuple(a.shape for a in tree.leaves(entry[-1])), []).append(entry)
    return lists.values()
