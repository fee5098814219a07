"""Exercises on attention: the mask, dot and additive scores, and their backward."""
import numpy as np

from ...core import tree
from ...core.functions import softmax
from ...layers.attention import Memory, additive, attend, dot, precompute_keys, precompute_keys_backward
from ...layers.attention.attend import Cache, attend_backward
from .exercise import Case, Exercise, lengths, ragged

SIZES = ((5, 4, 6, 7, 3), (4, 3, 2, 5, 6))      # T, N, H, A, Q of two cases


def _masked(rng, size):
    T, N, H, _, _ = size
    return {"hs": rng.normal(size=(T, N, H)), "mask": ragged(lengths(rng, T, N), T)}


# the mask ----------------------------------------------------------------------------------------------

def _scores(rng):
    cases = [Case("ordinary scores", {"e": rng.normal(size=(T, N)) * 2, "mask": ragged(lengths(rng, T, N),
                                                                                       T)})
             for T, N, *_ in SIZES]
    e, mask = cases[0].inputs.values()
    cases.append(Case("all scores raised by 1000", {"e": e + 1000, "mask": mask}))
    for great in (300.0, 3000.0, 30000.0):
        cases.append(Case(f"scores of {great:.0f} at padding", {"e": np.where(mask, e, great), "mask": mask}))
        cases.append(Case(f"real scores of -{great:.0f}", {"e": np.where(mask, e - great, 0.5),
                                                           "mask": mask}))
    return cases


ATTENTION_MASK = Exercise(
    "attention-mask", "attention weights of real positions only",
    "(A1)  alpha_i = exp(e_i) / sum over real j of exp(e_j)        at real positions; 0 at padding",
    """e     (T, N)  scores; those of padding mean nothing and may be of any size
mask  (T, N)  True = real; every column has one at least""",
    "alpha  (T, N)  weights; each column sums to 1 (A1)",
    """>>> e = np.array([[0.0], [np.log(3.0)], [7.0]])
>>> print(attention_mask(e, np.array([[True], [True], [False]])).ravel())
[0.25 0.75 0.  ]""",
    ("Sums run over the source positions: axis 0.  Padding has weight exactly 0.",
     "A masked score must not take part in the softmax at all: exp(0) = 1 is not nothing.",
     "Put padded scores to -inf BEFORE the maximum is taken, or keep them out of maximum and sum."),
    _scores, lambda e, mask: softmax(e, mask, axis=0))


# dot ---------------------------------------------------------------------------------------------------

def _dots(rng):
    cases = []
    for size in SIZES:
        cases.append(Case("ragged lengths", {"s": rng.normal(size=(size[1], size[2])), **_masked(rng, size)}))
    g = cases[0].inputs
    cases.append(Case("large scores, garbage at padding",
                      {**g, "s": g["s"] * 4000, "hs": np.where(g["mask"][:, :, None], g["hs"],
                                                               g["hs"] * 30)}))
    return cases


def dot_attention(s, hs, mask):
    """The library's attention on plain arrays."""
    ctx, k = attend(dot, dot.Params(), s, Memory(hs, None, mask))
    return ctx, k.alpha


DOT_ATTENTION = Exercise(
    "dot-attention", "dot-product attention of one query",
    """(AD1)  e_i = s . h_i
(A1)   alpha = softmax over the real i of e_i        0 at padding
(A2)   ctx = sum_i alpha_i h_i""",
    """s     (N, H)     the query: decoder states
hs    (T, N, H)  encoder states
mask  (T, N)     True = real""",
    """ctx    (N, H)  contexts (A2)
alpha  (T, N)  weights (A1)""",
    """>>> hs = np.array([[[0.0]], [[1.0]], [[9.0]]])
>>> ctx, alpha = dot_attention(np.array([[np.log(3.0)]]), hs, np.array([[True], [True], [False]]))
>>> print(alpha.ravel(), ctx)
[0.25 0.75 0.  ] [[0.75]]""",
    ("Three lines: scores (T, N), weights (T, N), contexts (N, H).",
     "Each example n attends to its own column of hs: no product between different examples.",
     "The softmax runs over i (axis 0), with padding left out (exercise attention-mask)."),
    _dots, dot_attention, computed=("alpha", "ctx"))


