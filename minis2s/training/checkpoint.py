"""Arrays and metadata about them in one safetensors file: weights to use, checkpoints to resume training from.

Files are written whole or not at all, carry a digest of their own content, and are never unpickled.
"""
import hashlib
import json
import os
from dataclasses import fields
from typing import Any

import numpy as np

from ..core import tree
from ..core.files import parse_json, write_atomically
from ..model import parameters
from ..model.config import Config, renamed
from . import compression, optimizers
from .step import Progress

FORMAT, COMPRESSED = 1, 2           # of a file of plain arrays, of one that `save_compressed` wrote


def save_arrays(path: str | os.PathLike, arrays: dict[str, np.ndarray], metadata: dict, version: int = FORMAT) -> None:
    """Write arrays by name, and `metadata` (plain JSON values) about them, to one safetensors file."""
    from safetensors.numpy import save
    arrays = {name: np.ascontiguousarray(a) for name, a in arrays.items()}
    head = {"format": version, "story": metadata}                # "story" is its name in the file since format 1
    # one entry: safetensors writes several in random order, and the same weights shall be the same bytes
    meta = {"minis2s": json.dumps({**head, "sha256": digest(arrays, head)}, sort_keys=True)}
    write_atomically(path, lambda temporary: temporary.write_bytes(save(arrays, metadata=meta)))


def load_arrays(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict]:
    """Read what `save_arrays` wrote: -> dict of arrays by name, metadata.

    Raises
    ------
    FileNotFoundError, OSError
    ValueError
        For a file that is truncated, foreign, or was changed after it was saved.
    """
    from safetensors import SafetensorError, safe_open
    try:
        open(path, "rb").close()                                # what the system refuses, in Python's own words
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file") from None
    try:
        with safe_open(str(path), framework="numpy") as f:
            entries, arrays = f.metadata() or {}, {name: f.get_tensor(name) for name in f.keys()}
    except (SafetensorError, TypeError) as e:
        raise ValueError(f"{path}: not a whole safetensors file ({e})") from None
    if "minis2s" not in entries:
        raise ValueError(f"{path}: a safetensors file, but not one that minis2s wrote")
    try:
        head = parse_json(entries["minis2s"])
        whole = head.pop("sha256") == digest(arrays, head)
    except (ValueError, KeyError, AttributeError, TypeError):
        whole = False
    if not whole:
        raise ValueError(f"{path}: changed after it was saved (its digest does not fit)")
    if head.get("format") not in (FORMAT, COMPRESSED):
        raise ValueError(f"{path}: format {head.get('format')}, this version reads {FORMAT} and {COMPRESSED}")
    return arrays, head["story"]


def digest(arrays: dict[str, np.ndarray], head: dict) -> str:
    """SHA-256 of the metadata and of all arrays with their names, shapes and types."""
    h = hashlib.sha256(json.dumps(head, sort_keys=True).encode())
    for name in sorted(arrays):
        a = arrays[name]
        h.update(f"{name} {a.dtype} {a.shape}".encode())
        h.update(a.tobytes())
    return h.hexdigest()


def fit_into(form: Any, arrays: dict[str, np.ndarray], path: str | os.PathLike) -> Any:
    """Put loaded arrays into a tree of known form.

    Raises
    ------
    ValueError
        Naming the first array that is missing, left over, or of another shape or dtype.
    """
    want = dict(tree.named(form))
    for name in sorted(want.keys() ^ arrays.keys()):
        raise ValueError(f"{path}: {name} is {'missing' if name in want else 'not part of this configuration'}")
    for name, a in want.items():
        got = arrays[name]
        if got.shape != a.shape or got.dtype != a.dtype:
            raise ValueError(f"{path}: {name} is {got.dtype} {got.shape}, the configuration wants {a.dtype} {a.shape}")
    return tree.replace(form, arrays)


def check_config(path: str | os.PathLike, found: dict, wanted: Config) -> None:
    """Raise ValueError, naming the first difference, unless a file's Config is the wanted one.

    Choices that the file does not know, being older than they are, have their default there.
    """
    found = {**{f.name: f.default for f in fields(wanted)}, **renamed(found)}
    for name, value in wanted.to_json().items():
        if found[name] != value:
            raise ValueError(f"{path}: weights of another configuration: {name} is {found[name]!r} there, "
                             f"{value!r} here")


def save_weights(path: str | os.PathLike, params: Any, config: Config) -> None:
    """Write a model's parameters with their Config."""
    save_arrays(path, dict(tree.named(params)), {"config": config.to_json()})


def save_compressed(path: str | os.PathLike, arrays: dict[str, np.ndarray], description: dict, config: Config) -> None:
    """Write what compression.encode packed; `load_weights` unpacks it."""
    save_arrays(path, arrays, {"config": config.to_json(), "compressed": description}, COMPRESSED)


def load_weights(path: str | os.PathLike, config: Config) -> Any:
    """Read the parameters of a model of this Config: -> the model's Params; ValueError if they are another's."""
    arrays, metadata = load_arrays(path)
    check_config(path, metadata.get("config", {}), config)
    if "compressed" in metadata:
        try:
            arrays = compression.decode(arrays, metadata["compressed"], config.dtype)
        except ValueError as e:
            raise ValueError(f"{path}: {e}") from None
    return fit_into(parameters.init(config), arrays, path)


def save_progress(path: str | os.PathLike, progress: Progress, config: Config) -> None:
    """Write all that training needs to go on."""
    trees, numbers = split(progress)
    save_arrays(path, dict(tree.named(trees)), {"config": config.to_json(), "progress": numbers})


def load_progress(path: str | os.PathLike, config: Config) -> Progress:
    """Read what `save_progress` wrote: -> train.Progress."""
    arrays, metadata = load_arrays(path)
    check_config(path, metadata.get("config", {}), config)
    if "progress" not in metadata:
        raise ValueError(f"{path}: weights alone; training cannot go on from them")
    numbers, p = metadata["progress"], parameters.init(config)
    form = (p, optimizers.start(p)[1:], p)
    params, (m, v), best = fit_into(form, arrays, path)
    score = numbers.pop("best_score")
    return Progress(params=params, optimizer=optimizers.State(numbers.pop("t"), m, v), best=best,
                    best_score=score and tuple(score), **numbers)


def split(progress: Progress) -> tuple[tuple, dict[str, Any]]:
    """Progress -> (its trees, its plain numbers)."""
    numbers = {k: v for k, v in progress._asdict().items() if k not in ("params", "optimizer", "best")}
    s = progress.optimizer
    return (progress.params, (s.m, s.v), progress.best), {**numbers, "t": s.t}
