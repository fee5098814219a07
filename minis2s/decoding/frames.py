"""Frames written freely: each step is fed the last frame of the step before, until one says stop.

Row U9.  What greedy search is for tokens.  There is nothing to search: a step says its frames, and not how probable
others are.  So there is neither a beam nor sampling.
"""
from typing import Any, NamedTuple

import numpy as np

from ..layers import frame_output
from ..model import architectures
from .hypotheses import check_source


class Written(NamedTuple):
    """What was written for one source.

    frames : ndarray of shape (steps r, F).
    alpha : ndarray of shape (steps, real source positions), or None without attention.
    finished : bool, whether a step said stop, p(stop) > 1/2, within the greatest length.
    """
    frames: np.ndarray
    alpha: Any
    finished: bool


def write(p: Any, config: Any, source: np.ndarray, mask: np.ndarray, max_steps: int) -> list[Written]:
    """Write frames for each source until a step's score of the stop is positive; rows never look at another row.

    Parameters
    ----------
    p : seq2seq.Params
    config : Config
        With target="frames".
    source : ndarray of shape (T, N), or (T, N, F) of frames
    mask : ndarray of bool of shape (T, N)
    max_steps : int

    Returns
    -------
    list of N Written

    Raises
    ------
    ValueError, TypeError
        For arrays or numbers that cannot be, and for a model that writes tokens.
    """
    check(config, source, mask, max_steps)
    step, F, N = architectures.of(config).step, config.target_frame_size, source.shape[1]
    p, encoded, state = architectures.of(config).start(p, config, source, mask)
    y = np.zeros((N, F), config.dtype)
    outs: list = []
    alphas: list = []
    ended = np.full(N, max_steps)                               # the number of steps, the stop's counted
    while len(outs) < max_steps and (ended == max_steps).any():
        out, state, alpha = step(p, config, encoded, y, state)
        y = frame_output.last_frame(out, F)
        outs.append(out)
        alphas.append(alpha)
        ended = np.where((out[:, -1] > 0) & (ended == max_steps), len(outs), ended)
    said, a = frame_output.split(np.stack(outs), config.frames_per_step)

    def one(n: int) -> Written:
        steps = min(int(ended[n]), len(outs))
        weights = None if alphas[0] is None else np.stack([alpha[mask[:, n], n] for alpha in alphas[:steps]])
        return Written(said[:steps, n].reshape(-1, F), weights, bool(a[steps - 1, n] > 0))
    return [one(n) for n in range(N)]


def check(config: Any, source: np.ndarray, mask: np.ndarray, max_steps: int) -> None:
    """Validate the arguments of `write`; ValueError, TypeError."""
    if config.target != "frames":
        raise ValueError(f"config: target={config.target}, wanted frames; tokens are for greedy search")
    check_source(config, source, mask, max_steps)
