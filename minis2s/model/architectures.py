"""The architectures by name: what training, decoding and checkpoints call, whatever the model.

Recurrent models stand in seq2seq.py, Transformers in transformer.py.  `of(config)` is the one place that chooses.
Decoding needs two functions: `start` reads the sources, `step` answers one more token for each row and hands on the
state that the next step needs.
"""
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..data.batches import Batch
from . import decoder, dropout_masks, seq2seq, transformer, transformer_decoder, transformer_masks
from .checks import check_params
from .config import Config


class Architecture(NamedTuple):
    """The functions of one architecture; each is documented where it is defined."""
    draw_masks: Callable           # rng, config, batch -> dropout masks or None
    forward: Callable              # p, config, batch, teacher_mask, masks -> loss, logits, cache
    backward: Callable             # p, config, cache -> gradient
    loss_and_gradient: Callable    # p, config, batch, teacher_mask, masks -> loss, gradient
    logits: Callable               # p, config, batch, teacher_mask -> logits
    parts: Callable                # cache -> dict of its parts by name, in order of computation
    start: Callable                # p, config, source, mask -> decoder's parameters, what it reads of the source, state
    step: Callable                 # p, config, source, ids (R,), state -> logits (R, V), state, weights (T, R) or None


def of(config: Config) -> Architecture:
    """The Architecture of a Config."""
    return ARCHITECTURES[config.architecture]


def forward(p: Any, config: Config, batch: Batch, teacher_mask: np.ndarray | None = None,
            masks: Any = None) -> tuple[Any, np.ndarray, Any]:
    """See seq2seq.forward, transformer.forward."""
    return of(config).forward(p, config, batch, teacher_mask, masks)


def backward(p: Any, config: Config, k: Any) -> Any:
    """See seq2seq.backward, transformer.backward."""
    return of(config).backward(p, config, k)


def loss_and_gradient(p: Any, config: Config, batch: Batch, teacher_mask: np.ndarray | None = None,
                      masks: Any = None) -> tuple[Any, Any]:
    """See seq2seq.loss_and_gradient, transformer.loss_and_gradient."""
    return of(config).loss_and_gradient(p, config, batch, teacher_mask, masks)


def logits(p: Any, config: Config, batch: Batch, teacher_mask: np.ndarray | None = None) -> np.ndarray:
    """See seq2seq.logits, transformer.logits."""
    return of(config).logits(p, config, batch, teacher_mask)


def forced_and_free(p: Any, config: Config, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """The logits (S, N, V) of a batch twice: with its inputs fed, and with what the model says itself fed."""
    return logits(p, config, batch), logits(p, config, batch, np.zeros(batch.inputs.shape[:2], bool))


# Recurrent ----------------------------------------------------------------------------------------------

def recurrent_start(p: Any, config: Config, source: np.ndarray, mask: np.ndarray) -> tuple[Any, Any, Any]:
    """Encode the sources; ValueError for parameters of another Config."""
    check_params(p, config)
    p = seq2seq.untie(p, config)
    encoded, layers, _ = seq2seq.encode(p, config, source, mask)
    return p.decoder, encoded, decoder.initial_state(config, layers)


def recurrent_step(p: Any, config: Config, source: Any, ids: np.ndarray,
                   state: Any) -> tuple[np.ndarray, Any, np.ndarray | None]:
    """One step of every row."""
    r, state, k = decoder.step(p, config, source, decoder.read_ids(config, ids), state)
    logits, _ = decoder.output(p, config, source, r[None], [k])
    return logits[0], state, k.attend.alpha if k.attend else None


def recurrent_draw_masks(rng: np.random.Generator, config: Config, batch: Batch) -> Any:
    """See dropout_masks.draw."""
    return dropout_masks.draw(rng, config, batch.inputs.shape[1])


def recurrent_parts(k: seq2seq.Cache) -> dict[str, Any]:
    """The parts of a seq2seq.Cache."""
    e = k.encode
    return dict(encoder=e.encoder, hs=e.hs, bridge=e.bridge, source=k.source, decoder=k.decoder)


# Transformer --------------------------------------------------------------------------------------------

def transformer_start(p: Any, config: Config, source: np.ndarray, mask: np.ndarray) -> tuple[Any, Any, Any]:
    """Encode the sources; ValueError for parameters of another Config."""
    check_params(p, config)
    p = transformer.untie(p, config)
    encoded, _ = transformer.encode(p, config, source, mask)
    return p.decoder, encoded, transformer_decoder.initial_state(p.decoder, config, source.shape[1])


def transformer_step(p: Any, config: Config, source: Any, ids: np.ndarray,
                     state: Any) -> tuple[np.ndarray, Any, np.ndarray]:
    """One step of every row; the weights are the means over the heads of the last layer."""
    transformer.check_length(config, "max_length", state.kvs[0].k.shape[2] + 1)
    logits, state, k = transformer_decoder.forward(p, config, source, ids[None], state)
    return logits[0], state, np.ascontiguousarray(transformer_decoder.alphas(k)[-1].mean(axis=1)[:, 0].T)


def transformer_draw_masks(rng: np.random.Generator, config: Config, batch: Batch) -> Any:
    """See transformer_masks.draw."""
    return transformer_masks.draw(rng, config, len(batch.source), *batch.inputs.shape)


def transformer_parts(k: transformer.Cache) -> dict[str, Any]:
    """The parts of a transformer.Cache."""
    return dict(encoder=k.encode.encoder, hs=k.encode.hs, decoder=k.decoder)


ARCHITECTURES = {
    "recurrent": Architecture(
        recurrent_draw_masks, seq2seq.forward, seq2seq.backward,
        seq2seq.loss_and_gradient, seq2seq.logits, recurrent_parts, recurrent_start, recurrent_step),
    "transformer": Architecture(
        transformer_draw_masks, transformer.forward, transformer.backward,
        transformer.loss_and_gradient, transformer.logits, transformer_parts, transformer_start, transformer_step),
}
