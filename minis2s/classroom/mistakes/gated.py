"""Wrong steps of an LSTM and a GRU."""
from itertools import permutations

import numpy as np

from .mistake import recorder
from .recurrent import sigmoid

BANK, wrong = recorder()


def blocks(a, order, wanted):
    """The blocks of `a`, read in the wrong `order`, handed out in the order `wanted`."""
    parts = dict(zip(order, np.split(a, len(order), axis=-1)))
    return [parts[gate] for gate in wanted]


# lstm-step ---------------------------------------------------------------------------------------------

def lstm_step(x, h_prev, c_prev, W, U, b, order="ifgo", phi_i=sigmoid, phi_f=sigmoid, phi_g=np.tanh,
              phi_o=sigmoid,
              a=None, c=None, h=None):
    """A right step with switches."""
    a = x @ W + h_prev @ U + b if a is None else a(x, h_prev, c_prev, W, U, b)
    i, f, g, o = blocks(a, order, "ifgo")
    i, f, g, o = phi_i(i), phi_f(f), phi_g(g), phi_o(o)
    new = f * c_prev + i * g if c is None else c(i, f, g, o, c_prev)
    return (o * np.tanh(new) if h is None else h(o, new, c_prev, g)), new


def naive_sigmoid(a):
    """Overflows to inf / inf."""
    return np.exp(a) / (1 + np.exp(a))


for order in map("".join, permutations("ifgo")):
    if order != "ifgo":
        who = {"figo": " (or i and f are swapped in c)",
               "ifog": " (the order of some courses)"}.get(order, "")
        wrong("lstm-step", f"gate order {order}", "(L1)",
              f"the gate blocks are read in the order {', '.join(order)}{who}; here they stand as i, f, g, o",
              "where a is cut into four blocks")(
            lambda x, h, c, W, U, b, order=order: lstm_step(x, h, c, W, U, b, order=order))
for name, mark, says, look, switches in (
    ("o c", "(L5)", "h is wrong, c is right: the tanh of c is missing in h = o tanh(c)",
     "what o is multiplied with",
     dict(h=lambda o, c, c_prev, g: o * c)),
    ("old c in h", "(L5)", "h is wrong, c is right: h uses the OLD cell state", "which c stands in (L5)",
     dict(h=lambda o, c, c_prev, g: o * np.tanh(c_prev))),
    ("g for c in h", "(L5)", "h is wrong, c is right: h is o times the candidate g, not o tanh(c)", "(L5)",
     dict(h=lambda o, c, c_prev, g: o * g)),
    ("sigmoid of c", "(L5)", "h is wrong, c is right: the sigmoid of c in place of its tanh", "(L5)",
     dict(h=lambda o, c, c_prev, g: o * sigmoid(c))),
    ("sigmoid for g", "(L3)", "the candidate g goes through the sigmoid: tanh is wanted", "the third block",
     dict(phi_g=sigmoid)),
    ("no tanh for g", "(L3)", "the candidate g goes through no tanh", "the third block",
     dict(phi_g=lambda a: a)),
    ("tanh for all", "(L2)", "all four blocks go through tanh: gates are sigmoids", "which blocks are gates",
     dict(phi_i=np.tanh, phi_f=np.tanh, phi_o=np.tanh)),
    ("tanh for o", "(L2)", "h is wrong, c is right: the output gate o goes through tanh, not the sigmoid",
     "the last block",
     dict(phi_o=np.tanh)),
    ("1 - f", "(L4)", "the forget gate is turned: 1 - f keeps what f should forget", "f = 1 keeps everything",
     dict(c=lambda i, f, g, o, c: (1 - f) * c + i * g)),
    ("no i", "(L4)", "the input gate i is missing: g enters c unscaled", "the second term of (L4)",
     dict(c=lambda i, f, g, o, c: f * c + g)),
    ("c' not used", "(L4)", "the old cell state is not used: c = i g", "the first term of (L4)",
     dict(c=lambda i, f, g, o, c: i * g)),
    ("tanh in c", "(L4)", "c itself goes through a tanh: the cell state must be able to grow",
     "(L4) has no tanh",
     dict(c=lambda i, f, g, o, c: np.tanh(f * c + i * g))),
    ("g not gated into c", "(L4)", "o takes part in c: c = f c' + o g", "which gate lets g in",
     dict(c=lambda i, f, g, o, c: f * c + o * g)),
    ("U transposed within blocks", "(L1)", "each gate's block of U is transposed", "rows are examples: h' U",
     dict(a=lambda x, h, c, W, U, b: x @ W + np.concatenate([h @ B.T for B in np.split(U, 4, axis=1)],
                                                            axis=1) + b)),
    ("no bias", "(L1)", "the bias is missing", "the third term of a",
     dict(a=lambda x, h, c, W, U, b: x @ W + h @ U)),
    ("c' in the gates", "(L1)", "the gates read the old CELL state in place of the old h",
     "which state stands before U",
     dict(a=lambda x, h, c, W, U, b: x @ W + c @ U + b)),
    ("no h'", "(L1)", "the gates do not read h': the term h' U is missing", "(L1)",
     dict(a=lambda x, h, c, W, U, b: x @ W + b)),
    ("forget bias added", "(L1)",
     "1 is added to the forget gate's block: the forget bias already stands in b",
     "what is added to a_f", dict(phi_f=lambda a: sigmoid(a + 1))),
):
    wrong("lstm-step", name, mark, says, look)(
        lambda x, h, c, W, U, b, switches=switches: lstm_step(x, h, c, W, U, b, **switches))
