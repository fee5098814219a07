"""Transformer encoder: token ids -> embeddings with positions -> layers of self-attention and feed-forward -> states.

Source: Vaswani et al. (2017), section 3.  Shapes: T source steps, N batch, D model size, V vocabulary.

Forward                                             Backward
(TE1)  x = m (positions of E[id])                   (TE1*) dE, dpositions
(TE2)  x = self-attention(x)          each layer    (TE2*) dx, gradients of the attention
(TE3)  x = feed-forward(x)            each layer    (TE3*) dx, gradients of the feed-forward layer
(TE4)  hs = norm(x)                   pre-norm      (TE4*) dx

No step waits for another: all positions go through a layer at once, where an LSTM needs T steps.
"""
from typing import Any, NamedTuple

import numpy as np

from ..layers import dropout, embedding, layer_norm, positions
from ..layers.attention.scaled_dot_product import see_real
from . import transformer_sublayers as sublayers


class Layer(NamedTuple):
    attention: sublayers.Params
    feed_forward: sublayers.Params


class Params(NamedTuple):
    embedding: np.ndarray      # (V, D)
    positions: np.ndarray      # (M, D), or None: sinusoids
    layers: tuple              # of Layer
    norm: Any                  # layer_norm.Params with pre-norm, else None


class Drops(NamedTuple):       # dropout masks (T, N, D)
    inputs: np.ndarray         # of embeddings with positions
    layers: tuple              # for each layer a tuple, a mask for each of its sub-layers


class Cache(NamedTuple):
    ids: np.ndarray            # (T, N)
    layers: tuple              # for each layer a Layer of caches
    norm: Any


def init(rng, config):
    """First parameters, float64."""
    c = config
    return Params(embedding.init(rng, c.source_vocab, c.hidden), positions.init(rng, c.positions, c.max_positions, c.hidden),
                  tuple(Layer(sublayers.init_attention(rng, c), sublayers.init_feed_forward(rng, c))
                        for _ in range(c.layers)),
                  layer_norm.init(c.hidden) if c.norm == "pre" else None)


def masks_of(drops, config, count):
    """Each layer's masks of its `count` sub-layers: None for each where nothing is dropped."""
    return drops.layers if drops else ((None,) * count,) * config.layers


def forward(p, config, ids, mask, drops=None):
    """ids (T, N), mask (T, N) -> hs (T, N, D), Cache."""
    x = positions.forward(p.positions, embedding.forward(p.embedding, ids))         # (TE1)
    x, visible, ks = dropout.forward(x, drops and drops.inputs), see_real(mask), []  # (TE1)
    for q, (m_attention, m_ff) in zip(p.layers, masks_of(drops, config, 2)):
        x, _, k_attention = sublayers.self_attention(q.attention, config, x, visible, m_attention)      # (TE2)
        x, k_ff = sublayers.feed_forward_sublayer(q.feed_forward, config, x, m_ff)  # (TE3)
        ks.append(Layer(k_attention, k_ff))
    hs, k_norm = sublayers.final_norm(p.norm, x)                                    # (TE4)
    return hs, Cache(ids, tuple(ks), k_norm)


def backward(p, config, k, dhs, drops=None):
    """dhs (T, N, D) -> Params gradients."""
    dx, g_norm = sublayers.final_norm_backward(p.norm, k.norm, dhs)                 # (TE4*)
    grads = []
    for q, k_layer, (m_attention, m_ff) in reversed(list(zip(p.layers, k.layers, masks_of(drops, config, 2)))):
        dx, g_ff = sublayers.feed_forward_sublayer_backward(q.feed_forward, config, k_layer.feed_forward, dx,
                                                            m_ff)                   # (TE3*)
        dx, g_attention = sublayers.self_attention_backward(q.attention, config, k_layer.attention, dx,
                                                            m_attention)            # (TE2*)
        grads.append(Layer(g_attention, g_ff))
    dx, g_positions = positions.backward(p.positions, dropout.backward(dx, drops and drops.inputs))      # (TE1*)
    return Params(embedding.backward(p.embedding, k.ids, dx), g_positions, tuple(reversed(grads)), g_norm)    # (TE1*)
