"""Multi-head attention: several scaled dot-product attentions side by side, each in a subspace of its own.

One softmax gives one weighted mean; with h heads a position can look at h places for h different reasons.
Source: Vaswani et al. (2017), section 3.2.2.  Shapes: S queries, T keys, N batch, D model size, h heads of d = D/h.

Forward                                             Backward
(MH1)  k, v = split(y W_k), split(y W_v + b_v)      (MH1*) dy, dW_k, dW_v, db_v from join(dk), join(dv)
(MH2)  q = split(x W_q + b_q)                       (MH2*) dx, dW_q, db_q from join(dq)
(MH3)  ctx = attention(q, k, v), all heads          (MH3*) dq, dk, dv
(MH4)  z = join(ctx) W_o + b_o                      (MH4*) dctx = split of the linear layer's
(MH5)  split: (T, N, D) -> (N, h, T, d)             (MH5*) join, its inverse: both only move numbers

Self-attention: y = x.  Causal: (SA5) hides the future.  Cross-attention: y are the encoder's states; their k and v
are made once for all queries (MH1), as the keys of attend.py are.

Biases.  The paper has none, PyTorch has four.  That of the keys is left out: it would add q_t . b_k to all scores
e_ti of a query t, which softmax does not see, so its gradient is 0 and whatever stands in it is without effect.
"""
from typing import NamedTuple

import numpy as np

from ...core.initializers import glorot
from .. import linear
from . import scaled_dot_product


class Params(NamedTuple):
    q: linear.Params           # W (D, D)
    k: np.ndarray              # (D, D), without bias
    v: linear.Params           # W (D, D)
    o: linear.Params           # W (D, D)


class KeyValues(NamedTuple):   # what every query of a sequence reads; made once
    k: np.ndarray              # (N, h, T, d)
    v: np.ndarray              # (N, h, T, d)


class Cache(NamedTuple):
    x: np.ndarray              # (S, N, D)
    ctx: np.ndarray            # (S, N, D), the heads joined
    heads: scaled_dot_product.Cache


def init(rng: np.random.Generator, D: int) -> Params:
    """First parameters, float64."""
    return Params(linear.init(rng, D, D), glorot(rng, D, D), linear.init(rng, D, D), linear.init(rng, D, D))


def split(x: np.ndarray, h: int) -> np.ndarray:
    """x (T, N, D) -> (N, h, T, d): head j has the numbers j d ... (j+1) d - 1 of every row."""
    T, N, D = x.shape
    return x.reshape(T, N, h, D // h).transpose(1, 2, 0, 3)     # (MH5)


def join(x: np.ndarray) -> np.ndarray:
    """The inverse of `split`: (N, h, T, d) -> (T, N, D)."""
    N, h, T, d = x.shape
    return x.transpose(2, 0, 1, 3).reshape(T, N, h * d)         # (MH5*)


def keys_values(p: Params, h: int, y: np.ndarray) -> KeyValues:
    """Make what all queries share: y (T, N, D) -> KeyValues."""
    return KeyValues(split(linear.product(p.k, y), h), split(linear.forward(p.v, y), h))        # (MH1)


def keys_values_backward(p: Params, y: np.ndarray, d: KeyValues) -> tuple[np.ndarray, Params]:
    """Pull KeyValues gradients `d`, summed over all queries, back: -> dy (T, N, D), Params gradients (of k and v)."""
    dy_k, dW_k = linear.product_backward(p.k, y, join(d.k))     # (MH1*)
    dy_v, g_v = linear.backward(p.v, y, join(d.v))              # (MH1*)
    return dy_k + dy_v, Params(None, dW_k, g_v, None)           # fork: y makes keys and values


def attend(p: Params, h: int, x: np.ndarray, kv: KeyValues, visible: np.ndarray) -> tuple[np.ndarray, Cache]:
    """Read with the queries x (S, N, D): -> z (S, N, D), Cache.  `visible`: see scaled_dot_product."""
    q = split(linear.forward(p.q, x), h)                        # (MH2)
    ctx, k = scaled_dot_product.forward(q, *kv, visible)        # (MH3)
    ctx = join(ctx)
    return linear.forward(p.o, ctx), Cache(x, ctx, k)           # (MH4)


def attend_backward(p: Params, h: int, k: Cache, dz: np.ndarray) -> tuple[np.ndarray, KeyValues, Params]:
    """Pull dz (S, N, D) back: -> dx (S, N, D), KeyValues gradients, Params gradients (of q and o)."""
    dctx, g_o = linear.backward(p.o, k.ctx, dz)                 # (MH4*)
    dq, dk, dv = scaled_dot_product.backward(k.heads, split(dctx, h))       # (MH3*)
    dx, g_q = linear.backward(p.q, k.x, join(dq))               # (MH2*)
    return dx, KeyValues(dk, dv), Params(g_q, None, None, g_o)
