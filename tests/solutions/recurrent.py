import math

import numpy as np

from .style import solves


@solves("rnn-step", "einsum")
def step_einsum(x, h_prev, W, U, b):
    return np.tanh(np.einsum("nd,dh->nh", x, W) + np.einsum("ni,ih->nh", h_prev, U) + b)


@solves("rnn-step", "loops")
def step_loops(x, h_prev, W, U, b):
    h = np.empty(h_prev.shape)
    for n in range(len(x)):
        for k in range(len(b)):
            a = b[k] + sum(x[n, d] * W[d, k] for d in range(len(W))) + sum(h_prev[n, j] * U[j, k]
                                                                           for j in range(len(U)))
            h[n, k] = math.tanh(a)
    return h


@solves("rnn-step", "one product of joined matrices, in place")
def step_joined(x, h_prev, W, U, b):
    a = np.hstack([x, h_prev]) @ np.vstack([W, U])
    a += b
    return np.tanh(a, out=a)


@solves("rnn-step", "tanh by exponentials, columns are examples")
def step_columns(x, h_prev, W, U, b):
    a = W.T @ x.T + U.T @ h_prev.T + b[:, None]
    return (1 - 2 / (np.exp(2 * a) + 1)).T


@solves("rnn-step-backward", "einsum")
def back_einsum(x, h_prev, h, W, U, dh):
    da = dh - dh * h * h
    return (np.einsum("nh,dh->nd", da, W), np.einsum("nh,ih->ni", da, U), np.einsum("nd,nh->dh", x, da),
            np.einsum("ni,nh->ih", h_prev, da), np.einsum("nh->h", da))


@solves("rnn-step-backward", "a loop over examples")
def back_examples(x, h_prev, h, W, U, dh):
    dx, dh_prev = np.zeros_like(x), np.zeros_like(h_prev)
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros(len(U))
    for n in range(len(x)):
        da = dh[n] * (1 + h[n]) * (1 - h[n])
        dx[n], dh_prev[n] = W @ da, U @ da
        dW += np.outer(x[n], da)
        dU += np.outer(h_prev[n], da)
        db += da
    return [dx, dh_prev, dW, dU, db]


@solves("rnn-step-backward", "joined matrices, in place")
def back_joined(x, h_prev, h, W, U, dh):
    da = np.square(h)
    np.subtract(1, da, out=da)
    da *= dh
    d_in = da @ np.concatenate([W, U]).T
    dV = np.concatenate([x, h_prev], axis=1).T @ da
    D = x.shape[1]
    return d_in[:, :D].copy(), d_in[:, D:].copy(), dV[:D].copy(), dV[D:].copy(), np.ones(len(da)) @ da


@solves("bptt", "einsum, a list of gradients summed at the end")
def bptt_einsum(W, U, xs, h0, hs, mask, dhs):
    carry, das = np.zeros_like(h0), []
    for t in range(len(xs) - 1, -1, -1):
        d = dhs[t] + carry
        da = np.einsum("n,nh,nh->nh", mask[t].astype(float), d, 1 - hs[t] ** 2)
        carry = np.einsum("nh,ih->ni", da, U) + np.einsum("n,nh->nh", 1.0 - mask[t], d)
        das.append(da)
    das, before = np.array(das[::-1]), np.concatenate([h0[None], hs[:-1]])
    return (np.einsum("tnh,dh->tnd", das, W), carry, np.einsum("tnd,tnh->dh", xs, das),
            np.einsum("tni,tnh->ih", before, das), np.einsum("tnh->h", das))


@solves("bptt", "each example by itself, at its own length")
def bptt_examples(W, U, xs, h0, hs, mask, dhs):
    T, N, D = xs.shape
    dxs, dh0 = np.zeros(xs.shape), np.zeros(h0.shape)
    dW, dU, db = np.zeros(W.shape), np.zeros(U.shape), np.zeros(len(U))
    for n in range(N):
        length = int(mask[:, n].sum())
        carry = dhs[length:, n].sum(axis=0)                     # what arrives at carried copies of h
        for t in reversed(range(length)):
            da = (dhs[t, n] + carry) * (1 - hs[t, n] ** 2)
            dxs[t, n] = W @ da
            carry = U @ da
            dW += np.outer(xs[t, n], da)
            dU += np.outer(hs[t - 1, n] if t else h0[n], da)
            db += da
        dh0[n] = carry
    return dxs, dh0, dW, dU, db


