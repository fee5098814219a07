"""Wrong backward passes of a whole attention decoder: one right function, and each mistake as an edit of its text."""
import numpy as np

from .attention_backward import SOFTMAX
from .edited import edits_of
from .mistake import recorder

BANK, wrong = recorder()


def decoder_back(xs, s0, hs, ss, alphas, W, U, W_y, dlogits):
    """A right backward of the attention decoder."""
    S, H = len(xs), len(U)
    dxs, dhs, back = np.zeros(xs.shape), np.zeros(hs.shape), np.zeros(s0.shape)
    dW, dU, db, dW_y = np.zeros(W.shape), np.zeros(U.shape), np.zeros(H), np.zeros(W_y.shape)
    db_y = dlogits.sum(axis=(0, 1))
    for t in reversed(range(S)):
        x, s, s_prev, alpha = xs[t], ss[t], ss[t - 1] if t else s0, alphas[t]
        ctx = np.einsum("tn,tnh->nh", alpha, hs)
        dW_y = dW_y + np.concatenate([s, ctx], axis=1).T @ dlogits[t]
        dz = dlogits[t] @ W_y.T
        ds_read, dctx = dz[:, :H], dz[:, H:]
        dalpha = np.einsum("nh,tnh->tn", dctx, hs)
        de = alpha * (dalpha - (alpha * dalpha).sum(axis=0))
        ds_ask = np.einsum("tn,tnh->nh", de, hs)
        by_context, by_score = alpha[:, :, None] * dctx, de[:, :, None] * s
        dhs = dhs + by_context + by_score
        ds = ds_read + ds_ask + back
        da = ds * (1 - s**2)
        dxs[t] = da @ W.T
        dW = dW + x.T @ da
        dU = dU + s_prev.T @ da
        db = db + da.sum(axis=0)
        back = da @ U.T
    return dxs, back, dhs, dW, dU, db, dW_y, db_y


MISTAKES = (
    ("context path only", "(D4*)",
     "only dhs is wrong: the encoder states get the path by the context only, that by the score "
     "is missing",
     "h_i is used twice in each step",
     [("dhs + by_context + by_score", "dhs + by_context")]),
    ("score path only", "(D4*)",
     "only dhs is wrong: the encoder states get the path by the score only, that by the context "
     "is missing",
     "h_i is used twice in each step",
     [("dhs + by_context + by_score", "dhs + by_score")]),
    ("dhs of t = 1", "(D4*)",
     "only dhs is wrong: it holds the term of decoder step 1 alone: assigned at every step",
     "the source is read at every step: = or +=",
     [("dhs = dhs + by_context", "dhs = by_context")]),
    ("dhs of the last step", "(D4*)",
     "only dhs is wrong: it holds the term of the last decoder step alone",
     "the source is read at every step",
     [("dhs = dhs + by_context + by_score", "dhs = dhs + (t == S - 1) * (by_context + by_score)")]),
    ("attention's ds dropped", "(D4*)",
     "ds_t lacks the attention's part: s_t is read out AND asks",
     "the sum for ds_t",
     [("ds_read + ds_ask + back", "ds_read + back")]),
    ("readout's ds dropped", "(D5*)",
     "ds_t lacks the readout's part: s_t is read out AND asks",
     "the sum for ds_t",
     [("ds_read + ds_ask + back", "ds_ask + back")]),
    ("carry dropped", "(D3*)",
     "dxs is right at the last step only: the gradient carried back from step t+1 is missing",
     "the sum for ds_t",
     [("ds_read + ds_ask + back", "ds_read + ds_ask")]),
    ("U for U^T", "(D3*)",
     "dxs is right at the last step only: the carry goes through U in place of U^T",
     "the product that makes the carry",
     [("back = da @ U.T", "back = da @ U")]),
    ("halves swapped", "(D5*)",
     "the two halves of dz are swapped: the first H entries belong to s_t, the others to ctx_t",
     "the order in z = [s; ctx]",
     [("ds_read, dctx = dz[:, :H], dz[:, H:]", "ds_read, dctx = dz[:, H:], dz[:, :H]")]),
    ("z turned in dW_y", "(D7*)",
     "only dW_y is wrong: z is put together as [ctx; s]",
     "the order in z = [s; ctx]",
     [("[s, ctx]", "[ctx, s]")]),
    ("dW_y of t = 1", "(D7*)",
     "only dW_y is wrong: it holds step 1's term alone: assigned at every step",
     "= or +=",
     [("dW_y = dW_y +", "dW_y =")]),
    ("db_y of the last step", "(D7*)",
     "only db_y is wrong: it holds the last step's term alone",
     "the sum over time",
     [("dlogits.sum(axis=(0, 1))", "dlogits[-1].sum(axis=0)")]),
    ("s_t in dU", "(D3*)",
     "only dU is wrong: it is built with s_t, and U multiplied s_{t-1}",
     "which state stands before U",
     [("s_prev.T @ da", "s.T @ da")]),
    ("one step's cell weights", "(D3*)",
     "dW, dU, db hold the term of step 1 alone: assigned at every step",
     "= or +=",
     [("dW = dW + x", "dW = x"),
      ("dU = dU + s_prev", "dU = s_prev"),
      ("db = db + da", "db = da")]),
    ("ds0 before U^T", "(D3*)",
     "only ds0 is wrong: the product with U^T is missing at step 1",
     "the way from a_1 back to s_0",
     [("back = da @ U.T", "back = da @ U.T if t else da")]),
    ("last state before the first", "(D3*)",
     "only dU is wrong: at t = 1 it uses the state of t = S, for index -1 is the last one; s0 "
     "belongs there",
     "s_{t-1} at t = 1",
     [("ss[t - 1] if t else s0", "ss[t - 1]")]),
    ("query of t - 1", "(D4*)",
     "the attention's backward uses the query s_{t-1}: the query was s_t",
     "which state asks in (D4)",
     [("de[:, :, None] * s\n", "de[:, :, None] * s_prev\n")]),
    ("derivative of the input", "(D3*)",
     "tanh's derivative is taken as if s_t were its INPUT, 1 - tanh(s)^2",
     "s_t is already the output of tanh",
     [("(1 - s**2)", "(1 - np.tanh(s)**2)")]),
    ("no derivative", "(D3*)",
     "tanh's derivative is missing between ds_t and da",
     "(D3*)",
     [("ds * (1 - s**2)", "ds")]),
    ("db_y mean", "(D7*)",
     "only db_y is wrong: the examples are averaged, wanted is their sum",
     "sum or mean over n",
     [("dlogits.sum(axis=(0, 1))", "dlogits.mean(axis=1).sum(axis=0)")]),
    ("t = 1 left out", "(D3*)",
     "the loop ends before t = 1: its terms are missing everywhere",
     "the range of the loop",
     [("reversed(range(S))", "reversed(range(1, S))")]),
)


def _in_each_step(entry):
    """The softmax's mistakes, as they are said of every decoder step."""
    name, _, says, look, *forms = entry
    return name, "(D4*)", f"in every step's attention: {says}", look, *forms


edits_of(wrong, "attention-decoder-backward", decoder_back, (*map(_in_each_step, SOFTMAX), *MISTAKES))
