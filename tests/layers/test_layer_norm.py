"""Layer normalisation: (LN1) to (LN4) against the oracle, the derivatives by complex step, and what it promises."""
import numpy as np
import pytest

from draw import close, form, like, normal, read_only, readout, same
from minis2s.core import tree
from minis2s.core.gradient_check import assert_gradients
from minis2s.layers import layer_norm
from minis2s.testing.oracle import transformer as oracle
from scalar_model import lists

D = 5


def case(axes=(4, 3), D=D):
    rng = np.random.default_rng(0)
    p = like(rng, layer_norm.init(D))
    return read_only((p, normal(rng, *axes, D), normal(rng, *axes, D)))


@pytest.mark.parametrize("axes", [(3,), (4, 3), (2, 4, 3)], ids=str)
def test_layer_norm(axes):
    p, x, dy = case(axes)
    y, k = layer_norm.forward(p, x)
    for row, got in zip(x.reshape(-1, D), y.reshape(-1, D)):
        close(got, oracle.layer_norm(*lists(p), row.tolist()))                  # (LN1) (LN2) (LN3) (LN4)
    dx, dp = layer_norm.backward(p, read_only(k), dy)
    assert form(dp) == form(p)
    assert_gradients(lambda v: (dy * layer_norm.forward(*v)[0]).sum(), (p, x), (dp, dx), 1e-12)
    same(layer_norm.backward(p, k, dy), (dx, dp))


def test_rows_of_equal_numbers_stay_finite():
    """eps inside of the root: (LN2) is never 0."""
    p, x, dy = layer_norm.init(D), np.full((2, D), 3.0), normal(np.random.default_rng(0), 2, D)
    y, k = layer_norm.forward(p, x)
    np.testing.assert_array_equal(y, np.zeros((2, D)))
    close(k.r, np.full((2, 1), np.sqrt(layer_norm.EPS)), 1e-15)
    close(layer_norm.backward(p, k, dy)[0], (dy - dy.mean(axis=1, keepdims=True)) / np.sqrt(layer_norm.EPS))


def test_rows_have_mean_0_and_variance_1():
    x = normal(np.random.default_rng(0), 6, 50, scale=30.0) + 100
    y, _ = layer_norm.forward(layer_norm.init(50), x)
    close(y.mean(axis=1), np.zeros(6))
    close((y * y).mean(axis=1), np.ones(6), 1e-6)


def test_shift_and_scale_of_a_row_do_not_matter():
    p, x, dy = case()
    y, k = layer_norm.forward(p, x)
    close(layer_norm.forward(p, x + 7)[0], y)
    close(layer_norm.forward(p, 1e4 * x)[0], layer_norm.forward(p, 2e4 * x)[0], 1e-8)
    dx, _ = layer_norm.backward(p, k, dy)
    close(dx.sum(axis=-1), np.zeros(dx.shape[:-1]))                             # so it has no gradient along a shift


def test_a_row_alone_is_as_among_others():
    p, x, dy = case()
    y, k = layer_norm.forward(p, x)
    one, k_one = layer_norm.forward(p, x[2:3, 1])
    np.testing.assert_array_equal(one[0], y[2, 1])
    close(layer_norm.backward(p, k_one, dy[2:3, 1])[0][0], layer_norm.backward(p, k, dy)[0][2, 1], 1e-15)


def test_float32_stays_float32():
    p, x, dy = tree.map(lambda a: a.astype(np.float32), case())
    y, k = layer_norm.forward(p, x)
    assert {a.dtype for _, a in tree.named((y, k, *layer_norm.backward(p, k, dy)))} == {np.dtype(np.float32)}


def test_torch():
    torch = pytest.importorskip("torch")
    p, x, dy = case()
    layer = torch.nn.LayerNorm(D, eps=layer_norm.EPS, dtype=torch.float64)
    with torch.no_grad():
        layer.weight[:], layer.bias[:] = torch.tensor(p.g), torch.tensor(p.b)
    tx = torch.tensor(x, requires_grad=True)
    ty = layer(tx)
    ty.backward(torch.tensor(dy))
    y, k = layer_norm.forward(p, x)
    dx, dp = layer_norm.backward(p, k, dy)
    close((y, dx, dp.g, dp.b), tuple(a.detach().numpy() for a in (ty, tx.grad, layer.weight.grad, layer.bias.grad)))


def test_the_cotangent_reaches_only_its_row():
    p, x, dy = case()
    _, k = layer_norm.forward(p, x)
    one = np.zeros_like(dy)
    one[1, 2] = dy[1, 2]
    dx, _ = layer_norm.backward(p, k, one)
    assert np.abs(dx[1, 2]).min() > 0 and readout(dx, dx) == pytest.approx((dx[1, 2] ** 2).sum(), rel=1e-14)
