"""What a compiled beam search remembers: every beginning that it kept, and the best answers so far.

    length l = 0          1              2
             ┌───────┐    ┌───────┐    ┌───────┐     entry [l, r] is a beginning of l tokens: its last one
      row 0  │ BOS   │ <┬─│ the   │ <┬─│ cat   │     is token[l, r], and previous[l, r] is the row of the
             └───────┘  └─│ a     │  └─│ dog   │     beginning of l-1 tokens that it extends
                          └───────┘    └───────┘

The reference implementation's chains of Hypothesis are arrays here.  The live hypotheses of a source are neighbours,
best first.
"""
from typing import NamedTuple

import numpy as np

from ...data.vocabulary import BOS, EOS
from ..linalg.simd import LANES, at, greatest, maximum
from ..runtime.arena import empty, zeros
from ..runtime.jit import arena_function, device_function
from .hypotheses import WIDE, log_p


class Chains(NamedTuple):      # L = max_length; R rows
    source: np.ndarray         # (L+1, R)
    token: np.ndarray          # (L+1, R)
    previous: np.ndarray       # (L+1, R)
    log_p: np.ndarray          # (L+1, R), of all tokens so far
    alpha: np.ndarray          # (L, R, T), [l, r]: the weights with which row r's next token is chosen
    # of each source's next beginnings, the best first, until they have a row
    new: np.ndarray            # (M, width), log p
    new_row: np.ndarray        # (M, width), the row of what they extend
    new_token: np.ndarray      # (M, width)


class Answers(NamedTuple):     # M sources, their best answers first, B = nbest
    count: np.ndarray          # (M,), how many there are
    score: np.ndarray          # (M, B)
    log_p: np.ndarray          # (M, B)
    length: np.ndarray         # (M, B)
    token: np.ndarray          # (M, B), the last one
    previous: np.ndarray       # (M, B), the row of what it extends
    ids: np.ndarray            # (M, B, L)
    alpha: np.ndarray          # (M, B, L, T)
    trouble: np.ndarray        # (M,), why a thread whose first source this is could not go on: see hypotheses.py


def no_answers(T, M, B, L, dtype):
    """Answers, before the search."""
    length, token, previous = np.empty((3, M, B), np.int64)
    return Answers(np.zeros(M, np.int64), np.empty((M, B)), np.empty((M, B)), length, token, previous,
                   np.empty((M, B, L), np.int64), np.empty((M, B, L, T), dtype), np.zeros(M, np.int64))


@arena_function
def new_chains(arena, logits, width, L, T):
    """Chains for the hypotheses of L tokens whose logits these are, before the search."""
    R, i64, f64 = len(logits), np.int64, np.float64
    M, whole = R // width, empty(arena, (3, L + 1, R), i64)
    return Chains(whole[0], whole[1], whole[2], zeros(arena, (L + 1, R), f64), empty(arena, (L, R, T), logits.dtype),
                  empty(arena, (M, width), f64), empty(arena, (M, width), i64), empty(arena, (M, width), i64))


@device_function
def begin_chains(chains, width, m0, m1):
    """The empty hypotheses of sources m0 .. m1-1."""
    first = m0 * width
    for r in range(first, first + m1 - m0):
        chains.source[0, r], chains.token[0, r] = m0 + r - first, BOS
        chains.previous[0, r] = first + (r - first) * width     # the row with its source's state, see beam.py


@device_function
def extend(rows, chains, answers, power, l, first, end):
    """The live hypotheses of l-1 tokens in rows first .. end-1 give those of l tokens: -> the end of their rows."""
    r, going, L = first, first, len(power) - 1
    while r < end:
        n, r0 = chains.source[l - 1, r], r
        while r < end and chains.source[l - 1, r] == n:
            r += 1
        new, new_row, new_token = chains.new[n], chains.new_row[n], chains.new_token[n]
        count = candidates(rows, chains.log_p[l - 1], r0, r, new, new_row, new_token)
        place = going
        for i in range(count):
            if new_token[i] == EOS:
                insert(answers, n, new[i] / power[l], new[i], l, EOS, new_row[i])
            else:
                chains.source[l, place], chains.log_p[l, place] = n, new[i]
                chains.token[l, place], chains.previous[l, place] = new_token[i], new_row[i]
                place += 1
        if place > going:                                       # see "When to stop"
            bound, B = chains.log_p[l, going] / power[L], answers.score.shape[1]
            if answers.count[n] < B or bound > answers.score[n, B - 1]:
                going = place
    return going


@device_function
def cut_off(chains, answers, power, first, end):
    """The hypotheses that are still live at the greatest length are answers too; they stand best first."""
    L = len(power) - 1
    for r in range(first, end):
        n, i = chains.source[L, r], answers.count[chains.source[L, r]]
        if i < answers.score.shape[1]:
            put(answers, n, i, chains.log_p[L, r] / power[L], chains.log_p[L, r], L, chains.token[L, r],
                chains.previous[L, r])
            answers.count[n] += 1


@device_function
def trace_back(chains, answers, n, i):
    """Walk the chain of answer i of source n back to BOS, and write its tokens and attention weights down."""
    y, r = answers.token[n, i], answers.previous[n, i]
    for l in range(answers.length[n, i] - 1, -1, -1):
        answers.ids[n, i, l] = y
        for t in range(answers.alpha.shape[3]):                 # 0 without attention
            answers.alpha[n, i, l, t] = chains.alpha[l, r, t]
        y, r = chains.token[l, r], chains.previous[l, r]


@device_function
def candidates(rows, old, r0, r1, new, new_row, new_token):
    """The most probable tokens after the hypotheses in rows r0 .. r1-1 of one source, as many as `new` holds.

    Log p of the extended hypotheses are left in `new`, best first; of equal ones the lower row and token come
    first, as each goes behind those that are not less.  -> how many there are
    """
    width, count, least, logits = len(new), 0, -np.inf, rows.logits
    for r in range(r0, r1):
        for j in range(0, logits.shape[1], WIDE):
            block = logits[r, at(j, j + LANES)]
            for g in range(j + LANES, j + WIDE, LANES):
                block = maximum(block, logits[r, at(g, g + LANES)])
            if old[r] + log_p(rows, r, greatest(block)) > least:
                for v in range(j, j + WIDE):
                    this = old[r] + log_p(rows, r, logits[r, v])
                    if this > least and not rows.never[v]:
                        i = min(count, width - 1)
                        while i > 0 and new[i - 1] < this:
                            new[i], new_row[i], new_token[i] = new[i - 1], new_row[i - 1], new_token[i - 1]
                            i -= 1
                        new[i], new_row[i], new_token[i] = this, r, v
                        count = min(count + 1, width)
                        if count == width:
                            least = new[width - 1]
    return count


@device_function
def put(answers, n, i, score, log_p, length, token, previous):
    answers.score[n, i], answers.log_p[n, i], answers.length[n, i] = score, log_p, length
    answers.token[n, i], answers.previous[n, i] = token, previous


@device_function
def insert(answers, n, score, log_p, length, token, previous):
    """Put a finished hypothesis in its place among the best of source n, if it has one."""
    i, B = answers.count[n], answers.score.shape[1]
    while i > 0 and answers.score[n, i - 1] < score:
        i -= 1
        if i + 1 < B:
            put(answers, n, i + 1, answers.score[n, i], answers.log_p[n, i], answers.length[n, i], answers.token[n, i],
                answers.previous[n, i])
    if i < B:
        put(answers, n, i, score, log_p, length, token, previous)
        answers.count[n] = min(answers.count[n] + 1, B)
