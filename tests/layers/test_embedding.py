"""Embedding: (E1) against the oracle, (E1*) by complex step; a repeated token gathers all its gradients."""
import numpy as np

from draw import close, normal, read_only, same
from minis2s.core.gradient_check import assert_gradients
from minis2s.layers import embedding
from minis2s.testing import oracle

rng = np.random.default_rng(0)
E, IDS, DX = read_only((normal(rng, 5, 3), np.array([[2, 4], [2, 2], [0, 4], [2, 1]]), normal(rng, 4, 2, 3)))


def test_a_token_is_a_row():
    xs = embedding.forward(E, IDS)
    for at in np.ndindex(IDS.shape):
        close(xs[at], oracle.embed(E, IDS[at]), 0)                              # (E1)


def test_gradient():
    dE = embedding.backward(E, IDS, DX)
    assert_gradients(lambda v: (DX * embedding.forward(v, IDS)).sum(), E, dE, 1e-12)         # (E1*)
    same(embedding.backward(E, IDS, DX), dE)


def test_repetitions_add_and_unused_rows_stay_zero():
    dE = embedding.backward(E, IDS, np.ones_like(DX))
    np.testing.assert_array_equal(dE, np.array([1, 1, 4, 0, 2])[:, None] * np.ones(3))


def test_first_table():
    table = embedding.init(np.random.default_rng(0), 400, 25)
    assert table.shape == (400, 25) and abs(table.std() - 0.2) < 0.01 and abs(table.mean()) < 0.01
