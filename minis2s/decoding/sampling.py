"""Sampling: draw each token from the model's distribution, whole, tempered or cut to its head.

Part P10.  Top-k: Fan et al. (2018); top-p (nucleus): Holtzman et al. (2020).

    temperature   q_v ~ p_v^(1/temperature): 1 leaves p as it is, near 0 only the most probable is left
    top-k         keep the k most probable tokens
    top-p         keep the smallest set of most probable tokens whose q add up to at least top_p; the token
                  that crosses the line is part of it

in this order; what is kept is scaled to sum to 1.
"""
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import validation
from ..model.config import Config
from .hypotheses import Answer, Beam, advance, answer, check_source, ended, extend, follow, start, top


def sample(p: Any, config: Config, source: np.ndarray, mask: np.ndarray, max_length: int, rng: np.random.Generator,
           temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None) -> list[list[Answer]]:
    """Answer each source with an output drawn at random.

    Parameters
    ----------
    p, config, source, mask, max_length
        See greedy.
    rng : numpy.random.Generator
        Each source draws from a generator of its own, seeded from `rng`.  So its answer depends on the state
        of `rng`, the source and its place in the batch, but not on the other sources.
    temperature : float, more than 0
    top_k : int, optional
    top_p : float, more than 0 and at most 1, optional

    Returns
    -------
    list of N lists of one Answer
        log_prob and score are the model's log p of the answer, without temperature and cuts.

    Raises
    ------
    ValueError, TypeError
        For arrays or numbers that cannot be.
    """
    rngs = check(config, source, mask, max_length, rng, temperature, top_k, top_p)
    p, live = start(p, config, source, mask)
    return draw_all(advance, p, config, live, mask, max_length, rngs, (temperature, top_k, top_p))


def check(config: Config, source: np.ndarray, mask: np.ndarray, max_length: int, rng: np.random.Generator,
          temperature: float, top_k: int | None, top_p: float | None) -> list[np.random.Generator]:
    """Validate the arguments of `sample`: -> a generator for each source.

    Raises
    ------
    ValueError, TypeError
    """
    check_source(config, source, mask, max_length)
    validation.real("temperature", temperature, lambda x: x > 0, "a number, more than 0")
    if top_k is not None:
        validation.whole("top_k", top_k, 1)
    if top_p is not None:
        validation.real("top_p", top_p, lambda x: 0 < x <= 1, "a number, more than 0 and at most 1")
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng: got {type(rng).__name__}, wanted a numpy.random.Generator")
    return [np.random.default_rng(seed) for seed in rng.integers(2**63, size=(source.shape[1],))]


def draw_all(advance: Callable, p: Any, config: Config, live: Beam, mask: np.ndarray, max_length: int,
             rngs: list[np.random.Generator], cut: tuple) -> list[list[Answer]]:
    """Draw an answer to each source, with the given `advance` (see hypotheses.py): -> list of N lists of one Answer."""
    done = []
    while live.hypotheses and live.hypotheses[0].length < max_length:
        step = advance(p, config, live)
        tokens = [draw(rngs[h.n], distribution(log_p, *cut)) for h, log_p in zip(live.hypotheses, step.log_p)]
        new = extend(step, range(len(live.hypotheses)), tokens)
        done += [h for h in new if ended(h)]
        live = follow(step, [h for h in new if not ended(h)])
    done += live.hypotheses                                     # cut off
    return [[answer(h, mask)] for h in sorted(done, key=lambda h: h.n)]


def distribution(log_p: np.ndarray, temperature: float = 1.0, top_k: int | None = None,
                 top_p: float | None = None) -> np.ndarray:
    """What to draw from: log p (V,), -inf for what must not be drawn -> probabilities (V,)."""
    with np.errstate(over="ignore"):                            # a tiny temperature: exp(-inf) = 0 is right
        q = np.exp((log_p - log_p.max()) / temperature)
    if top_k is not None:
        q = only(q, top(log_p, top_k))
    q /= q.sum()
    if top_p is not None and top_p < 1:
        order = np.argsort(-log_p, kind="stable")
        before = np.cumsum(q[order]) - q[order]                 # what the more probable tokens add up to
        q = only(q, order[before < top_p])
    return q / q.sum()


def only(q: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """q with 0 everywhere but at the indices `kept`."""
    cut = np.zeros_like(q)
    cut[kept] = q[kept]
    return cut


def draw(rng: np.random.Generator, q: np.ndarray) -> int:
    """One token with probabilities q: the first at which the running sum passes a uniform number."""
    running = np.cumsum(q)
    return np.searchsorted(running, rng.random() * running[-1], side="right")   # "right" steps over q_v = 0
