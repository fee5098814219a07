"""Compiled implementation of beam.py: the whole search is one compiled call; read that file first, then chains.py.

                 at length l                                at length l+1
    ┌─> rows of hypotheses ── advance ──> log p of the next tokens ── extend ──> rows of hypotheses ──┐
    └───────────────────────────────────────── follow ────────────────────────────────────────────────┘

A thread takes some of the sources through the whole search.  The live hypotheses of a source are neighbours, best
first, and together they fill the rows from the thread's first row on without gaps.

The loop is the same for both architectures; its Steps are a recurrent decoder's (hypotheses.py) or a Transformer's
(transformer_hypotheses.py).
"""
from functools import cache as once
from typing import Callable, NamedTuple

import numpy as np
from numpy import ascontiguousarray as contiguous

from ...data.vocabulary import EOS
from ...decoding.beam import check
from ...decoding.hypotheses import NO_TOKEN, Answer
from ...decoding.rough import check as check_precision
from ...model import seq2seq
from ...model.transformer import check_length
from ..linalg.rows import copy
from ..model import encoder
from ..model.decoder_buffers import key_of, variant_of, work_of
from ..model.seq2seq import encode, of_source, steps_of
from ..model.validated import validated
from ..runtime.arena import empty, in_an_arena
from ..runtime.jit import arena_kernel, device_function, internal_kernel
from ..runtime.linking import call_linked
from ..runtime.threads import over_rows
from . import transformer_hypotheses as of_transformer
from .chains import begin_chains, cut_off, extend, new_chains, no_answers, trace_back
from .frames import writer_of
from .hypotheses import BEYOND, FINE, NAN, begins, require_tokens, search_steps, starts, without_gaps
from .rough import rough_of

MOST = 1 << 35                 # bytes of all hypotheses' tokens, 32 for each, and what a Transformer keeps of it


class Steps(NamedTuple):       # of an architecture; device functions of rows r0 .. r1-1
    begin: Callable            # rows, r0, r1: before the first step
    advance: Callable          # rows, chains, l, r0, r1: feed the last of l tokens -> FINE, NAN or BEYOND
    follow: Callable           # rows, chains, l, r0, r1: the rows go on as the hypotheses of l tokens


def beam(p, config, source, mask, max_length, width, length_penalty=0.0, nbest=1, precision=None):
    """See decoding.beam; `precision` of the readout: see decoding/rough.py.  Memory grows with max_length, and not with
    the answers' length."""
    check(config, source, mask, max_length, width, length_penalty, nbest)
    require_tokens(config)
    if precision is not None:
        check_precision(precision, config.readout == "copy")
    most = MOST // bytes_of_token(config)
    if source.shape[1] * width * (max_length + 1) > most:
        raise ValueError(f"width: {width} hypotheses of {max_length} tokens for {source.shape[1]} sources are too "
                         f"many, wanted {most:,} tokens at most")
    power = np.array([length ** float(length_penalty) for length in range(max_length + 1)])
    attends = config.architecture == "transformer" or config.context == "attention"
    answers = no_answers(len(source) if attends else 0, source.shape[1], nbest, max_length, config.dtype)
    SEARCHES[config.architecture](p, config, source, mask, answers, power, width, precision)
    refuse_trouble(config, answers)
    real, (count, score, log_probs, length, token, _, ids, _, _) = np.add.reduce(mask).tolist(), (
        a.tolist() for a in answers._replace(alpha=answers.trouble))

    def answer(n, i):
        l, finished = length[n][i], token[n][i] == EOS
        alpha = answers.alpha[n, i, :l, :real[n]].copy() if attends else None
        return Answer(ids[n][i][:l - finished], log_probs[n][i], score[n][i], alpha, finished)
    return [[answer(n, i) for i in range(count[n])] for n in range(len(count))]


def bytes_of_token(config):
    """Of a token of a hypothesis."""
    kept = 2 * config.layers * config.hidden if config.architecture == "transformer" else 0
    return 32 + kept * np.dtype(config.dtype).itemsize


def refuse_trouble(config, answers):
    """ValueError, as the reference implementation has it, if a thread could not go on or a source has no answer."""
    if (answers.trouble == NAN).any():
        raise ValueError("p: the model's log-probabilities hold NaN, wanted finite parameters")
    if (answers.trouble == BEYOND).any():
        check_length(config, "max_length", config.max_positions + 1)
    if not answers.count.all():
        raise ValueError(NO_TOKEN)


def search_of(config):
    """The compiled search for a Config; of frames, which are not searched for, the steps of `write`."""
    if config.architecture == "transformer":
        return transformer_loop(config.norm, config.feed_forward_activation)
    if config.target == "frames":
        return writer_of(config)
    variant = variant_of(config, False, False)
    return loop(variant, config.bridge, encoder.source_of(config)) if encoder.covers(config) else loop(variant)


