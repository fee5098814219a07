"""Greedy search: at every step the most probable next token, and never look back.

Part P10; row C4.1d, y_t = argmax p_t.  Source: Sutskever et al. (2014) with a beam of one.

It is quick, and need not find the most probable output: a token that looks best now may lead into a place
where every continuation is poor.  beam.py keeps several ways open, exact.py all that still matter.
"""
from typing import Any

import numpy as np

from ..model.config import Config
from .hypotheses import Answer, advance, answer, check_source, ended, extend, follow, start


def greedy(p: Any, config: Config, source: np.ndarray, mask: np.ndarray, max_length: int) -> list[list[Answer]]:
    """Answer each source with the most probable token at every step; of equally probable ones, the lower id.

    Parameters
    ----------
    p : seq2seq.Params
    config : Config
    source : ndarray of int of shape (T, N)
        As `data.make_batch` pads them (and reverses them, where config.reverse_source).
    mask : ndarray of bool of shape (T, N)
        True = real; padding at the end.
    max_length : int
        Tokens of an answer at most, the EOS counted.

    Returns
    -------
    list of N lists of one Answer
        score is log_prob.  An answer that has no EOS after max_length tokens has finished=False.

    Raises
    ------
    ValueError, TypeError
        For arrays or numbers that cannot be.
    """
    check_source(config, source, mask, max_length)
    p, live = start(p, config, source, mask)
    done = []
    while live.hypotheses and live.hypotheses[0].length < max_length:
        step = advance(p, config, live)
        new = extend(step, range(len(live.hypotheses)), np.argmax(step.total, axis=1))
        done += [h for h in new if ended(h)]
        live = follow(step, [h for h in new if not ended(h)])
    done += live.hypotheses                                     # cut off
    return [[answer(h, mask)] for h in sorted(done, key=lambda h: h.n)]
