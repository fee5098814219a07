"""Checks of what is handed to a model: parameters, batches, dropout masks.  What passes can be computed with.

Every function returns nothing, or raises ValueError or TypeError in one line: what came, and what was wanted.
"""
from typing import Any

import numpy as np

from ..core import tree, validation
from ..data.batches import Batch
from . import dropout_masks
from .config import Config
from .dropout_masks import DropoutMasks
from .parameters import shapes


def check_params(p: Any, config: Config) -> None:
    """Require parameters of this Config, shared weights standing at one place only.

    Their dtype must be the Config's, or complex: the complex step computes with complex numbers of float64's precision.
    """
    want, arrays = shapes(config), dict(tree.named(p))
    got = {name: np.shape(a) for name, a in arrays.items()}
    for name in sorted(want.keys() | got.keys()) if got != want else ():
        if got.get(name) != want.get(name):
            raise ValueError(f"p: {name} has shape {got.get(name)}, wanted {want.get(name)} of this Config")
    for name, a in arrays.items():
        if not isinstance(a, np.ndarray):
            raise TypeError(f"p: {name} is a {type(a).__name__}, wanted an array")
        if a.dtype != config.dtype and a.dtype.kind != "c":
            raise TypeError(f"p: {name} has dtype {a.dtype}, wanted {config.dtype} of this Config")


def check_source(config: Config, ids: np.ndarray, mask: np.ndarray) -> None:
    """Require what `encode` can compute with: token ids (T, N), or frames (T, N, F)."""
    check_source_steps("source", config, ids)
    validation.mask("source_mask", mask, ids.shape[:2])


def check_source_steps(name: str, config: Config, source: np.ndarray) -> None:
    """Require token ids of the Config's vocabulary, or frames of its size and dtype."""
    if config.source == "tokens":
        validation.ids(name, source, (config.source_vocab or 0) + own_words(config, source))
        return
    if isinstance(source, np.ndarray) and source.ndim == 3 and source.shape[2] != config.step_size:
        raise ValueError(f"{name}: got steps of {source.shape[2]} numbers, wanted {config.step_size} "
                         f"(frame_size={config.frame_size}, stack={config.stack})")
    validation.array(name, source, ("T", "N", config.step_size))
    if source.dtype != config.dtype and source.dtype.kind != "c":
        raise TypeError(f"{name}: got dtype {source.dtype}, wanted {config.dtype} of this Config")


def own_words(config: Config, source: Any) -> int:
    """How many words that are in no vocabulary the ids of a source may name: none, or as many as it has steps where
    they can be copied."""
    return len(source) if config.readout == "copy" and isinstance(source, np.ndarray) and source.ndim else 0


def check_targets(config: Config, batch: Batch, V: int) -> None:
    """Require ids, or distributions over the vocabulary; words outside the vocabulary must stand in the example's own
    source, else nothing could say them."""
    shape = batch.inputs.shape
    if np.ndim(batch.targets) == 3:
        if config.readout == "copy":
            raise ValueError("targets: readout=copy needs ids, got a distribution over the vocabulary")
        validation.array("targets", batch.targets, (*shape, V), "fiub")
        return
    validation.ids("targets", batch.targets, V, shape)
    V = config.target_vocab or 0
    if config.readout == "copy" and (batch.targets.max(axis=0) >= np.maximum(V, batch.source.max(axis=0) + 1)).any():
        raise ValueError(f"targets: ids from {V} on are words of the example's own source, and one is not among them")


def check_batch(config: Config, batch: Batch, teacher_mask: Any = None, masks: DropoutMasks | None = None) -> None:
    """Require what `forward` can compute with; `check_source` is for the source."""
    source, axes = batch.source, 2 if config.source == "tokens" else 3
    V = (config.target_vocab or 0) + own_words(config, source)
    N: Any = source.shape[1] if isinstance(source, np.ndarray) and source.ndim == axes else "N"
    if config.target == "frames":
        check_target_frames(config, batch, N)
    else:
        validation.ids("inputs", batch.inputs, V, ("S", N))
        check_targets(config, batch, V)
        validation.mask("target_mask", batch.target_mask, batch.inputs.shape)
    shape = batch.inputs.shape[:2]
    if teacher_mask is not None:
        validation.array("teacher_mask", teacher_mask, shape, "b")
    if masks is not None:
        check_masks(masks, dropout_masks.sizes(config), N)


def check_target_frames(config: Config, batch: Batch, N: Any) -> None:
    """Require inputs (S, N, F), targets (S, N, r F) and a mask of frames (S, N, r), padding at the end."""
    r, F = config.frames_per_step, config.target_frame_size
    validation.array("inputs", batch.inputs, ("S", N, F))
    S, N = batch.inputs.shape[:2]
    validation.array("targets", batch.targets, (S, N, r * F))
    validation.array("target_mask", batch.target_mask, (S, N, r), "b")
    frame_by_frame = np.asarray(batch.target_mask).transpose(0, 2, 1).reshape(S * r, N)
    validation.mask("target_mask", frame_by_frame, frame_by_frame.shape)
    for name in ("inputs", "targets"):
        frames = getattr(batch, name)
        if frames.dtype != config.dtype and frames.dtype.kind != "c":
            raise TypeError(f"{name}: got dtype {frames.dtype}, wanted {config.dtype} of this Config")


def check_masks(masks: DropoutMasks, sizes: DropoutMasks, N: int) -> None:
    """Require dropout masks of N examples, for all layers or for none."""
    for name, some, wanted in zip(DropoutMasks._fields, masks, sizes):
        if isinstance(wanted, int):
            some, wanted = some if some is None else (some,), (wanted,)
        if some is not None and len(some) != len(wanted):
            raise ValueError(f"masks.{name}: {len(some)} masks, wanted one for each of {len(wanted)} layers")
        for m, D in zip(some or (), wanted):
            validation.array(f"masks.{name}", m, (N, D))
