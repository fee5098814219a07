"""Memory for the Cache of a whole Transformer, in one piece, and its arrays as the reference implementation has them.

    reference          (T, N, D)     heads' q, k, v  (N, h, T, d)     alpha  (N, h, S, T)
    compiled           (T N, D)                      (T N, D)                (N, h, S, T and zeros to a full vector)

The numbers stand in the same order, so one Cache is a view of the other: `opened` and `closed` change shapes.  Compiled
code leaves the tokens, and what attention and feed-forward layers read, u, out of the Cache: they stand elsewhere
already.
"""
from functools import lru_cache

import numpy as np
from numpy import ascontiguousarray as contiguous

from ...core import tree, validation as reads
from ...layers import feed_forward, layer_norm
from ...layers.attention import multi_head, scaled_dot_product
from ...layers.attention.multi_head import join, split
from ...model import transformer, transformer_decoder as decoder, transformer_encoder as encoder
from ...model.transformer_sublayers import Cache as Sublayer
from ..core import validation
from ..linalg.simd import LANES

LINE = LANES                   # numbers: every array begins at a line of the cache


def array(*shape):
    """An array of this shape that needs no memory."""
    return np.broadcast_to(0.0, shape)


@lru_cache(maxsize=64)
def shapes(config, T, S, N):
    """What compiled code fills, as a transformer.Cache of arrays that need no memory."""
    c, D, h = config, config.hidden, config.heads

    def norm(R, where):
        return layer_norm.Cache(array(R, D), array(R, 1)) if c.norm == where else None

    def attention(S, T):
        heads = scaled_dot_product.Cache(array(S * N, D), array(T * N, D), array(T * N, D), array(N, h, S, full(T)))
        return Sublayer(norm(S * N, "pre"), array(S * N, D), multi_head.Cache(None, array(S * N, D), heads),
                        norm(S * N, "post"))

    def fed_forward(S):
        hidden = array(S * N, c.feed_forward)
        return Sublayer(norm(S * N, "pre"), array(S * N, D), feed_forward.Cache(None, hidden, hidden),
                        norm(S * N, "post"))

    read = encoder.Cache(None, (encoder.Layer(attention(T, T), fed_forward(T)),) * c.layers, norm(T * N, "pre"))
    written = decoder.Cache(None, (decoder.Layer(attention(S, S), attention(S, T), fed_forward(S)),) * c.layers,
                            norm(S * N, "pre"), array(S * N, D))
    return transformer.Cache(transformer.EncodeCache(array(T * N, D), read), written, None, None)


@lru_cache(maxsize=64)
def named_shapes(config, T, S, N):
    """-> names and shapes of the arrays."""
    named = [(f"k.{name}", a.shape) for name, a in tree.named(shapes(config, T, S, N))]
    return [name for name, _ in named], [shape for _, shape in named]


def full(size):
    """A size, rounded up to full vectors."""
    return -(-size // LINE) * LINE


def filled_up(alpha, keys):
    """Weights (N, h, S, T) with zeros behind them; ValueError unless they are of as many keys (N, h, T, d)."""
    if alpha.ndim != 4 or keys.ndim != 4 or alpha.shape[3] != keys.shape[2]:
        raise ValueError(f"k: got attention weights of shape {alpha.shape} for keys of shape {keys.shape}, wanted "
                         "(N, h, S, T) and (N, h, T, d)")
    filled = np.zeros((*alpha.shape[:3], full(alpha.shape[3])), alpha.dtype)
    filled[..., :alpha.shape[3]] = alpha
    return filled


def allocated(like, dtype):
    """A tree of arrays of these shapes, whatever their numbers."""
    sizes = [full(a.size) for a in tree.leaves(like)]
    flat = np.empty(sum(sizes) + LINE, dtype)
    starts = np.cumsum([-flat.ctypes.data % 64 // flat.itemsize, *sizes]).tolist()
    of_each = iter(starts)

    def taken(a):
        start = next(of_each)
        return flat[start:start + a.size].reshape(a.shape)
    return tree.map(taken, like)


def opened(k, config, source, inputs):
    """The Cache that compiled code has filled -> views of its arrays as the reference implementation has them, and the
    tokens."""
    N, h = source.shape[1], config.heads

    def whole(a):
        return a.reshape(len(a) // N, N, a.shape[1])

    def heads(a):
        return split(whole(a), h)

    def sublayer(k):
        u, f = whole(k.u), k.f
        if hasattr(f, "heads"):
            q, keys, v, alpha = f.heads
            alpha = alpha[..., :len(keys) // N]
            f = multi_head.Cache(u, whole(f.ctx), scaled_dot_product.Cache(heads(q), heads(keys), heads(v), alpha))
        else:
            f = feed_forward.Cache(u, whole(f.a), whole(f.u))
        return Sublayer(tree.map(whole, k.branch), u, f, tree.map(whole, k.join))

    def side(k, ids):
        layers = tuple(type(layer)(*map(sublayer, layer)) for layer in k.layers)
        return k._replace(ids=ids, layers=layers, norm=tree.map(whole, k.norm))
    return transformer.Cache(
        transformer.EncodeCache(whole(k.encode.hs), side(k.encode.encoder, source)),
        side(k.decoder, inputs)._replace(r=whole(k.decoder.r)), None, None)


def closed(k, config):
    """The reverse of `opened`, for a Cache of `forward`: its arrays are checked, since compiled code is to read them.

    Raises
    ------
    ValueError, TypeError
        For arrays of other shapes, or another dtype.
    """
    for name, a in tree.named(k._replace(loss=None, masks=None), "k"):
        if not isinstance(a, np.ndarray):
            raise TypeError(f"{name}: got {type(a).__name__}, wanted an array")
    reads.ids("k.encode.encoder.ids", k.encode.encoder.ids, config.source_vocab)
    T, N = k.encode.encoder.ids.shape
    reads.ids("k.decoder.ids", k.decoder.ids, config.target_vocab, ("S", N))
    S = len(k.decoder.ids)

    def flat(a):
        return contiguous(a.reshape(-1, a.shape[-1])) if np.ndim(a) == 3 else a

    def heads(a):
        return flat(join(a)) if np.ndim(a) == 4 else a

    def sublayer(k):
        if hasattr(k.f, "heads"):
            q, keys, v, alpha = k.f.heads
            f = multi_head.Cache(None, flat(k.f.ctx), scaled_dot_product.Cache(heads(q), heads(keys), heads(v),
                                                                               filled_up(alpha, keys)))
        else:
            f = feed_forward.Cache(None, flat(k.f.a), flat(k.f.u))
        return Sublayer(tree.map(flat, k.branch), flat(k.u), f, tree.map(flat, k.join))

    def side(k):
        layers = tuple(type(layer)(*map(sublayer, layer)) for layer in k.layers)
        return k._replace(ids=None, layers=layers, norm=tree.map(flat, k.norm))
    made = transformer.Cache(transformer.EncodeCache(flat(k.encode.hs), side(k.encode.encoder)),
                             side(k.decoder)._replace(r=flat(k.decoder.r)), None, None)
    names, wanted = named_shapes(config, T, S, N)
    given = tree.leaves(made)
    if [name for name, _ in tree.named(made, "k")] != names:
        raise ValueError("k: wanted the cache of a model of this Config")
    validation.arrays(np.dtype(config.dtype), names, wanted, given)
    return made
