"""Wrong backward steps of an LSTM: one right function, and each mistake as an edit of its text."""
from itertools import permutations

import numpy as np

from .edited import edits_of
from .mistake import recorder
from .recurrent import sigmoid  # noqa: F401  (edits use it)

BANK, wrong = recorder()


def lstm_back(x, h_prev, c_prev, i, f, g, o, c, W, U, dh, dc):
    """A right backward step."""
    tanh_c = np.tanh(c)
    do = dh * tanh_c
    dc = dc + dh * o * (1 - tanh_c**2)
    df = dc * c_prev
    dc_prev = dc * f
    di, dg = dc * g, dc * i
    da_i, da_f, da_o = di * i * (1 - i), df * f * (1 - f), do * o * (1 - o)
    da_g = dg * (1 - g**2)
    da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)
    dh_prev = da @ U.T
    dW, dU, db = x.T @ da, h_prev.T @ da, da.sum(axis=0)
    return da @ W.T, dh_prev, dc_prev, dW, dU, db


STEP = (
    ("dc carry dropped", "(L5*)",
     "the cell gradient dc carried back from t+1 is missing",
     "dc is a sum: c feeds h_t AND c_{t+1}",
     [("dc = dc + dh * o", "dc = dh * o")]),
    ("dh path into dc dropped", "(L5*)",
     "dc is only what came from t+1: the path from h through tanh(c) is missing",
     "dc is a sum: c feeds h_t AND c_{t+1}",
     [("dc = dc + dh * o * (1 - tanh_c**2)", "dc = dc")]),
    ("dc without f", "(L4*)",
     "dc is handed to t-1 without the forget gate: dc' = dc f",
     "what c' was multiplied with in (L4)",
     [("dc_prev = dc * f", "dc_prev = dc")]),
    ("dc times i", "(L4*)",
     "dc is handed to t-1 with the input gate i in place of f",
     "what c' was multiplied with in (L4)",
     [("dc_prev = dc * f", "dc_prev = dc * i")]),
    ("c_t for c_{t-1} in df", "(L4*)",
     "the forget gate's gradient uses c of this step, and f multiplied c'",
     "which c stands beside f in (L4)",
     [("df = dc * c_prev", "df = dc * c")]),
    ("c for tanh c in do", "(L5*)",
     "the o block is wrong: do uses c in place of tanh(c)",
     "what o was multiplied with in (L5)",
     [("do = dh * tanh_c", "do = dh * c")]),
    ("di and dg swapped", "(L4*)",
     "the blocks i and g are wrong: di and dg are swapped",
     "di = dc g, dg = dc i: each gets the other's value",
     [("di, dg = dc * g, dc * i", "di, dg = dc * i, dc * g")]),
    ("o missing in dc", "(L5*)",
     "the factor o is missing on the way from dh to dc",
     "(L5*), second part",
     [("dh * o * (1", "dh * (1")]),
    ("no tanh derivative in dc", "(L5*)",
     "tanh's derivative 1 - tanh(c)^2 is missing on the way from dh to dc",
     "(L5*), second part",
     [("dh * o * (1 - tanh_c**2)", "dh * o")]),
    ("1 - c^2", "(L5*)",
     "tanh's derivative at c is 1 - tanh(c)^2, not 1 - c^2",
     "(L5*), second part",
     [("(1 - tanh_c**2)", "(1 - c**2)")]),
    ("sigmoid derivative of the input", "(L2*)",
     "the gates' derivative is taken as if i, f, o were INPUTS of the sigmoid: they are its "
     "outputs",
     "k (1 - k)",
     [("di * i * (1 - i)", "di * sigmoid(i) * (1 - sigmoid(i))"),
      ("df * f * (1 - f)", "df * sigmoid(f) * (1 - sigmoid(f))"),
      ("do * o * (1 - o)", "do * sigmoid(o) * (1 - sigmoid(o))")]),
    ("tanh's derivative for gates", "(L2*)",
     "the gates i, f, o get tanh's derivative 1 - k^2; they are sigmoids",
     "k (1 - k)",
     [("di * i * (1 - i)", "di * (1 - i**2)"),
      ("df * f * (1 - f)", "df * (1 - f**2)"),
      ("do * o * (1 - o)", "do * (1 - o**2)")]),
    ("no gate derivatives", "(L2*)",
     "the sigmoids' derivative is missing in the blocks i, f, o",
     "k (1 - k)",
     [("di * i * (1 - i), df * f * (1 - f), do * o * (1 - o)", "di, df, do")]),
    ("tanh derivative of the input", "(L3*)",
     "only block g is wrong: its derivative is taken as if g were the INPUT of tanh",
     "1 - g^2",
     [("dg * (1 - g**2)", "dg * (1 - np.tanh(g)**2)")]),
    ("sigmoid's derivative for g", "(L3*)",
     "only block g is wrong: g (1 - g) is the sigmoid's derivative, g is a tanh",
     "1 - g^2",
     [("dg * (1 - g**2)", "dg * g * (1 - g)")]),
    ("1 - g", "(L3*)",
     "only block g is wrong: the square is missing in 1 - g^2",
     "1 - g^2",
     [("dg * (1 - g**2)", "dg * (1 - g)")]),
    ("db mean", "(L1*)",
     "only db is wrong: the examples are averaged, wanted is their sum",
     "sum or mean over n",
     [("da.sum(axis=0)", "da.mean(axis=0)")]),
    ("db of one example", "(L1*)",
     "only db is wrong: it takes the first example, not the sum over all",
     "the sum over n",
     [("da.sum(axis=0)", "da[0]")]),
    ("h_t in dU", "(L1*)",
     "only dU is wrong: it is built with h of this step, and U multiplied h'",
     "which state stands before U in (L1)",
     [("h_prev.T @ da", "(o * tanh_c).T @ da")]),
    ("U for U^T", "(L1*)",
     "the way back to h' goes through U's blocks untransposed",
     "da U^T, all four blocks at once",
     [("da @ U.T", "da @ np.concatenate(np.split(U, 4, axis=1))")]),
    ("no sigma' in i", "(L2*)",
     "only block i is wrong: the sigmoid's derivative is missing there, not in the other gates",
     "da_i: k (1 - k) for all three gates",
     [("di * i * (1 - i)", "di")]),
    ("no sigma' in f", "(L2*)",
     "only block f is wrong: the sigmoid's derivative is missing there, not in the other gates",
     "da_f: k (1 - k) for all three gates",
     [("df * f * (1 - f)", "df")]),
    ("no sigma' in o", "(L2*)",
     "only block o is wrong: the sigmoid's derivative is missing there, not in the other gates",
     "da_o: k (1 - k) for all three gates",
     [("do * o * (1 - o)", "do")]),
    ("no derivative for g", "(L3*)",
     "only block g is wrong: tanh's derivative is missing there",
     "1 - g^2",
     [("dg * (1 - g**2)", "dg")]),
    ("tanh c without its square", "(L5*)",
     "the square is missing in tanh's derivative at c: 1 - tanh(c) in place of 1 - tanh(c)^2",
     "(L5*), second part",
     [("(1 - tanh_c**2)", "(1 - tanh_c)")]),
    ("derivative at c_prev", "(L5*)",
     "tanh's derivative is taken at c of step t-1 in place of this step's c",
     "which c went through the tanh of (L5)",
     [("dh * o * (1 - tanh_c**2)", "dh * o * (1 - np.tanh(c_prev)**2)")]),
    ("do uses the derivative", "(L5*)",
     "the o block is wrong: do has tanh's derivative in place of tanh(c)",
     "what o was multiplied with in (L5)",
     [("do = dh * tanh_c", "do = dh * (1 - tanh_c**2)")]),
    ("df before the sum", "(L4*)",
     "the forget gate's gradient is taken of the carried dc alone, before the path through h is "
     "added",
     "the order of the lines: dc is complete first",
     [("df = dc * c_prev", "df = (dc - dh * o * (1 - tanh_c**2)) * c_prev")]),
    ("outer product of the first example", "(L1*)",
     "dW and dU are wrong: only the first example's product is counted",
     "the sum over n in x^T da",
     [("x.T @ da", "x[:1].T @ da[:1]"),
      ("h_prev.T @ da", "h_prev[:1].T @ da[:1]")]),
    ("outer product of the last example", "(L1*)",
     "dW and dU are wrong: only the last example's product is counted",
     "the sum over n in x^T da, and what stands outside of its loop",
     [("x.T @ da", "x[-1:].T @ da[-1:]"),
      ("h_prev.T @ da", "h_prev[-1:].T @ da[-1:]")]),
    ("gates mixed by reshape", "(L1*)",
     "the parts of da are mixed unit by unit (stacked last and reshaped): the blocks stand side "
     "by side",
     "how the four parts are put together",
     [("np.concatenate([da_i, da_f, da_g, da_o], axis=1)",
       "np.stack([da_i, da_f, da_g, da_o], axis=2).reshape(len(x), -1)")]),
)

