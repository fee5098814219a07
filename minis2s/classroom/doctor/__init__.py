"""The gradient doctor: what is wrong with a hand-written softmax, LSTM step or backward pass, in words.

    from minis2s import check
    check("lstm-step-backward", my_function)

Three stages, each of which may end the report:

1. contract.py   arguments, what comes back, shapes, dtypes; inputs are read-only; nothing is remembered
2. locate.py     the first wrong tensor, step, gate block and row in the order of computation
3. diagnose.py   the bank of known mistakes run on the same inputs; an exact match is called by its name

The wanted numbers come from the library's own code, on inputs on which mistakes show: all dimensions
different, five steps, random initial states, ragged lengths, repeated tokens, and large scores where they
matter.  An Exercise (minis2s.classroom.exercises) says what goes in and comes out; a Mistake (minis2s.classroom.mistakes) is
wrong on purpose.
"""
from .doctor import Report, check    # noqa: F401
