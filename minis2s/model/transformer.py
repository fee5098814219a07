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
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..core import initializers, tree, validation
from ..layers import dropout, loss
from ..layers.attention.scaled_dot_product import see_real
from . import transformer_decoder as decoder
from . import transformer_encoder as encoder


class Params(NamedTuple):
    encoder: encoder.Params
    decoder: decoder.Params


class Drops(NamedTuple):       # dropout masks of one batch
    encoder: encoder.Drops
    decoder: encoder.Drops


class EncodeCache(NamedTuple):
    hs: np.ndarray             # (T, N, D)
    encoder: encoder.Cache


class Cache(NamedTuple):
    encode: EncodeCache
    decoder: decoder.Cache
    loss: loss.Cache
    drops: Drops


def init(config, seed=0):
    """First parameters of a model, in the Config's dtype; the same seed gives the same bits.

    Raises
    ------
    ValueError, TypeError
        If the Config does not say how large the vocabularies are; for a seed that is no whole number from 0.
    """
    validation.whole("seed", seed, 0)
    return tree.map(lambda a: a.astype(config.dtype), init_float64(np.random.default_rng(seed), config))


def init_float64(rng, config):
    """First parameters, float64, by a random generator; ValueError if the Config does not know its vocabularies."""
    if config.source_vocab is None or config.target_vocab is None:
        raise ValueError("source_vocab and target_vocab: the Config must name both before a model can be made")
    return Params(encoder.init(rng, config), decoder.init(rng, config))


def draw_drops(rng, config, T, S, N):
    """Draw the dropout masks of a batch, another for every position; None where the rate is 0."""
    if config.dropout == 0:
        return None
    return tree.map(lambda shape: dropout.draw(rng, config.dropout, shape.shape, config.dtype),
                    drop_shapes(config, T, S, N))


def drop_shapes(config, T, S, N):
    """The shapes of the dropout masks: Drops of arrays without numbers of their own."""
    def masks(steps, sublayers):
        one = np.broadcast_to(0.0, (steps, N, config.hidden))
        return encoder.Drops(one, ((one,) * sublayers,) * config.layers)
    return Drops(masks(T, 2), masks(S, 3))


def untie(p, config):
    """Put the shared matrix where it is used, too."""
    if not config.tied_embedding:
        return p
    dec = p.decoder
    return p._replace(decoder=dec._replace(readout=dec.readout._replace(W=dec.embedding.T)))


def tie_gradients(g, config):
    """The gradient of the shared matrix is the sum of those of its two uses."""
    if not config.tied_embedding:
        return g
    dec = g.decoder
    return g._replace(decoder=dec._replace(embedding=dec.embedding + dec.readout.W.T,   # fork
                                           readout=dec.readout._replace(W=None)))


def encode(p, config, ids, mask, drops=None):
    """Read the source once: ids, mask (T, N) -> decoder.Source, EncodeCache.

    Raises
    ------
    ValueError, TypeError
        For ids outside the vocabulary, padding before the end, arrays of wrong shape or dtype, and for sources
        longer than a learned table of positions.
    """
    check_source(config, ids, mask)
    hs, k_encoder = encoder.forward(p.encoder, config, ids, mask, drops and drops.encoder)      # (TM1)
    source = decoder.source_of(p.decoder, config, hs, see_real(mask))               # (TM2)
    return source, EncodeCache(hs, k_encoder)


def encode_backward(p, config, k, dkvs, drops=None):
    """Pull dkvs back: -> encoder Params gradients, multi_head.Params gradients of each layer's cross-attention."""
    dhs, g_cross = decoder.source_backward(p.decoder, config, k.hs, dkvs)           # (TM2*)
    return encoder.backward(p.encoder, config, k.encoder, dhs, drops and drops.encoder), g_cross        # (TM1*)


