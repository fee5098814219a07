"""The whole model: loss of a batch, and its gradient.  `backward` reads as `forward` upside down.

Rows A3.1, B4.1, C2.2; ties: D3.s.  Shapes: T source steps, S target steps, N batch.

Forward                                   Backward
(S1)  hs, finals = encoder(source)        (S1*) encoder's gradients
(S2)  s_0 = bridge(finals)                (S2*) dfinals
(S3)  memory or ctx for the decoder       (S3*) dhs, dfinals +=
(S4)  logits = decoder(s_0, inputs)       (S4*) ds_0, dmemory, dctx, decoder's gradients
(S5)  L = loss(logits, targets)           (S5*) dlogits
"""
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..core import initializers, tree, validation
from ..layers import dropout, loss
from . import bridge, decoder, encoder
from ..layers.attention import SCORES, precompute_keys, precompute_keys_backward
from ..layers.cells import CELLS


class Params(NamedTuple):
    encoder: encoder.Params
    bridge: Any                # for each layer a State of linear.Params, or None
    decoder: decoder.Params


class Drops(NamedTuple):       # dropout masks of one batch, each None where nothing is dropped
    encoder: tuple             # (N, D) for each layer's input
    decoder: tuple
    output: np.ndarray         # (N, R)


class EncodeCache(NamedTuple):
    hs: np.ndarray
    encoder: encoder.Cache
    bridge: bridge.Cache
    finals: tuple


class Cache(NamedTuple):
    encode: EncodeCache
    source: decoder.Source
    decoder: decoder.Cache
    loss: loss.Cache


def init(config, seed=0):
    """First parameters of a model, in the Config's dtype; the same seed gives the same bits.

    Raises
    ------
    ValueError, TypeError
        If the Config does not say how large the vocabularies are; for a seed that is no whole number from 0.
    """
    validation.whole("seed", seed, 0)
    return tree.map(lambda a: a.astype(config.dtype), drawn(np.random.default_rng(seed), config))


def drawn(rng, config):
    """The same, float64, by a random generator."""
    if config.source_vocab is None or config.target_vocab is None:
        raise ValueError("source_vocab and target_vocab: the Config must name both before a model can be made")
    cell = CELLS[config.cell_name]
    return Params(encoder.init(rng, config, cell),
                  bridge.init(rng, config.bridge, cell, config.encoder_size, config.hidden, config.layers),
                  decoder.init(rng, config))


def draw_drops(rng, config, N):
    """Draw the dropout masks of a batch of N examples; None where the rate is 0."""
    if config.dropout == 0:
        return None
    return tree.map(lambda D: dropout.draw(rng, config.dropout, (N, D), config.dtype), drop_sizes(config))


def drop_sizes(config):
    """How many units the dropout masks are for: -> Drops of numbers."""
    above = config.layers - 1
    return Drops((config.embedding,) + (config.encoder_size,) * above,
                 (config.decoder_input_size,) + (config.hidden,) * above, config.readout_size)


def untie(p, config):
    """Put shared weights where they are used: the decoder that results has parameters of its own to look at."""
    dec = p.decoder
    if config.tied_cells:
        dec = dec._replace(layers=p.encoder.layers)
    if config.tied_embedding:
        dec = dec._replace(readout=dec.readout._replace(W=dec.embedding.T))
    return p._replace(decoder=dec)


def tie_gradients(g, config):
    """The gradient of a shared weight is the sum of those of its uses."""
    if not (config.tied_cells or config.tied_embedding):
        return g
    enc, dec = g.encoder, g.decoder
    if config.tied_cells:
        enc = enc._replace(layers=tree.add(enc.layers, dec.layers))                 # fork
        dec = dec._replace(layers=None)
    if config.tied_embedding:
        dec = dec._replace(embedding=dec.embedding + dec.readout.W.T,               # fork
                           readout=dec.readout._replace(W=None))
    return Params(enc, g.bridge, dec)


def encode(p, config, ids, mask, drops=None):
    """Read the source once: ids, mask (T, N) -> decoder.Source, the decoder's initial states, EncodeCache.

    Raises
    ------
    ValueError, TypeError
        For ids outside the vocabulary, padding before the end, arrays of wrong shape or dtype.
    """
    check_source(config, ids, mask)
    cell = CELLS[config.cell_name]
    hs, finals, k_encoder = encoder.forward(p.encoder, cell, ids, mask, drops and drops.encoder)    # (S1)
    s0, k_bridge = bridge.forward(p.bridge, config.bridge, finals)                  # (S2)
    source = decoder.Source(None, None)
    if config.context == "attention":
        source = decoder.Source(precompute_keys(SCORES[config.attention], p.decoder.score, hs, mask), None)    # (S3)
    elif config.context == "every-step":
        source = decoder.Source(None, k_bridge.finals[-1].h)                        # (S3)
    return source, s0, EncodeCache(hs, k_encoder, k_bridge, finals)


