"""A run's directory: what training leaves, and what it needs to go on.

    config.json              the Config, how it was trained, units, where the data came from
    vocabulary.json          the symbols of both sides
    weights.safetensors      the best weights
    checkpoint.safetensors   all that training needs to go on
    metrics.jsonl            one line for each evaluation
    loss.png  attention.png

Every file is written whole or not at all, and config.json, vocabulary.json and both files of weights carry a digest:
what was edited is refused, not computed with.
"""
import hashlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..core.files import naming, parse_json, write_text
from ..data.vocabulary import Vocabulary
from ..model.config import Config
from ..training import checkpoint
from ..training.step import Progress
from . import lock
from .texts import shown

FORMAT = 1
NO_LIMIT = 10**9                    # tokens of a side, in runs from before there was a limit
LEFT = ".tmp-"                      # begins the names of files and folders that are not finished
OLD_UNITS = ["min_count", "source_units", "target_units"]           # of runs whose words have no ties
UNITS = sorted([*OLD_UNITS, "lowercase", "max_length"])
PARTS = {                           # of config.json, and what they must be
    "config": lambda x: isinstance(x, dict), "origin": lambda x: isinstance(x, dict),
    "vocabulary": lambda x: isinstance(x, str),
    "units": lambda x: isinstance(x, dict) and sorted(x) in (OLD_UNITS, UNITS),
    "lengths": lambda x: isinstance(x, dict) and all(isinstance(x.get(s), int) for s in ("source", "target"))}
FILES = ("config.json", "vocabulary.json", "weights.safetensors", "checkpoint.safetensors", "metrics.jsonl",
         "loss.png", "attention.png")


