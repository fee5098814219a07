"""Twin of attention/: one query for each row n0 .. n1-1 of the batch; read attend.py and the scores first.

    s (N, H) ── W_s ──> q (N, A) ──┐
    keys (T, M, A), made once ─────┴─ term ── sum ──> e_i ── softmax ──> alpha_i ── h_i ──> ctx (N, C)

The memory is that of M sources, and row n reads source[n]'s: in training each row has a source of its own, in
a search the hypotheses of one source share what is remembered of it.

The scores differ in one line only: what is summed over the A numbers of a query and a key.

    dot, scaled, general   e_i = sum of q h_i             (AD1) (AD2) (AG2)
    additive               e_i = sum of tanh(q + k_i) v   (AB2) (AB3)
    concat-dot             e_i = sum of tanh(q + k_i) h_i (AC2) (AC3)

`term` is that line and `term_backward` its derivative; the rest is written once.  tanh(q + k_i) is computed
again on the way back: to keep it would take the memory of a (T, N, A) array for each query.

(A1), (A2) forward; (A1*), (A2*) backward.
"""
from functools import cache as once
from typing import Callable, NamedTuple

import numpy as np
from numpy import ascontiguousarray as contiguous

from ...layers import attention as page
from ...core import tree
from ...layers.attention import Memory
from ..core import validation
from ..linalg.gemm import Operand, add_product, add_product_of_rows, operand, packed, product, product_of_rows
from ..linalg.gradients import add_bias_gradient, weight_gradient_shared
from ..runtime.jit import inlined, jit, part
from ..runtime.arena import beside, empty
from ..runtime.arena import zeros as zeros_of
from ..linalg.simd import LANES, add, at, exp, tanh, total, zeros, zeros_like
from ..runtime.threads import over_rows


class Read(NamedTuple):        # what the queries of a sequence read and fill
    W: Operand                 # (H, A), makes a query of a state
    v: np.ndarray              # (A,), of no meaning where the score has none
    scale: float
    hs: np.ndarray             # (T, M, C)
    keys: np.ndarray           # (T, M, A); hs where the score has none
    mask: np.ndarray           # (T, M)
    source: np.ndarray         # (N,), whose memory a row reads
    q: np.ndarray              # (S, N, A)
    alpha: np.ndarray          # (S, N, T)


class Back(NamedTuple):        # their gradients
    WT: np.ndarray             # packed
    dhs: np.ndarray            # (T, N, C), summed over the queries
    dkeys: np.ndarray          # (T, N, A), summed over the queries
    dv: np.ndarray             # (N, A), summed over the queries
    dq: np.ndarray             # (S, N, A)
    de: np.ndarray             # (queries of a block, N, T)
    dctx: np.ndarray           # (queries of a block, N, C)


@inlined
def dot_term(q, k, h, v):
    return q * h                                                         # (AD1) (AG2)


@inlined
def dot_backward(de, q, k, h, v):
    return de * h, zeros_like(q), de * q, zeros_like(q)                  # (AD1*) (AG2*) dq, dk, dh, dv


@inlined
def additive_term(q, k, h, v):
    return tanh(q + k) * v                                               # (AB2) (AB3)


@inlined
def additive_backward(de, q, k, h, v):
    u = tanh(q + k)
    da = de * v * (1.0 - u * u)                                          # (AB3*) (AB2*)
    return da, da, zeros_like(q), de * u                                 # (AB2*) (AB3*) dq, dk, dh, dv


@inlined
def concat_term(q, k, h, v):
    return tanh(q + k) * h                                               # (AC2) (AC3)


@inlined
def concat_backward(de, q, k, h, v):
    u = tanh(q + k)
    da = de * h * (1.0 - u * u)                                          # (AC3*) (AC2*)
    return da, da, de * u, zeros_like(q)                                 # (AC2*) (AC3*) dq, dk, dh, dv


@inlined
def no_matrix(p, s):
    return s[:0]


@inlined
def general_matrix(p, s):
    return p.W


@inlined
def query_matrix(p, s):
    return p.W_s


@inlined
def hs_of(memory):
    return memory.hs


@inlined
def keys_of(memory):
    return memory.keys


@inlined
def no_v(p, q):
    return q[0, 0]


