"""Wrong LSTM and GRU steps, backward steps, and an LSTM's backpropagation through time."""
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

# lstm-step-backward, and over time ----------------------------------------------------------------------


def lstm_back(x, h_prev, c_prev, i, f, g, o, c, W, U, dh, dc, bugs=()):
    """A right backward step; each name in `bugs` makes one thing wrong: -> the step's results, and da."""
    bug, tanh_c = set(bugs).__contains__, np.tanh(c)
    do = dh * (c if bug("c for tanh c in do") else tanh_c)
    slope = 1 - c**2 if bug("1 - c^2") else 1 if bug("no tanh derivative in dc") else 1 - tanh_c**2
    through = dh * slope * (1 if bug("o missing in dc") else o)
    dc = through if bug("dc carry dropped") else dc if bug("dh path into dc dropped") else dc + through
    df = dc * (c if bug("c_t for c_{t-1} in df") else c_prev)
    di, dg = (dc * i, dc * g) if bug("di and dg swapped") else (dc * g, dc * i)
    dc_prev = dc if bug("dc without f") else dc * i if bug("dc times i") else dc * f

    def slope_of(gate):
        return (sigmoid(gate) * (1 - sigmoid(gate)) if bug("sigmoid derivative of the input") else
                1 - gate**2 if bug("tanh's derivative for gates") else
                1 if bug("no gate derivatives") else gate * (1 - gate))
    slope_g = (1 - np.tanh(g)**2 if bug("tanh derivative of the input") else
               g * (1 - g) if bug("sigmoid's derivative for g") else 1 - g if bug("1 - g") else 1 - g**2)
    parts = {"i": di * slope_of(i), "f": df * slope_of(f), "g": dg * slope_g, "o": do * slope_of(o)}
    order = next((name.split()[-1] for name in bugs if name.startswith("gate order")), "ifgo")
    da = np.concatenate([parts[gate] for gate in order], axis=1)
    dU = h_prev.T @ da
    if bug("h_t in dU"):
        dU = (o * tanh_c).T @ da
    db = da.mean(axis=0) if bug("db mean") else da[0] if bug("db of one example") else da.sum(axis=0)
    back = np.concatenate(np.split(U, 4, axis=1), axis=0) if bug("U for U^T") else U.T
    return da @ W.T, da @ back, dc_prev, x.T @ da, dU, db, da


