"""The whole Transformer: loss of a batch, and its gradient.  `backward` reads as `forward` upside down.

Part P15: the comparison that all five documents point to.  Source: Vaswani et al. (2017).
Shapes: T source steps, S target steps, N batch, D model size, h heads.

Forward                                         Backward
(TM1)  hs = encoder(source)                     (TM1*) encoder's gradients
(TM2)  keys, values of every decoder layer      (TM2*) dhs, gradients of the cross-attentions
(TM3)  logits = decoder(inputs)                 (TM3*) dkvs, decoder's gradients
(TM4)  L = loss(logits, targets)                (TM4*) dlogits

seq2seq.py is the same page for recurrent models: there the encoder hands over a state too, here nothing but hs.
"""
from typing import Any, NamedTuple

import numpy as np

from ..core import tree
from ..data.batches import Batch
from ..layers import loss
from ..layers.attention.scaled_dot_product import see_real
from . import checks, transformer_decoder as decoder, transformer_encoder as encoder, transformer_masks
from .config import Config
from .parameters import TransformerParams as Params, init, init_float64, shapes, tie_gradients, untie  # noqa: F401
from .transformer_masks import DropoutMasks


class EncodeCache(NamedTuple):
    hs: np.ndarray             # (T, N, D)
    encoder: encoder.Cache


class Cache(NamedTuple):
    encode: EncodeCache
    decoder: decoder.Cache
    loss: loss.Cache
    masks: DropoutMasks | None


def encode(p: Params, config: Config, ids: np.ndarray, mask: np.ndarray,
           masks: DropoutMasks | None = None) -> tuple[decoder.Source, EncodeCache]:
    """Read the source once: ids, mask (T, N) -> decoder.Source, EncodeCache.

    Raises
    ------
    ValueError, TypeError
        For ids outside the vocabulary, padding before the end, arrays of wrong shape or dtype, and for sources
        longer than a learned table of positions.
    """
    check_source(config, ids, mask)
    hs, k_encoder = encoder.forward(p.encoder, config, ids, mask, masks and masks.encoder)      # (TM1)
    source = decoder.source_of(p.decoder, config, hs, see_real(mask))               # (TM2)
    return source, EncodeCache(hs, k_encoder)


def encode_backward(p: Params, config: Config, k: EncodeCache, dkvs: tuple,
                    masks: DropoutMasks | None = None) -> tuple[encoder.Params, tuple]:
    """Pull dkvs back: -> encoder Params gradients, multi_head.Params gradients of each layer's cross-attention."""
    dhs, g_cross = decoder.source_backward(p.decoder, config, k.hs, dkvs)           # (TM2*)
    return encoder.backward(p.encoder, config, k.encoder, dhs, masks and masks.encoder), g_cross        # (TM1*)


def forward(p: Params, config: Config, batch: Batch, teacher_mask: np.ndarray | None = None,
            masks: DropoutMasks | None = None) -> tuple[Any, np.ndarray, Cache]:
    """Loss of a batch.

    Parameters
    ----------
    p : Params
    config : Config
    batch : data.Batch
    teacher_mask : ndarray of bool of shape (S, N), optional
        See decoder.free_running; None is teacher forcing.
    masks : DropoutMasks, optional
        None: nothing is dropped.

    Returns
    -------
    loss : number
        Nats per real target token, label smoothing included.
    logits : ndarray of shape (S, N, V)
    cache : Cache

    Raises
    ------
    ValueError, TypeError
        For parameters of another Config, for a batch, coins or dropout masks of wrong shape or dtype, or with ids
        outside the vocabularies.
    """
    checks.check_params(p, config)
    check_batch(config, batch, teacher_mask, masks)
    p = untie(p, config)
    source, k_encode = encode(p, config, batch.source, batch.source_mask, masks)    # (TM1) (TM2)
    fed, m = batch.inputs, masks and masks.decoder
    if teacher_mask is not None:
        fed = decoder.free_running(p.decoder, config, source, fed, teacher_mask, m)
    logits, _, k_decoder = decoder.forward(p.decoder, config, source, fed, None, m)     # (TM3)
    L, k_loss = loss.forward(logits, batch.targets, batch.target_mask, config.label_smoothing)      # (TM4)
    return L, logits, Cache(k_encode, k_decoder, k_loss, masks)


def backward(p: Params, config: Config, k: Cache) -> Params:
    """Gradient of the loss with respect to every parameter: -> Params."""
    p = untie(p, config)
    dlogits = loss.backward(k.loss)                                                 # (TM4*)
    g_decoder, dkvs = decoder.backward(p.decoder, config, k.decoder, dlogits, k.masks and k.masks.decoder)      # (TM3*)
    g_encoder, g_cross = encode_backward(p, config, k.encode, dkvs, k.masks)        # (TM2*) (TM1*)
    layers = tuple(g._replace(cross=g.cross._replace(f=tree.add(g.cross.f, g_kv)))
                   for g, g_kv in zip(g_decoder.layers, g_cross))
    return tie_gradients(Params(g_encoder, g_decoder._replace(layers=layers)), config)


def logits(p: Params, config: Config, batch: Batch, teacher_mask: np.ndarray | None = None) -> np.ndarray:
    """The logits (S, N, V) of a batch, for those who want nothing else."""
    return forward(p, config, batch, teacher_mask)[1]


def loss_and_gradient(p: Params, config: Config, batch: Batch, teacher_mask: np.ndarray | None = None,
                      masks: DropoutMasks | None = None) -> tuple[Any, Params]:
    """`forward` and `backward` in one call, for training: -> L, Params."""
    L, _, k = forward(p, config, batch, teacher_mask, masks)
    return L, backward(p, config, k)


# What the public functions check ------------------------------------------------------------------------

def check_length(config: Config, name: str, steps: int) -> None:
    """Require that learned positions reach so far."""
    if config.max_positions is not None and steps > config.max_positions:
        raise ValueError(f"{name}: {steps} steps, wanted at most {config.max_positions}, as many as there are learned "
                         "positions (max_positions)")


def check_source(config: Config, ids: np.ndarray, mask: np.ndarray) -> None:
    """Require what `encode` can compute with."""
    checks.check_source(config, ids, mask)
    check_length(config, "source", len(ids))


def check_batch(config: Config, batch: Batch, teacher_mask: Any = None, masks: DropoutMasks | None = None) -> None:
    """Require what `forward` can compute with; `check_source` is for the source."""
    checks.check_batch(config, batch, teacher_mask)
    check_length(config, "inputs", len(batch.inputs))
    if masks is not None:
        transformer_masks.check(masks, config, len(batch.source), *batch.inputs.shape)