@inlined
def v_of(p, q):
    return p.v


class Score(NamedTuple):
    term: Callable
    term_backward: Callable
    matrix: Callable           # of Params and a state: (H, A), what makes a query of a state, or (0, H)
    keys: Callable             # of a Memory: keys, or hs where the score has none
    v: Callable                # of Params and queries: (A,), of no meaning where the score has none
    scores_hs: bool            # whether h_i has a share in its own score

    @property
    def has_keys(self):
        """Whether keys are made of hs."""
        return self.keys is keys_of

    @property
    def has_v(self):
        """Whether v weighs the terms."""
        return self.v is v_of

    @property
    def has_matrix(self):
        """Whether a query is more than the state itself."""
        return self.matrix is not no_matrix


SCORES = {
    "dot": Score(dot_term, dot_backward, no_matrix, hs_of, no_v, True),
    "scaled": Score(dot_term, dot_backward, no_matrix, hs_of, no_v, True),
    "general": Score(dot_term, dot_backward, general_matrix, hs_of, no_v, True),
    "additive": Score(additive_term, additive_backward, query_matrix, keys_of, v_of, False),
    "concat-dot": Score(concat_term, concat_backward, query_matrix, keys_of, no_v, True),
}


def precompute_keys(score, p, hs, mask):
    """See attention.precompute_keys."""
    dtype = validation.floats("hs", hs, 3)
    validation.bools("mask", mask, hs.shape[:2])
    if hasattr(p, "W_h"):
        validation.floats("p.W_h", p.W_h, 2)
        validation.array("p.W_h", p.W_h, dtype, (hs.shape[2], p.W_h.shape[1]))
    return Memory(hs, _keys(None, p.W_h, contiguous(hs)) if hasattr(p, "W_h") else None, mask)


def precompute_keys_backward(score, p, memory, dmemory):
    """See attention.precompute_keys_backward."""
    if not hasattr(p, "W_h"):
        return page.precompute_keys_backward(score, p, memory, dmemory)
    dtype = validation.floats("hs", memory.hs, 3)
    validation.floats("p.W_h", p.W_h, 2)
    (T, N, H), A = memory.hs.shape, p.W_h.shape[1]
    validation.arrays(dtype, ("p.W_h", "dmemory.hs", "dmemory.keys"), [(H, A), (T, N, H), (T, N, A)],
                      (p.W_h, dmemory.hs, dmemory.keys))
    g, dhs = tree.zeros_like(tree.map(contiguous, p)), dmemory.hs.copy()
    _add_keys_gradient(None, p.W_h, g.W_h, contiguous(memory.hs), dmemory.keys, dhs)
    return dhs, g


@inlined
def keys(room, W, hs):
    """hs (T, N, H) W -> keys (T, N, A)."""
    (T, N, H), A = hs.shape, W.shape[1]
    made = empty(room, (T, N, A), hs.dtype)
    over_rows(product_of_rows, (made.reshape(T * N, A), hs.reshape(T * N, H), packed(beside(room), W)), T * N,
              made.size * H)                                             # (AB1) (AC1)
    return made


@inlined
def add_keys_gradient(room, W, dW, hs, dkeys, dhs):
    """dW += what the keys say about W, dhs += what they say about hs."""
    (T, N, H), A = hs.shape, W.shape[1]
    over_rows(add_product_of_rows, (dhs.reshape(T * N, H), dkeys.reshape(T * N, A), packed(beside(room), W.T)), T * N,
              dkeys.size * H)                                            # (AB1*) (AC1*) fork: hs is summed
    weight_gradient_shared(dW, hs, dkeys)                                # (AB1*) (AC1*)


_keys, _add_keys_gradient = jit("attention.keys")(keys), jit("attention.keys_backward")(add_keys_gradient)