STEP_BACK = (
    ("dc carry dropped", "(L5*)", "the cell gradient dc carried back from t+1 is missing", "dc is a sum: c "
     "feeds h_t AND c_{t+1}"),
    ("dh path into dc dropped", "(L5*)",
     "dc is only what came from t+1: the path from h through tanh(c) is missing",
     "dc is a sum: c feeds h_t AND c_{t+1}"),
    ("dc without f", "(L4*)", "dc is handed to t-1 without the forget gate: dc' = dc f",
     "what c' was multiplied with in (L4)"),
    ("dc times i", "(L4*)", "dc is handed to t-1 with the input gate i in place of f",
     "what c' was multiplied with in (L4)"),
    ("c_t for c_{t-1} in df", "(L4*)", "the forget gate's gradient uses c of this step, and f multiplied c'",
     "which c stands beside f in (L4)"),
    ("c for tanh c in do", "(L5*)", "the o block is wrong: do uses c in place of tanh(c)",
     "what o was multiplied with in (L5)"),
    ("di and dg swapped", "(L4*)", "the blocks i and g are wrong: di and dg are swapped", "di = dc g, dg = "
     "dc i: each gets the "
     "other's value"),
    ("o missing in dc", "(L5*)", "the factor o is missing on the way from dh to dc", "(L5*), second part"),
    ("no tanh derivative in dc", "(L5*)",
     "tanh's derivative 1 - tanh(c)^2 is missing on the way from dh to dc",
     "(L5*), second part"),
    ("1 - c^2", "(L5*)", "tanh's derivative at c is 1 - tanh(c)^2, not 1 - c^2", "(L5*), second part"),
    ("sigmoid derivative of the input", "(L2*)", "the gates' derivative is taken as if i, f, o were INPUTS "
     "of the sigmoid: "
     "they are its outputs", "k (1 - k)"),
    ("tanh's derivative for gates", "(L2*)",
     "the gates i, f, o get tanh's derivative 1 - k^2; they are sigmoids",
     "k (1 - k)"),
    ("no gate derivatives", "(L2*)", "the sigmoids' derivative is missing in the blocks i, f, o",
     "k (1 - k)"),
    ("tanh derivative of the input", "(L3*)",
     "only block g is wrong: its derivative is taken as if g were the INPUT of tanh",
     "1 - g^2"),
    ("sigmoid's derivative for g", "(L3*)",
     "only block g is wrong: g (1 - g) is the sigmoid's derivative, g is a tanh",
     "1 - g^2"),
    ("1 - g", "(L3*)", "only block g is wrong: the square is missing in 1 - g^2", "1 - g^2"),
    ("db mean", "(L1*)", "only db is wrong: the examples are averaged, wanted is their sum",
     "sum or mean over n"),
    ("db of one example", "(L1*)", "only db is wrong: it takes the first example, not the sum over all",
     "the sum over n"),
    ("h_t in dU", "(L1*)", "only dU is wrong: it is built with h of this step, and U multiplied h'",
     "which state stands before U in (L1)"),
    ("U for U^T", "(L1*)", "the way back to h' goes through U's blocks untransposed",
     "da U^T, all four blocks at once"),
)
GATE_ORDERS = tuple("".join(p) for p in permutations("ifgo") if "".join(p) != "ifgo")
LSB, LB = "lstm-step-backward", "lstm-bptt"
for name, mark, says, look in STEP_BACK:
    wrong(LSB, name, mark, says, look)(lambda *given, name=name: lstm_back(*given, bugs=(name,))[:6])
for order in GATE_ORDERS:
    wrong(LSB, f"gate order {order}", "(L1*)", f"the gate blocks of da stand in the order "
          f"{', '.join(order)}; "
          "W's blocks are i, f, g, o", "where the four parts are put side by side")(
        lambda *given, order=order: lstm_back(*given, bugs=(f"gate order {order}",))[:6])
wrong(LSB, "carry before U^T", "(L1*)", "dh_prev is dh itself: it did not go through the cell", "da U^T")(
    lambda *given: (lambda r: (r[0], given[-2].copy(), *r[2:6]))(lstm_back(*given)))
wrong(LSB, "sign", "(L1*)", "every gradient has the wrong sign", "the first minus on the way")(
    lambda *given: tuple(-r for r in lstm_back(*given)[:6]))
wrong(LSB, "divided by N", "(L1*)", "dW, dU and db are divided by N: the loss has taken its mean already",
      "whether any division belongs here")(
    lambda *given: (lambda r: (*r[:3], *(g / len(given[0]) for g in r[3:6])))(lstm_back(*given)))


