"""A stack of recurrent layers, each in one or two directions, over whole sequences.

Part P4 (stacked layers, one output for each step), P12 (many layers, dropout between them).
Shapes: T steps, N batch, H hidden.  A layer's parameters are a cell's Params, or a Bidirectional of two of them.

The backward direction runs over the sequence reversed in time.  Padding stands at the end, so reversed it
comes first, where (M1) merely carries the initial state: each example is in effect reversed by its own length.

Residual connections, if asked for, lead around every layer but the first, whose input has another size (Wu et al. 2016,
section 3.1).  y_l is what layer l hands on, h_l its own output; states handed on in time stay h_l.

Forward                                     Backward
(RC1)  y_l = h_l + y_{l-1},  l > 1          (RC1*) dh_l = dy_l,  dy_{l-1} += dy_l
"""
from typing import Any, NamedTuple

import numpy as np

from . import dropout, unroll
from .cells import Cell


class Bidirectional(NamedTuple):    # of Params, States or caches: one for each direction
    forward: Any
    backward: Any


class Cache(NamedTuple):
    layers: tuple              # for each layer the time loop's caches, or a Bidirectional of them
    mask: np.ndarray           # (T, N)
    masks: tuple               # for each layer the dropout mask of its input, or None


def zero_state(cell: Cell, p: Any, N: int) -> Any:
    """The state (h, and c where there is one) that is all zeros, in p's dtype."""
    H = p.U.shape[0]
    return cell.State(*(np.zeros((N, H), p.U.dtype) for _ in cell.State._fields))


def layer(cell: Cell, p: Any, xs: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, Any, Any]:
    """Run one layer from zero states: -> hs (T, N, H or 2H), its State after the last real step, cache."""
    N = xs.shape[1]
    if not isinstance(p, Bidirectional):
        return unroll.forward(cell, p, xs, zero_state(cell, p, N), mask)
    hs_f, s_f, k_f = unroll.forward(cell, p.forward, xs, zero_state(cell, p.forward, N), mask)
    hs_b, s_b, k_b = unroll.forward(cell, p.backward, xs[::-1], zero_state(cell, p.backward, N), mask[::-1])
    return np.concatenate([hs_f, hs_b[::-1]], axis=2), Bidirectional(s_f, s_b), Bidirectional(k_f, k_b)


def layer_backward(cell: Cell, p: Any, k: Any, dhs: np.ndarray, d: Any, mask: np.ndarray) -> tuple[np.ndarray, Any]:
    """Pull dhs and the gradients of the last State back through one layer: -> dxs, Params gradients."""
    if not isinstance(p, Bidirectional):
        dxs, _, g = unroll.backward(cell, p, k, dhs, d, mask)
        return dxs, g
    H = p.forward.U.shape[0]
    dxs_b, _, g_b = unroll.backward(cell, p.backward, k.backward, dhs[::-1, :, H:], d.backward, mask[::-1])
    dxs_f, _, g_f = unroll.backward(cell, p.forward, k.forward, dhs[:, :, :H], d.forward, mask)
    return dxs_f + dxs_b[::-1], Bidirectional(g_f, g_b)         # fork: both directions read x


def forward(cell: Cell, layers: tuple, xs: np.ndarray, mask: np.ndarray,
            masks: tuple | None = None, residual: bool = False) -> tuple[np.ndarray, tuple, Cache]:
    """Run a stack from zero states.

    Parameters
    ----------
    cell : module or Cell
    layers : tuple of cell.Params or Bidirectional
    xs : ndarray of shape (T, N, D)
    mask : ndarray of bool of shape (T, N)
        True = real, padding at the end.
    masks : tuple of ndarray of shape (N, D of the layer) or None, optional
        Dropout masks of the layers' inputs.
    residual : bool
        A path around every layer but the first.

    Returns
    -------
    hs : ndarray of shape (T, N, H), or (T, N, 2H) for two directions, forward first
    finals : tuple, for each layer the State after its last real step, or a Bidirectional of two
    cache : Cache
    """
    masks = masks or (None,) * len(layers)
    finals: list = []
    caches: list = []
    for p, m in zip(layers, masks):
        hs, s, k = layer(cell, p, dropout.forward(xs, m), mask)
        xs = hs + xs if residual and caches else hs             # (RC1)
        finals.append(s)
        caches.append(k)
    return xs, tuple(finals), Cache(tuple(caches), mask, masks)


def backward(cell: Cell, layers: tuple, k: Cache, dhs: np.ndarray, dfinals: tuple,
             residual: bool = False) -> tuple[np.ndarray, tuple]:
    """Pull dhs (T, N, H or 2H) and the gradients of `finals` back: -> dxs, gradients of `layers`."""
    grads: list = []
    for p, k_layer, m, d in reversed(list(zip(layers, k.layers, k.masks, dfinals))):
        dxs, g = layer_backward(cell, p, k_layer, dhs, d, k.mask)
        dys = dhs
        dhs = dropout.backward(dxs, m)
        if residual and len(grads) < len(layers) - 1:
            dhs = dhs + dys                                     # (RC1*) fork: through the layer and around it
        grads.append(g)
    return dhs, tuple(reversed(grads))


def step(cell: Cell, layers: tuple, x: np.ndarray, states: tuple,
         masks: tuple | None = None, residual: bool = False) -> tuple[np.ndarray, tuple, tuple]:
    """One time step through a stack of one direction: x (N, D), states -> y (N, H) of the top, states, caches."""
    new: list = []
    caches: list = []
    for p, s, m in zip(layers, states, masks or (None,) * len(layers)):
        s, k = cell.step(p, dropout.forward(x, m), s)
        x = s.h + x if residual and caches else s.h             # (RC1)
        new.append(s)
        caches.append(k)
    return x, tuple(new), tuple(caches)


def step_backward(cell: Cell, layers: tuple, caches: tuple, dh: np.ndarray, dstates: tuple,
                  masks: tuple | None = None, residual: bool = False) -> tuple[np.ndarray, tuple, tuple]:
    """Pull dh of the top and the states' gradients back one step: -> dx, states' (t-1) and layers' gradients."""
    grads: list = []
    dprev: list = []
    for p, k, m, d in reversed(list(zip(layers, caches, masks or (None,) * len(layers), dstates))):
        dy, d = dh, d._replace(h=d.h + dh)                      # fork: h_t is output and carry
        dx, d, g = cell.step_backward(p, k, d)
        dh = dropout.backward(dx, m)
        if residual and len(grads) < len(layers) - 1:
            dh = dh + dy                                        # (RC1*) fork: through the layer and around it
        dprev.append(d)
        grads.append(g)
    return dh, tuple(reversed(dprev)), tuple(reversed(grads))
