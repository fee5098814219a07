"""Wrong ways to softmax, cross-entropy and masks in the loss."""
import numpy as np

from .mistake import recorder

BANK, wrong = recorder()


def stable(a, axis=-1):
    """A right softmax, to build wrong things on."""
    y = np.exp(a - a.max(axis=axis, keepdims=True))
    return y / y.sum(axis=axis, keepdims=True)


def log_stable(a):
    """A right log-softmax."""
    a = a - a.max(axis=-1, keepdims=True)
    return a - np.log(np.exp(a).sum(axis=-1, keepdims=True))


def one_hot(targets, V):
    """1 at each target."""
    return np.eye(V)[targets]


# softmax -----------------------------------------------------------------------------------------------

wrong("softmax", "wrong axis", "(F3)",
      "the softmax runs over the wrong axis: your columns sum to 1, not your rows",
      "the axis of the maximum and of the sum: the classes of one example stand in a row")(
    lambda a: stable(a, axis=0))
wrong("softmax", "wrong axis, no shift", "(F3)",
      "the softmax runs over the wrong axis (your columns sum to 1), and nothing keeps exp from overflowing",
      "first the axis of the sum, then exp(1000)")(
    lambda a: np.exp(a) / np.exp(a).sum(axis=0))
wrong("softmax", "no shift", "(F3)", "exp overflows: the rows are not shifted by their maximum",
      "what happens to exp(a) at a = 1000; a shift of the whole row does not change p")(
    lambda a: np.exp(a) / np.exp(a).sum(axis=-1, keepdims=True))
wrong("softmax", "shift by the maximum of all", "(F3)",
      "one maximum of the whole array is taken away: a row far below it underflows to 0/0",
      "the maximum: every row needs its own")(
    lambda a: np.exp(a - a.max()) / np.exp(a - a.max()).sum(axis=-1, keepdims=True))
wrong("softmax", "sum of all", "(F3)", "the whole array sums to 1, not each row: the sum has no axis",
      "the sum in the denominator")(
    lambda a: np.exp(a - a.max(axis=1, keepdims=True)) / np.exp(a - a.max(axis=1, keepdims=True)).sum())
wrong("softmax", "not normalised", "(F3)", "the exponentials are not divided by their sum",
      "what each row of your result sums to")(
    lambda a: np.exp(a - a.max(axis=1, keepdims=True)))
wrong("softmax", "logarithm", "(F4)", "this is the logarithm of the softmax: all numbers are negative",
      "whether the last step belongs to this exercise")(log_stable)
wrong("softmax", "no exponential", "(F3)",
      "the shifted scores are divided by their sum without an exponential",
      "where exp stands in the equation")(
    lambda a: (lambda y: y / y.sum(axis=1, keepdims=True))(a - a.max(axis=1, keepdims=True)))


# cross-entropy -----------------------------------------------------------------------------------------

def at_target(log_p, targets):
    """log p of each row's target."""
    return log_p[np.arange(len(targets)), targets]


wrong("cross-entropy", "log of p", "(X1)",
      "the logarithm is taken of a probability that underflowed to 0: the loss is infinite where it is only "
      "large",
      "log p written without p: shift, then take log of the sum away")(
    lambda logits, targets: -np.mean(np.log(at_target(stable(logits), targets))))
wrong("cross-entropy", "no shift", "(X1)", "exp overflows: the logits are not shifted by their row's maximum",
      "what happens to exp(logits) at 1000")(
    lambda logits, targets: -np.mean(at_target(logits - np.log(np.exp(logits).sum(1, keepdims=True)),
                                               targets)))
wrong("cross-entropy", "log of p, no shift", "(X1)",
      "softmax without a shift, then its logarithm: NaN at large logits",
      "first the shift by the row's maximum, then the logarithm without a division")(
    lambda logits, targets: -np.mean(np.log(at_target(np.exp(logits) / np.exp(logits).sum(1, keepdims=True),
                                                      targets))))
for eps in (1e-15, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6):
    wrong("cross-entropy", f"log of p + {eps:.0e}", "(X1)",
          f"a small {eps:.0e} inside the logarithm hides p = 0: an impossible target costs "
          f"{-np.log(eps):.0f} nats, "
          "however wrong the model is", "log p written without p; then no small number is needed")(
        lambda logits, targets, eps=eps: -np.mean(np.log(at_target(stable(logits), targets) + eps)))
wrong("cross-entropy", "sum", "(X3)", "this is the sum over the rows, not their mean: N times too big",
      "the 1/N of the equation")(
    lambda logits, targets: -np.sum(at_target(log_stable(logits), targets)))
