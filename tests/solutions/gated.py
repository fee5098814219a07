import math

import numpy as np

from .style import solves


def sigmoid(a):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-a))


@solves("lstm-step", "gate by gate")
def lstm_gates(x, h_prev, c_prev, W, U, b):
    H = h_prev.shape[1]

    def a(k):
        return x @ W[:, k * H:(k + 1) * H] + h_prev @ U[:, k * H:(k + 1) * H] + b[k * H:(k + 1) * H]
    c = sigmoid(a(1)) * c_prev + sigmoid(a(0)) * np.tanh(a(2))
    return sigmoid(a(3)) * np.tanh(c), c


@solves("lstm-step", "einsum over (gate, unit)")
def lstm_einsum(x, h_prev, c_prev, W, U, b):
    N, H = h_prev.shape
    a = np.einsum("nd,dgh->gnh", x, W.reshape(-1, 4, H)) + np.einsum("ni,igh->gnh", h_prev,
                                                                     U.reshape(H, 4, H))
    a = a + b.reshape(4, 1, H)
    i, f, o = sigmoid(a[[0, 1, 3]])
    c = f * c_prev + i * np.tanh(a[2])
    return [o * np.tanh(c), c]


@solves("lstm-step", "scalar loops")
def lstm_scalars(x, h_prev, c_prev, W, U, b):
    (N, D), H = x.shape, h_prev.shape[1]
    h, c = np.zeros((N, H)), np.zeros((N, H))
    for n in range(N):
        for k in range(H):
            a = [b[j * H + k] + math.fsum(x[n, d] * W[d, j * H + k] for d in range(D))
                 + math.fsum(h_prev[n, m] * U[m, j * H + k] for m in range(H)) for j in range(4)]
            i, f, o = (0.5 + 0.5 * math.tanh(v / 2) for v in (a[0], a[1], a[3]))
            c[n, k] = f * c_prev[n, k] + i * math.tanh(a[2])
            h[n, k] = o * math.tanh(c[n, k])
    return h, c


@solves("lstm-step", "in place on own buffers, joined matrices")
def lstm_in_place(x, h_prev, c_prev, W, U, b):
    H = h_prev.shape[1]
    a = np.concatenate([x, h_prev], axis=1).dot(np.concatenate([W, U]))
    a += b
    np.tanh(a[:, 2 * H:3 * H], out=a[:, 2 * H:3 * H])
    for part in (a[:, :2 * H], a[:, 3 * H:]):
        part *= 0.5
        np.tanh(part, out=part)
        part += 1
        part *= 0.5
    c = a[:, H:2 * H] * c_prev
    c += a[:, :H] * a[:, 2 * H:3 * H]
    return a[:, 3 * H:] * np.tanh(c), c


def lstm_da(i, f, g, o, c, c_prev, dh, dc):
    t = np.tanh(c)
    dc = dc + dh * o * (1 - t * t)
    return dc, [dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dc * i * (1 - g * g), dh * t * o * (1 - o)]


@solves("lstm-step-backward", "a list of gates, concatenated")
def lstm_back_list(x, h_prev, c_prev, i, f, g, o, c, W, U, dh, dc):
    dc, parts = lstm_da(i, f, g, o, c, c_prev, dh, dc)
    da = np.hstack(parts)
    return da @ W.T, da @ U.T, dc * f, x.T @ da, h_prev.T @ da, np.sum(da, axis=0)


@solves("lstm-step-backward", "einsum over (gate, unit)")
def lstm_back_einsum(x, h_prev, c_prev, i, f, g, o, c, W, U, dh, dc):
    H = dh.shape[1]
    dc, parts = lstm_da(i, f, g, o, c, c_prev, dh, dc)
    da, W4, U4 = np.stack(parts, axis=1), W.reshape(-1, 4, H), U.reshape(-1, 4, H)
    return (np.einsum("ngh,dgh->nd", da, W4), np.einsum("ngh,igh->ni", da, U4), dc * f,
            np.einsum("nd,ngh->dgh", x, da).reshape(W.shape), np.einsum("ni,ngh->igh", h_prev,
                                                                        da).reshape(U.shape),
            da.sum(0).reshape(-1))


