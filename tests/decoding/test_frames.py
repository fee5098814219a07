"""Frames written freely: step by step by hand, stops, batches against single sources, refusals."""
from dataclasses import replace

import numpy as np
import pytest

from configs import CONFIGS, FRAMES_OUT
from draw import batch, close, like
from minis2s.decoding import frames
from minis2s.model import seq2seq

configs = pytest.mark.parametrize("name", FRAMES_OUT)
MOST = 4


def case(name, bias=0.0):
    """A random model whose score of the stop is raised by `bias`, and sources of three lengths."""
    c, rng = FRAMES_OUT[name], np.random.default_rng(5)
    p = like(rng, seq2seq.init(c))
    p.decoder.readout.b[-1] += bias
    b = batch(rng, c)
    return c, p, b.source, b.source_mask


@configs
def test_by_hand(name):
    """The loss's free run says the same frames, and the first positive score ends them."""
    c, p, source, mask = case(name)
    F, r, N = c.target_frame_size, c.frames_per_step, source.shape[1]
    b = batch(np.random.default_rng(5), c)
    inputs = np.zeros((MOST, N, F))
    long = b._replace(source=source, source_mask=mask, inputs=inputs, targets=np.zeros((MOST, N, r * F)),
                      target_mask=np.ones((MOST, N, r), bool))
    out = seq2seq.logits(p, replace(c, dropout=0.0), long, np.zeros((MOST, N), bool))
    for n, one in enumerate(frames.write(p, c, source, mask, MOST)):
        said = np.flatnonzero(out[:, n, -1] > 0)
        steps = said[0] + 1 if len(said) else MOST
        assert one.finished == (len(said) > 0)
        close(one.frames, out[:steps, n, :-1].reshape(-1, F))
        if c.context == "attention":
            assert one.alpha.shape == (steps, mask[:, n].sum())
            close(one.alpha.sum(axis=1), np.ones(steps))
        else:
            assert one.alpha is None


@configs
@pytest.mark.parametrize("bias, steps, finished", [(50.0, 1, True), (-50.0, MOST, False)])
def test_stops_at_once_or_never(name, bias, steps, finished):
    c, p, source, mask = case(name, bias)
    for one in frames.write(p, c, source, mask, MOST):
        assert (len(one.frames), one.finished) == (steps * c.frames_per_step, finished)


@configs
def test_a_source_alone_is_as_in_the_batch(name):
    c, p, source, mask = case(name)
    for n, one in enumerate(frames.write(p, c, source, mask, MOST)):
        T = mask[:, n].sum()
        alone, = frames.write(p, c, source[:T, n:n + 1], mask[:T, n:n + 1], MOST)
        close(alone.frames, one.frames)
        assert alone.finished == one.finished


def test_refusals():
    c, p, source, mask = case("spoken")
    with pytest.raises(ValueError, match="^max_length: got 0, wanted a whole number, 1 or more$"):
        frames.write(p, c, source, mask, 0)
    with pytest.raises(ValueError, match="^config: target=tokens, wanted frames; tokens are for greedy search$"):
        frames.write(p, CONFIGS["frames"], source, mask, 3)
