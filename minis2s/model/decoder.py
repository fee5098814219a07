"""Decoder: the loop over a target sequence, forward and backward.

Row C4.1d.  Shapes: S target steps, N batch, V vocabulary, H hidden.  Where targets are frames, y_t is the last frame of
step t, y_0 = 0, and the "logits" are the numbers of r frames and one for the stop: see layers/frame_output.py.

    y_0 = BOS     y_1               y_{S-1}
      │            │                  │
     step ──s_1─> step ──s_2─> ...   step          decoder_step.py, or context_step.py where the source is read
      │            │                  │
     r_1          r_2                r_S

Forward                                               Backward
(D7)  logits = r W + b             all t at once      (D7*) dr, dW, db = the linear layer's

Where the readout copies, layers/copying.py makes log p of the logits, which takes their place: its softmax is p.
"""
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from ..core import tree
from ..layers import copying, dropout, embedding, frame_input, frame_output, fusion, linear
from ..layers.attention import SCORES
from ..layers.cells import CELLS
from . import context_step, decoder_step, inputs
from .config import Config
from .decoder_step import EncoderOutput, State, StepCache  # noqa: F401


class Params(NamedTuple):
    embedding: Any             # (V, E) for tokens, frame_input.Params for frames
    layers: Any                # tuple of a cell's Params; None where tied to the encoder's
    score: Any                 # the attention score's Params, or None
    fusion: Any                # fusion.Params, or None
    readout: linear.Params     # W (R, V) is None where tied to the embedding
    gate: Any = None           # linear.Params with W (R, 1) of a readout that copies, or None


class Cache(NamedTuple):
    ids: np.ndarray            # (S, N), the tokens really fed, or (S, N, F) frames
    steps: list                # of StepCache
    rs: np.ndarray             # (S, N, R), what the readout read
    masks: Any                 # of the layers' inputs
    output_mask: Any           # of r
    copy: Any = None           # copying.Cache, or None


def init(rng: np.random.Generator, config: Config) -> Params:
    """First parameters, float64."""
    cell, c = CELLS[config.cell], config
    sizes = [c.decoder_input_size] + [c.hidden] * (c.layers - 1)
    score = SCORES[c.attention].init(rng, c.hidden, c.encoder_size, c.attention_size or c.hidden) \
        if c.context == "attention" else None
    readout = linear.init(rng, c.readout_size, c.output_size)
    gate = linear.init(rng, c.readout_size, 1) if c.readout == "copy" else None
    return Params(
        embedding=(frame_input.init(rng, c.target_frame_size, c.embedding) if c.target == "frames" else
                   embedding.init(rng, c.target_vocab, c.embedding)),
        layers=None if c.tied_cells else tuple(cell.init(rng, D, c.hidden) for D in sizes),
        score=score,
        fusion=fusion.init(rng, c.fusion, c.hidden, c.encoder_size),
        readout=readout._replace(W=None) if c.tied_embedding else readout,
        gate=gate)


def initial_state(config: Config, layers: tuple) -> State:
    """The State before the first step: the bridge's states, and z_0 = 0."""
    h = layers[-1].h
    z = np.zeros((len(h), config.fused_size), h.dtype) if config.input_feeding else None
    return State(layers, z)


def kind(config: Config) -> ModuleType:
    """The module that has the step of this Config's decoder."""
    return decoder_step if config.context == "init" else context_step


def step(p: Params, config: Config, source: EncoderOutput, ids: np.ndarray, s: State,
         masks: tuple | None = None) -> tuple[np.ndarray, State, StepCache]:
    """Advance one step of any decoder: tokens y_{t-1} (N,), State -> r (N, R), State, StepCache."""
    return kind(config).step(p, config, source, ids, s, masks)


def step_backward(p: Params, config: Config, source: EncoderOutput, k: StepCache, dr: np.ndarray, d: State,
                  masks: tuple | None = None, dalpha: Any = None) -> tuple[np.ndarray, State, EncoderOutput, tuple]:
    """Pull dr (N, R), State gradients and a copying readout's dalpha (T, N) back one step: -> demb (N, E), State (t-1),
    EncoderOutput, gradients."""
    return kind(config).step_backward(p, config, source, k, dr, d, masks, dalpha)


def readout(p: Params, r: np.ndarray) -> np.ndarray:
    """r (..., R) -> logits (..., V)."""
    return linear.forward(p.readout, r)                                             # (D7)


def own_output(config: Config, logits: np.ndarray) -> np.ndarray:
    """What the next step is fed when the model runs freely: the most probable token, or the last frame.

    It is fed as a given number: no gradient leads through it.
    """
    if config.target == "frames":
        return frame_output.last_frame(logits, config.target_frame_size).real
    return logits.real.argmax(axis=-1)


