"""minis2s train: learn a task, or somebody's own pairs."""
import argparse
from dataclasses import fields
from pathlib import Path

from ..api import presets
from ..api.backends import BACKENDS, backend_for, choose
from ..api.seq2seq import Seq2Seq
from ..api.signals import Stopped
from ..api.texts import text_pairs
from ..core.backend import cores
from ..model.config import CHOICES, RECURRENT, Config
from ..data.corpus import MAX_LENGTH
from ..training.optimizers import OPTIMIZERS
from ..training.schedule import SCHEDULES
from ..tasks import TASKS
from ..training.loop import Training
from . import sources

UNIT_OPTIONS = ("source_units", "target_units", "min_count", "lowercase", "max_length")     # of Seq2Seq
NAME, HELP = "train", "train a model on a built-in task or on pairs from a file"
EPILOG = """examples:
  minis2s train dates
  minis2s train addition --reverse-source --context every-step --hidden 128 --epochs 25
  minis2s train --pairs eng-fra.tsv --source-units word --target-units word --minutes 10 --out runs/french
  minis2s train dates --resume            go on with the run that was stopped

Pairs files are UTF-8; lines end in LF, CRLF or CR.  Other control characters, and a byte order mark but at the start, are
refused with the line's number; pairs with a blank side and pairs that are too long are left out and counted.

presets (dropout and epochs for 20,000 pairs; fewer pairs have more epochs):
""" + presets.table(20_000) + """
A preset goes before the defaults above, and what you ask for goes before the preset.  `minis2s summary RUN` and config.json in
the run's directory show all that was chosen.
"""

MODEL_HELP = {
    "architecture": "kind of model; the options from --heads to --max-positions are the transformer's",
    "cell": "recurrent cell",
    "embedding": "size of token vectors", "hidden": "size of states", "layers": "layers of each side",
    "bidirectional": "the encoder also reads from the end", "bridge": "encoder states to decoder states",
    "attention": "score of the attention (default: additive; none with another --context)", "attention_size": "hidden layer of the additive score",
    "context": "what the decoder knows of the source without attention", "attention_order": "attention before or after the cell",
    "fusion": "state and context made one", "input_feeding": "feed the fused state to the next step",
    "readout": "what the output matrix reads", "tied_cells": "encoder and decoder share cells",
    "heads": "of multi-head attention (default: 4)", "feed_forward": "hidden units of its layers (default: 4 times hidden)",
    "feed_forward_activation": "of those units (default: relu)", "norm": "before sub-layers or after sums (default: pre)",
    "positions": "what tells the order (default: sinusoidal)", "max_positions": "how many are learned (default: 256)",
    "tied_embedding": "output matrix = target embedding", "dropout": "share of inputs dropped",
    "label_smoothing": "probability spread over all tokens", "reverse_source": "read the source from its end",
    "dtype": "precision"}
TRAINING_HELP = {
    "epochs": "times through the data", "minutes": "stop after so long", "batch": "pairs in a batch",
    "lr": "step size", "lr_final": "step size at the end, reached evenly", "warmup": "steps over which the step size grows",
    "schedule": "step size after the warm-up", "optimizer": "who makes steps of gradients",
    "momentum": "of sgd", "clip": "longest gradient, by global norm",
    "clip_value": "largest gradient entry", "lr_decay": "factor of the step size when validation stops improving",
    "lr_patience": "epochs before that", "patience": "epochs without improvement before stopping",
    "monitor": "what improvement is", "teacher_forcing": "share of target tokens fed as they are",
    "teacher_final": "that share in the last epoch", "evaluate_every": "also evaluate after so many batches",
    "seed": "of all random numbers"}


OLD_NAMES = {"order": ("before", "after"), "activation": ("tanh", "sigmoid"), "reset": ("before", "after")}    # of 0.1


