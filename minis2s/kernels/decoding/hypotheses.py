"""Compiled implementation of hypotheses.py: one step of a recurrent decoder for all live hypotheses, with arrays for
one step only; a Transformer's: transformer_hypotheses.py.

                 at [0]                                    at [1]
    ┌─> states, row for row ──> advance ──> logits, and states after the step
    │                                                        │
    └────────────── follow: rows that go on <────────────────┘

A step reads states at [0] and leaves new ones at [1]; `follow` brings those that the next step needs back to
[0], each to its hypothesis' row.  Live rows are neighbours, so nothing is computed for those that have ended.
BeamRows read their source's memory in place: it is never copied.

beam.py calls these functions in its compiled loop.  `start` and `advance` below serve the searches
that choose in NumPy: sampling and exact search.
"""
from functools import cache as once
from typing import NamedTuple

import numpy as np
from numpy import ascontiguousarray as contiguous

from ...core import tree
from ...data.vocabulary import BOS, UNK
from ...decoding.exact import AT_ONCE
from ...decoding.hypotheses import NEVER, Beam, Hypothesis, weigh
from ...layers.cells import CELLS
from ...model import decoder as reference, seq2seq
from ..core import validation
from ..layers import attention
from ..linalg.rows import clear, copy
from ..linalg.simd import LANES, add, at, exp, greatest, maximum, total, zeros
from ..model import decoder_buffers
from ..model.decoder_buffers import key_of, variant_of
from ..model.decoder_outputs import OUTPUTS, read_out, say_words_of
from ..model.decoder_step import steps
from ..model.seq2seq import encode
from ..model.validated import validated
from ..runtime.arena import empty, zeros as zeros_of
from ..runtime.jit import device_function, inlined, internal_kernel, jit
from ..runtime.threads import over_rows
from .rough import Rough, in_full, roughly

WIDE = 4 * LANES               # logits that are compared at once
CACHED = 24                    # rows of logits that stay in the cache until log p are made of them
FINE, NAN, BEYOND = 0, 1, 2    # after a step: log p are numbers; they are not; there is no such position


class BeamRows(NamedTuple):        # one step of the decoder, for up to R hypotheses of M sources
    k: decoder_buffers.ForwardBuffers   # its arrays, S = 1: k.ids[0, r] is row r's last token
    logits: np.ndarray         # (R, V'), V' a multiple of WIDE: -inf behind the real ones; log p where words are copied
    shift: np.ndarray          # (R, 2), float64: the greatest logit, and log of the sum of exp(logit - it)
    never: np.ndarray          # (V',), True = no answer shall hold this token
    z: np.ndarray              # (R, Z), the fused state of the step before
    ctx: np.ndarray            # (M, C), a context that is the same at every step
    rough: Rough               # the readout at less precision, or None


@once
def starts(variant):
    """-> `rows` for this Variant: it makes the BeamRows."""
    start, never_written, size = decoder_buffers.starts(variant), tuple(NEVER), OUTPUTS[variant.output].size
    context = attention.same_context if variant.every_step else attention.no_context

    @inlined
    def rows(arena, p, source, layers, sources, Z, rough):
        """An arena, decoder Params, decoder.EncoderOutput, states of M sources, which source a row has (R,), size of z,
        Rough or None -> BeamRows."""
        (R,), (M, _), V, dtype = sources.shape, layers[0].h.shape, size(p.readout, source), p.embedding.dtype
        none, nobody, wide = empty(arena, (0, 0), dtype), empty(arena, (0, 0), np.bool_), (V + WIDE - 1) // WIDE * WIDE
        logits, never = empty(arena, (R, wide), dtype), empty(arena, (wide,), np.bool_)
        for v in range(wide):
            never[v] = v >= V
        for v in range(V, wide):
            for r in range(R):
                logits[r, v] = -np.inf
        for v in never_written:
            never[v] = True
        k = start(arena, p, source, layers, 1, sources, nobody, (none,), none, in_full(rough, R))
        all_sources = empty(arena, (M,), np.int64)
        for n in range(M):
            all_sources[n] = n
        _, ctx = context(arena, p, source, layers[0].h, 1, all_sources)
        return BeamRows(k, logits, empty(arena, (R, 2), np.float64), never, zeros_of(arena, (R, Z), dtype), ctx[0],
                        rough)
    return rows