def encode_backward(p, config, source, k, dsource, ds0):
    """Pull gradients of Source and initial states back: -> encoder, bridge and score Params gradients."""
    cell = CELLS[config.cell_name]
    dhs, g_score = np.zeros_like(k.hs), None
    dfinals, g_bridge = bridge.backward(p.bridge, config.bridge, k.bridge, ds0)     # (S2*)
    if config.context == "attention":
        dhs, g_score = precompute_keys_backward(SCORES[config.attention], p.decoder.score, source.memory,
                                         dsource.memory)                            # (S3*)
    elif config.context == "every-step":
        top = dfinals[-1]
        dfinals = (*dfinals[:-1], top._replace(h=top.h + dsource.ctx))              # (S3*) fork
    dfinals = tuple(bridge.split(like, d) for like, d in zip(k.finals, dfinals))
    return encoder.backward(p.encoder, cell, k.encoder, dhs, dfinals), g_bridge, g_score    # (S1*)


def forward(p, config, batch, teacher=None, drops=None):
    """Loss of a batch.

    Parameters
    ----------
    p : Params
    config : Config
    batch : data.Batch
    teacher : ndarray of bool of shape (S, N), optional
        See decoder.forward; None is teacher forcing.
    drops : Drops, optional
        Dropout masks; None: nothing is dropped.

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
    check_params(p, config)
    check_batch(config, batch, teacher, drops)
    p = untie(p, config)
    source, s0, k_encode = encode(p, config, batch.source, batch.source_mask, drops)    # (S1) (S2) (S3)
    logits, k_decoder = decoder.forward(p.decoder, config, source, s0, batch.inputs, teacher,
                                        drops and drops.decoder, drops and drops.output)         # (S4)
    L, k_loss = loss.forward(logits, batch.targets, batch.target_mask, config.label_smoothing)   # (S5)
    return L, logits, Cache(k_encode, source, k_decoder, k_loss)


@lru_cache
def shapes(config):
    """Names and shapes of the parameters of a Config: -> dict, not to be changed."""
    return {name: a.shape for name, a in tree.named(drawn(initializers.Sizes(), config))}


def check_params(p, config):
    """Ask for parameters of this Config, shared weights standing at one place only."""
    want, got = shapes(config), {name: np.shape(a) for name, a in tree.named(p)}
    for name in sorted(want.keys() | got.keys()) if got != want else ():
        if got.get(name) != want.get(name):
            raise ValueError(f"p: {name} has shape {got.get(name)}, wanted {want.get(name)} of this Config")


def check_source(config, ids, mask):
    """Ask for what `encode` can compute with."""
    validation.ids("source", ids, config.source_vocab)
    validation.mask("source_mask", mask, ids.shape)


def check_batch(config, batch, teacher=None, drops=None):
    """Ask for what `forward` can compute with; `encode` asks about the source."""
    V, N = config.target_vocab, batch.source.shape[-1] if isinstance(batch.source, np.ndarray) else "N"
    validation.ids("inputs", batch.inputs, V, ("S", N))
    shape = batch.inputs.shape
    if np.ndim(batch.targets) == 3:
        validation.array("targets", batch.targets, (*shape, V), "fiub")
    else:
        validation.ids("targets", batch.targets, V, shape)
    validation.mask("target_mask", batch.target_mask, shape)
    if teacher is not None:
        validation.array("teacher", teacher, shape, "b")
    if drops is not None:
        check_drops(drops, drop_sizes(config), N)


def check_drops(drops, sizes, N):
    """Ask for dropout masks of N examples, for all layers or for none."""
    for name, masks, wanted in zip(Drops._fields, drops, sizes):
        if isinstance(wanted, int):
            masks, wanted = masks if masks is None else (masks,), (wanted,)
        if masks is not None and len(masks) != len(wanted):
            raise ValueError(f"drops.{name}: {len(masks)} masks, wanted one for each of {len(wanted)} layers")
        for m, D in zip(masks or (), wanted):
            validation.array(f"drops.{name}", m, (N, D))


def backward(p, config, k):
    """Gradient of the loss with respect to every parameter: -> Params."""
    p = untie(p, config)
    dlogits = loss.backward(k.loss)                                                 # (S5*)
    g_decoder, ds0, dsource = decoder.backward(p.decoder, config, k.source, k.decoder, dlogits)  # (S4*)
    g_encoder, g_bridge, g_score = encode_backward(p, config, k.source, k.encode, dsource, ds0)    # (S3*) (S2*) (S1*)
    g_decoder = g_decoder._replace(score=tree.add(g_decoder.score, g_score))        # fork: keys and queries
    return tie_gradients(Params(g_encoder, g_bridge, g_decoder), config)


def logits(p, config, batch, teacher=None):
    """The logits (S, N, V) of a batch, for those who want nothing else."""
    return forward(p, config, batch, teacher)[1]


def loss_and_gradient(p, config, batch, teacher=None, drops=None):
    """`forward` and `backward` in one call, for training: -> L, Params.

    Its twin, which need not show what is between, never holds the logits of a whole batch.
    """
    L, _, k = forward(p, config, batch, teacher, drops)
    return L, backward(p, config, k)