wrong("cross-entropy", "sign", "(X3)", "the sign is turned: a loss is never negative",
      "the minus of the equation")(
    lambda logits, targets: np.mean(at_target(log_stable(logits), targets)))
wrong("cross-entropy", "base 2", "(X3)", "the logarithm has base 2: this is the loss in bits, wanted in nats",
      "which logarithm you call")(
    lambda logits, targets: -np.mean(at_target(log_stable(logits), targets)) / np.log(2))
wrong("cross-entropy", "mean over classes too", "(X3)",
      "the mean is taken over all N V entries: V times too small",
      "what you divide by: one number for each row counts, not V")(
    lambda logits, targets: -np.mean(one_hot(targets, logits.shape[1]) * log_stable(logits)))
wrong("cross-entropy", "logits taken for log p", "(X1)",
      "the logits at the targets are averaged as they are: "
      "the softmax is missing", "the normalisation, log sum exp")(
    lambda logits, targets: -np.mean(at_target(logits, targets)))
wrong("cross-entropy", "most probable class", "(X3)",
      "the log-probability of the most probable class is taken, "
      "not that of the target", "which column is picked in each row")(
    lambda logits, targets: -np.mean(log_stable(logits).max(axis=1)))
wrong("cross-entropy", "softmax twice", "(X1)", "a softmax of a softmax: the logits are normalised twice",
      "which function already contains the softmax")(
    lambda logits, targets: -np.mean(at_target(log_stable(stable(logits)), targets)))

wrong("cross-entropy", "all targets of all rows", "(X3)",
      "every row is taken at the targets of all rows: each row has its own target only",
      "the two indices: row numbers and targets go together, pair by pair")(
    lambda logits, targets: -np.mean(log_stable(logits)[:, targets]))
wrong("cross-entropy", "mean before the logarithm", "(X3)",
      "the probabilities are averaged, and then the logarithm is taken: the mean is of the logarithms",
      "the order of mean and logarithm")(
    lambda logits, targets: -np.log(np.mean(at_target(stable(logits), targets))))
wrong("cross-entropy", "targets from 1", "(X3)", "the targets are taken as counted from 1: they begin with 0",
      "the column that is picked")(
    lambda logits, targets: -np.mean(at_target(log_stable(logits), targets - 1)))

CEB = "cross-entropy-backward"
wrong(CEB, "no 1/N", "(X3*)", "N times too big: the 1/N of the mean is missing in the gradient",
      "what each row's gradient is divided by")(
    lambda logits, targets: stable(logits) - one_hot(targets, logits.shape[1]))
wrong(CEB, "sign", "(X3*)", "the sign is turned: y - p in place of p - y", "which of the two is subtracted")(
    lambda logits, targets: (one_hot(targets, logits.shape[1]) - stable(logits)) / len(targets))
wrong(CEB, "p alone", "(X3*)", "these are the probabilities alone: nothing is taken away at the targets",
      "the rows' sums: they should be 0")(
    lambda logits, targets: stable(logits) / len(targets))
wrong(CEB, "wrong axis", "(X1*)", "the softmax runs over the wrong axis: over the rows, not over the classes",
      "the axis of maximum and sum")(
    lambda logits, targets: (stable(logits, axis=0) - one_hot(targets, logits.shape[1])) / len(targets))
wrong(CEB, "no shift", "(X1*)", "exp overflows in the softmax: the rows are not shifted by their maximum",
      "exp(logits) at 1000")(
    lambda logits, targets: (np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
                             - one_hot(targets, logits.shape[1])) / len(targets))
wrong(CEB, "mean over classes too", "(X3*)", "divided by N V in place of N: V times too small",
      "what the gradient is divided by")(
    lambda logits, targets: (stable(logits) - one_hot(targets, logits.shape[1])) / logits.size)
wrong(CEB, "target column of all rows", "(X3*)",
      "1 is taken away in every row at every target: each row has its own "
      "target only", "the two indices: row numbers and targets go together, pair by pair")(
    lambda logits, targets: (stable(logits) - one_hot(targets, logits.shape[1]).sum(axis=0)) / len(targets))
wrong(CEB, "gradient at p", "(X3*)",
      "this is the gradient with respect to p, -y/p: the softmax is still to be passed",
      "the softmax's own derivative, (F3*); together they become short")(
    lambda logits, targets: -one_hot(targets, logits.shape[1]) / stable(logits) / len(targets))


@wrong(CEB, "diagonal", "(F3*)", "only the diagonal of the softmax's Jacobian is used, p (1-p): "
       "the sum over the other classes is missing",
       "how a logit changes the probability of every other class")
def _ceb_diagonal(logits, targets):
    p = stable(logits)
    return -one_hot(targets, logits.shape[1]) * (1 - p) / len(targets)


# masked loss -------------------------------------------------------------------------------------------

