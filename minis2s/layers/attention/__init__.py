"""Attention of one query over the encoder's states; the scores by name, one file each.

Start with attend.py, then dot.py.

A score is anything with the attributes of `Score`: a module with these functions will do.  A file here may import
core/ and linear.py.
"""
from collections.abc import Callable
from typing import Any, NamedTuple

from . import additive, concat_dot, dot, general
from .attend import Memory, Score, attend, attend_backward, precompute_keys, precompute_keys_backward  # noqa: F401


class BoundScore(NamedTuple):
    """A score's functions under their usual names, where a module holds several scores."""
    Params: Any
    init: Callable
    keys: Callable
    keys_backward: Callable
    score: Callable
    score_backward: Callable


scaled = BoundScore(dot.Params, dot.init, dot.keys, dot.keys_backward, dot.scaled_score, dot.scaled_score_backward)

SCORES: dict[str, Score] = {"dot": dot, "scaled": scaled, "general": general, "additive": additive,
                            "concat-dot": concat_dot}
BUILT_IN = dict(SCORES)        # without those that a person adds to the table: they have no compiled implementation
