"""A model so small that every one of its numbers can be read: for a first look at a trace."""
from itertools import product

from ...api.seq2seq import Seq2Seq
from ...model.config import Config
from ...training.options import Training

LETTERS, LONGEST = "abc", 3
PAIRS = [(text, text[::-1]) for n in range(1, LONGEST + 1) for text in map("".join, product(LETTERS, repeat=n))]


def tiny_model():
    """Train a model of eight units to reverse texts of one to three letters a, b, c; takes about two seconds.

    Returns
    -------
    Seq2Seq
        It writes every one of `PAIRS` right.

    Raises
    ------
    KeyboardInterrupt
        If training was stopped.
    """
    model = Seq2Seq(Config(cell="lstm", hidden=8, embedding=4, attention="additive", attention_size=8))
    model.fit(PAIRS, PAIRS, training=Training(epochs=30, lr=5e-2, batch=8), progress=False)
    if model.stopped_by is not None:
        raise KeyboardInterrupt
    return model
