"""minis2s train: learn a task, or somebody's own pairs."""
import argparse
import shlex
from pathlib import Path
from typing import NamedTuple

from ..api import evaluation, presets, transfer
from ..api.backends import BACKENDS, backend_for, choose
from ..api.seq2seq import Seq2Seq
from ..api.signals import Stopped
from ..api.texts import text_pairs
from ..core.backend import cores, processes
from ..data.corpus import MAX_LENGTH
from ..data.frames import UNITS as FRAME_UNITS
from ..model.config import Config
from ..tasks import TASKS
from ..training.options import Training
from . import sources, train_options
from .streams import printable

SIDES = ("source", "target")
UNIT_OPTIONS = ("source_units", "target_units", "min_count", "lowercase", "max_length")     # of Seq2Seq
NAME, HELP = "train", "train a model on a built-in task or on pairs from a file"
EPILOG = f"""examples:
  minis2s train dates
  minis2s train addition --reverse-source --context every-step --hidden 128 --epochs 25
  minis2s train --pairs eng-fra.tsv --source-units bpe:4000 --target-units bpe:4000 --out runs/french
  minis2s train --pairs digits.tsv --source-units wav      lines of the path of a sound TAB what is said
  minis2s train --pairs voice.tsv --target-units wav       lines of a text TAB the path of its sound: learns to speak
  minis2s train dates --resume            go on with the run that was stopped
  minis2s train dates --from runs/dates --lr 1e-4 --out runs/more       begin with the weights of a run
  minis2s train dates --teacher runs/dates --hidden 48 --out runs/student     a smaller student learns from a run

Pairs files are UTF-8; lines end in LF, CRLF or CR.  Other control characters, and a byte order mark but at the start,
are refused with the line's number; pairs with a blank side and pairs that are too long are left out and counted.

presets (dropout and epochs for 20,000 pairs; fewer pairs have more epochs):
{presets.table(20_000)}
A preset goes before the defaults above, and what you ask for goes before the preset.  A task has options of its own in
place of a preset, and any of them can be given:

{train_options.of_tasks()}

`minis2s tasks TASK` says more of one; `minis2s summary RUN` and config.json in the run's directory show what a run has.
"""


def arguments(parser):
    """Options of data and run, and one for each field of Config and Training."""
    parser.add_argument("task", nargs="?", metavar="TASK", help=f"one of {', '.join(TASKS)}")
    parser.add_argument("--pairs", metavar="FILE",
                        help="lines of source TAB target, Tatoeba's sentence pairs or an Anki export (.gz too) in "
                             "place of a task; with --resume, where the file is now")
    parser.add_argument("--stream", action="store_true",
                        help="leave the pairs in FILE and read each batch from there, as for more than memory holds "
                             "(plain lines of source TAB target only)")
    parser.add_argument("--valid", metavar="FILE", help="held-out pairs; without it some sources of --pairs are")
    parser.add_argument("--preset", choices=tuple(presets.PRESETS),
                        help="settings for a kind of data, listed below (default: for --pairs by units and number of "
                             "pairs; a task has its own)")
    parser.add_argument("--source-units", metavar="UNIT",
                        help="what a source token is: char, word, space (what stands between white space) or bpe:N (N "
                             "sub-words, learnt from the training pairs; default: char); or wav, png, npy: a source is "
                             "the "
                             "path of a sound, a picture or an array, seen from FILE's folder, and is read as frames")
    parser.add_argument("--target-units", metavar="UNIT",
                        help="what a target token is (default: char); or wav, npy: a target is the path of a sound or "
                             "an array, and is written as frames")
    parser.add_argument("--min-count", type=int, metavar="N", help="rarer tokens are read as <unk> (default: 1)")
    parser.add_argument("--lowercase", action=argparse.BooleanOptionalAction, default=None,
                        help="lower-case both sides first (default: no)")
    parser.add_argument("--max-length", type=int, metavar="N",
                        help=f"leave out pairs with more than N tokens on a side (default: {MAX_LENGTH})")
    parser.add_argument("--size", type=int, metavar="N", help="use N training pairs of the task (default: the task's)")
    parser.add_argument("--out", metavar="DIR", help="directory of the run (default: runs/TASK)")
    parser.add_argument("--resume", action="store_true", help="go on with the run in DIR")
    parser.add_argument("--overwrite", action="store_true", help="replace the run in DIR")
    parser.add_argument("--from", dest="start", metavar="RUN",
                        help="begin with the weights of RUN, whose model options are the default (default: random "
                             "weights)")
    parser.add_argument("--teacher", metavar="RUN", help="learn from a trained run as well (default: from the pairs "
                                                         "alone)")
    parser.add_argument("--distill", choices=transfer.LEVELS,
                        help="what the teacher gives: probabilities beside each word, or its answers in place of the "
                             "targets (default: word)")
    parser.add_argument("--backend", choices=BACKENDS,
                        help="implementation that computes: plain NumPy, compiled kernels, or PyTorch, for a GPU or "
                             "several processes (default: MINIS2S_BACKEND, or numba; resumed: as before)")
    parser.add_argument("--device", metavar="NAME", help="of PyTorch: cpu, cuda, cuda:1, mps (default: cpu)")
    parser.add_argument("--amp", action="store_true", help="PyTorch multiplies matrices in bfloat16")
    parser.add_argument("--threads", type=int, metavar="N",
                        help="of the compiled kernels or of PyTorch; the result of the kernels is the same for any "
                             f"number (default: MINIS2S_THREADS, or all {cores()} cores)")
    train_options.add(parser)


