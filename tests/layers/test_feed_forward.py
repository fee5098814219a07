"""Feed-forward layer: against the oracle, by complex step, against PyTorch."""
import math

import numpy as np
import pytest

from draw import close, form, like, normal, read_only, same
from minis2s.core import tree
from minis2s.core.gradient_check import assert_gradients, complex_step
from minis2s.layers import feed_forward
from minis2s.testing.oracle import transformer as oracle
from scalar_model import lists

D, F = 4, 7
phis = pytest.mark.parametrize("phi", feed_forward.PHI)


def case(axes=(5, 3)):
    rng = np.random.default_rng(0)
    p = like(rng, feed_forward.init(rng, D, F))
    return read_only((p, normal(rng, *axes, D), normal(rng, *axes, D)))


@phis
@pytest.mark.parametrize("axes", [(3,), (5, 3)], ids=str)
def test_feed_forward(phi, axes):
    p, x, dy = case(axes)
    y, k = feed_forward.forward(p, phi, x)
    for row, got in zip(x.reshape(-1, D), y.reshape(-1, D)):
        close(got, oracle.feed_forward(*lists(p.hidden), *lists(p.out), row.tolist(), phi))    # (FF1) (FF2) (FF3)
    dx, dp = feed_forward.backward(p, phi, read_only(k), dy)
    assert form(dp) == form(p)
    assert_gradients(lambda v: (dy * feed_forward.forward(v[0], phi, v[1])[0]).sum(), (p, x), (dp, dx), 1e-12)
    same(feed_forward.backward(p, phi, k, dy), (dx, dp))


@phis
def test_activations(phi):
    """(FR1); (FG1) (FG2)"""
    a = read_only(np.linspace(-6, 6, 40))                       # without 0, where ReLU has a corner
    f, df = feed_forward.PHI[phi]
    close(f(a), [oracle.PHI[phi](x) for x in a])
    close(df(a), complex_step(lambda a: f(a).sum(), a), 1e-14)


def test_relu_at_its_corner():
    """At 0 the derivative is 0, as in PyTorch."""
    assert feed_forward.relu(np.zeros(1)) == 0 and feed_forward.relu_slope(np.zeros(1)) == 0
    np.testing.assert_array_equal(feed_forward.relu(np.array([-2.0, 3.0])), [0, 3])
    np.testing.assert_array_equal(feed_forward.relu_slope(np.array([-2.0, 3.0])), [0, 1])


def test_how_far_the_tanh_form_is_from_the_exact_gelu():
    """The docstring's figure, with Phi by the error function."""
    a = np.linspace(-8, 8, 4001)
    exact = np.array([x * (1 + math.erf(x / math.sqrt(2))) / 2 for x in a])
    assert 4e-4 < np.abs(feed_forward.gelu(a) - exact).max() < 5e-4


@phis
def test_float32_stays_float32(phi):
    p, x, dy = tree.map(lambda a: a.astype(np.float32), case())
    y, k = feed_forward.forward(p, phi, x)
    parts = y, k, *feed_forward.backward(p, phi, k, dy)
    assert {a.dtype for _, a in tree.named(parts)} == {np.dtype(np.float32)}


@phis
def test_torch(phi):
    torch = pytest.importorskip("torch")
    p, x, dy = case()
    act = torch.nn.ReLU() if phi == "relu" else torch.nn.GELU(approximate="tanh")
    net = torch.nn.Sequential(torch.nn.Linear(D, F), act, torch.nn.Linear(F, D)).double()
    with torch.no_grad():
        for layer, q in ((net[0], p.hidden), (net[2], p.out)):
            layer.weight[:], layer.bias[:] = torch.tensor(q.W.T.copy()), torch.tensor(q.b)
    tx = torch.tensor(x, requires_grad=True)
    ty = net(tx)
    ty.backward(torch.tensor(dy))
    y, k = feed_forward.forward(p, phi, x)
    dx, dp = feed_forward.backward(p, phi, k, dy)
    want = ty, tx.grad, net[0].weight.grad.T, net[0].bias.grad, net[2].weight.grad.T, net[2].bias.grad
    close((y, dx, *dp.hidden, *dp.out), tuple(a.detach().numpy() for a in want))
