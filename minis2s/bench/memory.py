"""What a training step holds at most, over the tapes that its backward pass must read.

    bytes
      │                 ┌─┐ peak            tapes: the arrays that forward keeps and backward reads
      │        ┌────────┘ └─────┐           answer: gradient, new parameters, new moments, in the size of
      │    ┌───┘  tapes         └───                 the parameters whatever the method
      │────┘                                before: parameters, moments, batch, the program itself
      └─────────────────────────────> time
        forward    backward    update

    ratio = (peak - before - answer) / tapes       ratio_of_all = (peak - before) / tapes

The tapes are those of a forward and a backward pass that know nothing of each other (seq2seq.py), log p of all tokens
among them: (S, N, V), most of them all with many words. A compiled step, which makes the loss and its gradient at once,
has no such tape; there the ratio may be less than 1.

A cache may hold more than must be read, so each array in it is tried: it is a tape if backward's gradient
changes, once the array is filled with NaN. (An array that is written anew before it is read is scratch.) An
array that several fields look at counts once.

The peak is the process's own, as Linux counts it in pages: also what compiled kernels take by themselves is
in it. Where /proc does not tell it, tracemalloc does, for NumPy's arrays alone.
"""
import ctypes
import gc
import json
import os
import subprocess
import sys
import tracemalloc

import numpy as np

from .rounds import environment

STATUS, CLEAR = "/proc/self/status", "/proc/self/clear_refs"


def held(case, threads=1, rounds=None, seconds=None):
    """Measure a memory case, each side in a process of its own.

    Returns
    -------
    dict
        The case and `threads`; `sides`: for each the bytes of `tapes`, `answer` and `peak` (what was there
        before taken off), `ratio` and `ratio_of_all`, see above.
    """
    rows = {}
    for side in ("numpy", "numba"):
        command = [sys.executable, "-m", __package__, side, str(threads), json.dumps(case)]
        done = subprocess.run(command, text=True, stdout=subprocess.PIPE, env=environment(threads))
        if done.returncode:
            raise OSError(f"bench: the process of {side} ended early; its message stands above")
        rows[side] = json.loads(done.stdout)
    return {**case, "threads": threads, "sides": rows}


# In that process ------------------------------------------------------------------------------------------

def arrays(part, seen=None):
    """The arrays that a cache holds, each buffer once: nested tuples, lists and dicts are walked."""
    seen = {} if seen is None else seen
    if isinstance(part, np.ndarray):
        while isinstance(part.base, np.ndarray):
            part = part.base
        seen[part.__array_interface__["data"][0], part.nbytes] = part
    elif isinstance(part, dict):
        for inner in part.values():
            arrays(inner, seen)
    elif isinstance(part, (tuple, list)):
        for inner in part:
            arrays(inner, seen)
    return list(seen.values())


def tapes(p, config, batch, backend):
    """Those arrays of the cache that backward must read, without parameters and batch."""
    from ..core import tree
    _, _, k = backend.forward(p, config, batch)
    given = {id(a) for a in arrays([p, tuple(batch)])}

    def gradient():
        with np.errstate(all="ignore"):
            return [a.copy() for _, a in tree.named(backend.backward(p, config, k))]
    wanted, found = gradient(), []
    for a in arrays(k):
        if id(a) in given or not a.nbytes:
            continue
        kept = a.copy()
        a[...] = np.nan if a.dtype.kind == "f" else a         # ids and masks: they are read, and small
        if a.dtype.kind != "f" or not all(map(np.array_equal, wanted, gradient())):
            found.append(a)
        a[...] = kept
    return found


def peak_of(run):
    """Bytes that `run` holds at most beyond what is there before it."""
    gc.collect()
    if not os.access(CLEAR, os.W_OK):
        tracemalloc.start()
        run()
        return tracemalloc.get_traced_memory()[1]
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)                                               # freed memory that was kept is no memory in use
    with open(CLEAR, "w") as f:
        f.write("5")                                          # the highest so far is forgotten
    before = pages("VmRSS")
    run()
    return pages("VmHWM") - before


def pages(name):
    """Bytes of a line of /proc/self/status."""
    with open(STATUS) as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith(name + ":"))


def account(side, threads, case):
    """The numbers of one side: a dict."""
    from ..api.backends import choose
    from ..core import tree
    from ..training import loop as train
    from ..training.memory import keep_freed_memory
    from . import ours
    backend = choose(side)
    backend.use_threads(threads)
    keep_freed_memory()
    V, N, T, H = (case[letter] for letter in "VNTH")
    config, training, batch = ours.config(V, H), train.Training(clip=1.0), ours.batch(V, N, T)
    progress = train.begin(config, training)

    def step():
        return train.one_step(config, training, progress, batch, 1e-3, backend)
    progress = step()                       # compiled or loaded; moments as steps hand them on
    peak = peak_of(step)
    tape = sum(a.nbytes for a in tapes(progress.params, config, batch, backend))
    answer = 4 * sum(a.nbytes for _, a in tree.named(progress.params))                # dp, p, and two moments
    return {"tapes": tape, "answer": answer, "peak": peak, "ratio": (peak - answer) / tape,
            "ratio_of_all": peak / tape}
