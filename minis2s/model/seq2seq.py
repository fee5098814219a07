"""The whole model: loss of a batch, and its gradient.  `backward` reads as `forward` upside down.

Rows A3.1, B4.1, C2.2.  Shapes: T source steps, S target steps, N batch.

Forward                                   Backward
(S1)  hs, finals = encoder(source)        (S1*) encoder's gradients
(S2)  s_0 = bridge(finals)                (S2*) dfinals
(S3)  memory or ctx for the decoder       (S3*) dhs, dfinals +=
(S4)  logits = decoder(s_0, inputs)       (S4*) ds_0, dmemory, dctx, decoder's gradients
(S5)  L = loss(logits, targets)           (S5*) dlogits
"""
from typing import Any, NamedTuple

import numpy as np

from ..core import tree
from ..data.batches import Batch
from ..layers import frame_output, loss
from ..layers.attention import SCORES, precompute_keys, precompute_keys_backward
from ..layers.cells import CELLS
from . import bridge, decoder, encoder
from .checks import check_batch, check_params, check_source
from .config import Config
from .decoder import EncoderOutput
from .dropout_masks import DropoutMasks
from .parameters import Params, init, tie_gradients, untie  # noqa: F401


class EncodeCache(NamedTuple):
    hs: np.ndarray
    encoder: encoder.Cache
    bridge: bridge.Cache
    finals: tuple


class Cache(NamedTuple):
    encode: EncodeCache
    source: EncoderOutput
    decoder: decoder.Cache
    loss: Any                  # loss.Cache of tokens, frame_output.Cache of frames


def encode(p: Params, config: Config, ids: np.ndarray, mask: np.ndarray,
           masks: DropoutMasks | None = None) -> tuple[EncoderOutput, tuple, EncodeCache]:
    """Read the source once: ids, mask (T, N) -> EncoderOutput, the decoder's initial states, EncodeCache.

    Raises
    ------
    ValueError, TypeError
        For ids outside the vocabulary, padding before the end, arrays of wrong shape or dtype.
    """
    check_source(config, ids, mask)
    cell = CELLS[config.cell]
    read = decoder.read_ids(config, ids)
    hs, finals, k_encoder = encoder.forward(p.encoder, cell, read, mask, masks and masks.encoder,
                                            config.residual)                        # (S1)
    s0, k_bridge = bridge.forward(p.bridge, config.bridge, finals)                  # (S2)
    source = EncoderOutput(None, None)
    if config.context == "attention":
        source = EncoderOutput(precompute_keys(SCORES[config.attention], p.decoder.score, hs, mask), None)    # (S3)
    elif config.context == "every-step":
        source = EncoderOutput(None, k_bridge.finals[-1].h)                         # (S3)
    if config.readout == "copy":
        source = source._replace(ids=ids)
    return source, s0, EncodeCache(hs, k_encoder, k_bridge, finals)


def encode_backward(p: Params, config: Config, source: EncoderOutput, k: EncodeCache, dsource: EncoderOutput,
                    ds0: tuple) -> tuple[encoder.Params, Any, Any]:
    """Pull gradients of EncoderOutput and initial states back: -> encoder, bridge and score Params gradients."""
    cell = CELLS[config.cell]
    dhs, g_score = np.zeros_like(k.hs), None
    dfinals, g_bridge = bridge.backward(p.bridge, config.bridge, k.bridge, ds0)     # (S2*)
    if config.context == "attention":
        dhs, g_score = precompute_keys_backward(SCORES[config.attention], p.decoder.score, source.memory,
                                                dsource.memory)                     # (S3*)
    elif config.context == "every-step":
        top = dfinals[-1]
        dfinals = (*dfinals[:-1], top._replace(h=top.h + dsource.ctx))              # (S3*) fork: s_0 and ctx
    dfinals = tuple(bridge.split(like, d) for like, d in zip(k.finals, dfinals))
    g_encoder = encoder.backward(p.encoder, cell, k.encoder, dhs, dfinals, config.residual)    # (S1*)
    return g_encoder, g_bridge, g_score


def forward(p: Params, config: Config, batch: Batch, teacher_mask: np.ndarray | None = None,
            masks: DropoutMasks | None = None) -> tuple[Any, np.ndarray, Cache]:
    """Loss of a batch.

    Parameters
    ----------
    p : Params
    config : Config
    batch : data.Batch
    teacher_mask : ndarray of bool of shape (S, N), optional
        See decoder.forward; None is teacher forcing.
    masks : DropoutMasks, optional
        None: nothing is dropped.

    Returns
    -------
    loss : number
        Nats per real target token, label smoothing included; for frames see layers/frame_output.py.
    logits : ndarray of shape (S, N, V), or of frames (S, N, r F + 1)
    cache : Cache

    Raises
    ------
    ValueError, TypeError
        For parameters of another Config, for a batch, coins or dropout masks of wrong shape or dtype, or with ids
        outside the vocabularies.
    """
    check_params(p, config)
    check_batch(config, batch, teacher_mask, masks)
    p = untie(p, config)
    source, s0, k_encode = encode(p, config, batch.source, batch.source_mask, masks)             # (S1) (S2) (S3)
    logits, k_decoder = decoder.forward(p.decoder, config, source, s0, batch.inputs, teacher_mask,
                                        masks and masks.decoder, masks and masks.output)         # (S4)
    L, k_loss = loss_forward(config, logits, batch)                                 # (S5)
    return L, logits, Cache(k_encode, source, k_decoder, k_loss)


def backward(p: Params, config: Config, k: Cache) -> Params:
    """Gradient of the loss with respect to every parameter: -> Params."""
    p = untie(p, config)
    dlogits = loss_backward(k.loss)                                                 # (S5*)
    g_decoder, ds0, dsource = decoder.backward(p.decoder, config, k.source, k.decoder, dlogits)  # (S4*)
    g_encoder, g_bridge, g_score = encode_backward(p, config, k.source, k.encode, dsource, ds0)  # (S3*) (S2*) (S1*)
    g_decoder = g_decoder._replace(score=tree.add(g_decoder.score, g_score))        # fork: keys and queries
    return tie_gradients(Params(g_encoder, g_bridge, g_decoder), config)


def loss_forward(config: Config, logits: np.ndarray, batch: Batch) -> tuple[Any, Any]:
    """The loss of tokens, or of frames: -> L, Cache."""
    if config.target == "frames":
        return frame_output.forward(logits, batch.targets, batch.target_mask, str(config.frame_error))    # (S5)
    return loss.forward(logits, batch.targets, batch.target_mask, config.label_smoothing)           # (S5)


def loss_backward(k: Any) -> np.ndarray:
    """-> dlogits (S, N, V), or of frames (S, N, r F + 1)."""
    return frame_output.backward(k) if isinstance(k, frame_output.Cache) else loss.backward(k)


def logits(p: Params, config: Config, batch: Batch, teacher_mask: np.ndarray | None = None) -> np.ndarray:
    """The logits (S, N, V) of a batch, for those who want nothing else."""
    return forward(p, config, batch, teacher_mask)[1]


def loss_and_gradient(p: Params, config: Config, batch: Batch, teacher_mask: np.ndarray | None = None,
                      masks: DropoutMasks | None = None) -> tuple[Any, Params]:
    """`forward` and `backward` in one call, for training: -> L, Params.

    The compiled implementation, which need not show what is between, never holds the logits of a whole batch.
    """
    L, _, k = forward(p, config, batch, teacher_mask, masks)
    return L, backward(p, config, k)
