"""From the encoder's final states to the decoder's initial states, layer by layer.

Rows A3.1, C2.2; part P2 (an LSTM hands over c as well as h).  Kinds: "copy" hands the states over as they are,
"zeros" hands over nothing, "dense" learns a map of each:

Forward                        Backward
(B1)  s_0 = tanh(f W + b)      (B1*) da = ds_0 (1-s_0^2)    df = da W^T    dW = f^T da    db = sum_n da

f (N, F) is a final h or c, for two directions both side by side; s_0 (N, H) is the decoder's.
"""
from typing import Any, NamedTuple

import numpy as np

from ..core import tree
from ..layers import linear
from ..layers.cells import Cell
from ..layers.recurrent import Bidirectional


class Cache(NamedTuple):
    finals: tuple              # for each layer a State of (N, F)
    s0: tuple                  # for each layer a State of (N, H)


def init(rng: np.random.Generator, kind: str, cell: Cell, F: int, H: int, layers: int) -> tuple | None:
    """First parameters, float64: for each layer a State of linear.Params; None unless kind is "dense"."""
    if kind != "dense":
        return None
    return tuple(cell.State(*(linear.init(rng, F, H) for _ in cell.State._fields)) for _ in range(layers))


def join(final: Any) -> Any:
    """State, or Bidirectional of two: -> State of (N, F), forward direction first."""
    if isinstance(final, Bidirectional):
        return tree.map(lambda a, b: np.concatenate([a, b], axis=1), final.forward, final.backward)
    return final


def split(like: Any, d: Any) -> Any:
    """The reverse of `join` for gradients: a State of (N, F) -> the form of `like`."""
    if isinstance(like, Bidirectional):
        H = like.forward.h.shape[1]
        return Bidirectional(tree.map(lambda a: a[:, :H], d), tree.map(lambda a: a[:, H:], d))
    return d


def forward(p: tuple | None, kind: str, finals: tuple) -> tuple[tuple, Cache]:
    """Finals (tuple of State or Bidirectional) -> the decoder's initial states (tuple of State), Cache."""
    one_way = tuple(f.forward if isinstance(f, Bidirectional) else f for f in finals)
    finals = tuple(join(f) for f in finals)
    if kind == "copy":
        s0 = finals
    elif kind == "zeros":
        s0 = tree.zeros_like(one_way)                  # H numbers, however many directions there are
    else:
        s0 = tuple(tree.map(lambda f, q: np.tanh(linear.forward(q, f)), final, q)     # (B1)
                   for final, q in zip(finals, p))
    return s0, Cache(finals, s0)


def backward(p: tuple | None, kind: str, k: Cache, ds0: tuple) -> tuple[tuple, tuple | None]:
    """Gradients of the initial states -> gradients of the joined finals (tuple of State), Params gradients."""
    if kind == "copy":
        return ds0, None
    if kind == "zeros":
        return tree.zeros_like(k.finals), None
    dfinals, grads = [], []
    for q, final, s, ds in zip(p, k.finals, k.s0, ds0):
        da = tree.map(lambda d, y: d * (1 - y**2), ds, s)                              # (B1*)
        pairs = [linear.backward(*each) for each in zip(q, final, da)]                 # (B1*)
        dfinals.append(type(final)(*(df for df, _ in pairs)))
        grads.append(type(final)(*(g for _, g in pairs)))
    return tuple(dfinals), tuple(grads)
