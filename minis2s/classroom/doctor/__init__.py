"""The gradient doctor: what is wrong with a hand-written softmax, LSTM step or backward pass, in words.

    from minis2s import check
    check("lstm-step-backward", my_function)

Five stages, each of which may end the report:

1. outcome.py, contract.py   arguments, what comes back, shapes, dtypes; inputs are read-only; nothing is remembered
2. locate.py       the first wrong tensor, step, gate block and row in the order of computation
3. bank.py         known mistakes run on the same inputs: exact matches are called by their names, output by output
4. changed.py, numbers.py    what comes out of the reference on changed arguments; what the numbers say by themselves
5. experiment.py   otherwise the next experiment: the function is run on smaller inputs

The wanted numbers come from the library's own code, on inputs on which mistakes show: all dimensions
different, five steps, random initial states, ragged lengths, repeated tokens, and large scores where they
matter.  An Exercise (classroom.exercises) says what goes in and comes out; a Mistake (classroom.mistakes) is wrong
on purpose.
"""
from .doctor import check      # noqa: F401
from .report import Report    # noqa: F401
