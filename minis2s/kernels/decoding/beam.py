"""Compiled implementation of beam.py: the whole search is one compiled call; read that file first.

    length l = 0          1              2
             ┌───────┐    ┌───────┐    ┌───────┐     entry [l, r] is a beginning of l tokens: its last one
      row 0  │ BOS   │ <┬─│ the   │ <┬─│ cat   │     is token[l, r], and previous[l, r] is the row of the
             └───────┘  └─│ a     │  └─│ dog   │     beginning of l-1 tokens that it extends
                          └───────┘    └───────┘

The reference implementation's chains of Hypothesis are arrays here.  A thread takes some of the sources through the
whole search; the live hypotheses of a source are neighbours, best first, and together they fill the rows from the
thread's first row on without gaps.
"""
from functools import cache as once
from typing import NamedTuple

import numpy as np
from numpy import ascontiguousarray as contiguous

from ...data.vocabulary import BOS, EOS
from ...decoding.beam import beam as readable_beam, check
from ...decoding.hypotheses import NO_TOKEN, Answer
from ...layers.cells import CELLS
from ...model import seq2seq
from ..linalg.rows import clear, copy
from ..linalg.simd import LANES, at, greatest, maximum
from ..model import encoder
from ..model.decoder_buffers import key_of, variant_of, work_of
from ..model.seq2seq import encode, of_frames, steps_of
from ..model.validated import validated
from ..runtime.arena import empty, in_an_arena, zeros
from ..runtime.jit import arena_kernel, device_function, internal_kernel
from ..runtime.linking import call_linked
from ..runtime.threads import over_rows
from .hypotheses import WIDE, log_p, search_steps, starts, without_gaps

MOST = 1 << 30                 # tokens of all hypotheses: 32 GB, and their attention weights


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
    ill: np.ndarray            # (M,), log p were NaN


def no_answers(T, M, B, L, dtype):
    """Answers, before the search."""
    length, token, previous = np.empty((3, M, B), np.int64)
    return Answers(np.zeros(M, np.int64), np.empty((M, B)), np.empty((M, B)), length, token, previous,
                   np.empty((M, B, L), np.int64), np.empty((M, B, L, T), dtype), np.zeros(M, np.bool_))


def beam(p, config, source, mask, max_length, width, length_penalty=0.0, nbest=1):
    """See decoding.beam.  Memory grows with max_length, and not with the answers' length."""
    check(config, source, mask, max_length, width, length_penalty, nbest)
    if config.architecture == "transformer":
        return readable_beam(p, config, source, mask, max_length, width, length_penalty, nbest)
    if source.shape[1] * width * (max_length + 1) > MOST:
        raise ValueError(f"width: {width} hypotheses of {max_length} tokens for {source.shape[1]} sources are too "
                         f"many, wanted {MOST:,} tokens at most")
    p, search = seq2seq.untie(validated(p, config), config), search_of(config)
    power = np.array([length ** float(length_penalty) for length in range(max_length + 1)])
    attends = config.context == "attention"
    answers = no_answers(len(source) if attends else 0, source.shape[1], nbest, max_length, config.dtype)
    if encoder.covers(config):
        none = np.zeros((0, 0), config.dtype)
        in_an_arena(search, p, steps_of(config, source), contiguous(mask), (none,) * config.layers, answers, power,
                    width, config.fused_size)
    else:
        encoded, layers, _ = encode(p, config, source, mask)
        in_an_arena(search, p.decoder, *without_gaps(encoded, layers), answers, power, width, config.fused_size)
    if answers.ill.any():
        raise ValueError("p: the model's log-probabilities hold NaN, wanted finite parameters")
    real, (count, score, log_probs, length, token, _, ids, _, _) = np.add.reduce(mask).tolist(), (
        a.tolist() for a in answers._replace(alpha=answers.ill))

    if 0 in count:
        raise ValueError(NO_TOKEN)

    def answer(n, i):
        l, finished = length[n][i], token[n][i] == EOS
        alpha = answers.alpha[n, i, :l, :real[n]].copy() if attends else None
        return Answer(ids[n][i][:l - finished], log_probs[n][i], score[n][i], alpha, finished)
    return [[answer(n, i) for i in range(count[n])] for n in range(len(count))]


