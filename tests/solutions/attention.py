import math

import numpy as np

from .recurrent import back_examples
from .style import solves


@solves("attention-mask", "loops")
def mask_loops(e, mask):
    alpha = np.zeros(e.shape)
    for n in range(e.shape[1]):
        real = [t for t in range(e.shape[0]) if mask[t, n]]
        top = max(e[t, n] for t in real)
        total = sum(math.exp(e[t, n] - top) for t in real)
        for t in real:
            alpha[t, n] = math.exp(e[t, n] - top) / total
    return alpha


@solves("attention-mask", "minus infinity")
def mask_infinity(e, mask):
    e = np.where(mask, e, -np.inf)
    y = np.exp(e - e.max(axis=0))
    return y / y.sum(axis=0)


@solves("attention-mask", "a billion taken off, in place on a copy")
def mask_billion(e, mask):
    e = e.copy()
    e[~mask] -= 1e9
    e -= e.max(axis=0, keepdims=True)
    np.exp(e, out=e)
    e /= e.sum(axis=0, keepdims=True)
    return e


@solves("attention-mask", "batch first inside, masked arrays")
def mask_batch_first(e, mask):
    a = np.ma.array(e.T, mask=~mask.T)
    y = np.ma.exp(a - a.max(axis=1)[:, None])
    return (y / y.sum(axis=1)[:, None]).filled(0.0).T


@solves("dot-attention", "a loop over positions")
def dot_loops(s, hs, mask):
    e = np.array([np.sum(s * h, axis=1) for h in hs])
    alpha = mask_loops(e, mask)
    ctx = np.zeros_like(s)
    for a, h in zip(alpha, hs):
        ctx += a[:, None] * h
    return ctx, alpha


@solves("dot-attention", "batch first inside, matrix products")
def dot_batch_first(s, hs, mask):
    keys = hs.transpose(1, 0, 2)
    e = (keys @ s[:, :, None])[:, :, 0]
    alpha = mask_infinity(e.T, mask)
    return (alpha.T[:, None, :] @ keys)[:, 0], alpha


@solves("dot-attention", "einsum")
def dot_einsum(s, hs, mask):
    alpha = mask_billion(np.einsum("nh,tnh->tn", s, np.where(mask[..., None], hs, 0)), mask)
    return np.einsum("tn,tnh->nh", alpha, hs), alpha


@solves("dot-attention", "real positions of each example")
def dot_examples(s, hs, mask):
    ctx, alpha = np.zeros(s.shape), np.zeros(mask.shape)
    for n in range(len(s)):
        real = np.flatnonzero(mask[:, n])
        e = hs[real, n] @ s[n]
        p = np.exp(e - e.max())
        alpha[real, n] = p / p.sum()
        ctx[n] = alpha[real, n] @ hs[real, n]
    return ctx, alpha


def scores_back(hs, alpha, dctx):
    dalpha = (hs * dctx).sum(axis=2)
    return alpha * (dalpha - (alpha * dalpha).sum(axis=0))


@solves("dot-attention-backward", "sums and broadcasting")
def dot_back_sums(s, hs, alpha, dctx):
    de = scores_back(hs, alpha, dctx)[:, :, None]
    return (de * hs).sum(axis=0), alpha[:, :, None] * dctx + de * s


@solves("dot-attention-backward", "einsum with the softmax's Jacobian")
def dot_back_jacobian(s, hs, alpha, dctx):
    J = np.einsum("in,ij->nij", alpha, np.eye(len(alpha))) - np.einsum("in,jn->nij", alpha, alpha)
    de = np.einsum("nij,nh,jnh->in", J, dctx, hs)
    dhs = np.einsum("tn,nh->tnh", alpha, dctx)
    dhs += np.einsum("tn,nh->tnh", de, s)
    return np.einsum("tn,tnh->nh", de, hs), dhs


