"""Wrong gradients of an embedding."""
import numpy as np

from .mistake import recorder

BANK, wrong = recorder()

EB = "embedding-backward"


@wrong(EB, "+= with repeated ids", "(E1*)",
       "only rows of repeated tokens are wrong: of several uses the last one alone "
       "is kept (`dE[ids] += ...` adds once for each row, not once for each use)",
       "what NumPy does with an index that stands twice in the list")
def _last_use(ids, dx, V):
    dE = np.zeros((V, dx.shape[2]))
    dE[ids] += dx
    return dE


@wrong(EB, "first use", "(E1*)", "of a token's several uses the first one alone is kept",
       "the sum over all uses")
def _first_use(ids, dx, V):
    return _last_use(ids[::-1, ::-1], dx[::-1, ::-1], V)


@wrong(EB, "+= step by step", "(E1*)",
       "repetitions over time are summed, but of a token that stands twice in one step "
       "only one use is kept", "an index that stands twice inside ids[t]")
def _step_by_step(ids, dx, V):
    dE = np.zeros((V, dx.shape[2]))
    for i, d in zip(ids, dx):
        dE[i] += d
    return dE


def _summed(ids, dx, V):
    dE = np.zeros((V, dx.shape[2]))
    np.add.at(dE, ids, dx)
    return dE


@wrong(EB, "mean of uses", "(E1*)", "a token's uses are averaged: the gradient is their sum",
       "what is divided by the number of uses")
def _mean_of_uses(ids, dx, V):
    return _summed(ids, dx, V) / np.maximum(1, np.bincount(ids.ravel(), minlength=V))[:, None]


@wrong(EB, "padding row", "(E1*)",
       "the row of id 0 is left at zero: this exercise has no mask, and where there is one, "
       "dx is already 0 at padding", "why row 0 should be treated apart")
def _padding_row(ids, dx, V):
    dE = _summed(ids, dx, V)
    dE[0] = 0
    return dE


@wrong(EB, "ids off by one", "(E1*)",
       "every gradient is in the row above its own: the ids are taken as counted from 1",
       "which row id 0 belongs to")
def _off_by_one(ids, dx, V):
    return np.roll(_summed(ids, dx, V), -1, axis=0)


@wrong(EB, "mean over the batch", "(E1*)", "the sum is divided by N: the loss has taken its mean already",
       "whether any division belongs here")
def _over_batch(ids, dx, V):
    return _summed(ids, dx, V) / ids.shape[1]


@wrong(EB, "last step only", "(E1*)", "only the last step's tokens are counted", "the sum over t")
def _last_step(ids, dx, V):
    return _summed(ids[-1:], dx[-1:], V)
