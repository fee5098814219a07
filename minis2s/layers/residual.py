"""Residual connection with layer normalisation, around any sub-layer: after it ("post") or before it ("pre").

    post    x ──┬── sub-layer ── drop ── + ── norm ── y        pre    x ──┬── norm ── sub-layer ── drop ── + ── y
                └────────────────────────┘                                └────────────────────────────────┘

Forward                                         Backward
(RS1)  u = x                        post        (RS1*) dx += du
(RS2)  u = norm(x)                  pre         (RS2*) dx += the norm's, from du
       z = sub-layer(u)                                du, from dz
(RS3)  y = norm(x + m z)            post        (RS3*) dx = the norm's, from dy    dz = m dx
(RS4)  y = x + m z                  pre         (RS4*) dx = dy    dz = m dy

m is the mask of dropout (section 5.4 of the paper: on the output of each sub-layer, before it is added).

Paper and code.  Vaswani et al. (2017), section 3.1, write LayerNorm(x + Sublayer(x)): post.  The code that was
published with it, tensor2tensor, first did the same (its option layer_postprocess_sequence="dan": drop, add,
norm) and soon moved the norm before the sub-layer ("n" before, "da" after), with a comment that the former is the
published version and the latter seems better for models that are harder to learn; the paper was not changed.
Xiong et al. (2020) say why: with "post" there is no path from the loss to the first layer that no norm rescales, the
gradients near the output are large at the start, and training needs a warm-up; with "pre" the sum x + z + z + ...
goes through all layers untouched, (RS4*) hands dy on as it is, and the stack needs one more norm at its end.
"""
from typing import Any

import numpy as np

from . import dropout, layer_norm

NORMS = ("pre", "post")


def branch(p: layer_norm.Params, norm: str, x: np.ndarray) -> tuple[np.ndarray, Any]:
    """What the sub-layer reads: x (T, N, D) -> u (T, N, D), cache."""
    if norm == "post":
        return x, None                                          # (RS1)
    return layer_norm.forward(p, x)                             # (RS2)


def join(p: layer_norm.Params, norm: str, x: np.ndarray, z: np.ndarray,
         m: np.ndarray | None = None) -> tuple[np.ndarray, Any]:
    """What goes on: x and the sub-layer's z (T, N, D), mask of z or None -> y (T, N, D), cache."""
    y = x + dropout.forward(z, m)
    if norm == "pre":
        return y, None                                          # (RS4)
    return layer_norm.forward(p, y)                             # (RS3)


def join_backward(p: layer_norm.Params, norm: str, k: Any, dy: np.ndarray,
                  m: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, layer_norm.Params | None]:
    """Pull dy back: -> dx (of the path around the sub-layer), dz, layer_norm.Params gradients or None."""
    g = None
    if norm == "post":
        dy, g = layer_norm.backward(p, k, dy)                   # (RS3*)
    return dy, dropout.backward(dy, m), g                       # (RS4*) fork: the sum hands dy to both


def branch_backward(p: layer_norm.Params, norm: str, k: Any, dx: np.ndarray, du: np.ndarray,
                    g: layer_norm.Params | None = None) -> tuple[np.ndarray, layer_norm.Params]:
    """Add what the sub-layer hands back, du, to dx of the path around it: -> dx, layer_norm.Params gradients.

    `g`: the gradients that `join_backward` returned; only one of the two has any.
    """
    if norm == "pre":
        du, g = layer_norm.backward(p, k, du)                   # (RS2*)
    return dx + du, g                                           # (RS1*) fork: x goes through and around