def lstm_bptt(W, U, xs, h0, c0, gates, hs, cs, mask, dhs, dc_T, bugs=()):
    """A right backpropagation through time; each name in `bugs` makes one thing wrong."""
    T, bug = len(xs), set(bugs).__contains__
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros(U.shape[1])
    dxs, dh, dc = np.zeros_like(xs), np.zeros_like(h0), np.zeros_like(c0) if bug("dc_T dropped") else dc_T
    steps = next((int(name.split()[-1]) for name in bugs if name.startswith("truncated")), T)
    for t in reversed(range(T)):
        m = np.ones_like(h0, bool) if bug("mask ignored") else np.broadcast_to(mask[t][:, None], h0.shape)
        carried = np.zeros_like(dh) if bug("dh carry dropped") else dh
        d = (0 if bug("upstream dropped") and t < T - 1 else np.where(m, dhs[t], 0) if bug("dhs masked")
             else dhs[t]) + carried
        if t < T - steps:
            if not bug("keep zero"):
                break
            d, dc = np.zeros_like(d), np.zeros_like(dc)
        h_prev, c_prev = (hs[t - 1], cs[t - 1]) if t else (h0, cs[0] if bug("c0 overwritten") else c0)
        if bug("h0 overwritten") and t == 0:
            h_prev = hs[0]
        if t == 0 and bug("zero initial states"):
            h_prev, c_prev = 0 * h0, 0 * c0
        last = mask[t] & ~mask[t + 1] if t < T - 1 else mask[t]                # where a sequence ends
        arrived = np.zeros_like(dc) if bug("dc carry dropped") and t < T - 1 else \
            np.where((last | ~mask[t])[:, None], dc, 0) if bug("dc carry dropped before the end") else dc
        step = [b if b != "dc never used" else "dc carry dropped" for b in bugs if b != "dc carry dropped"]
        dx, h_back, c_back, dW_t, dU_t, db_t, da = lstm_back(
            xs[t], h_prev, c_prev, *np.split(gates[t], 4, axis=1), cs[t], W, U, np.where(m, d, 0),
            np.where(m, arrived, 0), step)
        if t == 0 and bug("dh0 before U^T"):
            h_back = sum(np.split(da, 4, axis=1))
        dxs[t] = dx
        keep = 0 if bug("carry lost at padding") else 1
        dh, dc = np.where(m, h_back, keep * d), np.where(m, c_back, keep * arrived)
        one = (bug("one step's weights (t = 1)") and t > 0) or (bug("one step's weights (t = T)") and t < T
                                                                - 1)
        if not one:
            dW, dU = dW + dW_t, dU + dU_t
            db = db + (0 if bug("db of t = 1") and t > 0 or bug("db of t = T") and t < T - 1 else db_t)
    scale = xs.shape[1] if bug("divided by N") else T if bug("divided by T") else 1
    sign = -1 if bug("sign") else 1
    dc0 = dc_T.copy() if bug("dc0 is dc_T") else dc
    return tuple(sign * r for r in (dxs, dh, dc0, dW / scale, dU / scale, db / scale))


# The step's mistakes again, as they show over time.
OVER_TIME = {
    "dc carry dropped": "dxs is right at t = T and wrong before: the cell gradient dc carried back from t+1 "
    "is missing",
    "dc without f": "dxs is right at t = T and wrong before, and dc0 is wrong: dc is carried back without "
    "the forget gate f",
    "c_t for c_{t-1} in df": "wrong at every t in block f: its gradient uses c_t, and f multiplied c_{t-1}",
    "c for tanh c in do": "wrong already at t = T, in block o: do uses c in place of tanh(c)",
}
for name, mark, says, look in STEP_BACK:
    alone = says.startswith(("only db", "only dU"))
    says = OVER_TIME.get(name, says if alone else "at every step: " + says.replace("only block g is wrong: ",
                                                                                   "in block g, "))
    record = wrong(LB, name, mark, says, look)
    others = ("dc never used", "dc carry dropped before the end") if name == "dc carry dropped" else ()
    for form in (name, *others):
        record(lambda *given, form=form: lstm_bptt(*given, bugs=(form,)))
for order in GATE_ORDERS:
    wrong(LB, f"gate order {order}", "(L1*)", f"at every step the gate blocks of da stand in the order "
          f"{', '.join(order)}; "
          "W's blocks are i, f, g, o", "where the four parts are put side by side")(
        lambda *given, order=order: lstm_bptt(*given, bugs=(f"gate order {order}",)))