@solves("lstm-step-backward", "a loop over examples")
def lstm_back_examples(x, h_prev, c_prev, i, f, g, o, c, W, U, dh, dc):
    dx, dhp, dcp = np.empty_like(x), np.empty_like(dh), np.empty_like(dh)
    dW, dU, db = np.zeros(W.shape), np.zeros(U.shape), np.zeros(W.shape[1])
    for n in range(len(x)):
        dcn, parts = lstm_da(i[n], f[n], g[n], o[n], c[n], c_prev[n], dh[n], dc[n])
        da = np.concatenate(parts)
        dx[n], dhp[n], dcp[n] = W.dot(da), U.dot(da), dcn * f[n]
        dW += x[n][:, None] * da
        dU += h_prev[n][:, None] * da
        db += da
    return [dx, dhp, dcp, dW, dU, db]


@solves("lstm-bptt", "all da first, weights at the end by einsum")
def lstm_bptt_einsum(W, U, xs, h0, c0, gates, hs, cs, mask, dhs, dc_T):
    T, N, H = hs.shape
    i, f, g, o = gates.reshape(T, N, 4, H).transpose(2, 0, 1, 3)
    c_before, h_before = np.concatenate([c0[None], cs[:-1]]), np.concatenate([h0[None], hs[:-1]])
    das, dh, dc = np.zeros(gates.shape), np.zeros_like(h0), dc_T
    for t in reversed(range(T)):
        m = mask[t][:, None].astype(float)
        dh = dh + dhs[t]
        dc_in, parts = lstm_da(i[t], f[t], g[t], o[t], cs[t], c_before[t], m * dh, m * dc)
        das[t] = np.hstack(parts)
        dh, dc = das[t] @ U.T + (1 - m) * dh, dc_in * f[t] + (1 - m) * dc
    return (das @ W.T, dh, dc, np.einsum("tnd,tng->dg", xs, das), np.einsum("tnh,tng->hg", h_before, das),
            das.sum(axis=(0, 1)))


@solves("lstm-bptt", "each example by itself, at its own length")
def lstm_bptt_examples(W, U, xs, h0, c0, gates, hs, cs, mask, dhs, dc_T):
    dxs, dh0, dc0 = np.zeros_like(xs), np.zeros_like(h0), np.zeros_like(c0)
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros(U.shape[1])
    for n in range(xs.shape[1]):
        length = np.count_nonzero(mask[:, n])
        dh, dc = dhs[length:, n].sum(axis=0), dc_T[n]
        for t in range(length - 1, -1, -1):
            cp, hp = (cs[t - 1, n], hs[t - 1, n]) if t > 0 else (c0[n], h0[n])
            i, f, g, o = gates[t, n].reshape(4, -1)
            dc, parts = lstm_da(i, f, g, o, cs[t, n], cp, dh + dhs[t, n], dc)
            da = np.concatenate(parts)
            dxs[t, n], dh, dc = da @ W.T, da @ U.T, dc * f
            dW += np.outer(xs[t, n], da)
            dU += np.outer(hp, da)
            db += da
        dh0[n], dc0[n] = dh, dc
    return dxs, dh0, dc0, dW, dU, db


@solves("lstm-bptt", "batch first inside, own buffers in place")
def lstm_bptt_batch_first(W, U, xs, h0, c0, gates, hs, cs, mask, dhs, dc_T):
    X, G = np.swapaxes(xs, 0, 1), np.swapaxes(gates, 0, 1)
    hh = np.swapaxes(np.concatenate([h0[None], hs]), 0, 1)
    cc = np.swapaxes(np.concatenate([c0[None], cs]), 0, 1)
    dX, dh, dc = np.zeros(X.shape), np.zeros(h0.shape), np.array(dc_T)
    dW, dU, db = np.zeros(W.shape), np.zeros(U.shape), np.zeros(U.shape[1])
    for t in range(X.shape[1] - 1, -1, -1):
        dh += dhs[t]
        r = np.nonzero(mask[t])[0]
        i, f, g, o = np.split(G[r, t], 4, axis=1)
        d, parts = lstm_da(i, f, g, o, cc[r, t + 1], cc[r, t], dh[r], dc[r])
        da = np.concatenate(parts, axis=1)
        dX[r, t] = da @ W.T
        dh[r] = da @ U.T
        dc[r] = d * f
        dW += X[r, t].T @ da
        dU += hh[r, t].T @ da
        db += da.sum(axis=0)
    return np.swapaxes(dX, 0, 1), dh, dc, dW, dU, db


