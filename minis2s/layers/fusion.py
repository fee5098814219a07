"""Fusion: what the readout sees of the decoder's state s and the context ctx.

Rows A3.3 (sum), A4.3 (sigmoid), D3.5 (concat); Luong et al. (2015) for tanh.
Shapes: N batch, H state, C context.

Forward                              Backward, a = [s; ctx] W, so ds and dctx are the parts of da W^T
(U1)  z = [s; ctx]        "concat"   (U1*) ds, dctx = the two parts of dz
(U2)  z = s + ctx         "sum"      (U2*) ds = dctx = dz
(U3)  z = sigmoid(a)      "sigmoid"  (U3*) da = dz z (1-z)    dW = [s; ctx]^T da
(U4)  z = tanh(a)         "tanh"     (U4*) da = dz (1-z^2)    dW = [s; ctx]^T da
"none" is z = s: the context is not read out.
"""
from typing import Any, NamedTuple

import numpy as np

from ..core.functions import SIGMOID, TANH
from ..core.initializers import glorot
from . import linear

PHI = {"sigmoid": SIGMOID, "tanh": TANH}


class Params(NamedTuple):
    W: np.ndarray              # (H+C, H)


class Cache(NamedTuple):
    s_ctx: np.ndarray          # (N, H+C)
    z: np.ndarray              # (N, H)


def init(rng: np.random.Generator, kind: str, H: int, C: int) -> Params | None:
    """First parameters, float64; None for a kind that learns nothing."""
    return Params(glorot(rng, H + C, H)) if kind in PHI else None


def forward(p: Any, kind: str, s: np.ndarray, ctx: np.ndarray) -> tuple[np.ndarray, Cache | None]:
    """s (N, H), ctx (N, C) -> z (N, H), or (N, H+C) for "concat", and a Cache or None."""
    if kind == "none":
        return s, None
    if kind == "sum":
        return s + ctx, None                                    # (U2)
    s_ctx = np.concatenate([s, ctx], axis=1)
    if kind == "concat":
        return s_ctx, None                                      # (U1)
    a = s_ctx @ p.W                                             # (U3) (U4)
    z = PHI[kind].f(a)                                          # (U3) (U4)
    return z, Cache(s_ctx, z)


def backward(p: Any, kind: str, k: Any, dz: np.ndarray, H: int) -> tuple[np.ndarray, Any, Params | None]:
    """dz -> ds (N, H), dctx (N, C) or None where the context is not read, Params gradients or None."""
    if kind == "none":
        return dz, None, None
    if kind == "sum":
        return dz, dz, None                                     # (U2*)
    if kind == "concat":
        return dz[:, :H], dz[:, H:], None                       # (U1*)
    s_ctx, z = k
    da = dz * PHI[kind].df(z)                                   # (U3*) (U4*)
    ds_ctx, dW = linear.product_backward(p.W, s_ctx, da)        # (U3*) (U4*)
    return ds_ctx[:, :H], ds_ctx[:, H:], Params(dW)
