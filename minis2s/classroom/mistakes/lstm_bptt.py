"""Wrong backpropagations through time of an LSTM: one right function, and each mistake as an edit of its text."""
import numpy as np

from .edited import edits_of
from .lstm_backward import ORDERS, STEP
from .mistake import recorder
from .recurrent import sigmoid  # noqa: F401  (edits use it)

BANK, wrong = recorder()


def lstm_bptt(W, U, xs, h0, c0, gates, hs, cs, mask, dhs, dc_T):
    """A right backpropagation through time."""
    T, N, _ = xs.shape
    dxs, dW, dU, db = np.zeros(xs.shape), np.zeros(W.shape), np.zeros(U.shape), np.zeros(U.shape[1])
    dh_next, dc_next = np.zeros(h0.shape), dc_T
    for t in reversed(range(T)):
        x, c, m = xs[t], cs[t], mask[t][:, None]
        h_prev, c_prev = (hs[t - 1], cs[t - 1]) if t else (h0, c0)
        i, f, g, o = np.split(gates[t], 4, axis=1)
        d = dhs[t] + dh_next
        dh, dc = np.where(m, d, 0), np.where(m, dc_next, 0)
        tanh_c = np.tanh(c)
        do = dh * tanh_c
        dc = dc + dh * o * (1 - tanh_c**2)
        df = dc * c_prev
        dc_prev = dc * f
        di, dg = dc * g, dc * i
        da_i, da_f, da_o = di * i * (1 - i), df * f * (1 - f), do * o * (1 - o)
        da_g = dg * (1 - g**2)
        da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)
        dxs[t] = da @ W.T
        dW = dW + x.T @ da
        dU = dU + h_prev.T @ da
        db = db + da.sum(axis=0)
        dh_prev = da @ U.T
        dh_next, dc_next = np.where(m, dh_prev, d), np.where(m, dc_prev, dc_next)
    return dxs, dh_next, dc_next, dW, dU, db


