"""Compiled implementation of copying.py: one pass over the vocabulary for what can be said, and then the T places where
the source's words stand.

    logits (V)  ── softmax ──> log q_v + log(1-g) ──> log p (V+K): what is said; -inf for words of the source alone
    alpha (T)   ── x_i ──> c_v ── + log g ───────────────┴──> where c_v > 0, the two added, in logarithms

A vocabulary has thousands of words, a source some dozens.  So nothing but the softmax reads all V numbers, and the
row of c is an array of zeros in which T entries are written, read, and cleared for the next row.

(CP1)..(CP3) forward; (CP1*)..(CP3*) backward.  In training readout_copying.py takes the place of `backward`.
"""
from typing import NamedTuple

import numpy as np
from numpy import ascontiguousarray as contiguous

from ...core import validation
from ...layers import linear
from ...layers.copying import Cache, known
from ..core import validation as compiled
from ..linalg.rows import top_of
from ..linalg.simd import LANES, add, at, exp, total, zeros
from ..model.validated import int64_ids
from ..runtime.arena import zeros as zeros_of
from ..runtime.jit import arena_function, device_function, internal_kernel, jit
from ..runtime.threads import over_rows


class Words(NamedTuple):       # of a batch's sources
    read: np.ndarray           # (T, N), what the embeddings read: words outside the vocabulary are UNK
    ids: np.ndarray            # (T, N), x


class Mixing(NamedTuple):      # what `mix` reads besides a row's logits and weights
    w: np.ndarray              # (R,), the gate's
    b: np.ndarray              # (1,)
    ids: np.ndarray            # (T, M), x of M sources
    c: np.ndarray              # (N, V+K), a row for each that is mixed at the same time; zeros before and after


def words_of(ids, V):
    """Ids of sources (T, N) -> Words, as compiled code wants them."""
    return Words(int64_ids(known(ids, V)), int64_ids(ids))


def check(p, r, alpha, ids, V):
    """Require Params of a gate, what it reads (S, N, R), weights (S, T, N) and the words of their sources."""
    compiled.kind("p", p, linear.Params)
    dtype, (S, N, R) = compiled.floats("r", r, 3), np.shape(r)
    compiled.arrays(dtype, ("p.W", "p.b"), [(R, 1), (1,)], p)
    compiled.floats("alpha", alpha, 3)
    compiled.array("alpha", alpha, dtype, (S, alpha.shape[1], N))
    validation.ids("ids", ids, V + alpha.shape[1], (alpha.shape[1], N))


def forward(p, r, logits, alpha, ids):
    """See copying.forward."""
    compiled.floats("logits", logits, 3)
    check(p, r, alpha, ids, logits.shape[2])
    compiled.array("logits", logits, r.dtype, (*r.shape[:2], logits.shape[2]))
    g, c, log_g, log_q, log_p = _forward(contiguous(p.W), contiguous(p.b), contiguous(r), contiguous(logits),
                                         contiguous(alpha.transpose(0, 2, 1)), int64_ids(ids))
    return log_p, Cache(r, ids, g, c, log_g, log_q, log_p)


def backward(p, k, dlog_p):
    """See copying.backward, for a Cache of `forward`."""
    compiled.floats("k.log_q", k.log_q, 3)
    compiled.floats("dlog_p", dlog_p, 3)
    (S, N, V), T, dtype = k.log_q.shape, len(k.ids), k.log_q.dtype
    compiled.arrays(dtype, ("k.g", "k.log_g"), [(S, N), (S, N)], (k.g, k.log_g))
    validation.ids("k.ids", k.ids, V + T, (T, N))
    check(p, k.r, np.broadcast_to(k.log_g[:, None], (S, T, N)), k.ids, V)
    wide = (S, N, max(V, k.ids.max() + 1))
    compiled.arrays(dtype, ("k.c", "k.log_p", "dlog_p"), [wide, wide, wide], (k.c, k.log_p, dlog_p))
    k = Cache(*map(contiguous, k))._replace(ids=int64_ids(k.ids))
    g = linear.Params(np.zeros(p.W.shape, dtype), np.zeros(1, dtype))
    dr, dlogits, dalpha = _backward(contiguous(p.W), g, k, contiguous(dlog_p))
    return dr, dlogits, dalpha.transpose(0, 2, 1), g


