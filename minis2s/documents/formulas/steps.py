"""One tiny example of each formula, line by line, to be followed with a pocket calculator.

Every result that the library's functions return is taken from them; what stands between (a sum, an inner
gradient) is written out and leads to such a result.  The gradient that comes in is 1, or that of -log p.
"""

from math import exp, log
from typing import NamedTuple

import numpy as np

from ...layers import fusion, linear, loss, unroll
from ...training import optimizers
from ...layers.attention import Memory, attend_backward, precompute_keys, precompute_keys_backward
from ...layers.attention import additive, attend, concat_dot, dot
from ...layers.cells import gru as gru_cell
from ...layers.cells import lstm as lstm_cell
from ...layers.cells import rnn
from ...layers.cells import rnn_sigmoid
from ...core.functions import softmax as softmax_of
from ..printed import a as printed_a
from ..printed import b as printed_b
from ..printed import c as printed_c
from .cases import GivenScores


class Line(NamedTuple):
    mark: str                  # of the equation, "" where it has none
    what: str                  # in symbols
    numbers: str               # the same in numbers; "" where the value is given
    value: float


def n(x):
    """A number as it is written in a product: at most four decimals, in brackets where negative."""
    text = f"{round(float(x), 4) + 0.0:.4f}".rstrip("0").rstrip(".")
    return f"(−{text[1:]})" if text.startswith("-") else text


def given(**numbers):
    """Lines that name what is given."""
    return [Line("", name, "", value) for name, value in numbers.items()]


def mat(*rows):
    return np.array(rows, dtype=float)


def num(a):
    """The only entry of an array."""
    return float(np.ravel(a)[0])


# Pieces that several formulas share ------------------------------------------------------------------------


def weights(e, memory, alpha, ctx):
    """(A1) (A2) with two positions and one unit."""
    h1, h2 = memory.hs.ravel()
    total = f"(exp({n(e[0])}) + exp({n(e[1])}))"
    a1, a2 = alpha.ravel()
    return [
        Line("A1", "α_1 = exp e_1 / (exp e_1 + exp e_2)", f"exp({n(e[0])}) / {total}", a1),
        Line("A1", "α_2 = exp e_2 / (exp e_1 + exp e_2)", f"exp({n(e[1])}) / {total}", a2),
        Line("A2", "ctx = α_1 h_1 + α_2 h_2", f"{n(a1)}·{n(h1)} + {n(a2)}·{n(h2)}", num(ctx)),
    ]


