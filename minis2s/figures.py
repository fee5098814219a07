"""The pictures of README and the notebooks, made again from code and seeds: PNG and SVG."""
from difflib import get_close_matches
from pathlib import Path


def dates_attention(folder):
    """Where a trained dates model looks while it writes: three kinds of date, the same answer's parts in other places."""
    from . import plots
    from .api import attention_of
    model = trained("dates")
    texts = ["MONDAY, MARCH 16, 1998", "the 8th of January 1988", "27 sep '41"]
    maps = [attention_of(best[0]) for best in model.decode(texts)]
    for suffix in ("png", "svg"):
        plots.attention_grid(maps, Path(folder) / f"dates_attention.{suffix}")


def trained(task, **options):
    """A model trained on a built-in task with the task's own options, or others."""
    from dataclasses import fields

    from .api import Seq2Seq
    from .config import Config
    from .tasks import TASKS, load
    from .train import Training
    splits, made = load(task), {**TASKS[task].options, **options}
    names = {f.name for f in fields(Config)}
    config = Config(**{k: v for k, v in made.items() if k in names})
    training = Training(**{k: v for k, v in made.items() if k not in names})
    model = Seq2Seq(config, source_units=TASKS[task].source_unit, target_units=TASKS[task].target_unit)
    return model.fit(splits.train, splits.valid, training=training)


FIGURES = {f.__name__: f for f in (dates_attention,)}


def draw(names, folder):
    """Draw figures by name (all where none is named) into a folder, yielding each name when it is done.

    Raises
    ------
    ValueError
        For a name that is not in FIGURES.
    """
    for name in names:
        if name not in FIGURES:
            near = get_close_matches(name, FIGURES, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(f"no figure {name!r}, there are {', '.join(FIGURES)}{hint}")
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name in names or FIGURES:
        FIGURES[name](folder)
        yield name
