"""The worked example A4.4 as printed: s_0 = 0; two units, one number for each word.

W_d is chosen so that the distributions are the printed ones, [0.2, 0.8] and [0.8, 0.2].
"""
from math import log

import numpy as np

from ...printed import a as printed_a
from .line import Line, given, mat, n

W_E = mat([1.0, -1.0], [0.5, 0.0], [0.0, 0.5])
W_D = mat([0.4 - log(4), 0.4], [0.5, 0.5], [-0.5, -0.5])
XS, YS = (1.0, 0.5, -1.0), (1.0, -1.0)


def a4_4():
    """Encoder, decoder, and the gradient of -log of the second entry of ŷ_1."""
    p = printed_a.Example(W_E, printed_a.Params(W_D))
    hs, ss, ps, k = printed_a.example(p, np.reshape(XS, (3, 1, 1)), np.reshape(YS, (2, 1, 1)))
    lines = given(I=XS[0], love=XS[1], you=XS[2], Hello=YS[0], World=YS[1])
    for name, W in (("W_e", W_E), ("W_d", W_D)):
        lines += given(**{f"{name} row {r + 1}, {j + 1}": W[r, j] for r in range(3) for j in range(2)})
    return [*lines, *encoder(hs), *decoder(ss, ps), *backward(p, hs, ss, ps, k)]


def total(W, x, s, j):
    """Entry j of [x; s] W: in numbers, and its value."""
    return (f"{n(x)}·{n(W[0, j])} + {n(s[0])}·{n(W[1, j])} + {n(s[1])}·{n(W[2, j])}",
            x * W[0, j] + s @ W[1:, j])


def encoder(hs):
    lines, h = [], np.zeros(2)
    for t, word in enumerate(("I", "love", "you")):
        for j in range(2):
            sums, _ = total(W_E, XS[t], h, j)
            lines.append(Line("R2", f"h_{t + 1}, entry {j + 1} = σ([{word}; h_{t}] W_e)", f"σ({sums})", hs[t, 0, j]))
        h = hs[t, 0]
    return lines


def decoder(ss, ps):
    lines, s = [], np.zeros(2)                 # as printed: h_3 does not reach the decoder
    for t, word in enumerate(("Hello", "World")):
        logits = [total(W_D, YS[t], s, j) for j in range(2)]
        for j in range(2):
            lines.append(Line("PA1", f"a_{t + 1}, entry {j + 1} = [{word}; s_{t}] W_d", *logits[j]))
            lines.append(Line("PA2", f"s_{t + 1}, entry {j + 1} = σ(a)", f"σ({n(logits[j][1])})", ss[t, 0, j]))
        for j in range(2):
            a = [n(value) for _, value in logits]
            lines.append(Line("PA3", f"ŷ_{t + 1}, entry {j + 1} = softmax(a)",
                              f"exp({a[j]}) / (exp({a[0]}) + exp({a[1]}))", ps[t, 0, j]))
        s = ss[t, 0]
    return lines


def backward(p, hs, ss, ps, k):
    d = np.zeros_like(ps)
    d[0, 0, 1] = -1 / ps[0, 0, 1]
    _, _, g = printed_a.example_backward(p, k, np.zeros_like(hs), np.zeros_like(ss), d)
    p_1, p_2 = ps[0, 0]
    return [Line("PA3*", "da_1, entry 1 = ŷ_1 − 0, for L = −log(ŷ_1, entry 2)", n(p_1), p_1),
            Line("PA3*", "da_1, entry 2 = ŷ_1 − 1", f"{n(p_2)} − 1", p_2 - 1),
            Line("PA1*", "dW_d row 1, 1 = Hello da_1, entry 1", f"{n(YS[0])}·{n(p_1)}", g.decoder.W_d[0, 0]),
            Line("PA1*", "dW_d row 1, 2 = Hello da_1, entry 2", f"{n(YS[0])}·({n(p_2)} − 1)", g.decoder.W_d[0, 1]),
            Line("PA4*", "dW_e, every entry", "0", abs(g.W_e).max())]
