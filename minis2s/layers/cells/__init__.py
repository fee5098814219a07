"""The cells by name.  A cell is anything with the names of `Cell`: a module will do."""
from functools import partial
from typing import Callable, NamedTuple

from ...core.functions import SIGMOID
from . import gru, gru_after, lstm, rnn


class Cell(NamedTuple):
    """A variant of a cell's module: the same names, with an option bound."""
    Params: type
    State: type
    init: Callable
    step: Callable
    step_backward: Callable    # it is these two, one after the other
    state_backward: Callable
    weights_backward: Callable


rnn_sigmoid = Cell(rnn.Params, rnn.State, rnn.init,
                   partial(rnn.step, phi=SIGMOID), partial(rnn.step_backward, phi=SIGMOID),
                   partial(rnn.state_backward, phi=SIGMOID), rnn.weights_backward)

CELLS = {"rnn": rnn, "rnn-sigmoid": rnn_sigmoid, "lstm": lstm, "gru": gru, "gru-after": gru_after}