@once
def starts(name):
    """-> start, start_backward, add_gradient for a score."""
    score, scaled = SCORES[name], name == "scaled"
    matrix, keys_of, v_of = score.matrix, score.keys, score.v
    has_keys, has_v, has_matrix = score.has_keys, score.has_v, score.has_matrix

    @inlined
    def start(room, p, source, s, S, sources):
        """Params, decoder.EncoderOutput, a state (M, H): -> Read and contexts (S, N, C) for S queries of each row;
        row n's are to the memory of sources[n]."""
        hs, keys, W, N = source.memory.hs, keys_of(source.memory), matrix(p, s), len(sources)
        (T, _, C), A = hs.shape, W.shape[1]
        scale = s.shape[1] ** -0.5 if scaled else 1.0                    # (AD2)
        q = empty(room, (S, N, A), hs.dtype)
        read = Read(operand(beside(room), W, N), v_of(p, q), scale, hs, keys, source.memory.mask, sources, q,
                    empty(room, (S, N, T), hs.dtype))
        return read, empty(room, (S, N, C), hs.dtype)

    @inlined
    def start_backward(room, of_memory, p, k, steps):
        """-> Back with sums at zero, for blocks of so many queries; those of the memory from a room of their own."""
        (_, N, A), (T, _, C), dtype = k.q.shape, k.hs.shape, k.q.dtype
        return Back(packed(beside(room), matrix(p, k.q[0]).T), zeros_of(of_memory, k.hs.shape, dtype),
                    zeros_of(of_memory, (T, N, A if has_keys else 0), dtype), zeros_of(room, (N, A), dtype),
                    empty(room, k.q.shape, dtype), empty(room, (steps, N, T), dtype),
                    empty(room, (steps, N, C), dtype))

    @inlined
    def add_gradient(g, d, states):
        """What all queries, which were made of `states` (S, N, H), say about Params is added to g."""
        if has_v:
            N, A = d.dv.shape
            add_bias_gradient(v_of(g, d.dq), d.dv.reshape(1, N, A), 0, A)    # (AB3*)
        if has_matrix:
            weight_gradient_shared(matrix(g, states), states, d.dq)      # (AG1*) (AB2*) (AC2*)
    return start, start_backward, add_gradient


@inlined
def unread(room, s, sources):
    """The Read of a decoder without attention."""
    none, numbers = empty(room, (0, 0, 0), s.dtype), empty(room, (0,), s.dtype)
    return Read(Operand(numbers, True), numbers, 1.0, none, none, empty(room, (0, 0), np.bool_), sources, none, none)


@inlined
def no_context(room, p, source, s, S, sources):
    """Context "init": -> Read and contexts of no numbers, as `start` of a score."""
    return unread(room, s, sources), empty(room, (S, len(sources), 0), s.dtype)


@inlined
def same_context(room, p, source, s, S, sources):
    """Context "every-step": -> Read, the context of each row's source at every step."""
    ctx = empty(room, (S, len(sources), source.ctx.shape[1]), s.dtype)
    for t in range(S):
        for n in range(len(sources)):
            for j in range(source.ctx.shape[1]):
                ctx[t, n, j] = source.ctx[sources[n], j]
    return unread(room, s, sources), ctx


@inlined
def nothing_backward(room, of_memory, p, k, steps):
    """The Back of a decoder without attention."""
    none = empty(room, (0, 0, 0), k.q.dtype)
    return Back(k.W.numbers, none, none, empty(room, (0, 0), k.q.dtype), none, none, none)


@inlined
def no_gradient(g, d, states):
    """Nothing is learned."""


NO_STARTS = no_context, nothing_backward, no_gradient