for name, mark, says, look in (
    ("dh carry dropped", "(L1*)",
     "dxs is right at t = T and wrong before: the gradient dh carried back from t+1 is missing "
     "(dc is carried)", "where dhs[t] and the carry are added"),
    ("upstream dropped", "(M1*)",
     "dxs is right at t = T and wrong before: dhs[t] from outside is used at the last step only",
     "the sum at the head of the loop: h_t is output AND carry"),
    ("truncated 1", "(M1*)",
     "the last step alone gets a gradient: the loop stops after one step (truncated BPTT, k = 1)",
     "the range of the loop"),
    ("truncated 2", "(M1*)", "the last 2 steps are right, all before get nothing: truncated BPTT, k = 2",
     "the range of the loop"),
    ("truncated 3", "(M1*)", "the last 3 steps are right, all before get nothing: truncated BPTT, k = 3",
     "the range of the loop"),
    ("dc_T dropped", "(M1*)",
     "the final cell state's gradient dc_T is not used: the decoder got c_T, but its gradient never "
     "reaches the encoder", "the value of dc before the loop"),
    ("dc0 is dc_T", "(L4*)", "only dc0 is wrong: it is dc_T, which did not go through the steps",
     "what is left of dc after "
     "the loop"),
    ("c0 overwritten", "(L4*)",
     "dxs is wrong only at t = 1: c_1 stands there where c_0 belongs (c0 was a view into the cell "
     "sequence and got overwritten)", "c_{t-1} at t = 1"),
    ("h0 overwritten", "(L1*)", "only dU is wrong, by the term of t = 1: h_1 stands there where h_0 belongs",
     "h_{t-1} at t = 1"),
    ("zero initial states", "(L1*)", "h0 and c0 are taken as zeros at t = 1", "h_{t-1} and c_{t-1} at t = 1"),
    ("one step's weights (t = 1)", "(L1*)", "dxs, dh0, dc0 are right; dW, dU, db hold the term of t = 1 "
     "alone: assigned at "
     "every step in place of summed", "W is used at every t: = or +="),
    ("one step's weights (t = T)", "(L1*)",
     "dxs, dh0, dc0 are right; dW, dU, db hold the term of t = T alone",
     "W is used at every t: the sum over the loop"),
    ("db of t = 1", "(L1*)", "only db is wrong: it is the term of t = 1, not the sum over time",
     "= or += for db"),
    ("db of t = T", "(L1*)", "only db is wrong: it is the term of t = T, not the sum over time",
     "the sum for db"),
    ("dh0 before U^T", "(L1*)", "only dh0 is wrong: the product with U^T is missing at t = 1",
     "the way from a_1 back to h_0"),
    ("divided by N", "(L1*)", "dW, dU and db are divided by N: the loss has taken its mean already",
     "whether any division belongs here"),
    ("divided by T", "(L1*)", "dW, dU and db are divided by T: weights get the SUM over time",
     "whether any division belongs here"),
    ("sign", "(L1*)", "every gradient has the wrong sign", "the first minus on the way"),
    ("mask ignored", "(M1*)", "the mask is not used: padded steps are treated as real ones",
     "dxs at padding: it should be 0"),
    ("carry lost at padding", "(M1*)",
     "padding gets no gradient, but the carries are lost there, too: they must pass on "
     "unchanged", "what a padded step hands to t-1"),
    ("dhs masked", "(M1*)",
     "dhs[t] is thrown away at padding: h_t is there the carried state, so its gradient goes on to t-1",
     "the order of the sum and the mask"),
):
    record = wrong(LB, name, mark, says, look)
    for bugs in ((name,), (name, "keep zero")) if name.startswith("truncated") else ((name,),):
        record(lambda *given, bugs=bugs: lstm_bptt(*given, bugs=bugs))

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

# gru-step-backward -------------------------------------------------------------------------------------


