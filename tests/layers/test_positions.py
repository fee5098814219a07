"""Position encodings: (PE1) (PE2) against the oracle, the derivative by complex step, and what sinusoids promise."""
import numpy as np
import pytest

from draw import close, form, normal, read_only, same
from minis2s.core.gradient_check import assert_gradients
from minis2s.core.initializers import Sizes
from minis2s.layers import positions
from minis2s.testing.oracle import transformer as oracle

T, N, D, M = 5, 3, 4, 7
kinds = pytest.mark.parametrize("kind", positions.KINDS)


def case(kind):
    rng = np.random.default_rng(0)
    return read_only((positions.init(rng, kind, M, D), normal(rng, T, N, D), normal(rng, T, N, D)))


@pytest.mark.parametrize("D", [1, 2, 5, 8])
def test_sinusoids(D):
    got = positions.sinusoidal(60, D)
    assert got.shape == (60, D)
    for i in range(60):
        close(got[i], oracle.sinusoid(i, D), 1e-14)                             # (PE1)


@kinds
def test_positions(kind):
    table, x, dy = case(kind)
    y = positions.forward(table, x)
    for i, n in np.ndindex(T, N):
        P_i = oracle.sinusoid(i, D) if table is None else table[i].tolist()
        close(y[i, n], oracle.placed(x[i, n].tolist(), P_i))                    # (PE2)
    got = dx, dtable = positions.backward(table, dy)
    assert form(dtable) == form(table) and form(dx) == form(x)
    assert_gradients(lambda v: (dy * positions.forward(v[1], v[0])).sum(), (x, table), got, 1e-12)      # (PE2*)
    same(positions.backward(table, dy), got)


@kinds
def test_a_later_part_stands_at_its_own_positions(kind):
    table, x, _ = case(kind)
    y = positions.forward(table, x)
    np.testing.assert_array_equal(positions.forward(table, x[2:4], first=2), y[2:4])


def test_a_step_of_j_is_one_rotation_everywhere():
    P, j = positions.sinusoidal(50, 2), 3
    turn = np.array([[np.cos(j), -np.sin(j)], [np.sin(j), np.cos(j)]])
    close(P[j:], P[:-j] @ turn)


def test_positions_differ():
    P = positions.sinusoidal(2000, 16)
    gaps = ((P[:1] - P[1:]) ** 2).sum(axis=1)
    assert gaps.min() > 0.5


def test_first_table():
    table = positions.init(np.random.default_rng(0), "learned", 300, 40)
    sinusoids = positions.sinusoidal(300, 40)
    assert abs(table.std() - 0.5 ** 0.5) < 0.02 and abs((sinusoids ** 2).mean() - 0.5) < 0.01
    assert positions.init(Sizes(), "learned", 300, 40).shape == (300, 40)
    assert positions.init(np.random.default_rng(0), "sinusoidal", 300, 40) is None


@kinds
def test_float32_stays_float32(kind):
    table, x, dy = case(kind)
    table = table if table is None else table.astype(np.float32)
    assert positions.forward(table, x.astype(np.float32)).dtype == np.float32
    dx, dtable = positions.backward(table, dy.astype(np.float32))
    assert dx.dtype == np.float32 and (table is None or dtable.dtype == np.float32)
