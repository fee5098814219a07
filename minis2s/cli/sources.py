"""Where pairs come from: a task or files, and how a run's pairs are found again where they were moved.

A run's config.json says from which files it was trained, and has a digest of the pairs.  The digest decides: pairs
that have it are the run's, wherever the file stands now; pairs that have not are not, though they stand where the
file stood.
"""
import os
from pathlib import Path

from ..api.backends import backend_for
from ..api.run import Run
from ..api.seq2seq import Seq2Seq
from ..api.texts import TEXTS, fingerprint, from_folder, hold_out, text_pairs
from ..core import validation
from ..data.pairs import read_pairs
from ..data.stream import open_pairs
from ..tasks import TASKS, load
from .streams import note

MOST_PAIRS = 5_000_000              # that a task is asked for: they are all in memory


# A new run -----------------------------------------------------------------------------------------------

def default_out(args):
    """runs/TASK, or runs/ and the pairs file's name."""
    if not (args.task or args.pairs):
        raise ValueError("--resume: name the run with --out DIR, or its task" if args.resume
                         else "name a task or --pairs FILE")
    if args.resume and args.task and args.task not in TASKS:
        raise ValueError(f"{args.task}: no task; a run to go on with is named by --resume --out DIR")
    return Path("runs") / (args.task or Path(args.pairs).name.lstrip(".").split(".")[0] or "pairs")


def task_of(name):
    """The Task of this name; ValueError naming the tasks."""
    if name not in TASKS:
        try:
            load(name)
        except ValueError as e:
            raise ValueError(str(e).removeprefix("name: ")) from None
    return TASKS[name]


def origin_of(args):
    """Plain values from which `data` finds the same pairs again."""
    if args.task:
        task_of(args.task)
        if args.valid:
            raise ValueError("--valid goes with --pairs; a task has held-out pairs of its own")
        if args.size is not None:
            validation.whole("--size", args.size, 1, MOST_PAIRS)
        return {"task": args.task, "size": args.size, "seed": getattr(args, "seed", 0), **teaching(args)}
    if args.size is not None:
        raise ValueError("--size is for built-in tasks")
    streaming = {"stream": True} if getattr(args, "stream", False) else {}
    lowercase = {"lowercase": True} if getattr(args, "lowercase", None) else {}
    return {**places(args), "seed": getattr(args, "seed", 0), **lowercase, **teaching(args), **streaming}


def teaching(args):
    """What an origin says of a teacher: its run, and what it gives."""
    if args.distill and not args.teacher:
        raise ValueError("--distill: name the teacher with --teacher RUN")
    if not args.teacher:
        return {}
    Run(args.teacher).read_model()
    return {"teacher": str(Path(args.teacher).resolve()), "distill": args.distill or "word"}


def teacher_of(origin, backend):
    """The model that teaches, on the student's backend, and what it gives, as arguments of `Seq2Seq.fit`."""
    if "teacher" not in origin:
        return {}
    teacher = Seq2Seq.load(origin["teacher"])
    teacher.backend = backend_for(teacher.config, otherwise="numpy" if backend.startswith("torch") else backend)
    return {"teacher": teacher, "distill": origin["distill"]}


def places(args):
    """The files of --pairs and --valid: absolute, and as they are reached from the run; a pipe is what it is called."""
    files, run = {"pairs": args.pairs, "valid": args.valid}, Path(args.out or default_out(args)).resolve()
    found = {name: path and str(Path(path).resolve() if os.path.isfile(path) else Path(path).absolute())
             for name, path in files.items()}
    return {**found, "from_run": {name: path and relative(path, run) for name, path in found.items()}}


def relative(path, run):
    """A path as seen from the run's directory; None where there is no way (another drive)."""
    try:
        return os.path.relpath(path, run)
    except ValueError:
        return None


def is_reproducible(origin):
    """Whether an origin is one of `origin_of`, from which `data` finds pairs."""
    return {"task", "size", "seed"} <= origin.keys() or {"pairs", "valid", "seed"} <= origin.keys()


def data(origin, tell=True):
    """-> training pairs, validation pairs, test pairs or None."""
    if "task" in origin:
        sizes = None if origin["size"] is None else {"train": origin["size"]}
        return load(origin["task"], seed=origin["seed"], sizes=sizes)
    files = files_of(origin)
    pairs = streamed(origin["pairs"], tell) if origin.get("stream") else read(origin["pairs"], tell, files)
    if origin["valid"]:
        return pairs, read(origin["valid"], tell, files), None
    return *hold_out(text_pairs("pairs", pairs), origin["seed"], origin.get("lowercase", False)), None


