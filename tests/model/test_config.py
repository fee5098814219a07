"""Config: what cannot be is refused with the reason; everything that can be is met by the table."""
import dataclasses
import json
import re

import numpy as np
import pytest

from configs import CONFIGS, COPYING, FRAMES_OUT, RESIDUAL, SIZES, TRANSFORMERS, config, transformer
from minis2s.layers.attention import SCORES
from minis2s.layers.cells import CELLS
from minis2s.layers.fusion import PHI
from minis2s.model import parameters
from minis2s.model.config import CHOICES, Config


def refused(error, sentence, **choices):
    with pytest.raises(error, match="^" + re.escape(sentence) + "$"):
        Config(**{**SIZES, **choices})


@pytest.mark.parametrize("name", CHOICES)
def test_another_name_is_refused(name):
    refused(ValueError, f"{name}='gur': choose one of {', '.join(CHOICES[name])}", **{name: "gur"})


@pytest.mark.parametrize("name",
                         sorted(CHOICES.keys() - {"attention", "bridge", "context", "fusion", "norm", "positions",
                                                  "feed_forward_activation", "frame_error"}))
def test_none_stands_only_for_the_usual_choice(name):
    refused(ValueError, f"{name}=None: choose one of {', '.join(CHOICES[name])}", **{name: None})


@pytest.mark.parametrize("name, choice", [(name, choice) for name in CHOICES for choice in CHOICES[name]])
def test_every_choice_is_met_by_the_table(name, choice):
    accepted = [getattr(c, name) for c in (*CONFIGS.values(), *COPYING.values(), *FRAMES_OUT.values(),
                                           *TRANSFORMERS.values())]
    if (name, choice) == ("dtype", "float32"):                    # gradient checks need float64
        accepted.append(Config(7, 8).dtype)
    assert choice in accepted


FRAME_SIZES = ["frame_size", "stack"]
TARGET_SIZES = ["target_frame_size", "frames_per_step"]
SIZES_OF_ONE = ["embedding", "hidden", "layers", "attention_size"]
TRANSFORMER_SIZES = ["heads", "feed_forward", "max_positions"]
VOCABULARIES = ["source_vocab", "target_vocab"]
SWITCHES = ["residual", "bidirectional", "input_feeding", "tied_cells", "tied_embedding", "reverse_source"]
RATES = ["dropout", "label_smoothing"]


def test_every_field_is_checked_here():
    checked = [*CHOICES, *SIZES_OF_ONE, *FRAME_SIZES, *TARGET_SIZES, *TRANSFORMER_SIZES, *VOCABULARIES, *SWITCHES,
               *RATES]
    assert sorted(checked) == sorted(
        f.name for f in dataclasses.fields(Config))


@pytest.mark.parametrize("name", SIZES_OF_ONE + VOCABULARIES)
def test_sizes(name):
    for value in [2.0, "8", True]:
        refused(TypeError, f"{name}={value!r}: wanted a whole number", **{name: value})
    smallest, why = (5, " (four special tokens and one more)") if name in VOCABULARIES else (1, "")
    for value in [smallest - 1, 0, -3]:
        refused(ValueError, f"{name}={value}: wanted at least {smallest}{why}", **{name: value})
    for value in [smallest, np.int64(smallest)]:
        got = getattr(Config(**{**SIZES, name: value}), name)
        assert got == smallest and type(got) is int


@pytest.mark.parametrize("name", FRAME_SIZES)
def test_sizes_of_frames(name):
    frames = dict(source="frames", source_vocab=None)
    for value in [2.0, "8", True]:
        refused(TypeError, f"{name}={value!r}: wanted a whole number", **frames, **{name: value})
    refused(ValueError, f"{name}=0: wanted at least 1", **frames, **{name: 0})
    assert getattr(Config(**{**SIZES, **frames, name: np.int64(2)}), name) == 2


def test_frames_and_tokens():
    refused(ValueError, "source_vocab=7 with source=frames: frames have no vocabulary; frame_size is their size",
            source="frames")
    refused(ValueError, "frame_size=40 with source=tokens: tokens have none; take source=frames", frame_size=40)
    refused(ValueError, "stack=2 with source=tokens: only frames are stacked; take source=frames", stack=2)
    refused(ValueError, "source=frames: architecture=transformer has no such choice", source="frames",
            source_vocab=None, architecture="transformer")
    c = Config(source="frames", frame_size=40, stack=3)
    assert (c.step_size, Config(source="frames", frame_size=40).stack, Config().step_size) == (120, 1, None)


