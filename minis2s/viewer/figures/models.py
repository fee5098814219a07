"""The small models that the pictures show, each trained once for all pictures of one call, by compiled kernels."""
import sys
from functools import lru_cache


def dates():
    """A small model of dates."""
    return trained("dates", train=12_000, epochs=4)


def phrases():
    """A small model of the task phrases, English to Chinese."""
    return trained("phrases", train=14_000, hidden=64, bidirectional=True, attention_order="before", epochs=8)


def addition(kind):
    """A small model of addition with one kind of context."""
    attention = "additive" if kind == "attention" else "none"
    return trained("addition", train=14_000, hidden=96, batch=32, epochs=8, context=kind, attention=attention)


@lru_cache(maxsize=None)
def trained(task, train, **options):
    """A model trained on `train` pairs of a built-in task, with the task's options or others.

    Raises
    ------
    KeyboardInterrupt
        If training was stopped: no picture shows a model that is not trained to the end.
    """
    from dataclasses import fields

    from ...api.seq2seq import Seq2Seq
    from ...model.config import Config
    from ...tasks import TASKS, load
    from ...training.options import Training
    splits = load(task, sizes=dict(train=train, valid=500, test=0))
    made, names = {**TASKS[task].options, **options}, {f.name for f in fields(Config)}
    config = Config(**{k: v for k, v in made.items() if k in names})
    training = Training(**{k: v for k, v in made.items() if k not in names})
    model = Seq2Seq(config, source_units=TASKS[task].source_unit, target_units=TASKS[task].target_unit,
                    backend="numba")
    model.fit(splits.train, splits.valid, training=training, progress=sys.stderr.isatty())
    if model.stopped_by is not None:
        raise KeyboardInterrupt
    return model
