"""Decoders and readouts."""
import numpy as np

from ....layers import linear
from ....layers.attention import attend_backward, dot
from ....layers.cells import rnn, rnn_sigmoid
from ...printed import a as printed_a
from .line import Line, given, mat, n, num
from .shared import choose, rnn_lines, two_words, weights, weights_backward


def readout():
    p = linear.Params(mat([1.0, -0.5]), np.array([0.0, 0.5]))
    ahead, back, *_ = choose(p, mat([0.5]), ["s"])
    return [*given(s=0.5, W_s1=1.0, W_s2=-0.5, b_1=0.0, b_2=0.5), *ahead, *back]


def d3_5():
    p = linear.Params(mat([1.0, -0.5], [0.4, 2.0]), np.zeros(2))
    ahead, back, *_ = choose(p, mat([0.5, 0.2]), ["s", "ctx"])
    return [*given(s=0.5, ctx=0.2, W_s1=1.0, W_s2=-0.5, W_ctx1=0.4, W_ctx2=2.0), *ahead, *back]


def decoder(cell, phi, W, U, b, xs, h, x_names, readout_b=0.0, state=("s", "s'")):
    """An RNN step, readout, -log p_1, and all the way back."""
    p = linear.Params(mat([1.0, -0.5]), np.array([0.0, readout_b]))
    _, _, y, *_ = rnn_lines(cell, phi, W, U, b, xs, h, 0.0, x_names, state)
    ahead, back, dr, probs = choose(p, mat([y]), [state[0]])
    step, step_back, *_ = rnn_lines(cell, phi, W, U, b, xs, h, num(dr), x_names, state)
    names = {name: x for name, x in zip(x_names, xs)} | {state[1]: h}
    names |= {f"W_{name}" if len(W) > 1 else "W": w for name, w in zip(x_names, W)} | {"U": U}
    names |= {"b": b} if b else {}
    names |= {f"W_{state[0]}1": 1.0, f"W_{state[0]}2": -0.5} | (
        {"b_1": 0.0, "b_2": readout_b} if readout_b else {}
    )
    return [*given(**names), *step, *ahead], [*back, *step_back], probs


def a4_2():
    ahead, back, _ = decoder(rnn_sigmoid, "σ", (0.8,), -0.6, 0.0, (1.0,), 0.5, ["y'"])
    W = mat([0.8, -0.8], [-0.6, 0.0], [0.0, -0.6])  # as printed: one state entry for each of two words
    s, p, _ = printed_a.step(printed_a.Params(W), mat([-1.0]), mat([0.5, 0.5]))
    (s1, _), (p1, _) = s[0], p[0]
    a1, a2 = -0.8 + 0.5 * -0.6, 0.8 + 0.5 * -0.6
    return (
        ahead
        + back
        + [
            Line("PA1", "as printed, two words, y = −1 is the answer:  a_1", "(−1)·0.8 + 0.5·(−0.6) + 0.5·0",
                 a1),
            Line("PA1", "a_2", "(−1)·(−0.8) + 0.5·0 + 0.5·(−0.6)", a2),
            Line("PA2", "s_1 = σ(a_1)", f"σ({n(a1)})", s1),
            Line("PA3", "p_1 = exp a_1 / (exp a_1 + exp a_2)", f"exp({n(a1)}) / (exp({n(a1)}) + exp({n(a2)}))",
                 p1),
        ]
    )


def c4_1d():
    ahead, back, probs = decoder(rnn, "tanh", (0.8,), -0.6, 0.1, (1.0,), 0.5, ["y'"], 0.5, ("h", "h'"))
    best = 1 + int(probs.argmax())
    return [*ahead, Line("", "y = the word with the greatest p", str(best), best), *back]


def c2_2():
    ahead, back, _ = decoder(rnn, "tanh", (0.8, 0.5), -0.6, 0.1, (1.0, 0.4), 0.5, ["y'", "h"], 0.5)
    return ahead + back


def b4_1():
    s0, y, h1, h2, W, U = 0.5, 1.0, 1.0, -1.0, (0.5, 1.0), -0.6
    memory, ctx, k = two_words(dot.Params(), s0, h1, h2, dot)
    e, c = (s0 * h1, s0 * h2), num(ctx)
    ahead, back, s, (_, dctx), ds0 = rnn_lines(
        rnn, "tanh", W, U, 0.0, (y, c), s0, 1.0, ["y'", "ctx"], ("s", "s'")
    )
    ds, _, _ = attend_backward(dot, dot.Params(), memory, k, mat([dctx]))
    soft, e1, e2 = weights_backward(memory, k.alpha, dctx)
    lines = [
        *given(**{"s'": s0, "y'": y, "h_1": h1, "h_2": h2, "W_y'": W[0], "W_ctx": W[1], "U": U, "ds": 1.0}),
        Line("AD1", "before:  e_1 = s' h_1", f"{n(s0)}·{n(h1)}", e[0]),
        Line("AD1", "e_2 = s' h_2", f"{n(s0)}·{n(h2)}", e[1]),
        *weights(e, memory, k.alpha, ctx),
        *ahead,
        *back,
        *soft,
        Line("AD1*", "ds' = ds' + de_1 h_1 + de_2 h_2", f"{n(ds0)} + {n(e1)}·{n(h1)} + {n(e2)}·{n(h2)}",
             ds0 + num(ds)),
    ]
    ahead, _, s, *_ = rnn_lines(rnn, "tanh", W[:1], U, 0.0, (y,), s0, 1.0, ["y'"], ("s", "s'"))
    memory, ctx, k = two_words(dot.Params(), s, h1, h2, dot)
    e = s * h1, s * h2
    return lines + [ahead[0]._replace(what="after:  " + ahead[0].what), *ahead[1:],
                    Line("AD1", "e_1 = s h_1", f"{n(s)}·{n(h1)}", e[0]),
                    Line("AD1", "e_2 = s h_2", f"{n(s)}·{n(h2)}", e[1]), *weights(e, memory, k.alpha, ctx)]