WHOLE = (
    ("carry before U^T", "(L1*)",
     "dh_prev is dh itself: it did not go through the cell",
     "da U^T",
     [("return da @ W.T, dh_prev,", "return da @ W.T, dh,")]),
    ("sign", "(L1*)",
     "every gradient has the wrong sign",
     "the first minus on the way",
     [("return da @ W.T, dh_prev, dc_prev, dW, dU, db",
       "return -da @ W.T, -dh_prev, -dc_prev, -dW, -dU, -db")]),
    ("divided by N", "(L1*)",
     "dW, dU and db are wrong: divided by N, and the loss has taken its mean already",
     "whether any division belongs here",
     [("dc_prev, dW, dU, db", "dc_prev, dW / len(x), dU / len(x), db / len(x)")]),
)

ORDERS = tuple((f"gate order {''.join(order)}", "(L1*)",
                f"the gate blocks of da stand in the order {', '.join(order)}; W's blocks are i, f, g, o",
                "where the four parts are put side by side",
                [("[da_i, da_f, da_g, da_o]", f"[{', '.join('da_' + gate for gate in order)}]")])
               for order in permutations("ifgo") if "".join(order) != "ifgo")
edits_of(wrong, "lstm-step-backward", lstm_back, (*STEP, *WHOLE, *ORDERS))