wrong("lstm-step", "sigmoid overflows", "(L2)",
      "the sigmoid is exp(a) / (1 + exp(a)), which is inf / inf for large a",
      "the sigmoid at a = 1000: exp(-a) overflows more kindly")(
    lambda x, h, c, W, U, b: lstm_step(x, h, c, W, U, b, phi_i=naive_sigmoid, phi_f=naive_sigmoid,
                                       phi_o=naive_sigmoid))
wrong("lstm-step", "outputs swapped", "(L5)", "h and c are returned in the wrong order",
      "the line with return")(
    lambda x, h, c, W, U, b: lstm_step(x, h, c, W, U, b)[::-1])
for name, mark, says, switches in (
    ("no forget gate", "(L4)",
     "an LSTM without forget gate, c = c' + i g, as in Hochreiter & Schmidhuber (1997)",
     dict(c=lambda i, f, g, o, c: c + i * g)),
    ("coupled gates", "(L4)", "an LSTM with coupled gates, i = 1 - f",
     dict(c=lambda i, f, g, o, c: f * c + (1 - f) * g)),
    ("coupled gates by i", "(L4)", "an LSTM with coupled gates, f = 1 - i",
     dict(c=lambda i, f, g, o, c: (1 - i) * c + i * g)),
):
    wrong("lstm-step", name, mark, says, "(L4): f and i are two gates here", variant=True)(
        lambda x, h, c, W, U, b, switches=switches: lstm_step(x, h, c, W, U, b, **switches))

# gru-step ----------------------------------------------------------------------------------------------


def gru_step(x, h_prev, W, U, b, order="zrn", phi_n=np.tanh, reset="before", h=None, phi=sigmoid):
    """A right step with switches."""
    x_z, x_r, x_n = blocks(x @ W + b, order, "zrn")
    U_z, U_r, U_n = blocks(U, order, "zrn")
    z, r = phi(x_z + h_prev @ U_z), phi(x_r + h_prev @ U_r)
    share = {"before": lambda: (r * h_prev) @ U_n, "after": lambda: r * (h_prev @ U_n),
             "none": lambda: h_prev @ U_n,
             "z": lambda: (z * h_prev) @ U_n, "turned": lambda: ((1 - r) * h_prev) @ U_n,
             "no state": lambda: np.zeros_like(h_prev), "gate alone": lambda: r @ U_n}
    n = phi_n(r * x_n + h_prev @ U_n) if reset == "input" else phi_n(x_n + share[reset]())
    return (1 - z) * h_prev + z * n if h is None else h(z, n, h_prev)