@solves("bptt", "batch first inside, own buffers in place")
def bptt_batch_first(W, U, xs, h0, hs, mask, dhs):
    X, H, G, m = (a.swapaxes(0, 1) for a in (xs, hs, dhs, mask))
    H = np.concatenate([h0[:, None], H], axis=1)
    N, T, D = X.shape
    dX, carry = np.zeros((N, T, D)), np.zeros_like(h0)
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros(U.shape[0])
    for t in range(T - 1, -1, -1):
        carry += G[:, t]
        real = np.flatnonzero(m[:, t])
        da = carry[real] * (1 - H[real, t + 1] ** 2)
        dX[real, t] = da @ W.T
        dW += X[real, t].T @ da
        dU += H[real, t].T @ da
        db += da.sum(0)
        carry[real] = da @ U.T
    return dX.swapaxes(0, 1), carry, dW, dU, db


@solves("rnn-batches", "loops")
def batches_loops(W, U, b, batches):
    rows = []
    for xs, mask in batches:
        for n in range(xs.shape[1]):
            h = np.zeros(len(U))
            for t in range(int(mask[:, n].sum())):
                h = np.tanh(xs[t, n] @ W + h @ U + b)
            rows.append(h)
    return np.array(rows)


@solves("rnn-batches", "in place where real")
def batches_in_place(W, U, b, batches):
    out = np.zeros((sum(m.shape[1] for _, m in batches), len(U)))
    at = 0
    for xs, mask in batches:
        h = out[at:at + xs.shape[1]]
        for t in range(len(xs)):
            h[mask[t]] = np.tanh(xs[t] @ W + h @ U + b)[mask[t]]
        at += xs.shape[1]
    return out


@solves("rnn-batches", "all states kept, the last real one picked, einsum")
def batches_picked(W, U, b, batches):
    found = []
    for xs, mask in batches:
        h, states = np.zeros((xs.shape[1], U.shape[0])), []
        for x in np.einsum("tnd,dh->tnh", xs, W) + b:
            h = np.tanh(x + h @ U)
            states.append(h)
        found.append(np.stack(states)[mask.sum(0) - 1, range(xs.shape[1])])
    return np.vstack(found)


@solves("final-state", "loops")
def final_loops(hs, mask):
    out = np.zeros(hs.shape[1:])
    for n in range(hs.shape[1]):
        for t in range(hs.shape[0]):
            if mask[t, n]:
                out[n] = hs[t, n]
    return out


@solves("final-state", "einsum with a mask of last steps")
def final_einsum(hs, mask):
    last = mask & ~np.concatenate([mask[1:], np.zeros((1, mask.shape[1]), bool)])
    return np.einsum("tn,tnh->nh", last.astype(float), hs)


@solves("final-state", "batch first inside")
def final_batch_first(hs, mask):
    return np.stack([h[m][-1] for h, m in zip(hs.swapaxes(0, 1), mask.T)])


def compiled(style):
    """Compile with Numba only when the solution is called for."""
    def add(f):
        solves("njit-loop", style)(f)
        f.njit = True
        return f
    return add


@compiled("two state buffers, sums built up unit by unit")
def loop_buffers(xs, h0, U):
    T, N, H = xs.shape
    hs, h, a = np.empty((T, N, H)), np.empty((N, H)), np.empty(H)
    for n in range(N):
        for k in range(H):
            h[n, k] = h0[n, k]
    for t in range(T):
        for n in range(N):
            for k in range(H):
                a[k] = xs[t, n, k]
            for j in range(H):
                for k in range(H):
                    a[k] += h[n, j] * U[j, k]
            for k in range(H):
                h[n, k] = math.tanh(a[k])
                hs[t, n, k] = h[n, k]
    return hs


@compiled("scalar loops")
def loop_scalars(xs, h0, U):
    T, N, H = xs.shape
    hs = np.zeros((T, N, H))
    for t in range(T):
        for n in range(N):
            for k in range(H):
                a = xs[t, n, k]
                for j in range(H):
                    a += (hs[t - 1, n, j] if t > 0 else h0[n, j]) * U[j, k]
                hs[t, n, k] = math.tanh(a)
    return hs


@compiled("example by example, written in place")
def loop_examples(xs, h0, U):
    hs = xs.copy()
    for n in range(xs.shape[1]):
        for t in range(xs.shape[0]):
            for k in range(xs.shape[2]):
                for j in range(xs.shape[2]):
                    before = hs[t - 1, n, j] if t > 0 else h0[n, j]
                    hs[t, n, k] += before * U[j, k]
                hs[t, n, k] = math.tanh(hs[t, n, k])
    return hs