@pytest.mark.parametrize("name", TARGET_SIZES)
def test_sizes_of_targets_of_frames(name):
    frames = dict(target="frames", target_vocab=None)
    for value in [2.0, "8", True]:
        refused(TypeError, f"{name}={value!r}: wanted a whole number", **frames, **{name: value})
    refused(ValueError, f"{name}=0: wanted at least 1", **frames, **{name: 0})
    assert getattr(Config(**{**SIZES, **frames, name: np.int64(2)}), name) == 2


def test_targets_of_frames_and_of_tokens():
    refused(ValueError, "target_vocab=8 with target=frames: frames have no vocabulary; target_frame_size is their size",
            target="frames")
    for name, value in (("target_frame_size", 40), ("frames_per_step", 2), ("frame_error", "squared")):
        refused(ValueError, f"{name}={value} with target=tokens: tokens have none; take target=frames", **{name: value})
    frames = dict(target="frames", target_vocab=None, target_frame_size=40)
    refused(ValueError, "tied_embedding with target=frames: frames have no table of embeddings", tied_embedding=True,
            **frames)
    refused(ValueError, "label_smoothing=0.1 with target=frames: it is for probabilities of tokens",
            label_smoothing=0.1, **frames)
    refused(ValueError, "target=frames: architecture=transformer has no such choice", architecture="transformer",
            **frames)
    c = Config(**{**SIZES, **frames})
    assert (c.frames_per_step, c.frame_error, c.output_size, Config(7, 8).output_size) == (1, "squared", 41, 8)
    assert Config.from_json(c.to_json()) == c
    with pytest.raises(ValueError, match="^source_vocab and target_frame_size: the Config must name both before"):
        parameters.init(Config(source_vocab=7, target="frames"))


@pytest.mark.parametrize("name", TRANSFORMER_SIZES)
def test_sizes_of_a_transformer(name):
    more = {"positions": "learned"} if name == "max_positions" else {}
    for value in [2.0, "8", True]:
        with pytest.raises(TypeError, match=f"^{name}={re.escape(repr(value))}: wanted a whole number$"):
            transformer(**{name: value}, **more)
    with pytest.raises(ValueError, match=f"^{name}=0: wanted at least 1$"):
        transformer(**{name: 0}, **more)
    assert getattr(transformer(**{name: np.int64(2)}, **more), name) == 2


@pytest.mark.parametrize("sentence, choices", [
    ("heads=3 must divide hidden=4: every head has hidden/heads numbers of a state", dict(heads=3)),
    ("max_positions=9 is for learned positions; positions=sinusoidal have no end", dict(max_positions=9)),
    ("cell=gru: architecture=transformer has no such choice", dict(cell="gru")),
    ("attention=none: architecture=transformer has no such choice", dict(attention="none")),
    ("embedding=6: architecture=transformer has no such choice", dict(embedding=6)),
    ("bidirectional=True: architecture=transformer has no such choice", dict(bidirectional=True)),
    ("fusion=tanh: architecture=transformer has no such choice", dict(fusion="tanh")),
    ("heads=2: architecture=recurrent has no such choice", dict(architecture="recurrent", feed_forward=None)),
])
def test_what_a_transformer_cannot_be_is_refused_with_the_reason(sentence, choices):
    with pytest.raises(ValueError, match="^" + re.escape(sentence) + "$"):
        transformer(**choices)


def test_the_usual_choices_of_a_transformer():
    c = Config(7, 8, architecture="transformer", hidden=12)
    assert (c.heads, c.feed_forward, c.feed_forward_activation, c.norm, c.positions, c.max_positions) == (
        4, 48, "relu", "pre", "sinusoidal", None)
    assert Config(7, 8, architecture="transformer", positions="learned").max_positions == 256
    assert c.context == "attention"


def test_the_choices_that_an_architecture_has():
    assert not {"cell", "fusion", "embedding"} & transformer().chosen().keys()
    assert not {"heads", "norm"} & config().chosen().keys()
    assert transformer().chosen()["heads"] == 2 and config().chosen()["cell"] == "gru"


