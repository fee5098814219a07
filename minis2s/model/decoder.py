"""Decoder: one step, and the loop over a target sequence, forward and backward.

Rows A3.2, A3.3, A4.2, A4.3, B4.1, B4.2d, B4.2o, C2.2, C4.1d, D3.2, D3.5 as intended.
Shapes: S target steps, T source steps, N batch, V vocabulary, H hidden, C context.

Forward, step t                                       Backward, where dz means dL/dz
(D1)  ctx = attend(s_{t-1})        order "before"     (D1*) ds_{t-1} += attend's
(D2)  x   = [E[y_{t-1}]; ctx; z_{t-1}]                (D2*) dE, dctx, dz_{t-1} = the parts of dx
(D3)  s_t = cell(x, s_{t-1}), layer by layer          (D3*) dx, ds_{t-1} = the cell's
(D4)  ctx = attend(s_t)            order "after"      (D4*) ds_t += attend's
(D5)  z_t = fuse(s_t, ctx)                            (D5*) ds_t, dctx = the fusion's
(D6)  r_t = z_t, or [z_t; ctx]                        (D6*) dz_t, dctx = the parts of dr_t
(D7)  logits = r W + b             all t at once      (D7*) dr, dW, db = the linear layer's

In (D2) the context stands if it is fed to the cell ("before", or the final state at every step), and
z_{t-1} with input feeding.  Attention reads the top layer's h.
"""
from typing import Any, NamedTuple

import numpy as np

from ..core import tree
from ..layers import dropout, embedding, fusion, linear, recurrent
from ..layers.attention import SCORES, Memory, attend_backward
from ..layers.attention import attend
from ..layers.cells import CELLS


class Params(NamedTuple):
    embedding: np.ndarray      # (V, E)
    layers: tuple              # of a cell's Params; None where tied to the encoder's
    score: Any                 # the attention score's Params, or None
    fusion: Any                # fusion.Params, or None
    readout: linear.Params     # W (R, V) is None where tied to the embedding


class Source(NamedTuple):      # what the decoder may know of the source beside its initial state
    memory: Memory             # for attention, or None
    ctx: np.ndarray            # (N, C), the same at every step, or None

    def select(self, rows):
        """The Source of some examples, in any order and any number of times."""
        return Source(tree.map(lambda a: a[:, rows], self.memory), None if self.ctx is None else self.ctx[rows])


class State(NamedTuple):       # what one step hands to the next
    layers: tuple              # of a cell's State
    z: np.ndarray              # the fused state, or None without input feeding


class StepCache(NamedTuple):
    cells: tuple
    attend: Any
    fuse: Any


class Cache(NamedTuple):
    ids: np.ndarray            # (S, N), the tokens really fed
    steps: list                # of StepCache
    rs: np.ndarray             # (S, N, R), what the readout read
    drops: tuple               # of the layers' inputs
    drop_output: np.ndarray    # of r


def init(rng, config):
    """First parameters, float64."""
    cell, c = CELLS[config.cell_name], config
    sizes = [c.decoder_input_size] + [c.hidden] * (c.layers - 1)
    score = SCORES[c.attention].init(rng, c.hidden, c.encoder_size, c.attention_size or c.hidden) \
        if c.context == "attention" else None
    readout = linear.init(rng, c.readout_size, c.target_vocab)
    return Params(
        embedding=embedding.init(rng, c.target_vocab, c.embedding),
        layers=None if c.tied_cells else tuple(cell.init(rng, D, c.hidden) for D in sizes),
        score=score,
        fusion=fusion.init(rng, c.fusion, c.hidden, c.encoder_size),
        readout=readout._replace(W=None) if c.tied_embedding else readout)


def initial_state(config, layers):
    """The State before the first step: the bridge's states, and z_0 = 0."""
    h = layers[-1].h
    z = np.zeros((len(h), config.fused_size), h.dtype) if config.input_feeding else None
    return State(layers, z)


def step(p, config, source, ids, s, drops=None):
    """Advance one step: tokens y_{t-1} (N,), State -> r (N, R), State, StepCache."""
    cell, score = CELLS[config.cell_name], SCORES.get(config.attention)
    ctx, k_attend = source.ctx, None
    if config.order == "before":
        ctx, k_attend = attend(score, p.score, s.layers[-1].h, source.memory)       # (D1)
    parts = [embedding.forward(p.embedding, ids)]
    parts += [ctx] if config.context_in_cell else []
    parts += [s.z] if config.input_feeding else []
    x = np.concatenate(parts, axis=1)                                               # (D2)
    h, layers, k_cells = recurrent.step(cell, p.layers, x, s.layers, drops)         # (D3)
    if config.context == "attention" and config.order == "after":
        ctx, k_attend = attend(score, p.score, h, source.memory)                    # (D4)
    z, k_fuse = fusion.forward(p.fusion, config.fusion, h, ctx)                     # (D5)
    r = np.concatenate([z, ctx], axis=1) if config.readout == "state-context" else z    # (D6)
    return r, State(layers, z if config.input_feeding else None), StepCache(k_cells, k_attend, k_fuse)


