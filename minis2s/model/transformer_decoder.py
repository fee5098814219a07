"""Transformer decoder: any number of new positions at once, after any number of positions before them.

With a whole target and no past this is training; with one token and the keys and values of those before it, it is
one step of decoding.  Both run the same lines, so they agree.
Source: Vaswani et al. (2017), section 3.  Shapes: S new target steps, T source steps, N batch, D model size.

Forward                                             Backward, where there was no past
(TD1)  x = m (positions of E[y_{t-1}])              (TD1*) dE, dpositions
(TD2)  x = self-attention(x), causal  each layer    (TD2*) dx, gradients of the attention
(TD3)  x = cross-attention(x, source) each layer    (TD3*) dx, dkv, gradients of the attention
(TD4)  x = feed-forward(x)            each layer    (TD4*) dx, gradients of the feed-forward layer
(TD5)  r = norm(x)                    pre-norm      (TD5*) dx
(TD6)  logits = r W + b                             (TD6*) dr, dW, db

Padding of the target needs no mask: it stands at the end, where (SA5) hides it from every real position, and the
loss does not read what padded positions answer.
"""
from typing import Any, NamedTuple

import numpy as np

from ..core import tree
from ..layers import dropout, embedding, layer_norm, linear, positions
from ..layers.attention import multi_head
from ..layers.attention.scaled_dot_product import see_past
from . import transformer_sublayers as sublayers
from .config import Config
from .transformer_masks import StackMasks, of_layers, of_steps


class Layer(NamedTuple):
    attention: Any             # sublayers.Params, or the Cache of the sub-layer
    cross: Any
    feed_forward: Any


class Params(NamedTuple):
    embedding: np.ndarray      # (V, D)
    positions: np.ndarray      # (M, D), or None: sinusoids
    layers: tuple              # of Layer
    norm: Any                  # layer_norm.Params with pre-norm, else None
    readout: linear.Params     # W (D, V) is None where tied to the embedding


class Source(NamedTuple):      # what the decoder reads of the source, examples first
    kvs: tuple                 # for each layer multi_head.KeyValues (N, h, T, d)
    visible: np.ndarray        # (N, 1, 1, T), True = real

    def select(self, rows: Any) -> "Source":
        """The Source of some examples, in any order and any number of times."""
        return tree.map(lambda a: a[rows], self)


class State(NamedTuple):       # what decoded positions leave behind, examples first
    kvs: tuple                 # for each layer multi_head.KeyValues (N, h, positions so far, d)


class Cache(NamedTuple):
    ids: np.ndarray            # (S, N), the tokens fed
    layers: tuple              # for each layer a Layer of caches
    norm: Any
    r: np.ndarray              # (S, N, D), what the readout read


def init(rng: Any, config: Config) -> Params:
    """First parameters, float64."""
    c = config
    readout = linear.init(rng, c.hidden, c.target_vocab)
    return Params(embedding.init(rng, c.target_vocab, c.hidden),
                  positions.init(rng, c.positions, c.max_positions, c.hidden),
                  tuple(Layer(sublayers.init_attention(rng, c), sublayers.init_attention(rng, c),
                              sublayers.init_feed_forward(rng, c)) for _ in range(c.layers)),
                  layer_norm.init(c.hidden) if c.norm == "pre" else None,
                  readout._replace(W=None) if c.tied_embedding else readout)


def source_of(p: Params, config: Config, hs: np.ndarray, visible: np.ndarray) -> Source:
    """Make what all target positions read: encoder states (T, N, D) -> Source."""
    return Source(tuple(multi_head.keys_values(q.cross.f, config.heads, hs) for q in p.layers), visible)


def source_backward(p: Params, config: Config, hs: np.ndarray, dkvs: tuple) -> tuple[Any, tuple]:
    """Pull the gradients of all layers' KeyValues back: -> dhs, a multi_head.Params of gradients for each layer."""
    dhs, grads = zip(*(multi_head.keys_values_backward(q.cross.f, hs, d) for q, d in zip(p.layers, dkvs)))
    return sum(dhs), grads                                      # fork: every layer reads hs


