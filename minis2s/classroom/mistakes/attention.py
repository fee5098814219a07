"""Wrong masks, attention scores, their backward, and a wrong attention decoder's backward."""
import numpy as np

from .mistake import recorder
from .outputs import stable

BANK, wrong = recorder()


def masked_softmax(e, mask, axis=0):
    """A right softmax over real positions."""
    return stable(np.where(mask, e, -np.inf), axis=axis)


def renormalised(e, mask):
    """Softmax over everything, then the mask, then division by what is left."""
    a = stable(e, axis=0) * mask
    return a / a.sum(axis=0)


# Each entry makes alpha of e and mask; attention-mask, dot and additive attention share them.
WEIGHTS = (
    ("mask after the softmax", "the mask comes after the softmax: columns with padding sum to less than 1",
     "where the mask enters: before the softmax", lambda e, mask: stable(e, axis=0) * mask),
    ("scores times mask",
     "padded scores are multiplied by 0 before the softmax: exp(0) = 1, so padding has weight",
     "which score has no weight: not 0", lambda e, mask: stable(e * mask, axis=0)),
    ("no mask", "the mask is not used: padding has weight", "where the mask enters",
     lambda e, mask: stable(e, axis=0)),
    ("mask turned", "the mask is turned: padding has all the weight, real positions none", "True = real",
     lambda e, mask: masked_softmax(e, ~mask)),
    ("wrong axis", "the softmax runs over the batch: your rows sum to 1, your columns do not",
     "the axis: source positions",
     lambda e, mask: masked_softmax(e, mask, axis=1)),
    ("wrong axis, no mask", "the softmax runs over the batch, and the mask is not used",
     "first the axis, then the mask",
     lambda e, mask: stable(e, axis=1)),
    ("no shift", "exp overflows: scores are not shifted by their column's maximum", "exp(e) for large e",
     lambda e, mask: np.exp(np.where(mask, e, -np.inf)) / np.exp(np.where(mask, e, -np.inf)).sum(axis=0)),
    ("not normalised", "the exponentials are not divided by their sum", "what each column sums to",
     lambda e, mask: np.exp(np.where(mask, e, -np.inf) - np.where(mask, e, -np.inf).max(axis=0))),
    ("mean weights", "all real positions weigh the same: the scores do not depend on i, or are not used",
     "exp(e)",
     lambda e, mask: mask / mask.sum(axis=0)),
    ("hard", "the greatest score takes all the weight: that is an argmax, wanted is a softmax", "exp and sum",
     lambda e, mask: (np.where(mask, e, -np.inf) == np.where(mask, e, -np.inf).max(axis=0)).astype(float)),
)
for name, says, look, alpha in WEIGHTS:
    wrong("attention-mask", name, "(A1)", says, look)(alpha)
    wrong("dot-attention", name, "(A1)", f"alpha is wrong: {says}", look)(
        lambda s, hs, mask, alpha=alpha: _read(alpha(np.einsum("nh,tnh->tn", s, hs), mask), hs))
    wrong("additive-attention", name, "(A1)", f"alpha is wrong: {says}", look)(
        lambda s, hs, mask, W_s, W_h, v, alpha=alpha: _read(alpha(additive_score(s, hs, W_s, W_h, v), mask),
                                                            hs))
wrong("attention-mask", "renormalised", "(A1)",
      "padding takes part in the maximum (or in a softmax that is masked and "
      "divided again afterwards): 0/0 where padding's score is far above",
      "which positions the maximum is taken of")(renormalised)
for big in (1e2, 1e3, 1e4):
    wrong("attention-mask", f"minus {big:.0e}", "(A1)", f"{big:.0e} is taken off padded scores: that is not "
          f"enough where scores "
          "are large", "a number that no score can outweigh")(
        lambda e, mask, big=big: stable(np.where(mask, e, e - big), axis=0))
    wrong("attention-mask", f"set to minus {big:.0e}", "(A1)", f"padded scores are set to -{big:.0e}: real "
          f"ones may lie lower",
          "a number that no score can undercut")(
        lambda e, mask, big=big: stable(np.where(mask, e, -big), axis=0))


def _read(alpha, hs):
    return np.einsum("tn,tnh->nh", alpha, hs), alpha


def additive_score(s, hs, W_s, W_h, v):
    """A right additive score."""
    return np.tanh(s @ W_s + hs @ W_h) @ v


def dot_score(s, hs):
    """A right dot score."""
    return np.einsum("nh,tnh->tn", s, hs)


