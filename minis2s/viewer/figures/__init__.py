"""The pictures of README and the notebooks, made again from code and seeds: PNG and SVG.

A picture is a function that takes the path to draw to.  Models are trained small, with the compiled kernels,
and once for all pictures of one call that want the same.  All pictures are the same bytes every time on one
machine; those of speed while the file of measurements beside them stays.
"""
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from .. import flow, plots
from ...api.seq2seq import attention_of
from ...data.batches import pad
from . import growth, hypothesis_tree, lstm_graph, unrolled

SENTENCES = ["We want to read two novels tomorrow.", "My father can't play the piano.",
             "There are three white birds in the park."]      # all held out
KINDS = {"init": ("initial state only", plots.BLUE, "-."),
         "every-step": ("context at every step", plots.ORANGE, "--"),
         "attention": ("attention", plots.GREEN, "-")}


def lstm_step(path):
    """One LSTM step as a graph: values forwards, gradients backwards."""
    lstm_graph.draw(path)


def encoder_decoder(path):
    """The unrolled encoder-decoder of a trained dates model; attention weights as line widths."""
    (best,), = dates().decode(["27 Sep 1941"])
    unrolled.draw(best.alpha, best.source, best.target, path)


def gradient_flow(path):
    """How far back the gradient of the last state reaches in new cells of three kinds."""
    plots.gradient_norms(flow.side_by_side(T=50), path)


def dates_attention(path):
    """Where a trained dates model looks while it writes: the same parts in other places."""
    texts = ["MARCH 16, 1998", "the 8th of May 1988", "27 sep '41"]
    plots.attention_grid([attention_of(best[0]) for best in dates().decode(texts)], path)


def phrases_attention(path):
    """The same for English to Chinese: time and place stand before the verb, measure words have no source."""
    model = trained("phrases", train=14_000, hidden=64, bidirectional=True, order="before", epochs=8)
    plots.attention_grid([attention_of(best[0]) for best in model.decode(SENTENCES)], path)


def context_kinds(path):
    """Learning curves on addition: what the decoder is told of the source, and when."""
    names = ["held-out loss, teacher forced", "held-out exact match"]
    size = (3.6, 3.1)
    with plots.panel_row(names, path, "epoch", "nats per token", size, sharey=False) as (_, panels):
        for kind, (label, colour, dashes) in KINDS.items():
            rows = addition(kind).records
            epochs = [row["epoch"] for row in rows]
            panels[0].plot(epochs, [row["valid_loss_teacher_forced"] for row in rows], dashes, color=colour,
                           label=label, marker="o")
            panels[1].plot(epochs, [100 * row["valid_exact_match"] for row in rows], dashes, color=colour,
                           label=label, marker="o")
        panels[0].set_ylim(bottom=0)
        panels[0].legend()
        panels[1].set(ylabel="per cent", ylim=(-3, 103))


def forced_and_free(path):
    """Teacher-forced and free-running loss on addition: what feeding its own answers costs a model."""
    names = [label for label, _, _ in KINDS.values()]
    with plots.panel_row(names, path, "epoch", "nats per token") as (_, panels):
        for axes, kind in zip(panels, KINDS):
            rows = addition(kind).records
            epochs = [row["epoch"] for row in rows]
            forced = [row["valid_loss_teacher_forced"] for row in rows]
            free = [row["valid_loss_free_running"] for row in rows]
            axes.fill_between(epochs, forced, free, color="0.9")
            axes.plot(epochs, free, "-", color=plots.GREEN, marker="o", label="free running")
            axes.plot(epochs, forced, "--", color=plots.ORANGE, marker="o", label="teacher forced")
        panels[0].set_ylim(bottom=0)
        panels[0].legend()


def beam_tree(path, text="478+365", width=4):
    """Every hypothesis that a beam of four keeps while a half-trained model adds."""
    model = addition("init")
    ids = model.source_vocab.encode(list(text))
    source, mask = pad([ids[::-1] if model.config.reverse_source else ids])
    longest, right = model.lengths["target"] + 1, sum(map(int, text.split("+")))
    levels = hypothesis_tree.grow(model.params, model.config, source, mask, longest, width)
    title = f"{text} = {right}, and what a half-trained model makes of it by a beam of {width}"
    hypothesis_tree.draw(levels, lambda i: model.target_vocab.decode([i])[0], title, path)


def speed(path):
    """Time against T, B, H and V, from the measurements in speed.jsonl."""
    growth.draw(path)


def share_of_peak(path):
    """Share of the processor's multiply-adds against H, from the same."""
    growth.share_of_peak(path)


FIGURES = {f.__name__: f for f in (
    lstm_step, encoder_decoder, gradient_flow, dates_attention, phrases_attention, context_kinds,
    forced_and_free, beam_tree, speed, share_of_peak)}


def dates():
    """A small model of dates."""
    return trained("dates", train=12_000, epochs=4)


def addition(kind):
    """A small model of addition with one kind of context."""
    attention = "additive" if kind == "attention" else "none"
    return trained("addition", train=14_000, hidden=96, batch=32, epochs=8, context=kind, attention=attention)


@lru_cache(maxsize=None)
def trained(task, train, **options):
    """A model trained on `train` pairs of a built-in task, with the task's options or others."""
    from dataclasses import fields

    from ...api.seq2seq import Seq2Seq
    from ...model.config import Config
    from ...tasks import TASKS, load
    from ...training.loop import Training
    splits = load(task, sizes=dict(train=train, valid=500, test=0))
    made, names = {**TASKS[task].options, **options}, {f.name for f in fields(Config)}
    config = Config(**{k: v for k, v in made.items() if k in names})
    training = Training(**{k: v for k, v in made.items() if k not in names})
    model = Seq2Seq(config, source_units=TASKS[task].source_unit, target_units=TASKS[task].target_unit,
                    backend="numba")
    return model.fit(splits.train, splits.valid, training=training, progress=False)


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
        for suffix in ("png", "svg"):
            FIGURES[name](Path(folder) / f"{name}.{suffix}")
        yield name
