"""Compiled implementation of recurrent.py: the same stack of layers, each of them one compiled call (unroll.py).

Layers in one direction are part of larger calls in training and decoding (kernels/model/encoder.py); this file is for
the other encoders, and for whoever wants to see a layer's cache.
"""
import numpy as np

from ...layers import dropout
from ...layers.recurrent import Bidirectional, Cache, zero_state
from . import unroll


def layer(cell, p, xs, mask):
    """See layers.recurrent.layer; the cache of a direction is one Cache whose arrays have a leading T axis."""
    N = xs.shape[1]
    if not isinstance(p, Bidirectional):
        return unroll.forward(cell, p, xs, zero_state(cell, p, N), mask)
    hs_f, s_f, k_f = unroll.forward(cell, p.forward, xs, zero_state(cell, p.forward, N), mask)
    hs_b, s_b, k_b = unroll.forward(cell, p.backward, xs[::-1], zero_state(cell, p.backward, N), mask[::-1])
    return np.concatenate([hs_f, hs_b[::-1]], axis=2), Bidirectional(s_f, s_b), Bidirectional(k_f, k_b)


def layer_backward(cell, p, k, dhs, d, mask):
    """See layers.recurrent.layer_backward."""
    if not isinstance(p, Bidirectional):
        dxs, _, g = unroll.backward(cell, p, k, dhs, d, mask)
        return dxs, g
    H = p.forward.U.shape[0]
    dxs_f, _, g_f = unroll.backward(cell, p.forward, k.forward, dhs[:, :, :H], d.forward, mask)
    dxs_b, _, g_b = unroll.backward(cell, p.backward, k.backward, dhs[::-1, :, H:], d.backward, mask[::-1])
    return dxs_f + dxs_b[::-1], Bidirectional(g_f, g_b)         # fork: both directions read x


def forward(cell, layers, xs, mask, masks=None):
    """See layers.recurrent.forward."""
    masks = masks or (None,) * len(layers)
    finals, caches = [], []
    for p, m in zip(layers, masks):
        xs, s, k = layer(cell, p, dropout.forward(xs, m), mask)
        finals.append(s)
        caches.append(k)
    return xs, tuple(finals), Cache(tuple(caches), mask, masks)


def backward(cell, layers, k, dhs, dfinals):
    """See layers.recurrent.backward."""
    grads = []
    for p, k_layer, m, d in reversed(list(zip(layers, k.layers, k.masks, dfinals))):
        dxs, g = layer_backward(cell, p, k_layer, dhs, d, k.mask)
        dhs = dropout.backward(dxs, m)
        grads.append(g)
    return dhs, tuple(reversed(grads))
