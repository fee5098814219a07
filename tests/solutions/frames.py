import math

import numpy as np

from .style import solves


@solves("stack-frames", "a loop over frames")
def stack_loop(fs, k):
    T, F = fs.shape
    ys = np.zeros((math.ceil(T / k), k * F))
    for t in range(T):
        ys[t // k, t % k * F:(t % k + 1) * F] = fs[t]
    return ys


@solves("stack-frames", "zeros appended, then reshaped")
def stack_padded(fs, k):
    full = np.pad(fs, ((0, -len(fs) % k), (0, 0)))
    return np.ascontiguousarray(full).reshape(-1, k * fs.shape[1])


@solves("stack-frames", "every k-th frame, k times, side by side")
def stack_strided(fs, k):
    full = np.vstack([fs, np.zeros((-len(fs) % k, fs.shape[1]))])
    return np.hstack([full[j::k] for j in range(k)])


@solves("frame-input", "loops")
def read_loops(fs, W, b):
    T, N, F = fs.shape
    xs = np.zeros((T, N, len(b)))
    for t in range(T):
        for n in range(N):
            xs[t, n] = b
            for j in range(F):
                xs[t, n] += fs[t, n, j] * W[j]
    return xs


@solves("frame-input", "einsum, in place")
def read_einsum(fs, W, b):
    xs = np.einsum("tnf,fe->tne", fs, W)
    xs += b
    return xs


@solves("frame-input", "a one behind each frame")
def read_joined(fs, W, b):
    return np.concatenate([fs, np.ones((*fs.shape[:2], 1))], axis=2) @ np.vstack([W, b])


@solves("frame-input-backward", "loops")
def read_back_loops(fs, W, dxs):
    dfs, dW, db = np.zeros(fs.shape), np.zeros(W.shape), np.zeros(W.shape[1])
    for t in range(len(fs) - 1, -1, -1):
        for n in range(fs.shape[1]):
            dfs[t, n] = W @ dxs[t, n]
            dW += np.outer(fs[t, n], dxs[t, n])
            db += dxs[t, n]
    return dfs, dW, db


@solves("frame-input-backward", "rows of one matrix")
def read_back_flat(fs, W, dxs):
    rows, grads = fs.reshape(-1, fs.shape[2]), dxs.reshape(-1, dxs.shape[2])
    return (grads @ W.T).reshape(fs.shape), rows.T @ grads, np.ones(len(grads)) @ grads


@solves("frame-input-backward", "batch first inside, einsum, a list returned")
def read_back_einsum(fs, W, dxs):
    f, d = fs.swapaxes(0, 1), dxs.swapaxes(0, 1)
    return [np.einsum("nte,fe->tnf", d, W), np.einsum("ntf,nte->fe", f, d), np.einsum("nte->e", d)]


@solves("stop-decision", "loops")
def stop_loops(mask):
    s = np.zeros(mask.shape[:2], bool)
    for n in range(mask.shape[1]):
        s[max(t for t in range(len(mask)) if mask[t, n].any()), n] = True
    return s


@solves("stop-decision", "by the number of frames")
def stop_counted(mask):
    frames = mask.sum(axis=(0, 2))
    return np.arange(len(mask))[:, None] == -(-frames // mask.shape[2]) - 1


@solves("stop-decision", "two indices")
def stop_indices(mask):
    steps = mask.any(axis=2).sum(axis=0)
    s = np.zeros(mask.shape[:2], bool)
    s[steps - 1, np.arange(len(steps))] = True
    return s


@solves("frame-loss", "loops")
def loss_loops(y, f, a, mask):
    stop, E, B = stop_loops(mask), 0.0, 0.0
    for t, n in np.ndindex(a.shape):
        for j in range(mask.shape[2]):
            if mask[t, n, j]:
                E += sum((v - w) ** 2 for v, w in zip(y[t, n, j], f[t, n, j])) / y.shape[3]
        if mask[t, n, 0]:
            x = -a[t, n] if stop[t, n] else a[t, n]             # -log p(s) is log(1 + exp x)
            B += max(x, 0.0) + math.log1p(math.exp(-abs(x)))
    return E, B, (E + B) / int(mask.sum())


@solves("frame-loss", "real rows only")
def loss_rows(y, f, a, mask):
    E = ((y[mask] - f[mask]) ** 2).mean(axis=1).sum()
    real = mask.any(axis=2)
    s, score = stop_counted(mask)[real], a[real]
    B = (np.maximum(score, 0) + np.log1p(np.exp(-np.abs(score))) - s * score).sum()
    return E, B, (E + B) / np.count_nonzero(mask)


@solves("frame-loss", "einsum, numbers as 0-d arrays")
def loss_einsum(y, f, a, mask):
    e, m = y - f, mask.astype(float)
    E = np.einsum("snrf,snrf,snr->", e, e, m) / e.shape[-1]
    B = np.einsum("sn,sn->", m[:, :, 0], np.logaddexp(0, np.where(stop_indices(mask), -a, a)))
    return np.array(E), np.array(B), np.array((E + B) / m.sum())


@solves("frame-loss-backward", "loops")
def loss_back_loops(y, f, a, mask):
    dy, da, stop, M = np.zeros(y.shape), np.zeros(a.shape), stop_loops(mask), int(mask.sum())
    for t, n in np.ndindex(a.shape):
        for j in range(mask.shape[2]):
            if mask[t, n, j]:
                for k in range(y.shape[3]):
                    dy[t, n, j, k] = 2 * (y[t, n, j, k] - f[t, n, j, k]) / y.shape[3] / M
        if mask[t, n, 0]:
            p = 1 / (1 + math.exp(-a[t, n])) if a[t, n] > 0 else math.exp(a[t, n]) / (1 + math.exp(a[t, n]))
            da[t, n] = (p - (1 if stop[t, n] else 0)) / M
    return dy, da


@solves("frame-loss-backward", "masks as factors, in place")
def loss_back_factors(y, f, a, mask):
    dy = y - f
    dy *= 2 * mask[..., None] / (y.shape[3] * mask.sum())
    da = 1 / (1 + np.exp(-a)) - stop_indices(mask)
    da *= mask[:, :, 0] / mask.sum()
    return dy, da


@solves("frame-loss-backward", "real rows only")
def loss_back_rows(y, f, a, mask):
    dy, da, real = np.zeros_like(y), np.zeros_like(a), mask.any(axis=2)
    dy[mask] = 2 * (y[mask] - f[mask]) / (y.shape[-1] * np.count_nonzero(mask))
    da[real] = (np.exp(-np.logaddexp(0, -a)) - stop_counted(mask))[real] / np.count_nonzero(mask)
    return dy, da
