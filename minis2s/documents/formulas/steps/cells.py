"""Recurrent cells: one step and short sequences, as intended and as printed."""
import numpy as np

from ....layers import linear, unroll
from ....layers.cells import gru as gru_cell, lstm as lstm_cell, rnn, rnn_sigmoid
from ...printed import b as printed_b, c as printed_c
from .line import Line, given, mat, n, num
from .shared import rnn_lines


def rnn_sigmoid_step():
    ahead, back, *_ = rnn_lines(rnn_sigmoid, "σ", (0.8,), -0.6, 0.0, (1.0,), 0.5, 1.0, ["x"])
    return [*given(**{"x": 1.0, "h'": 0.5, "W": 0.8, "U": -0.6, "dh": 1.0}), *ahead, *back]


def rnn_tanh():
    ahead, back, *_ = rnn_lines(
        rnn, "tanh", (0.5, 1.0), -0.6, 0.1, (1.0, 0.2), 0.5, 1.0, ["y'", "ctx"], ("s", "s'")
    )
    return [
        *given(**{"y'": 1.0, "ctx": 0.2, "s'": 0.5, "W_y'": 0.5, "W_ctx": 1.0, "U": -0.6, "b": 0.1, "ds": 1.0}),
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
        Line("R2", f"{s2} = tanh(a_2), the context" if s2 == "h_2" else f"{s2} = tanh(a_2)", f"tanh({n(a2)})",
             h2),
        Line("R2*", f"da_2 = d{s2} (1 − {s2}²)", f"1·(1 − {n(h2)}²)", da2),
        Line("R1*", f"d{s1} = da_2 U", f"{n(da2)}·{n(U)}", da2 * U),
        Line("R2*", f"da_1 = d{s1} (1 − {s1}²)", f"{n(da2 * U)}·(1 − {n(h1)}²)", da1),
        Line("R1*", f"dW = {x1} da_1{shares[0]} + {x2} da_2{shares[1]}",
             f"{n(xs[0])}·{n(da1)} + {n(xs[1])}·{n(da2)}", num(g.W)),
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
        lines += [Line("Y1", f"logit_{v} = context W_y{v}", f"{n(h)}·{n(W_y[v])}", logits[v]) for v in range(3)]
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
            Line("L1", f"a_{name} = x W_{name} + h' U_{name} + b_{name}",
                 f"{n(x)}·{n(W[q])} + {n(h0)}·{n(U[q])} + {n(b[q])}", a[q])
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
        Line("L1*", "dx = Σ da_k W_k, k = i, f, g, o", " + ".join(f"{n(d)}·{n(w)}" for d, w in zip(da, W)),
             num(dx)),
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
            **{"x": x, "h'": h0, "W_z": W[0], "W_r": W[1], "W_n": W[2], "U_z": U[0], "U_r": U[1], "U_n": U[2],
               "b": 0.0, "dh": 1.0}
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
        Line("G1*", "dx = da_z W_z + da_r W_r + da_n W_n",
             f"{n(da_z)}·{n(W[0])} + {n(da_r)}·{n(W[1])} + {n(da_n)}·{n(W[2])}", num(dx)),
        Line("G4*", "dh' = dh (1 − z) + dq r + da_z U_z + da_r U_r",
             f"1·(1 − {n(z)}) + {n(dq)}·{n(r)} + {n(da_z)}·{n(U[0])} + {n(da_r)}·{n(U[1])}", num(ds.h)),
        Line("G3*", "dU_n = q da_n", f"{n(q)}·{n(da_n)}", g.U[0, 2]),
    ]


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
    return lstm() + printed_candidate(*printed_b.decoder_step(p, x, state), "PB3", "h_t W_g + b_g", "1·2 + 0")


def printed_candidate(s, k, mark, words, sums):
    i, f, g, o = map(num, (k.i, k.f, k.g, k.o))
    return [Line(mark, f"as printed:  g = tanh({words})", f"tanh({sums})", g),
            Line("PB4", "c = f c' + i g", f"{n(f)}·{n(num(k.c_prev))} + {n(i)}·{n(g)}", num(s.c)),
            Line("PB5", "h = o tanh(c)", f"{n(o)}·tanh({n(num(s.c))})", num(s.h))]


def c3_1g():
    """(PC4): z on the memory, r on the input, and U_n = W_n = 1 for both."""
    x, h0, W_n = 1.0, -0.5, 1.0
    p = printed_c.GruParams(mat([1.0, 0.5], [0.5, -1.0]), np.zeros(2), mat([W_n]), np.zeros(1))
    s, k = printed_c.gru_step(p, mat([x]), printed_c.State(mat([h0])))
    z, r, q, c = map(num, (k.z, k.r, k.q, k.n))
    return gru() + [Line("PC4", "as printed:  q = z h' + r x", f"{n(z)}·{n(h0)} + {n(r)}·{n(x)}", q),
                    Line("PC5", "n = tanh(q W_n)", f"tanh({n(q)}·{n(W_n)})", c),
                    Line("PC6", "h = (1 − z) h' + z n", f"(1 − {n(z)})·{n(h0)} + {n(z)}·{n(c)}", num(s.h))]
