"""How gradients flow: the paths by which they reach a hidden state, what a step does to them, shut gates.

Only numbers here; `minis2s.viewer.plots` draws them.  The paths are read from a trace of the model's own backward,
the Jacobians from the cells' own step_backward: nothing is derived a second time.
Shapes: T steps (of source or target), N batch, D input, H hidden, M numbers in a state (H, or 2H with c).
"""
from typing import NamedTuple

import numpy as np

from ..core import tree
from ..layers import unroll
from ..layers.cells import CELLS
from ..model import seq2seq
from .trace import trace

GATES = ("i", "f", "o", "z", "r")


class Paths(NamedTuple):
    """dL/dh_t of the top layer, and the parts that it is the sum of: (T, N, H) each, or (T,) as norms."""
    total: np.ndarray
    readout: np.ndarray        # decoder: from the output of step t; encoder: from the bridge, last real step
    recurrence: np.ndarray     # from the next step of the loop
    attention: np.ndarray      # encoder: from all queries; decoder: as a query


class CellFlow(NamedTuple):
    """What one cell does to gradients over a sequence, for a loss that reads h_T alone."""
    dh: np.ndarray             # (T,) norm of dL/dh_t
    singular: np.ndarray       # (T, M) singular values of ds_t/ds_{t-1}, largest first
    saturation: dict           # name of a gate -> (T, 2): share of units shut and wide open


def gradient_paths(p, config, batch, drops=None):
    """Split the gradient of every hidden state of the top layer into its paths.

    Parameters
    ----------
    p : seq2seq.Params
    config : Config
    batch : data.Batch
    drops : DropoutMasks, optional

    Returns
    -------
    dict
        "encoder" ("encoder, forward" and "encoder, backward" with two directions) and "decoder" -> Paths of
        (T, N, H), in the order of the sequence.  0 on padding.
    """
    with trace() as tr:
        _, _, k = seq2seq.forward(p, config, batch, masks=drops)
        seq2seq.backward(p, config, k)
    top, H, mask = config.layers - 1, config.hidden, batch.source_mask
    attention = tr.seq2seq(mark="S3*").dhs.value if config.context == "attention" else None
    found = {}
    for i, direction in enumerate(("forward", "backward") if config.bidirectional else (None,)):
        asked = None if attention is None else attention[:, :, i * H:(i + 1) * H]
        name = f"encoder, {direction}" if direction else "encoder"
        found[name] = encoder_paths(tr.encoder(layer=top, direction=direction, mark="M1*"), asked, mask,
                                    reverse=direction == "backward")
    found["decoder"] = decoder_paths(tr.decoder, top, config.attention_order == "before")
    return found


def encoder_paths(view, attention, mask, reverse):
    """Paths of one direction: `view` has the (M1*) of its loop, `attention` is from the memory."""
    total, carried = view.dh.stack(), view.dh_prev.stack()  # carried[t]: what step t hands to the one before
    real = mask[:, :, None]
    attention = np.zeros_like(total) if attention is None else attention * real
    if reverse:
        carry = np.concatenate([np.zeros_like(carried[:1]), carried[:-1]])
        last = np.arange(len(mask))[:, None] == 0
    else:
        carry = np.concatenate([carried[1:], np.zeros_like(carried[:1])])
        last = np.arange(len(mask))[:, None] == mask.sum(axis=0) - 1
    end = 0 if reverse else -1
    carry[end] = total[end] - attention[end]                # the loop begins with its final state's gradient
    carry, last = carry * real, last[:, :, None]
    return Paths(total, carry * last, carry * ~last, attention)


def decoder_paths(view, top, before):
    """Paths of the decoder: `before` says that s_t asks at step t+1."""
    cell = view(layer=top, phase="backward")
    total = cell.dh.stack()
    zero = np.zeros_like(total[:1])
    ahead = np.concatenate([view(layer=top, mark="D3*").dh_prev.stack()[1:], zero])
    marks = {mark for e in view.entries for mark in e.marks}
    attention = np.zeros_like(total)
    if "(D1*)" in marks or "(D4*)" in marks:
        attention = view(mark="D1*" if before else "D4*").ds.stack()
        if before:
            attention = np.concatenate([attention[1:], zero])
    read = view(mark="D5*").dh if "(D5*)" in marks else view(mark="D3*").dr     # the plain decoder reads h itself out
    return Paths(total, read.stack(), ahead, attention)


