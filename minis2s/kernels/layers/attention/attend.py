"""Attention of one query, compiled: scores, softmax and weighted sum, for rows n0 .. n1-1 of the batch.  Read
layers/attention/attend.py and additive.py first.

    s (N, H) ── W_s ──> q (N, A) ──┐
    keys (T, M, A), made once ─────┴─ term ── sum ──> e_i ── softmax ──> alpha_i ── h_i ──> ctx (N, C)

A score's term (score.py) is put into these loops when they are compiled.  For the additive one powers.py has a shorter
way.

(A1), (A2) forward; (A1*), (A2*) backward.
"""
from functools import cache as once

import numpy as np

from ...linalg.gemm import add_product, product
from ...linalg.rows import clear, copy
from ...linalg.simd import LANES, add, at, exp, multiply_add, total, zeros, zeros_like
from ...runtime.jit import device_function
from .dot import scale_backward
from .powers import scores_by_powers, within_reach


@once
def attend_with(score):
    """-> attend, with this Score in it."""
    has_matrix, has_powers, scores = score.has_matrix, score.has_powers, scores_with(score.term)

    @device_function
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
            m = k.source[n]
            if has_powers and within_reach(k, t, n):
                top = scores_by_powers(k, t, n)
            else:
                top = scores(k, t, n)
            softmax(k.alpha[t, n], top)                                  # (A1)
            for j in range(0, C, 4 * LANES):                             # sums that stay in registers
                J0, J1, J2, J3 = at(j, C), at(j + LANES, C), at(j + 2 * LANES, C), at(j + 3 * LANES, C)
                ctx_0, ctx_1 = zeros_like(ctx[n, J0]), zeros_like(ctx[n, J1])
                ctx_2, ctx_3 = zeros_like(ctx[n, J2]), zeros_like(ctx[n, J3])
                for i in range(T):
                    if k.mask[i, m]:
                        alpha = k.alpha[t, n, i]
                        ctx_0 = multiply_add(k.hs[i, m, J0], alpha, ctx_0)           # (A2)
                        ctx_1 = multiply_add(k.hs[i, m, J1], alpha, ctx_1)
                        ctx_2 = multiply_add(k.hs[i, m, J2], alpha, ctx_2)
                        ctx_3 = multiply_add(k.hs[i, m, J3], alpha, ctx_3)
                ctx[n, J0], ctx[n, J1], ctx[n, J2], ctx[n, J3] = ctx_0, ctx_1, ctx_2, ctx_3
    return attend


@once
def scores_with(term):
    """-> scores, with this term in it."""
    @device_function
    def scores(k, t, n):
        """Write e_i of query t of row n into alpha: -> the greatest."""
        A, m, top = k.q.shape[2], k.source[n], -np.inf
        for i in range(len(k.hs)):
            e = -np.inf                                                  # padding has no weight
            if k.mask[i, m]:
                terms = zeros(k.q)
                for j in range(0, A, LANES):
                    J = at(j, A)
                    terms = add(terms, term(k.q[t, n, J], k.keys[i, m, J], k.hs[i, m, J], k.v[J]))
                e = float(total(terms))
                top = max(top, e)
            k.alpha[t, n, i] = e
        return top
    return scores


@device_function
def softmax(alpha, top):
    """Scores -> weights, in place; `top` is the greatest score."""
    T, y = len(alpha), zeros(alpha)
    for j in range(0, T, LANES):
        I = at(j, T)
        alpha[I] = exp(alpha[I] - top)                                   # (A1)
        y = add(y, alpha[I])
    norm = total(y)
    for j in range(0, T, LANES):
        I = at(j, T)
        alpha[I] = alpha[I] / norm                                       # (A1)


@once
def softmax_backward_with(copies):
    """-> softmax_backward; whether words are copied by the weights, too."""
    @device_function
    def softmax_backward(k, d, t, n, dctx):
        """dctx (N, C) -> de of example n, for query t."""
        T, C, r = len(k.hs), k.hs.shape[2], t % len(d.de)
        mean = 0.0
        for i in range(T):
            if k.mask[i, n]:
                products = zeros(k.q)
                for j in range(0, C, LANES):
                    J = at(j, C)
                    products = add(products, dctx[n, J] * k.hs[i, n, J])               # (A2*)
                d.de[r, n, i] = total(products)
                if copies:
                    d.de[r, n, i] += d.dalpha[t, n, i]                   # fork: alpha weighs, and may be copied from
                mean += k.alpha[t, n, i] * d.de[r, n, i]
        for i in range(T):
            d.de[r, n, i] = k.alpha[t, n, i] * (d.de[r, n, i] - mean) if k.mask[i, n] else 0.0    # (A1*)
    return softmax_backward


@once
def attend_backward_with(score, copies=False):
    """-> attend_backward, with this Score in it; whether words are copied by the weights, too."""
    term_backward, scores_hs = score.term_backward, score.scores_hs
    softmax_backward = softmax_backward_with(copies)
    has_keys, has_v, has_matrix = score.has_keys, score.has_v, score.has_matrix

    @device_function
    def attend_backward(k, d, t, n0, n1, dctx, ds):
        """Query t: ds (N, H) += the gradient through dctx (N, C); the sums of d grow too."""
        T, A, r = len(k.hs), k.q.shape[2], t % len(d.de)
        clear(d.dq[t], n0, n1)
        copy(d.dctx[r], dctx, n0, n1)
        for n in range(n0, n1):
            softmax_backward(k, d, t, n, dctx)
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
                    ds[n, J] = ds[n, J] + scale_backward(d.dq[t, n, J], k.scale)
        if has_matrix:
            add_product(ds[n0:n1], d.dq[t, n0:n1], d.WT)                 # (AG1*) (AB2*) (AC2*)
    return attend_backward


@device_function
def contexts_backward(k, d, t0, t1, n0, n1):
    """dhs += its gradient through the contexts of the queries t0 .. t1-1, which all read hs."""
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