@arena_function
def size_with_words(ids, V):
    """V+K, for the words of the sources (T, N)."""
    size = V
    for i in range(ids.shape[0]):
        for n in range(ids.shape[1]):
            size = max(size, ids[i, n] + 1)
    return size


@arena_function
def mixing(arena, W, b, ids, rows, size):
    """The gate's weights, x (T, M), how many rows are mixed at a time, V+K -> Mixing."""
    return Mixing(W.reshape(W.size), b, ids, zeros_of(arena, (rows, size), W.dtype))


@device_function
def opening(r, w, b):
    """r (R,) of one row -> a, in float64."""
    sums = zeros(r)
    for j in range(0, len(r), LANES):
        J = at(j, len(r))
        sums = add(sums, r[J] * w[J])                                   # (CP1)
    return np.float64(total(sums)) + b[0]                               # (CP1)


@device_function
def log_sigmoid(a):
    """See copying.log_sigmoid."""
    return min(a, 0.0) - np.log1p(np.exp(-abs(a)))


@device_function
def log_sum(x, y):
    """log(exp x + exp y), -inf where both are."""
    if x == -np.inf and y == -np.inf:
        return x
    top = x if x > y else y
    return top + np.log(np.exp(x - top) + np.exp(y - top))


@device_function
def add_copies(ids, m, alpha, c):
    """c (V+K) += the weights of source m's words."""
    for i in range(len(ids)):
        c[ids[i, m]] += alpha[i]                                        # (CP2)


@device_function
def shift_of(x):
    """log of the sum of exp x."""
    V, top = len(x), np.float64(top_of(x))
    whole, sums = V // LANES * LANES, zeros(x)
    for j in range(0, whole, LANES):
        sums = add(sums, exp(x[at(j, V)] - top))
    y = np.float64(total(sums))
    for v in range(whole, V):                                   # one by one: lanes that are off would add exp(-top)
        y += np.exp(x[v] - top)
    return top + np.log(y)


@device_function
def mix(k, V, r, alpha, m, n, x):
    """Row n, which reads r (R,) and source m with weights alpha (T,): x (V+K), whose first V numbers are its logits,
    becomes its log p."""
    a, c = opening(r, k.w, k.b), k.c[n]
    log_g, below = log_sigmoid(a), log_sigmoid(-a) - shift_of(x[:V])
    for j in range(0, V, LANES):
        J = at(j, V)
        x[J] = x[J] + below                                             # (CP3)
    for v in range(V, len(x)):
        x[v] = -np.inf
    add_copies(k.ids, m, alpha, c)
    for i in range(len(k.ids)):
        v = k.ids[i, m]
        if c[v] != 0:                                                   # 0, too, after a word's first place
            x[v] = log_sum(np.float64(x[v]), log_g + np.log(np.float64(c[v])))    # (CP3)
            c[v] = 0


@jit("copying.forward")
def _forward(W, b, r, logits, alpha, ids):
    (S, N, V), R = logits.shape, r.shape[2]
    size, dtype = size_with_words(ids, V), logits.dtype
    k = mixing(None, W, b, ids, S * N, size)
    g, log_g, log_q = np.empty((S, N), dtype), np.empty((S, N), dtype), np.empty((S, N, V), dtype)
    c, log_p = np.zeros((S, N, size), dtype), np.empty((S, N, size), dtype)
    over_rows(rows, (k, r.reshape(S * N, R), logits.reshape(S * N, V), alpha.reshape(S * N, len(ids)),
                     g.reshape(S * N), c.reshape(S * N, size), log_g.reshape(S * N), log_q.reshape(S * N, V),
                     log_p.reshape(S * N, size)), S * N, 20 * logits.size)
    return g, c, log_g, log_q, log_p