def search_of(config):
    """The compiled search for a Config."""
    variant = variant_of(config, False, False)
    return loop(variant, config.bridge, config.source) if encoder.covers(config) else loop(variant)


@once
def loop(variant, bridge=None, kind="tokens"):
    """-> the search with the decoder's step for this Variant in it, and before it the encoder if its kind of bridge
    is given, which reads this kind of source."""
    start, run, key = starts(variant), search_of_sources(variant), key_of(variant)

    @device_function
    def search(arena, p, source, layers, answers, power, width, Z):
        M, L, T = len(layers[0].h), len(power) - 1, answers.alpha.shape[3]
        R = M * width
        sources = empty(arena, (R,), np.int64)
        for r in range(R):
            sources[r] = r // width
        rows, i64, f64 = start(arena, p, source, layers, sources, Z), np.int64, np.float64
        whole = empty(arena, (3, L + 1, R), i64)
        chains = Chains(whole[0], whole[1], whole[2], zeros(arena, (L + 1, R), f64),
                        empty(arena, (L, R, T), rows.logits.dtype), empty(arena, (M, width), f64),
                        empty(arena, (M, width), i64), empty(arena, (M, width), i64))
        over_rows(run, (rows, chains, answers, power, width), M,
                  len(power) * (work_of(rows.k) + R * rows.k.W.numbers.size))
    if bridge is None:
        return arena_kernel(f"beam.{key}", loops=False)(search)
    encode = encoder.loops(variant, bridge, kind).forward

    @arena_kernel(f"beam.{key_of((*variant, bridge, *of_frames(kind)))}", loops=False)
    def encode_and_search(arena, p, steps, mask, masks, answers, power, width, Z):
        _, encoder_output, s0 = call_linked(encode, (arena, p, steps, mask, masks))
        search(arena, p.decoder, encoder_output, s0, answers, power, width, Z)
    return encode_and_search


def search_of_sources(variant):
    """-> the search for sources m0 .. m1-1, which one thread does."""
    (advance, follow), begin, attends = search_steps(variant), begins(variant), bool(variant.score)

    @internal_kernel(f"beam.run.{key_of(variant)}")
    def run(rows, chains, answers, power, width, m0, m1):
        first, L, l = m0 * width, len(power) - 1, 0
        end = first + m1 - m0                                   # the live rows: first .. end-1
        begin(rows, chains, width, m0, m1)
        follow(rows, chains.source[0], chains.token[0], chains.previous[0], first, end)
        while l < L and end > first:
            if not advance(rows, first, end):
                answers.ill[m0] = True
                end = first
            if attends:
                copy(chains.alpha[l], rows.k.attend.alpha[0], first, end)
            l += 1
            end = extend(rows, chains, answers, power, l, first, end)
            if l < L:
                follow(rows, chains.source[l], chains.token[l], chains.previous[l], first, end)
        cut_off(chains, answers, power, first, end)
        for n in range(m0, m1):
            for i in range(answers.count[n]):
                trace_back(chains, answers, n, i)
    return run


def begins(variant):
    """-> `begin`: the empty hypotheses of sources m0 .. m1-1."""
    has_c = "c" in CELLS[variant.cell_name].State._fields

    @device_function
    def begin(rows, chains, width, m0, m1):
        first, k = m0 * width, rows.k
        for i in range(len(k.cells)):                           # as if a step had left the initial states
            copy(k.cells[i].hs[1], k.cells[i].hs[0], first, m1 * width)
            if has_c:
                copy(k.cells[i].cs[1], k.cells[i].cs[0], first, m1 * width)
        clear(k.rs[0], first, m1 * width)
        for r in range(first, first + m1 - m0):
            chains.source[0, r], chains.token[0, r] = m0 + r - first, BOS
            chains.previous[0, r] = first + (r - first) * width     # the row with its source's state, see `search`
    return begin


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
