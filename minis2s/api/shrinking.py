"""A smaller run from a run: pruned, trained on if asked for, quantised, and written as files that `load` reads.

Part P13.

    run ── masks ── training goes on with them (retrain) ── bits ── packed weights ──> another run's directory

What the new run answers is what its file holds: `Seq2Seq.load` unpacks it to the same numbers.
"""
import dataclasses
import os
from typing import Any, NamedTuple

from ..training import checkpoint, compression, loop, optimizers, pruning
from ..training.options import Training
from .answering import numbered
from .backends import choose
from .display import Display
from .run import Run
from .seq2seq import Seq2Seq
from .texts import text_pairs

GENTLY = 0.1                        # of the run's first step size: how a pruned model is trained on


class Recipe(NamedTuple):
    """How to make a model smaller."""
    bits: int | None = None         # of each number of a matrix, 1 to 8; None: as they are
    per: str = "channel"            # a scale for each column, or for each "tensor"
    prune: float = 0.0              # share of the matrices' numbers that become 0
    scheme: str = "blind"           # see training/pruning.py
    retrain: int = 0                # passes over the training pairs after pruning


class Shrunk(NamedTuple):
    """What became of a run."""
    before: int                     # bytes of weights.safetensors
    after: int
    zeros: float                    # share of zeros in the matrices


def shrink(path: str | os.PathLike, out: str | os.PathLike, recipe: Recipe, overwrite: bool = False, pairs: Any = None,
           progress: bool = False, backend: str | None = None) -> Shrunk:
    """Make a smaller run.

    Parameters
    ----------
    path : path
        The directory of a run.
    out : path
        The directory to make.
    recipe : Recipe
    overwrite : bool
        Replace the run in `out`.
    pairs : (pairs, validation pairs), optional
        For `recipe.retrain`.
    progress : bool
        Show a bar while training goes on.
    backend : {"numpy", "numba"}, optional
        What computes while training goes on.

    Returns
    -------
    Shrunk

    Raises
    ------
    ValueError, TypeError
        For a recipe that changes nothing or cannot be, and for retraining without pruning or without pairs.
    FileExistsError, FileNotFoundError
    """
    check(recipe, pairs)
    if os.path.realpath(path) == os.path.realpath(out):
        raise ValueError(f"out: {out} is the run itself; name another directory")
    model = Seq2Seq.load(path, backend)
    p = model.params
    masks = pruning.masks(p, recipe.prune, recipe.scheme) if recipe.prune else None
    if recipe.retrain:
        p = retrained(model, Run(path), masks, recipe.retrain, pairs, progress)
    model.params, arrays, description = compression.shrink(p, recipe.bits, recipe.per, masks=masks)
    of_run = {**model._description(), "shrunk": recipe._asdict()}

    def write(run: Run) -> None:
        run.write_model(of_run, model.source_vocab, model.target_vocab)
        checkpoint.save_compressed(run.weights, arrays, description, model.config)
    Run(out).create(write, overwrite)
    return Shrunk(os.path.getsize(Run(path).weights), os.path.getsize(Run(out).weights),
                  pruning.share_of_zeros(model.params))


def check(recipe: Recipe, pairs: Any) -> None:
    """ValueError for a recipe that cannot be; compression.shrink looks at bits and shares."""
    if recipe.bits is None and not recipe.prune:
        raise ValueError("bits, prune: none of them given, so nothing would become smaller")
    if recipe.retrain < 0:
        raise ValueError(f"retrain={recipe.retrain}: wanted 0 or more")
    if recipe.retrain and not recipe.prune:
        raise ValueError("retrain: for a model that was pruned; give prune")
    if recipe.retrain and pairs is None:
        raise ValueError("retrain: needs the pairs that the run was trained on")
    if recipe.bits is not None:
        compression.quantization.check(recipe.bits, recipe.per)
    pruning.check(recipe.prune, recipe.scheme)


def retrained(model: Seq2Seq, run: Run, masks: Any, epochs: int, pairs: Any, progress: bool) -> Any:
    """Train on with what was pruned held at 0: -> the best Params."""
    stored = run.read_model()[0].get("training")
    usual = Training(**stored) if stored else Training()
    training = dataclasses.replace(usual, epochs=epochs, minutes=None, lr=GENTLY * usual.lr, lr_final=None, warmup=None,
                                   schedule="constant", teacher_final=None)
    train_set, valid_set = ([numbered(model, (model.source_tokenizer.split(x), model.target_tokenizer.split(y)))
                             for x, y in text_pairs(name, part)] for name, part in zip(("pairs", "valid"), pairs))
    p = pruning.apply(model.params, masks)
    start = loop.begin(model.config, training)._replace(params=p, optimizer=optimizers.start(p), best=p)
    with Display(training, len(train_set), start, progress) as show:
        end = loop.run(model.config, training, train_set, valid_set, start, on_step=show.step, on_record=show.epoch,
                       backend=choose(model.backend), project=lambda q: pruning.apply(q, masks))
    return end.best