@solves("dot-attention-backward", "a loop over examples, batch first")
def dot_back_examples(s, hs, alpha, dctx):
    ds, dhs = np.zeros(s.shape), np.zeros(hs.shape)
    for n in range(len(s)):
        h, a = hs[:, n], alpha[:, n]
        dalpha = h @ dctx[n]
        de = a * dalpha - a * (a @ dalpha)
        ds[n] = de @ h
        dhs[:, n] = np.outer(a, dctx[n]) + np.outer(de, s[n])
    return ds, dhs


@solves("additive-attention", "einsum")
def additive_einsum(s, hs, mask, W_s, W_h, v):
    u = np.tanh(np.einsum("nq,qa->na", s, W_s)[None] + np.einsum("tnh,ha->tna", hs, W_h))
    alpha = mask_infinity(np.einsum("tna,a->tn", u, v), mask)
    return np.einsum("tn,tnh->nh", alpha, hs), alpha


@solves("additive-attention", "loops, joined weights")
def additive_loops(s, hs, mask, W_s, W_h, v):
    W, e = np.vstack([W_s, W_h]), np.zeros(mask.shape)
    for t in range(len(hs)):
        e[t] = np.tanh(np.hstack([s, hs[t]]) @ W).dot(v)
    alpha = mask_loops(e, mask)
    return sum(alpha[t][:, None] * hs[t] for t in range(len(hs))), alpha


@solves("additive-attention", "batch first inside")
def additive_batch_first(s, hs, mask, W_s, W_h, v):
    h = np.swapaxes(hs, 0, 1)
    u = h @ W_h
    u += (s @ W_s)[:, None]
    np.tanh(u, out=u)
    alpha = mask_billion((u @ v).T, mask)
    return np.matmul(alpha.T[:, None], h)[:, 0], alpha


@solves("additive-attention-backward", "broadcasting and flat products")
def additive_back_flat(s, hs, u, alpha, W_s, W_h, v, dctx):
    de = scores_back(hs, alpha, dctx)
    da = de[..., None] * v * (1 - u * u)
    total = da.sum(0)
    dhs = alpha[..., None] * dctx + da @ W_h.T
    return (total @ W_s.T, dhs, s.T @ total, hs.reshape(-1, hs.shape[2]).T @ da.reshape(-1, len(v)),
            u.reshape(-1, len(v)).T @ de.ravel())


@solves("additive-attention-backward", "einsum")
def additive_back_einsum(s, hs, u, alpha, W_s, W_h, v, dctx):
    de = scores_back(hs, alpha, dctx)
    da = np.einsum("tn,a,tna->tna", de, v, 1 - u ** 2)
    return (np.einsum("tna,qa->nq", da, W_s), np.einsum("tn,nh->tnh", alpha,
                                                        dctx) + np.einsum("tna,ha->tnh", da, W_h),
            np.einsum("nq,tna->qa", s, da), np.einsum("tnh,tna->ha", hs, da), np.einsum("tn,tna->a", de, u))


@solves("additive-attention-backward", "a loop over positions, own buffers in place")
def additive_back_loops(s, hs, u, alpha, W_s, W_h, v, dctx):
    ds, dhs = np.zeros(s.shape), np.zeros(hs.shape)
    dW_s, dW_h, dv = np.zeros(W_s.shape), np.zeros(W_h.shape), np.zeros(v.shape)
    de = scores_back(hs, alpha, dctx)
    for t in range(len(hs)):
        da = np.outer(de[t], v) * (1 - u[t] ** 2)
        ds += da @ W_s.T
        dW_s += s.T @ da
        dW_h += hs[t].T @ da
        dv += de[t] @ u[t]
        dhs[t] = alpha[t][:, None] * dctx + da @ W_h.T
    return ds, dhs, dW_s, dW_h, dv