@once
def steps(name):
    """-> attend, attend_backward, contexts_backward with a score's term in them."""
    term, term_backward, scores_hs = SCORES[name].term, SCORES[name].term_backward, SCORES[name].scores_hs
    has_keys, has_v, has_matrix = SCORES[name].has_keys, SCORES[name].has_v, SCORES[name].has_matrix

    @part
    def attend(k, s, t, n0, n1, ctx):
        """Query t: states s (N, H) -> ctx (N, C), rows n0 .. n1-1 of it."""
        T, A, C = len(k.hs), k.q.shape[2], k.hs.shape[2]
        if has_matrix:
            product(k.q[t, n0:n1], s[n0:n1], k.W)                        # (AG1) (AB2) (AC2) s W
        else:
            for n in range(n0, n1):
                for j in range(0, A, LANES):
                    J = at(j, A)
                    k.q[t, n, J] = s[n, J] * k.scale                     # (AD2)
        for n in range(n0, n1):
            m, top = k.source[n], -np.inf
            for i in range(T):
                e = -np.inf                                              # padding has no weight
                if k.mask[i, m]:
                    terms = zeros(k.q)
                    for j in range(0, A, LANES):
                        J = at(j, A)
                        terms = add(terms, term(k.q[t, n, J], k.keys[i, m, J], k.hs[i, m, J], k.v[J]))
                    e = float(total(terms))
                    top = max(top, e)
                k.alpha[t, n, i] = e
            y = zeros(k.alpha)
            for j in range(0, T, LANES):
                I = at(j, T)
                k.alpha[t, n, I] = exp(k.alpha[t, n, I] - top)           # (A1)
                y = add(y, k.alpha[t, n, I])
            norm = total(y)
            for j in range(0, T, LANES):
                I = at(j, T)
                k.alpha[t, n, I] = k.alpha[t, n, I] / norm               # (A1)
            for j in range(0, C, LANES):
                ctx[n, at(j, C)] = zeros_like(ctx[n, at(j, C)])
            for i in range(T):
                if k.mask[i, m]:
                    alpha = k.alpha[t, n, i]
                    for j in range(0, C, LANES):
                        J = at(j, C)
                        ctx[n, J] = ctx[n, J] + k.hs[i, m, J] * alpha    # (A2)

    @part
    def attend_backward(k, d, t, n0, n1, dctx, ds):
        """Query t: dctx (N, C) -> ds (N, H) is added to, and the sums of d."""
        T, A, C = len(k.hs), k.q.shape[2], k.hs.shape[2]
        r = t % len(d.de)
        for n in range(n0, n1):
            mean = 0.0
            for i in range(T):
                if k.mask[i, n]:
                    products = zeros(k.q)
                    for j in range(0, C, LANES):
                        J = at(j, C)
                        products = add(products, dctx[n, J] * k.hs[i, n, J])                   # (A2*)
                    d.de[r, n, i] = total(products)
                    mean += k.alpha[t, n, i] * d.de[r, n, i]
            for i in range(T):
                d.de[r, n, i] = k.alpha[t, n, i] * (d.de[r, n, i] - mean) if k.mask[i, n] else 0.0    # (A1*)
            for j in range(0, A, LANES):
                d.dq[t, n, at(j, A)] = zeros_like(k.v[at(j, A)])
            for i in range(T):
                if k.mask[i, n]:
                    de = d.de[r, n, i]
                    for j in range(0, A, LANES):
                        J = at(j, A)
                        q, v, key, h = k.q[t, n, J], k.v[J], k.keys[i, n, J], k.hs[i, n, J]
                        dq, dk, dh, dv = term_backward(de, q, key, h, v)
                        d.dq[t, n, J] = d.dq[t, n, J] + dq               # fork: the query meets every key
                        if has_v:
                            d.dv[n, J] = d.dv[n, J] + dv                 # fork: v weighs every term
                        if has_keys:
                            d.dkeys[i, n, J] = d.dkeys[i, n, J] + dk     # fork: every query meets the key
                        if scores_hs:
                            d.dhs[i, n, J] = d.dhs[i, n, J] + dh         # fork: likewise
            if not has_matrix:
                for j in range(0, A, LANES):
                    J = at(j, A)
                    ds[n, J] = ds[n, J] + d.dq[t, n, J] * k.scale        # (AD1*) (AD2*)
            for j in range(0, C, LANES):
                d.dctx[r, n, at(j, C)] = dctx[n, at(j, C)]
        if has_matrix:
            add_product(ds[n0:n1], d.dq[t, n0:n1], d.WT)                 # (AG1*) (AB2*) (AC2*)

    @part
    def contexts_backward(k, d, t0, t1, n0, n1):
        """What the contexts of the queries t0 .. t1-1 say about hs, which they all read."""
        C = k.hs.shape[2]
        for n in range(n0, n1):
            for i in range(len(k.hs)):
                if k.mask[i, n]:
                    for j in range(0, C, LANES):
                        J = at(j, C)
                        dh = d.dhs[i, n, J]
                        for t in range(t0, t1):
                            dh = dh + d.dctx[t - t0, n, J] * k.alpha[t, n, i]    # (A2*) fork
                        d.dhs[i, n, J] = dh

    return attend, attend_backward, contexts_backward
