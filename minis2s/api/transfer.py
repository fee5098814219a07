"""What one trained model hands to another: its weights as a start, or its answers and probabilities to learn from.

Part P16 (transfer), Part P13 (distillation).

    warm start      all weights of an equal model; rows of embeddings and columns of the readout token by token
    word level      each training batch gets the teacher's distributions beside its targets (layers/distillation.py)
    sequence level  the training targets are replaced by the teacher's answers (Kim & Rush 2016)
"""
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..core import tree
from ..data.batches import Batch
from ..layers import distillation
from ..model import parameters
from .backends import choose

LEVELS = ("word", "sequence")
SHARE = 0.5                         # of the teacher, in word-level distillation
# arrays with a row for each token: which vocabulary's, along which axis
SIDES = {"encoder.embedding": ("source_vocab", 0), "decoder.embedding": ("target_vocab", 0),
         "decoder.readout.W": ("target_vocab", 1), "decoder.readout.b": ("target_vocab", 0)}


def started(model: Any, other: Any, seed: int) -> Any:
    """First parameters of a model, taken from another one: -> Params.

    Parameters
    ----------
    model, other : Seq2Seq
        With vocabularies; Configs that differ in the sizes of these, in dropout and smoothing only.
    seed : int
        For the rows of tokens that the other model does not know.

    Raises
    ------
    ValueError
        For another Config, naming the first choice that differs.
    """
    free = dict(source_vocab=model.config.source_vocab, target_vocab=model.config.target_vocab,
                dropout=model.config.dropout, label_smoothing=model.config.label_smoothing)
    for name, value in replace(other.config, **free).to_json().items():
        if value != getattr(model.config, name):
            raise ValueError(f"start: its {name} is {value}, this model's {getattr(model.config, name)}; the weights "
                             f"of one do not fit the other")
    p = parameters.init(model.config, seed)
    given = dict(tree.named(other.params))
    return tree.replace(p, {name: by_token(name, a, given[name], model, other) for name, a in tree.named(p)})


def by_token(name: str, a: np.ndarray, given: np.ndarray, model: Any, other: Any) -> np.ndarray:
    """An array of `started`: the other's, but where tokens have rows the other's row for each token that it knows."""
    side, axis = SIDES.get(name, (None, 0))
    if side is None or getattr(model.config, side) is None:             # frames have no tokens
        return given.copy()
    mine, theirs = getattr(model, side), getattr(other, side)
    known = {token: i for i, token in enumerate(theirs.symbols)}
    to, of = zip(*[(i, known[token]) for i, token in enumerate(mine.symbols) if token in known])
    a = a.copy()
    np.moveaxis(a, axis, 0)[list(to)] = np.moveaxis(given, axis, 0)[list(of)]
    return a


def check_teacher(model: Any, teacher: Any) -> None:
    """ValueError unless a teacher reads and writes the same tokens as its student."""
    for side in ("source_vocab", "target_vocab"):
        mine, theirs = getattr(model, side), getattr(teacher, side)
        if mine != theirs:
            raise ValueError(f"teacher: its {side} has {len(theirs)} tokens, the student's {len(mine)}, or others; a "
                             f"teacher and its student need the same pairs and units")
    if teacher.config.reverse_source != model.config.reverse_source:
        raise ValueError("teacher: one of the two reads the source from its end (reverse_source), the other does not")


def with_teacher(teacher: Any, share: float = SHARE) -> Callable[[Batch], Batch]:
    """-> a function for loop.run: a Batch with the teacher's distributions among its targets, (KD1)."""
    backend = choose(teacher.backend)

    def prepare(batch: Batch) -> Batch:
        logits = backend.logits(teacher.params, teacher.config, batch)
        return batch._replace(targets=distillation.soft_targets(batch.targets, logits, share))
    return prepare


def taught(teacher: Any, pairs: list[tuple[str, str]], beam: int = 5) -> list[tuple[str, str]]:
    """Pairs of the same sources with the teacher's answers; those that it cannot finish are left out."""
    sources = list(dict.fromkeys(x for x, _ in pairs))
    answers = teacher.decode(sources, beam=beam)
    return [(x, best[0].text) for x, best in zip(sources, answers) if best[0].finished and best[0].text.strip()]
