"""Encoder: embeddings into a stack; (E1) by the oracle, gradients by complex step, padding."""
from itertools import combinations

import numpy as np
import pytest

import scalar_model
from configs import config
from draw import batch, close, form, like, normal, read_only, readout, same
from minis2s.core import tree
from minis2s.core.gradient_check import assert_gradients
from minis2s.layers.cells import CELLS
from minis2s.model import bridge, encoder
from minis2s.testing import oracle

cases = pytest.mark.parametrize("c", [
    config(cell="lstm"), config(cell="lstm", bidirectional=True), config(bidirectional=True, layers=2),
    config(cell="rnn-sigmoid", layers=2), config(cell="gru-after", layers=3)])


def case(c):
    rng, cell = np.random.default_rng(0), CELLS[c.cell]
    p = like(rng, encoder.init(rng, c, cell))
    b = batch(rng, c)
    hs, finals, k = encoder.forward(p, cell, b.source, b.source_mask)
    d = normal(rng, *hs.shape), like(rng, finals)
    return read_only((cell, p, b)), (hs, finals, read_only(k)), read_only(d)


@cases
def test_forward_is_the_oracles(c):
    (cell, p, b), (hs, finals, _), _ = case(c)
    for n, L in enumerate(b.source_mask.sum(axis=0)):
        xs = [oracle.embed(p.embedding.tolist(), token) for token in b.source[:, n]]          # (E1)
        real = b.source_mask[:, n].tolist()
        want, last = scalar_model.stack(c.cell, p.layers, xs, real, [None] * c.layers, n)
        close(hs[:L, n], want[:L])
        for got, s in zip(finals, last, strict=True):
            close([a[n] for a in bridge.join(got)], scalar_model.parts(s))


@cases
def test_gradients(c):
    (cell, p, b), (_, _, k), (dhs, dfinals) = case(c)
    got = encoder.backward(p, cell, k, dhs, dfinals)
    assert form(got) == form(p)
    assert_gradients(lambda p: readout((dhs, dfinals), encoder.forward(p, cell, b.source, b.source_mask)[:2]),
                     p, got, 1e-11)                                                           # (E1*)
    same(encoder.backward(p, cell, k, dhs, dfinals), got)


@cases
def test_the_final_state_is_that_at_the_sequences_own_length(c):
    (cell, p, b), (hs, finals, _), _ = case(c)
    H = c.hidden
    for n, L in enumerate(b.source_mask.sum(axis=0)):
        top = bridge.join(finals[-1]).h[n]
        np.testing.assert_array_equal(top[:H], hs[L - 1, n, :H])  # forward: after the last real token
        np.testing.assert_array_equal(top[H:], hs[0, n, H:])    # backward, if there is one: after the first
        _, alone, _ = encoder.forward(p, cell, b.source[:L, n:n + 1], b.source_mask[:L, n:n + 1])
        close(alone, tree.map(lambda a: a[n:n + 1], finals))


@cases
def test_tokens_at_padding_are_not_read(c):
    (cell, p, b), (hs, finals, _), _ = case(c)
    junk = np.where(b.source_mask, b.source, 6)
    assert not np.array_equal(junk, b.source)
    hs2, finals2, _ = encoder.forward(p, cell, junk, b.source_mask)
    same((hs2[b.source_mask], finals2), (hs[b.source_mask], finals))


@cases
def test_no_two_parts_start_from_the_same_numbers(c):
    p = encoder.init(np.random.default_rng(0), c, CELLS[c.cell])
    weights = [a for name, a in tree.named(p) if name.endswith((".W", ".U"))]
    assert len(weights) == 2 * c.layers * (2 if c.bidirectional else 1)
    assert all(a.shape != b.shape or (a != b).all() for a, b in combinations(weights, 2))
