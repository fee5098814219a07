"""Copying: the softmax over the vocabulary, mixed with the attention weights of the words that stand in the source.

A name that training never had can be said, because it can be pointed at.  See et al. (2017), "Get To The Point",
section 2.2; Vinyals et al. (2015), "Pointer Networks".

Source and target share one vocabulary of V words.  A word of the source that is not in it gets a number of its own,
V, V+1, ... in order of appearance, for this source alone; to the embeddings it is UNK, but it can be copied and be a
target.  K is the largest count of such words in a batch.
Shapes: S target steps, T source steps, N batch, R what the readout reads, c and log p (S, N, V+K).

Forward                                                  Backward
(CP1) a = r w + b,  g = sigmoid(a)                       (CP1*) dr, dw, db = the linear layer's of da
(CP2) c_v = sum_i alpha_i [x_i = v]                      (CP2*) dalpha_i = dc_{x_i}
(CP3) log p_v = log((1-g) softmax(logits)_v + g c_v)     (CP3*) with share_v = g c_v / p_v:
                                                                dlogits = log_softmax's of (1-share) dlog p
                                                                da = sum_v (share_v - g) dlog p_v
                                                                dc_v = (g / p_v) dlog p_v

Logarithms are added in (CP3), so that no small probability is lost; where p_v is 0, log p_v is -inf.
"""
from typing import NamedTuple

import numpy as np

from ..core.functions import log_softmax, log_softmax_backward, sigmoid
from ..data.vocabulary import UNK
from . import linear


class Cache(NamedTuple):
    r: np.ndarray              # (S, N, R)
    ids: np.ndarray            # (T, N), x
    g: np.ndarray              # (S, N)
    c: np.ndarray              # (S, N, V+K)
    log_g: np.ndarray          # (S, N)
    log_q: np.ndarray          # (S, N, V), log softmax(logits)
    log_p: np.ndarray          # (S, N, V+K)


def known(ids: np.ndarray, V: int) -> np.ndarray:
    """What the embeddings read: ids of words outside the vocabulary become UNK."""
    return np.where(ids < V, ids, UNK)


def log_sigmoid(a: np.ndarray) -> np.ndarray:
    """Logarithm of sigmoid(a), exact where the sigmoid itself would underflow."""
    negative = a.real < 0
    return np.where(negative, a, 0) - np.log1p(np.exp(np.where(negative, a, -a)))


def forward(p: linear.Params, r: np.ndarray, logits: np.ndarray, alpha: np.ndarray,
            ids: np.ndarray) -> tuple[np.ndarray, Cache]:
    """Mix: r (S, N, R), logits (S, N, V), alpha (S, T, N), ids (T, N) -> log p (S, N, V+K), Cache."""
    S, N, V = logits.shape
    a = linear.forward(p, r)[..., 0]                            # (CP1)
    g, log_g, log_rest = sigmoid(a), log_sigmoid(a), log_sigmoid(-a)
    c = np.zeros((S, N, max(V, ids.max() + 1)), alpha.dtype)
    for i, x in enumerate(ids):
        c[:, np.arange(N), x] += alpha[:, i]                    # (CP2)
    log_q = log_softmax(logits)
    said = np.full(c.shape, -np.inf, np.result_type(log_rest, log_q))
    said[..., :V] = log_rest[..., None] + log_q
    with np.errstate(divide="ignore"):                          # log 0 = -inf
        copied = log_g[..., None] + np.log(c)
        top = np.maximum(said.real, copied.real)
        top[np.isneginf(top)] = 0
        log_p = top + np.log(np.exp(said - top) + np.exp(copied - top))    # (CP3)
    return log_p, Cache(r, ids, g, c, log_g, log_q, log_p)


def backward(p: linear.Params, k: Cache,
             dlog_p: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, linear.Params]:
    """Pull dlog_p (S, N, V+K) back: -> dr (S, N, R), dlogits (S, N, V), dalpha (S, T, N), Params gradients."""
    r, ids, g, c, log_g, log_q, log_p = k
    V, N = log_q.shape[-1], ids.shape[1]
    # g / p_v, and 0 where nothing can be copied: there alpha is masked, and its gradient is not asked for
    ratio = np.exp(np.where(c.real > 0, log_g[..., None] - log_p, -np.inf))
    share = ratio * c                                           # of the copies in p_v
    dlogits = log_softmax_backward(log_q, ((1 - share) * dlog_p)[..., :V])     # (CP3*)
    da = ((share - g[..., None]) * dlog_p).sum(axis=-1)         # (CP3*)
    dc = ratio * dlog_p                                         # (CP3*)
    dalpha = np.stack([dc[:, np.arange(N), x] for x in ids], axis=1)           # (CP2*)
    dr, grads = linear.backward(p, r, da[..., None])            # (CP1*)
    return dr, dlogits, dalpha, grads