class Plan(NamedTuple):
    """What is known of a training besides the options that are asked for: of a task, a pairs file, or a run that is
    resumed."""
    options: dict               # of Config and Training
    units: dict                 # of Seq2Seq
    origin: dict                # where the pairs come from
    splits: tuple               # training pairs, validation pairs, test pairs or None
    backend: str | None = None  # that the run was begun with
    settings: str | None = None     # a line about the preset
    start: Seq2Seq | None = None    # the run whose weights are the first ones


def run(args):
    """Train, show samples, say where the run is."""
    if args.resume and args.overwrite:
        raise ValueError("--resume and --overwrite: choose one")
    training_options = train_options.given(args, Training)
    Training(**training_options)                                # what cannot be is refused before pairs are made
    asked = {**train_options.given(args, Config), **training_options}
    plan = resumed(args) if args.resume else begun(args, asked)
    of_frames = {side: "frames" for side in SIDES if plan.units.get(f"{side}_units") in FRAME_UNITS}
    plan = plan._replace(options={**plan.options, **of_frames})
    config, training = presets.combine(plan.options, asked)
    backend = choose(backend_for(config, named_backend(args) or plan.backend, otherwise="numba"))
    backend.use_threads(args.threads)
    first = check_processes(backend)
    model = Seq2Seq(config, **plan.units, backend=backend.name)
    model.settings = plan.settings
    out = Path(args.out or sources.default_out(args))
    with backend.precompile(config, training.optimizer) as wait:
        try:
            where = dict(out=out, resume=args.resume, overwrite=args.overwrite) if first else dict(progress=False)
            model.fit(*plan.splits[:2], training=training, **where, origin=plan.origin, start=plan.start,
                      **sources.teacher_of(plan.origin, model.backend))
        except Stopped as e:
            if model.stopped_by is not None and first:
                print(f"stopped; saved in {out}; go on with --resume")
            return 128 + e.signal
        wait()
    if first:
        report(model, out, plan.splits[2])
    return 0


def named_backend(args):
    """The backend that the options ask for, with device and precision behind PyTorch's name; None: none is asked
    for."""
    if not (args.device or args.amp):
        return args.backend
    if args.backend != "torch":
        raise ValueError(f"--{'device' if args.device else 'amp'}: an option of --backend torch")
    return f"torch:{args.device or 'cpu'}{'+amp' if args.amp else ''}"


def check_processes(backend):
    """Whether this process is the one that writes and speaks; ValueError where several were started for a backend that
    has only one."""
    rank, count = processes()
    if count > 1 and not backend.name.startswith("torch"):
        raise ValueError(f"--backend {backend.name}: wanted torch, as {count} processes were started to train together")
    return rank == 0


def begun(args, asked):
    """The Plan of a new run."""
    if bool(args.task) == bool(args.pairs):
        raise ValueError("name a task or --pairs FILE" if not args.task else "a task or --pairs FILE, not both")
    origin = sources.origin_of(args)
    task = sources.task_of(args.task) if args.task else None
    start = Seq2Seq.load(args.start) if args.start else None
    units = {"source_units": task.source_unit, "target_units": task.target_unit, **task.units} if task else {}
    units = {**(start._units() if start else units), **asked_units(args)}
    files = [units.get(f"{side}_units") in FRAME_UNITS for side in SIDES]
    if args.stream and (task or any(files)):
        raise ValueError("--stream: for texts of --pairs FILE; a task is made in memory, and files of frames are read "
                         "one by one")
    if not task and any(files):
        origin["files"] = files
    splits = sources.data(origin)
    settings, options = preset_of(args, splits[0], units, asked) or (None, task.options)
    if start:
        sizes = [name for name in start.config.to_json() if name.endswith(("_vocab", "frame_size"))]
        options = {**options, **{name: value for name, value in start.config.to_json().items() if name not in sizes}}
    return Plan(train_options.drop_conflicting(options, asked), units, origin, splits, settings=settings, start=start)


