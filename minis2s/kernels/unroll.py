"""The time loops of the twins, by cell: the same two functions as minis2s/unroll.py."""
import numpy as np

from ..cells import CELLS
from . import gru, gru_after, lstm, rnn

TWINS = {CELLS["rnn"]: rnn.TANH, CELLS["rnn-sigmoid"]: rnn.SIGMOID, CELLS["lstm"]: lstm, CELLS["gru"]: gru,
         CELLS["gru-after"]: gru_after}


def forward(cell, p, xs, s0, mask):
    """See unroll.forward; `caches` is one Cache whose arrays have a leading T axis."""
    return TWINS[cell].forward(p, np.ascontiguousarray(xs), s0, np.ascontiguousarray(mask))


def backward(cell, p, caches, dhs, d, mask):
    """See unroll.backward."""
    return TWINS[cell].backward(p, caches, np.ascontiguousarray(dhs), d, np.ascontiguousarray(mask))
