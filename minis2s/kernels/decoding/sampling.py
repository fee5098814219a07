"""Compiled implementation of sampling.py: the decoder's steps are compiled; tokens are drawn by the reference."""
from ...decoding.sampling import check, draw_all
from . import architectures


def sample(p, config, source, mask, max_length, rng, temperature=1.0, top_k=None, top_p=None):
    """See decoding.sample."""
    rngs = check(config, source, mask, max_length, rng, temperature, top_k, top_p)
    steps = architectures.of(config)
    rows, live = steps.start(p, config, source, mask)
    return draw_all(steps.advance, rows, config, live, mask, max_length, rngs, (temperature, top_k, top_p))