def _swapped(z, n, h):
    return z * h + (1 - z) * n


for name, mark, says, switches in (
    ("z swapped", "(G4)", "z and 1 - z are swapped, as PyTorch and cuDNN have it: h = z h' + (1 - z) n",
     dict(h=_swapped)),
    ("reset after", "(GA3)",
     "the reset gate stands AFTER the recurrent product, r (h' U_n): the form of gru_after.py",
     dict(reset="after")),
    ("PyTorch's form", "(GA4)", "reset after the product, and z and 1 - z swapped: this is PyTorch's GRU",
     dict(reset="after", h=_swapped)),
):
    wrong("gru-step", name, mark, says, "(G3) and (G4): which form this exercise asks for", variant=True)(
        lambda x, h, W, U, b, switches=switches: gru_step(x, h, W, U, b, **switches))
for order in ("rzn", "znr", "nzr", "nrz", "rnz"):
    wrong("gru-step", f"gate order {order}", "(G1)", f"the gate blocks are read in the order "
          f"{', '.join(order)}; here they stand "
          "as z, r, n", "where the blocks are cut")(
        lambda x, h, W, U, b, order=order: gru_step(x, h, W, U, b, order=order))
for name, mark, says, look, switches in (
    ("reset not used", "(G2)", "the reset gate is not used: n reads h' unscaled", "q = r h'",
     dict(reset="none")),
    ("z for r", "(G2)", "the update gate z scales h' inside n: that is the reset gate's work", "q = r h'",
     dict(reset="z")),
    ("1 - r", "(G2)", "the reset gate is turned: 1 - r in place of r", "r = 1 lets all of h' through",
     dict(reset="turned")),
    ("reset on the input", "(G2)", "the reset gate scales the input's share in place of the state's",
     "q = r h'",
     dict(reset="input")),
    ("n without state", "(G3)", "the candidate n does not read the state: q U is missing", "(G3)",
     dict(reset="no state")),
    ("gate alone", "(G2)", "n reads r itself in place of r h'", "q = r h'", dict(reset="gate alone")),
    ("sigmoid for n", "(G3)", "the candidate n goes through the sigmoid: tanh is wanted", "(G3)",
     dict(phi_n=sigmoid)),
    ("no tanh for n", "(G3)", "the candidate n goes through no tanh", "(G3)", dict(phi_n=lambda a: a)),
    ("tanh for the gates", "(G1)", "z and r go through tanh: gates are sigmoids", "(G1)", dict(phi=np.tanh)),
    ("no old state", "(G4)", "the old state's share is missing: h = z n", "(G4)",
     dict(h=lambda z, n, h: z * n)),
    ("no gate on the old state", "(G4)", "the old state enters unscaled: h = h' + z n", "(G4)",
     dict(h=lambda z, n, h: h + z * n)),
    ("candidate alone", "(G4)", "this is the candidate n: the mixing with h' is missing", "(G4)",
     dict(h=lambda z, n, h: n)),
):
    wrong("gru-step", name, mark, says, look)(
        lambda x, h, W, U, b, switches=switches: gru_step(x, h, W, U, b, **switches))
wrong("gru-step", "sigmoid overflows", "(G1)",
      "the sigmoid is exp(a) / (1 + exp(a)), which is inf / inf for large a",
      "the sigmoid at a = 1000")(lambda x, h, W, U, b: gru_step(x, h, W, U, b, phi=naive_sigmoid))
wrong("gru-step", "no bias", "(G1)", "the bias is missing", "the third term")(
    lambda x, h, W, U, b: gru_step(x, h, W, U, 0 * b))
wrong("gru-step", "U transposed", "(G1)", "each gate's block of U is transposed", "rows are examples: h' U")(
    lambda x, h, W, U, b: gru_step(x, h, W, np.concatenate([B.T for B in np.split(U, 3, axis=1)], axis=1), b))