def resumed(args):
    """The Plan of a run that goes on: as it was begun, with the same backend, as another would round differently."""
    if args.preset:
        raise ValueError("--preset: a run that is resumed keeps its settings")
    for option, value in (("--from", args.start), ("--teacher", args.teacher), ("--distill", args.distill)):
        if value:
            raise ValueError(f"{option}: a run that is resumed knows its own; leave it out")
    stored, origin, splits = sources.resumed(args)
    options = {**stored["config"].to_json(), **stored["training"]}
    del options["source_vocab"], options["target_vocab"], options["frame_size"], options["target_frame_size"]
    return Plan(options, {**stored["units"], **asked_units(args)}, origin, splits, stored.get("backend"))


def asked_units(args):
    """The options of Seq2Seq that stand on the command line."""
    return {name: getattr(args, name) for name in UNIT_OPTIONS if getattr(args, name) is not None}


def preset_of(args, pairs, units, asked):
    """The preset that --preset names, or the one that suits a pairs file: -> a line about what it sets besides the
    options asked for, and all its options; None for a task, which has options of its own."""
    if not (args.preset or args.pairs):
        return None
    count = len(text_pairs("pairs", pairs))
    name = args.preset or presets.choose(count, *(units.get(side, "char") for side in ("source_units", "target_units")))
    preset = presets.options(name, count)
    return presets.description(name, {key: value for key, value in preset.items() if key not in asked}), preset


def report(model, out, test):
    """Score on test pairs if there are some, a few translations, and where the files are."""
    of_frames = model.config.target == "frames"
    text = report_frames(model, test) if of_frames else report_texts(model, test)
    print(f"\nsaved in {out}: {', '.join(sorted(p.name for p in out.iterdir()))}")
    print(f"{'hear it' if of_frames else 'translate'} with:  minis2s translate {out} {text}"
          + (f" --out {out / 'said'}" if of_frames else ""))


def report_texts(model, test):
    """Score and translations: -> what to translate next."""
    if test:
        task = TASKS.get(model.origin.get("task"))
        result = evaluation.evaluate(model, text_pairs("pairs", test), 1, 1.0, judge=task and task.judge)
        right = ", ".join(f"{name} {share:.2%}" for name, share in result.get("right", {}).items())
        print(f"\n{result['sources']:,} unseen texts: exact match {result['exact_match']:.2%}, "
              f"character errors {result['character_error_rate']:.2%}"
              + (f"\nright by the checker: {right}" if right else ""))
    samples = dict((test or model.held_out)[:200])
    print("\nunseen texts, the model's answers, and what was wanted where they differ:")
    chosen = sorted(samples.items(), key=lambda pair: len(pair[0]))[::max(1, len(samples) // 8)]
    for (text, wanted), best in zip(chosen, model.decode([text for text, _ in chosen])):
        answer = best[0].text
        print(f"  {line(text)}  ->  {line(answer)}" + ("" if answer == wanted else f"   (wanted: {line(wanted)})"))
    return "TEXT"


def report_frames(model, test):
    """Score of a model that writes frames: -> a text to hear."""
    pairs = test or model.held_out
    task = TASKS.get(model.origin.get("task"))
    result = evaluation.evaluate(model, text_pairs("pairs", pairs), 1, 1.0, judge=task and task.judge)
    errors = [result[f"frame_error_{way}"] for way in ("teacher_forced", "free_running")]
    print(f"\n{result['sources']:,} unseen texts: frame error {errors[0]:.4f} teacher-forced, {errors[1]:.4f} "
          f"free-running, came to a stop {result['finished']:.2%}")
    if "right" in result:
        print("right by the checker: " + ", ".join(f"{name} {share:.2%}" for name, share in result["right"].items()))
    return shlex.quote(line(pairs[0][0]))


def line(text, most=200):
    """A sample of a text: printable, and not endless."""
    return printable(text if len(text) <= most else f"{text[:most]}...")
