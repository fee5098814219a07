"""Attention, as intended and as printed."""
from math import log

import numpy as np

from ....layers import fusion
from ....layers.attention import Memory, additive, attend, attend_backward, concat_dot, dot, precompute_keys_backward
from ...printed import b as printed_b
from ..cases import GivenScores
from .line import Line, given, mat, n, num
from .shared import two_words, weights, weights_backward


def dot_attention(kind, W=(0.5, 1.0)):
    s, h1, h2 = 1.0, 1.0, -0.5
    memory, ctx, k = two_words(dot.Params(), s, h1, h2, dot)
    p = fusion.Params(mat(*([w] for w in W))) if kind == "sigmoid" else None
    z, k_fuse = fusion.forward(p, kind, mat([s]), ctx)
    ds_fuse, dctx, g_fuse = fusion.backward(p, kind, k_fuse, mat([1.0]), 1)
    ds, dmemory, _ = attend_backward(dot, dot.Params(), memory, k, dctx)
    e, c, z, dc = (s * h1, s * h2), num(ctx), num(z), num(dctx)
    lines = [*given(s=s, h_1=h1, h_2=h2), *(given(W_1=W[0], W_2=W[1]) if p else []), *given(dz=1.0),
             Line("AD1", "e_1 = s h_1", f"{n(s)}·{n(h1)}", e[0]),
             Line("AD1", "e_2 = s h_2", f"{n(s)}·{n(h2)}", e[1]), *weights(e, memory, k.alpha, ctx)]
    if p:
        a = s * W[0] + c * W[1]
        lines += [Line("U3", "a = s W_1 + ctx W_2", f"{n(s)}·{n(W[0])} + {n(c)}·{n(W[1])}", a),
                  Line("U3", "z = σ(a), the new s", f"σ({n(a)})", z),
                  Line("U3*", "da = dz z (1 − z)", f"1·{n(z)}·(1 − {n(z)})", z * (1 - z)),
                  Line("U3*", "dctx = da W_2", f"{n(z * (1 - z))}·{n(W[1])}", dc),
                  Line("U3*", "ds = da W_1, so far", f"{n(z * (1 - z))}·{n(W[0])}", num(ds_fuse)),
                  Line("U3*", "dW_2 = ctx da", f"{n(c)}·{n(z * (1 - z))}", g_fuse.W[1, 0])]
    else:
        lines += [Line("U2", "z = s + ctx, the new s", f"{n(s)} + {n(c)}", z),
                  Line("U2*", "dctx = dz", "1", dc), Line("U2*", "ds = dz, so far", "1", num(ds_fuse))]
    back, e1, e2 = weights_backward(memory, k.alpha, dc)
    a1 = num(k.alpha)
    return (
        lines
        + back
        + [
            Line("AD1*", "ds = ds + de_1 h_1 + de_2 h_2",
                 f"{n(num(ds_fuse))} + {n(e1)}·{n(h1)} + {n(e2)}·{n(h2)}", num(ds_fuse + ds)),
            Line("AD1*", "dh_1 = α_1 dctx + de_1 s", f"{n(a1)}·{n(dc)} + {n(e1)}·{n(s)}", num(dmemory.hs)),
        ]
    )


def attention_sum():
    return dot_attention("sum")


def attention_sigmoid():
    return dot_attention("sigmoid")


def context():
    hs, e = np.array([[[1.0]], [[-2.0]]]), mat([log(4)], [0.0])
    memory = Memory(hs, None, np.ones((2, 1), dtype=bool))
    ctx, k = attend(GivenScores, (), e, memory)
    de, dmemory, _ = attend_backward(GivenScores, (), memory, k, mat([1.0]))
    back, *_ = weights_backward(memory, k.alpha, 1.0)
    back = [
        line._replace(value=live) if line.what.startswith("de_") else line
        for line, live in zip(back, [None, None, None, *de.ravel()])
    ]
    return [*given(e_1=log(4), e_2=0.0, h_1=1.0, h_2=-2.0, dctx=1.0), *weights(e.ravel(), memory, k.alpha, ctx),
            *back, Line("A2*", "dh_1 = α_1 dctx", f"{n(k.alpha[0, 0])}·1", dmemory.hs[0, 0, 0])]