# dot ---------------------------------------------------------------------------------------------------

wrong("dot-attention", "scaled", "(AD2)", "the scores are divided by sqrt(H): scaled dot-product attention",
      "(AD1) has no scale",
      variant=True)(lambda s, hs, mask: _read(masked_softmax(dot_score(s, hs) / np.sqrt(s.shape[1]), mask),
                                              hs))
wrong("dot-attention", "scaled by H", "(AD1)", "the scores are divided by H", "(AD1) has no scale")(
    lambda s, hs, mask: _read(masked_softmax(dot_score(s, hs) / s.shape[1], mask), hs))
wrong("dot-attention", "cosine", "(AD1)", "the scores are cosines: divided by the lengths of s and h_i",
      "(AD1) has no division",
      variant=True)(
    lambda s, hs, mask: _read(masked_softmax(
        dot_score(s, hs) / np.linalg.norm(s, axis=1) / np.linalg.norm(hs, axis=2), mask), hs))
wrong("dot-attention", "distance", "(AD1)", "the score is minus the squared distance, not the dot product",
      "(AD1)", variant=True)(
    lambda s, hs, mask: _read(masked_softmax(-((s - hs) ** 2).sum(axis=2), mask), hs))
wrong("dot-attention", "query of the first example", "(AD1)",
      "every example is asked with the first example's query",
      "the index n of s")(lambda s, hs, mask: _read(masked_softmax(dot_score(s[:1].repeat(len(s), axis=0),
                                                                             hs), mask), hs))
wrong("dot-attention", "mean context", "(A2)", "alpha is right; the context is the mean of the weighted "
      "states, T times too small",
      "sum or mean over i")(
    lambda s, hs, mask: (lambda ctx, alpha: (ctx / len(hs), alpha))(*_read(masked_softmax(dot_score(s, hs),
                                                                                          mask), hs)))
wrong("dot-attention", "context of scores", "(A2)",
      "alpha is right; the context is weighted with the scores e, not with alpha",
      "what weighs h_i")(
    lambda s, hs, mask: (_read(np.where(mask, dot_score(s, hs), 0), hs)[0], masked_softmax(dot_score(s, hs),
                                                                                           mask)))
wrong("dot-attention", "context plus query", "(A2)", "alpha is right; the query is added to the context",
      "(A2)")(
    lambda s, hs, mask: (lambda ctx, alpha: (ctx + s, alpha))(*_read(masked_softmax(dot_score(s, hs), mask),
                                                                     hs)))


def attend_back(hs, alpha, dctx, bugs=()):
    """A right way down to de: -> de, and dhs of the context."""
    bug, dalpha = set(bugs).__contains__, np.einsum("nh,tnh->tn", dctx, hs)
    if bug("diagonal"):
        de = alpha * (1 - alpha) * dalpha
    elif bug("sum over the batch"):
        de = alpha * (dalpha - (alpha * dalpha).sum(axis=1, keepdims=True))
    elif bug("no softmax"):
        de = dalpha
    elif bug("alpha in front only"):
        de = alpha * dalpha
    elif bug("mean of dalpha"):
        de = alpha * (dalpha - dalpha.mean(axis=0))
    elif bug("alpha missing in front"):
        de = dalpha - (alpha * dalpha).sum(axis=0)
    elif bug("sign in the softmax"):
        de = alpha * (dalpha + (alpha * dalpha).sum(axis=0))
    else:
        de = alpha * (dalpha - (alpha * dalpha).sum(axis=0))
    return de, alpha[:, :, None] * dctx


def dot_back(s, hs, alpha, dctx, bugs=()):
    """A right backward of dot attention; each name in `bugs` makes one thing wrong."""
    bug = set(bugs).__contains__
    de, by_context = attend_back(hs, alpha, dctx, bugs)
    ds, by_score = np.einsum("tn,tnh->nh", de, hs), de[:, :, None] * s
    if bug("ds mean"):
        ds = ds / len(hs)
    if bug("ds from alpha"):
        ds = np.einsum("tn,tnh->nh", alpha, hs)
    if bug("ds is dctx"):
        ds = dctx.copy()
    dhs = (0 if bug("score path only") else by_context) + (0 if bug("context path only") else by_score)
    return ds, (dhs if np.ndim(dhs) else np.zeros_like(hs)) * (-1 if bug("sign of dhs") else 1)