@solves("gru-step", "gate by gate")
def gru_gates(x, h_prev, W, U, b):
    Wz, Wr, Wn = np.hsplit(W, 3)
    Uz, Ur, Un = np.hsplit(U, 3)
    bz, br, bn = np.split(b, 3)
    z = sigmoid(x @ Wz + h_prev @ Uz + bz)
    r = sigmoid(x @ Wr + h_prev @ Ur + br)
    n = np.tanh(x @ Wn + (r * h_prev) @ Un + bn)
    return h_prev + z * (n - h_prev)


@solves("gru-step", "einsum over (gate, unit)")
def gru_einsum(x, h_prev, W, U, b):
    N, H = h_prev.shape
    a = np.einsum("nd,dgh->gnh", x, W.reshape(-1, 3, H)) + b.reshape(3, 1, H)
    U3 = U.reshape(H, 3, H)
    z, r = sigmoid(a[:2] + np.einsum("ni,igh->gnh", h_prev, U3[:, :2]))
    n = np.tanh(a[2] + np.einsum("ni,ni,ih->nh", r, h_prev, U3[:, 2]))
    return (1 - z) * h_prev + z * n


@solves("gru-step", "a loop over examples, in place")
def gru_examples(x, h_prev, W, U, b):
    out, H = h_prev.copy(), h_prev.shape[1]
    for k in range(len(x)):
        a = x[k] @ W + b
        zr = a[:2 * H] + h_prev[k] @ U[:, :2 * H]
        zr = 0.5 + 0.5 * np.tanh(zr / 2)
        n = np.tanh(a[2 * H:] + (zr[H:] * h_prev[k]) @ U[:, 2 * H:])
        out[k] *= 1 - zr[:H]
        out[k] += zr[:H] * n
    return out


@solves("gru-step-backward", "gate by gate")
def gru_back_gates(x, h_prev, z, r, n, W, U, dh):
    Uz, Ur, Un = np.hsplit(U, 3)
    an = dh * z * (1 - n * n)
    dq = an @ Un.T
    ar = dq * h_prev * r * (1 - r)
    az = dh * (n - h_prev) * z * (1 - z)
    da = np.hstack([az, ar, an])
    dh_prev = dh * (1 - z) + dq * r + az @ Uz.T + ar @ Ur.T
    return da @ W.T, dh_prev, x.T @ da, np.hstack([h_prev.T @ az, h_prev.T @ ar,
                                                   (r * h_prev).T @ an]), da.sum(0)


@solves("gru-step-backward", "einsum")
def gru_back_einsum(x, h_prev, z, r, n, W, U, dh):
    H = dh.shape[1]
    W3, U3 = W.reshape(-1, 3, H), U.reshape(H, 3, H)
    da = np.empty((len(x), 3, H))
    da[:, 2] = np.einsum("nh,nh,nh->nh", dh, z, 1 - n ** 2)
    dq = np.einsum("nh,ih->ni", da[:, 2], U3[:, 2])
    da[:, 1], da[:, 0] = dq * h_prev * (r - r ** 2), dh * (n - h_prev) * (z - z ** 2)
    left = np.stack([h_prev, h_prev, r * h_prev], axis=1)
    dh_prev = dh - dh * z + dq * r + np.einsum("ngh,igh->ni", da[:, :2], U3[:, :2])
    return (np.einsum("ngh,dgh->nd", da, W3), dh_prev, np.einsum("nd,ngh->dgh", x, da).reshape(W.shape),
            np.einsum("ngi,ngh->igh", left, da).reshape(U.shape), np.einsum("ngh->gh", da).ravel())


@solves("gru-step-backward", "a loop over examples")
def gru_back_examples(x, h_prev, z, r, n, W, U, dh):
    dx, dhp, dW, dU, db = (np.zeros(s) for s in (x.shape, dh.shape, W.shape, U.shape, (U.shape[1],)))
    H = dh.shape[1]
    for k in range(len(x)):
        hp, zk, rk, nk, d = h_prev[k], z[k], r[k], n[k], dh[k]
        an = d * zk * (1 - nk ** 2)
        dq = U[:, 2 * H:] @ an
        zr = np.concatenate([d * (nk - hp) * zk * (1 - zk), dq * hp * rk * (1 - rk)])
        da = np.concatenate([zr, an])
        dx[k] = W @ da
        dhp[k] = U[:, :2 * H] @ zr + dq * rk + d * (1 - zk)
        dW += np.outer(x[k], da)
        dU[:, :2 * H] += np.outer(hp, zr)
        dU[:, 2 * H:] += np.outer(rk * hp, an)
        db += da
    return dx, dhp, dW, dU, db
