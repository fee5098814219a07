"""Compiled implementation of recurrent.py: the same stack of layers, each of them one compiled call (unroll.py).

Layers in one direction are part of larger calls in training and decoding (kernels/model/encoder.py); this file is for
the other encoders, and for whoever wants to see a layer's cache.
"""
import numpy as np

from ...layers import dropout
from ...layers.recurrent import Cache, TwoWay, zero_state
from . import unroll


def forward(cell, layers, xs, mask, drops=None):
    """See layers.recurrent.forward; a layer's cache is one Cache whose arrays have a leading T axis."""
    N, drops = xs.shape[1], drops or (None,) * len(layers)
    finals, runs = [], []
    for p, m in zip(layers, drops):
        xs = dropout.forward(xs, m)
        if isinstance(p, TwoWay):
            hs_f, s_f, run_f = unroll.forward(cell, p.forward, xs, zero_state(cell, p.forward, N), mask)
            hs_b, s_b, run_b = unroll.forward(cell, p.backward, xs[::-1], zero_state(cell, p.backward, N), mask[::-1])
            xs, s, run = np.concatenate([hs_f, hs_b[::-1]], axis=2), TwoWay(s_f, s_b), TwoWay(run_f, run_b)
        else:
            xs, s, run = unroll.forward(cell, p, xs, zero_state(cell, p, N), mask)
        finals.append(s)
        runs.append(run)
    return xs, tuple(finals), Cache(tuple(runs), mask, drops)


def backward(cell, layers, cache, dhs, dfinals):
    """See layers.recurrent.backward."""
    mask, grads = cache.mask, []
    for p, run, m, d in reversed(list(zip(layers, cache.runs, cache.drops, dfinals))):
        if isinstance(p, TwoWay):
            H = p.forward.U.shape[0]
            dxs_f, _, g_f = unroll.backward(cell, p.forward, run.forward, dhs[:, :, :H], d.forward, mask)
            dxs_b, _, g_b = unroll.backward(cell, p.backward, run.backward, dhs[::-1, :, H:], d.backward, mask[::-1])
            dhs, g = dxs_f + dxs_b[::-1], TwoWay(g_f, g_b)      # fork: both directions read x
        else:
            dhs, _, g = unroll.backward(cell, p, run, dhs, d, mask)
        dhs = dropout.backward(dhs, m)
        grads.append(g)
    return dhs, tuple(reversed(grads))
