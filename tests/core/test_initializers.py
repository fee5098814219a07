"""First values of the weights: (I1) (I2), and the same seed gives the same bits."""
import numpy as np
import pytest

from draw import same
from minis2s.core.initializers import glorot, orthogonal
from minis2s.layers.attention import SCORES
from minis2s.layers.cells import CELLS


def test_glorot_fills_its_range():
    W = glorot(np.random.default_rng(0), 30, 20, blocks=3)                     # (I1)
    bound = np.sqrt(6 / 50)
    assert W.shape == (30, 60) and np.abs(W).max() <= bound and np.abs(W).max() > 0.99 * bound
    assert abs(W.mean()) < 0.02 and W.std() == pytest.approx(bound / np.sqrt(3), rel=0.05)


def test_orthogonal_blocks():
    U = orthogonal(np.random.default_rng(0), 6, blocks=4)                      # (I2)
    assert U.shape == (6, 24)
    blocks = np.split(U, 4, axis=1)
    for q in blocks:
        np.testing.assert_allclose(q.T @ q, np.eye(6), atol=1e-14)
    assert not np.allclose(blocks[0], blocks[1])


def test_orthogonal_is_uniform():
    """Without the signs of (I2) the diagonal of QR's Q would lean to one side; uniform has mean 0."""
    rng = np.random.default_rng(0)
    assert abs(np.mean([orthogonal(rng, 2)[0, 0] for _ in range(2000)])) < 0.05


@pytest.mark.parametrize("name", CELLS)
def test_cells_start_with_the_right_shapes_and_biases(name):
    p = CELLS[name].init(np.random.default_rng(0), 5, 3)
    blocks = {"lstm": 4, "gru": 3, "gru-after": 3}.get(name, 1)
    assert p.W.shape == (5, 3 * blocks) and p.U.shape == (3, 3 * blocks) and p.b.shape == (3 * blocks,)
    forget = [0] * 3 + [1] * 3 + [0] * 6
    np.testing.assert_array_equal(p.b, forget if name == "lstm" else 0)
    assert name != "gru-after" or (p.b_U == np.zeros(3)).all()
    for q in np.split(p.U, blocks, axis=1):
        np.testing.assert_allclose(q.T @ q, np.eye(3), atol=1e-14)
    same(CELLS[name].init(np.random.default_rng(0), 5, 3), p)


@pytest.mark.parametrize("name, shapes", [
    ("dot", []), ("scaled", []), ("general", [(2, 3)]), ("additive", [(2, 4), (3, 4), (4,)]),
    ("concat-dot", [(2, 3), (3, 3)])])
def test_scores_start_with_the_right_shapes(name, shapes):
    p = SCORES[name].init(np.random.default_rng(0), 2, 3, 4)
    assert [a.shape for a in p] == shapes
    assert all(np.abs(a).max() > 0 for a in p)
