"""Transformer decoder, compiled: one position of every row, after those before it; read
minis2s/model/transformer_decoder.py first, whose `forward` is this step where one token is new.

    ids[t] ── E, positions ──> x ── layer after layer, in place ──> x ── W, b ──> logits
                                    │ keys and values of position t, at [t]
                                    ↓                    those of the positions before, and of the source
    position   0      1      2 = t
             ┌────┐ ┌────┐ ┌────┐   A row extends a row of the position before: row r of position t is previous[t, r]
      row 0  │    │─│    │ │    │   of position t-1.  So keys and values stay where they were written, and rows that
             └────┘ └────┘ └────┘   share a beginning share its numbers.  `where` says for each position which row is
      row 1  │    │ │    │ │    │   read.  Rows of a batch, which always go on, have previous[t, r] = r.
             └────┘ └────┘ └────┘

Rows do not read what others write in a step, so a thread takes rows r0 .. r1-1 through all positions.

(TD1)..(TD5), (TS1)..(TS3), (MH3) forward; whole targets, (TD6), and the way back: transformer_decoder.py.
"""
from functools import cache as once
from typing import Any, NamedTuple

import numpy as np

from ...core import tree
from ...layers import feed_forward as reference, layer_norm
from ...layers.attention.multi_head import KeyValues
from ...model.transformer_sublayers import Cache
from ..layers import positions
from ..layers.attention.multi_head import key_rows, output_rows, query_rows
from ..layers.attention.scaled_dot_product import one_query
from ..layers.feed_forward import LAYERS
from ..layers.residual import NORMS
from ..linalg.gemm import pack_weights
from ..linalg.rows import clear
from ..linalg.simd import LANES, at
from ..runtime.jit import device_function, inlined, internal_kernel
from ..runtime.linking import call_linked
from .transformer_buffers import full
from .transformer_sublayers import norm_rows


class Weights(NamedTuple):     # a layer's matrices, packed
    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    o: np.ndarray
    cross_q: np.ndarray
    cross_o: np.ndarray
    hidden: np.ndarray
    out: np.ndarray


class StepBuffers(NamedTuple):           # what a step reads and fills, for R rows that read M sources
    embedding: np.ndarray      # (V, D)
    P: np.ndarray              # positions
    layers: tuple              # of transformer_decoder.Layer
    norm: Any                  # layer_norm.Params with pre-norm, else None
    weights: tuple             # of Weights
    W: np.ndarray              # of the readout, packed
    b: np.ndarray              # (V,)
    kvs: tuple                 # for each layer KeyValues (positions, R, D)
    source: tuple              # for each layer KeyValues (T, M, D)
    lengths: np.ndarray        # (M,), real steps of the sources
    at_source: np.ndarray      # (M, T), n in row n: `where` of the source's keys
    where: np.ndarray          # (R, positions)
    scores: np.ndarray         # (R, positions or T, whichever is more, to a full vector)
    alpha: np.ndarray          # (R, T), weights of the source: the means over the last layer's heads
    x: np.ndarray              # (R, D), what the readout reads after a step
    z: np.ndarray              # (R, D)
    q: np.ndarray              # (R, D)
    ctx: np.ndarray            # (R, D)
    k: Cache                   # of a sub-layer, whichever is computed
    k_norm: layer_norm.Cache   # of the norm that is computed


def step_buffers(p, config, source, lengths, P, R, L):
    """-> StepBuffers for R rows and L positions.

    p: decoder Params whose shared weights stand at each use; source: for each layer KeyValues (T M, D); lengths: (M,),
    real steps of the sources; P: a table of positions.
    """
    D, dtype, M = config.hidden, np.dtype(config.dtype), len(lengths)
    source = tree.map(lambda a: a.reshape(-1, M, D), source)
    T = len(source[0].k)
    x, z, q, ctx, u, n = np.empty((6, R, D), dtype)
    k_norm, hidden = layer_norm.Cache(n, np.empty((R, 1), dtype)), np.empty((2, R, config.feed_forward), dtype)
    k = Cache(k_norm if config.norm == "pre" else None, u, reference.Cache(None, *hidden),
              k_norm if config.norm == "post" else None)
    at_source = np.repeat(np.arange(M), T).reshape(M, T)
    return StepBuffers(p.embedding, P, p.layers, p.norm, tuple(map(packed_weights, p.layers)),
                       pack_weights(p.readout.W), p.readout.b, key_values(config, L, R), source, lengths, at_source,
                       np.empty((R, L), np.int64), np.empty((R, full(max(T, L))), dtype), np.zeros((R, T), dtype),
                       x, z, q, ctx, k, k_norm)


def key_values(config, L, R):
    """Memory for what L positions of R rows leave behind: for each layer KeyValues (L, R, D)."""
    return tuple(KeyValues(*np.empty((2, L, R, config.hidden), config.dtype)) for _ in range(config.layers))


