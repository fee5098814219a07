"""Wrong backward passes of attention: right functions, and each mistake as an edit of their text."""
import numpy as np

from .edited import edits_of
from .mistake import recorder

BANK, wrong = recorder()


def dot_back(s, hs, alpha, dctx):
    """A right backward of dot attention."""
    dalpha = np.einsum("nh,tnh->tn", dctx, hs)
    de = alpha * (dalpha - (alpha * dalpha).sum(axis=0))
    ds = np.einsum("tn,tnh->nh", de, hs)
    by_context, by_score = alpha[:, :, None] * dctx, de[:, :, None] * s
    dhs = by_context + by_score
    return ds, dhs


def additive_back(s, hs, u, alpha, W_s, W_h, v, dctx):
    """A right backward of additive attention."""
    dalpha = np.einsum("nh,tnh->tn", dctx, hs)
    de = alpha * (dalpha - (alpha * dalpha).sum(axis=0))
    dv = np.einsum("tn,tna->a", de, u)
    du = de[:, :, None] * v
    da = du * (1 - u**2)
    dq = da.sum(axis=0)
    ds, dW_s = dq @ W_s.T, s.T @ dq
    dW_h = np.einsum("tnh,tna->ha", hs, da)
    by_context, by_score = alpha[:, :, None] * dctx, da @ W_h.T
    dhs = by_context + by_score
    return ds, dhs, dW_s, dW_h, dv


SOFTMAX = (
    ("diagonal", "(A1*)",
     "only the diagonal of the softmax's Jacobian is used, alpha (1 - alpha): de does not sum to "
     "0 over i",
     "how a score changes the weights of all OTHER positions",
     [("(dalpha - (alpha * dalpha).sum(axis=0))", "(1 - alpha) * dalpha")]),
    ("alpha in front only", "(A1*)",
     "the softmax's derivative has its first term only, alpha dalpha: de does not sum to 0 over i",
     "the sum in (A1*)",
     [("(dalpha - (alpha * dalpha).sum(axis=0))", "dalpha")]),
    ("no softmax", "(A1*)",
     "the softmax is not passed: dalpha is taken for de",
     "(A1*)",
     [("alpha * (dalpha - (alpha * dalpha).sum(axis=0))", "dalpha")]),
    ("sum over the batch", "(A1*)",
     "the sum in the softmax's derivative runs over the batch, not over the source positions",
     "the axis of the sum in (A1*)",
     [("(alpha * dalpha).sum(axis=0)", "(alpha * dalpha).sum(axis=1, keepdims=True)")]),
    ("mean of dalpha", "(A1*)",
     "the softmax's derivative takes away the plain mean of dalpha, not the mean weighted by alpha",
     "the sum in (A1*)",
     [("(alpha * dalpha).sum(axis=0)", "dalpha.mean(axis=0)")]),
    ("alpha missing in front", "(A1*)",
     "the factor alpha in front of the bracket is missing in the softmax's derivative",
     "(A1*)",
     [("alpha * (dalpha - (alpha * dalpha).sum(axis=0))", "(dalpha - (alpha * dalpha).sum(axis=0))")]),
    ("sign in the softmax", "(A1*)",
     "a sign is wrong in the softmax's derivative: dalpha PLUS the sum",
     "(A1*)",
     [("(dalpha - (alpha", "(dalpha + (alpha")]),
    ("sum of dalpha", "(A1*)",
     "the softmax's derivative takes away the plain sum of dalpha, not the sum weighted by alpha",
     "the sum in (A1*)",
     [("(alpha * dalpha).sum(axis=0)", "dalpha.sum(axis=0)")]),
)

DOT = (
    ("context path only", "(AD1*)",
     "ds is right, dhs is wrong: the states' gradient has the path by the context only, that by "
     "the score is missing",
     "h_i is used twice",
     [("by_context + by_score", "by_context")]),
    ("score path only", "(A2*)",
     "ds is right, dhs is wrong: the states' gradient has the path by the score only, that by the "
     "context is missing",
     "h_i is used twice",
     [("by_context + by_score", "by_score")]),
    ("ds mean", "(AD1*)",
     "only ds is wrong: mean over the positions in place of the sum",
     "sum or mean over i",
     [('np.einsum("tn,tnh->nh", de, hs)', 'np.einsum("tn,tnh->nh", de, hs) / len(hs)')]),
    ("ds from alpha", "(AD1*)",
     "only ds is wrong: it is weighted with alpha in place of de",
     "what weighs h_i in ds",
     [('"tn,tnh->nh", de, hs', '"tn,tnh->nh", alpha, hs')]),
    ("ds is dctx", "(AD1*)",
     "only ds is wrong: it is dctx, which did not go through the attention",
     "(AD1*)",
     [("return ds, dhs", "return dctx, dhs")]),
    ("sign of dhs", "(AD1*)",
     "only dhs is wrong: its sign is turned",
     "the sum of the two paths",
     [("dhs = by_context + by_score", "dhs = -by_context - by_score")]),
    ("dalpha in the score path", "(AD1*)",
     "dalpha stands where de belongs: the softmax is not passed on the way to the scores",
     "which gradient is that of a score",
     [("de[:, :, None] * s", "dalpha[:, :, None] * s")]),
    ("query of the first example in dhs", "(AD1*)",
     "only dhs is wrong: the score's path uses the first example's query for all",
     "the index n of s",
     [("de[:, :, None] * s", "de[:, :, None] * s[:1]")]),
    ("ds of the last position", "(AD1*)",
     "only ds is wrong: it holds the last source position's term alone",
     "= or += for ds: the sum over i",
     [('ds = np.einsum("tn,tnh->nh", de, hs)', "ds = de[-1][:, None] * hs[-1]")]),
    ("difference of the paths", "(AD1*)",
     "only dhs is wrong: one path is taken away from the other; they are added",
     "the sum of the two paths",
     [("by_context + by_score", "by_context - by_score")]),
)

