"""Attention of one query, compiled: scores, softmax and weighted sum, for rows n0 .. n1-1 of the batch.  Read
layers/attention/attend.py and additive.py first.

    s (N, H) ── W_s ──> q (N, A) ──┐
    keys (T, M, A), made once ─────┴─ term ── sum ──> e_i ── softmax ──> alpha_i ── h_i ──> ctx (N, C)

A score's term (score.py) is put into these loops when they are compiled.

(A1), (A2) forward; (A1*), (A2*) backward.
"""
from functools import cache as once

import numpy as np

from ...linalg.gemm import add_product, product
from ...linalg.rows import clear, copy
from ...linalg.simd import LANES, add, at, exp, total, zeros, zeros_like
from ...runtime.jit import device_function
from .dot import scale_backward


@once
def attend_with(score):
    """-> attend, with this Score in it."""
    term, has_matrix = score.term, score.has_matrix

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
            softmax(k.alpha[t, n], top)                                  # (A1)
            for j in range(0, C, LANES):
                ctx[n, at(j, C)] = zeros_like(ctx[n, at(j, C)])
            for i in range(T):
                if k.mask[i, m]:
                    alpha = k.alpha[t, n, i]
                    for j in range(0, C, LANES):
                        J = at(j, C)
                        ctx[n, J] = ctx[n, J] + k.hs[i, m, J] * alpha    # (A2)
    return attend


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
                products = add(products, dctx[n, J] * k.hs[i, n, J])                   # (A2*)
            d.de[r, n, i] = total(products)
            mean += k.alpha[t, n, i] * d.de[r, n, i]
    for i in range(T):
        d.de[r, n, i] = k.alpha[t, n, i] * (d.de[r, n, i] - mean) if k.mask[i, n] else 0.0    # (A1*)


@once
def attend_backward_with(score):
    """-> attend_backward, with this Score in it."""
    term_backward, scores_hs = score.term_backward, score.scores_hs
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
