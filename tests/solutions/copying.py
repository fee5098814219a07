import math

import numpy as np

from .style import solves


def width(V, ids):
    return max(V, int(ids.max()) + 1)


@solves("copying", "loops")
def copying_loops(r, w, b, logits, alpha, ids):
    S, N, V = logits.shape
    g, c = np.zeros((S, N)), np.zeros((S, N, width(V, ids)))
    log_p = np.full(c.shape, -np.inf)
    for t, n in np.ndindex(S, N):
        a = sum(x * y for x, y in zip(r[t, n], w)) + b
        log_g, log_rest = -np.logaddexp(0, -a), -np.logaddexp(0, a)
        g[t, n] = math.exp(log_g)
        for i, x in enumerate(ids[:, n]):
            c[t, n, x] += alpha[t, i, n]
        top = max(logits[t, n])
        log_sum = top + math.log(sum(math.exp(x - top) for x in logits[t, n]))
        for v in range(c.shape[2]):
            parts = [log_rest + logits[t, n, v] - log_sum] if v < V else []
            parts += [log_g + math.log(c[t, n, v])] if c[t, n, v] > 0 else []
            if parts:
                most = max(parts)
                log_p[t, n, v] = most + math.log(sum(math.exp(x - most) for x in parts))
    return g, c, log_p


@solves("copying", "one-hot and einsum")
def copying_einsum(r, w, b, logits, alpha, ids):
    U, V = width(logits.shape[2], ids), logits.shape[2]
    a = np.einsum("snr,r->sn", r, w) + b
    c = np.einsum("stn,tnv->snv", alpha, np.eye(U)[ids])
    log_q = logits - np.logaddexp.reduce(logits, axis=2, keepdims=True)
    log_q = np.concatenate([log_q, np.full((*a.shape, U - V), -np.inf)], axis=2)
    log_p = np.logaddexp(log_q - np.logaddexp(0, a)[..., None], np.log(c) - np.logaddexp(0, -a)[..., None])
    return 1 / (1 + np.exp(-a)), c, log_p


@solves("copying", "add.at, shifted by the greater part, written in place")
def copying_added(r, w, b, logits, alpha, ids):
    S, N, V = logits.shape
    a, c = (r @ w) + b, np.zeros((S, N, width(V, ids)))
    for t in range(S):
        np.add.at(c[t], (np.arange(N), ids), alpha[t])
    z = logits - logits.max(axis=2)[..., None]
    z -= np.log(np.exp(z).sum(axis=2))[..., None]
    said = np.full_like(c, -np.inf)
    said[..., :V] = z - (np.maximum(a, 0) + np.log1p(np.exp(-abs(a))))[..., None]
    copied = np.log(c) - (np.maximum(-a, 0) + np.log1p(np.exp(-abs(a))))[..., None]
    top = np.where(np.isinf(np.maximum(said, copied)), 0, np.maximum(said, copied))
    return 0.5 * (1 + np.tanh(a / 2)), c, top + np.log(np.exp(said - top) + np.exp(copied - top))


@solves("copying-backward", "loops")
def copying_back_loops(r, w, ids, g, c, log_q, log_p, dlog_p):
    (S, N, V), T = log_q.shape, len(ids)
    dr, dlogits, dalpha = np.zeros(r.shape), np.zeros(log_q.shape), np.zeros((S, T, N))
    dw, db = np.zeros(w.shape), 0.0
    for t, n in np.ndindex(S, N):
        da, ds, dc = 0.0, np.zeros(V), np.zeros(c.shape[2])
        for v in range(c.shape[2]):
            share = g[t, n] * c[t, n, v] / math.exp(log_p[t, n, v]) if c[t, n, v] > 0 else 0.0
            da += (share - g[t, n]) * dlog_p[t, n, v]
            if v < V:
                ds[v] = (1 - share) * dlog_p[t, n, v]
            if c[t, n, v] > 0:
                dc[v] = share / c[t, n, v] * dlog_p[t, n, v]
        dlogits[t, n] = ds - np.exp(log_q[t, n]) * sum(ds)
        dalpha[t, :, n] = [dc[x] for x in ids[:, n]]
        dr[t, n] = da * w
        dw += da * r[t, n]
        db += da
    return dr, dlogits, dalpha, dw, db


@solves("copying-backward", "one-hot and einsum")
def copying_back_einsum(r, w, ids, g, c, log_q, log_p, dlog_p):
    there = c > 0
    share = np.exp(np.log(g)[..., None] + np.log(np.where(there, c, 1)) - np.where(there, log_p, 0)) * there
    dc = np.divide(share * dlog_p, c, out=np.zeros_like(c), where=there)
    ds = ((1 - share) * dlog_p)[..., :log_q.shape[2]]
    da = np.einsum("snv,snv->sn", share, dlog_p) - g * dlog_p.sum(axis=2)
    J = np.eye(log_q.shape[2]) - np.exp(log_q)[:, :, None, :]   # of log softmax
    return (np.einsum("sn,r->snr", da, w), np.einsum("snvu,snv->snu", J, ds),
            np.einsum("snv,tnv->stn", dc, np.eye(c.shape[2])[ids]), np.einsum("snr,sn->r", r, da), np.sum(da))


@solves("copying-backward", "through the probabilities")
def copying_back_probabilities(r, w, ids, g, c, log_q, log_p, dlog_p):
    V, p = log_q.shape[2], np.exp(log_p)
    dp = np.where(p > 0, dlog_p, 0) / np.where(p > 0, p, 1)
    q = np.zeros(p.shape)
    q[:, :, :V] = np.exp(log_q)
    dg = (dp * (c - q)).sum(axis=2)
    da = dg * g * (1 - g)
    dq = ((1 - g)[:, :, None] * dp)[:, :, :V]
    dlogits = q[:, :, :V] * (dq - (q[:, :, :V] * dq).sum(axis=2, keepdims=True))
    dc = np.where(c > 0, g[:, :, None] * dp, 0)
    dalpha = np.take_along_axis(dc, ids.T[None], axis=2).swapaxes(1, 2)
    return da[..., None] * w, dlogits, dalpha, (r * da[..., None]).sum(axis=(0, 1)), float(da.sum())
