"""Compiled implementation of search/greedy.py: a beam of one hypothesis is greedy search, so this is beam.py's loop."""
from .beam import beam


def greedy(p, config, source, mask, max_length, precision=None):
    """See search.greedy; `precision` of the readout: see decoding/rough.py."""
    return beam(p, config, source, mask, max_length, 1, precision=precision)
