"""A stack of recurrent layers, each in one or two directions, over whole sequences.

Part P4 (stacked layers, one output for each step), P12 (many layers, dropout between them).
Shapes: T steps, N batch, H hidden.  A layer's parameters are a cell's Params, or a TwoWay of two of them.

The backward direction runs over the sequence reversed in time.  Padding stands at the end, so reversed it
comes first, where (M1) merely carries the initial state: each example is in effect reversed by its own length.
"""
from typing import Any, NamedTuple

import numpy as np

from . import dropout, unroll


class TwoWay(NamedTuple):      # of Params, States or caches: one for each direction
    forward: Any
    backward: Any


class Cache(NamedTuple):
    runs: tuple                # for each layer the time loop's caches, or a TwoWay of them
    mask: np.ndarray           # (T, N)
    drops: tuple               # for each layer the dropout mask of its input, or None


def zero_state(cell, p, N):
    """The state (h, and c where there is one) that is all zeros, in p's dtype."""
    H = p.U.shape[0]
    return cell.State(*(np.zeros((N, H), p.U.dtype) for _ in cell.State._fields))


def forward(cell, layers, xs, mask, drops=None):
    """Run a stack from zero states.

    Parameters
    ----------
    cell : module or Cell
    layers : tuple of cell.Params or TwoWay
    xs : ndarray of shape (T, N, D)
    mask : ndarray of bool of shape (T, N)
        True = real, padding at the end.
    drops : tuple of ndarray of shape (N, D of the layer) or None, optional
        Dropout masks of the layers' inputs.

    Returns
    -------
    hs : ndarray of shape (T, N, H), or (T, N, 2H) for two directions, forward first
    finals : tuple, for each layer the State after its last real step, or a TwoWay of two
    cache : Cache
    """
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
    """Pull dhs (T, N, H or 2H) and the gradients of `finals` back: -> dxs, gradients of `layers`."""
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


def step(cell, layers, x, states, drops=None):
    """One time step through a stack of one direction: x (N, D), states -> h (N, H) of the top, states, caches."""
    new, caches = [], []
    for p, s, m in zip(layers, states, drops or (None,) * len(layers)):
        s, k = cell.step(p, dropout.forward(x, m), s)
        x = s.h
        new.append(s)
        caches.append(k)
    return x, tuple(new), tuple(caches)


def step_backward(cell, layers, caches, dh, dstates, drops=None):
    """Pull dh of the top and the states' gradients back one step: -> dx, states' (t-1) and layers' gradients."""
    grads, dprev = [], []
    for p, k, m, d in reversed(list(zip(layers, caches, drops or (None,) * len(layers), dstates))):
        d = d._replace(h=d.h + dh)                              # fork: h_t is output and carry
        dx, d, g = cell.step_backward(p, k, d)
        dh = dropout.backward(dx, m)
        dprev.append(d)
        grads.append(g)
    return dh, tuple(reversed(dprev)), tuple(reversed(grads))
