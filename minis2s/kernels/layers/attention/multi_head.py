"""Multi-head attention, compiled; read minis2s/layers/attention/multi_head.py first.

    row t N + n of q (S N, D):  │ head 0: d numbers │ head 1 │ ...        a head's queries are every N-th row, and d of
                                                                          its columns: `head` is a view, nothing moves

Projections are shared among threads by rows, the heads by examples, and gradients by matrices.

(MH1)..(MH5) forward; (MH1*)..(MH5*) backward.
"""
from ...linalg.gemm import lined_up, packed
from ...linalg.packing import padded
from ...linalg.rows import clear
from ...runtime.arena import empty, empty_like
from ...runtime.jit import arena_function, inlined, internal_kernel
from ...runtime.threads import over_rows, shared
from .. import linear
from ..linear import add_bias_gradient, add_gradient
from . import scaled_dot_product


@inlined
def head(x, N, n, j, d):
    """The rows (T, d) of head j and example n, of x (T N, D)."""
    return x[n::N, j * d:(j + 1) * d]                                   # (MH5) (MH5*)


# Keys and values: made once for all queries -----------------------------------------------------------------

@internal_kernel("multi_head.key_rows")
def key_rows(W_k, W_v, p, y, k, v, r0, r1):
    linear.product_forward(W_k, y, k, r0, r1)                           # (MH1)
    linear.forward(W_v, p.v.b, y, v, r0, r1)                            # (MH1)


@inlined
def keys_values(arena, p, y, k, v):
    """y (T N, D) -> k, v."""
    over_rows(key_rows, (packed(arena, p.k), packed(arena, p.v.W), p, y, k, v), len(y), 2 * y.size * y.shape[1])


@internal_kernel("multi_head.key_rows_backward")
def key_rows_backward(WT_k, WT_v, dk, dv, dy, r0, r1):
    linear.add_backward(WT_k, dk, dy, r0, r1)                           # (MH1*)
    linear.add_backward(WT_v, dv, dy, r0, r1)                           # (MH1*) fork: y makes keys and values


@internal_kernel("multi_head.key_gradients")
def key_gradients(g, y, dk, dv, i0, i1):
    """Those of W_k (0), and of W_v and b_v (1), as far as i0 .. i1-1 has them."""
    if i0 == 0:
        add_gradient(g.k, y, dk)                                        # (MH1*)
    if i1 == 2:
        add_gradient(g.v.W, y, dv)                                      # (MH1*)
        add_bias_gradient(g.v.b, dv)                                    # (MH1*)


@inlined
def keys_values_backward(arena, p, g, y, dk, dv, dy):
    """dk, dv (T N, D): g and dy grow."""
    work = 2 * y.size * y.shape[1]
    over_rows(key_rows_backward, (packed(arena, p.k.T), packed(arena, p.v.W.T), dk, dv, dy), len(y), work)
    shared(key_gradients, (g, y, dk, dv), 2, 1, work)


# Queries ----------------------------------------------------------------------------------------------------

@internal_kernel("multi_head.query_rows")
def query_rows(W_q, p, x, q, r0, r1):
    linear.forward(W_q, p.q.b, x, q, r0, r1)                            # (MH2)


@internal_kernel("multi_head.heads")
def heads(k, lengths, causal, panels, n0, n1):
    N, h = k.heads.alpha.shape[:2]
    d = k.ctx.shape[1] // h
    for n in range(n0, n1):
        for j in range(h):
            keys, values = head(k.heads.k, N, n, j, d), head(k.heads.v, N, n, j, d)
            scaled_dot_product.forward(head(k.heads.q, N, n, j, d), keys[:lengths[n]], values[:lengths[n]], causal,
                                       panels[n0], k.heads.alpha[n, j], head(k.ctx, N, n, j, d))        # (MH3)


@internal_kernel("multi_head.output_rows")
def output_rows(W_o, p, ctx, z, r0, r1):
    linear.forward(W_o, p.o.b, ctx, z, r0, r1)                          # (MH4)