ADDITIVE = (
    ("context path only", "(AB1*)",
     "ds is right, dhs is wrong: the states' gradient has the path by the context only, that by "
     "the keys is missing",
     "h_i is used twice",
     [("by_context + by_score", "by_context")]),
    ("key path only", "(A2*)",
     "ds is right, dhs is wrong: the states' gradient has the path by the keys only, that by the "
     "context is missing",
     "h_i is used twice",
     [("by_context + by_score", "by_score")]),
    ("derivative of the input", "(AB2*)",
     "tanh's derivative is taken as if u were its INPUT: 1 - tanh(u)^2",
     "1 - u^2",
     [("(1 - u**2)", "(1 - np.tanh(u)**2)")]),
    ("no tanh derivative", "(AB2*)",
     "tanh's derivative is missing between du and da",
     "1 - u^2",
     [("du * (1 - u**2)", "du")]),
    ("sigmoid's derivative", "(AB2*)",
     "u (1 - u) is the sigmoid's derivative; u is a tanh",
     "1 - u^2",
     [("(1 - u**2)", "u * (1 - u)")]),
    ("last position", "(AB2*)",
     "ds and dW_s hold the last source position's term alone: one query meets all positions",
     "the sum over i",
     [("da.sum(axis=0)", "da[-1]")]),
    ("mean over positions", "(AB2*)",
     "ds and dW_s hold the mean over the source positions: wanted is the sum",
     "the sum over i",
     [("da.sum(axis=0)", "da.mean(axis=0)")]),
    ("dW_h of the last position", "(AB1*)",
     "only dW_h is wrong: it holds the last source position's term alone",
     "W_h is used at every position",
     [('np.einsum("tnh,tna->ha", hs, da)', "hs[-1].T @ da[-1]")]),
    ("dv before the softmax", "(AB3*)",
     "only dv is wrong: u is weighted with alpha in place of de",
     "what weighs u_i",
     [('"tn,tna->a", de, u', '"tn,tna->a", alpha, u')]),
    ("dv of da", "(AB3*)",
     "only dv is wrong: it sums da, and v stands outside the tanh",
     "what v was multiplied with",
     [('np.einsum("tn,tna->a", de, u)', "(de[:, :, None] * v * (1 - u**2)).sum(axis=(0, 1))")]),
    ("v forgotten in du", "(AB3*)",
     "v is forgotten on the way from de to du: dv is right, all that goes through the tanh is "
     "wrong",
     "what u_i was multiplied with in (AB3)",
     [("de[:, :, None] * v", "de[:, :, None] + 0 * v")]),
    ("u for v", "(AB3*)",
     "du is made with u in place of v",
     "what u_i was multiplied with in (AB3)",
     [("de[:, :, None] * v", "de[:, :, None] * u")]),
    ("query of the first example", "(AB2*)",
     "only dW_s is wrong: the first example's query is used for all",
     "the index n of s",
     [("s.T @ dq", "s[:1].repeat(len(s), axis=0).T @ dq")]),
    ("dW_s of one example", "(AB2*)",
     "only dW_s is wrong: it is the first example's part alone",
     "the sum over n",
     [("s.T @ dq", "s[:1].T @ dq[:1]")]),
    ("dv without tanh", "(AB3*)",
     "only dv is wrong: it is made with the states' or the query's sum before the tanh",
     "what v was multiplied with",
     [('dv = np.einsum("tn,tna->a", de, u)', 'dv = np.einsum("tn,tna->a", de, s @ W_s + hs @ W_h)')]),
    ("difference of the paths", "(AB1*)",
     "only dhs is wrong: one path is taken away from the other; they are added",
     "the sum of the two paths",
     [("by_context + by_score", "by_context - by_score")]),
)

edits_of(wrong, "dot-attention-backward", dot_back, (*SOFTMAX, *DOT))
edits_of(wrong, "additive-attention-backward", additive_back, (*SOFTMAX, *ADDITIVE))


@wrong("dot-attention-backward", "scaled", "(AD2*)",
       "this is the backward of SCALED dot-product attention: de is divided by sqrt(H)", "(AD1) has no scale",
       variant=True)
def _scaled(s, hs, alpha, dctx):
    k = np.sqrt(s.shape[1])
    ds, dhs = dot_back(s, hs, alpha, dctx)
    by_context = alpha[:, :, None] * dctx
    return ds / k, by_context + (dhs - by_context) / k
