"""Residual connections: both places of the norm against the oracle, by complex step, and their difference in depth."""
import numpy as np
import pytest

from draw import close, form, like, normal, read_only, same
from minis2s.core.gradient_check import assert_gradients
from minis2s.layers import dropout, layer_norm, linear, residual
from minis2s.testing.oracle import transformer as oracle
from scalar_model import lists

T, N, D = 4, 3, 5
norms = pytest.mark.parametrize("norm", residual.NORMS)
drops = pytest.mark.parametrize("rate", [0, 0.4])


def case(rate):
    rng = np.random.default_rng(0)
    p, q = like(rng, (layer_norm.init(D), linear.init(rng, D, D)))
    return read_only((p, q, normal(rng, T, N, D), dropout.draw(rng, rate, (T, N, D), "float64"), normal(rng, T, N, D)))


def forward(norm, p, q, x, m):
    """The sub-layer is a linear layer."""
    u, k_in = residual.branch(p, norm, x)
    y, k_out = residual.join(p, norm, x, linear.forward(q, u), m)
    return y, (u, k_in, k_out)


def backward(norm, p, q, k, dy, m):
    u, k_in, k_out = k
    dx, dz, g = residual.join_backward(p, norm, k_out, dy, m)
    du, dq = linear.backward(q, u, dz)
    dx, dp = residual.branch_backward(p, norm, k_in, dx, du, g)
    return dp, dq, dx


@norms
@drops
def test_residual(norm, rate):
    p, q, x, m, dy = case(rate)
    y, k = forward(norm, p, q, x, m)
    for n in range(N):
        want = oracle.residual(norm, *lists(p), x[:, n].tolist(), lambda us: [oracle.linear(*lists(q), u) for u in us],
                               m if m is None else m[:, n].tolist())
        close(y[:, n], want)                                                    # (RS1) (RS2) (RS3) (RS4)
    got = backward(norm, p, q, read_only(k), dy, m)
    assert form(got) == form((p, q, x))
    assert_gradients(lambda v: (dy * forward(norm, *v, m)[0]).sum(), (p, q, x), got, 1e-12)
    same(backward(norm, p, q, k, dy, m), got)


def test_pre_norm_hands_the_gradient_on_as_it_is():
    """With a sub-layer that says 0, x goes through untouched; with post-norm it does not."""
    p, q, x, _, dy = case(0)
    q = linear.Params(0 * q.W, 0 * q.b)
    y, k = forward("pre", p, q, x, None)
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(backward("pre", p, q, k, dy, None)[2], dy)
    y, k = forward("post", p, q, x, None)
    close(y, layer_norm.forward(p, x)[0])
    assert np.abs(backward("post", p, q, k, dy, None)[2] - dy).max() > 0.1


def test_gradients_at_the_first_layer_of_a_deep_stack():
    """Xiong et al. (2020): at the start, post-norm weakens what comes back through L layers, pre-norm does not."""
    rng = np.random.default_rng(0)
    p, qs = layer_norm.init(32), [linear.init(rng, 32, 32) for _ in range(12)]
    x, dy, size = normal(rng, 4, 3, 32), normal(rng, 4, 3, 32), {}
    for norm in residual.NORMS:
        d, ks, y = dy, [], x
        for q in qs:
            y, k = forward(norm, p, q, y, None)
            ks.append(k)
        for q, k in zip(reversed(qs), reversed(ks)):
            d = backward(norm, p, q, k, d, None)[2]
        size[norm] = np.linalg.norm(d) / np.linalg.norm(dy)
    assert size["pre"] > 2 * size["post"]
