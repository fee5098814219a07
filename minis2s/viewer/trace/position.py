"""Where a running computation is: step t, layer, direction, part of the model, forward or backward.

The loops have it in their local variables; this file reads them from the frames on the stack.  It is the only file
that depends on how the loops are written: tests/viewer/test_trace.py compares it with runs whose positions are known.
"""
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[2]
PARTS = {"encoder": "encoder", "bridge": "bridge", "decoder": "decoder", "loss": "loss", "frame_output": "loss",
         "transformer_encoder": "encoder", "transformer_decoder": "decoder"}        # module -> part of the model
FOLDERS = {"cells": "cell", "attention": "attention", "printed": "printed"}  # what runs outside of a part


class Position(NamedTuple):
    t: int | None = None
    layer: int | None = None
    direction: str | None = None       # "forward" or "backward" in a layer of two directions
    part: str | None = None
    phase: str = "forward"             # or "backward"


def loop_forward(v):
    return {"t": len(v.get("caches", ())), "T": len(v["xs"]), "loop_p": v["p"]}


def loop_backward(v):
    return {"t": len(v["caches"]) - 1 - len(v.get("dxs", ())), "T": len(v["caches"]), "loop_p": v["p"]}


def layers_up(v):
    return {"layer": len(v.get("caches", ())), "p": v.get("p")}


def layers_down(v):
    return {"layer": len(v["layers"]) - 1 - len(v.get("grads", ())), "p": v.get("p")}


def decoder_forward(v):
    t = v.get("t")
    return {"t": t if t is not None and len(v["rs"]) == t else None}        # after the loop: all t at once


def decoder_backward(v):
    t = v.get("t")
    return {"t": t if t is not None and v["demb"][t] is None else None}


def searching(v):
    return {"t": v["live"].hypotheses[0].length}


def blocks_up(v):
    """A Transformer's layers: each works on all positions at once."""
    done = len(v["ks"]) if "ks" in v and "q" in v else None
    return {"layer": None if done == len(v["p"].layers) else done}


def blocks_down(v):
    last = len(v["k"].layers) - 1 - len(v["grads"]) if "grads" in v and "q" in v else -1
    return {"layer": None if last < 0 else last}


LOOPS = {("unroll", "forward"): loop_forward, ("unroll", "backward"): loop_backward,
         ("recurrent", "forward"): layers_up, ("recurrent", "step"): layers_up,
         ("recurrent", "backward"): layers_down, ("recurrent", "step_backward"): layers_down,
         ("decoder", "forward"): decoder_forward, ("decoder", "backward"): decoder_backward,
         ("transformer_encoder", "forward"): blocks_up, ("transformer_encoder", "backward"): blocks_down,
         ("transformer_decoder", "forward"): blocks_up, ("transformer_decoder", "backward"): blocks_down,
         ("hypotheses", "advance"): searching}

_modules = {}


def module_of(filename):
    """File -> (name, folders beneath the package) of a module, or None for any other file."""
    if filename not in _modules:
        path = Path(filename)
        inside = PACKAGE in path.parents
        _modules[filename] = (path.stem, path.relative_to(PACKAGE).parts[:-1]) if inside else None
    return _modules[filename]


def locate(frame):
    """Frame of a marked statement -> Position, read from it and from the frames that called it."""
    own = module_of(frame.f_code.co_filename)
    found, phase = {}, "forward"
    while frame is not None:
        code = frame.f_code
        module = module_of(code.co_filename)
        if module:
            if "backward" in code.co_name:
                phase = "backward"
            if module[0] in PARTS:
                found.setdefault("part", PARTS[module[0]])
            elif module[1][-1:] and module[1][-1] in FOLDERS:
                found.setdefault("folder", FOLDERS[module[1][-1]])
            reader = LOOPS.get((module[0], code.co_name))
            if reader:
                for name, value in reader(frame.f_locals).items():
                    found.setdefault(name, value)
        frame = frame.f_back
    t, p, direction = found.get("t"), found.get("p"), None
    if hasattr(p, "forward") and hasattr(p, "backward") and "loop_p" in found:
        direction = "backward" if found["loop_p"] is p.backward else "forward"
        if direction == "backward" and t is not None:
            t = found["T"] - 1 - t                              # the sequence's own order
    part = found.get("part") or found.get("folder") or (own[0] if own else "own")
    return Position(t, found.get("layer"), direction, part, phase)
