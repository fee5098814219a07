"""Pieces that several examples share."""
import numpy as np

from ....core.functions import softmax as softmax_of
from ....layers import linear, loss
from ....layers.attention import attend, precompute_keys
from ....layers.cells import rnn
from .line import Line, mat, n, num


def weights(e, memory, alpha, ctx):
    """(A1) (A2) with two positions and one unit."""
    h1, h2 = memory.hs.ravel()
    total = f"(exp({n(e[0])}) + exp({n(e[1])}))"
    a1, a2 = alpha.ravel()
    return [Line("A1", "α_1 = exp e_1 / (exp e_1 + exp e_2)", f"exp({n(e[0])}) / {total}", a1),
            Line("A1", "α_2 = exp e_2 / (exp e_1 + exp e_2)", f"exp({n(e[1])}) / {total}", a2),
            Line("A2", "ctx = α_1 h_1 + α_2 h_2", f"{n(a1)}·{n(h1)} + {n(a2)}·{n(h2)}", num(ctx))]


def weights_backward(memory, alpha, dctx):
    """(A2*) (A1*): -> lines, de_1, de_2."""
    h1, h2 = memory.hs.ravel()
    a1, a2 = alpha.ravel()
    d1, d2 = dctx * h1, dctx * h2
    mean = a1 * d1 + a2 * d2
    e1, e2 = a1 * (d1 - mean), a2 * (d2 - mean)
    return (
        [Line("A2*", "dα_1 = dctx h_1", f"{n(dctx)}·{n(h1)}", d1),
         Line("A2*", "dα_2 = dctx h_2", f"{n(dctx)}·{n(h2)}", d2),
         Line("A1*", "m = α_1 dα_1 + α_2 dα_2", f"{n(a1)}·{n(d1)} + {n(a2)}·{n(d2)}", mean),
         Line("A1*", "de_1 = α_1 (dα_1 − m)", f"{n(a1)}·({n(d1)} − {n(mean)})", e1),
         Line("A1*", "de_2 = α_2 (dα_2 − m)", f"{n(a2)}·({n(d2)} − {n(mean)})", e2)],
        e1,
        e2,
    )


def two_words(p, s, h1, h2, score):
    """Attention of one query over two states of one unit: -> memory, ctx, cache."""
    memory = precompute_keys(score, p, np.array([[[h1]], [[h2]]]), np.ones((2, 1), dtype=bool))
    return memory, *attend(score, p, mat([s]), memory)


def choose(p, r, names):
    """A readout of two words from the entries `names` of r, the loss -log p_1 and its way back to r."""
    logits = linear.forward(p, r)
    probs, (a1, a2) = softmax_of(logits).ravel(), logits.ravel()
    _, k = loss.forward(logits[None], np.zeros((1, 1), dtype=int), np.ones((1, 1), dtype=bool))
    d = loss.backward(k)[0]
    dr, g = linear.backward(p, r, d)
    d1, d2 = d.ravel()
    lines = []
    for v, a in (("1", a1), ("2", a2)):
        W = p.W[:, int(v) - 1]
        words = " + ".join(f"{name} W_{name}{v}" for name in names) + (f" + b_{v}" if p.b.any() else "")
        sums = " + ".join(f"{n(x)}·{n(w)}" for x, w in zip(r.ravel(), W)) + (
            f" + {n(p.b[int(v) - 1])}" if p.b.any() else ""
        )
        lines.append(Line("Y1", f"logit_{v} = {words}", sums, a))
    total = f"(exp({n(a1)}) + exp({n(a2)}))"
    lines += [
        Line("F3", "p_1 = exp logit_1 / (sum of both)", f"exp({n(a1)}) / {total}", probs[0]),
        Line("F3", "p_2 = exp logit_2 / (sum of both)", f"exp({n(a2)}) / {total}", probs[1]),
    ]
    back = [
        Line("X3*", "dlogit_1 = p_1 − 1, for L = −log p_1", f"{n(probs[0])} − 1", d1),
        Line("X3*", "dlogit_2 = p_2", n(probs[1]), d2),
    ]
    for name, x, w, dx, dw in zip(names, r.ravel(), p.W, dr.ravel(), g.W):
        back += [
            Line("Y1*", f"d{name} = dlogit_1 W_{name}1 + dlogit_2 W_{name}2",
                 f"{n(d1)}·{n(w[0])} + {n(d2)}·{n(w[1])}", dx),
            Line("Y1*", f"dW_{name}1 = {name} dlogit_1", f"{n(x)}·{n(d1)}", dw[0]),
            Line("Y1*", f"dW_{name}2 = {name} dlogit_2", f"{n(x)}·{n(d2)}", dw[1]),
        ]
    return lines, back, dr, probs


def rnn_lines(cell, phi, W, U, b, xs, h, dh, x_names, state=("h", "h'")):
    """One step of an RNN of one unit with inputs xs: -> lines forward, lines backward, new state, dx, dh'."""
    p = rnn.Params(mat(*([w] for w in W)), mat([U]), np.array([b]))
    s, k = cell.step(p, mat(xs), rnn.State(mat([h])))
    dx, ds, g = cell.step_backward(p, k, rnn.State(mat([dh])))
    new, old, a = *state, sum(x * w for x, w in zip(xs, W)) + h * U + b
    W_names = [f"W_{name}" if len(W) > 1 else "W" for name in x_names]
    words = " + ".join(f"{x} {w}" for x, w in zip(x_names, W_names)) + f" + {old} U" + (" + b" if b else "")
    sums = (
        " + ".join(f"{n(x)}·{n(w)}" for x, w in zip(xs, W))
        + f" + {n(h)}·{n(U)}"
        + (f" + {n(b)}" if b else "")
    )
    ahead = [Line("R1", f"a = {words}", sums, a), Line("R2", f"{new} = {phi}(a)", f"{phi}({n(a)})", num(s.h))]
    y, da = num(s.h), num(g.b)
    slope = (
        (f"(1 − {new}²)", f"(1 − {n(y)}²)")
        if phi == "tanh"
        else (f"{new} (1 − {new})", f"{n(y)}·(1 − {n(y)})")
    )
    back = [Line("R2*", f"da = d{new} {slope[0]}", f"{n(dh)}·{slope[1]}", da)]
    for x, name, w, w_name, d, dw in zip(xs, x_names, W, W_names, dx.ravel(), g.W.ravel()):
        back += [
            Line("R1*", f"d{name} = da {w_name}", f"{n(da)}·{n(w)}", d),
            Line("R1*", f"d{w_name} = {name} da", f"{n(x)}·{n(da)}", dw),
        ]
    back += [
        Line("R1*", f"d{old} = da U", f"{n(da)}·{n(U)}", num(ds.h)),
        Line("R1*", f"dU = {old} da", f"{n(h)}·{n(da)}", num(g.U)),
    ]
    return ahead, back, y, dx.ravel(), num(ds.h)
