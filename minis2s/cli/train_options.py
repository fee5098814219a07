"""The options of `minis2s train`: one for each field of Config and of Training, with what each does and its default."""
import argparse
from dataclasses import fields

from ..model.config import CHOICES, RECURRENT, Config
from ..tasks import TASKS
from ..training.loop import Training
from ..training.optimizers import OPTIMIZERS
from ..training.schedule import SCHEDULES

MODEL_HELP = {
    "stack": "neighbouring frames read as one step, of sounds and pictures",
    "frames_per_step": "frames written in one step, of sounds",
    "frame_error": "loss of a frame's numbers",
    "architecture": "kind of model; the options from --heads to --max-positions are the transformer's",
    "cell": "recurrent cell", "embedding": "size of token vectors", "hidden": "size of states",
    "layers": "layers of each side",
    "residual": "a path around every layer but the first", "bidirectional": "the encoder also reads from the end",
    "bridge": "how encoder states become decoder states", "attention": "score of the attention",
    "attention_size": "hidden units of the additive score", "context": "what the decoder knows of the source",
    "attention_order": "attention before or after the cell", "fusion": "how state and context are joined",
    "input_feeding": "feed the fused state to the next step", "readout": "what the output matrix reads",
    "tied_cells": "encoder and decoder share cells", "heads": "of multi-head attention",
    "feed_forward": "hidden units of the feed-forward layers", "feed_forward_activation": "of those units",
    "norm": "before sub-layers or after sums", "positions": "what tells the order",
    "max_positions": "how many are learned",
    "tied_embedding": "output matrix = target embedding", "dropout": "share of inputs dropped",
    "label_smoothing": "probability spread over all tokens", "reverse_source": "read the source from its end",
    "dtype": "precision"}
TRAINING_HELP = {
    "epochs": "passes over the data", "minutes": "stop after this time", "batch": "pairs in a batch", "lr": "step size",
    "lr_final": "step size at the end, reached in equal steps", "warmup": "steps over which the step size grows",
    "schedule": "step size after the warm-up", "optimizer": "rule that turns gradients into steps",
    "momentum": "of sgd",
    "clip": "largest global gradient norm", "clip_value": "largest gradient entry",
    "lr_decay": "factor of the step size when validation stops improving", "lr_patience": "epochs before that",
    "patience": "epochs without improvement before stopping", "monitor": "what counts as improvement",
    "teacher_forcing": "share of target tokens fed as they are", "teacher_final": "that share in the last epoch",
    "token_dropout": "share of source tokens read as unknown",
    "evaluate_every": "also evaluate after this many batches", "seed": "of all random numbers"}
UNSET = {                           # what an option that is None by default comes to
    "stack": "1", "frames_per_step": "1", "frame_error": "squared", "bridge": "copy; dense with --bidirectional",
    "attention": "additive; none with another --context",
    "attention_size": "as --hidden", "context": "attention; init with --attention none",
    "fusion": "concat; none without a context", "heads": "4", "feed_forward": "4 times --hidden",
    "feed_forward_activation": "relu", "norm": "pre", "positions": "sinusoidal", "max_positions": "256",
    "minutes": "no limit", "lr_final": "as --lr", "warmup": "none", "clip_value": "no limit",
    "patience": "never stop early",
    "teacher_final": "as --teacher-forcing", "evaluate_every": "at the end of each epoch only"}
OLD_NAMES = {"order": ("before", "after"), "activation": ("tanh", "sigmoid"), "reset": ("before", "after")}    # of 0.1


def add(parser):
    """Add the options to a parser."""
    choices = {**CHOICES, "optimizer": tuple(OPTIMIZERS), "monitor": ("loss", "exact-match"), "schedule": SCHEDULES}
    for title, record, helps in (("model", Config, MODEL_HELP), ("training", Training, TRAINING_HELP)):
        group = parser.add_argument_group(title)
        for f in fields(record):
            if f.name in helps:
                option(group, f, choices.get(f.name), helps[f.name])
    for name, values in OLD_NAMES.items():
        parser.add_argument(f"--{name}", choices=values, default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def option(group, field, choices, text):
    """One option for a dataclass field; absent from the namespace unless given."""
    name = "--" + field.name.replace("_", "-")
    if field.type is bool:
        group.add_argument(name, action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS,
                           help=f"{text} (default: {'yes' if field.default else 'no'})")
        return
    kind = str if choices else int if "int" in str(field.type) else float
    default = UNSET[field.name] if field.default is None else field.default
    group.add_argument(name, type=kind, choices=choices, default=argparse.SUPPRESS, help=f"{text} (default: {default})",
                       metavar=None if choices else "X" if kind is float else "N")


def given(args, record):
    """The options of a dataclass that stand on the command line."""
    found = {f.name: getattr(args, f.name) for f in fields(record) if hasattr(args, f.name)}
    if record is Config:
        found.update({name: getattr(args, name) for name in OLD_NAMES if hasattr(args, name)})
    return found


def split(options):
    """Options by name -> those of Config, those of Training."""
    training = {f.name for f in fields(Training)}
    return ({name: value for name, value in options.items() if name not in training},
            {name: value for name, value in options.items() if name in training})


def drop_conflicting(preset, asked):
    """A task's own options, less those about attention and step size that the options asked for leave no room for."""
    if asked.get("schedule", "constant") != "constant":
        preset = {name: value for name, value in preset.items() if name != "lr_final"}
    attention, context = asked.get("attention"), asked.get("context")
    if asked.get("architecture") == "transformer":
        return {name: value for name, value in preset.items() if name not in RECURRENT}
    if attention == "none" or context not in (None, "attention"):
        rivals = ("attention", "context", "attention_order", "fusion", "input_feeding", "readout")
        instead = {"attention": "none"}
    elif attention or context:
        rivals, instead = ("attention", "context"), {}
    else:
        rivals, instead = (), {}
    return {**{name: value for name, value in preset.items() if name not in rivals}, **instead}


def as_text(options):
    """Options by name, as they are written on the command line: "--hidden 128 --reverse-source"."""
    return " ".join(f"--{name.replace('_', '-')}" + ("" if value is True else f" {value}")
                    for name, value in options.items())


def of_tasks():
    """A line for each task: the options that it brings."""
    return "\n".join(f"  {name:<13}{as_text(task.options)}" for name, task in TASKS.items())
