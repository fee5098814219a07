"""Wrong mixtures of words said and words copied, and wrong gradients of them."""
import numpy as np

from .edited import edits_of
from .mistake import recorder

BANK, wrong = recorder()


# copying -------------------------------------------------------------------------------------------------

def mixed(r, w, b, logits, alpha, ids):
    """A right mixture."""
    S, N, V = logits.shape
    a = r @ w + b
    g = 0.5 + 0.5 * np.tanh(0.5 * a)
    c = np.zeros((S, N, max(V, ids.max() + 1)))
    for t, x in enumerate(ids):
        c[:, np.arange(N), x] += alpha[:, t]
    z = logits - logits.max(axis=2, keepdims=True)
    log_q = z - np.log(np.exp(z).sum(axis=2, keepdims=True))
    said = np.full(c.shape, -np.inf)
    said[:, :, :V] = -np.logaddexp(0, a)[:, :, None] + log_q
    copies = -np.logaddexp(0, -a)[:, :, None] + np.log(c)
    log_p = np.logaddexp(said, copies)
    return g, c, log_p


ADDED, MIXED = "c[:, np.arange(N), x] += alpha[:, t]", "np.logaddexp(said, copies)"
SAID, COPIED = "-np.logaddexp(0, a)[:, :, None]", "-np.logaddexp(0, -a)[:, :, None]"
edits_of(wrong, "copying", mixed, (
    ("overwritten", "(CP2)", "g is right; of a word that stands twice the last place's weight alone is kept",
     "= or += where a weight is put into c", [("+= alpha[:, t]", "= alpha[:, t]")]),
    ("first place", "(CP2)", "g is right; of a word that stands twice the first place's weight alone is kept",
     "the sum over all places", [(ADDED, "c[:, np.arange(N), x] += alpha[:, t] * ~(ids[:t] == x).any(axis=0)")]),
    ("mean over the places", "(CP2)", "g is right; of a word that stands twice the weights are averaged, not added",
     "what is divided by the number of places", [(ADDED, ADDED + " / (ids == x).sum(axis=0)")]),
    ("unknown words lost", "(CP2)", "g is right; words outside the vocabulary are not copied: their weights are lost",
     "the words V, V+1, ... of the source", [(ADDED, ADDED + " * (x < V)")]),
    ("copied as UNK", "(CP2)", "g is right; words outside the vocabulary are copied as UNK: only embeddings read that",
     "which numbers the words of the source have",
     [(ADDED, "c[:, np.arange(N), np.where(x < V, x, 3)] += alpha[:, t]")]),
    ("places for words", "(CP2)", "g is right; c has the weight of place i in column i, not in that of its word",
     "which column a weight goes into", [(ADDED, "c[:, :, t] += alpha[:, t]")]),
    ("words of the first example", "(CP2)", "g is right; every example copies the first example's words",
     "the index n of ids", [(ADDED, "c[:, np.arange(N), x[:1].repeat(N)] += alpha[:, t]")]),
    ("gate and complement swapped", "(CP3)", "g and c are right; g and 1-g are swapped: g belongs to the copies",
     "which part g weighs", [(SAID, "TURNED"), (COPIED, SAID), ("TURNED", COPIED)]),
    ("gate turned", "(CP1)", "c is right; g is 1 minus what it should be", "the sign inside the sigmoid",
     [("a = r @ w + b", "a = -(r @ w + b)")]),
    ("no bias", "(CP1)", "c is right; b is not added", "(CP1)", [("r @ w + b", "r @ w")]),
    ("tanh gate", "(CP1)", "c is right; the gate is a tanh, not a sigmoid: a share lies between 0 and 1", "(CP1)",
     [("g = 0.5 + 0.5 * np.tanh(0.5 * a)", "g = np.tanh(a)"), (SAID, "np.log(1 - g)[:, :, None]"),
      (COPIED, "np.log(g)[:, :, None]")]),
    ("softmax missing", "(CP3)", "g and c are right; the logits stand where log softmax(logits) belongs",
     "what is a logarithm of a probability", [("+ log_q", "+ logits")]),
    ("exp overflows", "(CP3)", "g and c are right; exp overflows in the softmax: the logits are not shifted",
     "exp(logits) at 1000", [("z = logits - logits.max(axis=2, keepdims=True)", "z = logits")]),
    ("log of the sum", "(CP3)", "g and c are right; the logarithm is taken of a sum that underflowed to 0: small "
     "probabilities are lost", "log(A + B) of two logarithms",
     [(MIXED, "np.log(np.exp(said) + np.exp(copies))")]),
    ("small number in the logarithm", "(CP3)", "g and c are right; a small number inside the logarithm hides p = 0",
     "log(A + B) of two logarithms", *([(MIXED, f"np.log(np.exp(said) + np.exp(copies) + {eps})")]
                                       for eps in ("1e-12", "1e-10", "1e-9", "1e-8"))),
    ("log of 1 - g", "(CP3)", "g and c are right; where the gate is nearly 1 or 0, the logarithm of 1-g or g is lost",
     "log(1-g) and log g, written with a",
     [(SAID, "np.log(1 - g)[:, :, None]"), (COPIED, "np.log(g)[:, :, None]")]),
    ("said not weighed", "(CP3)", "g and c are right; the softmax is not weighed with 1-g: p sums to more than 1",
     "what the p of a step sum to", [(SAID + " + log_q", "log_q")]),
    ("copies not weighed", "(CP3)", "g and c are right; the copies are not weighed with g: p sums to more than 1",
     "what the p of a step sum to", [(COPIED + " + np.log(c)", "np.log(c)")]),
    ("mean of logarithms", "(CP3)", "g and c are right; the two logarithms are mixed: the probabilities are, and then "
     "the logarithm is taken", "the order of sum and logarithm",
     [(SAID + " + log_q", "(1 - g)[:, :, None] * log_q"), (COPIED + " + np.log(c)", "g[:, :, None] * np.log(c)"),
      (MIXED, "said + copies")]),
    ("greater of the two", "(CP3)", "g and c are right; the greater part is taken in place of the sum of both",
     "the sum in (CP3)", [(MIXED, "np.maximum(said, copies)")]),
    ("NaN where p is 0", "(CP3)", "g and c are right; where p is 0, log p is NaN in place of -inf",
     "-inf minus -inf", [(MIXED, "(lambda top: top + np.log(np.exp(said - top) + np.exp(copies - top)))"
                                 "(np.maximum(said, copies))")]),
    ("probabilities", "(CP3)", "g and c are right; these are the probabilities p: the logarithm is missing",
     "the logarithm in (CP3)", [(MIXED, "np.exp(np.logaddexp(said, copies))")]),
))