def streamed(path, tell=True):
    """Pairs that stay in their file, with a word about those left out."""
    pairs = open_pairs(path)
    if pairs.skipped and tell:
        note(f"{path}: {pairs.skipped:,} pair{'s' if pairs.skipped > 1 else ''} with a blank side left out")
    return pairs


def files_of(origin):
    """Whether the sources and the targets of an origin are paths; before targets could be, it said so of sources
    alone."""
    files = origin.get("files", False)
    return tuple(files) if isinstance(files, list) else (files, False)


def read(path, tell=True, files=TEXTS):
    """Pairs of a file, with a word about those left out.  Paths, on the sides that `files` names, are seen from the
    file's folder."""
    pairs = from_folder(read_pairs(path), path, files)
    for remark in pairs.notes if tell else ():
        note(f"{path}: {remark}")
    if pairs.skipped.count and tell:
        count = pairs.skipped.count
        note(f"{path}: {count} pair{'s' if count > 1 else ''} with a blank side left out, "
             f"the first at line {pairs.skipped.first_line}")
    return pairs


# A run that there is -------------------------------------------------------------------------------------

def resumed(args):
    """For --resume: -> the run's description, its origin (files where they are now), and its `data`."""
    out = args.out or default_out(args)
    stored = Run(out).read_model()[0]
    origin = stored["origin"]
    for key, value in (("task", args.task), ("size", args.size)):
        if value is not None and origin.get(key) != value:
            raise ValueError(f"--resume: the run was begun with {key} {origin.get(key)!r}, not {value!r}")
    for key in ("pairs", "valid"):
        if getattr(args, key) and not origin.get(key):
            raise ValueError(f"--resume: the run was begun without --{key}")
    if "training" not in stored or not is_reproducible(origin):
        raise ValueError(f"--resume: {out} was not begun by minis2s train")
    files = {key: getattr(args, key) for key in ("pairs", "valid")}
    found, splits = located(origin, stored.get("data"), out, files, "--resume: ")
    if "pairs" in origin:
        place = {**found, **{key: str(Path(found[key]).resolve()) for key in ("pairs", "valid") if found[key]}}
        origin = {**place, "from_run": {key: place[key] and relative(place[key], Path(out).resolve()) for key in files}}
    return stored, origin, splits


def located(origin, known, run, files=None, command=""):
    """Find the pairs of a run.

    Parameters
    ----------
    origin : dict
    known : dict
        What the run knows of its data, with their "sha256".
    run : path
        The run's directory.
    files : dict, optional
        "pairs", "valid": files that a person names in place of those that the run was begun with.
    command : str
        Begins the messages.

    Returns
    -------
    origin, splits
        The origin with the files that were found, and what `data` gives for it.

    Raises
    ------
    FileNotFoundError, ValueError
        There is no such file, or what there is are other pairs.
    """
    digest, files = known.get("sha256") if isinstance(known, dict) else None, files or {}
    error = None
    for candidate in candidates(origin, run, files):
        try:
            splits = data(candidate, tell=False)
            pairs, valid = text_pairs("pairs", splits[0]), text_pairs("valid", splits[1])
        except (OSError, ValueError) as e:
            error = error or e
            continue
        if fingerprint(pairs, valid, files=files_of(origin)) == digest:
            return candidate, (pairs, valid, splits[2])
        error = error or ValueError(f"{command}{candidate.get('task') or candidate['pairs']}: these are not the pairs "
                                    f"that the run was trained on")
        if files.get("pairs"):
            break
    if isinstance(error, FileNotFoundError):
        raise FileNotFoundError(f"{error}; name the file with --pairs FILE, wherever it is now: it is recognized by "
                                f"its content")
    raise error


def candidates(origin, run, files):
    """Origins to try: with the files that were named, else where they were, then as seen from the run, then beside
    it."""
    if "task" in origin:
        return [origin]
    choices = {}
    for key in ("pairs", "valid"):
        stored, near = origin[key], (origin.get("from_run") or {}).get(key)
        if not stored or files.get(key):
            choices[key] = [files.get(key) or stored]
            continue
        places = [stored, *([str(Path(run, near))] if near else []), str(Path(run).parent / Path(stored).name),
                  Path(stored).name]
        real = {os.path.realpath(place): place for place in reversed(places) if os.path.isfile(place)}
        choices[key] = list(dict.fromkeys([stored, *reversed(real.values())]))
    return [{**origin, "pairs": p, "valid": v} for p in choices["pairs"] for v in choices["valid"]]
