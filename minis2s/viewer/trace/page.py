"""A trace as one self-contained HTML page: no server, no request to anywhere, numbers to the last bit."""
import base64
import html
import json

import numpy as np

from .marks import equations_of
from .page_script import SCRIPT
from .page_style import STYLE
from .show import telling

STEPS, WIDEST, LARGEST = 30, 192, 192 * 128     # shown whole: 30 steps, and H = 32 with 4H gates, 6H inputs
ROWS, COLUMNS = 64, 128                         # what is left of a larger array
LANES = {"encoder": "encoder", "decoder": "decoder"}

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p id="pair"></p>
<ul id="notes"></ul>
</header>
<nav aria-label="time">
<div class="controls">
<button id="back" type="button" title="one step back (left arrow)" aria-label="one step back">◀</button>
<input id="time" type="range" min="0" value="0" step="1" aria-label="step">
<button id="ahead" type="button" title="one step ahead (right arrow)" aria-label="one step ahead">▶</button>
<fieldset id="phase"><legend>pass</legend>
<label><input type="radio" name="phase" value="forward" checked><span>forward</span></label>
<label><input type="radio" name="phase" value="backward"><span>backward</span></label>
</fieldset>
<fieldset id="cell"><legend>cell</legend></fieldset>
</div>
<p id="where" aria-live="polite"></p>
</nav>
<section aria-labelledby="graph-title">
<h2 id="graph-title">Unrolled <small id="legend"></small></h2>
<div id="graph" class="scroll" tabindex="0" role="group" aria-label="unrolled graph"></div>
</section>
<div class="columns">
<main aria-labelledby="equations-title">
<h2 id="equations-title">Equations <small id="count"></small></h2>
<div id="equations"></div>
</main>
<aside id="attention" aria-labelledby="attention-title">
<h2 id="attention-title">Attention α</h2>
<div id="alpha" class="scroll"></div>
</aside>
</div>
<footer>
<details><summary>Keys</summary>
<dl>
<dt><kbd>←</kbd> <kbd>→</kbd></dt><dd>step back, step ahead</dd>
<dt><kbd>↑</kbd> <kbd>↓</kbd></dt><dd>other cell: layer, direction</dd>
<dt><kbd>f</kbd> <kbd>b</kbd></dt><dd>forward pass, backward pass</dd>
<dt><kbd>n</kbd> <kbd>p</kbd></dt><dd>next, previous equation</dd>
<dt><kbd>Tab</kbd></dt><dd>next heat map; there the arrows read its values, <kbd>Esc</kbd> leaves it</dd>
</dl></details>
</footer>
<output id="readout" aria-live="polite"></output>
<div id="tip" aria-hidden="true" hidden></div>
<noscript><p>This page needs JavaScript, from this file alone.</p></noscript>
<script type="application/json" id="trace">{payload}</script>
<script>
{script}
</script>
</body>
</html>
"""


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
    text = json.dumps(payload(tr), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text = text.replace("<", "\\u003c")                              # no token can end the script
    return PAGE.format(title=html.escape(title), style=STYLE, script=SCRIPT, payload=text)


def payload(tr):
    """All that the page shows, as plain values; arrays as base64 of their bytes."""
    stops, notes = stops_of(tr)
    place = {(s["lane"], s["t"]): i for i, s in enumerate(stops)}
    tensors = Tensors()
    runs = []
    for group in telling(tr.entries):
        e = group[0]
        at = place.get(stop_of(e))
        if at is not None:
            runs.append({
                "marks": list(e.marks), "code": e.code, "where": e.where, "stop": at, "phase": e.phase,
                "layer": e.layer, "direction": e.direction,
                **{role: [[g.name, tensors.add(g.value)] for g in group if g.role == role]
                   for role in ("in", "out")}})
    if tensors.cut:
        notes.append(f"{tensors.cut} arrays are large: their first {ROWS} rows and {COLUMNS} columns "
                     "are shown.")
    marks = dict.fromkeys(mark for e in tr.entries for mark in e.marks)
    sizes = [e.value.shape[-1] for e in tr.entries if e.name == "h" and e.role == "out"]
    cells = dict.fromkeys((s, e.layer, e.direction) for e in tr.entries
                          if (s := LANES.get(e.part, "encoder")) and e.layer is not None and e.t is not None)
    return {
        "source": list(tr.source or []), "target": list(tr.target or []), "notes": notes, "stops": stops,
        "equations": {mark: equations_of(tr).get(mark, "") for mark in marks}, "runs": runs,
        "hidden": sizes[0] if sizes else 0, "tensors": tensors.list,
        "cells": [{"lane": lane, "layer": layer, "direction": direction} for lane, layer, direction in sorted(
            cells, key=lambda c: (c[0], c[1], c[2] == "backward"))],
        "attention": [{"stop": place["decoder", e.t], "alpha": tensors.add(e.value)} for e in attention(tr)
                      if ("decoder", e.t) in place],
        "norms": norms(tr, place)}


def attention(tr):
    """The last alpha of each step of the decoder."""
    return {e.t: e for e in tr.entries if (e.part, e.name, e.role) == ("decoder", "alpha", "out")}.values()


def norms(tr, place):
    """[stop, layer, direction, phase, size of h or of its gradient] for each cell of the graph."""
    found = {}
    for e in tr.entries:
        wanted = (e.name == "h" and e.role == "out" and e.phase == "forward"
                  or e.name == "dh" and e.phase == "backward" and e.layer is not None)
        if wanted and e.t is not None and stop_of(e) in place:
            size = np.linalg.norm(e.value[np.isfinite(e.value)])
            found[place[stop_of(e)], e.layer, e.direction, e.phase] = float(size)
    return [[*key, value] for key, value in found.items()]


def stop_of(e):
    """Entry -> (lane, t) of the stop at which it is shown."""
    if e.part == "decoder" or e.part == "loss":
        return ("decoder", e.t) if e.t is not None else ("loss", None)
    if e.part == "seq2seq" or e.t is None and e.part != "encoder":
        late = e.part == "seq2seq" and any(mark.startswith(("(S4", "(S5")) for mark in e.marks)
        return ("loss", None) if late else ("bridge", None)
    return ("encoder", e.t) if e.t is not None else ("embedding", None)


def stops_of(tr):
    """The stops of the slider, in the order of the forward pass, and notes on what is left out."""
    there, stops, notes = {stop_of(e): e.token for e in tr.entries}, [], []
    for lane in ("embedding", "encoder", "bridge", "decoder", "loss"):
        times = sorted((t for stop, t in there if stop == lane), key=lambda t: -1 if t is None else t)
        if len(times) > STEPS:
            notes.append(f"The {lane} has {len(times)} steps; the first {STEPS} are shown.")
        stops += [{"lane": lane, "t": t, "token": there[lane, t]} for t in times[:STEPS]]
    return stops, notes


class Tensors:
    """Arrays of a page, each stored once."""

    def __init__(self):
        self.list, self.known, self.cut = [], {}, 0

    def add(self, a):
        """-> number of the array in the page."""
        whole = a
        if a.dtype.kind == "c":
            a = a.real
        a = a.astype("f4" if a.dtype == np.float32 else "f8")
        if a.ndim > 2 and 1 in a.shape:
            a = a.reshape([n for n in a.shape if n != 1] or [1])       # one example: its axis says nothing
        if a.ndim > 2:
            a = a.reshape(-1, a.shape[-1])
        if a.ndim == 2 and (a.shape[1] > WIDEST or a.size > LARGEST):
            a = a[:ROWS, :COLUMNS]
        elif a.ndim == 1:
            a = a[:WIDEST]
        data = a.astype(a.dtype.newbyteorder("<")).tobytes()
        key = (whole.shape, whole.dtype.str, data)
        if key not in self.known:
            self.known[key] = len(self.list)
            self.cut += a.size < whole.size
            self.list.append({"whole": list(whole.shape), "shape": list(a.shape), "type": a.dtype.str[1:],
                              "kind": whole.dtype.kind, "data": base64.b64encode(data).decode()})
        return self.known[key]