def without_gaps(source, layers):
    """decoder.EncoderOutput and states, their arrays without gaps."""
    return tree.map(contiguous, source), tree.map(contiguous, layers)


@once
def search_steps(variant):
    """-> advance, follow, with the decoder's step for this Variant in them."""
    every_step, feeding, copies = variant.every_step, variant.feeding, variant.output == "words"
    step, has_c = steps(variant), "c" in CELLS[variant.cell_name].State._fields

    @device_function
    def advance(rows, r0, r1):
        """Feed the rows r0 .. r1-1 their last tokens: -> whether log p of the next ones are numbers."""
        k = rows.k
        step(k, np.int64(0), rows.z[:, :], r0, r1)              # of the very types that decoder.py calls it with
        if copies:
            return say_words(rows, k, k.rs[0], r0, r1)
        return say(rows, k.rs[0], k.W, k.b, r0, r1)

    @device_function
    def follow(rows, sources, tokens, previous, r0, r1):
        """BeamRows r0 .. r1-1 go on with these tokens, each from the state that the step left in row previous[r]."""
        k = rows.k
        for r in range(r0, r1):
            k.ids[0, r], k.attend.source[r] = tokens[r], sources[r]
            if copies and tokens[r] >= len(k.b):
                k.ids[0, r] = UNK                               # to the embedding
            for i in range(len(k.cells)):
                take(k.cells[i].hs, r, previous[r])
                if has_c:
                    take(k.cells[i].cs, r, previous[r])
            if feeding:
                for j in range(rows.z.shape[1]):
                    rows.z[r, j] = k.rs[0, previous[r], j]
            if every_step:
                for j in range(rows.ctx.shape[1]):
                    k.ctx[0, r, j] = rows.ctx[sources[r], j]
    return advance, follow


@once
def called_steps(variant):
    """-> start_rows, advance_all: `starts` and `advance` as Python calls them."""
    start, (advance, _) = starts(variant), search_steps(variant)

    @internal_kernel(f"advance.rows.{key_of(variant)}")
    def advance_rows(rows, r0, r1):
        advance(rows, r0, r1)

    @jit(f"rows.{key_of(variant)}")
    def start_rows(p, source, layers, sources, Z):
        return start(None, p, source, layers, sources, Z, None)

    @jit(f"advance.{key_of(variant)}")
    def advance_all(rows, R):
        over_rows(advance_rows, (rows,), R, R * rows.k.W.numbers.size)
    return start_rows, advance_all


@once
def begins(variant):
    """-> `begin`: rows r0 .. r1-1 as if a step had left the initial states."""
    has_c = "c" in CELLS[variant.cell_name].State._fields

    @device_function
    def begin(rows, r0, r1):
        k = rows.k
        for i in range(len(k.cells)):
            copy(k.cells[i].hs[1], k.cells[i].hs[0], r0, r1)
            if has_c:
                copy(k.cells[i].cs[1], k.cells[i].cs[0], r0, r1)
        clear(k.rs[0], r0, r1)
    return begin


@device_function
def say(rows, rs, W, b, r0, r1):
    """The readout of rows r0 .. r1-1: logits, and what makes log p of them: -> whether these are numbers."""
    well, done = True, roughly(rows.rough, rs, b, rows.logits, r0, r1)
    for first in range(r0, r1, CACHED):
        end = min(first + CACHED, r1)
        if not done:
            read_out(rs, W, b, rows.logits[:, :len(b)], first, end)
        for r in range(first, end):
            well &= normalize(rows.logits, rows.shift, r)
    return well


@device_function
def say_words(rows, k, rs, r0, r1):
    """The same for a readout that copies: log p of V+K words, whose sum is 1 but for rounding."""
    well = True
    for first in range(r0, r1, CACHED):
        end = min(first + CACHED, r1)
        say_words_of(k, k.mixing, k.W, rs, rows.logits, 0, first, end)
        for r in range(first, end):
            well &= normalize(rows.logits, rows.shift, r)
    return well


@device_function
def normalize(logits, shift, r):
    """Write shift[r], of which `log_p` makes log p of row r: -> whether they are numbers."""
    best, sums = logits[r, at(0, LANES)], zeros(logits)
    for j in range(LANES, logits.shape[1], LANES):
        best = maximum(best, logits[r, at(j, j + LANES)])
    top = greatest(best)
    for j in range(0, logits.shape[1], LANES):
        sums = add(sums, exp(logits[r, at(j, j + LANES)] - top))
    shift[r, 0], shift[r, 1] = top, np.log(np.float64(total(sums)))
    return shift[r, 1] == shift[r, 1]