def initial_state(p: Params, config: Config, N: int) -> State:
    """The State before the first position: nothing."""
    shape = (N, config.heads, 0, config.hidden // config.heads)
    empty = multi_head.KeyValues(*(np.empty(shape, p.embedding.dtype) for _ in range(2)))
    return State((empty,) * config.layers)


def forward(p: Params, config: Config, source: Source, ids: np.ndarray, s: State | None = None,
            masks: StackMasks | None = None) -> tuple[np.ndarray, State, Cache]:
    """Answer what follows each of S new positions.

    Parameters
    ----------
    p : Params
    config : Config
    source : Source
    ids : ndarray of int of shape (S, N)
        The tokens at the new positions: BOS y_1 ... for a whole target.
    s : State, optional
        Of the positions before them; None: there are none.
    masks : StackMasks, optional

    Returns
    -------
    logits : ndarray of shape (S, N, V)
    s : State, of all positions
    cache : Cache
    """
    S, s = len(ids), s or initial_state(p, config, ids.shape[1])
    before = s.kvs[0].k.shape[2]
    x = positions.forward(p.positions, embedding.forward(p.embedding, ids), before)     # (TD1)
    x, visible, kvs, ks = dropout.forward(x, masks and masks.inputs), see_past(S, before + S), [], []    # (TD1)
    for q, past, kv, (m_self, m_cross, m_ff) in zip(p.layers, s.kvs, source.kvs, of_layers(masks, config, "decoder")):
        x, new, k_self = sublayers.self_attention(q.attention, config, x, visible, m_self, past)        # (TD2)
        x, k_cross = sublayers.cross_attention(q.cross, config, x, kv, source.visible, m_cross)         # (TD3)
        x, k_ff = sublayers.feed_forward_sublayer(q.feed_forward, config, x, m_ff)  # (TD4)
        kvs.append(new)
        ks.append(Layer(k_self, k_cross, k_ff))
    r, k_norm = sublayers.final_norm(p.norm, x)                                     # (TD5)
    return linear.forward(p.readout, r), State(tuple(kvs)), Cache(ids, tuple(ks), k_norm, r)    # (TD6)


def backward(p: Params, config: Config, k: Cache, dlogits: np.ndarray,
             masks: StackMasks | None = None) -> tuple[Params, tuple]:
    """Pull dlogits (S, N, V) of a whole target back: -> Params gradients (of `cross`: queries and output), dkvs."""
    dr, g_readout = linear.backward(p.readout, k.r, dlogits)                        # (TD6*)
    dx, g_norm = sublayers.final_norm_backward(p.norm, k.norm, dr)                  # (TD5*)
    grads, dkvs = [], []
    of_each = zip(p.layers, k.layers, of_layers(masks, config, "decoder"))
    for q, k_layer, (m_self, m_cross, m_ff) in reversed(list(of_each)):
        dx, g_ff = sublayers.feed_forward_sublayer_backward(q.feed_forward, config, k_layer.feed_forward, dx,
                                                            m_ff)                   # (TD4*)
        dx, dkv, g_cross = sublayers.cross_attention_backward(q.cross, config, k_layer.cross, dx, m_cross)  # (TD3*)
        dx, g_self = sublayers.self_attention_backward(q.attention, config, k_layer.attention, dx, m_self)  # (TD2*)
        grads.append(Layer(g_self, g_cross, g_ff))
        dkvs.append(dkv)
    dx, g_positions = positions.backward(p.positions, dropout.backward(dx, masks and masks.inputs))             # (TD1*)
    dE = embedding.backward(p.embedding, k.ids, dx)                                 # (TD1*)
    return Params(dE, g_positions, tuple(reversed(grads)), g_norm, g_readout), tuple(reversed(dkvs))


def free_running(p: Params, config: Config, source: Source, ids: np.ndarray, teacher_mask: np.ndarray,
                 masks: StackMasks | None = None) -> np.ndarray:
    """The tokens that are fed when the model's own answers take the place of some: ids, teacher_mask (S, N) -> (S, N).

    Where `teacher_mask` is False the model is fed its own most probable token of the step before; row 0 is always fed.
    """
    fed, s = ids.copy(), None
    for t in range(len(ids) - 1):
        now = slice(t, t + 1)
        logits, s, _ = forward(p, config, source, fed[now], s, of_steps(masks, now))
        fed[t + 1] = np.where(teacher_mask[t + 1], ids[t + 1], logits[0].real.argmax(axis=1))
    return fed


def alphas(k: Cache) -> list:
    """Cross-attention weights: a list, for each layer (N, h, S, T)."""
    return [layer.cross.f.heads.alpha for layer in k.layers]
