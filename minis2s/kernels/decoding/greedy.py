"""Compiled implementation of search/greedy.py: a beam of one hypothesis is greedy search, so this is beam.py's loop."""
from .beam import beam


def greedy(p, config, source, mask, max_length):
    """See search.greedy."""
    return beam(p, config, source, mask, max_length, 1)