SOFTMAX_BACK = (
    ("diagonal",
     "only the diagonal of the softmax's Jacobian is used, alpha (1 - alpha): de does not sum to 0 over i",
     "how a score changes the weights of all OTHER positions"),
    ("alpha in front only",
     "the softmax's derivative has its first term only, alpha dalpha: de does not sum to 0 over i",
     "the sum in (A1*)"),
    ("no softmax", "the softmax is not passed: dalpha is taken for de", "(A1*)"),
    ("sum over the batch",
     "the sum in the softmax's derivative runs over the batch, not over the source positions",
     "the axis of the sum in (A1*)"),
    ("mean of dalpha",
     "the softmax's derivative takes away the plain mean of dalpha, not the mean weighted by alpha",
     "the sum in (A1*)"),
    ("alpha missing in front",
     "the factor alpha in front of the bracket is missing in the softmax's derivative", "(A1*)"),
    ("sign in the softmax", "a sign is wrong in the softmax's derivative: dalpha PLUS the sum", "(A1*)"),
)
DAB = "dot-attention-backward"
for name, says, look in SOFTMAX_BACK:
    wrong(DAB, name, "(A1*)", says, look)(lambda *given, name=name: dot_back(*given, bugs=(name,)))
for name, mark, says, look in (
    ("context path only", "(AD1*)", "ds is right, dhs is wrong: the states' gradient has the path by the "
     "context only, that by the "
     "score is missing", "h_i is used twice"),
    ("score path only", "(A2*)",
     "ds is right, dhs is wrong: the states' gradient has the path by the score only, that by the "
     "context is missing", "h_i is used twice"),
    ("ds mean", "(AD1*)", "only ds is wrong: mean over the positions in place of the sum",
     "sum or mean over i"),
    ("ds from alpha", "(AD1*)", "only ds is wrong: it is weighted with alpha in place of de",
     "what weighs h_i in ds"),
    ("ds is dctx", "(AD1*)", "only ds is wrong: it is dctx, which did not go through the attention",
     "(AD1*)"),
    ("sign of dhs", "(AD1*)", "only dhs is wrong: its sign is turned", "the sum of the two paths"),
):
    wrong(DAB, name, mark, says, look)(lambda *given, name=name: dot_back(*given, bugs=(name,)))
wrong(DAB, "scaled", "(AD2*)",
      "this is the backward of SCALED dot-product attention: de is divided by sqrt(H)",
      "(AD1) has no scale", variant=True)(
    lambda s, hs, alpha, dctx: (lambda de, dhs, k: (np.einsum("tn,tnh->nh", de, hs) / k, dhs
                                                    + de[:, :, None] * s / k))(
        *attend_back(hs, alpha, dctx), np.sqrt(s.shape[1])))

# additive ----------------------------------------------------------------------------------------------

for name, mark, says, look, score in (
    ("no tanh", "(AB2)",
     "alpha is wrong: the tanh is missing, so the query moves all scores alike and has no effect", "(AB2)",
     lambda s, hs, W_s, W_h, v: (s @ W_s + hs @ W_h) @ v),
    ("query not used", "(AB2)",
     "alpha is wrong: the query s has no effect on it (not used, or outside the tanh of the keys)", 
     "the sum inside tanh",
     lambda s, hs, W_s, W_h, v: np.tanh(hs @ W_h) @ v),
    ("sum for v", "(AB3)", "alpha is wrong: u is summed up, v is not used", "(AB3)",
     lambda s, hs, W_s, W_h, v: np.tanh(s @ W_s + hs @ W_h).sum(axis=2)),
    ("product for sum", "(AB2)", "alpha is wrong: query and key are multiplied inside tanh: they are added",
     "(AB2)",
     lambda s, hs, W_s, W_h, v: np.tanh(s @ W_s * (hs @ W_h)) @ v),
    ("tanh of the score", "(AB3)", "alpha is wrong: the score itself goes through a tanh",
     "where tanh stands",
     lambda s, hs, W_s, W_h, v: np.tanh((s @ W_s + hs @ W_h) @ v)),
    ("sigmoid", "(AB2)", "alpha is wrong: a sigmoid in place of tanh", "(AB2)",
     lambda s, hs, W_s, W_h, v: 1 / (1 + np.exp(-(s @ W_s + hs @ W_h))) @ v),
):
    wrong("additive-attention", name, mark, says, look)(
        lambda s, hs, mask, W_s, W_h, v, score=score: _read(masked_softmax(score(s, hs, W_s, W_h, v), mask),
                                                            hs))