def mixed_attention(score, p, names, mark):
    """Additive and concat-dot, one unit everywhere; `names` of the hidden layer and of what multiplies it."""
    s, h1, h2 = 0.5, 1.0, -0.5
    memory, ctx, k = two_words(p, s, h1, h2, score)
    ds, dmemory, g = attend_backward(score, p, memory, k, mat([1.0]))
    dhs, g_keys = precompute_keys_backward(score, p, memory, dmemory)
    u, partner = names
    W_s, W_h = num(p.W_s), num(p.W_h)
    u1, u2 = (k.score.u if score is additive else k.score.v).ravel()
    with_ = (num(p.v), num(p.v)) if score is additive else (h1, h2)
    e = u1 * with_[0], u2 * with_[1]
    lines = given(s=s, h_1=h1, h_2=h2, W_s=W_s, W_h=W_h)
    lines += given(v=num(p.v)) if score is additive else []
    lines += given(dctx=1.0)
    for i, h in (("1", h1), ("2", h2)):
        lines.append(Line(mark + "1", f"k_{i} = h_{i} W_h", f"{n(h)}·{n(W_h)}", h * W_h))
    for i, h, y in (("1", h1, u1), ("2", h2, u2)):
        lines.append(
            Line(mark + "2", f"{u}_{i} = tanh(s W_s + k_{i})", f"tanh({n(s)}·{n(W_s)} + {n(h * W_h)})", y)
        )
    for i, y, w, score_ in (("1", u1, with_[0], e[0]), ("2", u2, with_[1], e[1])):
        lines.append(Line(mark + "3", f"e_{i} = {u}_{i} {partner.replace('i', i)}", f"{n(y)}·{n(w)}", score_))
    lines += weights(e, memory, k.alpha, ctx)
    back, e1, e2 = weights_backward(memory, k.alpha, 1.0)
    a1, a2 = e1 * with_[0] * (1 - u1**2), e2 * with_[1] * (1 - u2**2)
    for i, d, w, y, a in (("1", e1, with_[0], u1, a1), ("2", e2, with_[1], u2, a2)):
        back.append(
            Line(mark + "2*", f"da_{i} = de_{i} {partner.replace('i', i)} (1 − {u}_{i}²)",
                 f"{n(d)}·{n(w)}·(1 − {n(y)}²)", a)
        )
    back += [
        Line(mark + "2*", "ds = (da_1 + da_2) W_s", f"({n(a1)} + {n(a2)})·{n(W_s)}", num(ds)),
        Line(mark + "2*", "dW_s = s (da_1 + da_2)", f"{n(s)}·({n(a1)} + {n(a2)})", num(g.W_s)),
        Line(mark + "1*", "dW_h = h_1 da_1 + h_2 da_2", f"{n(h1)}·{n(a1)} + {n(h2)}·{n(a2)}", num(g_keys.W_h)),
    ]
    dh1, alpha1 = num(dhs), num(k.alpha)
    if score is additive:
        back += [
            Line("AB3*", "dv = de_1 u_1 + de_2 u_2", f"{n(e1)}·{n(u1)} + {n(e2)}·{n(u2)}", num(g.v)),
            Line("AB1*", "dh_1 = α_1 dctx + da_1 W_h", f"{n(alpha1)}·1 + {n(a1)}·{n(W_h)}", dh1),
        ]
    else:
        back.append(
            Line("AC3*", "dh_1 = α_1 dctx + de_1 v_1 + da_1 W_h",
                 f"{n(alpha1)}·1 + {n(e1)}·{n(u1)} + {n(a1)}·{n(W_h)}", dh1)
        )
    return lines + back


def additive_score():
    return mixed_attention(additive, additive.Params(mat([1.0]), mat([0.8]), np.array([2.0])), ("u", "v"), "AB")


def b4_2a():
    lines = mixed_attention(concat_dot, concat_dot.Params(mat([1.0]), mat([0.8])), ("v", "h_i"), "AC")
    alpha, k = printed_b.attend(
        printed_b.AttentionParams(mat([1.0], [0.8])), mat([0.5]), np.array([[[1.0]], [[-0.5]]]), t=0
    )
    v = num(k.v)
    return lines + [
        Line("PB6", "as printed, t = 1:  v = tanh(s W_s + h_1 W_h)", "tanh(0.5·1 + 1·0.8)", v),
        Line("PB7", "as printed:  α_1 = exp(v h_1) / (exp(v h_1) + exp(v h_2))",
             f"exp({n(v)}·1) / (exp({n(v)}·1) + exp({n(v)}·(−0.5)))", num(alpha)),
    ]
