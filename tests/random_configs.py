"""Random Configs: choices that fit together, of both architectures, of tokens and of frames, small enough to check."""
from minis2s.model.config import CHOICES, Config

RECURRENT = ("cell", "bridge", "attention", "context", "attention_order", "fusion", "readout")
TRANSFORMER = ("norm", "positions", "feed_forward_activation")
FLAGS = ("bidirectional", "input_feeding", "tied_cells", "tied_embedding", "reverse_source", "residual")


def some(rng, names, share):
    """For some of the names, one of the values that CHOICES has."""
    chosen = {name: str(rng.choice(list(CHOICES[name]))) for name in names}
    return {name: value for name, value in chosen.items() if rng.random() < share}


def sizes(rng, **ranges):
    """A whole number for each name, from low to high - 1."""
    return {name: int(rng.integers(low, high)) for name, (low, high) in ranges.items()}


def recurrent(rng):
    """Choices of a recurrent model, which may not fit together."""
    shares = {name: float(rng.choice([0.0, 0.3])) for name in ("dropout", "label_smoothing")}
    found = {**some(rng, RECURRENT, 0.35), **{name: bool(rng.random() < 0.2) for name in FLAGS}, **shares,
             **sizes(rng, source_vocab=(5, 9), target_vocab=(5, 9), embedding=(1, 7), hidden=(1, 7), layers=(1, 3))}
    if rng.random() < 0.2:
        found.update(source="frames", source_vocab=None, **sizes(rng, frame_size=(1, 5), stack=(1, 4)))
    return found


def transformer(rng):
    """Choices of a Transformer."""
    heads = int(rng.integers(1, 4))
    return {**some(rng, TRANSFORMER, 0.6), "architecture": "transformer", "heads": heads,
            "hidden": heads * int(rng.integers(1, 4)),
            **sizes(rng, source_vocab=(5, 9), target_vocab=(5, 9), layers=(1, 3), feed_forward=(1, 9)),
            **{name: float(rng.choice([0.0, 0.3])) for name in ("dropout", "label_smoothing")},
            **{name: bool(rng.random() < 0.3) for name in ("tied_embedding", "reverse_source")}}


def random_config(rng):
    """A Config in float64, drawn until its choices fit together; a quarter of them are Transformers."""
    while True:
        draw = transformer if rng.random() < 0.25 else recurrent
        try:
            return Config(**draw(rng), dtype="float64")
        except (ValueError, TypeError):
            continue


def random_copier(rng):
    """A Config in float64 whose readout copies, drawn likewise."""
    names = "cell", "bridge", "attention", "attention_order", "fusion"
    while True:
        V = int(rng.integers(5, 9))
        found = {**some(rng, names, 0.5), **{name: bool(rng.random() < 0.3) for name in FLAGS if name != "residual"},
                 "dropout": float(rng.choice([0.0, 0.3])),
                 **sizes(rng, embedding=(1, 7), hidden=(1, 7), layers=(1, 3))}
        try:
            return Config(**found, source_vocab=V, target_vocab=V, readout="copy", dtype="float64")
        except (ValueError, TypeError):
            continue


def random_speaker(rng):
    """A Config in float64 whose target is frames, drawn likewise; a third of the sources are frames, too."""
    names = "cell", "bridge", "attention", "context", "attention_order", "fusion", "frame_error"
    while True:
        found = {**some(rng, names, 0.4), "readout": str(rng.choice(["state", "state-context"])),
                 **{name: bool(rng.random() < 0.2) for name in FLAGS if name not in ("tied_embedding", "residual")},
                 "dropout": float(rng.choice([0.0, 0.3])), "source_vocab": int(rng.integers(5, 9)),
                 **sizes(rng, target_frame_size=(1, 5), frames_per_step=(1, 4), embedding=(1, 7), hidden=(1, 7),
                         layers=(1, 3))}
        if rng.random() < 0.3:
            found.update(source="frames", source_vocab=None, **sizes(rng, frame_size=(1, 5), stack=(1, 4)))
        try:
            return Config(**found, target="frames", dtype="float64")
        except (ValueError, TypeError):
            continue
