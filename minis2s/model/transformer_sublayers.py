"""The three sub-layers that a Transformer is stacked of, each with its residual connection and norm.

Source: Vaswani et al. (2017), section 3.1 and figure 1.  Shapes: S steps here, T steps of the encoder, N batch, D size.

Forward                                           Backward
      u = branch(x)         see residual.py             dx += branch's, from du
(TS1) z = attend(u, keys and values of u)         (TS1*) du = attend's and the keys' and values'    self-attention
(TS2) z = attend(u, the encoder's keys, values)   (TS2*) du = attend's; dkv goes to the encoder     cross-attention
(TS3) z = feed_forward(u)                         (TS3*) du = the feed-forward layer's              feed-forward
      y = join(x, z)                                    dx, dz = join's, from dy
"""
from typing import Any, NamedTuple

import numpy as np

from ..core import tree
from ..layers import feed_forward, layer_norm, residual
from ..layers.attention import multi_head
from .config import Config


class Params(NamedTuple):
    f: Any                     # multi_head.Params or feed_forward.Params
    norm: layer_norm.Params


class Cache(NamedTuple):
    branch: Any                # layer_norm.Cache with pre-norm, else None
    u: np.ndarray              # (S, N, D)
    f: Any                     # multi_head.Cache or feed_forward.Cache
    join: Any                  # layer_norm.Cache with post-norm, else None


def init_attention(rng: np.random.Generator, config: Config) -> Params:
    """First parameters of self- or cross-attention, float64."""
    return Params(multi_head.init(rng, config.hidden), layer_norm.init(config.hidden))


def init_feed_forward(rng: np.random.Generator, config: Config) -> Params:
    """First parameters of the feed-forward sub-layer, float64."""
    return Params(feed_forward.init(rng, config.hidden, config.feed_forward), layer_norm.init(config.hidden))


def self_attention(p: Params, config: Config, x: np.ndarray, visible: np.ndarray, m: np.ndarray | None = None,
                   past: multi_head.KeyValues | None = None) -> tuple[np.ndarray, multi_head.KeyValues, Cache]:
    """Every position reads the positions of its own sequence that are visible.

    Parameters
    ----------
    p : Params
    config : Config
    x : ndarray of shape (S, N, D)
    visible : ndarray of bool
        See scaled_dot_product.
    m : ndarray of shape (S, N, D), optional
        Mask of dropout.
    past : multi_head.KeyValues, optional
        Of the positions before x, in step-wise decoding.

    Returns
    -------
    y : ndarray of shape (S, N, D)
    kv : multi_head.KeyValues
        Of the positions before and in x.
    cache : Cache
    """
    u, k_branch = residual.branch(p.norm, config.norm, x)
    kv = multi_head.keys_values(p.f, config.heads, u)
    if past is not None:
        kv = tree.map(lambda a, b: np.concatenate([a, b], axis=2), past, kv)
    z, k_attend = multi_head.attend(p.f, config.heads, u, kv, visible)              # (TS1)
    y, k_join = residual.join(p.norm, config.norm, x, z, m)
    return y, kv, Cache(k_branch, u, k_attend, k_join)


def self_attention_backward(p: Params, config: Config, k: Cache, dy: np.ndarray,
                            m: np.ndarray | None = None) -> tuple[np.ndarray, Params]:
    """Pull dy (S, N, D) back, where there was no past: -> dx (S, N, D), Params gradients."""
    dx, dz, g_norm = residual.join_backward(p.norm, config.norm, k.join, dy, m)
    du, dkv, g_attend = multi_head.attend_backward(p.f, config.heads, k.f, dz)      # (TS1*)
    du_kv, g_kv = multi_head.keys_values_backward(p.f, k.u, dkv)                    # (TS1*)
    dx, g_norm = residual.branch_backward(p.norm, config.norm, k.branch, dx, du + du_kv, g_norm)    # fork: u asks and
    return dx, Params(tree.add(g_attend, g_kv), g_norm)                                             # is asked


def cross_attention(p: Params, config: Config, x: np.ndarray, kv: multi_head.KeyValues, visible: np.ndarray,
                    m: np.ndarray | None = None) -> tuple[np.ndarray, Cache]:
    """Every position of x (S, N, D) reads what the encoder made: -> y (S, N, D), Cache."""
    u, k_branch = residual.branch(p.norm, config.norm, x)
    z, k_attend = multi_head.attend(p.f, config.heads, u, kv, visible)              # (TS2)
    y, k_join = residual.join(p.norm, config.norm, x, z, m)
    return y, Cache(k_branch, u, k_attend, k_join)


def cross_attention_backward(p: Params, config: Config, k: Cache, dy: np.ndarray,
                             m: np.ndarray | None = None) -> tuple[np.ndarray, multi_head.KeyValues, Params]:
    """Pull dy back: -> dx, KeyValues gradients, Params gradients (of queries and output)."""
    dx, dz, g_norm = residual.join_backward(p.norm, config.norm, k.join, dy, m)
    du, dkv, g_attend = multi_head.attend_backward(p.f, config.heads, k.f, dz)      # (TS2*)
    dx, g_norm = residual.branch_backward(p.norm, config.norm, k.branch, dx, du, g_norm)
    return dx, dkv, Params(g_attend, g_norm)


def feed_forward_sublayer(p: Params, config: Config, x: np.ndarray,
                          m: np.ndarray | None = None) -> tuple[np.ndarray, Cache]:
    """Every position of x (S, N, D) by itself: -> y (S, N, D), Cache."""
    u, k_branch = residual.branch(p.norm, config.norm, x)
    z, k_ff = feed_forward.forward(p.f, config.feed_forward_activation, u)                       # (TS3)
    y, k_join = residual.join(p.norm, config.norm, x, z, m)
    return y, Cache(k_branch, u, k_ff, k_join)


def feed_forward_sublayer_backward(p: Params, config: Config, k: Cache, dy: np.ndarray,
                                   m: np.ndarray | None = None) -> tuple[np.ndarray, Params]:
    """Pull dy back: -> dx, Params gradients."""
    dx, dz, g_norm = residual.join_backward(p.norm, config.norm, k.join, dy, m)
    du, g_ff = feed_forward.backward(p.f, config.feed_forward_activation, k.f, dz)               # (TS3*)
    dx, g_norm = residual.branch_backward(p.norm, config.norm, k.branch, dx, du, g_norm)
    return dx, Params(g_ff, g_norm)


def final_norm(p: layer_norm.Params | None, x: np.ndarray) -> tuple[np.ndarray, Any]:
    """The norm at the end of a stack of pre-norm layers; p is None with post-norm: -> y, cache."""
    return (x, None) if p is None else layer_norm.forward(p, x)


def final_norm_backward(p: layer_norm.Params | None, k: Any,
                        dy: np.ndarray) -> tuple[np.ndarray, layer_norm.Params | None]:
    """-> dx, gradients of p or None."""
    return (dy, None) if p is None else layer_norm.backward(p, k, dy)