class Run:
    """Paths of a run's files, and reading and writing them."""

    def __init__(self, path: str | os.PathLike) -> None:
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"path: got {type(path).__name__}, wanted the path of a run's directory")
        self.path = Path(path)
        self.config, self.vocabulary, self.weights, self.checkpoint, self.metrics, self.loss, self.attention = (
            self.path / name for name in FILES)
        self._owned = False

    # writing ----------------------------------------------------------------------------------------

    @contextmanager
    def owned(self, make: bool = False) -> Iterator[None]:
        """Within this, no other process writes to the run.

        Parameters
        ----------
        make : bool
            Make the directory if there is none; it is removed again if it is empty at the end.

        Raises
        ------
        BlockingIOError
            Another process writes to it.
        FileNotFoundError, NotADirectoryError, OSError
        """
        if self._owned:
            yield
            return
        if self.path.exists() and not self.path.is_dir():
            raise NotADirectoryError(f"{self.path}: a file, wanted a directory for the run")
        made = make and not self.path.exists()
        if make:
            self.path.mkdir(parents=True, exist_ok=True)
        elif not self.path.is_dir():
            raise FileNotFoundError(f"{self.path}: no such run directory")
        try:
            with lock.lock(self.path):
                self._owned = True
                yield
        finally:
            self._owned = False
            if made and not any(self.path.iterdir()):
                self.path.rmdir()

    def create(self, write: Callable[[Any], Any], overwrite: bool = False) -> None:
        """Make the directory with the files that write(run) writes, a Run in a folder of its own.

        What stood in the directory stays until all of them are there.

        Raises
        ------
        FileExistsError
            If something stands there and `overwrite` is False; overwriting removes a run's own files, nothing else.
        NotADirectoryError, BlockingIOError
            See `owned`.
        Whatever `write` raises.
        """
        with self.owned(make=True):
            if not overwrite and any(p.name != lock.NAME and not p.name.startswith(LEFT) for p in self.path.iterdir()):
                raise FileExistsError(f"{self.path}: exists already; go on with it (resume=True) or replace it "
                                      "(overwrite=True)")
            try:
                with tempfile.TemporaryDirectory(dir=self.path, prefix=LEFT, ignore_cleanup_errors=True) as folder:
                    write(Run(folder))
                    self._take_over(Path(folder))
            except OSError as e:
                if e.filename is not None:
                    parts = [part for part in Path(os.fsdecode(e.filename)).parts if not part.startswith(LEFT)]
                    e.filename, e.filename2 = str(Path(*parts)), None
                raise
            self.clear()

    def _take_over(self, folder: Any) -> None:
        """Put the files of `folder` in the place of the run's own.

        config.json is removed first and comes last: a process killed in between leaves a directory that is no run,
        never one with the configuration of one run and the weights of another.
        """
        for name in FILES:
            (self.path / name).unlink(missing_ok=True)
        for path in sorted(folder.iterdir(), key=lambda path: path.name == self.config.name):
            os.replace(path, self.path / path.name)

    def clear(self) -> None:
        """Remove what was half written when a run was killed."""
        for path in self.path.glob(f"{LEFT}*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def write_model(self, given: dict, source_vocab: Vocabulary, target_vocab: Vocabulary) -> None:
        """Write what stays the same in training: vocabularies and trained sub-words, then config.json with their digest
        and its own."""
        words = {"source": source_vocab.to_json(), "target": target_vocab.to_json()}
        if given.get("subwords"):
            words["subwords"] = given["subwords"]
        # half a surrogate pair, of a file's name that is not UTF-8, becomes a \\u escape, as JSON has it
        write_text(self.vocabulary, json.dumps(words, ensure_ascii=False, indent=0) + "\n", "backslashreplace")
        description = {"format": FORMAT, **given, "vocabulary": digest(words)}
        description.pop("subwords", None)
        description["sha256"] = digest(description)
        write_text(self.config, json.dumps(description, ensure_ascii=False, indent=2) + "\n", "backslashreplace")

    def save_progress(self, progress: Progress, config: Config) -> None:
        """Write the checkpoint, and the best weights so far (the present ones before the first evaluation)."""
        checkpoint.save_progress(self.checkpoint, progress, config)
        best = progress.params if progress.best_score is None else progress.best
        checkpoint.save_weights(self.weights, best, config)

    # reading ----------------------------------------------------------------------------------------

    def read_model(self) -> tuple:
        """-> description (with "config" a Config), source and target Vocabulary; ValueError naming a broken file."""
        description = self._json(self.config)
        words = self._json(self.vocabulary)
        if description.get("format") != FORMAT:
            raise ValueError(f"{self.config}: format {shown(description.get('format'))}, this version reads {FORMAT}")
        for name, fits in PARTS.items():
            if not fits(description.get(name)):
                raise ValueError(f"{self.config}: {name} is {shown(description.get(name))}; of another version")
        try:
            config = Config.from_json(description["config"])
        except (TypeError, ValueError) as e:
            raise ValueError(f"{self.config}: {e}") from None
        sealed = description.pop("sha256", None)                    # runs of version 0.1.0 have none
        if sealed is not None and sealed != digest(description):
            raise ValueError(f"{self.config}: changed after it was saved (its digest does not fit)")
        if digest(words) != description["vocabulary"]:
            raise ValueError(f"{self.vocabulary}: changed after it was saved (its digest does not fit)")
        sides = [Vocabulary.from_json(words[side]) for side in ("source", "target")]
        more = {"config": config, "units": units_of(description["units"]), "subwords": words.get("subwords", {})}
        return {**description, **more}, *sides

    def _json(self, path: Path) -> Any:
        if not self.path.is_dir():
            raise FileNotFoundError(f"{self.path}: no such run directory")
        try:
            value = parse_json(path.read_bytes().decode("utf-8"))
        except FileNotFoundError:
            raise FileNotFoundError(f"{path}: missing, so {self.path} is no run; if it was stopped before its "
                                    "first step, begin again (overwrite=True)") from None
        except ValueError as e:
            raise ValueError(f"{path}: not JSON ({e})") from None
        if not isinstance(value, dict):
            raise ValueError(f"{path}: wanted a JSON object")
        return value

    # the record of training -------------------------------------------------------------------------

    def records(self) -> list[dict]:
        """The lines of metrics.jsonl as dicts, up to the first broken one: the last may have been cut off."""
        return self.read_records()[0]

    def read_records(self) -> tuple[list[dict], str | None]:
        """-> what `records` returns, and a sentence about the first broken line, or None."""
        try:
            lines = self.metrics.read_bytes().split(b"\n")
        except FileNotFoundError:
            return [], None
        rows, last = [], lines.pop()                                # b"" behind the end of the last line
        for number, line in enumerate([*lines, last] if last else lines, 1):
            try:
                rows.append(record(line))
            except ValueError as e:
                left = len(lines) + bool(last) - number
                return rows, (f"{self.metrics}, line {number}: {e}; it is not counted" + (
                    f", nor {'is the line' if left == 1 else f'are the {left} lines'} after it" if left else ""))
        return rows, None

    def append(self, row: dict) -> None:
        """Add a line to metrics.jsonl; what is not finite becomes null."""
        row = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}
        try:
            with open(self.metrics, "a", encoding="utf-8") as f:
                f.write(json.dumps(row, allow_nan=False) + "\n")
        except OSError as e:
            raise naming(e, self.metrics)

    def rewind(self, progress: Progress) -> None:
        """Drop the lines that were written after the checkpoint `progress`: they will be written again."""
        rows = [r for r in self.records() if r["step"] <= progress.step
                and not (r["end_of_epoch"] and r["epoch"] > progress.epoch)]
        write_text(self.metrics, "".join(json.dumps(r) + "\n" for r in rows))


def record(line: Any) -> dict:
    """One line of metrics.jsonl: -> dict; ValueError unless it has what a record needs, and only finite numbers."""
    try:
        row = parse_json(line.decode("utf-8"))
    except ValueError as e:
        raise ValueError(f"not JSON ({e})") from None
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")
    measure = "valid_stop_accuracy" if "valid_stop_accuracy" in row else "valid_exact_match"   # of frames, of tokens
    needed: dict[str, Any] = {"step": int, "epoch": (int, float), "end_of_epoch": bool, measure: (int, float)}
    for name, kind in needed.items():
        if not isinstance(row.get(name), kind) or (kind is not bool and isinstance(row[name], bool)):
            raise ValueError(f"{name} is {shown(row.get(name))}")
    for name, value in row.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{name} is {value}")
    return row


def units_of(stored: dict) -> dict:
    """The units of a run as arguments of Seq2Seq; runs that were saved before words had ties keep their rule."""
    if sorted(stored) == UNITS:
        return stored
    rule = {"word": "word-1"}
    return {"source_units": rule.get(stored["source_units"], stored["source_units"]),
            "target_units": rule.get(stored["target_units"], stored["target_units"]),
            "min_count": stored["min_count"], "lowercase": False, "max_length": NO_LIMIT}


def digest(value: Any) -> str:
    """SHA-256 of JSON values: of the symbols and sub-words of both sides, or of a whole description."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