@arena_function
def panels_for(arena, k):
    """For every example, room for one packed operand of a head's products."""
    N, h, S, T = k.heads.alpha.shape
    d = k.ctx.shape[1] // h
    size = max(max(S, T) * padded(d), d * padded(T))
    return lined_up(arena, N * size, k.ctx.dtype).reshape(N, size)


@inlined
def attend(arena, p, x, k, lengths, causal, z):
    """The queries x (S N, D) -> z, and the Cache k is filled but for keys and values, of which an example has
    `lengths`."""
    over_rows(query_rows, (packed(arena, p.q.W), p, x, k.heads.q), len(x), x.size * x.shape[1])
    work = 2 * k.heads.alpha.size * x.shape[1] // k.heads.alpha.shape[1]
    over_rows(heads, (k, lengths, causal, panels_for(arena, k)), len(lengths), work)
    over_rows(output_rows, (packed(arena, p.o.W), p, k.ctx, z), len(x), x.size * x.shape[1])


@internal_kernel("multi_head.output_rows_backward")
def output_rows_backward(WT_o, dz, dctx, r0, r1):
    linear.backward(WT_o, dz, dctx, r0, r1)                             # (MH4*)


@internal_kernel("multi_head.heads_backward")
def heads_backward(k, dctx, lengths, panels, de, dq, dk, dv, n0, n1):
    """dctx (S N, D) -> dq, and dk, dv, which are 0 in the rows of padding."""
    N, h = k.heads.alpha.shape[:2]
    d = k.ctx.shape[1] // h
    for n in range(n0, n1):
        end = lengths[n]
        for j in range(h):
            keys, values = head(k.heads.k, N, n, j, d), head(k.heads.v, N, n, j, d)
            scaled_dot_product.backward(
                head(k.heads.q, N, n, j, d), keys[:end], values[:end], k.heads.alpha[n, j], head(dctx, N, n, j, d),
                panels[n0], de[n0], head(dq, N, n, j, d), head(dk, N, n, j, d)[:end],
                head(dv, N, n, j, d)[:end])                             # (MH3*)
        clear(dk[n::N], end, len(dk) // N)
        clear(dv[n::N], end, len(dv) // N)


@internal_kernel("multi_head.query_rows_backward")
def query_rows_backward(WT_q, dq, dx, r0, r1):
    linear.backward(WT_q, dq, dx, r0, r1)                               # (MH2*)


@internal_kernel("multi_head.query_gradients")
def query_gradients(g, x, k, dq, dz, i0, i1):
    """Those of W_q and b_q (0), and of W_o and b_o (1), as far as i0 .. i1-1 has them."""
    if i0 == 0:
        add_gradient(g.q.W, x, dq)                                      # (MH2*)
        add_bias_gradient(g.q.b, dq)                                    # (MH2*)
    if i1 == 2:
        add_gradient(g.o.W, k.ctx, dz)                                  # (MH4*)
        add_bias_gradient(g.o.b, dz)                                    # (MH4*)


@inlined
def attend_backward(arena, p, g, x, k, dz, lengths, dk, dv, dx):
    """dz (S N, D) -> dk, dv (T N, D) and dx; g grows."""
    (N, h, S, T), work = k.heads.alpha.shape, x.size * x.shape[1]
    dctx, dq = empty_like(arena, x), empty_like(arena, x)
    over_rows(output_rows_backward, (packed(arena, p.o.W.T), dz, dctx), len(x), work)
    over_rows(heads_backward, (k, dctx, lengths, panels_for(arena, k), empty(arena, (N, S, T), x.dtype), dq, dk,
                               dv), N, 4 * k.heads.alpha.size * x.shape[1] // h)
    over_rows(query_rows_backward, (packed(arena, p.q.W.T), dq, dx), len(x), work)
    shared(query_gradients, (g, x, k, dq, dz), 2, 1, 2 * work)
