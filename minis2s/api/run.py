"""A run's directory: what training leaves, and what it needs to go on.

    config.json              the Config, how it was trained, units, where the data came from
    vocabulary.json          the symbols of both sides
    weights.safetensors      the best weights
    checkpoint.safetensors   all that training needs to go on
    metrics.jsonl            one line for each evaluation
    loss.png  attention.png
"""
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

from ..training import checkpoint
from ..model.config import Config
from ..data.vocabulary import Vocabulary
from ..core.files import write_text

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

    def __init__(self, path):
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"path: got {type(path).__name__}, wanted the path of a run's directory")
        self.path = Path(path)
        self.config, self.vocabulary, self.weights, self.checkpoint, self.metrics, self.loss, self.attention = (
            self.path / name for name in FILES)

    def create(self, write, overwrite=False):
        """Make the directory with the files that write(run) writes, a Run in a folder of its own.

        What stood in the directory stays until all of them are there.

        Raises
        ------
        FileExistsError
            If something stands there and `overwrite` is False; overwriting removes a run's own files, nothing else.
        NotADirectoryError
        Whatever `write` raises.
        """
        if self.path.exists() and not self.path.is_dir():
            raise NotADirectoryError(f"{self.path}: a file, wanted a directory for the run")
        if not overwrite and self.path.is_dir() and any(self.path.iterdir()):
            raise FileExistsError(f"{self.path}: exists already; go on with it (--resume, resume=True) or "
                                  "replace it (--overwrite, overwrite=True)")
        made = not self.path.exists()
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            with tempfile.TemporaryDirectory(dir=self.path, prefix=LEFT, ignore_cleanup_errors=True) as folder:
                write(Run(folder))
                for name in FILES:
                    (self.path / name).unlink(missing_ok=True)
                for path in Path(folder).iterdir():
                    os.replace(path, self.path / path.name)
        except BaseException:
            if made:
                self.path.rmdir()
            raise
        self.clear()

    def clear(self):
        """Remove what was half written when a run was killed."""
        for path in self.path.glob(f"{LEFT}*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def write_model(self, given, source_vocab, target_vocab):
        """Write what stays the same in training: vocabularies and trained sub-words, then config.json with their digest."""
        words = {"source": source_vocab.to_json(), "target": target_vocab.to_json()}
        if given.get("subwords"):
            words["subwords"] = given["subwords"]
        description = {name: value for name, value in given.items() if name != "subwords"}
        write_text(self.vocabulary, json.dumps(words, ensure_ascii=False, indent=0) + "\n")
        description = {"format": FORMAT, **description, "vocabulary": digest(words)}
        write_text(self.config, json.dumps(description, ensure_ascii=False, indent=2) + "\n")

    def read_model(self):
        """-> description (with "config" a Config), source and target Vocabulary; ValueError naming a broken file."""
        description = self._json(self.config)
        words = self._json(self.vocabulary)
        if description.get("format") != FORMAT:
            raise ValueError(f"{self.config}: format {description.get('format')!r}, this version reads {FORMAT}")
        for name, fits in PARTS.items():
            if not fits(description.get(name)):
                raise ValueError(f"{self.config}: {name} is {description.get(name)!r}; of another version")
        try:
            description["config"] = Config.from_json(description["config"])
        except (TypeError, ValueError) as e:
            raise ValueError(f"{self.config}: {e}") from None
        if digest(words) != description["vocabulary"]:
            raise ValueError(f"{self.vocabulary}: changed after it was saved (its digest does not fit)")
        description["units"] = units_of(description["units"])
        description["subwords"] = words.get("subwords", {})
        return description, *(Vocabulary.from_json(words[side]) for side in ("source", "target"))

    def _json(self, path):
        if not self.path.is_dir():
            raise FileNotFoundError(f"{self.path}: no such run directory")
        if not path.is_file():
            raise FileNotFoundError(f"{path}: missing, so {self.path} is no run; if it was stopped before its "
                                    "first step, begin again with --overwrite (overwrite=True)")
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as e:
            raise ValueError(f"{path}: not JSON ({e})") from None
        if not isinstance(value, dict):
            raise ValueError(f"{path}: wanted a JSON object")
        return value

    def records(self):
        """The lines of metrics.jsonl as dicts, up to the first broken one: the last may have been cut off."""
        if not self.metrics.is_file():
            return []
        rows = []
        for line in self.metrics.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
                row["step"], row["epoch"], row["end_of_epoch"], row["valid_exact_match"]
            except (ValueError, TypeError, KeyError):
                break
            rows.append(row)
        return rows

    def append(self, row):
        """Add a line to metrics.jsonl."""
        with open(self.metrics, "a", encoding="utf-8") as f:
            f.write(json.dumps(row) + "\n")

    def rewind(self, progress):
        """Drop the lines that were written after the checkpoint `progress`: they will be written again."""
        rows = [r for r in self.records() if r["step"] <= progress.step
                and not (r["end_of_epoch"] and r["epoch"] > progress.epoch)]
        write_text(self.metrics, "".join(json.dumps(r) + "\n" for r in rows))

    def save_progress(self, progress, config):
        """Write the checkpoint, and the best weights so far (the present ones before the first evaluation)."""
        checkpoint.save_progress(self.checkpoint, progress, config)
        best = progress.params if progress.best_score is None else progress.best
        checkpoint.save_weights(self.weights, best, config)


def units_of(stored):
    """The units of a run as arguments of Seq2Seq; runs that were saved before words had ties keep their rule."""
    if sorted(stored) == UNITS:
        return stored
    rule = {"word": "word-1"}
    return {"source_units": rule.get(stored["source_units"], stored["source_units"]),
            "target_units": rule.get(stored["target_units"], stored["target_units"]),
            "min_count": stored["min_count"], "lowercase": False, "max_length": NO_LIMIT}


def digest(words):
    """SHA-256 of the symbols of both sides, and of the sub-words."""
    return hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()
