"""Compiled implementation of exact.py: the decoder's steps are compiled; the reference searches the tree."""
from ...decoding.exact import WIDTH, branch_and_bound, check
from . import architectures
from .beam import beam


def exact(p, config, source, mask, max_length, budget=10000):
    """See decoding.exact."""
    check(config, source, mask, max_length, budget)
    incumbents = beam(p, config, source, mask, max_length, WIDTH)
    steps = architectures.of(config)
    rows, live = steps.start(p, config, source, mask)
    return [[branch_and_bound(steps.advance, rows, config, live, mask, n, first, max_length, budget)]
            for n, (first,) in enumerate(incumbents)]
