"""Scaled dot-product attention: every query of a sequence reads all keys at once.

Where attend.py asks one question at a time, with whatever score, this file asks all of a sequence's with one
matrix product: that is what makes a Transformer fast to train.  Source: Vaswani et al. (2017), section 3.2.1 (1).
Shapes: S queries t, T keys and values i, d their size; leading axes (...) are examples and heads.

Forward                                          Backward, where dz means dL/dz
(SA1)  e_ti = q_t . k_i / sqrt(d)                (SA1*) dq_t = sum_i de_ti k_i / sqrt(d)
                                                        dk_i = sum_t de_ti q_t / sqrt(d)
(SA2)  alpha_t = softmax_i(e_t), over visible i  (SA2*) de_ti = alpha_ti (dalpha_ti - sum_j alpha_tj dalpha_tj)
(SA3)  ctx_t = sum_i alpha_ti v_i                (SA3*) dalpha_ti = dctx_t . v_i    dv_i = sum_t alpha_ti dctx_t

Which i a query t may see:
(SA4)  padding is not seen            the mask stands on the axis of the keys; a padded query sees what it likes, as
                                      nobody reads its answer
(SA5)  the future is not seen         i <= t: position t must not read the tokens it is to predict

Why sqrt(d): for random q and k with entries of variance 1, q . k has variance d.  Unscaled, softmax would be
nearly one-hot for large d, and (SA2*) nearly 0.
"""
from typing import NamedTuple

import numpy as np

from ...core.functions import softmax, softmax_backward


class Cache(NamedTuple):
    q: np.ndarray              # (..., S, d)
    k: np.ndarray              # (..., T, d)
    v: np.ndarray              # (..., T, d)
    alpha: np.ndarray          # (..., S, T)


def see_real(mask: np.ndarray) -> np.ndarray:
    """Mask of keys (T, N), True = real -> (N, 1, 1, T): the same for all heads and queries."""
    return mask.T[:, None, None]                                # (SA4)


def see_past(S: int, T: int) -> np.ndarray:
    """(S, T), True where a query may look: the S queries are the last of T positions."""
    return np.arange(T) <= np.arange(T - S, T)[:, None]         # (SA5)


def scale(a: np.ndarray) -> np.ndarray:
    """1 / sqrt(d) of an array (..., d), in its real dtype."""
    return (1 / np.sqrt(a.shape[-1])).astype(a.real.dtype)


def forward(q: np.ndarray, k: np.ndarray, v: np.ndarray, visible: np.ndarray) -> tuple[np.ndarray, Cache]:
    """q (..., S, d), k and v (..., T, d), visible (bool, broadcastable to (..., S, T)) -> ctx (..., S, d), Cache."""
    e = q @ k.swapaxes(-1, -2) * scale(q)                       # (SA1)
    alpha = softmax(e, visible)                                 # (SA2)
    return alpha @ v, Cache(q, k, v, alpha)                     # (SA3)


def backward(k: Cache, dctx: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """dctx (..., S, d) -> dq, dk, dv of the shapes of q, k, v."""
    dalpha, dv = dctx @ k.v.swapaxes(-1, -2), k.alpha.swapaxes(-1, -2) @ dctx           # (SA3*)
    de = softmax_backward(k.alpha, dalpha)                      # (SA2*)
    de = de * scale(k.q)                                        # (SA1*)
    return de @ k.k, de.swapaxes(-1, -2) @ k.q, dv              # (SA1*)