def packed_weights(layer):
    """transformer_decoder.Layer -> Weights."""
    f, cross, ff = layer.attention.f, layer.cross.f, layer.feed_forward.f
    return Weights(*map(pack_weights, (f.q.W, f.k, f.v.W, f.o.W, cross.q.W, cross.o.W, ff.hidden.W, ff.out.W)))


def work_of(k):
    """Multiply-adds of a step of one row, approximately."""
    return sum([a.size for a in tree.leaves(k.weights)]) + k.W.size


@device_function
def trace(where, previous, t, r0, r1):
    """Rows r0 .. r1-1: which row each position of their beginnings stands in."""
    for r in range(r0, r1):
        row = r
        for i in range(t, -1, -1):
            where[r, i] = row
            row = previous[i, row]


@device_function
def attend_past(k, kv, t, h, r0, r1):
    """Every row reads the positions of its own beginning, and itself."""
    d = k.x.shape[1] // h
    for r in range(r0, r1):
        for j in range(h):
            J = slice(j * d, (j + 1) * d)
            one_query(k.q[r, J], kv.k[:, :, J], kv.v[:, :, J], k.where[r, :t + 1], k.scores[r], k.ctx[r, J])    # (MH3)


@device_function
def attend_source(k, kv, sources, h, r0, r1):
    """Every row reads its source."""
    d, T = k.x.shape[1] // h, k.alpha.shape[1]
    clear(k.alpha, r0, r1)
    for r in range(r0, r1):
        n = sources[r]
        where, e = k.at_source[n, :k.lengths[n]], k.scores[r]
        for j in range(h):
            J = slice(j * d, (j + 1) * d)
            one_query(k.q[r, J], kv.k[:, :, J], kv.v[:, :, J], where, e, k.ctx[r, J])           # (MH3)
            for i in range(0, len(where), LANES):
                I = at(i, min(T, len(where)))
                k.alpha[r, I] = k.alpha[r, I] + e[I] * (1 / h)


@inlined
def of_step(m, t, R):
    """Step t of a mask (steps R, D); of no numbers if the mask is."""
    return m[t * R:(t + 1) * R]


@once
def steps(norm, phi):
    """-> `step` for a place of the norm and an activation."""
    branch, join, ends = NORMS[norm].branch, NORMS[norm].join, norm == "pre"
    feed_forward = LAYERS[phi].rows

    @internal_kernel(f"transformer_step.{norm}-{phi}")
    def step(k, masks, h, ids, previous, sources, t, r0, r1):
        """Feed ids[t], with h heads: k.x, k.alpha and keys and values at [t] are written."""
        R, x, z, u, m_0 = ids.shape[1], k.x, k.z, k.k.u, of_step(masks.inputs, t, ids.shape[1])
        trace(k.where, previous, t, r0, r1)
        call_linked(positions.forward, (k.embedding, k.P, ids[t:t + 1], t, m_0, x, r0, r1))     # (TD1)
        for i in range(len(k.layers)):
            q, W, kv, m = k.layers[i], k.weights[i], k.kvs[i], masks.layers[i]
            f = q.attention.f                                                           # (TD2)
            call_linked(branch, (q.attention.norm, x, k.k, r0, r1))
            call_linked(key_rows, (W.k, W.v, f, u, kv.k[t], kv.v[t], r0, r1))
            call_linked(query_rows, (W.q, f, u, k.q, r0, r1))
            attend_past(k, kv, t, h, r0, r1)                                            # (TS1)
            call_linked(output_rows, (W.o, f, k.ctx, z, r0, r1))
            call_linked(join, (q.attention.norm, x, z, of_step(m[0], t, R), k.k, r0, r1))

            f = q.cross.f                                                               # (TD3)
            call_linked(branch, (q.cross.norm, x, k.k, r0, r1))
            call_linked(query_rows, (W.cross_q, f, u, k.q, r0, r1))
            attend_source(k, k.source[i], sources, h, r0, r1)                           # (TS2)
            call_linked(output_rows, (W.cross_o, f, k.ctx, z, r0, r1))
            call_linked(join, (q.cross.norm, x, z, of_step(m[1], t, R), k.k, r0, r1))

            f = q.feed_forward.f                                                        # (TD4)
            call_linked(branch, (q.feed_forward.norm, x, k.k, r0, r1))
            call_linked(feed_forward, (W.hidden, W.out, f, u, k.k.f, z, r0, r1))        # (TS3)
            call_linked(join, (q.feed_forward.norm, x, z, of_step(m[2], t, R), k.k, r0, r1))
        if ends:
            call_linked(norm_rows, (k.norm, x, k.k_norm, r0, r1))                       # (TD5)
    return step