MISTAKES = (
    ("dc carry dropped", "(L5*)",
     "dxs is right at t = T and wrong before: the cell gradient dc carried back from t+1 is missing",
     "dc is a sum: c feeds h_t AND c_{t+1}",
     [("np.where(m, dc_next, 0)", "np.where(m & (t == T - 1), dc_next, 0)"),
      ("np.where(m, dc_prev, dc_next)", "np.where(m, dc_prev, (t == T - 1) * dc_next)")],
     [("dc = dc + dh * o", "dc = dh * o")],
     [("np.where(m, dc_next, 0)",
       "np.where((mask[t] & (~mask[min(t + 1, T - 1)] | (t == T - 1)))[:, None], dc_next, 0)")]),
    ("dc without f", "(L4*)",
     "dxs is right at t = T and wrong before, and dc0 is wrong: dc is carried back without the "
     "forget gate f",
     "what c' was multiplied with in (L4)",
     [("dc_prev = dc * f", "dc_prev = dc")]),
    ("c_t for c_{t-1} in df", "(L4*)",
     "wrong at every t in block f: its gradient uses c_t, and f multiplied c_{t-1}",
     "which c stands beside f in (L4)",
     [("df = dc * c_prev", "df = dc * c")]),
    ("c for tanh c in do", "(L5*)",
     "wrong already at t = T, in block o: do uses c in place of tanh(c)",
     "what o was multiplied with in (L5)",
     [("do = dh * tanh_c", "do = dh * c")]),
    ("dh carry dropped", "(L1*)",
     "dxs is right at t = T and wrong before: the gradient dh carried back from t+1 is missing "
     "(dc is carried)",
     "where dhs[t] and the carry are added",
     [("d = dhs[t] + dh_next", "d = dhs[t]")]),
    ("upstream dropped", "(M1*)",
     "dxs is right at t = T and wrong before: dhs[t] from outside is used at the last step only",
     "the sum at the head of the loop: h_t is output AND carry",
     [("d = dhs[t] + dh_next", "d = (dhs[t] if t == T - 1 else 0) + dh_next")]),
    ("truncated 1", "(M1*)",
     "the last step alone gets a gradient: the loop stops after one step (truncated BPTT, k = 1)",
     "the range of the loop",
     [("reversed(range(T))", "reversed(range(max(0, T - 1), T))")],
     [("d = dhs[t] + dh_next", "d = (t >= T - 1) * (dhs[t] + dh_next)"),
      ("np.where(m, dc_next, 0)", "np.where(m, (t >= T - 1) * dc_next, 0)"),
      ("np.where(m, dc_prev, dc_next)", "np.where(m, dc_prev, (t >= T - 1) * dc_next)")]),
    ("truncated 2", "(M1*)",
     "the last 2 steps are right, all before get nothing: truncated BPTT, k = 2",
     "the range of the loop",
     [("reversed(range(T))", "reversed(range(max(0, T - 2), T))")],
     [("d = dhs[t] + dh_next", "d = (t >= T - 2) * (dhs[t] + dh_next)"),
      ("np.where(m, dc_next, 0)", "np.where(m, (t >= T - 2) * dc_next, 0)"),
      ("np.where(m, dc_prev, dc_next)", "np.where(m, dc_prev, (t >= T - 2) * dc_next)")]),
    ("truncated 3", "(M1*)",
     "the last 3 steps are right, all before get nothing: truncated BPTT, k = 3",
     "the range of the loop",
     [("reversed(range(T))", "reversed(range(max(0, T - 3), T))")],
     [("d = dhs[t] + dh_next", "d = (t >= T - 3) * (dhs[t] + dh_next)"),
      ("np.where(m, dc_next, 0)", "np.where(m, (t >= T - 3) * dc_next, 0)"),
      ("np.where(m, dc_prev, dc_next)", "np.where(m, dc_prev, (t >= T - 3) * dc_next)")]),
    ("dc_T dropped", "(M1*)",
     "the final cell state's gradient dc_T is not used: the decoder got c_T, but its gradient "
     "never reaches the encoder",
     "the value of dc before the loop",
     [("np.zeros(h0.shape), dc_T", "np.zeros(h0.shape), np.zeros(c0.shape)")]),
    ("dc0 is dc_T", "(L4*)",
     "only dc0 is wrong: it is dc_T, which did not go through the steps",
     "what is left of dc after the loop",
     [("return dxs, dh_next, dc_next", "return dxs, dh_next, dc_T")]),
    ("c0 overwritten", "(L4*)",
     "dxs is wrong only at t = 1: c_1 stands there where c_0 belongs (c0 was a view into the cell "
     "sequence and got overwritten)",
     "c_{t-1} at t = 1",
     [("else (h0, c0)", "else (h0, cs[0])")]),
    ("h0 overwritten", "(L1*)",
     "only dU is wrong, by the term of t = 1: h_1 stands there where h_0 belongs",
     "h_{t-1} at t = 1",
     [("else (h0, c0)", "else (hs[0], c0)")]),
    ("zero initial states", "(L1*)",
     "h0 and c0 are taken as zeros at t = 1",
     "h_{t-1} and c_{t-1} at t = 1",
     [("else (h0, c0)", "else (0 * h0, 0 * c0)")]),
    ("last states before the first", "(L1*)",
     "at t = 1 the states of t = T are used, for index -1 is the last one; h0 and c0 belong there",
     "h_{t-1} and c_{t-1} at t = 1",
     [("(hs[t - 1], cs[t - 1]) if t else (h0, c0)", "(hs[t - 1], cs[t - 1])")]),
    ("last cell state before the first", "(L4*)",
     "at t = 1 the cell state of t = T is used, for index -1 is the last one; c0 belongs there",
     "c_{t-1} at t = 1",
     [("else (h0, c0)", "else (h0, cs[-1])")]),
    ("t = 1 left out", "(L1*)",
     "the loop ends before t = 1: dxs is 0 there, and dW, dU, db lack its term",
     "the range of the loop",
     [("for t in reversed(range(T))", "for t in reversed(range(1, T))")]),
    ("one step's weights (t = 1)", "(L1*)",
     "dxs, dh0, dc0 are right; dW, dU, db hold the term of t = 1 alone: assigned at every step in "
     "place of summed",
     "W is used at every t: = or +=",
     [("dW = dW + x.T @ da", "dW = x.T @ da"),
      ("dU = dU + h_prev.T @ da", "dU = h_prev.T @ da"),
      ("db = db + da.sum(axis=0)", "db = da.sum(axis=0)")]),
    ("one step's weights (t = T)", "(L1*)",
     "dxs, dh0, dc0 are right; dW, dU, db hold the term of t = T alone",
     "W is used at every t: the sum over the loop",
     [("dW = dW + x.T @ da", "dW = (x.T @ da) if t == T - 1 else dW"),
      ("dU = dU + h_prev.T @ da", "dU = (h_prev.T @ da) if t == T - 1 else dU"),
      ("db = db + da.sum(axis=0)", "db = (da.sum(axis=0)) if t == T - 1 else db")]),
    ("db of t = 1", "(L1*)",
     "only db is wrong: it is the term of t = 1, not the sum over time",
     "= or += for db",
     [("db = db + da.sum(axis=0)", "db = da.sum(axis=0)")]),
    ("db of t = T", "(L1*)",
     "only db is wrong: it is the term of t = T, not the sum over time",
     "the sum for db",
     [("db = db + da.sum(axis=0)", "db = (da.sum(axis=0)) if t == T - 1 else db")]),
    ("dh0 before U^T", "(L1*)",
     "only dh0 is wrong: the product with U^T is missing at t = 1",
     "the way from a_1 back to h_0",
     [("dh_prev = da @ U.T", "dh_prev = da @ U.T if t else sum(np.split(da, 4, axis=1))")]),
    ("divided by N", "(L1*)",
     "dW, dU and db are wrong: divided by N, and the loss has taken its mean already",
     "whether any division belongs here",
     [("return dxs, dh_next, dc_next, dW, dU, db", "return dxs, dh_next, dc_next, dW / N, dU / N, db / N")]),
    ("divided by T", "(L1*)",
     "dW, dU and db are divided by T: weights get the SUM over time",
     "whether any division belongs here",
     [("return dxs, dh_next, dc_next, dW, dU, db", "return dxs, dh_next, dc_next, dW / T, dU / T, db / T")]),
    ("sign", "(L1*)",
     "every gradient has the wrong sign",
     "the first minus on the way",
     [("return dxs, dh_next, dc_next, dW, dU, db", "return -dxs, -dh_next, -dc_next, -dW, -dU, -db")]),
    ("mask ignored", "(M1*)",
     "the mask is not used: padded steps are treated as real ones",
     "dxs at padding: it should be 0",
     [("mask[t][:, None]", "np.True_")]),
    ("carry lost at padding", "(M1*)",
     "padding gets no gradient, but the carries are lost there, too: they must pass on unchanged",
     "what a padded step hands to t-1",
     [("np.where(m, dh_prev, d), np.where(m, dc_prev, dc_next)",
       "np.where(m, dh_prev, 0), np.where(m, dc_prev, 0)")]),
    ("dhs masked", "(M1*)",
     "dhs[t] is thrown away at padding: h_t is there the carried state, so its gradient goes on "
     "to t-1",
     "the order of the sum and the mask",
     [("d = dhs[t] + dh_next", "d = np.where(m, dhs[t], 0) + dh_next")]),
    ("dc lost at padding", "(M1*)",
     "dc is lost at padding: dc_T of short sequences must pass on unchanged to their last real "
     "step",
     "what a padded step hands to t-1",
     [("np.where(m, dc_prev, dc_next)", "np.where(m, dc_prev, 0)")]),
    ("dc passes f at padding", "(M1*)",
     "the mask is not used for dc: it goes through the gates at padding, too",
     "where the mask meets dc",
     [("np.where(m, dc_prev, dc_next)", "dc_prev"),
      ("np.where(m, dc_next, 0)", "dc_next")]),
)


def _over_time(entry):
    """A step's mistake, as it is said of every step."""
    name, mark, says, look, *forms = entry
    if not says.startswith(("only db", "only dU", "dW and dU")):
        says = says.replace("only block g is wrong: ", "in block g, ").replace("only block", "block")
        says = f"at every step: {says}"
    return name, mark, says, look, *forms


own = {entry[0] for entry in MISTAKES}
edits_of(wrong, "lstm-bptt", lstm_bptt,
         (*MISTAKES, *(_over_time(entry) for entry in (*STEP, *ORDERS) if entry[0] not in own)))