def step_backward(p, config, source, k, dr, d, drops=None):
    """Pull dr (N, R) and State gradients `d` back one step.

    Returns
    -------
    demb : ndarray of shape (N, E)
    d : State, of step t-1
    dsource : Source
    grads : (layers, score, fusion)
    """
    cell, score = CELLS[config.cell_name], SCORES.get(config.attention)
    H, C, Z = config.hidden, config.encoder_size, config.fused_size
    dz, dctx = dr[:, :Z], dr[:, Z:] if config.readout == "state-context" else None  # (D6*)
    if config.input_feeding:
        dz = dz + d.z                                           # fork: z_t is read out and fed back
    dh, dctx_fuse, g_fuse = fusion.backward(p.fusion, config.fusion, k.fuse, dz, H)  # (D5*)
    dctx = tree.add(dctx, dctx_fuse)                            # fork: ctx is fused, read out, fed to a cell
    dmemory, g_score, after = None, None, config.context == "attention" and config.order == "after"
    if after:
        ds, dmemory, g_score = attend_backward(score, p.score, source.memory, k.attend, dctx)    # (D4*)
        dh = dh + ds                                            # fork: s_t is fused and asks
    dx, dlayers, g_layers = recurrent.step_backward(cell, p.layers, k.cells, dh, d.layers, drops)    # (D3*)
    E = p.embedding.shape[1]
    demb, dx = dx[:, :E], dx[:, E:]                             # (D2*)
    if config.context_in_cell:
        dctx, dx = tree.add(dctx, dx[:, :C]), dx[:, C:]         # (D2*)
    dz_prev = dx if config.input_feeding else None              # (D2*)
    if config.order == "before":
        ds, dmemory, g_score = attend_backward(score, p.score, source.memory, k.attend, dctx)    # (D1*)
        top = dlayers[-1]
        dlayers = (*dlayers[:-1], top._replace(h=top.h + ds))   # fork: s_{t-1} is carried and asks
    dsource = Source(dmemory, dctx if config.context == "every-step" else None)
    return demb, State(dlayers, dz_prev), dsource, (g_layers, g_score, g_fuse)


def readout(p, r):
    """r (..., R) -> logits (..., V)."""
    return linear.forward(p.readout, r)                                             # (D7)


def forward(p, config, source, layers, ids, teacher=None, drops=None, drop_output=None):
    """Run over a whole target.

    Parameters
    ----------
    source : Source
    layers : tuple of a cell's State
        The decoder's initial states.
    ids : ndarray of int of shape (S, N)
        The inputs BOS y_1 ... y_S.
    teacher : ndarray of bool of shape (S, N), optional
        Where False the model is fed its own most probable token of the step before (free running) in place of
        the one in `ids`; row 0 is always fed.  None: teacher forcing throughout.

    Returns
    -------
    logits : ndarray of shape (S, N, V)
    cache : Cache
    """
    s, rs, steps, fed = initial_state(config, layers), [], [], []
    for t, y in enumerate(ids):
        if teacher is not None and t > 0 and not teacher[t].all():
            own = readout(p, dropout.forward(rs[-1], drop_output)).real.argmax(axis=1)
            y = np.where(teacher[t], y, own)
        r, s, k = step(p, config, source, y, s, drops)
        rs.append(r)
        steps.append(k)
        fed.append(y)
    rs = dropout.forward(np.stack(rs), drop_output)
    return readout(p, rs), Cache(np.stack(fed), steps, rs, drops, drop_output)


def backward(p, config, source, k, dlogits):
    """Pull dlogits (S, N, V) back: -> Params gradients, gradients of the initial states, Source gradients."""
    drs, g_readout = linear.backward(p.readout, k.rs, dlogits)                      # (D7*)
    drs = dropout.backward(drs, k.drop_output)
    total = tree.zeros_like((p.layers, p.score, p.fusion))
    dsource = tree.zeros_like(source._replace(memory=source.memory and source.memory._replace(mask=None)))
    d, demb = tree.zeros_like(last_state(config, k)), [None] * len(k.steps)
    for t in reversed(range(len(k.steps))):
        demb[t], d, dsource_t, grads = step_backward(p, config, source, k.steps[t], drs[t], d, k.drops)
        tree.accumulate(total, grads)                           # fork: weights are used at every t
        tree.accumulate(dsource, dsource_t)                     # fork: the source is read at every t
    dE = embedding.backward(p.embedding, k.ids, np.stack(demb))                     # (D2*)
    return Params(dE, *total, g_readout), d.layers, dsource


def last_state(config, k):
    """A State of the form that a step hands on, for gradients that start at zero."""
    cell, cells, N = CELLS[config.cell_name], k.steps[-1].cells, k.ids.shape[1]
    layers = tuple(cell.State(*(c.h_prev for _ in cell.State._fields)) for c in cells)
    z = np.empty((N, config.fused_size), k.rs.dtype) if config.input_feeding else None
    return State(layers, z)


def alphas(k):
    """Attention weights of all steps: (S, T, N), or None without attention."""
    return np.stack([s.attend.alpha for s in k.steps]) if k.steps[0].attend else None
