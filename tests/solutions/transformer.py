"""Right solutions of the exercises on the Transformer."""
import math

import numpy as np

from .style import solves

EPS = 1e-5


@solves("layer-norm", "loops")
def norm_loops(x, g, b):
    y = np.zeros(x.shape)
    for n, row in enumerate(x):
        mean = sum(row) / len(row)
        r = math.sqrt(sum((v - mean) ** 2 for v in row) / len(row) + EPS)
        for j, v in enumerate(row):
            y[n, j] = g[j] * (v - mean) / r + b[j]
    return y


@solves("layer-norm", "mean and var")
def norm_var(x, g, b):
    return (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + EPS) * g + b


@solves("layer-norm", "columns inside, in place")
def norm_columns(x, g, b):
    c = x.T.copy()
    c -= c.mean(axis=0)
    c /= np.sqrt(np.einsum("dn,dn->n", c, c) / len(c) + EPS)
    return (c * g[:, None] + b[:, None]).T


@solves("layer-norm-backward", "loops")
def norm_back_loops(n, r, g, dy):
    dx, dg, db = np.zeros(n.shape), np.zeros(len(g)), np.zeros(len(g))
    for i in range(len(n)):
        dn = dy[i] * g
        dg += dy[i] * n[i]
        db += dy[i]
        dx[i] = (dn - dn.mean() - n[i] * (dn * n[i]).mean()) / r[i]
    return dx, dg, db


@solves("layer-norm-backward", "einsum")
def norm_back_einsum(n, r, g, dy):
    dn, D = np.einsum("nd,d->nd", dy, g), len(g)
    inner = np.einsum("nd,nd->n", dn, n) / D
    dx = np.einsum("nd,n->nd", dn - dn.mean(1, keepdims=True) - n * inner[:, None], 1 / r)
    return dx, np.einsum("nd,nd->d", dy, n), np.einsum("nd->d", dy)


@solves("layer-norm-backward", "through the Jacobian")
def norm_back_jacobian(n, r, g, dy):
    D = n.shape[1]
    J = (np.eye(D) - 1 / D - n[:, :, None] * n[:, None] / D) / r[:, None, None]
    return np.einsum("nij,nj->ni", J, dy * g), (dy * n).sum(0), dy.sum(0)


@solves("scaled-attention", "loops")
def attention_loops(q, k, v, mask):
    N, S, D = q.shape
    T, H = v.shape[1:]
    ctx, alpha = np.zeros((N, S, H)), np.zeros((N, S, T))
    for n in range(N):
        real = np.flatnonzero(mask[:, n])
        for t in range(S):
            e = np.array([q[n, t] @ k[n, i] / math.sqrt(D) for i in real])
            w = np.exp(e - e.max())
            alpha[n, t, real] = w / w.sum()
            ctx[n, t] = alpha[n, t, real] @ v[n, real]
    return ctx, alpha


@solves("scaled-attention", "einsum")
def attention_einsum(q, k, v, mask):
    e = np.einsum("nsd,ntd->nst", q, k) * k.shape[2] ** -0.5
    e = np.where(mask.T[:, None], e, -np.inf)
    w = np.exp(e - e.max(-1, keepdims=True))
    alpha = w / w.sum(-1, keepdims=True)
    return np.einsum("nst,nth->nsh", alpha, v), alpha


@solves("scaled-attention", "example by example")
def attention_examples(q, k, v, mask):
    pairs = []
    for qn, kn, vn, m in zip(q, k, v, mask.T):
        e = qn @ kn.T / np.sqrt(q.shape[-1])
        e[:, ~m] = -np.inf
        w = np.exp(e - np.max(e, axis=1)[:, None])
        w /= np.sum(w, axis=1)[:, None]
        pairs.append((w @ vn, w))
    return tuple(map(np.stack, zip(*pairs)))


@solves("scaled-attention-backward", "einsum")
def attention_back_einsum(q, k, v, alpha, dctx):
    dalpha = np.einsum("nsh,nth->nst", dctx, v)
    de = alpha * (dalpha - np.einsum("nst,nst->ns", alpha, dalpha)[:, :, None]) / np.sqrt(q.shape[2])
    return np.einsum("nst,ntd->nsd", de, k), np.einsum("nst,nsd->ntd", de, q), np.einsum("nst,nsh->nth", alpha, dctx)


@solves("scaled-attention-backward", "through the Jacobian")
def attention_back_jacobian(q, k, v, alpha, dctx):
    dq, dk, dv, D = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v), q.shape[-1]
    for n in range(len(q)):
        for t in range(q.shape[1]):
            a = alpha[n, t]
            de = (np.diag(a) - np.outer(a, a)) @ (v[n] @ dctx[n, t])
            dq[n, t] = de @ k[n] / math.sqrt(D)
            dk[n] += np.outer(de, q[n, t]) / math.sqrt(D)
            dv[n] += np.outer(a, dctx[n, t])
    return dq, dk, dv