@pytest.mark.parametrize("name", ["embedding", "hidden", "layers"])
def test_sizes_have_no_none(name):
    refused(TypeError, f"{name}=None: wanted a whole number", **{name: None})


@pytest.mark.parametrize("name", SWITCHES)
def test_switches(name):
    for value in [1, 0, "yes", None]:
        refused(TypeError, f"{name}={value!r}: wanted True or False", **{name: value})


@pytest.mark.parametrize("name", RATES)
def test_rates(name):
    for value in ["0.1", None, True]:
        refused(TypeError, f"{name}={value!r}: wanted a number", **{name: value})
    for value in [-0.1, 1, 1.0, float("nan"), float("inf")]:
        refused(ValueError, f"{name}={value!r}: wanted at least 0 and less than 1", **{name: value})
    for value in [0, 0.0, 0.999, np.float32(0.5)]:
        got = getattr(Config(**{**SIZES, name: value}), name)
        assert got == value and type(got) is float


WHY = "context=attention needs an attention score, and the other contexts have none"
TWO, NO_ATTENTION = dict(bidirectional=True), dict(attention="none")


@pytest.mark.parametrize("sentence, choices", [
    (f"context=attention with attention=none: {WHY}",
     dict(context="attention", attention="none")),
    (f"context=init with attention=dot: {WHY}",
     dict(context="init", attention="dot")),
    (f"context=every-step with attention=dot: {WHY}",
     dict(context="every-step", attention="dot")),
    ("attention_size is the additive score's hidden layer; attention=general has none",
     dict(attention="general", attention_size=3)),
    ("attention_size is the additive score's hidden layer; attention=none has none",
     dict(attention="none", attention_size=3)),
    *((f"attention={name} multiplies s (2) with h_i (4): sizes differ with two directions; "
       "take general or additive", dict(attention=name, **TWO)) for name in ("dot", "scaled")),
    ("attention_order=before needs attention; context=init has none", dict(attention_order="before", **NO_ATTENTION)),
    ("attention_order=before needs attention; context=every-step has none",
     dict(attention_order="before", context="every-step", **NO_ATTENTION)),
    ("bridge=copy would hand 4 numbers of two directions to a state of 2; take dense",
     dict(bridge="copy", **TWO)),
    ("bridge=zeros with context=init: the decoder would know nothing of the source",
     dict(bridge="zeros", **NO_ATTENTION)),
    *((f"fusion={kind} mixes state and context; context=init has none", dict(fusion=kind, **NO_ATTENTION))
      for kind in ("concat", "sum", "sigmoid", "tanh")),
    ("fusion=sum adds s (2) and ctx (4): sizes differ with two directions", dict(fusion="sum", **TWO)),
    ("readout=state-context reads a context; context=init has none",
     dict(readout="state-context", **NO_ATTENTION)),
    ("readout=state-context with fusion=concat would read the context twice; take readout=state",
     dict(readout="state-context")),
    ("attention after the cell with fusion=none and readout=state: nothing would read the context",
     dict(fusion="none")),
    ("input_feeding needs attention; context=init has none",
     dict(input_feeding=True, **NO_ATTENTION)),
    ("input_feeding needs attention; context=every-step has none",
     dict(input_feeding=True, context="every-step", **NO_ATTENTION)),
    ("tied_cells with two directions: the encoder has two cells, the decoder one",
     dict(tied_cells=True, **TWO, **NO_ATTENTION)),
    ("tied_cells: the encoder's cell reads 6 numbers, the decoder's 8; feed no context to the cell",
     dict(tied_cells=True, attention_order="before")),
    ("tied_cells: the encoder's cell reads 6 numbers, the decoder's 10; feed no context to the cell",
     dict(tied_cells=True, input_feeding=True)),
    ("tied_embedding: the readout reads 4 numbers, an embedding has 6; set embedding=4 or another fusion",
     dict(tied_embedding=True)),
    ("tied_embedding: the readout reads 2 numbers, an embedding has 6; set embedding=2 or another fusion",
     dict(tied_embedding=True, fusion="tanh")),
])
def test_what_cannot_be_is_refused_with_the_reason(sentence, choices):
    refused(ValueError, sentence, **choices)


