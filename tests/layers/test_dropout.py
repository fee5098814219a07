"""Dropout: (DR1) against the oracle, (DR1*) by complex step; one mask for all steps."""
import numpy as np
import pytest

from draw import close, normal, read_only
from minis2s.core.gradient_check import assert_gradients
from minis2s.layers import dropout
from minis2s.testing import oracle

rng = np.random.default_rng(0)
M = read_only(dropout.draw(rng, 0.4, (3, 4), "float64"))
XS, DYS = read_only((normal(rng, 5, 3, 4), normal(rng, 5, 3, 4)))


def test_every_step_has_the_same_mask():
    ys = dropout.forward(XS, M)
    for t, n in np.ndindex(5, 3):
        close(ys[t, n], oracle.dropout(XS[t, n].tolist(), M[n].tolist()))       # (DR1)
        close(dropout.forward(XS[t], M)[n], ys[t, n], 0)


def test_gradient():
    dxs = dropout.backward(DYS, M)
    assert_gradients(lambda v: (DYS * dropout.forward(v, M)).sum(), XS, dxs, 1e-12)          # (DR1*)


def test_no_mask_is_no_dropout():
    assert dropout.forward(XS, None) is XS and dropout.backward(DYS, None) is DYS
    assert dropout.draw(rng, 0, (3, 4), "float64") is None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_drawn_masks(dtype):
    m = dropout.draw(np.random.default_rng(0), 0.25, (200, 100), dtype)
    assert m.dtype == dtype and set(np.unique(m)) == {0, np.dtype(dtype).type(1 / 0.75)}
    assert abs(np.mean(m == 0) - 0.25) < 0.01 and abs(m.mean() - 1) < 0.02
    np.testing.assert_array_equal(m, dropout.draw(np.random.default_rng(0), 0.25, (200, 100), dtype))
