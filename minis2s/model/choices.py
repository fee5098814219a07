"""The choices of a Config: the values that each may have, its names in version 0.1, and combinations that cannot be."""
from collections import ChainMap
from typing import Any

from ..layers import frame_output
from ..layers.attention import SCORES
from ..layers.cells import CELLS
from ..layers.feed_forward import PHI
from ..layers.positions import KINDS
from ..layers.residual import NORMS

CHOICES: dict[str, Any] = {
    "source": ("tokens", "frames"),
    "target": ("tokens", "frames"),
    "frame_error": frame_output.ERRORS,
    "architecture": ("recurrent", "transformer"),
    "cell": CELLS,                                      # the tables themselves: yours may join them
    "bridge": ("copy", "dense", "zeros"),
    "attention": ChainMap[str, Any](SCORES, {"none": None}),
    "context": ("init", "every-step", "attention"),
    "attention_order": ("before", "after"),
    "fusion": ("none", "concat", "sum", "sigmoid", "tanh"),
    "readout": ("state", "state-context", "copy"),
    "norm": NORMS,
    "positions": KINDS,
    "feed_forward_activation": tuple(PHI),
    "dtype": ("float32", "float64"),
}
# the choices that only one of the architectures has
RECURRENT = ("source", "frame_size", "stack", "target", "target_frame_size", "frames_per_step", "frame_error",
             "cell", "embedding", "residual", "bidirectional", "bridge", "attention",
             "attention_size", "context", "attention_order", "fusion", "input_feeding", "readout", "tied_cells")
# what None of these becomes besides the defaults
USUAL = {"bridge": "copy", "attention": "additive", "context": "attention", "fusion": "concat"}
TRANSFORMER = ("heads", "feed_forward", "feed_forward_activation", "norm", "positions", "max_positions")


def renamed(values: dict) -> dict:
    """A dict of choices with the names of today, from one that may have those of version 0.1: order, activation, reset.

    Raises
    ------
    ValueError
        For an activation or a reset that no cell of this kind has.
    """
    values = dict(values)
    if "order" in values:
        values["attention_order"] = values.pop("order")
    activation, reset = values.pop("activation", "tanh"), values.pop("reset", "before")
    cell = values.get("cell", "lstm")
    for name, value, usual, where, new in (("activation", activation, "tanh", "rnn", {"sigmoid": "rnn-sigmoid"}),
                                           ("reset", reset, "before", "gru", {"after": "gru-after"})):
        if value == usual or cell == new.get(value):
            continue
        if value not in new or cell != where:
            raise ValueError(f"{name}={value} with cell={cell}: choose one of the cells {', '.join(CELLS)}")
        values["cell"] = new[value]
    return values


def impossible_source(c: Any) -> list[tuple[bool, str]]:
    """Pairs for a Config `c`: a condition that must not hold, and why."""
    is_frames = c.source == "frames"
    return [
        (is_frames and c.source_vocab is not None,
         f"source_vocab={c.source_vocab} with source=frames: frames have no vocabulary; frame_size is their "
         "size"),
        (not is_frames and c.frame_size is not None,
         f"frame_size={c.frame_size} with source=tokens: tokens have none; take source=frames"),
        (not is_frames and c.stack is not None,
         f"stack={c.stack} with source=tokens: only frames are stacked; take source=frames"),
    ]


def impossible_target(c: Any) -> list[tuple[bool, str]]:
    """Pairs for a Config `c`: a condition that must not hold, and why."""
    is_frames = c.target == "frames"
    return [
        (is_frames and c.target_vocab is not None,
         f"target_vocab={c.target_vocab} with target=frames: frames have no vocabulary; target_frame_size is their "
         "size"),
        *((not is_frames and getattr(c, name) is not None,
           f"{name}={getattr(c, name)} with target=tokens: tokens have none; take target=frames")
          for name in ("target_frame_size", "frames_per_step", "frame_error")),
        (is_frames and c.tied_embedding, "tied_embedding with target=frames: frames have no table of embeddings"),
        (is_frames and c.label_smoothing > 0,
         f"label_smoothing={c.label_smoothing} with target=frames: it is for probabilities of tokens"),
    ]


