"""Exercises at the model's two ends: softmax, cross-entropy, masks in the loss, embedding."""
import numpy as np

from ...core.functions import softmax
from ...layers import embedding, loss
from .exercise import Case, Exercise, lengths, ragged


def _scores(rng):
    a = rng.normal(size=(4, 9)) * 3
    wide = np.where(np.arange(9) == rng.integers(9, size=(4, 1)), 0, -800.0) + 900 * np.arange(4)[:, None]
    return [Case("ordinary scores", {"a": a}),
            Case("all scores raised by 1000", {"a": a + 1000}),
            Case("rows of very different size", {"a": wide + a}),
            Case("a tall row before a low one", {"a": (wide + a)[::-1]}),
            Case("more rows than columns", {"a": rng.normal(size=(7, 3)) * 2}),
            Case("scores beyond 1e9", {"a": a * 1e9}), Case("equal scores", {"a": np.round(a)})]


SOFTMAX = Exercise(
    "softmax", "stable softmax of each row",
    "(F3)  p_k = exp(a_k) / sum_j exp(a_j)        for each row of a; no shift of a row changes p",
    "a  (N, V)  scores, of any size: 1000 and -1000 are met",
    "p  (N, V)  probabilities; each row sums to 1 (F3)",
    """>>> p = softmax(np.array([[0.0, np.log(3.0)], [1000.0, 1000.0]]))
>>> print(p)
[[0.25 0.75]
 [0.5  0.5 ]]""",
    ("Which axis holds the classes of one example?  Along that axis the result sums to 1.",
     "exp(1000) overflows.  Adding one number to all scores of a row does not change p: which number makes "
     "all safe?",
     "Take each row's own maximum away (keep the axis, so that shapes fit), then exp, then divide by the "
     "row's sum."),
    _scores, lambda a: softmax(a))


def _logits(rng):
    logits, targets = rng.normal(size=(4, 9)) * 2, rng.permutation(9)[:4]
    far = logits.copy()
    far[np.arange(4), targets] -= 900
    return [Case("ordinary logits", {"logits": logits, "targets": targets}),
            Case("all logits raised by 1000", {"logits": logits + 1000, "targets": targets}),
            Case("targets that the model thinks impossible", {"logits": far, "targets": targets})]


def _loss(logits, targets):
    return loss.forward(logits[None], targets[None], np.ones((1, len(targets)), bool))


CROSS_ENTROPY = Exercise(
    "cross-entropy", "softmax cross-entropy from logits",
    """(X1)  log p = log softmax(logits)
(X3)  L = -(1/N) sum_n log p_n[target_n]""",
    """logits   (N, V)  scores before the softmax, of any size
targets  (N,)    the right class of each row, whole numbers""",
    "L  number  mean loss in nats (X3)",
    """>>> L = cross_entropy(np.array([[0.0, np.log(3.0)], [5.0, 5.0]]), np.array([1, 0]))
>>> print(round(L, 6))                  # (-log 3/4 - log 1/2) / 2
0.490415""",
    ("One number comes out: pick each row's log-probability of its own target, then take the mean with a "
     "minus.",
     "log(softmax(a)) is -inf where the probability underflows.  Can you write log p without computing p?",
     "log p = (a - m) - log sum exp(a - m), m the row's maximum.  Pick with row numbers and targets as two "
     "indices."),
    _logits, lambda logits, targets: _loss(logits, targets)[0])

CROSS_ENTROPY_BACKWARD = Exercise(
    "cross-entropy-backward", "gradient of the cross-entropy with respect to the logits",
    """(X1*) p = softmax(logits)
(X3*) dlogits = (p - y) / N        y one-hot: 1 at the target, else 0""",
    """logits   (N, V)  scores before the softmax, of any size
targets  (N,)    the right class of each row, whole numbers""",
    "dlogits  (N, V)  dL/dlogits of the mean loss (X3*)",
    """>>> d = cross_entropy_backward(np.array([[0.0, np.log(3.0)], [5.0, 5.0]]), np.array([1, 0]))
>>> print(d)
[[ 0.125 -0.125]
 [-0.25   0.25 ]]""",
    ("Each row of the gradient sums to 0.  Does yours?",
     "The mean over N rows was taken forward; what does that do to each row's gradient?",
     "Start from the (stable) softmax, take 1 away at each row's target, divide by the number of rows."),
    _logits, lambda logits, targets: loss.backward(_loss(logits, targets)[1])[0])


