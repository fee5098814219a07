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
from .config import Config
from .transformer_masks import StackMasks, of_layers


class Layer(NamedTuple):
    attention: Any             # sublayers.Params, or the Cache of the sub-layer
    feed_forward: Any


class Params(NamedTuple):
    embedding: np.ndarray      # (V, D)
    positions: np.ndarray      # (M, D), or None: sinusoids
    layers: tuple              # of Layer
    norm: Any                  # layer_norm.Params with pre-norm, else None


class Cache(NamedTuple):
    ids: np.ndarray            # (T, N)
    layers: tuple              # for each layer a Layer of caches
    norm: Any


def init(rng: Any, config: Config) -> Params:
    """First parameters, float64."""
    c = config
    return Params(embedding.init(rng, c.source_vocab, c.hidden),
                  positions.init(rng, c.positions, c.max_positions, c.hidden),
                  tuple(Layer(sublayers.init_attention(rng, c), sublayers.init_feed_forward(rng, c))
                        for _ in range(c.layers)),
                  layer_norm.init(c.hidden) if c.norm == "pre" else None)


def forward(p: Params, config: Config, ids: np.ndarray, mask: np.ndarray,
            masks: StackMasks | None = None) -> tuple[np.ndarray, Cache]:
    """ids (T, N), mask (T, N) -> hs (T, N, D), Cache."""
    x = positions.forward(p.positions, embedding.forward(p.embedding, ids))         # (TE1)
    x, visible, ks = dropout.forward(x, masks and masks.inputs), see_real(mask), []  # (TE1)
    for q, (m_attention, m_ff) in zip(p.layers, of_layers(masks, config, "encoder")):
        x, _, k_attention = sublayers.self_attention(q.attention, config, x, visible, m_attention)      # (TE2)
        x, k_ff = sublayers.feed_forward_sublayer(q.feed_forward, config, x, m_ff)  # (TE3)
        ks.append(Layer(k_attention, k_ff))
    hs, k_norm = sublayers.final_norm(p.norm, x)                                    # (TE4)
    return hs, Cache(ids, tuple(ks), k_norm)


def backward(p: Params, config: Config, k: Cache, dhs: np.ndarray, masks: StackMasks | None = None) -> Params:
    """dhs (T, N, D) -> Params gradients."""
    dx, g_norm = sublayers.final_norm_backward(p.norm, k.norm, dhs)                 # (TE4*)
    grads = []
    of_each = zip(p.layers, k.layers, of_layers(masks, config, "encoder"))
    for q, k_layer, (m_attention, m_ff) in reversed(list(of_each)):
        dx, g_ff = sublayers.feed_forward_sublayer_backward(q.feed_forward, config, k_layer.feed_forward, dx,
                                                            m_ff)                   # (TE3*)
        dx, g_attention = sublayers.self_attention_backward(q.attention, config, k_layer.attention, dx,
                                                            m_attention)            # (TE2*)
        grads.append(Layer(g_attention, g_ff))
    dx, g_positions = positions.backward(p.positions, dropout.backward(dx, masks and masks.inputs))      # (TE1*)
    return Params(embedding.backward(p.embedding, k.ids, dx), g_positions, tuple(reversed(grads)), g_norm)    # (TE1*)
