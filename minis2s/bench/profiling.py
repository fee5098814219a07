"""Where the time of the compiled path goes, by parts that have names.

A part begins when one of the functions in PARTS is called, and ends when it returns; inside of it another
may begin. Functions without a name belong to the part that called them. So all time is somewhere, and what a
new helper function takes is counted where it helps.

The gradient of a training step is one compiled call, as is a search with its encoder, and what is compiled cannot be
watched.  So here they are taken apart: the same kernels, each called by Python.
"""
import sys
import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path

from . import ours

HOUSE = str(Path(__file__).parent.parent)
# (file, function): words; most files of the reference and of the compiled implementation have the same names
PARTS = {
    ("unroll", "forward"): "recurrent layer, forward",
    ("unroll", "backward"): "recurrent layer, backward",
    ("decoder", "states"): "decoder's loop, forward: attention and cell",
    ("decoder", "states_backward"): "decoder's loop, backward: attention and cell",
    ("readout", "loss_and_gradient"): "readout and softmax cross-entropy, both ways",
    ("attend", "precompute_keys"): "keys of attention, forward",                 # of the reference implementation
    ("attend", "precompute_keys_backward"): "keys of attention, backward",
    ("keys", "precompute_keys"): "keys of attention, forward",                   # and of the compiled one
    ("keys", "precompute_keys_backward"): "keys of attention, backward",
    ("embedding", "forward"): "embedding, forward",
    ("embedding", "backward"): "embedding, backward",
    ("optimizers", "step"): "clipping and Adam",
    ("seq2seq", "encode"): "encoder: what surrounds the layer",
    ("seq2seq", "encode_backward"): "encoder: what surrounds the layer",
    ("step", "one_step"): "checks and bookkeeping of a step",
    ("greedy", "greedy"): "search: preparing and making answers",
    ("beam", "beam"): "search: preparing and making answers",
    ("beam", "candidates"): "search: choosing the best continuations",
    ("hypotheses", "advance"): "search: one step of the model",
}
REST = "the call itself"


class Clock:
    """Adds up the time that passes in each part; `step` is called by Python at each call and return."""

    def __init__(self):
        self.spent, self.calls, self.last = defaultdict(float), [REST], None

    def name(self, code):
        """The part that a function begins: its own, or the one that called it."""
        if not code.co_filename.startswith(HOUSE):
            return self.calls[-1]
        return PARTS.get((Path(code.co_filename).stem, code.co_name), self.calls[-1])

    def step(self, frame, event, _):
        if event not in ("call", "return"):                    # of a function in C: it belongs to its caller
            return
        now = time.perf_counter()
        self.spent[self.calls[-1]] += now - self.last
        if event == "call":
            self.calls.append(self.name(frame.f_code))
        elif len(self.calls) > 1:
            self.calls.pop()
        self.last = time.perf_counter()

    def watch(self, run, calls):
        """Call `run` so often."""
        self.last = time.perf_counter()
        sys.setprofile(self.step)
        try:
            for _ in range(calls):
                run()
        finally:
            sys.setprofile(None)
        return self.spent


@contextmanager
def taken_apart():
    """Every part a call of its own: no encoder is covered by the one call of kernels/seq2seq.py."""
    from ..kernels.model import encoder
    covers, encoder.covers = encoder.covers, lambda config: False
    try:
        yield
    finally:
        encoder.covers = covers


def profile(case, threads=1, seconds=0.5):
    """-> list of (share, seconds a call, part), the largest first.

    Parameters
    ----------
    case : dict
        See cases.py; not growth or memory.
    threads : int
    seconds : float
        About so long are calls counted. Watching takes time at each call of a Python function, so the
        smallest sizes take up to twice as long and look more like Python than they are.
    """
    run = ours.make("numba", threads, **case)
    with taken_apart():
        for _ in range(2):
            run()
        start = time.perf_counter()
        run()
        calls = max(3, min(1000, int(seconds / (time.perf_counter() - start))))
        spent = Clock().watch(run, calls)
    total = sum(spent.values())
    return sorted(((s / total, s / calls, part) for part, s in spent.items()), reverse=True)