def _masked(rng):
    def case(label, S, N, V):
        mask = ragged(lengths(rng, S, N), S)
        targets = rng.integers(0, V, (S, N))
        return Case(label, {"logits": rng.normal(size=(S, N, V)) * 2, "targets": targets, "mask": mask})
    first = case("ragged lengths", 5, 4, 9)
    return [first, case("another batch", 6, 3, 8),
            Case("all logits raised by 1000", {**first.inputs, "logits": first.inputs["logits"] + 1000}),
            *(Case(f"targets of {some} at padding", {**first.inputs, "targets": np.where(
                first.inputs["mask"], first.inputs["targets"], some)}) for some in (-1, -100, 30000))]


def _masked_loss(logits, targets, mask):
    L, cache = loss.forward(logits, np.where(mask, targets, 0), mask)
    return L, loss.backward(cache)


MASKED_LOSS = Exercise(
    "masked-loss", "loss and gradient where padding does not count",
    """(X3)  L = -(1/M) sum over real (t, n) of log p_tn[target_tn]        M: how many (t, n) are real
(X3*) dlogits = (p - y) / M at real positions, 0 at padding""",
    """logits   (S, N, V)  scores before the softmax
targets  (S, N)     token ids; at padding they mean nothing and may be -100, or V and more
mask     (S, N)     True = real""",
    """L        number     mean loss of the real tokens (X3)
dlogits  (S, N, V)  its gradient (X3*)""",
    """>>> L, d = masked_loss(np.zeros((2, 1, 4)), np.array([[3], [0]]), np.array([[True], [False]]))
>>> print(round(L, 6), d[0, 0], abs(d[1]).max())        # log 4
1.386294 [ 0.25  0.25  0.25 -0.75] 0.0""",
    ("Change a padded target by hand: neither the loss nor any gradient may move.",
     "How many tokens is the mean taken of?  Not N, not S times N.",
     "The same mask and the same M stand in the loss and in the gradient: M is the sum of the mask."),
    _masked, _masked_loss)


def _ids(rng):
    def case(label, T, N, E, V):
        ids = rng.integers(0, V - 1, (T, N))
        ids[0, :3], ids[1, 1], ids[-1, 0] = 5, 5, 0    # repeated in one step, over time; PAD; one id unused
        return Case(label, {"ids": ids, "dx": rng.normal(size=(T, N, E)), "V": V})
    return [case("repeated tokens", 5, 4, 8, 9), case("another batch", 4, 3, 6, 7)]


EMBEDDING_BACKWARD = Exercise(
    "embedding-backward", "gradient of an embedding table",
    """(E1)  x_tn = E[id_tn]
(E1*) dE[v] = sum of dx_tn over the places (t, n) where id_tn = v""",
    """ids  (T, N)     token ids, with repetitions
dx   (T, N, E)  gradient of what was looked up
V    number     rows of the table""",
    "dE  (V, E)  gradient of the table (E1*)",
    """>>> dE = embedding_backward(np.array([[1], [1]]), np.array([[[1.0, 2.0]], [[10.0, 20.0]]]), 3)
>>> print(dE)
[[ 0.  0.]
 [11. 22.]
 [ 0.  0.]]""",
    ("A row that is used twice gets the gradients of both uses.",
     "In NumPy an assignment with repeated indices keeps one of them, also when it is written with +=.",
     "A loop over all (t, n) is right; NumPy also has an `at` for functions such as add."),
    _ids, lambda ids, dx, V: embedding.backward(np.zeros((V, dx.shape[2])), ids, dx))

EXERCISES = (SOFTMAX, CROSS_ENTROPY, CROSS_ENTROPY_BACKWARD, MASKED_LOSS, EMBEDDING_BACKWARD)