def gru_back(x, h_prev, z, r, n, W, U, dh, bugs=()):
    """A right backward step; each name in `bugs` makes one thing wrong."""
    bug, H = set(bugs).__contains__, h_prev.shape[1]
    U_zr, U_n, q = U[:, :2 * H], U[:, 2 * H:], r * h_prev
    dz, dn = dh * (h_prev - n if bug("sign of dz") else n if bug("h' missing in dz") else n - h_prev), dh * z
    if bug("1 - z in dn"):
        dn = dh * (1 - z)
    slope = (1 - np.tanh(n)**2 if bug("tanh derivative of the input") else
             n * (1 - n) if bug("sigmoid's derivative for n") else
             1 if bug("no derivative for n") else 1 - n**2)
    da_n = dn * slope
    dq = da_n @ (U_n if bug("U_n for U_n^T") else U_n.T)
    dr = dq * (n if bug("n for h' in dr") else q if bug("q for h' in dr") else h_prev)
    if bug("dr before U_n^T"):
        dr = da_n * h_prev

    def slope_of(k):
        return sigmoid(k) * (1 - sigmoid(k)) if bug("sigmoid derivative of the input") else 1 - k**2 \
            if bug("tanh's derivative for gates") else 1 if bug("no gate derivatives") else k * (1 - k)
    parts = {"z": dz * slope_of(z), "r": dr * slope_of(r), "n": da_n}
    zr, direct, gated = np.concatenate([parts["z"], parts["r"]], axis=1), dh * (1 - z), dq * r
    if bug("z in the direct path"):
        direct = dh * z
    dh_prev = (0 if bug("direct path missing") else direct) + (0 if bug("path through q missing") else
                                                                dq if bug("r missing in dq r") else gated)
    if not bug("path through the gates missing"):
        dh_prev = dh_prev + (zr[:, :H] @ U_zr[:, :H].T if bug("path through r missing") else zr @ U_zr.T)
    order = next((name.split()[-1] for name in bugs if name.startswith("gate order")), "zrn")
    da = np.concatenate([parts[gate] for gate in order], axis=1)
    dU = np.concatenate([h_prev.T @ zr, (h_prev if bug("h' for q in dU_n") else r if bug("r for q in dU_n")
                                         else q).T @ da_n],
                        axis=1)
    if order != "zrn":
        dU = np.concatenate([dict(zip("zrn", np.split(dU, 3, axis=1)))[gate] for gate in order], axis=1)
    db = da.mean(axis=0) if bug("db mean") else da[0] if bug("db of one example") else da.sum(axis=0)
    return da @ W.T, dh_prev, x.T @ da, dU, db


