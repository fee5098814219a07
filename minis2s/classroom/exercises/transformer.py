"""Exercises on the Transformer: attention of all queries at once, the mask of the future, heads, positions."""
import numpy as np

from ...core.functions import softmax
from ...layers import positions
from ...layers.attention import multi_head, scaled_dot_product
from .exercise import Case, Exercise, lengths, ragged

SIZES = ((3, 4, 5, 6, 2), (2, 3, 4, 3, 5))              # N, S, T, D, H of two cases
HEADS = ((4, 3, 6, 2), (2, 1, 12, 3), (5, 2, 4, 4))     # T, N, D, h


# attention of all queries ---------------------------------------------------------------------------------

def _queries(rng):
    cases = []
    for N, S, T, D, H in SIZES:
        cases.append(Case("ragged lengths", {
            "q": rng.normal(size=(N, S, D)), "k": rng.normal(size=(N, T, D)), "v": rng.normal(size=(N, T, H)),
            "mask": ragged(lengths(rng, T, N) if N > 2 else rng.permutation([1, T]), T)}))
    g = cases[0].inputs
    pad = g["mask"].T[:, :, None]
    cases.append(Case("garbage at padding", {**g, "k": np.where(pad, g["k"], 40.0), "v": np.where(pad, g["v"], 1e6)}))
    cases.append(Case("large scores", {**g, "q": g["q"] * 900}))
    return cases


def scaled_attention(q, k, v, mask):
    """The library's scaled dot-product attention on plain arrays."""
    ctx, cache = scaled_dot_product.forward(q, k, v, mask.T[:, None])
    return ctx, cache.alpha


SCALED_ATTENTION = Exercise(
    "scaled-attention", "scaled dot-product attention of all queries at once",
    """(SA1)  e_ti = q_t . k_i / sqrt(D)
(SA2)  alpha_t = softmax over the real i of e_ti       0 at padding (SA4)
(SA3)  ctx_t = sum_i alpha_ti v_i""",
    """q     (N, S, D)  queries
k     (N, T, D)  keys
v     (N, T, H)  values
mask  (T, N)     True = real: which keys and values count""",
    """ctx    (N, S, H)  what each query reads (SA3)
alpha  (N, S, T)  weights (SA2)""",
    """>>> k, v = np.log(np.array([[[3.0], [1.0], [5.0]]])), np.array([[[4.0], [8.0], [9.0]]])
>>> ctx, alpha = scaled_attention(np.ones((1, 1, 1)), k, v, np.array([[True], [True], [False]]))
>>> print(alpha, ctx)
[[[0.75 0.25 0.  ]]] [[[5.]]]""",
    ("One matrix product for each example gives all scores: (S, D) times (D, T).",
     "The mask (T, N) stands on the axis of the KEYS, the last one of the scores: turn it to (N, 1, T).",
     "Divide by the root of D, the size of the queries; the softmax runs over the last axis."),
    _queries, scaled_attention, computed=("alpha", "ctx"))


def _queries_back(rng):
    cases = []
    for case in _queries(rng)[:2]:
        ctx, alpha = scaled_attention(**case.inputs)
        cases.append(Case(case.label, {**{name: case.inputs[name] for name in "qkv"}, "alpha": alpha,
                                       "dctx": rng.normal(size=ctx.shape)}))
    return cases


def scaled_attention_backward(q, k, v, alpha, dctx):
    """The library's backward on plain arrays."""
    return scaled_dot_product.backward(scaled_dot_product.Cache(q, k, v, alpha), dctx)


SCALED_ATTENTION_BACKWARD = Exercise(
    "scaled-attention-backward", "backward of scaled dot-product attention",
    """(SA3)  ctx_t = sum_i alpha_ti v_i          (SA3*) dalpha_ti = dctx_t . v_i    dv_i = sum_t alpha_ti dctx_t
(SA2)  alpha_t = softmax_i(e_t)            (SA2*) de_ti = alpha_ti (dalpha_ti - sum_j alpha_tj dalpha_tj)
(SA1)  e_ti = q_t . k_i / sqrt(D)          (SA1*) dq_t = sum_i de_ti k_i / sqrt(D)
                                                  dk_i = sum_t de_ti q_t / sqrt(D)""",
    """q      (N, S, D)  queries
k      (N, T, D)  keys
v      (N, T, H)  values
alpha  (N, S, T)  weights of the forward pass, 0 at padding
dctx   (N, S, H)  dL/dctx""",
    """dq  (N, S, D)  dL/dq (SA1*)
dk  (N, T, D)  dL/dk (SA1*)
dv  (N, T, H)  dL/dv (SA3*)""",
    """>>> q, k, v = np.ones((1, 1, 1)), np.zeros((1, 2, 1)), np.array([[[0.0], [2.0]]])
>>> dq, dk, dv = scaled_attention_backward(q, k, v, np.array([[[0.5, 0.5]]]), np.ones((1, 1, 1)))
>>> print(dq.ravel(), dk.ravel(), dv.ravel())              # dalpha = 0, 2;  de = -0.5, 0.5
[0.] [-0.5  0.5] [0.5 0.5]""",
    ("Four matrix products, each with one of the two factors of a forward product turned.",
     "The softmax's derivative needs the sum over j in each row t: without it, de does not sum to 0.",
     "The factor 1/sqrt(D) stands in dq and in dk."),
    _queries_back, scaled_attention_backward, shared="de of (SA2*)", computed=("dv", "dq", "dk"), own_memory=True)