@pytest.mark.parametrize("choices, want", [
    (dict(), ("copy", "attention", "concat")),
    (dict(bidirectional=True), ("dense", "attention", "concat")),
    (dict(attention="none"), ("copy", "init", "none")),
    (dict(attention="none", context="every-step"), ("copy", "every-step", "concat")),
    (dict(fusion="tanh", bridge="zeros"), ("zeros", "attention", "tanh")),
])
def test_none_is_replaced_by_the_usual_choice(choices, want):
    c = Config(7, 8, **choices)
    assert (c.bridge, c.context, c.fusion) == want


@pytest.mark.parametrize("choices, want", [
    # encoder state, fused state, what is read out, what the decoder's cell reads
    (dict(), (2, 4, 4, 6)),
    (dict(attention="none"), (2, 2, 2, 6)),
    (dict(attention_order="before", fusion="none"), (2, 2, 2, 8)),
    (dict(bidirectional=True, attention_order="before"), (4, 6, 6, 10)),
    (dict(input_feeding=True), (2, 4, 4, 10)),
    (dict(fusion="tanh", readout="state-context", input_feeding=True), (2, 2, 4, 8)),
    (dict(bidirectional=True, fusion="tanh", readout="state-context", attention_order="before", input_feeding=True),
     (4, 2, 6, 12)),
    (dict(attention="none", context="every-step"), (2, 4, 4, 8)),
])
def test_sizes_that_follow(choices, want):
    c = config(**choices)
    assert (c.encoder_size, c.fused_size, c.readout_size, c.decoder_input_size) == want


@pytest.mark.parametrize("choices, want", [
    (dict(), ("additive", "attention")), (dict(context="attention"), ("additive", "attention")),
    (dict(context="every-step"), ("none", "every-step")), (dict(context="init"), ("none", "init")),
    (dict(attention="none"), ("none", "init")), (dict(attention="dot"), ("dot", "attention"))])
def test_attention_and_context_follow_from_each_other(choices, want):
    c = Config(**choices)
    assert (c.attention, c.context) == want and Config.from_json(c.to_json()) == c


@pytest.mark.parametrize("old, new", [
    (dict(cell="gru", activation="tanh", reset="after", order="before"),
     dict(cell="gru-after", attention_order="before")),
    (dict(cell="gru", activation="tanh", reset="before", order="after"), dict(cell="gru")),
    (dict(cell="rnn", activation="sigmoid", reset="before", attention="none"),
     dict(cell="rnn-sigmoid", attention="none")),
    (dict(cell="rnn-sigmoid", activation="sigmoid"), dict(cell="rnn-sigmoid")),
    (dict(activation="tanh", reset="before"), dict())])
def test_names_of_version_0_1_are_read(old, new):
    assert Config.from_json(old) == Config(**new)


@pytest.mark.parametrize("old, sentence", [
    (dict(activation="sigmoid"), "activation=sigmoid with cell=lstm: choose one of the cells rnn, rnn-sigmoid, lstm, "
                                 "gru, gru-after"),
    (dict(reset="after", cell="rnn"), "reset=after with cell=rnn: choose one of the cells rnn, rnn-sigmoid, lstm, gru, "
                                      "gru-after"),
    (dict(reset="never", cell="gru"), "reset=never with cell=gru: choose one of the cells rnn, rnn-sigmoid, lstm, gru, "
                                      "gru-after")])
def test_old_names_that_no_cell_has(old, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        Config.from_json(old)


def test_names_lead_to_cells_scores_and_fusions():
    assert {c.cell for c in CONFIGS.values()} == set(CELLS)
    assert set(CHOICES["attention"]) == {"none", *SCORES}
    assert PHI.keys() <= set(CHOICES["fusion"])


@pytest.mark.parametrize("c", [*CONFIGS.values(), *RESIDUAL.values(), *COPYING.values(), *TRANSFORMERS.values()],
                         ids=[*CONFIGS, *RESIDUAL, *COPYING, *TRANSFORMERS])
def test_json_and_back(c):
    assert Config.from_json(json.loads(json.dumps(c.to_json()))) == c


def test_unknown_names_in_json_are_refused():
    with pytest.raises(ValueError, match="^unknown configuration hiden, laiers$"):
        Config.from_json({**SIZES, "laiers": 2, "hiden": 3})


def test_a_config_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        config().hidden = 3
