"""A table of Configs that meets every choice, and the pairs of choices that meet in the decoder."""
import itertools

from minis2s.model.config import Config

SIZES = dict(source_vocab=7, target_vocab=8, embedding=6, hidden=2, dtype="float64")


def config(**choices):
    return Config(**{**SIZES, "cell": "gru", "attention": "general", **choices})


FRAMES = dict(source="frames", source_vocab=None, frame_size=3, stack=2)
SPOKEN = dict(target="frames", target_vocab=None, target_frame_size=3, frames_per_step=2)
PLAIN, LUONG = dict(attention="none"), dict(fusion="tanh", input_feeding=True)

CONFIGS = {
    # every cell without attention
    **{f"plain-{cell}": config(cell=cell, **PLAIN) for cell in ("rnn", "lstm", "gru")},
    "plain-sigmoid": config(cell="rnn-sigmoid", **PLAIN),
    "plain-gru-after": config(cell="gru-after", **PLAIN),
    # every attention in either order
    **{f"{attention}-{order}": config(attention=attention, attention_order=order)
       for attention in ("dot", "scaled", "general", "additive", "concat-dot")
       for order in ("before", "after")},
    "additive-size": config(attention="additive", attention_size=9),
    # every fusion with every readout
    **{f"{fusion}-{readout}-{order}": config(fusion=fusion, readout=readout, attention_order=order)
       for fusion, readout, order in itertools.product(
           ("none", "sum", "sigmoid", "tanh"), ("state", "state-context"), ("before", "after"))
       if (fusion, readout, order) != ("none", "state", "after")},
    # the fused state fed back
    **{f"feeding-{fusion}-{order}": config(fusion=fusion, attention_order=order, input_feeding=True)
       for fusion in ("concat", "sum", "tanh") for order in ("before", "after")},
    "feeding-lstm-none": config(cell="lstm", fusion="none", readout="state-context", input_feeding=True),
    # the final state at every step
    "every-step": config(context="every-step", **PLAIN),
    "every-step-lstm-none": config(cell="lstm", context="every-step", fusion="none", bridge="zeros", **PLAIN),
    "every-step-sigmoid": config(context="every-step", fusion="sigmoid", readout="state-context", layers=2,
                                 **PLAIN),
    "every-step-two-ways": config(context="every-step", bidirectional=True, fusion="tanh", **PLAIN),
    # bridges, directions, layers
    "dense": config(cell="lstm", bridge="dense", layers=2, **PLAIN),
    "zeros": config(bridge="zeros"),
    "two-ways": config(bidirectional=True, **PLAIN),
    "two-ways-additive": config(cell="lstm", bidirectional=True, attention="additive", attention_order="before",
                                layers=2),
    "two-ways-concat-dot": config(bidirectional=True, attention="concat-dot", **LUONG),
    "two-ways-zeros": config(cell="lstm", bidirectional=True, bridge="zeros", fusion="sigmoid", layers=2),
    "three-layers": config(cell="rnn", layers=3, attention_order="before"),
    # ties
    "tied-cells": config(cell="lstm", tied_cells=True, layers=2, **PLAIN),
    "tied-cells-attention": config(tied_cells=True, attention="dot"),
    "tied-embedding": config(tied_embedding=True, embedding=2, fusion="tanh"),
    "tied-embedding-concat": config(tied_embedding=True, embedding=4, attention_order="before"),
    "tied-both": config(cell="gru-after", tied_cells=True, tied_embedding=True, embedding=4, layers=2),
    # training
    "dropout": config(cell="lstm", dropout=0.4, layers=2, bidirectional=True, **LUONG),
    "dropout-readout": config(dropout=0.4, fusion="sum", readout="state-context", attention_order="before"),
    "dropout-tied": config(dropout=0.3, tied_cells=True, tied_embedding=True, embedding=2, layers=2, **PLAIN),
    "smoothing": config(label_smoothing=0.2),
    "frames": config(**FRAMES, cell="lstm", attention_order="before", fusion="tanh"),
    "frames-plain": config(**FRAMES, reverse_source=True, **PLAIN),
    "frames-two-ways": config(**FRAMES, bidirectional=True, attention="additive", dropout=0.3, layers=2),
    "reverse": config(reverse_source=True, cell="lstm", layers=2, **PLAIN),
    "everything": config(cell="gru-after", layers=2, bidirectional=True, attention="additive", attention_size=3,
                         attention_order="before", fusion="tanh", input_feeding=True, readout="state-context",
                         dropout=0.3, label_smoothing=0.1, reverse_source=True),
}

# targets of frames
FRAMES_OUT = {
    "spoken": config(**SPOKEN, cell="lstm", attention_order="before", fusion="tanh"),
    "spoken-plain": config(**SPOKEN, layers=2, frame_error="absolute", **PLAIN),
    "spoken-everything": config(**{**FRAMES, **SPOKEN, "frames_per_step": 1}, bidirectional=True, attention="additive",
                                attention_order="before", dropout=0.3, input_feeding=True, readout="state-context",
                                fusion="tanh", layers=2),
}

# a path around layers; these have no compiled implementation
RESIDUAL = {
    "residual": config(cell="lstm", layers=3, residual=True, **PLAIN),
    "residual-before": config(layers=2, residual=True, attention_order="before", dropout=0.3),
    "residual-two-ways": config(cell="gru-after", layers=3, residual=True, bidirectional=True, attention="additive",
                                **LUONG),
    "residual-tied": config(cell="rnn", layers=2, residual=True, tied_cells=True, tied_embedding=True, embedding=2,
                            **PLAIN),
}


# a readout that copies
def copier(**choices):
    return Config(**{**dict(source_vocab=7, target_vocab=7, embedding=3, hidden=4, cell="gru", dtype="float64",
                            readout="copy"), **choices})


COPYING = {
    "after": copier(), "before": copier(attention_order="before", attention_size=5, cell="lstm"),
    "two-ways": copier(bidirectional=True, attention_order="before", fusion="tanh", input_feeding=True, layers=2),
    "sum": copier(fusion="sum", attention="scaled", dropout=0.4, reverse_source=True),
    "residual": copier(layers=3, residual=True, attention="general"),
}


def transformer(**choices):
    return Config(**{**{k: v for k, v in SIZES.items() if k != "embedding"}, "architecture": "transformer", "hidden": 4,
                     "heads": 2, "feed_forward": 3, **choices})


TRANSFORMERS = {
    **{f"{norm}-{layers}": transformer(norm=norm, layers=layers) for norm in ("pre", "post") for layers in (1, 2)},
    "one-head": transformer(heads=1, norm="post"),
    "six-heads-gelu": transformer(hidden=6, heads=6, feed_forward_activation="gelu"),
    "learned": transformer(positions="learned", max_positions=7),
    "tied": transformer(tied_embedding=True, norm="post"),
    "smoothing-reverse": transformer(label_smoothing=0.2, reverse_source=True),
    **{f"dropout-{norm}": transformer(dropout=0.4, norm=norm, layers=2) for norm in ("pre", "post")},
    "tied-learned-dropout": transformer(positions="learned", max_positions=6, tied_embedding=True, dropout=0.3),
    "everything": transformer(layers=2, hidden=6, heads=3, feed_forward_activation="gelu", norm="post",
                              positions="learned", max_positions=9, tied_embedding=True, dropout=0.3,
                              label_smoothing=0.1, reverse_source=True),
}