ML = "masked-loss"


def masked(logits, targets, mask, loss_mask=True, grad_mask=True, count=None, sign=1, roll=0,
           grad_count=None):
    """A right masked loss with switches that make it wrong."""
    targets = np.roll(targets % logits.shape[2], roll, axis=0)
    log_p = np.take_along_axis(log_stable(logits), targets[:, :, None], axis=2)[:, :, 0]
    M = mask.sum() if count is None else count(mask)
    L = -(np.where(mask, log_p, 0) if loss_mask else log_p) / M
    d = stable(logits) - one_hot(targets, logits.shape[2])
    G = M if grad_count is None else grad_count(mask)
    d = d * sign / (G[:, :, None] if np.ndim(G) else G)
    return L.sum(), d * mask[:, :, None] if grad_mask else d


def per_sequence(mask):
    """Each token weighs 1/(N times its own sequence's length)."""
    return np.broadcast_to(mask.shape[1] * mask.sum(axis=0), mask.shape)


for name, mark, says, look, switches in (
    ("no mask", "(X3)",
     "padding counts: the mean runs over all S N positions",
     "where the mask enters; change a padded target by hand and watch the loss",
     dict(loss_mask=False, grad_mask=False, count=np.size)),
    ("no mask, M right", "(X3)",
     "the loss of padded positions is in the sum, though M counts the real ones only",
     "the sum over positions, in both L and dlogits", dict(loss_mask=False, grad_mask=False)),
    ("mask in the loss only", "(X3*)",
     "the loss is masked, its gradient is not: dlogits at padding should be 0",
     "dlogits where the mask is False", dict(grad_mask=False)),
    ("mask in the gradient only", "(X3)",
     "the gradient is masked, the loss is not: padded targets move the loss",
     "the sum of the loss", dict(loss_mask=False)),
    ("mean over S N", "(X3)", "masked, but divided by S N in place of the number of real tokens",
     "M: the sum of the mask", dict(count=np.size)),
    ("divided by N", "(X3)", "divided by the number of sequences N in place of the number of real tokens",
     "M: the sum of the mask", dict(count=lambda m: m.shape[1])),
    ("divided by S", "(X3)", "divided by the number of steps S in place of the number of real tokens",
     "M: the sum of the mask", dict(count=len)),
    ("mean of each sequence", "(X3)",
     "each sequence is averaged by itself first: a token of a short one weighs more",
     "M: one number for the whole batch", dict(count=per_sequence)),
    ("sum", "(X3)",
     "this is the sum over the real tokens: the division by M is missing",
     "the 1/M of the equation", dict(count=lambda m: 1)),
    ("gradient of the sum", "(X3*)",
     "the loss is right, its gradient is M times too big: 1/M is missing there",
     "the 1/M in the gradient", dict(grad_count=lambda m: 1)),
    ("gradient divided by S N", "(X3*)", "the loss is right, its gradient is divided by S N in place of M",
     "M in the gradient: the same number as in the loss", dict(grad_count=np.size)),
    ("targets one late", "(X3)", "the targets are off by one: step t is compared with the target of t-1",
     "which row of the targets belongs to logits[t]", dict(roll=1)),
    ("targets one early", "(X3)", "the targets are off by one: step t is compared with the target of t+1",
     "which row of the targets belongs to logits[t]", dict(roll=-1)),
    ("sign of the gradient", "(X3*)", "the loss is right, the sign of its gradient is turned",
     "p - y or y - p",
     dict(sign=-1)),
):
    wrong(ML, name, mark, says, look)(
        lambda logits, targets, mask, switches=switches: masked(logits, targets, mask, **switches))


def real_by_targets(logits, targets, mask):
    """A right masked loss with a mask made of the targets."""
    return masked(logits, targets, targets != 0)


wrong(ML, "mask from the targets", "(X3)",
      "what is real is told from targets that are not 0: 0 is a target as any other here, and padding may hold any",
      "the argument mask")(real_by_targets)
wrong(ML, "mask from the targets, mean of all", "(X3)",
      "what is real is told from targets that are not 0, and the sum is divided by S N", "the argument mask, and M")(
    lambda logits, targets, mask: masked(logits, targets, targets != 0, count=np.size))
wrong(ML, "mask inverted", "(X3)", "the mask is inverted: padding counts, real positions do not", "True = real")(
    lambda logits, targets, mask: masked(logits, targets, ~mask))
wrong(ML, "mask times logits", "(X3)",
      "the logits are multiplied by the mask: padding then costs log V each, in place of nothing",
      "where the mask enters: behind the logarithm")(
    lambda logits, targets, mask: masked(logits * mask[:, :, None], targets, mask, loss_mask=False, grad_mask=False))