def weights_backward(memory, alpha, dctx):
    """(A2*) (A1*): -> lines, de_1, de_2."""
    h1, h2 = memory.hs.ravel()
    a1, a2 = alpha.ravel()
    d1, d2 = dctx * h1, dctx * h2
    mean = a1 * d1 + a2 * d2
    e1, e2 = a1 * (d1 - mean), a2 * (d2 - mean)
    return (
        [
            Line("A2*", "dα_1 = dctx h_1", f"{n(dctx)}·{n(h1)}", d1),
            Line("A2*", "dα_2 = dctx h_2", f"{n(dctx)}·{n(h2)}", d2),
            Line("A1*", "m = α_1 dα_1 + α_2 dα_2", f"{n(a1)}·{n(d1)} + {n(a2)}·{n(d2)}", mean),
            Line("A1*", "de_1 = α_1 (dα_1 − m)", f"{n(a1)}·({n(d1)} − {n(mean)})", e1),
            Line("A1*", "de_2 = α_2 (dα_2 − m)", f"{n(a2)}·({n(d2)} − {n(mean)})", e2),
        ],
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
            Line(
                "Y1*",
                f"d{name} = dlogit_1 W_{name}1 + dlogit_2 W_{name}2",
                f"{n(d1)}·{n(w[0])} + {n(d2)}·{n(w[1])}",
                dx,
            ),
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


# Recurrent cells -------------------------------------------------------------------------------------------


def rnn_sigmoid_step():
    ahead, back, *_ = rnn_lines(rnn_sigmoid, "σ", (0.8,), -0.6, 0.0, (1.0,), 0.5, 1.0, ["x"])
    return [*given(**{"x": 1.0, "h'": 0.5, "W": 0.8, "U": -0.6, "dh": 1.0}), *ahead, *back]


def rnn_tanh():
    ahead, back, *_ = rnn_lines(
        rnn, "tanh", (0.5, 1.0), -0.6, 0.1, (1.0, 0.2), 0.5, 1.0, ["y'", "ctx"], ("s", "s'")
    )
    return [
        *given(
            **{"y'": 1.0, "ctx": 0.2, "s'": 0.5, "W_y'": 0.5, "W_ctx": 1.0, "U": -0.6, "b": 0.1, "ds": 1.0}
        ),
        *ahead,
        *back,
    ]


def rnn_sequence(names=("x_1", "x_2"), states=("h_1", "h_2"), shares=("", "")):
    W, U, xs = 0.5, -0.6, (1.0, -2.0)
    p, mask = rnn.Params(mat([W]), mat([U]), np.zeros(1)), np.ones((2, 1), dtype=bool)
    hs, _, k = unroll.forward(rnn, p, np.reshape(xs, (2, 1, 1)), rnn.State(mat([0.0])), mask)
    dhs = np.array([[[0.0]], [[1.0]]])  # only the last state matters to the loss
    _, _, g = unroll.backward(rnn, p, k, dhs, rnn.State(mat([0.0])), mask)
    h1, h2 = hs.ravel()
    a1, a2 = xs[0] * W, xs[1] * W + h1 * U
    da2 = 1 - h2**2
    da1 = da2 * U * (1 - h1**2)
    (x1, x2), (s1, s2) = names, states
    return [
        *given(**{x1: xs[0], x2: xs[1], "h_0": 0.0, "W": W, "U": U, f"d{s2}": 1.0}),
        Line("R1", f"a_1 = {x1} W + h_0 U", f"{n(xs[0])}·{n(W)} + 0·{n(U)}", a1),
        Line("R2", f"{s1} = tanh(a_1)", f"tanh({n(a1)})", h1),
        Line("R1", f"a_2 = {x2} W + {s1} U", f"{n(xs[1])}·{n(W)} + {n(h1)}·{n(U)}", a2),
        Line(
            "R2",
            f"{s2} = tanh(a_2), the context" if s2 == "h_2" else f"{s2} = tanh(a_2)",
            f"tanh({n(a2)})",
            h2,
        ),
        Line("R2*", f"da_2 = d{s2} (1 − {s2}²)", f"1·(1 − {n(h2)}²)", da2),
        Line("R1*", f"d{s1} = da_2 U", f"{n(da2)}·{n(U)}", da2 * U),
        Line("R2*", f"da_1 = d{s1} (1 − {s1}²)", f"{n(da2 * U)}·(1 − {n(h1)}²)", da1),
        Line(
            "R1*",
            f"dW = {x1} da_1{shares[0]} + {x2} da_2{shares[1]}",
            f"{n(xs[0])}·{n(da1)} + {n(xs[1])}·{n(da2)}",
            num(g.W),
        ),
        Line("R1*", f"dU = h_0 da_1 + {s1} da_2", f"0·{n(da1)} + {n(h1)}·{n(da2)}", num(g.U)),
        Line("R1*", "db = da_1 + da_2", f"{n(da1)} + {n(da2)}", num(g.b)),
    ]


def tied():
    return rnn_sequence(("x_1", "y_0"), ("h_1", "s_1"), (" (reading)", " (writing)"))


def free_running():
    E, W_y, W, U = (0.0, 1.0, -1.0), (0.0, 0.8, -0.8), 0.5, -1.2  # three words, one unit
    words = {f"E_{v}": E[v] for v in range(3)} | {f"W_y{v}": W_y[v] for v in range(3)}
    lines, h = given(context=0.4, **words, W=W, U=U), 0.4
    p = rnn.Params(mat([W]), mat([U]), np.zeros(1))
    back = []
    for t in (1, 2):
        logits = linear.forward(linear.Params(mat(W_y), np.zeros(3)), mat([h])).ravel()
        y = int(logits.argmax())
        lines += [
            Line("Y1", f"logit_{v} = context W_y{v}", f"{n(h)}·{n(W_y[v])}", logits[v]) for v in range(3)
        ]
        lines += [Line("", f"ŷ_{t} = the word with the greatest logit", f"{y}", y)]
        s, k = rnn.step(p, mat([E[y]]), rnn.State(mat([h])))
        a = E[y] * W + h * U
        lines += [
            Line("R1", f"a = E_{y} W + context U", f"{n(E[y])}·{n(W)} + {n(h)}·{n(U)}", a),
            Line("R2", "context ← tanh(a)", f"tanh({n(a)})", num(s.h)),
        ]
        h = num(s.h)
    dx, ds, g = rnn.step_backward(p, k, rnn.State(mat([1.0])))
    back += [
        Line("R2*", "da = dcontext (1 − context²), dcontext = 1", f"1·(1 − {n(h)}²)", num(g.b)),
        Line("R1*", f"dE_{y} = da W; the choice of word {y} is held fixed", f"{n(g.b[0])}·{n(W)}", num(dx)),
        Line("R1*", "dcontext (one step earlier) = da U", f"{n(g.b[0])}·{n(U)}", num(ds.h)),
    ]
    return lines + back


def lstm():
    x, h0, c0 = 1.0, 0.5, -1.0
    W, U, b = (0.5, 1.0, 2.0, -0.5), (1.0, -1.0, 0.5, 1.0), (0.0, 1.0, 0.0, 0.0)
    p = lstm_cell.Params(mat(W), mat(U), np.array(b))
    s, k = lstm_cell.step(p, mat([x]), lstm_cell.State(mat([h0]), mat([c0])))
    dx, ds, g = lstm_cell.step_backward(p, k, lstm_cell.State(mat([1.0]), mat([0.0])))
    a = [x * W[q] + h0 * U[q] + b[q] for q in range(4)]
    i, f, gg, o = map(num, (k.i, k.f, k.g, k.o))
    c, tc, da = num(s.c), num(k.tanh_c), g.b
    dc = o * (1 - tc**2)
    lines = given(**{"x": x, "h'": h0, "c'": c0, "dh": 1.0, "dc": 0.0})
    for q, name in enumerate("ifgo"):
        lines += given(**{f"W_{name}": W[q], f"U_{name}": U[q], f"b_{name}": b[q]})
    for q, name in enumerate("ifgo"):
        lines.append(
            Line(
                "L1",
                f"a_{name} = x W_{name} + h' U_{name} + b_{name}",
                f"{n(x)}·{n(W[q])} + {n(h0)}·{n(U[q])} + {n(b[q])}",
                a[q],
            )
        )
    lines += [
        Line("L2", "i = σ(a_i)", f"σ({n(a[0])})", i),
        Line("L2", "f = σ(a_f)", f"σ({n(a[1])})", f),
        Line("L2", "o = σ(a_o)", f"σ({n(a[3])})", o),
        Line("L3", "g = tanh(a_g)", f"tanh({n(a[2])})", gg),
        Line("L4", "c = f c' + i g", f"{n(f)}·{n(c0)} + {n(i)}·{n(gg)}", c),
        Line("L5", "h = o tanh(c)", f"{n(o)}·tanh({n(c)})", num(s.h)),
        Line("L5*", "do = dh tanh(c)", f"1·tanh({n(c)})", tc),
        Line("L5*", "dc = dc + dh o (1 − tanh(c)²)", f"0 + 1·{n(o)}·(1 − tanh({n(c)})²)", dc),
        Line("L4*", "df = dc c'", f"{n(dc)}·{n(c0)}", dc * c0),
        Line("L4*", "di = dc g", f"{n(dc)}·{n(gg)}", dc * gg),
        Line("L4*", "dg = dc i", f"{n(dc)}·{n(i)}", dc * i),
        Line("L4*", "dc' = dc f", f"{n(dc)}·{n(f)}", num(ds.c)),
        Line("L2*", "da_i = di i (1 − i)", f"{n(dc * gg)}·{n(i)}·(1 − {n(i)})", da[0]),
        Line("L2*", "da_f = df f (1 − f)", f"{n(dc * c0)}·{n(f)}·(1 − {n(f)})", da[1]),
        Line("L3*", "da_g = dg (1 − g²)", f"{n(dc * i)}·(1 − {n(gg)}²)", da[2]),
        Line("L2*", "da_o = do o (1 − o)", f"{n(tc)}·{n(o)}·(1 − {n(o)})", da[3]),
        Line(
            "L1*",
            "dx = Σ da_k W_k, k = i, f, g, o",
            " + ".join(f"{n(d)}·{n(w)}" for d, w in zip(da, W)),
            num(dx),
        ),
        Line("L1*", "dh' = Σ da_k U_k", " + ".join(f"{n(d)}·{n(u)}" for d, u in zip(da, U)), num(ds.h)),
        Line("L1*", "dW_i = x da_i, and so on", f"{n(x)}·{n(da[0])}", g.W[0, 0]),
        Line("L1*", "dU_i = h' da_i, and so on", f"{n(h0)}·{n(da[0])}", g.U[0, 0]),
    ]
    return lines


def gru():
    x, h0 = 1.0, -0.5
    W, U = (0.5, -1.0, 1.0), (1.0, 0.5, 2.0)
    p = gru_cell.Params(mat(W), mat(U), np.zeros(3))
    s, k = gru_cell.step(p, mat([x]), gru_cell.State(mat([h0])))
    dx, ds, g = gru_cell.step_backward(p, k, gru_cell.State(mat([1.0])))
    z, r, q, c = map(num, (k.z, k.r, k.q, k.n))
    a_z, a_r, a_n = x * W[0] + h0 * U[0], x * W[1] + h0 * U[1], x * W[2] + q * U[2]
    da_z, da_r, da_n = g.b
    dq = da_n * U[2]
    return [
        *given(
            **{
                "x": x,
                "h'": h0,
                "W_z": W[0],
                "W_r": W[1],
                "W_n": W[2],
                "U_z": U[0],
                "U_r": U[1],
                "U_n": U[2],
                "b": 0.0,
                "dh": 1.0,
            }
        ),
        Line("G1", "a_z = x W_z + h' U_z", f"{n(x)}·{n(W[0])} + {n(h0)}·{n(U[0])}", a_z),
        Line("G1", "z = σ(a_z)", f"σ({n(a_z)})", z),
        Line("G1", "a_r = x W_r + h' U_r", f"{n(x)}·{n(W[1])} + {n(h0)}·{n(U[1])}", a_r),
        Line("G1", "r = σ(a_r)", f"σ({n(a_r)})", r),
        Line("G2", "q = r h'", f"{n(r)}·{n(h0)}", q),
        Line("G3", "a_n = x W_n + q U_n", f"{n(x)}·{n(W[2])} + {n(q)}·{n(U[2])}", a_n),
        Line("G3", "n = tanh(a_n), the document's h̃", f"tanh({n(a_n)})", c),
        Line("G4", "h = (1 − z) h' + z n", f"(1 − {n(z)})·{n(h0)} + {n(z)}·{n(c)}", num(s.h)),
        Line("G4*", "dz = dh (n − h')", f"1·({n(c)} − {n(h0)})", c - h0),
        Line("G4*", "dn = dh z", f"1·{n(z)}", z),
        Line("G3*", "da_n = dn (1 − n²)", f"{n(z)}·(1 − {n(c)}²)", da_n),
        Line("G3*", "dq = da_n U_n", f"{n(da_n)}·{n(U[2])}", dq),
        Line("G2*", "dr = dq h'", f"{n(dq)}·{n(h0)}", dq * h0),
        Line("G1*", "da_z = dz z (1 − z)", f"({n(c)} − {n(h0)})·{n(z)}·(1 − {n(z)})", da_z),
        Line("G1*", "da_r = dr r (1 − r)", f"{n(dq * h0)}·{n(r)}·(1 − {n(r)})", da_r),
        Line(
            "G1*",
            "dx = da_z W_z + da_r W_r + da_n W_n",
            f"{n(da_z)}·{n(W[0])} + {n(da_r)}·{n(W[1])} + {n(da_n)}·{n(W[2])}",
            num(dx),
        ),
        Line(
            "G4*",
            "dh' = dh (1 − z) + dq r + da_z U_z + da_r U_r",
            f"1·(1 − {n(z)}) + {n(dq)}·{n(r)} + {n(da_z)}·{n(U[0])} + {n(da_r)}·{n(U[1])}",
            num(ds.h),
        ),
        Line("G3*", "dU_n = q da_n", f"{n(q)}·{n(da_n)}", g.U[0, 2]),
    ]


# The same inputs and weights through the printed forms -----------------------------------------------------


def b4_2e():
    """(PB2): the candidate of lstm() without x W_g."""
    x, state = mat([1.0]), printed_b.State(mat([0.5]), mat([-1.0]))
    p = printed_b.EncoderParams(
        mat([0.5, 1.0, -0.5]), mat([1.0, -1.0, 0.5, 1.0]), np.array([0.0, 1.0, 0.0, 0.0])
    )
    return lstm() + printed_candidate(
        *printed_b.encoder_step(p, x, state), "PB2", "h' U_g + b_g", "0.5·0.5 + 0"
    )


def b4_2d():
    """(PB3): the candidate of lstm() without h' U_g; x = 1 is the document's h_t, h' its s_{t-1}."""
    x, state = mat([1.0]), printed_b.State(mat([0.5]), mat([-1.0]))
    p = printed_b.DecoderParams(
        mat([0.5, 1.0, 2.0, -0.5]), mat([1.0, -1.0, 1.0]), np.array([0.0, 1.0, 0.0, 0.0])
    )
    return lstm() + printed_candidate(
        *printed_b.decoder_step(p, x, state), "PB3", "h_t W_g + b_g", "1·2 + 0"
    )


def printed_candidate(s, k, mark, words, sums):
    i, f, g, o = map(num, (k.i, k.f, k.g, k.o))
    return [
        Line(mark, f"as printed:  g = tanh({words})", f"tanh({sums})", g),
        Line("PB4", "c = f c' + i g", f"{n(f)}·{n(num(k.c_prev))} + {n(i)}·{n(g)}", num(s.c)),
        Line("PB5", "h = o tanh(c)", f"{n(o)}·tanh({n(num(s.c))})", num(s.h)),
    ]


def c3_1g():
    """(PC4): z on the memory, r on the input, and U_n = W_n = 1 for both."""
    x, h0, W_n = 1.0, -0.5, 1.0
    p = printed_c.GruParams(mat([1.0, 0.5], [0.5, -1.0]), np.zeros(2), mat([W_n]), np.zeros(1))
    s, k = printed_c.gru_step(p, mat([x]), printed_c.State(mat([h0])))
    z, r, q, c = map(num, (k.z, k.r, k.q, k.n))
    return gru() + [
        Line("PC4", "as printed:  q = z h' + r x", f"{n(z)}·{n(h0)} + {n(r)}·{n(x)}", q),
        Line("PC5", "n = tanh(q W_n)", f"tanh({n(q)}·{n(W_n)})", c),
        Line("PC6", "h = (1 − z) h' + z n", f"(1 − {n(z)})·{n(h0)} + {n(z)}·{n(c)}", num(s.h)),
    ]


# Attention -------------------------------------------------------------------------------------------------


def dot_attention(kind, W=(0.5, 1.0)):
    s, h1, h2 = 1.0, 1.0, -0.5
    memory, ctx, k = two_words(dot.Params(), s, h1, h2, dot)
    p = fusion.Params(mat(*([w] for w in W))) if kind == "sigmoid" else None
    z, k_fuse = fusion.forward(p, kind, mat([s]), ctx)
    ds_fuse, dctx, g_fuse = fusion.backward(p, kind, k_fuse, mat([1.0]), 1)
    ds, dmemory, _ = attend_backward(dot, dot.Params(), memory, k, dctx)
    e, c, z, dc = (s * h1, s * h2), num(ctx), num(z), num(dctx)
    lines = [
        *given(s=s, h_1=h1, h_2=h2),
        *(given(W_1=W[0], W_2=W[1]) if p else []),
        *given(dz=1.0),
        Line("AD1", "e_1 = s h_1", f"{n(s)}·{n(h1)}", e[0]),
        Line("AD1", "e_2 = s h_2", f"{n(s)}·{n(h2)}", e[1]),
        *weights(e, memory, k.alpha, ctx),
    ]
    if p:
        a = s * W[0] + c * W[1]
        lines += [
            Line("U3", "a = s W_1 + ctx W_2", f"{n(s)}·{n(W[0])} + {n(c)}·{n(W[1])}", a),
            Line("U3", "z = σ(a), the new s", f"σ({n(a)})", z),
            Line("U3*", "da = dz z (1 − z)", f"1·{n(z)}·(1 − {n(z)})", z * (1 - z)),
            Line("U3*", "dctx = da W_2", f"{n(z * (1 - z))}·{n(W[1])}", dc),
            Line("U3*", "ds = da W_1, so far", f"{n(z * (1 - z))}·{n(W[0])}", num(ds_fuse)),
            Line("U3*", "dW_2 = ctx da", f"{n(c)}·{n(z * (1 - z))}", g_fuse.W[1, 0]),
        ]
    else:
        lines += [
            Line("U2", "z = s + ctx, the new s", f"{n(s)} + {n(c)}", z),
            Line("U2*", "dctx = dz", "1", dc),
            Line("U2*", "ds = dz, so far", "1", num(ds_fuse)),
        ]
    back, e1, e2 = weights_backward(memory, k.alpha, dc)
    a1 = num(k.alpha)
    return (
        lines
        + back
        + [
            Line(
                "AD1*",
                "ds = ds + de_1 h_1 + de_2 h_2",
                f"{n(num(ds_fuse))} + {n(e1)}·{n(h1)} + {n(e2)}·{n(h2)}",
                num(ds_fuse + ds),
            ),
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
    return [
        *given(e_1=log(4), e_2=0.0, h_1=1.0, h_2=-2.0, dctx=1.0),
        *weights(e.ravel(), memory, k.alpha, ctx),
        *back,
        Line("A2*", "dh_1 = α_1 dctx", f"{n(k.alpha[0, 0])}·1", dmemory.hs[0, 0, 0]),
    ]


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
            Line(
                mark + "2*",
                f"da_{i} = de_{i} {partner.replace('i', i)} (1 − {u}_{i}²)",
                f"{n(d)}·{n(w)}·(1 − {n(y)}²)",
                a,
            )
        )
    back += [
        Line(mark + "2*", "ds = (da_1 + da_2) W_s", f"({n(a1)} + {n(a2)})·{n(W_s)}", num(ds)),
        Line(mark + "2*", "dW_s = s (da_1 + da_2)", f"{n(s)}·({n(a1)} + {n(a2)})", num(g.W_s)),
        Line(
            mark + "1*", "dW_h = h_1 da_1 + h_2 da_2", f"{n(h1)}·{n(a1)} + {n(h2)}·{n(a2)}", num(g_keys.W_h)
        ),
    ]
    dh1, alpha1 = num(dhs), num(k.alpha)
    if score is additive:
        back += [
            Line("AB3*", "dv = de_1 u_1 + de_2 u_2", f"{n(e1)}·{n(u1)} + {n(e2)}·{n(u2)}", num(g.v)),
            Line("AB1*", "dh_1 = α_1 dctx + da_1 W_h", f"{n(alpha1)}·1 + {n(a1)}·{n(W_h)}", dh1),
        ]
    else:
        back.append(
            Line(
                "AC3*",
                "dh_1 = α_1 dctx + de_1 v_1 + da_1 W_h",
                f"{n(alpha1)}·1 + {n(e1)}·{n(u1)} + {n(a1)}·{n(W_h)}",
                dh1,
            )
        )
    return lines + back


def additive_page():
    return mixed_attention(
        additive, additive.Params(mat([1.0]), mat([0.8]), np.array([2.0])), ("u", "v"), "AB"
    )


def b4_2a():
    lines = mixed_attention(concat_dot, concat_dot.Params(mat([1.0]), mat([0.8])), ("v", "h_i"), "AC")
    alpha, k = printed_b.attend(
        printed_b.AttentionParams(mat([1.0], [0.8])), mat([0.5]), np.array([[[1.0]], [[-0.5]]]), t=0
    )
    v = num(k.v)
    return lines + [
        Line("PB6", "as printed, t = 1:  v = tanh(s W_s + h_1 W_h)", "tanh(0.5·1 + 1·0.8)", v),
        Line(
            "PB7",
            "as printed:  α_1 = exp(v h_1) / (exp(v h_1) + exp(v h_2))",
            f"exp({n(v)}·1) / (exp({n(v)}·1) + exp({n(v)}·(−0.5)))",
            num(alpha),
        ),
    ]


# Decoders and readouts -------------------------------------------------------------------------------------


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
            Line(
                "PA1",
                "as printed, two words, y = −1 is the answer:  a_1",
                "(−1)·0.8 + 0.5·(−0.6) + 0.5·0",
                a1,
            ),
            Line("PA1", "a_2", "(−1)·(−0.8) + 0.5·0 + 0.5·(−0.6)", a2),
            Line("PA2", "s_1 = σ(a_1)", f"σ({n(a1)})", s1),
            Line(
                "PA3",
                "p_1 = exp a_1 / (exp a_1 + exp a_2)",
                f"exp({n(a1)}) / (exp({n(a1)}) + exp({n(a2)}))",
                p1,
            ),
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
        Line(
            "AD1*",
            "ds' = ds' + de_1 h_1 + de_2 h_2",
            f"{n(ds0)} + {n(e1)}·{n(h1)} + {n(e2)}·{n(h2)}",
            ds0 + num(ds),
        ),
    ]
    ahead, _, s, *_ = rnn_lines(rnn, "tanh", W[:1], U, 0.0, (y,), s0, 1.0, ["y'"], ("s", "s'"))
    memory, ctx, k = two_words(dot.Params(), s, h1, h2, dot)
    e = s * h1, s * h2
    return lines + [
        ahead[0]._replace(what="after:  " + ahead[0].what),
        *ahead[1:],
        Line("AD1", "e_1 = s h_1", f"{n(s)}·{n(h1)}", e[0]),
        Line("AD1", "e_2 = s h_2", f"{n(s)}·{n(h2)}", e[1]),
        *weights(e, memory, k.alpha, ctx),
    ]


def a4_4():
    """As printed, s_0 = 0; two units, one number for each word; W_d gives [0.2, 0.8] and [0.8, 0.2]."""
    W_e, W_d = mat([1.0, -1.0], [0.5, 0.0], [0.0, 0.5]), mat([0.4 - log(4), 0.4], [0.5, 0.5], [-0.5, -0.5])
    xs, ys = (1.0, 0.5, -1.0), (1.0, -1.0)
    p = printed_a.Example(W_e, printed_a.Params(W_d))
    hs, ss, ps, k = printed_a.example(p, np.reshape(xs, (3, 1, 1)), np.reshape(ys, (2, 1, 1)))
    lines = given(I=xs[0], love=xs[1], you=xs[2], Hello=ys[0], World=ys[1])
    lines += given(**{f"W_e row {r + 1}, {j + 1}": W_e[r, j] for r in range(3) for j in range(2)})
    lines += given(**{f"W_d row {r + 1}, {j + 1}": W_d[r, j] for r in range(3) for j in range(2)})

    def total(W, x, s, j):
        return (
            f"{n(x)}·{n(W[0, j])} + {n(s[0])}·{n(W[1, j])} + {n(s[1])}·{n(W[2, j])}",
            x * W[0, j] + s @ W[1:, j],
        )

    before = np.zeros(2)
    for t, word in enumerate(("I", "love", "you")):
        for j in range(2):
            sums, _ = total(W_e, xs[t], before, j)
            lines.append(
                Line("R2", f"h_{t + 1}, entry {j + 1} = σ([{word}; h_{t}] W_e)", f"σ({sums})", hs[t, 0, j])
            )
        before = hs[t, 0]
    before = np.zeros(2)  # as printed: h_3 is not handed on
    for t, word in enumerate(("Hello", "World")):
        logits = [total(W_d, ys[t], before, j) for j in range(2)]
        for j in range(2):
            lines.append(
                Line("PA1", f"a_{t + 1}, entry {j + 1} = [{word}; s_{t}] W_d", logits[j][0], logits[j][1])
            )
            lines.append(
                Line("PA2", f"s_{t + 1}, entry {j + 1} = σ(a)", f"σ({n(logits[j][1])})", ss[t, 0, j])
            )
        for j in range(2):
            a = [n(value) for _, value in logits]
            lines.append(
                Line(
                    "PA3",
                    f"ŷ_{t + 1}, entry {j + 1} = softmax(a)",
                    f"exp({a[j]}) / (exp({a[0]}) + exp({a[1]}))",
                    ps[t, 0, j],
                )
            )
        before = ss[t, 0]
    d = np.zeros_like(ps)
    d[0, 0, 1] = -1 / ps[0, 0, 1]  # L = -log of the second entry of ŷ_1
    _, _, g = printed_a.example_backward(p, k, np.zeros_like(hs), np.zeros_like(ss), d)
    return lines + [
        Line("PA3*", "da_1, entry 1 = ŷ_1 − 0, for L = −log(ŷ_1, entry 2)", n(ps[0, 0, 0]), ps[0, 0, 0]),
        Line("PA3*", "da_1, entry 2 = ŷ_1 − 1", f"{n(ps[0, 0, 1])} − 1", ps[0, 0, 1] - 1),
        Line(
            "PA1*", "dW_d row 1, 1 = Hello da_1, entry 1", f"{n(ys[0])}·{n(ps[0, 0, 0])}", g.decoder.W_d[0, 0]
        ),
        Line(
            "PA1*",
            "dW_d row 1, 2 = Hello da_1, entry 2",
            f"{n(ys[0])}·({n(ps[0, 0, 1])} − 1)",
            g.decoder.W_d[0, 1],
        ),
        Line("PA4*", "dW_e, every entry", "0", abs(g.W_e).max()),
    ]


# Loss and clipping -----------------------------------------------------------------------------------------


def loss_lines(target, given_target, summed):
    """Three words, one token; `summed` is the line of the loss, in symbols and, from log p, in numbers."""
    a, q = (1.0, 0.0, -1.0), (0, 1, 0)
    L, k = loss.forward(np.reshape(a, (1, 1, 3)), target, np.ones((1, 1), dtype=bool))
    d, log_p = loss.backward(k).ravel(), k.log_p.ravel()
    total = sum(map(exp, a))
    lines = [
        *given(logit_0=a[0], logit_1=a[1], logit_2=a[2], **given_target),
        Line("X1", "Z = Σ_v exp logit_v", "exp(1) + exp(0) + exp(−1)", total),
    ]
    for v in range(3):
        lines.append(Line("X1", f"log p_{v} = logit_{v} − log Z", f"{n(a[v])} − log({n(total)})", log_p[v]))
    lines.append(Line("X3", summed[0], summed[1](log_p), float(L)))
    for v in range(3):
        lines.append(Line("X3*", f"dlogit_{v} = p_{v} − q_{v}", f"exp({n(log_p[v])}) − {q[v]}", d[v]))
    return [*lines, Line("X3*", "their sum is 0", " + ".join(n(x) for x in d), float(d.sum()))]


def sparse_loss():
    words = "L = −log p_1, one token: M = 1", lambda log_p: f"−{n(log_p[1])}"
    return loss_lines(np.array([[1]]), dict(y=1, q_0=0, q_1=1, q_2=0), words)


def one_hot_loss():
    words = "L = −Σ_v y_v log p_v, M = 1", lambda log_p: "−(" + " + ".join(
        f"{y}·{n(log_p[v])}" for v, y in enumerate((0, 1, 0))) + ")"
    return loss_lines(np.array([[[0.0, 1.0, 0.0]]]), dict(y_0=0, y_1=1, y_2=0, q_0=0, q_1=1, q_2=0), words)


def clipping():
    g = (np.array([3.0]), np.array([-4.0]))
    by_norm, size = optimizers.clip_by_norm(g, 2.0)
    by_value = optimizers.clip_by_value(g, 3.5)
    return [
        *given(g_1=3.0, g_2=-4.0, c=2.0),
        Line("C1", "‖g‖ = √(g_1² + g_2²)", "√(3² + (−4)²)", size),
        Line("C1", "g_1 ← g_1 c / ‖g‖, as ‖g‖ > c", f"3·2 / {n(size)}", num(by_norm[0])),
        Line("C1", "g_2 ← g_2 c / ‖g‖", f"(−4)·2 / {n(size)}", num(by_norm[1])),
        Line(
            "C2", "by value, c = 3.5:  g_1 ← max(−c, min(c, g_1))", "max(−3.5, min(3.5, 3))", num(by_value[0])
        ),
        Line(
            "C2",
            "by value, c = 3.5:  g_2 ← max(−c, min(c, g_2))",
            "max(−3.5, min(3.5, (−4)))",
            num(by_value[1]),
        ),
    ]