@internal_kernel("copying.rows")
def rows(k, rs, logits, alphas, g, c, log_g, log_q, log_p, r0, r1):
    V, N = logits.shape[1], k.ids.shape[1]
    for r in range(r0, r1):
        log_g[r] = log_sigmoid(opening(rs[r], k.w, k.b))
        g[r] = np.exp(log_g[r])                                         # (CP1)
        add_copies(k.ids, r % N, alphas[r], c[r])                       # (CP2)
        shift = shift_of(logits[r])
        for v in range(V):
            log_q[r, v], log_p[r, v] = logits[r, v] - shift, logits[r, v]
        mix(k, V, rs[r], alphas[r], r % N, r, log_p[r])                 # (CP3)


@jit("copying.backward")
def _backward(W, g, k, dlog_p):
    (S, N, V), (T, _), size, R = k.log_q.shape, k.ids.shape, dlog_p.shape[2], k.r.shape[2]
    dtype, M = W.dtype, S * N
    dr, dlogits, dalpha = np.empty((S, N, R), dtype), np.empty((S, N, V), dtype), np.empty((S, N, T), dtype)
    da, w = np.empty(M, dtype), W.reshape(W.size)
    over_rows(rows_backward, (
        k.ids, w, k.g.reshape(M), k.c.reshape(M, size), k.log_g.reshape(M), k.log_q.reshape(M, V),
        k.log_p.reshape(M, size), dlog_p.reshape(M, size), dr.reshape(M, R), dlogits.reshape(M, V), da,
        dalpha.reshape(M, T)), M, 20 * dlogits.size)
    add_gate_gradient(g, k.r.reshape(M, R), da)
    return dr, dlogits, dalpha


@internal_kernel("copying.rows_backward")
def rows_backward(ids, w, g, c, log_g, log_q, log_p, dlog_p, dr, dlogits, da, dalpha, r0, r1):
    V, N = log_q.shape[1], ids.shape[1]
    for r in range(r0, r1):
        sums, da[r] = 0.0, 0.0
        for v in range(dlog_p.shape[1]):
            share = ratio(c[r, v], log_g[r], log_p[r, v]) * c[r, v]
            da[r] += (share - g[r]) * dlog_p[r, v]                      # (CP3*)
            if v < V:
                dlogits[r, v] = (1 - share) * dlog_p[r, v]
                sums += dlogits[r, v]
        for v in range(V):
            dlogits[r, v] -= np.exp(log_q[r, v]) * sums                 # (CP3*)
        for i in range(len(ids)):
            v = ids[i, r % N]
            dalpha[r, i] = ratio(c[r, v], log_g[r], log_p[r, v]) * dlog_p[r, v]    # (CP3*) (CP2*)
        open_backward(w, da[r], dr[r])


@device_function
def ratio(c, log_g, log_p):
    """g / p_v, and 0 where nothing can be copied."""
    return np.exp(log_g - log_p) if c > 0 else 0.0


@device_function
def open_backward(w, da, dr):
    """da of one row -> dr (R,)."""
    for j in range(0, len(w), LANES):
        J = at(j, len(w))
        dr[J] = w[J] * da                                               # (CP1*)


@device_function
def add_gate_gradient(g, rs, da):
    """The gate's gradients += what da (rows,) says of all rows, in their order; rs (rows, R) is what it read."""
    dw = g.W.reshape(g.W.size)
    for r in range(len(da)):
        g.b[0] += da[r]                                                 # (CP1*)
        for j in range(0, len(dw), LANES):
            J = at(j, len(dw))
            dw[J] = dw[J] + rs[r, J] * da[r]                            # (CP1*)