def impossible_transformer(c: Any) -> list[tuple[bool, str]]:
    """Pairs for a Config `c`: a condition that must not hold, and why."""
    return [
        (c.hidden % c.heads != 0,
         f"heads={c.heads} must divide hidden={c.hidden}: every head has hidden/heads numbers of a state"),
        (c.max_positions is not None and c.positions != "learned",
         f"max_positions={c.max_positions} is for learned positions; positions={c.positions} have no end"),
    ]


def impossible_copy(c: Any) -> list[tuple[bool, str]]:
    """Pairs for a Config `c`: a condition that must not hold, and why."""
    return [
        (c.readout == "copy" and c.context != "attention",
         f"readout=copy copies what attention looks at; context={c.context} has none"),
        (c.readout == "copy" and c.fusion == "concat",
         "readout=copy with fusion=concat would read the context twice; take fusion=none"),
        (c.readout == "copy" and "frames" in (c.source, c.target),
         f"readout=copy copies words; source={c.source} with target={c.target} has none to read or to write"),
        (c.readout == "copy" and c.source_vocab != c.target_vocab,
         f"readout=copy needs one vocabulary for both sides; source_vocab={c.source_vocab}, "
         f"target_vocab={c.target_vocab}"),
        (c.readout == "copy" and c.label_smoothing > 0,
         f"readout=copy with label_smoothing={c.label_smoothing}: a word of another source has probability 0, so "
         "its logarithm cannot be smoothed; take 0"),
    ]


def impossible_recurrent(c: Any) -> list[tuple[bool, str]]:
    """Pairs for a Config `c`: a condition that must not hold, and why."""
    has_context, two = c.context != "init", c.bidirectional
    return [
        (c.residual and c.layers == 1,
         "residual with layers=1: the path leads around every layer but the first; take layers=2 or more"),
        ((c.context == "attention") != (c.attention != "none"),
         f"context={c.context} with attention={c.attention}: context=attention needs an attention score, and "
         "the other contexts have none"),
        (c.attention_size is not None and c.attention != "additive",
         f"attention_size is the additive score's hidden layer; attention={c.attention} has none"),
        (c.attention in ("dot", "scaled") and two,
         f"attention={c.attention} multiplies s ({c.hidden}) with h_i ({c.encoder_size}): sizes "
         "differ with two directions; take general or additive"),
        (c.attention_order != "after" and c.context != "attention",
         f"attention_order=before needs attention; context={c.context} has none"),
        (c.bridge == "copy" and two,
         f"bridge=copy would hand {c.encoder_size} numbers of two directions to a state of "
         f"{c.hidden}; take dense"),
        (c.bridge == "zeros" and not has_context,
         "bridge=zeros with context=init: the decoder would know nothing of the source"),
        (c.fusion != "none" and not has_context,
         f"fusion={c.fusion} mixes state and context; context=init has none"),
        (c.fusion == "sum" and two,
         f"fusion=sum adds s ({c.hidden}) and ctx ({c.encoder_size}): sizes differ with two directions"),
        (c.readout == "state-context" and not has_context,
         "readout=state-context reads a context; context=init has none"),
        (c.readout == "state-context" and c.fusion == "concat",
         "readout=state-context with fusion=concat would read the context twice; take readout=state"),
        (c.attends_after and c.fusion == "none" and c.readout == "state",
         "attention after the cell with fusion=none and readout=state: nothing would read the context"),
        (c.input_feeding and c.context != "attention",
         f"input_feeding needs attention; context={c.context} has none"),
        (c.tied_cells and two,
         "tied_cells with two directions: the encoder has two cells, the decoder one"),
        (c.tied_cells and c.decoder_input_size != c.embedding,
         f"tied_cells: the encoder's cell reads {c.embedding} numbers, the decoder's "
         f"{c.decoder_input_size}; feed no context to the cell"),
        (c.tied_embedding and c.readout_size != c.embedding,
         f"tied_embedding: the readout reads {c.readout_size} numbers, an embedding has {c.embedding}; "
         f"set embedding={c.readout_size} or another fusion"),
    ] + impossible_copy(c)