def _dots_back(rng):
    cases = []
    for case in _dots(rng)[:2]:
        ctx, alpha = dot_attention(**case.inputs)
        cases.append(Case(case.label, {"s": case.inputs["s"], "hs": case.inputs["hs"], "alpha": alpha,
                                       "dctx": rng.normal(size=ctx.shape)}))
    return cases


def dot_attention_backward(s, hs, alpha, dctx):
    """The library's attend_backward on plain arrays."""
    ds, dmemory, _ = attend_backward(dot, dot.Params(), Memory(hs, None, None), Cache(alpha, dot.Cache(s)),
                                     dctx)
    return ds, dmemory.hs


_ATTEND_BACK = """(A2)   ctx = sum_i alpha_i h_i      (A2*)  dalpha_i = dctx . h_i    dh_i = alpha_i dctx
(A1)   alpha = softmax_i(e)         (A1*)  de = alpha (dalpha - sum_i alpha_i dalpha_i)
"""

DOT_ATTENTION_BACKWARD = Exercise(
    "dot-attention-backward", "backward of dot-product attention",
    _ATTEND_BACK + "(AD1)  e_i = s . h_i                (AD1*) ds = sum_i de_i h_i    dh_i += de_i s",
    """s      (N, H)     the query
hs     (T, N, H)  encoder states
alpha  (T, N)     weights of the forward pass, 0 at padding
dctx   (N, H)     dL/dctx""",
    """ds   (N, H)     dL/ds (AD1*)
dhs  (T, N, H)  dL/dh_i: a sum of two paths (AD1*)""",
    """>>> hs = np.array([[[0.0]], [[2.0]]])
>>> ds, dhs = dot_attention_backward(np.array([[3.0]]), hs, np.array([[0.5], [0.5]]), np.array([[1.0]]))
>>> print(ds, dhs.ravel())              # dalpha = 0, 2;  de = -0.5, 0.5;  dh = 0.5 + 3 de
[[1.]] [-1.  2.]""",
    ("h_i is used twice: it is weighed into the context, and it makes the score.  Its gradient is a sum.",
     "The softmax's derivative has two terms; the second one makes de sum to 0 over i.",
     "Order: dalpha, then de by (A1*), then ds; dhs collects alpha_i dctx and de_i s."),
    _dots_back, dot_attention_backward, shared="de of (A1*)", computed=("ds", "dhs"), own_memory=True)


# additive ----------------------------------------------------------------------------------------------

def _additives(rng):
    cases = []
    for size in SIZES:
        T, N, H, A, Q = size
        cases.append(Case("ragged lengths", {
            "s": rng.normal(size=(N, Q)), **_masked(rng, size), "W_s": rng.normal(size=(Q, A)) * 0.6,
            "W_h": rng.normal(size=(H, A)) * 0.6, "v": rng.normal(size=A)}))
    g = cases[0].inputs
    cases.append(Case("large scores", {**g, "v": g["v"] * 900}))
    return cases


def additive_attention(s, hs, mask, W_s, W_h, v):
    """The library's attention on plain arrays."""
    p = additive.Params(W_s, W_h, v)
    ctx, k = attend(additive, p, s, precompute_keys(additive, p, hs, mask))
    return ctx, k.alpha


ADDITIVE_ATTENTION = Exercise(
    "additive-attention", "additive (Bahdanau) attention of one query",
    """(AB1) (AB2)  u_i = tanh(s W_s + h_i W_h)
(AB3)        e_i = u_i . v
(A1) (A2)    alpha = softmax over the real i of e_i        ctx = sum_i alpha_i h_i""",
    """s     (N, Q)     the query: decoder states
hs    (T, N, H)  encoder states
mask  (T, N)     True = real
W_s   (Q, A)     weights of the query
W_h   (H, A)     weights of the encoder states
v     (A,)       weights of the score""",
    """ctx    (N, H)  contexts (A2)
alpha  (T, N)  weights; 0 at padding (A1)""",
    """>>> hs, one = np.array([[[0.0]], [[1.0]]]), np.eye(1)
>>> s, v = np.array([[0.0]]), np.log(np.array([3.0])) / np.tanh(1)
>>> ctx, alpha = additive_attention(s, hs, np.ones((2, 1), bool), one, one, v)
>>> print(alpha.ravel(), ctx)           # scores 0 and log 3
[0.25 0.75] [[0.75]]""",
    ("s W_s has shape (N, A) and is added to every position of hs W_h, (T, N, A).",
     "tanh before v: without it the query would move all scores alike and the softmax would not see it.",
     "e = u times v over the last axis; then as in dot-attention: softmax over real positions, weighted sum "
     "of hs."),
    _additives, additive_attention, computed=("alpha", "ctx"))