wrong("additive-attention", "mean context", "(A2)", "alpha is right; the context is a mean over positions, T "
      "times too small",
      "sum or mean over i")(
    lambda s, hs, mask, W_s, W_h, v: (lambda ctx, alpha: (ctx / len(hs), alpha))(
        *_read(masked_softmax(additive_score(s, hs, W_s, W_h, v), mask), hs)))
wrong("additive-attention", "context of keys", "(A2)",
      "alpha is right; the context is the weighted sum of a part of the keys "
      "h W_h, not of h", "what is summed in (A2)")(
    lambda s, hs, mask, W_s, W_h, v: (lambda alpha: (np.einsum("tn,tnh->nh", alpha,
                                                               (hs @ W_h)[:, :, :hs.shape[2]]), alpha))(
        masked_softmax(additive_score(s, hs, W_s, W_h, v), mask)))


def additive_back(s, hs, u, alpha, W_s, W_h, v, dctx, bugs=()):
    """A right backward of additive attention; each name in `bugs` makes one thing wrong."""
    bug = set(bugs).__contains__
    de, by_context = attend_back(hs, alpha, dctx, bugs)
    dv = np.einsum("tn,tna->a", de, u)
    slope = 1 - np.tanh(u)**2 if bug("derivative of the input") else 1 if bug("no tanh derivative") else \
        u * (1 - u) if bug("sigmoid's derivative") else 1 - u**2
    da = de[:, :, None] * v * slope
    dq = da[-1] if bug("last position") else da.mean(axis=0) if bug("mean over positions") else da.sum(axis=0)
    by_key = da @ W_h.T
    dhs = (0 if bug("key path only") else by_context) + (0 if bug("context path only") else by_key)
    dW_h = np.einsum("tnh,tna->ha", hs[-1:] if bug("dW_h of the last position") else hs,
                     da[-1:] if bug("dW_h of the last position") else da)
    if bug("dv before the softmax"):
        dv = np.einsum("tn,tna->a", alpha, u)
    if bug("dv of da"):
        dv = da.sum(axis=(0, 1))
    dW_s = s.T @ (da.sum(axis=0) if bug("dW_s right") else dq)
    return dq @ W_s.T, dhs, dW_s, dW_h, dv


AAB = "additive-attention-backward"
for name, says, look in SOFTMAX_BACK:
    wrong(AAB, name, "(A1*)", says, look)(lambda *given, name=name: additive_back(*given, bugs=(name,)))
for name, mark, says, look in (
    ("context path only", "(AB1*)", "ds is right, dhs is wrong: the states' gradient has the path by the "
     "context only, that by the "
     "keys is missing", "h_i is used twice"),
    ("key path only", "(A2*)", "ds is right, dhs is wrong: the states' gradient has the path by the keys "
     "only, that by the context "
     "is missing", "h_i is used twice"),
    ("derivative of the input", "(AB2*)", "tanh's derivative is taken as if u were its INPUT: 1 - tanh(u)^2",
     "1 - u^2"),
    ("no tanh derivative", "(AB2*)", "tanh's derivative is missing between du and da", "1 - u^2"),
    ("sigmoid's derivative", "(AB2*)", "u (1 - u) is the sigmoid's derivative; u is a tanh", "1 - u^2"),
    ("last position", "(AB2*)",
     "ds and dW_s hold the last source position's term alone: one query meets all positions",
     "the sum over i"),
    ("mean over positions", "(AB2*)",
     "ds and dW_s hold the mean over the source positions: wanted is the sum",
     "the sum over i"),
    ("dW_h of the last position", "(AB1*)",
     "only dW_h is wrong: it holds the last source position's term alone",
     "W_h is used at every position"),
    ("dv before the softmax", "(AB3*)", "only dv is wrong: u is weighted with alpha in place of de",
     "what weighs u_i"),
    ("dv of da", "(AB3*)", "only dv is wrong: it sums da, and v stands outside the tanh",
     "what v was multiplied with"),
):
    wrong(AAB, name, mark, says, look)(lambda *given, name=name: additive_back(*given, bugs=(name,)))

# a whole decoder ---------------------------------------------------------------------------------------


