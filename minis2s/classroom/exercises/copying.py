"""Exercises on copying: the softmax over the vocabulary, mixed with the attention weights of the source's words."""
import numpy as np

from ...core.functions import log_softmax, softmax
from ...data.vocabulary import PAD
from ...layers import copying as layer, linear
from .exercise import Case, Exercise, lengths, ragged

SIZES = ((5, 6, 4, 7, 9), (3, 5, 2, 4, 8))              # S, T, N, R, V of two cases


def _sources(rng, T, N, V, unknown):
    """Sources (T, N) and their masks: example n has so many words outside the vocabulary; words stand twice."""
    mask = ragged(np.maximum(lengths(rng, T, N), 3), T)
    ids = rng.integers(4, V, (T, N))
    for n, k in enumerate(unknown):
        ids[:k, n] = V + np.arange(k)
    ids[2], ids[4] = ids[0], ids[3]
    return np.where(mask, ids, PAD), mask


def _copies(rng):
    cases = []
    for label, sizes, unknown in (("a word stands twice", SIZES[0], (2, 2, 2, 2)),
                                  ("sources with and without unknown words", SIZES[1], (0, 2))):
        S, T, N, R, V = sizes
        ids, mask = _sources(rng, T, N, V, unknown)
        cases.append(Case(label, {
            "r": rng.normal(size=(S, N, R)), "w": rng.normal(size=R) * 0.6, "b": float(rng.normal()) + 0.5,
            "logits": rng.normal(size=(S, N, V)) * 2,
            "alpha": softmax(rng.normal(size=(S, T, N)) * 2, mask, axis=1), "ids": ids}))
    g = cases[0].inputs
    return [*cases, Case("words that the model thinks impossible", {**g, "logits": g["logits"] * 400}),
            Case("a gate nearly open or shut", {**g, "r": g["r"] * 300})]


def copying(r, w, b, logits, alpha, ids):
    """The library's mixture on plain arrays, with what it is made of."""
    log_p, k = layer.forward(linear.Params(w[:, None], np.array([b])), r, logits, alpha, ids)
    return k.g, k.c, log_p


COPYING = Exercise(
    "copying", "what is said, mixed with what is copied from the source",
    """(CP1)  g = sigmoid(r w + b)
(CP2)  c_v = sum_i alpha_i [x_i = v]                          the weights of all places where word v stands
(CP3)  log p_v = log((1-g) softmax(logits)_v + g c_v)         the softmax is 0 where v is not in the vocabulary
V words are in the vocabulary; x = V, V+1, ... are words of this source that are not.  log p = -inf where p is 0.""",
    """r       (S, N, R)  what the readout reads
w       (R,)       weights of the gate
b       number     its bias
logits  (S, N, V)  scores of the words of the vocabulary, of any size
alpha   (S, T, N)  attention weights; 0 at padding
ids     (T, N)     x, the source's words; PAD (0) at padding""",
    """g      (S, N)     share of the copies (CP1)
c      (S, N, U)  weights of words (CP2); U = V, or the greatest of ids + 1 where that is more
log_p  (S, N, U)  log-probabilities of words (CP3)""",
    """>>> one, ids = np.ones((1, 1, 1)), np.array([[2], [1], [2]])                # word 2 is not in the vocabulary
>>> alpha = np.array([[[0.25], [0.5], [0.25]]])
>>> g, c, log_p = copying(one, np.array([np.log(3.0)]), 0.0, np.zeros((1, 1, 2)), alpha, ids)
>>> print(g, c, np.exp(log_p).round(6))             # 0.25 * 0.5,  0.25 * 0.5 + 0.75 * 0.5,  0.75 * 0.5
[[0.75]] [[[0.  0.5 0.5]]] [[[0.125 0.5   0.375]]]""",
    ("A word that stands twice can be copied from both places: its weights are added.",
     "Make c of width U and walk over the T places; c[:, n, ids[t, n]] gets alpha[:, t, n], added to what is there.",
     "log(A + B) of two logarithms is np.logaddexp: log(1-g) = -log(1 + exp a), log g = -log(1 + exp(-a)), and log q "
     "comes from a log-softmax, so nothing underflows."),
    _copies, copying, computed=("g", "c", "log_p"))


