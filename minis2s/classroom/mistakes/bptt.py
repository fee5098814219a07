"""Wrong backpropagations through time of an RNN: one right function, and each mistake as an edit of its text."""
import numpy as np

from .edited import edits_of
from .mistake import recorder

BANK, wrong = recorder()


def bptt(W, U, xs, h0, hs, mask, dhs):
    """A right backpropagation through time."""
    T, N, _ = xs.shape
    dxs, dW, dU, db = np.zeros(xs.shape), np.zeros(W.shape), np.zeros(U.shape), np.zeros(U.shape[1])
    back = np.zeros(h0.shape)
    for t in reversed(range(T)):
        x, h, h_prev, m = xs[t], hs[t], hs[t - 1] if t else h0, mask[t][:, None]
        d = dhs[t] + back
        dh = np.where(m, d, 0)
        da = dh * (1 - h**2)
        dxs[t] = da @ W.T
        dW = dW + x.T @ da
        dU = dU + h_prev.T @ da
        db = db + da.sum(axis=0)
        dh_prev = da @ U.T
        back = np.where(m, dh_prev, d)
    return dxs, back, dW, dU, db


MISTAKES = (
    ("carry dropped", "(R1*)",
     "dxs is right at the last step only: the gradient dh carried back from t+1 is missing",
     "what step t hands to step t-1, and where it is added to dhs[t]",
     [("d = dhs[t] + back", "d = dhs[t]")]),
    ("upstream dropped", "(M1*)",
     "dxs is right at t = T and wrong before: dhs[t] from outside is used at the last step only, "
     "then the carried gradient alone",
     "the sum at the head of the loop: h_t is output AND carry",
     [("d = dhs[t] + back", "d = (dhs[t] if t == T - 1 else 0) + back")]),
    ("truncated 1", "(M1*)",
     "the last step alone gets a gradient: the loop stops after one step (truncated BPTT, k = 1)",
     "the range of the loop",
     [("reversed(range(T))", "reversed(range(max(0, T - 1), T))")],
     [("d = dhs[t] + back", "d = (t >= T - 1) * (dhs[t] + back)")]),
    ("truncated 2", "(M1*)",
     "the last 2 steps are right, all before get nothing: truncated BPTT with k = 2",
     "the range of the loop",
     [("reversed(range(T))", "reversed(range(max(0, T - 2), T))")],
     [("d = dhs[t] + back", "d = (t >= T - 2) * (dhs[t] + back)")]),
    ("truncated 3", "(M1*)",
     "the last 3 steps are right, all before get nothing: truncated BPTT with k = 3",
     "the range of the loop",
     [("reversed(range(T))", "reversed(range(max(0, T - 3), T))")],
     [("d = dhs[t] + back", "d = (t >= T - 3) * (dhs[t] + back)")]),
    ("one step's weights (t = 1)", "(R1*)",
     "dxs and dh0 are right; dW, dU, db hold the term of t = 1 alone: assigned at every step in "
     "place of summed",
     "W is used at every t: = or +=",
     [("dW = dW + x.T @ da", "dW = x.T @ da"),
      ("dU = dU + h_prev.T @ da", "dU = h_prev.T @ da"),
      ("db = db + da.sum(axis=0)", "db = da.sum(axis=0)")]),
    ("one step's weights (t = T)", "(R1*)",
     "dxs and dh0 are right; dW, dU, db hold the term of t = T alone",
     "W is used at every t: the sum over the loop",
     [("dW = dW + x.T @ da", "dW = (x.T @ da) if t == T - 1 else dW"),
      ("dU = dU + h_prev.T @ da", "dU = (h_prev.T @ da) if t == T - 1 else dU"),
      ("db = db + da.sum(axis=0)", "db = (da.sum(axis=0)) if t == T - 1 else db")]),
    ("db of t = 1", "(R1*)",
     "only db is wrong: it is the term of t = 1, not the sum over time",
     "= or += for db",
     [("db = db + da.sum(axis=0)", "db = da.sum(axis=0)")]),
    ("db of t = T", "(R1*)",
     "only db is wrong: it is the term of t = T, not the sum over time",
     "the sum for db",
     [("db = db + da.sum(axis=0)", "db = (da.sum(axis=0)) if t == T - 1 else db")]),
    ("db mean", "(R1*)",
     "only db is wrong: the examples are averaged at each step, wanted is their sum",
     "sum or mean over n",
     [("da.sum(axis=0)", "da.mean(axis=0)")],
     [("da.sum(axis=0)", "da.sum(axis=0) / max(1, m.sum())")]),
    ("db of one example", "(R1*)",
     "only db is wrong: of each step it takes the first example, not the sum over all",
     "the sum over n",
     [("da.sum(axis=0)", "da[0]")]),
    ("db of the last example", "(R1*)",
     "only db is wrong: of each step it takes the last example, not the sum over all",
     "the sum over n, and what stands outside of its loop",
     [("da.sum(axis=0)", "da[-1]")]),
    ("h_t in dU", "(R1*)",
     "only dU is wrong: it is built with h_t, and U multiplied h_{t-1}",
     "which state stands on the left of U in (R1)",
     [("h_prev.T @ da", "h.T @ da")]),
    ("h0 in dU", "(R1*)",
     "only dU is wrong: every step uses h0 in place of its own h_{t-1}",
     "which state belongs to step t",
     [("h_prev.T @ da", "h0.T @ da")]),
    ("dU without t = 1", "(R1*)",
     "only dU is wrong: the first step's term is missing, the one with h0",
     "h_{t-1} at t = 1",
     [("h_prev.T @ da", "(t > 0) * h_prev.T @ da")]),
    ("last state before the first", "(R1*)",
     "only dU is wrong: at t = 1 it uses the state of t = T, for index -1 is the last one; h0 "
     "belongs there",
     "h_{t-1} at t = 1",
     [("hs[t - 1] if t else h0", "hs[t - 1]")]),
    ("t = 1 left out", "(R1*)",
     "the loop ends before t = 1: dxs is 0 there, and dW, dU, db lack its term",
     "the range of the loop",
     [("for t in reversed(range(T))", "for t in reversed(range(1, T))")]),
    ("U for U^T", "(R1*)",
     "dxs is right at t = T and wrong before: the gradient goes back through U in place of U^T "
     "(the shapes agree)",
     "the product that makes the carry",
     [("dh_prev = da @ U.T", "dh_prev = da @ U")]),
    ("carry skips tanh", "(R2*)",
     "dxs is right at t = T and wrong before: the carry goes through U^T without tanh's derivative",
     "the carry is made of da, not of dh",
     [("dh_prev = da @ U.T", "dh_prev = dh @ U.T")]),
    ("step's own carry", "(R1*)",
     "dxs is right at the last two steps only: what is carried to t-1 comes from dhs[t] alone, "
     "not from the sum with the carry of t+1",
     "which gradient goes through U^T",
     [("dh_prev = da @ U.T", "dh_prev = dhs[t] * (1 - h**2) @ U.T")]),
    ("derivative of the input", "(R2*)",
     "wrong at every t: tanh's derivative is taken as if h_t were its input, 1 - tanh(h)^2",
     "h_t is already the output of tanh",
     [("(1 - h**2)", "(1 - np.tanh(h)**2)")]),
    ("sigmoid's derivative", "(R2*)",
     "wrong at every t: h (1 - h) is the sigmoid's derivative; the activation is tanh",
     "which derivative belongs to tanh",
     [("(1 - h**2)", "h * (1 - h)")]),
    ("no derivative", "(R2*)",
     "wrong at every t: tanh's derivative is missing between dh and da",
     "(R2*)",
     [("dh * (1 - h**2)", "dh")]),
    ("derivative of h_prev", "(R2*)",
     "wrong at every t: tanh's derivative is taken at h_{t-1} in place of h_t",
     "which h came out of this step's tanh",
     [("(1 - h**2)", "(1 - h_prev**2)")]),
    ("1 - h", "(R2*)",
     "wrong at every t: the square is missing in tanh's derivative 1 - h^2",
     "tanh's derivative in its output",
     [("(1 - h**2)", "(1 - h)")]),
    ("dh0 before U^T", "(R1*)",
     "only dh0 is wrong: it is da of t = 1, the product with U^T is missing",
     "the way from a_1 back to h_0",
     [("dh_prev = da @ U.T", "dh_prev = da @ U.T if t else da")]),
    ("dh0 is dhs[0]", "(M1*)",
     "only dh0 is wrong: it is dhs[0], the gradient of h_1; h_0 is one step further back",
     "what is left of the carry after the loop",
     [("return dxs, back", "return dxs, dhs[0]")]),
    ("outer product of the first example", "(R1*)",
     "dW and dU are wrong: of each step only the first example's product is counted",
     "the sum over n in x^T da",
     [("x.T @ da", "x[:1].T @ da[:1]"),
      ("h_prev.T @ da", "h_prev[:1].T @ da[:1]")]),
    ("outer product of the last example", "(R1*)",
     "dW and dU are wrong: of each step only the last example's product is counted",
     "the sum over n in x^T da, and what stands outside of its loop",
     [("x.T @ da", "x[-1:].T @ da[-1:]"),
      ("h_prev.T @ da", "h_prev[-1:].T @ da[-1:]")]),
    ("divided by N", "(R1*)",
     "dW, dU and db are wrong: divided by N, and the loss has taken its mean already",
     "whether any division belongs here",
     [("return dxs, back, dW, dU, db", "return dxs, back, dW / N, dU / N, db / N")]),
    ("divided by T", "(R1*)",
     "dW, dU and db are divided by T: weights get the SUM over time",
     "whether any division belongs here",
     [("return dxs, back, dW, dU, db", "return dxs, back, dW / T, dU / T, db / T")]),
    ("divided by M", "(R1*)",
     "dW, dU and db are divided by the number of real positions: the loss has taken its mean "
     "already",
     "whether any division belongs here",
     [("return dxs, back, dW, dU, db", "return dxs, back, dW / mask.sum(), dU / mask.sum(), db / mask.sum()")]),
    ("sign", "(R2*)",
     "every gradient has the wrong sign",
     "the first minus on the way",
     [("da = dh *", "da = -dh *"),
      ("back = np.where(m, dh_prev, d)", "back = np.where(m, -dh_prev, d)"),
      ("return dxs, back", "return dxs, -back")]),
    ("sign of dx", "(R1*)",
     "only dxs is wrong: its sign is turned",
     "the line that makes dxs[t]",
     [("da @ W.T", "da @ -W.T")]),
    ("mask ignored", "(M1*)",
     "the mask is not used: padded steps are treated as real ones",
     "dxs at padding: it should be 0",
     [("mask[t][:, None]", "np.True_")]),
    ("gradient lost at padding", "(M1*)",
     "padding gets no gradient, but dhs[t] and the carry are lost there, too: h_t is then the "
     "state of t-1, so its gradient goes on to t-1 unchanged",
     "what a padded step hands to t-1",
     [("np.where(m, dh_prev, d)", "np.where(m, dh_prev, 0)")]),
    ("mask inverted", "(M1*)",
     "the mask is inverted: real positions are treated as padding, and padding as real",
     "True = real",
     [("mask[t][:, None]", "~mask[t][:, None]")]),
)

edits_of(wrong, "bptt", bptt, MISTAKES)