@once
def search_of_sources(steps, key):
    """-> the search for sources m0 .. m1-1, which one thread does."""
    begin, advance, follow = steps

    @internal_kernel(f"beam.run.{key}")
    def run(rows, chains, answers, power, width, m0, m1):
        first, L, l = m0 * width, len(power) - 1, 0
        end = first + m1 - m0                                   # the live rows: first .. end-1
        begin_chains(chains, width, m0, m1)
        begin(rows, first, m1 * width)
        follow(rows, chains, l, first, end)
        while l < L and end > first:
            trouble = advance(rows, chains, l, first, end)
            if trouble != FINE:
                answers.trouble[m0] = trouble
                end = first
            l += 1
            end = extend(rows, chains, answers, power, l, first, end)
            if l < L:
                follow(rows, chains, l, first, end)
        cut_off(chains, answers, power, first, end)
        for n in range(m0, m1):
            for i in range(answers.count[n]):
                trace_back(chains, answers, n, i)
    return run


# Recurrent --------------------------------------------------------------------------------------------------

def search_recurrent(p, config, source, mask, answers, power, width, precision):
    """Fill the Answers."""
    p, search = seq2seq.untie(validated(p, config), config), search_of(config)
    rough = rough_of(p.decoder.readout.W, p.decoder.readout.b, precision, source.shape[1] * width, width)
    if encoder.covers(config):
        none = np.zeros((0, 0), config.dtype)
        in_an_arena(search, p, steps_of(config, source), contiguous(mask), (none,) * config.layers, answers, power,
                    width, config.fused_size, rough)
    else:
        encoded, layers, _ = encode(p, config, source, mask)
        in_an_arena(search, p.decoder, *without_gaps(encoded, layers), answers, power, width, config.fused_size,
                    rough)


@once
def recurrent_steps(variant):
    """-> Steps with the decoder's step for this Variant in them."""
    (step, go_on), begin, attends = search_steps(variant), begins(variant), bool(variant.score)

    @device_function
    def advance(rows, chains, l, r0, r1):
        well = step(rows, r0, r1)
        if attends:
            copy(chains.alpha[l], rows.k.attend.alpha[0], r0, r1)
        return FINE if well else NAN

    @device_function
    def follow(rows, chains, l, r0, r1):
        go_on(rows, chains.source[l], chains.token[l], chains.previous[l], r0, r1)
    return Steps(begin, advance, follow)


@once
def loop(variant, bridge=None, kind="tokens"):
    """-> the search with the decoder's step for this Variant in it, and before it the encoder if its kind of bridge
    is given, which reads this kind of source."""
    start, key = starts(variant), key_of(variant)
    run = search_of_sources(recurrent_steps(variant), key)

    @device_function
    def search(arena, p, source, layers, answers, power, width, Z, rough):
        M, R = len(layers[0].h), len(layers[0].h) * width
        sources = empty(arena, (R,), np.int64)
        for r in range(R):
            sources[r] = r // width
        rows = start(arena, p, source, layers, sources, Z, rough)
        chains = new_chains(arena, rows.logits, width, len(power) - 1, answers.alpha.shape[3])
        over_rows(run, (rows, chains, answers, power, width), M,
                  len(power) * (work_of(rows.k) + R * rows.k.W.numbers.size))
    if bridge is None:
        return arena_kernel(f"beam.{key}", loops=False)(search)
    encode = encoder.loops(variant, bridge, kind).forward

    @arena_kernel(f"beam.{key_of((*variant, bridge, *of_source(kind)))}", loops=False)
    def encode_and_search(arena, p, steps, mask, masks, answers, power, width, Z, rough):
        _, encoder_output, s0 = call_linked(encode, (arena, p, steps, mask, masks))
        search(arena, p.decoder, encoder_output, s0, answers, power, width, Z, rough)
    return encode_and_search


# Transformer ------------------------------------------------------------------------------------------------

def search_transformer(p, config, source, mask, answers, power, width, precision):
    """Fill the Answers."""
    rows = of_transformer.rows_of(p, config, source, mask, source.shape[1] * width, len(power) - 1, precision, width)
    in_an_arena(search_of(config), rows, answers, power, width, len(power) * of_transformer.work_of(rows))


@once
def transformer_loop(norm, phi):
    """-> the search for a place of the norm and an activation."""
    run = search_of_sources(Steps(*of_transformer.search_steps(norm, phi)), f"{norm}-{phi}")

    @arena_kernel(f"beam.{norm}-{phi}", loops=False)
    def search(arena, rows, answers, power, width, work):
        chains = new_chains(arena, rows.logits, width, len(power) - 1, answers.alpha.shape[3])
        over_rows(run, (rows, chains, answers, power, width), len(answers.count), work)
    return search


SEARCHES = {"recurrent": search_recurrent, "transformer": search_transformer}
