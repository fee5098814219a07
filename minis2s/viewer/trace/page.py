"""A trace as one self-contained HTML page: no server, no request to anywhere, numbers to the last bit."""
import numpy as np

from .. import mathml, web
from .marks import equations_of, gates_of
from .show import worth_showing
from .tensors import COLUMNS, ROWS, Tensors

STEPS = 30                                      # of each lane that are shown
SCRIPTS = ("steps.js", "graph.js", "attention.js", "controls.js")
LANES = ("encoder", "decoder")
LATE = ("(S4", "(S5", "(TM3", "(TM4")           # marks of the whole model that belong to the loss


def page(tr, title="minis2s trace"):
    """Trace -> the page, a string.

    Parameters
    ----------
    tr : Trace
        Of a forward pass, or of a forward and a backward pass; of one example, best.
    title : str

    Raises
    ------
    ValueError
        If the trace is empty.
    """
    if not tr.entries:
        raise ValueError("trace: nothing was recorded, so there is no page to make")
    return web.fill("trace.html", title, payload(tr), ["trace.css"], SCRIPTS)


def payload(tr):
    """All that the page shows, as plain values; arrays as base64 of their bytes."""
    stops, notes = stops_of(tr)
    place = {(s["lane"], s["t"]): i for i, s in enumerate(stops)}
    tensors = Tensors()
    whole = whole_parts(tr)
    runs = [run_of(group, place[stop_of(group[0], whole)], tensors)
            for group in worth_showing(tr.entries) if stop_of(group[0], whole) in place]
    looks = [{"stop": place["decoder", e.t], "alpha": tensors.add(e.value)} for e in attention(tr)
             if ("decoder", e.t) in place]
    if tensors.cut:
        notes.append(f"{tensors.cut} arrays are large: at most {ROWS} rows and {COLUMNS} columns are shown, "
                     "the first ones, or the first ones of each gate.")
    marks = dict.fromkeys(mark for e in tr.entries for mark in e.marks)
    written = {mark: equations_of(tr).get(mark, "") for mark in marks}
    sizes = [e.value.shape[-1] for e in tr.entries if e.name == "h" and e.role == "out"]
    return {
        "source": list(tr.source or []), "target": list(tr.target or []), "notes": notes, "stops": stops,
        "equations": written, "typeset": {mark: mathml.equation(text, mark) for mark, text in written.items()},
        "runs": runs, "hidden": sizes[0] if sizes else 0, "tensors": tensors.list, "cells": cells_of(tr, whole),
        "attention": looks, "norms": norms(tr, place, whole)}


def run_of(group, stop, tensors):
    """The entries of one run of a line -> what its card shows."""
    e = group[0]
    return {"marks": list(e.marks), "code": e.code, "where": e.where, "stop": stop, "phase": e.phase,
            "layer": e.layer, "direction": e.direction,
            **{role: [[g.name, tensors.add(g.value, gates_of(g))] for g in group if g.role == role]
               for role in ("in", "out")}}


def cells_of(tr, whole):
    """The rows of the graph: encoder before decoder, lower layers first."""
    stops = ((stop_of(e, whole), e) for e in tr.entries if e.layer is not None)
    cells = dict.fromkeys((lane, e.layer, e.direction) for (lane, _), e in stops if lane in LANES)
    return [{"lane": lane, "layer": layer, "direction": direction} for lane, layer, direction in sorted(
        cells, key=lambda c: (c[0] == "decoder", c[1], c[2] == "backward"))]


def attention(tr):
    """The last alpha of each step of a recurrent decoder."""
    return {e.t: e for e in tr.entries if (e.part, e.name, e.role) == ("decoder", "alpha", "out")
            and e.t is not None}.values()


def norms(tr, place, whole):
    """[stop, layer, direction, phase, size of h or of its gradient] for each cell of the graph."""
    found = {}
    for e in tr.entries:
        wanted = (e.name == "h" and e.role == "out" and e.phase == "forward"
                  or e.name == "dh" and e.phase == "backward" and e.layer is not None)
        if wanted and e.t is not None and stop_of(e, whole) in place:
            size = np.linalg.norm(e.value[np.isfinite(e.value)])
            found[place[stop_of(e, whole)], e.layer, e.direction, e.phase] = float(size)
    return [[*key, value] for key, value in found.items()]


def stop_of(e, whole):
    """Entry -> (lane, t) of the stop at which it is shown.

    `whole` names the parts that work on all steps at once, as a Transformer's do: all their layers are one stop.
    """
    if e.part in whole and e.layer is not None:
        return e.part, None
    if e.part == "decoder" or e.part == "loss":
        return ("decoder", e.t) if e.t is not None else ("loss", None)
    if e.part in ("seq2seq", "transformer") or e.t is None and e.part != "encoder":
        late = any(mark.startswith(LATE) for mark in e.marks)
        return ("loss", None) if late else ("bridge", None)
    return ("encoder", e.t) if e.t is not None else ("embedding", None)


def whole_parts(tr):
    """Which of encoder and decoder have no steps in this trace."""
    return {part for part in LANES if not any(e.part == part and e.t is not None for e in tr.entries)}


def stops_of(tr):
    """The stops of the slider, in the order of the forward pass, and notes on what is left out."""
    whole, stops, notes = whole_parts(tr), [], []
    there = {stop_of(e, whole): e.token for e in tr.entries}
    for lane in ("embedding", "encoder", "bridge", "decoder", "loss"):
        times = sorted((t for stop, t in there if stop == lane), key=lambda t: -1 if t is None else t)
        if len(times) > STEPS:
            notes.append(f"The {lane} has {len(times)} steps; the first {STEPS} are shown.")
        stops += [{"lane": lane, "t": t, "token": there[lane, t]} for t in times[:STEPS]]
    return stops, notes
