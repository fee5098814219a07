"""What training says before its first epoch: the preset if there is one, and five lines about data, model and
computation."""
import math
import sys

from ..data import corpus as corpora
from ..data.corpus import Corpus
from ..model import parameters
from ..model.config import Config
from ..training.options import Training
from .backends import choose


def show(settings: str | None, corpus: Corpus, config: Config, training: Training, backend: str) -> None:
    """Print the lines on standard error, after `settings`, a line about a preset or None; where it is closed,
    nothing."""
    first = [] if settings is None else [settings]
    try:
        if sys.stderr is not None:
            print(*first, "\n".join(lines(corpus, config, training, backend)), sep="\n", file=sys.stderr, flush=True)
    except (OSError, ValueError):                       # ValueError: the stream is closed
        pass


def lines(corpus: Corpus, config: Config, training: Training, backend: str) -> list[str]:
    """The five lines: pairs, source, target, model, computation."""
    size = sum(math.prod(shape) for shape in parameters.shapes(config).values())
    batches = math.ceil(len(corpus.train) / training.batch)
    limit = "" if training.minutes is None else f", at most {training.minutes:g} minutes"
    return [*corpora.summary(corpus),
            f"model    {size:,} parameters: {model(config)}, dropout {config.dropout:g}",
            f"compute  {choose(backend).description()}, {config.dtype}; {batches:,} batches of {training.batch}, "
            f"{training.epochs} epochs{limit}"]


def model(config: Config) -> str:
    """The model in a few words."""
    if config.architecture == "transformer":
        return (f"Transformer of {config.hidden}, {config.layers} layer{'s' if config.layers > 1 else ''} on each "
                f"side, {config.heads} heads, feed-forward {config.feed_forward}, {config.norm}-norm")
    cell = f"{config.cell.upper()} of {config.hidden}" + (f", {config.layers} layers" if config.layers > 1 else "")
    ways = " in both directions" if config.bidirectional else ""
    context = (f"{config.attention} attention {config.attention_order} the cell" if config.context == "attention"
               else f"context {config.context}")
    return f"{cell}{ways}, {context}"