GSB = "gru-step-backward"
for name, mark, says, look in (
    ("direct path missing", "(G4*)", "only dh_prev is wrong: the direct path dh (1 - z) is missing",
     "h' is used three times"),
    ("path through q missing", "(G2*)", "only dh_prev is wrong: the path through q, dq r, is missing",
     "h' is used three times"),
    ("path through the gates missing", "(G1*)",
     "only dh_prev is wrong: the path through z and r, da_zr U_zr^T, is missing",
     "h' is used three times"),
    ("path through r missing", "(G1*)", "only dh_prev is wrong: the path through the reset gate is missing",
     "U_zr has two blocks"),
    ("r missing in dq r", "(G2*)", "only dh_prev is wrong: dq enters without the factor r", "(G2*)"),
    ("z in the direct path", "(G4*)", "only dh_prev is wrong: the direct path has z in place of 1 - z",
     "what h' is multiplied with in (G4)"),
    ("h' for q in dU_n", "(G3*)", "only dU is wrong, in block n: U_n multiplied q = r h', not h'",
     "the left side of dU_n"),
    ("r for q in dU_n", "(G3*)", "only dU is wrong, in block n: U_n multiplied q = r h', not r",
     "the left side of dU_n"),
    ("sign of dz", "(G4*)", "block z has the wrong sign: h' - n in place of n - h'",
     "the derivative of (1-z) h' + z n by z"),
    ("h' missing in dz", "(G4*)", "block z is wrong: dz = dh n, and z also takes away from h'",
     "z stands twice in (G4)"),
    ("1 - z in dn", "(G4*)", "dn uses 1 - z in place of z: that belongs to the other form of the GRU",
     "what n is multiplied with in (G4)"),
    ("tanh derivative of the input", "(G3*)",
     "block n is wrong: tanh's derivative is taken as if n were its INPUT", "1 - n^2"),
    ("sigmoid's derivative for n", "(G3*)",
     "block n is wrong: n (1 - n) is the sigmoid's derivative, n is a tanh", "1 - n^2"),
    ("no derivative for n", "(G3*)", "block n is wrong: tanh's derivative is missing", "1 - n^2"),
    ("U_n for U_n^T", "(G3*)",
     "dq goes back through U_n in place of U_n^T (the shapes agree): block r and dh_prev are wrong",
     "the product that makes dq"),
    ("n for h' in dr", "(G2*)", "block r is wrong: dr uses n in place of h'",
     "what r was multiplied with in (G2)"),
    ("q for h' in dr", "(G2*)",
     "block r is wrong: dr uses q in place of h': r must not stand in its own derivative",
     "what r was multiplied with in (G2)"),
    ("dr before U_n^T", "(G2*)",
     "block r is wrong: dr is made of da_n; between them lies the product with U_n^T",
     "dr = dq h'"),
    ("sigmoid derivative of the input", "(G1*)",
     "blocks z and r are wrong: their derivative is taken as if they were INPUTS "
     "of the sigmoid", "k (1 - k)"),
    ("tanh's derivative for gates", "(G1*)", "z and r get tanh's derivative 1 - k^2; they are sigmoids",
     "k (1 - k)"),
    ("no gate derivatives", "(G1*)", "the sigmoids' derivative is missing in blocks z and r", "k (1 - k)"),
    ("db mean", "(G1*)", "only db is wrong: the examples are averaged, wanted is their sum",
     "sum or mean over n"),
    ("db of one example", "(G1*)", "only db is wrong: it takes the first example, not the sum over all",
     "the sum over n"),
):
    wrong(GSB, name, mark, says, look)(lambda *given, name=name: gru_back(*given, bugs=(name,)))
for order in ("rzn", "znr", "nzr", "nrz", "rnz"):
    wrong(GSB, f"gate order {order}", "(G1*)", f"the gate blocks of the gradients stand in the order "
          f"{', '.join(order)}; "
          "W's blocks are z, r, n", "where the parts are put side by side")(
        lambda *given, order=order: gru_back(*given, bugs=(f"gate order {order}",)))


@wrong(GSB, "z swapped", "(G4*)", "this is the backward of the GRU with z and 1 - z swapped (PyTorch's z)",
       "(G4): z is the share of the candidate", variant=True)
def _swapped_back(x, h_prev, z, r, n, W, U, dh):
    H = h_prev.shape[1]
    dz, da_n = dh * (h_prev - n), dh * (1 - z) * (1 - n**2)
    dq = da_n @ U[:, 2 * H:].T
    zr = np.concatenate([dz * z * (1 - z), dq * h_prev * r * (1 - r)], axis=1)
    da = np.concatenate([zr, da_n], axis=1)
    dU = np.concatenate([h_prev.T @ zr, (r * h_prev).T @ da_n], axis=1)
    return da @ W.T, dh * z + dq * r + zr @ U[:, :2 * H].T, x.T @ da, dU, da.sum(axis=0)


@wrong(GSB, "reset after", "(GA3*)",
       "this is the backward of the GRU that resets AFTER the product (PyTorch's form)",
       "(G2) and (G3): q = r h' goes through U_n", variant=True)
def _after_back(x, h_prev, z, r, n, W, U, dh):
    H = h_prev.shape[1]
    m = h_prev @ U[:, 2 * H:]
    da_n = dh * z * (1 - n**2)
    da_z, da_r = dh * (n - h_prev) * z * (1 - z), da_n * m * r * (1 - r)
    du = np.concatenate([da_z, da_r, da_n * r], axis=1)
    da = np.concatenate([da_z, da_r, da_n], axis=1)
    return da @ W.T, dh * (1 - z) + du @ U.T, x.T @ da, h_prev.T @ du, da.sum(axis=0)
