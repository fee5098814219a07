"""Linear layer: (Y1) against the oracle, (Y1*) by complex step, over one, two and three leading axes."""
import numpy as np
import pytest

from draw import close, form, like, normal, read_only, same
from minis2s.core.gradient_check import assert_gradients
from minis2s.layers import linear
from minis2s.testing import oracle
from scalar_model import lists


@pytest.mark.parametrize("axes", [(3,), (5, 3), (2, 5, 3)], ids=str)
def test_linear(axes):
    rng = np.random.default_rng(0)
    p = read_only(like(rng, linear.init(rng, 4, 6)))
    x, dy = read_only((normal(rng, *axes, 4), normal(rng, *axes, 6)))

    got = linear.forward(p, x).reshape(-1, 6)
    for row, y in zip(x.reshape(-1, 4), got):
        close(y, oracle.linear(*lists(p), row.tolist()))                        # (Y1)

    dx, dp = linear.backward(p, x, dy)
    assert form(dp) == form(p)
    assert_gradients(lambda v: (dy * linear.forward(*v)).sum(), (p, x), (dp, dx), 1e-12)     # (Y1*)
    same(linear.backward(p, x, dy), (dx, dp))
    same(linear.product_backward(p.W, x, dy), (dx, dp.W))
    close(linear.product(p.W, x) + p.b, linear.forward(p, x), 1e-15)


def test_first_parameters():
    p = linear.init(np.random.default_rng(0), 4, 6)
    assert p.W.shape == (4, 6) and np.abs(p.W).min() > 0
    np.testing.assert_array_equal(p.b, np.zeros(6))
