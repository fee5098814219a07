import math

import numpy as np

from .style import solves


@solves("softmax", "loops")
def softmax_loops(a):
    p = np.zeros(a.shape)
    for n in range(a.shape[0]):
        top = max(a[n])
        total = sum(math.exp(x - top) for x in a[n])
        for k in range(a.shape[1]):
            p[n, k] = math.exp(a[n, k] - top) / total
    return p


@solves("softmax", "in place on an own buffer")
def softmax_in_place(a):
    p = a.copy()
    p -= p.max(axis=1)[:, None]
    np.exp(p, out=p)
    p /= p.sum(axis=1)[:, None]
    return p


@solves("softmax", "transposed inside")
def softmax_columns(a):
    y = np.exp(a.T - a.T.max(axis=0))
    return (y / np.einsum("kn->n", y)).T


@solves("softmax", "by log-sum-exp")
def softmax_logs(a):
    return np.exp(a - np.logaddexp.reduce(a, axis=-1, keepdims=True))


@solves("cross-entropy", "loops")
def cross_entropy_loops(logits, targets):
    total = 0.0
    for row, target in zip(logits, targets):
        top = max(row)
        total += top + math.log(sum(math.exp(x - top) for x in row)) - row[target]
    return total / len(targets)


@solves("cross-entropy", "one-hot and einsum")
def cross_entropy_einsum(logits, targets):
    log_p = logits - np.logaddexp.reduce(logits, axis=1)[:, None]
    return -np.einsum("nv,nv->", log_p, np.eye(logits.shape[1])[targets]) / len(logits)


@solves("cross-entropy", "in place, 0-d array returned")
def cross_entropy_in_place(logits, targets):
    a = np.array(logits)
    a -= a.max(axis=1, keepdims=True)
    picked = np.take_along_axis(a, targets[:, None], axis=1)[:, 0]
    np.exp(a, out=a)
    return np.array((np.log(a.sum(axis=1)) - picked).mean())


@solves("cross-entropy-backward", "loops")
def ceb_loops(logits, targets):
    d = softmax_loops(logits)
    for n, target in enumerate(targets):
        d[n, target] -= 1
    return d / len(targets)


@solves("cross-entropy-backward", "one-hot")
def ceb_one_hot(logits, targets):
    y = (np.arange(logits.shape[1]) == targets[:, None]).astype(float)
    return (softmax_logs(logits) - y) / logits.shape[0]


@solves("cross-entropy-backward", "through the Jacobian")
def ceb_jacobian(logits, targets):
    p = softmax_in_place(logits)
    J = np.einsum("nk,kj->nkj", p, np.eye(p.shape[1])) - np.einsum("nk,nj->nkj", p, p)
    rows = np.arange(len(targets))
    with np.errstate(all="ignore"):
        ratio = np.where(p[rows, targets][:, None] > 0, J[rows, targets] / p[rows, targets][:, None],
                         np.eye(p.shape[1])[targets] - p)
    return -ratio / len(targets)


@solves("masked-loss", "loops")
def masked_loops(logits, targets, mask):
    S, N, V = logits.shape
    L, d, M = 0.0, np.zeros((S, N, V)), int(mask.sum())
    for t in range(S):
        for n in range(N):
            if mask[t, n]:
                row = logits[t, n] - logits[t, n].max()
                log_p = row - math.log(np.exp(row).sum())
                L -= log_p[targets[t, n]] / M
                d[t, n] = np.exp(log_p) / M
                d[t, n, targets[t, n]] -= 1 / M
    return L, d


@solves("masked-loss", "real rows only")
def masked_rows(logits, targets, mask):
    rows, wanted = logits[mask], targets[mask]
    log_p = rows - np.logaddexp.reduce(rows, axis=1, keepdims=True)
    d = np.zeros_like(logits)
    d[mask] = (np.exp(log_p) - np.eye(logits.shape[2])[wanted]) / len(rows)
    return -log_p[np.arange(len(rows)), wanted].mean(), d


@solves("masked-loss", "batch first inside, einsum")
def masked_batch_first(logits, targets, mask):
    ids = np.where(mask, targets, 0)
    a, y, m = logits.transpose(1, 0, 2), np.eye(logits.shape[2])[ids.T], mask.T.astype(float)
    log_p = a - np.logaddexp.reduce(a, axis=2)[:, :, None]
    L = -np.einsum("nt,ntv,ntv->", m, y, log_p) / m.sum()
    return L, np.einsum("nt,ntv->tnv", m / m.sum(), np.exp(log_p) - y)


@solves("embedding-backward", "loops")
def embedding_loops(ids, dx, V):
    dE = np.zeros((V, dx.shape[2]))
    for t in range(ids.shape[0]):
        for n in range(ids.shape[1]):
            dE[ids[t, n]] += dx[t, n]
    return dE


@solves("embedding-backward", "one-hot and einsum")
def embedding_einsum(ids, dx, V):
    return np.einsum("tnv,tne->ve", np.eye(V)[ids], dx)


@solves("embedding-backward", "a matrix product, a list returned")
def embedding_product(ids, dx, V):
    one_hot = (ids.reshape(-1) == np.arange(V)[:, None]).astype(float)
    return [one_hot @ dx.reshape(-1, dx.shape[-1])][0]


@solves("embedding-backward", "bincount for each column")
def embedding_bincount(ids, dx, V):
    return np.stack([np.bincount(ids.ravel(), weights=dx[:, :, e].ravel(), minlength=V)
                     for e in range(dx.shape[2])], axis=1)