@solves("scaled-attention-backward", "batched products")
def attention_back_products(q, k, v, alpha, dctx):
    dalpha = dctx @ v.transpose(0, 2, 1)
    dsoft = alpha * dalpha
    de = (dsoft - alpha * dsoft.sum(-1, keepdims=True)) / q.shape[2] ** 0.5
    return de @ k, np.swapaxes(de, 1, 2) @ q, np.swapaxes(alpha, 1, 2) @ dctx


@solves("causal-mask", "loops")
def causal_loops(e):
    N, S, T = e.shape
    alpha = np.zeros(e.shape)
    for n in range(N):
        for s in range(S):
            seen = T - S + s + 1
            w = np.exp(e[n, s, :seen] - e[n, s, :seen].max())
            alpha[n, s, :seen] = w / w.sum()
    return alpha


@solves("causal-mask", "triangle")
def causal_triangle(e):
    S, T = e.shape[1:]
    a = np.where(np.tri(S, T, T - S, dtype=bool), e, -np.inf)
    a = np.exp(a - a.max(2)[:, :, None])
    return a / a.sum(2)[:, :, None]


@solves("causal-mask", "last rows of a square")
def causal_rows(e):
    S, T = e.shape[1:]
    hidden = np.triu(np.full((T, T), -np.inf), 1)[T - S:]
    a = np.exp(e + hidden - (e + hidden).max(axis=-1, keepdims=True))
    return a / np.einsum("nst->ns", a)[..., None]


@solves("split-heads", "reshape and transpose")
def split_reshape(x, heads):
    T, N, D = x.shape
    return np.transpose(np.reshape(x, (T, N, heads, D // heads)), (1, 2, 0, 3))


@solves("split-heads", "slices")
def split_slices(x, heads):
    d = x.shape[2] // heads
    return np.stack([x[:, :, j * d:(j + 1) * d].transpose(1, 0, 2) for j in range(heads)], axis=1)


@solves("split-heads", "loops")
def split_loops(x, heads):
    T, N, D = x.shape
    y = np.empty((N, heads, T, D // heads))
    for t in range(T):
        for n in range(N):
            for i in range(D):
                y[n, i // (D // heads), t, i % (D // heads)] = x[t, n, i]
    return y


@solves("join-heads", "transpose and reshape")
def join_reshape(y):
    N, h, T, d = y.shape
    return np.transpose(y, (2, 0, 1, 3)).reshape(T, N, h * d)


@solves("join-heads", "concatenate")
def join_concatenate(y):
    return np.concatenate([y[:, j].transpose(1, 0, 2) for j in range(y.shape[1])], axis=-1)


@solves("join-heads", "loops")
def join_loops(y):
    N, h, T, d = y.shape
    x = np.empty((T, N, h * d))
    for j in range(h):
        for i in range(d):
            x[:, :, j * d + i] = y[:, j, :, i].T
    return x


@solves("position-encoding", "loops")
def positions_loops(steps, size):
    P = np.zeros((steps, size))
    for i in range(steps):
        for j in range(size):
            angle = i / 10000 ** (2 * (j // 2) / size)
            P[i, j] = math.cos(angle) if j % 2 else math.sin(angle)
    return P


@solves("position-encoding", "even and odd columns")
def positions_columns(steps, size):
    angles = np.arange(steps)[:, None] * 10000.0 ** (-np.arange(0, size, 2) / size)
    P = np.empty((steps, size))
    P[:, 0::2], P[:, 1::2] = np.sin(angles), np.cos(angles)[:, :size // 2]
    return P


@solves("position-encoding", "phases")
def positions_phases(steps, size):
    j = np.arange(size)
    return np.sin(np.outer(np.arange(steps), np.exp(-math.log(10000) * (j - j % 2) / size)) + (j % 2) * np.pi / 2)


@solves("sublayer", "mean and var")
def sublayer_var(x, g, b, W):
    u = norm_var(x, g, b) @ W
    return x + u * (u > 0)


@solves("sublayer", "loops")
def sublayer_loops(x, g, b, W):
    u, y = norm_loops(x, g, b), np.array(x)
    for n in range(len(x)):
        for j in range(x.shape[1]):
            y[n, j] += max(0.0, sum(u[n, i] * W[i, j] for i in range(x.shape[1])))
    return y


@solves("sublayer", "einsum, in place")
def sublayer_einsum(x, g, b, W):
    y = np.einsum("nd,de->ne", norm_columns(x, g, b), W)
    np.maximum(y, 0, out=y)
    y += x
    return y


@solves("sublayer-backward", "loops")
def sublayer_back_loops(n, r, g, dy, du):
    dx, dg, db = norm_back_loops(n, r, g, du)
    return dx + dy, dg, db


@solves("sublayer-backward", "einsum")
def sublayer_back_einsum(n, r, g, dy, du):
    dx, dg, db = norm_back_einsum(n, r, g, du)
    dx += dy
    return dx, dg, db


@solves("sublayer-backward", "through the Jacobian")
def sublayer_back_jacobian(n, r, g, dy, du):
    dx, dg, db = norm_back_jacobian(n, r, g, du)
    return np.add(dy, dx), dg, db