def output(p: Params, config: Config, source: EncoderOutput, r: np.ndarray,
           steps: list) -> tuple[np.ndarray, copying.Cache | None]:
    """r (S, N, R) and StepCaches -> logits (S, N, V), or log p (S, N, V+K) and a Cache where the readout copies."""
    logits = readout(p, r)
    if config.readout != "copy":
        return logits, None
    return copying.forward(p.gate, r, logits, np.stack([k.attend.alpha for k in steps]), source.ids)


def read_ids(config: Config, ids: np.ndarray) -> np.ndarray:
    """The tokens that are fed: those that only a copy can say are UNK to the embedding."""
    return copying.known(ids, config.target_vocab or 0) if config.readout == "copy" else ids


def forward(p: Params, config: Config, source: EncoderOutput, layers: tuple, ids: np.ndarray,
            teacher_mask: np.ndarray | None = None, masks: tuple | None = None,
            output_mask: np.ndarray | None = None) -> tuple[np.ndarray, Cache]:
    """Run over a whole target.

    Parameters
    ----------
    source : EncoderOutput
    layers : tuple of a cell's State
        The decoder's initial states.
    ids : ndarray of int of shape (S, N), or of frames (S, N, F)
        The inputs BOS y_1 ... y_S.
    teacher_mask : ndarray of bool of shape (S, N), optional
        Where False the model is fed its own most probable token of the step before (free running) in place of
        the one in `ids`; row 0 is always fed.  None: teacher forcing throughout.
    masks : tuple of ndarray of shape (N, D of the layer), optional
        Dropout masks of the layers' inputs.
    output_mask : ndarray of shape (N, R), optional
        Dropout mask of what the readout reads.

    Returns
    -------
    logits : ndarray of shape (S, N, V)
    cache : Cache
    """
    s = initial_state(config, layers)
    rs: list = []
    steps: list = []
    fed: list = []
    for t, y in enumerate(ids):
        if teacher_mask is not None and t > 0 and not teacher_mask[t].all():
            out, _ = output(p, config, source, dropout.forward(rs[-1], output_mask)[None], steps[-1:])
            own = own_output(config, out[0])
            y = np.where(teacher_mask[t].reshape(-1, *(1,) * (own.ndim - 1)), y, own)
        y = read_ids(config, y)
        r, s, k = step(p, config, source, y, s, masks)
        rs.append(r)
        steps.append(k)
        fed.append(y)
    dropped = dropout.forward(np.stack(rs), output_mask)
    logits, k_copy = output(p, config, source, dropped, steps)
    return logits, Cache(np.stack(fed), steps, dropped, masks, output_mask, k_copy)


def backward(p: Params, config: Config, source: EncoderOutput, k: Cache,
             dlogits: np.ndarray) -> tuple[Params, tuple, EncoderOutput]:
    """Pull dlogits (S, N, V) back: -> Params gradients, gradients of the initial states, EncoderOutput gradients."""
    ids, steps, rs, masks, output_mask, k_copy = k
    drs_gate, g_gate = None, None
    dalphas: Any = [None] * len(steps)
    if k_copy:
        drs_gate, dlogits, dalphas, g_gate = copying.backward(p.gate, k_copy, dlogits)
    drs, g_readout = linear.backward(p.readout, rs, dlogits)                        # (D7*)
    drs = tree.add(drs, drs_gate)                               # fork: r is read out, and opens the gate
    drs = dropout.backward(drs, output_mask)
    total = tree.zeros_like((p.layers, p.score, p.fusion))
    memory = source.memory and source.memory._replace(mask=None)
    dsource = tree.zeros_like(source._replace(memory=memory, ids=None))
    d = tree.zeros_like(last_state(config, k))
    demb: list = [None] * len(steps)
    for t in reversed(range(len(steps))):
        demb[t], d, dsource_t, grads = step_backward(p, config, source, steps[t], drs[t], d, masks, dalphas[t])
        tree.accumulate(total, grads)                           # fork: weights are used at every t
        tree.accumulate(dsource, dsource_t)                     # fork: the source is read at every t
    dE = inputs.backward(p.embedding, ids, np.stack(demb))
    g_layers, g_score, g_fusion = total
    return Params(dE, g_layers, g_score, g_fusion, g_readout, g_gate), d.layers, dsource


def last_state(config: Config, k: Cache) -> State:
    """A State of the form that a step hands on, for gradients that start at zero."""
    cell, cells, N = CELLS[config.cell], k.steps[-1].cells, k.ids.shape[1]
    layers = tuple(cell.State(*(c.h_prev for _ in cell.State._fields)) for c in cells)
    z = np.empty((N, config.fused_size), k.rs.dtype) if config.input_feeding else None
    return State(layers, z)


def alphas(k: Cache) -> np.ndarray | None:
    """Attention weights of all steps: (S, T, N), or None without attention."""
    return np.stack([s.attend.alpha for s in k.steps]) if k.steps[0].attend else None
