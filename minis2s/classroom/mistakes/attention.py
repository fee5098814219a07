"""Wrong masks and attention scores."""
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