@device_function
def take(states, r, old):
    """Row r begins where row `old` has come to."""
    H = states.shape[2]
    for j in range(0, H, LANES):
        states[0, r, at(j, H)] = states[1, old, at(j, H)]


@device_function
def log_p(rows, r, logit):
    """Of a token after the hypothesis in row r, in float64: log p are summed over tokens."""
    return np.float64(logit) - rows.shift[r, 0] - rows.shift[r, 1]


# For searches that choose in NumPy ------------------------------------------------------------------------

def start(p, config, source, mask):
    """See decoding.hypotheses.start.  BeamRows take the place of the decoder's Params, and the number of each row's
    source that of an EncoderOutput's ctx."""
    require_tokens(config)
    p, sources = seq2seq.untie(validated(p, config), config), np.arange(source.shape[1])
    encoded, layers, _ = encode(p, config, source, mask)
    rows = called_steps(variant_of(config, False, False))[0](
        p.decoder, *without_gaps(encoded, layers), np.arange(max(len(sources), AT_ONCE)) % len(sources),
        config.fused_size)
    empty = [Hypothesis(n, None, BOS, 0, 0.0, n, None) for n in sources.tolist()]
    return rows, Beam(empty, reference.EncoderOutput(None, sources), reference.initial_state(config, layers))


def require_tokens(config):
    """Require a model that writes tokens."""
    if config.target == "frames":
        raise ValueError("config: target=frames, wanted tokens; frames are written and not searched for")


def advance(rows, config, live):
    """See decoding.hypotheses.advance."""
    k, R, sources, tokens = rows.k, len(live.hypotheses), live.source.ctx, [h.token for h in live.hypotheses]
    V = k.mixing.c.shape[1] if config.readout == "copy" else config.target_vocab
    check_live(rows, R, V, tokens, sources)
    k.ids[0, :R], k.attend.source[:R] = reference.read_ids(config, np.array(tokens)), sources
    for cell, s in zip(k.cells, live.state.layers):
        for name, a in zip(s._fields, s):
            getattr(cell, name + "s")[0, :R] = a
    if config.input_feeding:
        rows.z[:R] = live.state.z
    if config.context == "every-step":
        k.ctx[0, :R] = rows.ctx[sources]
    called_steps(variant_of(config, False, False))[1](rows, R)
    layers = tuple(s._replace(**{name: getattr(cell, name + "s")[1, :R].copy() for name in s._fields})
                   for cell, s in zip(k.cells, live.state.layers))
    z = k.rs[0, :R, :config.fused_size].copy() if config.input_feeding else None
    alpha = k.attend.alpha[0, :R].T.copy() if config.context == "attention" else None
    return weigh(live._replace(state=reference.State(layers, z)), all_log_p(rows, R, V), alpha)


def all_log_p(rows, R, V):
    """`log_p` of all tokens after the hypotheses in the first R rows: (R, V)."""
    return rows.logits[:R, :V].astype(np.float64) - rows.shift[:R, :1] - rows.shift[:R, 1:]


def check_live(rows, R, V, tokens, sources):
    """Require hypotheses for which there are rows, and tokens and sources that there are."""
    validation.kind("rows", rows, BeamRows)
    check_tokens(R, rows.k.ids.shape[1], V, tokens)
    check_sources(R, max(rows.k.attend.mask.shape[1], len(rows.ctx)), sources)


def check_tokens(R, capacity, V, tokens):
    """Require at most `capacity` hypotheses, and tokens of V."""
    if R > capacity:
        raise ValueError(f"live: got {R} hypotheses, wanted {capacity} at most")
    if R and not 0 <= min(tokens) <= max(tokens) < V:
        raise ValueError(f"live: got tokens from {min(tokens)} to {max(tokens)}, wanted 0 .. {V - 1}")


def check_sources(R, M, sources):
    """Require sources of M (0: none is read)."""
    if R and M and not 0 <= min(sources) <= max(sources) < M:
        raise ValueError(f"live: got sources from {min(sources)} to {max(sources)}, wanted 0 .. {M - 1}")
