"""Twin of search/greedy.py: the decoder's compiled loop feeds itself, in one call for the whole batch.

    BOS ──> step 0 ──> y_1 ──> step 1 ──> y_2 ──> ...  until every row has come to EOS, or max_length

The page goes from step to step with the live hypotheses only; here a row that has ended goes on until the
last one has, and what it writes is not read.
"""
import numpy as np

from ... import seq2seq
from ...data.vocab import BOS, EOS
from ...search.hypotheses import NEVER, Answer, check_source
from .. import decoder
from ..jit import jit
from ..simd import LANES, add, at, exp, total, zeros
from ..threads import over_rows


def greedy(p, config, source, mask, max_length):
    """See search.greedy."""
    check_source(config, source, mask, max_length)
    p = seq2seq.untie(p, config)
    encoded, layers, _ = seq2seq.encode(p, config, source, mask, backend="numba")
    N, V = source.shape[1], len(p.decoder.readout.b)
    ids, never = np.full((max_length, N), BOS), np.isin(np.arange(V), NEVER)
    teacher = np.zeros((max_length, N), bool)
    teacher[0] = True
    if max_length == 1:
        ids, teacher = np.full((2, N), BOS), np.array([[True], [False]]).repeat(N, axis=1)
    logits, k = decoder.forward(p.decoder, config, encoded, layers, ids, teacher, never=never, stop=EOS)
    tokens, log_p = np.zeros((max_length, N), np.int64), np.zeros((max_length, N))
    over_rows(_read, logits, never, EOS, tokens, log_p, N=N, work=logits.size)
    if np.isnan(log_p).any():
        raise ValueError("p: the model's log-probabilities hold NaN, wanted finite parameters")
    alphas, answers = decoder.alphas(k), []
    for n in range(N):
        ends = np.flatnonzero(tokens[:, n] == EOS)
        length = ends[0] + 1 if len(ends) else max_length
        said = tokens[:length - bool(len(ends)), n].tolist()
        score = float(sum(log_p[:length, n].tolist()))
        alpha = None if alphas is None else alphas[:length, mask[:, n], n]
        answers.append([Answer(said, score, score, alpha, bool(len(ends)))])
    return answers


@jit("greedy.read")
def _read(logits, never, stop, tokens, log_p, n0, n1):
    """The tokens of rows n0 .. n1-1 up to their end, and the log-probability of each, in float64."""
    S, V, row = len(tokens), logits.shape[2], np.empty(logits.shape[2], np.float64)
    for n in range(n0, n1):
        for t in range(S):
            y, top = decoder.best_token(logits[t, n], never), -np.inf
            for v in range(V):
                row[v] = logits[t, n, v]
                if row[v] > top or row[v] != row[v]:
                    top = row[v]
            sums = zeros(row)
            for j in range(0, V, LANES):
                J = at(j, V)
                row[J] = exp(row[J] - top)
                sums = add(sums, row[J])
            tokens[t, n], log_p[t, n] = y, logits[t, n, y] - top - np.log(total(sums))
            if y == stop:
                break
