"""Cases of what stands on top: readout and loss; and gradient clipping."""
import numpy as np

from ....core.functions import softmax, softmax_backward
from ....layers import fusion, linear, loss
from ....testing import oracle as scalar
from ....training import optimizers
from .case import Case, fields, like, normal, ragged


def b4_2o(rng, z):
    def forward(v):
        p = softmax(linear.forward(v.readout, v.s))
        return fields(p=p), p

    def backward(v, p, d):
        ds, g = linear.backward(v.readout, v.s, softmax_backward(p, d.p))
        return type(v)(g, ds)

    def answer(v):
        W_y, b_y = (a.tolist() for a in v.readout)
        return fields(p=[scalar.b4_2o(W_y, b_y, s) for s in v.s.tolist()])

    return Case(fields(readout=like(rng, z, linear.init(rng, z.H, z.V)), s=normal(rng, z, z.N, z.H)), forward,
                backward, answer)


def d3_5(rng, z):
    def forward(v):
        r, _ = fusion.forward(None, "concat", v.s, v.ctx)
        p = softmax(linear.forward(linear.Params(v.W_o, np.zeros(z.V)), r))
        return fields(p=p), (r, p)

    def backward(v, cache, d):
        r, p = cache
        dr, g = linear.backward(linear.Params(v.W_o, np.zeros(z.V)), r, softmax_backward(p, d.p))
        ds, dctx, _ = fusion.backward(None, "concat", None, dr, z.H)
        return type(v)(g.W, ds, dctx)

    def answer(v):
        return fields(p=[scalar.d3_5(v.W_o.tolist(), s, ctx) for s, ctx in zip(v.s.tolist(), v.ctx.tolist())])

    return Case(
        fields(W_o=normal(rng, z, 2 * z.H, z.V), s=normal(rng, z, z.N, z.H), ctx=normal(rng, z, z.N, z.H)),
        forward,
        backward,
        answer,
    )


def summed_loss(formula, logits, ys, ids):
    """-sum log p by the document's formula; where p underflows and log p has no digits, by log-softmax."""
    ps = [scalar.softmax(row) for row in logits]
    if min(p[i] for p, i in zip(ps, ids)) > 1e-300:
        return formula(ps, ys)
    return len(ids) * scalar.cross_entropy([[row] for row in logits], [[i] for i in ids], [[True]] * len(ids))


def losses(one_hot):
    def draw(rng, z):
        mask, ids = ragged(rng, z), rng.integers(0, z.V, (z.T, z.N))
        targets = np.eye(z.V)[ids] if one_hot else ids

        def forward(v):
            L, k = loss.forward(v.logits, targets, mask)
            return fields(L=L * mask.sum()), k

        def backward(v, k, d):
            return type(v)(d.L * mask.sum() * loss.backward(k))

        def answer(v):
            total = 0.0
            for n in range(z.N):
                rows, ys = v.logits[mask[:, n], n].tolist(), targets[mask[:, n], n].tolist()
                formula = scalar.b4_1l if one_hot else scalar.e3_3
                total += summed_loss(formula, rows, ys, ids[mask[:, n], n].tolist())
            return fields(L=total)

        return Case(fields(logits=normal(rng, z, z.T, z.N, z.V)), forward, backward, answer)

    return draw


b4_1l, e3_3 = losses(one_hot=True), losses(one_hot=False)


def clipping(by):
    def draw(rng, z):
        limit = 0.5 * (z.scale or 1)  # less than the norm and than some entries, but not than all
        clip = {
            "norm": lambda g: optimizers.clip_by_norm(g, limit)[0],
            "value": lambda g: optimizers.clip_by_value(g, limit),
        }

        def answer(v):
            flat = scalar.c3_3c([a.ravel().tolist() for a in v], limit, by)
            return type(v)(*(np.reshape(g, a.shape) for g, a in zip(flat, v)))

        inputs = fields(W=normal(rng, z, z.D, z.H), b=normal(rng, z, z.H))
        return Case(inputs, lambda v: (clip[by](v), None), None, answer)

    return draw
