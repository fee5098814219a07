"""Compiled implementation of hypotheses.py for a Transformer: one more position of all live hypotheses.

    length l = 0          1              2 = now
             ┌───────┐    ┌───────┐    ┌───────┐     keys and values of a beginning stay in the rows where they were
      row 0  │ BOS   │ <┬─│ the   │ <┬─│ cat   │     written; which rows these are the chains say (chains.py): the
             └───────┘  └─│ a     │  └─│ dog   │     decoder's step walks them back (kernels/model/transformer_step.py)
                          └───────┘    └───────┘

So nothing is brought to another row when hypotheses go on: `follow` has nothing to do.

beam.py calls `search_steps` in its compiled loop.  `start` and `advance` below serve the searches that choose in NumPy:
sampling and exact search.
"""
from functools import cache as once
from typing import Any, NamedTuple

import numpy as np

from ...core import tree
from ...data.vocabulary import BOS
from ...decoding.exact import AT_ONCE
from ...decoding.hypotheses import NEVER, Beam, Hypothesis, weigh
from ...layers.attention.multi_head import KeyValues, join, split
from ...model import transformer as model, transformer_decoder as reference
from ..core import validation
from ..linalg.rows import copy
from ..model import transformer
from ..model.transformer_buffers import full
from ..model.transformer_step import StepBuffers, key_values, step_buffers, steps, work_of as work_of_row
from ..model.validated import validated
from ..runtime.jit import arena_kernel, device_function, internal_kernel
from ..runtime.linking import call_linked
from ..runtime.threads import over_rows
from .hypotheses import BEYOND, FINE, NAN, WIDE, all_log_p, check_sources, check_tokens, say
from .rough import Rough, rough_of


class TransformerRows(NamedTuple):       # one position of up to R hypotheses
    k: StepBuffers
    masks: Any                 # StackMasks of no numbers: nothing is dropped
    heads: int
    logits: np.ndarray         # as in hypotheses.BeamRows
    shift: np.ndarray
    never: np.ndarray
    rough: Rough


def rows_of(p, config, source, mask, R, L, precision=None, width=1):
    """Read the sources: -> TransformerRows for R hypotheses, `width` to a source, of at most L tokens.

    Raises
    ------
    ValueError, TypeError
        For parameters of another Config, and sources beyond the learned positions.
    """
    p = model.untie(validated(p, config), config)
    model.check_source(config, source, mask)
    read = transformer.cross_of(transformer.source_read(p, config, source, mask))
    P = transformer.tables(p, config, len(source), L)[1]
    k, V = step_buffers(p.decoder, config, read, transformer.lengths_of(mask), P, R, L), config.target_vocab
    wide = (V + WIDE - 1) // WIDE * WIDE
    logits, never = np.full((R, wide), -np.inf, config.dtype), np.arange(wide) >= V
    never[NEVER] = True
    return TransformerRows(k, transformer.without_gaps(None, config).decoder, config.heads, logits,
                           np.empty((R, 2)), never,
                           rough_of(p.decoder.readout.W, p.decoder.readout.b, precision, R, width))


def work_of(rows):
    """Multiply-adds of a step of all rows, approximately."""
    return len(rows.logits) * work_of_row(rows.k)


@once
def search_steps(norm, phi):
    """-> begin, advance, follow: see beam.Steps."""
    step = steps(norm, phi)

    @device_function
    def begin(rows, r0, r1):
        """No position has been."""

    @device_function
    def advance(rows, chains, l, r0, r1):
        k = rows.k
        if l == len(k.P):
            return BEYOND
        call_linked(step, (k, rows.masks, rows.heads, chains.token, chains.previous, chains.source[l], l, r0, r1))
        copy(chains.alpha[l], k.alpha, r0, r1)
        return FINE if say(rows, k.x, k.W, k.b, r0, r1) else NAN

    @device_function
    def follow(rows, chains, l, r0, r1):
        """Keys and values stay where they are."""
    return begin, advance, follow


# For searches that choose in NumPy ------------------------------------------------------------------------

def start(p, config, source, mask):
    """See decoding.hypotheses.start.  TransformerRows take the place of the decoder's Params, and the number of each
    row's source that of what it reads there."""
    N = source.shape[1]
    rows = rows_of(p, config, source, mask, max(N, AT_ONCE), 1)
    empty = [Hypothesis(n, None, BOS, 0, 0.0, n, None) for n in range(N)]
    nothing = KeyValues(*np.empty((2, N, config.heads, 0, config.hidden // config.heads), config.dtype))
    return rows, Beam(empty, reference.Source((), np.arange(N)), reference.State((nothing,) * config.layers))


def advance(rows, config, live):
    """See decoding.hypotheses.advance: keys and values of the positions before are brought to their rows."""
    validation.kind("rows", rows, TransformerRows)
    R, capacity = len(live.hypotheses), len(rows.logits)
    tokens, sources = [h.token for h in live.hypotheses], live.source.visible
    t = check_live(rows, config, live, tokens)
    model.check_length(config, "max_length", t + 1)
    kvs, ids = key_values(config, t + 1, capacity), np.zeros((t + 1, capacity), np.int64)
    for now, before in zip(tree.leaves(kvs), tree.leaves(live.state.kvs)):
        now[:t, :R] = join(before)
    ids[t, :R] = tokens
    k, wide = rows.k, full(max(rows.k.alpha.shape[1], t + 1))
    P = k.P if config.positions == "learned" else transformer.tables(None, config, 1, t + 1)[1]
    k = k._replace(kvs=kvs, P=P, where=np.empty((capacity, t + 1), np.int64),
                   scores=np.empty((capacity, wide), config.dtype))
    called_step(config.norm, config.feed_forward_activation)(
        rows._replace(k=k), ids, np.tile(np.arange(capacity), (t + 1, 1)), sources, t, R, R * work_of_row(k))
    state = reference.State(tree.map(lambda a: split(a[:, :R], config.heads).copy(), kvs))
    return weigh(live._replace(state=state), all_log_p(rows, R, config.target_vocab), k.alpha[:R].T.copy())


def check_live(rows, config, live, tokens):
    """Require hypotheses for which there are rows, states of one length, and tokens and sources that there are: -> that
    length."""
    R, sources, (first, *_) = len(tokens), live.source.visible, tree.leaves(live.state.kvs)
    check_tokens(R, len(rows.logits), config.target_vocab, tokens)
    validation.array("live.source", sources, np.dtype(np.int64), (R,))
    check_sources(R, len(rows.k.lengths), sources)
    t = first.shape[2] if getattr(first, "ndim", 0) == 4 else 0
    for name, a in tree.named(live.state.kvs, "live.state.kvs"):
        validation.array(name, a, np.dtype(config.dtype), (R, config.heads, t, config.hidden // config.heads))
    return t


@once
def called_step(norm, phi):
    """-> the step of the first R rows, as Python calls it."""
    step = steps(norm, phi)

    @internal_kernel(f"advance.rows.{norm}-{phi}")
    def advance_rows(rows, ids, previous, sources, t, r0, r1):
        call_linked(step, (rows.k, rows.masks, rows.heads, ids, previous, sources, t, r0, r1))
        say(rows, rows.k.x, rows.k.W, rows.k.b, r0, r1)

    @arena_kernel(f"advance.{norm}-{phi}", loops=False)
    def advance_all(rows, ids, previous, sources, t, R, work):
        over_rows(advance_rows, (rows, ids, previous, sources, t), R, work)
    return advance_all