def arguments(parser):
    """Options of data and run, and one for each field of Config and Training."""
    parser.add_argument("task", nargs="?", metavar="TASK", help=f"one of {', '.join(TASKS)}")
    parser.add_argument("--pairs", metavar="FILE", help="lines of source TAB target, Tatoeba's sentence pairs or an Anki export (.gz too) in place of a "
                             "task")
    parser.add_argument("--valid", metavar="FILE", help="held-out pairs; without it some sources of --pairs are")
    parser.add_argument("--preset", choices=tuple(presets.PRESETS),
                        help="settings for a kind of data, listed below (default: for --pairs by units and number of pairs; a task "
                             "has its own)")
    parser.add_argument("--source-units", metavar="UNIT",
                        help="what a source token is: char, word, space (what stands between white space) or bpe:N (N "
                             "sub-words, learnt from the training pairs; default: char)")
    parser.add_argument("--target-units", metavar="UNIT", help="what a target token is (default: char)")
    parser.add_argument("--min-count", type=int, metavar="N", help="rarer tokens are read as <unk> (default: 1)")
    parser.add_argument("--lowercase", action=argparse.BooleanOptionalAction, default=None,
                        help="lower-case both sides first (default: no)")
    parser.add_argument("--max-length", type=int, metavar="N",
                        help=f"leave out pairs with more than N tokens on a side (default: {MAX_LENGTH})")
    parser.add_argument("--size", type=int, metavar="N", help="use N training pairs of the task")
    parser.add_argument("--out", metavar="DIR", help="directory of the run (default: runs/TASK)")
    parser.add_argument("--resume", action="store_true", help="go on with the run in DIR")
    parser.add_argument("--overwrite", action="store_true", help="replace the run in DIR")
    parser.add_argument("--backend", choices=BACKENDS,
                        help="implementation that computes: compiled kernels, or plain NumPy (default: MINIS2S_BACKEND, or "
                             "numba; resumed: as before)")
    parser.add_argument("--threads", type=int, metavar="N",
                        help="of the compiled kernels; the result is the same for any number (default: MINIS2S_THREADS, or "
                             f"all {cores()} cores)")
    choices = {**CHOICES, "optimizer": tuple(OPTIMIZERS), "monitor": ("loss", "exact-match"),
               "schedule": SCHEDULES}
    for title, record, helps in (("model", Config, MODEL_HELP), ("training", Training, TRAINING_HELP)):
        group = parser.add_argument_group(title)
        for f in fields(record):
            if f.name in helps:
                option(group, f, choices.get(f.name), helps[f.name])
    for name, values in OLD_NAMES.items():
        parser.add_argument(f"--{name}", choices=values, default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def option(group, field, choices, text):
    """One option for a dataclass field; absent from the namespace unless given."""
    name, default = "--" + field.name.replace("_", "-"), field.default
    told = f"{text} (default: {default})".strip() if default is not None else text
    if field.type is bool:
        group.add_argument(name, action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS, help=text)
    else:
        kind = str if choices else int if "int" in str(field.type) else float
        group.add_argument(name, type=kind, choices=choices, default=argparse.SUPPRESS, help=told,
                           metavar=None if choices else "X" if kind is float else "N")


def given(args, record):
    """The options of a dataclass that stand on the command line."""
    return {f.name: getattr(args, f.name) for f in fields(record) if hasattr(args, f.name)}


def run(args):
    """Train, show samples, say where the run is."""
    if args.resume and args.overwrite:
        raise ValueError("--resume and --overwrite: choose one")
    model_options, training_options = given(args, Config), given(args, Training)
    model_options.update({name: getattr(args, name) for name in OLD_NAMES if hasattr(args, name)})
    Training(**training_options)                                # what cannot be is refused before pairs are made
    if args.resume:
        stored, origin, splits = sources.resumed(args)
        preset, units = {**stored["config"].to_json(), **stored["training"]}, stored["units"]
        preset.pop("source_vocab"), preset.pop("target_vocab")
        settings = None
        if args.preset:
            raise ValueError("--preset: a run that is resumed keeps its settings")
    else:
        if bool(args.task) == bool(args.pairs):
            raise ValueError("name a task or --pairs FILE" if not args.task else "a task or --pairs FILE, not both")
        origin = sources.origin_of(args)
        task = sources.task_of(origin["task"]) if args.task else None
        preset = dict(task.options) if task else {}
        units = {"source_units": task.source_unit, "target_units": task.target_unit} if task else {}
    begun = stored.get("backend") if args.resume else None
    asked = {name: getattr(args, name) for name in UNIT_OPTIONS}
    units = {**units, **{name: value for name, value in asked.items() if value is not None}}
    train_pairs, valid, test = splits if args.resume else sources.data(origin)
    if not args.resume:
        settings, preset = preset_of(args, train_pairs, units) or (None, preset)
        preset = without_rivals(preset, {**model_options, **training_options})
    config, training = presets.combine(preset, {**model_options, **training_options})
    backend = choose(backend_for(config, args.backend or begun, otherwise="numba"))     # another would round differently
    backend.use_threads(args.threads)
    model = Seq2Seq(config, **units, backend=backend.name)
    model.settings = settings
    out = Path(args.out or sources.default_out(args))
    with backend.precompile(config, training.optimizer) as wait:
        try:
            model.fit(train_pairs, valid, training=training, out=out, resume=args.resume, overwrite=args.overwrite,
                      origin=origin)
        except Stopped as e:
            if model.stopped_by is not None:
                print(f"stopped; saved in {out}; go on with --resume")
            return 128 + e.signal
        wait()
    report(model, out, test)
    return 0


def preset_of(args, pairs, units):
    """The preset asked for, or the one that suits a pairs file: -> a line about it, its options; None for a task, which has
    options of its own."""
    if not (args.preset or args.pairs):
        return None
    count = len(text_pairs("pairs", pairs))
    name = args.preset or presets.choose(count, *(units.get(side, "char") for side in ("source_units", "target_units")))
    preset = presets.options(name, count)
    return presets.told(name, preset), preset


def without_rivals(preset, asked):
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


def report(model, out, test):
    """Score on test pairs if there are some, a few translations, and where the files are."""
    if test:
        result = model.evaluate(test)
        print(f"\n{result['sources']:,} unseen texts: exact match {result['exact_match']:.2%}, "
              f"character errors {result['character_error_rate']:.2%}")
    samples = dict((test or model.held_out)[:200])
    print("\nunseen texts, the model's answers, and what was wanted where they differ:")
    chosen = sorted(samples.items(), key=lambda pair: len(pair[0]))[::max(1, len(samples) // 8)]
    for (text, wanted), best in zip(chosen, model.decode([text for text, _ in chosen])):
        answer = best[0].text
        print(f"  {text}  ->  {answer}" + ("" if answer == wanted else f"   (wanted: {wanted})"))
    print(f"\nsaved in {out}: {', '.join(sorted(p.name for p in out.iterdir()))}")
    print(f"translate with:  minis2s translate {out} TEXT")
