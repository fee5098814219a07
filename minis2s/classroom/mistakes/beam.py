"""Wrong steps of a beam search."""
import numpy as np

from .mistake import recorder

BANK, wrong = recorder()


def best(total, width):
    """The greatest entries, greatest first: scores, rows, tokens."""
    at = np.argsort(-total.ravel(), kind="stable")[:width]
    return total.ravel()[at], at // total.shape[1], at % total.shape[1]


def _unsorted(total, width):
    """The greatest entries as a partition leaves them."""
    at = np.argpartition(-total.ravel(), width)[:width]
    return total.ravel()[at], at // total.shape[1], at % total.shape[1]


def _each_row(log_p, log_q, width):
    """The best tokens of each row, as many as needed, then sorted."""
    K, V = log_q.shape
    share = -(-width // K)
    total = np.full((K, V), -np.inf)
    for k in range(K):
        at = np.argsort(-log_q[k])[:share]
        total[k, at] = log_p[k] + log_q[k, at]
    return best(total, width)


for name, says, look, f in (
    ("old log p left out", "the hypotheses' own log p is left out: only the new token's counts",
     "log p(old) + log p(token)",
     lambda p, q, width: best(q, width)),
    ("old log p for the choice only", "the choice is right, but the scores hold the new token's log p alone",
     "what is returned as scores",
     lambda p, q, width: (lambda s, r, t: (q[r, t], r, t))(*best(p[:, None] + q, width))),
    ("probabilities added", "probabilities are added: they are multiplied, so logarithms are added",
     "the sum of log p",
     lambda p, q, width: best(np.log(np.exp(p)[:, None] + np.exp(q)), width)),
    ("log p multiplied", "the log-probabilities are multiplied: they are added", "the sum of log p",
     lambda p, q, width: best(p[:, None] * q, width)),
    ("probabilities returned", "the scores are probabilities: wanted are log-probabilities", "the last line",
     lambda p, q, width: (lambda s, r, t: (np.exp(s), r, t))(*best(p[:, None] + q, width))),
    ("each hypothesis by itself",
     "each hypothesis keeps its own best tokens: all K V candidates compete with each other",
     "over what the greatest are taken", _each_row),
    ("worst first", "the scores are in rising order: the best comes first", "the order of sorting",
     lambda p, q, width: tuple(a[::-1].copy() for a in best(p[:, None] + q, width))),
    ("not sorted", "the right candidates are kept, but not sorted: a partition leaves them in any order",
     "the best comes first: sort what was kept", lambda p, q, width: _unsorted(p[:, None] + q, width)),
    ("least probable", "the LEAST probable candidates are kept", "the direction of sorting",
     lambda p, q, width: (lambda s, r, t: (-s, r, t))(*best(-(p[:, None] + q), width))),
    ("rows and tokens swapped", "rows and tokens are returned in the wrong order", "the line with return",
     lambda p, q, width: (lambda s, r, t: (s, t, r))(*best(p[:, None] + q, width))),
    ("divided by K", "row and token are found by dividing by K, the number of hypotheses: a row of the flat "
     "array has V entries",
     "the two parts of the flat index",
     lambda p, q, width: (lambda s, r, t: (s, (r * q.shape[1] + t) // len(p), (r * q.shape[1] + t) % len(p)))(
         *best(p[:, None] + q, width))),
    ("mean of log p", "the scores are divided by 2, as if normalised by length: not in this step",
     "the scores",
     lambda p, q, width: (lambda s, r, t: (s / 2, r, t))(*best(p[:, None] + q, width))),
    ("best hypothesis only", "only the best hypothesis is extended", "the K rows of candidates",
     lambda p, q, width: best(np.where((p == p.max())[:, None], p[:, None] + q, -np.inf), width)),
    ("normalised again",
     "the scores of all candidates are normalised to sum to 1: the log p of what was dropped is lost",
     "whether any softmax belongs here", lambda p, q, width: best(_normalised(p[:, None] + q), width)),
):
    wrong("beam-step", name, "", says, look)(f)


def _normalised(total):
    """All candidates together made to sum to 1."""
    return total - np.log(np.exp(total).sum())