def _copies_back(rng):
    cases = []
    for case in _copies(rng)[:2]:
        q = case.inputs
        g, c, log_p = copying(**q)
        dlog_p = np.where(np.isneginf(log_p), 0, rng.normal(size=log_p.shape))
        cases.append(Case(case.label, {"r": q["r"], "w": q["w"], "ids": q["ids"], "g": g, "c": c,
                                       "log_q": log_softmax(q["logits"]), "log_p": log_p, "dlog_p": dlog_p}))
    return cases


def copying_backward(r, w, ids, g, c, log_q, log_p, dlog_p):
    """The library's backward on plain arrays."""
    k = layer.Cache(r, ids, g, c, np.log(g), log_q, log_p)
    dr, dlogits, dalpha, grads = layer.backward(linear.Params(w[:, None], np.zeros(1)), k, dlog_p)
    return dr, dlogits, dalpha, grads.W[:, 0], grads.b[0]


COPYING_BACKWARD = Exercise(
    "copying-backward", "backward of the mixture of words said and words copied",
    """with share_v = g c_v / p_v, the part of p_v that is copied:
(CP3)  log p_v = log((1-g) softmax(logits)_v + g c_v)    (CP3*) ds_v = (1 - share_v) dlog p_v        for v < V
                                                                dlogits = ds - softmax(logits) sum_v ds_v
                                                                da = sum_v (share_v - g) dlog p_v        over all v
                                                                dc_v = (g / p_v) dlog p_v,  0 where c_v is 0
(CP2)  c_v = sum_i alpha_i [x_i = v]                     (CP2*) dalpha_i = dc_{x_i}
(CP1)  a = r w + b,  g = sigmoid(a)                      (CP1*) dr = da w    dw = sum r da    db = sum da""",
    """r       (S, N, R)  what the readout reads
w       (R,)       weights of the gate
ids     (T, N)     x, the source's words; PAD (0) at padding
g       (S, N)     share of the copies
c       (S, N, U)  weights of words; 0 of those that the source does not have
log_q   (S, N, V)  log softmax(logits)
log_p   (S, N, U)  log-probabilities; -inf of words that can neither be said nor be copied
dlog_p  (S, N, U)  dL/dlog p; 0 where log_p is -inf""",
    """dr       (S, N, R)  dL/dr (CP1*)
dlogits  (S, N, V)  dL/dlogits (CP3*)
dalpha   (S, T, N)  dL/dalpha (CP2*)
dw       (R,)       dL/dw (CP1*)
db       number     dL/db (CP1*)""",
    """>>> one, log_q, g = np.ones((1, 1, 1)), np.log([[[0.5, 0.5]]]), np.array([[0.75]])
>>> ids, c, log_p = np.array([[2], [1]]), np.array([[[0.0, 0.5, 0.5]]]), np.log([[[0.125, 0.5, 0.375]]])
>>> d = copying_backward(one, np.array([2.0]), ids, g, c, log_q, log_p, np.array([[[0.0, -1.0, 0.0]]]))
>>> print(*(a.ravel() for a in d[:4]), d[4])        # share of word 1: 0.75 * 0.5 / 0.5 = 0.75
[0.] [ 0.125 -0.125] [ 0.  -1.5] [0.] 0.0""",
    ("p_v has two parts, one said, one copied; the share tells how dlog p_v is divided between them.",
     "A place in the source reads the gradient of its word; a word that stands twice gives all of it to both places.",
     "g / p_v = exp(log g - log p_v).  Where c_v is 0 write 0: there p_v may be 0, and 0/0 is NaN."),
    _copies_back, copying_backward, shared="share_v = g c_v / p_v",
    computed=("dlogits", "dalpha", "dr", "dw", "db"), own_memory=True)


EXERCISES = (COPYING, COPYING_BACKWARD)
