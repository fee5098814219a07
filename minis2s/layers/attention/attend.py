"""Attention of ONE query over the encoder's states: any score, then softmax and weighted sum.

Source: Bahdanau et al. (2015), Luong et al. (2015); rows A3.3, A4.3, B4.2a, D3.3, D3.4.
Shapes: T source steps, N batch, H encoder states, Q query.  The score e (T, N) comes from one of the files
beside this one; each has Params, init, keys, keys_backward, score, score_backward.

Forward                                Backward, where dz means dL/dz
(A1)  alpha = softmax_i(e)             (A1*) de = alpha (dalpha - sum_i alpha_i dalpha_i)
(A2)  ctx = sum_i alpha_i h_i          (A2*) dalpha_i = dctx . h_i    dh_i = alpha_i dctx

The sum over i runs over real positions only: padding has weight 0.
"""
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np

from ...core import tree
from ...core.functions import softmax, softmax_backward


class Memory(NamedTuple):      # what every query of a sequence reads; made once
    hs: Any                    # (T, N, H); None in a gradient where hs is not read
    keys: Any                  # (T, N, A), or None where the score reads hs itself
    mask: Any                  # (T, N), True = real; None in a gradient


class Cache(NamedTuple):
    alpha: np.ndarray          # (T, N)
    score: Any                 # the score's own cache


class Score(Protocol):
    """What a score consists of.  `minis2s.testing.check_score` checks all that the rest of the library relies on."""
    @property
    def Params(self) -> Any:
        """NamedTuple of arrays."""

    @property
    def init(self) -> Callable[[np.random.Generator, int, int, int], Any]:
        """Draw the first parameters: rng, Q, H, A -> Params."""

    @property
    def keys(self) -> Callable[[Any, np.ndarray], Any]:
        """What of the score does not depend on the query: Params, hs -> keys (T, N, A), or None."""

    @property
    def keys_backward(self) -> Callable[[Any, np.ndarray, Any], tuple[Any, Any]]:
        """Pull dkeys back: Params, hs, dkeys -> dhs or None, Params gradients."""

    @property
    def score(self) -> Callable[[Any, np.ndarray, Memory], tuple[np.ndarray, Any]]:
        """Score the query against every source position: Params, s (N, Q), Memory -> e (T, N), cache."""

    @property
    def score_backward(self) -> Callable[[Any, Memory, Any, np.ndarray], tuple[np.ndarray, Memory, Any]]:
        """Pull de back: Params, Memory, cache, de (T, N) -> ds (N, Q), Memory gradients, Params gradients."""


def precompute_keys(score: Score, p: Any, hs: np.ndarray, mask: np.ndarray) -> Memory:
    """Make the Memory that all queries share: hs (T, N, H), mask (T, N)."""
    return Memory(hs, score.keys(p, hs), mask)


def precompute_keys_backward(score: Score, p: Any, memory: Memory, dmemory: Memory) -> tuple[np.ndarray, Any]:
    """Pull a Memory's gradients (summed over all queries) back: -> dhs (T, N, H), Params gradients."""
    dhs, grads = score.keys_backward(p, memory.hs, dmemory.keys)
    return tree.add(dmemory.hs, dhs), grads                     # fork: hs is summed and makes the keys


def attend(score: Score, p: Any, s: np.ndarray, memory: Memory) -> tuple[np.ndarray, Cache]:
    """Read the memory with the query s (N, Q): -> ctx (N, H), Cache."""
    e, k = score.score(p, s, memory)
    alpha = softmax(e, memory.mask, axis=0)                     # (A1)
    ctx = np.einsum("in,inh->nh", alpha, memory.hs)             # (A2)
    return ctx, Cache(alpha, k)


def attend_backward(score: Score, p: Any, memory: Memory, k: Cache, dctx: np.ndarray,
                    dalpha_read: Any = None) -> tuple[np.ndarray, Memory, Any]:
    """Pull dctx (N, H) back, and a gradient of alpha (T, N) if something else reads it too: -> ds (N, Q), Memory
    gradients, Params gradients."""
    alpha, k_score = k
    dalpha, dhs = np.einsum("nh,inh->in", dctx, memory.hs), alpha[:, :, None] * dctx    # (A2*)
    dalpha = tree.add(dalpha, dalpha_read)                      # fork: alpha weighs, and may be copied from
    de = softmax_backward(alpha, dalpha, axis=0)                # (A1*)
    ds, dmemory, grads = score.score_backward(p, memory, k_score, de)
    return ds, dmemory._replace(hs=tree.add(dhs, dmemory.hs)), grads    # fork: h_i is weighed and scored