@solves("attention-decoder-backward", "built from the solutions of smaller exercises")
def decoder_parts(xs, s0, hs, ss, alphas, W, U, W_y, dlogits):
    H, carry, dhs, dxs = U.shape[0], np.zeros_like(s0), np.zeros_like(hs), np.zeros_like(xs)
    dW, dU, db, dW_y = np.zeros_like(W), np.zeros_like(U), np.zeros(H), np.zeros_like(W_y)
    for t in range(len(xs) - 1, -1, -1):
        dz = dlogits[t] @ W_y.T
        dW_y += np.hstack([ss[t], (alphas[t][:, :, None] * hs).sum(0)]).T @ dlogits[t]
        ds, dhs_t = dot_back_sums(ss[t], hs, alphas[t], dz[:, H:])
        dhs += dhs_t
        dxs[t], carry, *g = back_examples(xs[t], ss[t - 1] if t else s0, ss[t], W, U, dz[:, :H] + ds + carry)
        dW, dU, db = dW + g[0], dU + g[1], db + g[2]
    return dxs, carry, dhs, dW, dU, db, dW_y, dlogits.sum(axis=(0, 1))


@solves("attention-decoder-backward", "einsum over all steps, loop for the carry only")
def decoder_einsum(xs, s0, hs, ss, alphas, W, U, W_y, dlogits):
    H = len(U)
    ctxs = np.einsum("stn,tnh->snh", alphas, hs)
    dz = np.einsum("snv,zv->snz", dlogits, W_y)
    dctx = dz[..., H:]
    dalpha = np.einsum("snh,tnh->stn", dctx, hs)
    de = alphas * (dalpha - np.einsum("stn,stn->sn", alphas, dalpha)[:, None])
    ds = dz[..., :H] + np.einsum("stn,tnh->snh", de, hs)
    dhs = np.einsum("stn,snh->tnh", alphas, dctx) + np.einsum("stn,snh->tnh", de, ss)
    da, carry = np.zeros_like(ss), np.zeros_like(s0)
    for t in reversed(range(len(xs))):
        da[t] = (ds[t] + carry) * (1 - ss[t] ** 2)
        carry = da[t] @ U.T
    before = np.concatenate([s0[None], ss[:-1]])
    return (da @ W.T, carry, dhs, np.einsum("snd,snh->dh", xs, da), np.einsum("sni,snh->ih", before, da),
            da.sum((0, 1)),
            np.einsum("snz,snv->zv", np.concatenate([ss, ctxs], axis=2), dlogits),
            np.einsum("snv->v", dlogits))


@solves("attention-decoder-backward", "each example by itself, batch first")
def decoder_examples(xs, s0, hs, ss, alphas, W, U, W_y, dlogits):
    S, N, _ = xs.shape
    H = U.shape[0]
    dxs, ds0, dhs = np.zeros(xs.shape), np.zeros(s0.shape), np.zeros(hs.shape)
    dW, dU, db = np.zeros(W.shape), np.zeros(U.shape), np.zeros(H)
    dW_y, db_y = np.zeros(W_y.shape), np.zeros(W_y.shape[1])
    for n in range(N):
        carry, h = np.zeros(H), hs[:, n]
        for t in range(S - 1, -1, -1):
            a, s, dl = alphas[t, :, n], ss[t, n], dlogits[t, n]
            dW_y += np.outer(np.concatenate([s, a @ h]), dl)
            db_y += dl
            dz = W_y @ dl
            dalpha = h @ dz[H:]
            de = a * (dalpha - a @ dalpha)
            dhs[:, n] += np.outer(a, dz[H:]) + np.outer(de, s)
            da = (dz[:H] + de @ h + carry) * (1 - s ** 2)
            dxs[t, n], carry = W @ da, U @ da
            dW += np.outer(xs[t, n], da)
            dU += np.outer(ss[t - 1, n] if t else s0[n], da)
            db += da
        ds0[n] = carry
    return dxs, ds0, dhs, dW, dU, db, dW_y, db_y
