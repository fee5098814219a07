"""Attention of ONE query over the encoder's states: any score, then softmax and weighted sum.

Source: Bahdanau et al. (2015), Luong et al. (2015); rows A3.3, A4.3, B4.2a, D3.3, D3.4.
Shapes: T source steps, N batch, H encoder states, Q query.  The score e (T, N) comes from one of the files
beside this one; each has Params, init, keys, keys_backward, score, score_backward.

Forward                                Backward, where dz means dL/dz
(A1)  alpha = softmax_i(e)             (A1*) de = alpha (dalpha - sum_i alpha_i dalpha_i)
(A2)  ctx = sum_i alpha_i h_i          (A2*) dalpha_i = dctx . h_i    dh_i = alpha_i dctx

The sum over i runs over real positions only: padding has weight 0.
"""
from typing import Any, NamedTuple

import numpy as np

from ...core import tree
from ...core.functions import softmax, softmax_backward


class Memory(NamedTuple):      # what every query of a sequence reads; made once
    hs: np.ndarray             # (T, N, H)
    keys: np.ndarray           # (T, N, A), or None where the score reads hs itself
    mask: np.ndarray           # (T, N), True = real; None in a gradient


class Cache(NamedTuple):
    alpha: np.ndarray          # (T, N)
    score: Any                 # the score's own cache


def remember(score, p, hs, mask):
    """Make the Memory that all queries share: hs (T, N, H), mask (T, N)."""
    return Memory(hs, score.keys(p, hs), mask)


def remember_backward(score, p, memory, dmemory):
    """Pull a Memory's gradients (summed over all queries) back: -> dhs (T, N, H), Params gradients."""
    dhs, grads = score.keys_backward(p, memory.hs, dmemory.keys)
    return tree.add(dmemory.hs, dhs), grads                     # fork: hs is summed and makes the keys


def attend(score, p, s, memory):
    """Read the memory with the query s (N, Q): -> ctx (N, H), Cache."""
    e, k = score.score(p, s, memory)
    alpha = softmax(e, memory.mask, axis=0)                     # (A1)
    ctx = np.einsum("tn,tnh->nh", alpha, memory.hs)             # (A2)
    return ctx, Cache(alpha, k)


def attend_backward(score, p, memory, k, dctx):
    """Pull dctx (N, H) back: -> ds (N, Q), Memory gradients, Params gradients."""
    dalpha = np.einsum("nh,tnh->tn", dctx, memory.hs)           # (A2*)
    dhs = k.alpha[:, :, None] * dctx                            # (A2*)
    de = softmax_backward(k.alpha, dalpha, axis=0)              # (A1*)
    ds, dmemory, grads = score.score_backward(p, memory, k.score, de)
    return ds, dmemory._replace(hs=tree.add(dhs, dmemory.hs)), grads    # fork: h_i is weighed and scored