def _pasts(rng):
    cases = [Case("as many queries as keys", {"e": rng.normal(size=(2, 4, 4))}),
             Case("one query, the last position", {"e": rng.normal(size=(3, 1, 5))}),
             Case("two queries behind three older positions", {"e": rng.normal(size=(2, 2, 5))})]
    e = cases[0].inputs["e"]
    cases.append(Case("a high score in the future", {"e": e + 3000 * np.triu(np.ones((4, 4)), 1)}))
    cases.append(Case("low scores in the past", {"e": e - 30000 * np.tril(np.ones((4, 4)))}))
    return cases


def causal_mask(e):
    """The library's softmax over what may be seen."""
    return softmax(e, scaled_dot_product.see_past(*e.shape[1:]))


CAUSAL_MASK = Exercise(
    "causal-mask", "weights of queries that do not see the future",
    """(SA5)  the S queries stand at the LAST S of T positions; the query at position t sees the keys at 1 ... t
(SA2)  alpha_t = softmax over the visible i of e_ti          0 at the others""",
    "e  (N, S, T)  scores; S is at most T, and less where older positions were decoded before",
    "alpha  (N, S, T)  weights; each row sums to 1 (SA2)",
    """>>> print(causal_mask(np.zeros((1, 2, 3))))       # two new positions behind an older one
[[[0.5        0.5        0.        ]
  [0.33333333 0.33333333 0.33333333]]]""",
    ("A position sees itself: its input is the token before, so nothing is given away.",
     "With S = T the visible part is the lower triangle with its diagonal; with S < T it is the last S rows of such a "
     "triangle of T rows.",
     "Put what is not visible to -inf before the maximum is taken."),
    _pasts, causal_mask)


# heads ----------------------------------------------------------------------------------------------------

def _heads(rng):
    return [Case("whole numbers in order" if i == 0 else "ordinary numbers", {
        "x": np.arange(T * N * D, dtype=float).reshape(T, N, D) if i == 0 else rng.normal(size=(T, N, D)), "heads": h})
        for i, (T, N, D, h) in enumerate(HEADS)]


SPLIT_HEADS = Exercise(
    "split-heads", "from rows to heads",
    "(MH5)  head j, from 0, has the numbers j d ... (j+1) d - 1 of every row; h heads of d = D / h",
    """x      (T, N, D)  rows, time first
heads  number     h, which divides D""",
    "y  (N, h, T, d)  the same numbers, example and head first (MH5)",
    """>>> y = split_heads(np.arange(8.0).reshape(2, 1, 4), 2)
>>> print(y[0, 0].tolist(), y[0, 1].tolist())
[[0.0, 1.0], [4.0, 5.0]] [[2.0, 3.0], [6.0, 7.0]]""",
    ("Nothing is computed: numbers only move.",
     "First cut the last axis into two, (T, N, h, d); only then change the order of the axes.",
     "reshape alone can never bring an axis before another: it keeps the order of all numbers."),
    _heads, lambda x, heads: np.array(multi_head.split(x, heads)))


JOIN_HEADS = Exercise(
    "join-heads", "from heads back to rows",
    "(MH5*)  the inverse of split-heads: row t has head 1's numbers, then head 2's, ...",
    "y  (N, h, T, d)  numbers by example and head",
    "x  (T, N, D)  rows, time first; D = h d (MH5*)",
    """>>> y = np.array([[[[0.0, 1.0], [4.0, 5.0]], [[2.0, 3.0], [6.0, 7.0]]]])
>>> print(join_heads(y)[:, 0].tolist())
[[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]]""",
    ("It undoes split-heads, so it is its backward, too.",
     "First bring the axes into the order (T, N, h, d), then make one axis of the last two.",
     "The order (2, 0, 1, 3) of the axes of y."),
    lambda rng: [Case(case.label, {"y": np.array(multi_head.split(*case.inputs.values()))}) for case in _heads(rng)],
    lambda y: np.array(multi_head.join(y)))


# positions --------------------------------------------------------------------------------------------------

def _lengths(rng):
    return [Case(f"{steps} steps of size {size}", {"steps": steps, "size": size})
            for steps, size in ((5, 6), (1, 4), (12, 8), (7, 5), (4, 1))]


POSITION_ENCODING = Exercise(
    "position-encoding", "sinusoids that tell the positions",
    """(PE1)  P_i,2k   = sin(i / 10000^(2k/D))        i = 0, 1, ..., T-1
       P_i,2k+1 = cos(i / 10000^(2k/D))        sine and cosine by turns""",
    """steps  number  T
size   number  D; where it is odd, the last sine has no cosine""",
    "P  (T, D)  row i is added to the token at position i (PE1)",
    """>>> print(position_encoding(2, 4).round(4))
[[0.     1.     0.     1.    ]
 [0.8415 0.5403 0.01   1.    ]]""",
    ("Two columns share one frequency: columns 2k and 2k+1 have the exponent 2k/D.",
     "Positions count from 0: the first row is 0, 1, 0, 1, ...",
     "Make the angles (T, columns 0, 2, 4, ...), then put sines into the even columns, cosines into the odd ones."),
    _lengths, lambda steps, size: positions.sinusoidal(steps, size))


EXERCISES = (SCALED_ATTENTION, SCALED_ATTENTION_BACKWARD, CAUSAL_MASK, SPLIT_HEADS, JOIN_HEADS, POSITION_ENCODING)
