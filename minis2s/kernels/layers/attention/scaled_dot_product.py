"""Scaled dot-product attention, compiled, of one head of one example; read
minis2s/layers/attention/scaled_dot_product.py first.

    q (S, d) ── k^T, packed ──> e (S, T) ── softmax, row after row ──> alpha ── v, packed ──> ctx (S, d)

The rows of q, k, v are wherever a stride leads (multi_head.py); what a product reads by columns is packed into
`panels`, room for one packed operand.  Which keys a query may see is a number here: padding stands at the end, and so
does the future, so query t sees the first `seen` of them.

Rows of alpha are as long as full vectors: a vector of which a part is stored takes several times as long.  Behind the T
weights stand zeros, which the backward pass may read: their products are zeros.

(SA1)..(SA5) forward; (SA1*)..(SA3*) backward.
"""
import numpy as np

from ...linalg.gemm import pack_into, product, width
from ...linalg.packing import padded
from ...linalg.simd import LANES, add, at, exp, greatest, maximum, total, zeros, zeros_like
from ...runtime.jit import device_function


@device_function
def forward(q, k, v, causal, panels, alpha, ctx):
    """q (S, d), k and v (real keys, d) -> alpha (S, padded T), ctx (S, d)."""
    S, length, scale = len(q), len(k), 1 / np.sqrt(q.shape[1])          # (SA4) padding is not even read
    pack_into(panels, k.T, width(q))
    product(alpha[:, :padded(length)], q, panels)                       # (SA1)
    for t in range(S):
        hide(alpha[t], seen_by(t, S, length, causal))                   # (SA2)
    for t in range(S):
        softmax(alpha[t], scale, seen_by(t, S, length, causal))         # (SA1) (SA2)
    pack_into(panels, v, width(v))
    product(ctx, alpha[:, :length], panels)                             # (SA3)


@device_function
def seen_by(t, S, length, causal):
    """How many keys query t sees."""
    return length - S + t + 1 if causal else length                     # (SA4) (SA5)


@device_function
def hide(e, seen):
    """Scores of -inf behind those that are seen, up to a full vector.

    Before the softmax of any query: a vector that is read soon after single numbers of it were written waits for them.
    """
    for i in range(seen, padded(seen)):
        e[i] = -np.inf                                                  # (SA2) over visible i


@device_function
def softmax(e, scale, seen):
    """The scores q . k_i in e, with -inf behind them (`hide`) -> weights, in place; they are 0 for keys not seen."""
    end = padded(seen)
    best, sums = e[at(0, LANES)], zeros(e)
    for j in range(LANES, end, LANES):
        best = maximum(best, e[at(j, end)])
    top = greatest(best)
    for j in range(0, end, LANES):
        I = at(j, end)
        e[I] = exp((e[I] - top) * scale)                                # (SA1) (SA2)
        sums = add(sums, e[I])
    share = 1 / total(sums)
    for j in range(0, end, LANES):
        e[at(j, end)] = e[at(j, end)] * share                           # (SA2)
    for j in range(end, len(e), LANES):
        e[at(j, len(e))] = zeros_like(e[at(j, len(e))])                 # (SA2)


@device_function
def one_query(q, k, v, where, e, ctx):
    """`forward` of one query q (d,), whose keys and values stand in rows: those of key i are k[i, where[i]] and
    v[i, where[i]] -> ctx (d,), and the weights in e."""
    seen, d = len(where), len(q)
    for i in range(seen):
        products = zeros(q)
        for j in range(0, d, LANES):
            J = at(j, d)
            products = add(products, q[J] * k[i, where[i], J])          # (SA1)
        e[i] = total(products)
    hide(e, seen)
    softmax(e[:padded(seen)], 1 / np.sqrt(d), seen)                     # (SA1) (SA2)
    for j in range(0, d, LANES):
        J = at(j, d)
        sums = zeros_like(q[J])
        for i in range(seen):
            sums = sums + v[i, where[i], J] * e[i]                      # (SA3)
        ctx[J] = sums


@device_function
def backward(q, k, v, alpha, dctx, panels, de, dq, dk, dv):
    """dctx (S, d) -> dq (S, d), dk and dv (real keys, d); de (S, padded T) is room to work in."""
    length, end, scale = len(k), padded(len(k)), 1 / np.sqrt(q.shape[1])
    pack_into(panels, v.T, width(v))
    product(de[:, :end], dctx, panels)                                  # (SA3*)
    pack_into(panels, dctx, width(dctx))
    product(dv, alpha[:, :length].T, panels)                            # (SA3*)
    for t in range(len(q)):
        softmax_backward(alpha[t], de[t], scale, end)                   # (SA2*) (SA1*)
    pack_into(panels, k, width(k))
    product(dq, de[:, :length], panels)                                 # (SA1*)
    pack_into(panels, q, width(q))
    product(dk, de[:, :length].T, panels)                               # (SA1*)


@device_function
def softmax_backward(alpha, d, scale, end):
    """dalpha in d -> de times the scale, in place, for one query; 0 where alpha is."""
    products = zeros(d)
    for j in range(0, end, LANES):
        products = add(products, alpha[at(j, end)] * d[at(j, end)])
    mean = total(products)
    for j in range(0, end, LANES):
        J = at(j, end)
        d[J] = alpha[J] * (d[J] - mean) * scale                         # (SA2*) (SA1*)