def forward(p, config, batch, teacher=None, drops=None):
    """Loss of a batch.

    Parameters
    ----------
    p : Params
    config : Config
    batch : data.Batch
    teacher : ndarray of bool of shape (S, N), optional
        See decoder.free_running; None is teacher forcing.
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
    source, k_encode = encode(p, config, batch.source, batch.source_mask, drops)    # (TM1) (TM2)
    fed, m = batch.inputs, drops and drops.decoder
    if teacher is not None:
        fed = decoder.free_running(p.decoder, config, source, fed, teacher, m)
    logits, _, k_decoder = decoder.forward(p.decoder, config, source, fed, None, m)     # (TM3)
    L, k_loss = loss.forward(logits, batch.targets, batch.target_mask, config.label_smoothing)      # (TM4)
    return L, logits, Cache(k_encode, k_decoder, k_loss, drops)


def backward(p, config, k):
    """Gradient of the loss with respect to every parameter: -> Params."""
    p = untie(p, config)
    dlogits = loss.backward(k.loss)                                                 # (TM4*)
    g_decoder, dkvs = decoder.backward(p.decoder, config, k.decoder, dlogits, k.drops and k.drops.decoder)      # (TM3*)
    g_encoder, g_cross = encode_backward(p, config, k.encode, dkvs, k.drops)        # (TM2*) (TM1*)
    layers = tuple(g._replace(cross=g.cross._replace(f=tree.add(g.cross.f, g_kv)))
                   for g, g_kv in zip(g_decoder.layers, g_cross))
    return tie_gradients(Params(g_encoder, g_decoder._replace(layers=layers)), config)


def logits(p, config, batch, teacher=None):
    """The logits (S, N, V) of a batch, for those who want nothing else."""
    return forward(p, config, batch, teacher)[1]


def loss_and_gradient(p, config, batch, teacher=None, drops=None):
    """`forward` and `backward` in one call, for training: -> L, Params."""
    L, _, k = forward(p, config, batch, teacher, drops)
    return L, backward(p, config, k)


# What the public functions check ------------------------------------------------------------------------

@lru_cache
def shapes(config):
    """Names and shapes of the parameters of a Config: -> dict, not to be changed."""
    return {name: a.shape for name, a in tree.named(init_float64(initializers.Sizes(), config))}


def check_params(p, config):
    """Require parameters of this Config, a shared matrix standing at one place only."""
    want, got = shapes(config), {name: np.shape(a) for name, a in tree.named(p)}
    for name in sorted(want.keys() | got.keys()) if got != want else ():
        if got.get(name) != want.get(name):
            raise ValueError(f"p: {name} has shape {got.get(name)}, wanted {want.get(name)} of this Config")


def check_length(config, name, steps):
    """Require that learned positions reach so far."""
    if config.positions == "learned" and steps > config.max_positions:
        raise ValueError(f"{name}: {steps} steps, wanted at most {config.max_positions}, as many as there are learned "
                         "positions (max_positions)")


def check_source(config, ids, mask):
    """Require what `encode` can compute with."""
    validation.ids("source", ids, config.source_vocab)
    validation.mask("source_mask", mask, ids.shape)
    check_length(config, "source", len(ids))


def check_batch(config, batch, teacher=None, drops=None):
    """Require what `forward` can compute with; `encode` checks the source."""
    T, N = batch.source.shape if np.ndim(batch.source) == 2 else ("T", "N")
    validation.ids("inputs", batch.inputs, config.target_vocab, ("S", N))
    shape = batch.inputs.shape
    check_length(config, "inputs", len(batch.inputs))
    if np.ndim(batch.targets) == 3:
        validation.array("targets", batch.targets, (*shape, config.target_vocab), "fiub")
    else:
        validation.ids("targets", batch.targets, config.target_vocab, shape)
    validation.mask("target_mask", batch.target_mask, shape)
    if teacher is not None:
        validation.array("teacher", teacher, shape, "b")
    if drops is not None:
        want = dict(tree.named(drop_shapes(config, T, len(batch.inputs), N)))
        got = dict(tree.named(drops))
        for name in sorted(want.keys() ^ got.keys()):
            raise ValueError(f"drops.{name}: {'missing' if name in want else 'not part of this Config'}")
        for name, a in got.items():
            validation.array(f"drops.{name}", a, want[name].shape)