def _additives_back(rng):
    cases = []
    for case in _additives(rng)[:2]:
        g = case.inputs
        ctx, alpha = additive_attention(**g)
        u = np.tanh(g["s"] @ g["W_s"] + g["hs"] @ g["W_h"])
        cases.append(Case(case.label, {"s": g["s"], "hs": g["hs"], "u": u, "alpha": alpha, "W_s": g["W_s"],
                                       "W_h": g["W_h"],
                                       "v": g["v"], "dctx": rng.normal(size=ctx.shape)}))
    return cases


def additive_attention_backward(s, hs, u, alpha, W_s, W_h, v, dctx):
    """The library's attend_backward and precompute_keys_backward on plain arrays."""
    p, memory = additive.Params(W_s, W_h, v), Memory(hs, None, None)
    ds, dmemory, g_query = attend_backward(additive, p, memory, Cache(alpha, additive.Cache(s, u)), dctx)
    dhs, g_keys = precompute_keys_backward(additive, p, memory, dmemory)
    return ds, dhs, *tree.add(g_query, g_keys)


ADDITIVE_ATTENTION_BACKWARD = Exercise(
    "additive-attention-backward", "backward of additive attention",
    _ATTEND_BACK + """(AB3)  e_i = u_i . v                (AB3*) du_i = de_i v    dv = sum_i,n de_i u_i
(AB2)  u_i = tanh(s W_s + k_i)      (AB2*) da_i = du_i (1 - u_i^2)
                                           ds = sum_i da_i W_s^T    dW_s = s^T sum_i da_i
(AB1)  k_i = h_i W_h                (AB1*) dh_i += da_i W_h^T    dW_h = sum_i h_i^T da_i""",
    """s      (N, Q)     the query
hs     (T, N, H)  encoder states
u      (T, N, A)  tanh of the forward pass
alpha  (T, N)     weights of the forward pass, 0 at padding
W_s    (Q, A)     weights of the query
W_h    (H, A)     weights of the encoder states
v      (A,)       weights of the score
dctx   (N, H)     dL/dctx""",
    """ds    (N, Q)     dL/ds (AB2*)
dhs   (T, N, H)  dL/dh_i: a sum of two paths (AB1*)
dW_s  (Q, A)     (AB2*)
dW_h  (H, A)     (AB1*)
dv    (A,)       (AB3*)""",
    """>>> one, z = np.eye(1), np.zeros((2, 1, 1))
>>> hs, alpha = np.array([[[0.0]], [[2.0]]]), np.array([[0.5], [0.5]])
>>> r = additive_attention_backward(one, hs, z, alpha, 3 * one, 4 * one, np.array([5.0]), one)
>>> print(r[0], r[1].ravel())           # de = -0.5, 0.5;  da = -2.5, 2.5;  dh = 0.5 + 4 da
[[0.]] [-9.5 10.5]
>>> print(r[2], r[3], r[4])
[[0.]] [[5.]] [0.]""",
    ("First down to de as in dot-attention-backward, then through v, tanh and the two products.",
     "One query meets all T positions: its gradient is a sum over i before W_s^T comes.",
     "h_i is weighed into ctx (alpha_i dctx) and makes a key (da_i W_h^T): dhs is the sum of both."),
    _additives_back, additive_attention_backward, shared="de of (A1*)", computed=("dv", "ds", "dW_s", "dW_h", "dhs"),
    own_memory=True)


EXERCISES = (ATTENTION_MASK, DOT_ATTENTION, DOT_ATTENTION_BACKWARD, ADDITIVE_ATTENTION,
             ADDITIVE_ATTENTION_BACKWARD)