# copying-backward ----------------------------------------------------------------------------------------

def mixed_back(r, w, ids, g, c, log_q, log_p, dlog_p):
    """A right gradient of the mixture."""
    N, V = len(ids[0]), log_q.shape[2]
    ratio = np.where(c > 0, g[:, :, None] * np.exp(-np.where(c > 0, log_p, 0)), 0)
    share = ratio * c
    ds = ((1 - share) * dlog_p)[:, :, :V]
    dlogits = ds - np.exp(log_q) * ds.sum(axis=2, keepdims=True)
    da = ((share - g[:, :, None]) * dlog_p).sum(axis=2)
    dc = ratio * dlog_p
    dalpha = np.stack([dc[:, np.arange(N), x] for x in ids], axis=1)
    dr = da[:, :, None] * w
    dw = np.einsum("snr,sn->r", r, da)
    db = da.sum()
    return dr, dlogits, dalpha, dw, db


RATIO, GATED = "np.where(c > 0, g[:, :, None] * np.exp(-np.where(c > 0, log_p, 0)), 0)", "(share - g[:, :, None])"
edits_of(wrong, "copying-backward", mixed_back, (
    ("all of it said", "(CP3*)", "only dlogits is wrong: all of dlog p goes to the softmax, as if nothing were copied",
     "the factor 1 - share", [("(1 - share) * dlog_p", "dlog_p")]),
    ("share and complement swapped", "(CP3*)", "only dlogits is wrong: share stands where 1 - share belongs, as if the "
     "softmax made what is copied", "which part of p_v the softmax made", [("(1 - share) * dlog_p", "share * dlog_p")]),
    ("1 - g for 1 - share", "(CP3*)", "only dlogits is wrong: 1-g stands where 1 - share belongs; g is the share of "
     "all copies, share_v that of word v", "what differs between g and share_v",
     [("(1 - share) * dlog_p", "(1 - g[:, :, None]) * dlog_p")]),
    ("softmax not passed", "(CP3*)", "only dlogits is wrong: the softmax is not passed, its sum over v is missing",
     "the second term of dlogits", [("ds - np.exp(log_q) * ds.sum(axis=2, keepdims=True)", "ds.copy()")]),
    ("sum over the batch", "(CP3*)", "only dlogits is wrong: its sum runs over the batch, not over the words",
     "the axis of the sum in dlogits", [("ds.sum(axis=2, keepdims=True)", "ds.sum(axis=1, keepdims=True)")]),
    ("log q for q", "(CP3*)", "only dlogits is wrong: log softmax(logits) stands where softmax(logits) belongs",
     "the factor of the sum in dlogits", [("np.exp(log_q)", "log_q")]),
    ("sigmoid's derivative", "(CP3*)", "dlogits and dalpha are right; the sigmoid's derivative g (1-g) is multiplied "
     "into da: share - g has it already", "(CP3*), the line of da", [(GATED, GATED + " * (g * (1 - g))[:, :, None]")]),
    ("sign of da", "(CP3*)", "dlogits and dalpha are right; the sign of da is turned: g - share in place of share - g",
     "the line of da", [(GATED, "(g[:, :, None] - share)")]),
    ("share alone", "(CP3*)", "dlogits and dalpha are right; g is not taken away from the shares in da",
     "the line of da", [(GATED, "share")]),
    ("gate without unknown words", "(CP3*)", "dlogits and dalpha are right; da sums over the vocabulary alone: words "
     "outside it are copied, too", "the sum over v in da",
     [(".sum(axis=2)\n    dc", "[:, :, :V].sum(axis=2)\n    dc")]),
    ("overwritten", "(CP2*)", "only dalpha is wrong: of a word that stands twice the last place alone has a gradient",
     "a word that stands twice",
     [("for x in ids], axis=1)", "* ~(ids[t + 1:] == x).any(axis=0) for t, x in enumerate(ids)], axis=1)")]),
    ("divided among places", "(CP2*)", "only dalpha is wrong: the gradient of a word that stands twice is divided "
     "among its places: each gets all of it", "a word that stands twice",
     [("x] for x in ids]", "x] / (ids == x).sum(axis=0) for x in ids]")]),
    ("unknown words lost", "(CP2*)", "only dalpha is wrong: places of words outside the vocabulary have no gradient "
     "(or read that of UNK)", "the words V, V+1, ... of the source",
     [("x] for x in ids]", "x] * (x < V) for x in ids]")]),
    ("g missing", "(CP3*)", "only dalpha is wrong: its factor g is missing", "dc_v in (CP3*)",
     [("dc = ratio * dlog_p", "dc = ratio / g[:, :, None] * dlog_p")]),
    ("p missing", "(CP3*)", "only dalpha is wrong: it is not divided by p", "dc_v in (CP3*)",
     [("dc = ratio * dlog_p", "dc = g[:, :, None] * (c > 0) * dlog_p")]),
    ("log p for p", "(CP3*)", "all that needs share_v is wrong: log p stands where p belongs", "p_v = exp(log p_v)",
     [("np.exp(-np.where(c > 0, log_p, 0))", "(1 / np.where(c > 0, log_p, 1))")]),
    ("1 - g for g", "(CP3*)", "all that needs share_v is wrong: 1-g stands where g belongs", "share_v = g c_v / p_v",
     [("g[:, :, None] * np.exp(-", "(1 - g)[:, :, None] * np.exp(-")]),
    ("gradient where nothing is copied", "(CP3*)", "only dalpha is wrong: dc is not 0 where c is 0, so padding has a "
     "gradient", "words that the source does not have", [
         (RATIO, "g[:, :, None] * np.exp(-np.where(np.isinf(log_p), np.inf, log_p))")]),
    ("0/0", "(CP3*)", "where p is 0, g c / p is 0/0", "words that can neither be said nor be copied",
     [(RATIO, "g[:, :, None] / np.exp(log_p)")]),
    ("dr is da r", "(CP1*)", "only dr is wrong: r stands where w belongs", "dr in (CP1*)",
     [("dr = da[:, :, None] * w", "dr = da[:, :, None] * r")]),
    ("dw of t = 1", "(CP1*)", "only dw is wrong: it is the part of the first step alone", "= or += for dw",
     [('np.einsum("snr,sn->r", r, da)', "da[0] @ r[0]")]),
    ("dw over the batch", "(CP1*)", "only dw is wrong: it is divided by N", "whether anything is divided",
     [('np.einsum("snr,sn->r", r, da)', 'np.einsum("snr,sn->r", r, da) / N')]),
    ("db mean", "(CP1*)", "only db is wrong: it is the mean over steps and examples, wanted is the sum",
     "sum or mean for db", [("db = da.sum()", "db = da.mean()")]),
))
