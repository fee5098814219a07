"""One step of a decoder that reads the source: attention, or one context for all steps; input feeding if asked for.

Read decoder_step.py, the step without all that, first.

Rows A3.2, A3.3, A4.2, A4.3, B4.1, B4.2d, B4.2o, C2.2, C4.1d, D3.2, D3.5 as intended.
Shapes: S target steps, T source steps, N batch, V vocabulary, H hidden, C context.

Forward, step t                                       Backward, where dz means dL/dz
(D1)  ctx = attend(s_{t-1})        "before"           (D1*) ds_{t-1} += attend's
(D2)  x   = [E[y_{t-1}]; ctx; z_{t-1}]                (D2*) dE, dctx, dz_{t-1} = the parts of dx
(D3)  s_t = cell(x, s_{t-1}), layer by layer          (D3*) dx, ds_{t-1} = the cell's
(D4)  ctx = attend(s_t)            "after"            (D4*) ds_t += attend's
(D5)  z_t = fuse(s_t, ctx)                            (D5*) ds_t, dctx = the fusion's
(D6)  r_t = z_t, [z_t; ctx], [z_t; ctx; E[y_{t-1}]]   (D6*) dz_t, dctx, dE = the parts of dr_t

"before" and "after" are the Config's attention_order.  In (D2) the context stands if it is fed to the cell ("before",
or the final state at every step), and z_{t-1} with input feeding.  Attention reads the top layer's h.  The third form
of (D6) is for a readout that copies (layers/copying.py).
"""
from typing import Any

import numpy as np

from ..core import tree
from ..layers import fusion, recurrent
from ..layers.attention import SCORES, attend, attend_backward
from ..layers.cells import CELLS
from . import inputs
from .config import Config
from .decoder_step import EncoderOutput, State, StepCache


def step(p: Any, config: Config, source: EncoderOutput, ids: np.ndarray, s: State,
         masks: tuple | None = None) -> tuple[np.ndarray, State, StepCache]:
    """Advance one step: decoder Params, tokens y_{t-1} (N,), State -> r (N, R), State, StepCache."""
    cell, score = CELLS[config.cell], SCORES.get(config.attention)
    ctx, k_attend = source.ctx, None
    if config.attends_before:
        ctx, k_attend = attend(score, p.score, s.layers[-1].h, source.memory)       # (D1)
    emb = inputs.forward(p.embedding, ids)
    parts = [emb, ctx] if config.context_in_cell else [emb]
    parts += [s.z] if config.input_feeding else []
    x = np.concatenate(parts, axis=1)                                               # (D2)
    h, layers, k_cells = recurrent.step(cell, p.layers, x, s.layers, masks, config.residual)    # (D3)
    if config.attends_after:
        ctx, k_attend = attend(score, p.score, h, source.memory)                    # (D4)
    z, k_fuse = fusion.forward(p.fusion, config.fusion, h, ctx)                     # (D5)
    parts = {"state": [z], "state-context": [z, ctx], "copy": [z, ctx, emb]}[config.readout]
    r = np.concatenate(parts, axis=1)                                               # (D6)
    return r, State(layers, z if config.input_feeding else None), StepCache(k_cells, k_attend, k_fuse)


def step_backward(p: Any, config: Config, source: EncoderOutput, k: StepCache, dr: np.ndarray, d: State,
                  masks: tuple | None = None, dalpha: Any = None) -> tuple[np.ndarray, State, EncoderOutput, tuple]:
    """Pull dr (N, R) and State gradients `d` back one step: -> demb (N, E), State (t-1), EncoderOutput, gradients.

    The gradients are those of (layers, score, fusion).  dalpha (T, N) is that of the weights, where words are copied.
    """
    cell, score = CELLS[config.cell], SCORES.get(config.attention)
    E, H, C, Z = config.embedding, config.hidden, config.encoder_size, config.fused_size
    dmemory, g_score = None, None
    dz, dctx = dr[:, :Z], dr[:, Z:Z + C] if config.readout != "state" else None     # (D6*)
    demb_read = dr[:, Z + C:] if config.readout == "copy" else None                 # (D6*)
    if config.input_feeding:
        dz = dz + d.z                                           # fork: z_t is read out and fed back
    dh, dctx_fuse, g_fuse = fusion.backward(p.fusion, config.fusion, k.fuse, dz, H)  # (D5*)
    dctx = tree.add(dctx, dctx_fuse)                            # fork: ctx is fused, read out, fed to a cell
    if config.attends_after:
        ds, dmemory, g_score = attend_backward(score, p.score, source.memory, k.attend, dctx, dalpha)    # (D4*)
        dh = dh + ds                                            # fork: s_t is fused and is the query
    dx, dlayers, g_layers = recurrent.step_backward(cell, p.layers, k.cells, dh, d.layers, masks,
                                                    config.residual)            # (D3*)
    demb, dx = tree.add(dx[:, :E], demb_read), dx[:, E:]        # (D2*) fork: E[y_{t-1}] is fed, and may be read out
    if config.context_in_cell:
        dctx, dx = tree.add(dctx, dx[:, :C]), dx[:, C:]         # (D2*)
    dz_prev = dx if config.input_feeding else None              # (D2*)
    if config.attends_before:
        ds, dmemory, g_score = attend_backward(score, p.score, source.memory, k.attend, dctx, dalpha)    # (D1*)
        top = dlayers[-1]
        dlayers = (*dlayers[:-1], top._replace(h=top.h + ds))   # fork: s_{t-1} is carried and is the query
    dsource = EncoderOutput(dmemory, dctx if config.context == "every-step" else None)
    return demb, State(dlayers, dz_prev), dsource, (g_layers, g_score, g_fuse)