def norms(paths):
    """Paths of (T, N, H) -> Paths of (T,): each step's length, all examples and units together."""
    return Paths(*(np.sqrt((np.abs(a)**2).sum(axis=(1, 2))) for a in paths))


def step_jacobians(cell, p, caches):
    """ds_t/ds_{t-1} of every step, rows of unit vectors pulled back by the cell's own step_backward.

    Parameters
    ----------
    cell : module or Cell
    p : cell.Params
    caches : list of T cell.Cache
        As unroll.forward returns them, of ONE example.

    Returns
    -------
    ndarray of shape (T, M, M)
        [t, i, j] is the derivative of number i of s_t with respect to number j of s_{t-1}; h comes before c.

    Raises
    ------
    ValueError
        If there are no caches, or they hold more than one example.
    """
    examples = len(caches[0].h_prev) if caches else "none"
    if examples != 1:
        raise ValueError(f"caches: got {examples}, wanted those of one example")
    H, S = caches[0].h_prev.shape[1], len(cell.State._fields)
    units = np.eye(S * H, dtype=caches[0].h_prev.dtype)
    d = cell.State(*np.split(units, S, axis=1))
    found = []
    for k in caches:
        k = tree.map(lambda a: np.repeat(a, S * H, axis=0), k)
        _, d_prev, _ = cell.step_backward(p, k, d)
        found.append(np.concatenate(d_prev, axis=1))
    return np.stack(found)


def singular_values(jacobians):
    """(T, M, M) -> (T, M), largest first.  1 keeps a gradient's length; below it vanishes, above explodes."""
    return np.linalg.svd(jacobians, compute_uv=False)


def saturation(caches, low=0.1, high=0.9):
    """Share of units whose gates are nearly shut or nearly wide open: there a gate learns next to nothing.

    Parameters
    ----------
    caches : list of T cell.Cache
    low, high : float
        A gate is shut below `low` and open above `high`.  Of a cell without gates these are the tanh units
        of h, moved from (-1, 1) to (0, 1).

    Returns
    -------
    dict
        Name of the gate -> (T, 2).

    Raises
    ------
    ValueError
        Unless 0 <= low < high <= 1.
    """
    if not 0 <= low < high <= 1:
        raise ValueError(f"low={low!r}, high={high!r}: wanted 0 <= low < high <= 1")
    names = [name for name in GATES if name in caches[0]._fields]
    values = {name: np.stack([getattr(k, name) for k in caches]) for name in names}
    if not names:
        values = {"h": (1 + np.stack([k.h for k in caches])) / 2}
    return {name: np.stack([(a < low).mean(axis=(1, 2)), (a > high).mean(axis=(1, 2))], axis=1)
            for name, a in values.items()}


def cell_flow(cell, p, xs, dh):
    """What a cell does to the gradient `dh` (H,) of its last h over one sequence xs (T, D): -> CellFlow."""
    xs, H = xs[:, None, :], p.U.shape[0]
    zero = cell.State(*(np.zeros((1, H), p.U.dtype) for _ in cell.State._fields))
    mask = np.ones(xs.shape[:2], bool)
    with trace() as tr:
        hs, _, caches = unroll.forward(cell, p, xs, zero, mask)
        unroll.backward(cell, p, caches, np.zeros_like(hs), zero._replace(h=zero.h + dh), mask)
    lengths = np.linalg.norm(tr.unroll.dh.stack()[:, 0], axis=1)
    return CellFlow(lengths, singular_values(step_jacobians(cell, p, caches)), saturation(caches))


def side_by_side(T=30, D=16, H=32, seed=0, cells=("rnn", "lstm", "gru"), gain=1.0):
    """The same random sequence and last gradient through new cells of several kinds.

    Parameters
    ----------
    T, D, H, seed : int
    cells : sequence of keys of cells.CELLS
    gain : float
        The recurrent weights U are multiplied by it: more than 1 lets an RNN explode or saturate.

    Returns
    -------
    dict
        Name -> CellFlow.

    Raises
    ------
    ValueError
        For an unknown cell.
    """
    for name in cells:
        if name not in CELLS:
            raise ValueError(f"cells: {name!r} is none of {', '.join(CELLS)}")
    rng = np.random.default_rng(seed)
    xs, dh = rng.normal(size=(T, D)), rng.normal(size=H)
    dh /= np.linalg.norm(dh)
    found = {}
    for name in cells:
        p = CELLS[name].init(np.random.default_rng(seed), D, H)
        found[name] = cell_flow(CELLS[name], p._replace(U=gain * p.U), xs, dh)
    return found
