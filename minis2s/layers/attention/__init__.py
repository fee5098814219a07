"""The attention scores by name.

A score is anything with Params, init, keys, keys_backward, score and score_backward: a module will do.
"""
from typing import Callable, NamedTuple

from . import additive, concat_dot, dot, general
from .attend import Memory, attend, attend_backward, remember, remember_backward    # noqa: F401


class Score(NamedTuple):
    """A variant of a score's module: the same names, with other functions bound."""
    Params: type
    init: Callable
    keys: Callable
    keys_backward: Callable
    score: Callable
    score_backward: Callable


scaled = Score(dot.Params, dot.init, dot.keys, dot.keys_backward, dot.scaled_score, dot.scaled_score_backward)

SCORES = {"dot": dot, "scaled": scaled, "general": general, "additive": additive, "concat-dot": concat_dot}