def decoder_back(xs, s0, hs, ss, alphas, W, U, W_y, dlogits, bugs=()):
    """A right backward of the attention decoder; each name in `bugs` makes one thing wrong."""
    bug, (S, N, _), H = set(bugs).__contains__, xs.shape, U.shape[0]
    dW, dU, db, dW_y = np.zeros_like(W), np.zeros_like(U), np.zeros(H), np.zeros_like(W_y)
    dxs, dhs, back = np.zeros_like(xs), np.zeros_like(hs), np.zeros_like(s0)
    db_y = dlogits[-1].sum(axis=0) if bug("db_y of the last step") else dlogits.sum(axis=(0, 1))
    for t in reversed(range(S)):
        ctx = np.einsum("tn,tnh->nh", alphas[t], hs)
        z = np.concatenate([ctx, ss[t]] if bug("z turned in dW_y") else [ss[t], ctx], axis=1)
        dW_y_t = z.T @ dlogits[t]
        dW_y = dW_y_t if bug("dW_y of t = 1") else dW_y + dW_y_t
        dz = dlogits[t] @ W_y.T
        ds, dctx = (dz[:, H:], dz[:, :H]) if bug("halves swapped") else (dz[:, :H], dz[:, H:])
        ds_att, dhs_t = dot_back(ss[t], hs, alphas[t], dctx, bugs)
        dhs = dhs_t if bug("dhs of t = 1") else dhs + (dhs_t if not bug("dhs of the last step") or t == S - 1
                                                       else 0)
        d = ds + (0 if bug("attention's ds dropped") else ds_att) + (0 if bug("carry dropped") else back)
        if bug("readout's ds dropped"):
            d = d - ds
        s_prev = ss[t - 1] if t else s0
        da = d * (1 - ss[t]**2)
        dxs[t], back = da @ W.T, da @ (U if bug("U for U^T") else U.T)
        terms = xs[t].T @ da, (ss[t] if bug("s_t in dU") else s_prev).T @ da, da.sum(axis=0)
        if not bug("one step's cell weights") or t == 0:
            dW, dU, db = dW + terms[0], dU + terms[1], db + terms[2]
    if bug("ds0 before U^T"):
        back = da
    return dxs, back, dhs, dW, dU, db, dW_y, db_y


ADB = "attention-decoder-backward"
for name, says, look in SOFTMAX_BACK:
    wrong(ADB, name, "(D4*)", f"in every step's attention: {says}", look)(
        lambda *given, name=name: decoder_back(*given, bugs=(name,)))
for name, mark, says, look in (
    ("context path only", "(D4*)",
     "only dhs is wrong: the encoder states get the path by the context only, that by the score is "
     "missing", "h_i is used twice in each step"),
    ("score path only", "(D4*)",
     "only dhs is wrong: the encoder states get the path by the score only, that by the context is "
     "missing", "h_i is used twice in each step"),
    ("dhs of t = 1", "(D4*)",
     "only dhs is wrong: it holds the term of decoder step 1 alone: assigned at every step",
     "the source is read at every step: = or +="),
    ("dhs of the last step", "(D4*)", "only dhs is wrong: it holds the term of the last decoder step alone",
     "the source is read at every step"),
    ("attention's ds dropped", "(D4*)", "ds_t lacks the attention's part: s_t is read out AND asks",
     "the sum for ds_t"),
    ("readout's ds dropped", "(D5*)", "ds_t lacks the readout's part: s_t is read out AND asks",
     "the sum for ds_t"),
    ("carry dropped", "(D3*)", "dxs is right at the last step only: the gradient carried back from step t+1 "
     "is missing",
     "the sum for ds_t"),
    ("U for U^T", "(D3*)", "dxs is right at the last step only: the carry goes through U in place of U^T",
     "the product that makes the carry"),
    ("halves swapped", "(D5*)",
     "the two halves of dz are swapped: the first H entries belong to s_t, the others to ctx_t",
     "the order in z = [s; ctx]"),
    ("z turned in dW_y", "(D7*)", "only dW_y is wrong: z is put together as [ctx; s]",
     "the order in z = [s; ctx]"),
    ("dW_y of t = 1", "(D7*)", "only dW_y is wrong: it holds step 1's term alone: assigned at every step",
     "= or +="),
    ("db_y of the last step", "(D7*)", "only db_y is wrong: it holds the last step's term alone",
     "the sum over time"),
    ("s_t in dU", "(D3*)", "only dU is wrong: it is built with s_t, and U multiplied s_{t-1}",
     "which state stands before U"),
    ("one step's cell weights", "(D3*)", "dW, dU, db hold the term of step 1 alone: assigned at every step",
     "= or +="),
    ("ds0 before U^T", "(D3*)", "only ds0 is wrong: the product with U^T is missing at step 1",
     "the way from a_1 back to s_0"),
):
    wrong(ADB, name, mark, says, look)(lambda *given, name=name: decoder_back(*given, bugs=(name,)))
