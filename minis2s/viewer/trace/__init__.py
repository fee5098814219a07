"""See every number: record every quantity of every marked equation while a computation runs.

    with trace() as tr:
        loss, logits, cache = seq2seq.forward(p, config, batch)
        grads = seq2seq.backward(p, config, cache)
    tr.decoder.alpha[3]              # attention weights of the fourth step, t = 4
    tr.encoder.dh[0]                 # gradient of the first hidden state, t = 1
    print(tr.table())

The code that computes has no line for this.  Its marks, such as (L4), say which line is which equation; a line
tracer, as debuggers use it, records what these lines read and assign.  Only the reference implementation can be
traced: compiled loops have no lines.  Steps count from 1 in every text, table and page; indices from 0, as Python's.

    marks.py     what the marks say, read from the source      record.py   what a trace holds, and asking for it by name
    tracer.py    the line tracer                               diff.py     where two traces differ first
    position.py  step, layer, part of a running line           show.py     as text
    tiny.py      a model of eight units for a first look       page.py     as an HTML page; tensors.py: its arrays
"""
import sys
import threading
from contextlib import contextmanager
from inspect import getsourcefile

from . import tracer
from .diff import Difference  # noqa: F401
from .entry import Entry  # noqa: F401
from .record import Trace  # noqa: F401

_running = threading.local()


@contextmanager
def trace(source=None, target=None, also=()):
    """Record what runs inside the `with` block, in this thread.

    Python has one place for a tracer: inside the block a debugger stops nowhere, after it it works again.

    Parameters
    ----------
    source, target : sequences of str, optional
        Tokens: labels of the encoder's and the decoder's steps, in the order in which they are fed.  The step
        after the last target token is labelled <eos>.
    also : sequence of modules or functions
        Code outside of minis2s whose marks count too: a student's own cell, say.

    Yields
    ------
    Trace

    Raises
    ------
    RuntimeError
        Inside another trace.
    TypeError
        If labels are not strings, or something in `also` has no source file.
    ValueError
        When a compiled loop is called: only backend="numpy" can be seen.
    """
    source, target = labels("source", source), labels("target", target)
    files = [file_of(i, thing) for i, thing in enumerate(also)]
    if getattr(_running, "now", False):
        raise RuntimeError("a trace is running already: end its `with` block before you begin another")
    record = Trace(source, target)
    before, _running.now = sys.gettrace(), True
    sys.settrace(tracer.Tracer(record._record, files))
    try:
        yield record
    finally:
        sys.settrace(before)
        _running.now = False


def labels(name, tokens):
    """-> tuple of str, or None."""
    if tokens is None:
        return None
    if isinstance(tokens, str) or not all(isinstance(token, str) for token in tokens):
        raise TypeError(f"{name}: got {tokens!r}, wanted a list of strings")
    return tuple(tokens)


def file_of(i, thing):
    try:
        return getsourcefile(thing)
    except TypeError:
        raise TypeError(f"also[{i}]: got {thing!r}, wanted a module or a function from a file") from None
