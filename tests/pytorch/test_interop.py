"""Conversion to PyTorch's layout: PyTorch's published equations, written out here, give our cells' states."""
import numpy as np
import pytest

from minis2s.layers.cells import CELLS
from minis2s.pytorch import interop

N, D, H = 3, 2, 4


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def torch_step(cell, w, x, h, c):
    """The equations of the manual pages of torch.nn.RNN, LSTM and GRU, in their own notation."""
    ih = x @ w["weight_ih_l0"].T + w["bias_ih_l0"]
    hh = h @ w["weight_hh_l0"].T + w["bias_hh_l0"]
    if cell == "rnn":
        return (np.tanh(ih + hh),)
    if cell == "lstm":
        i, f, g, o = np.split(ih + hh, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c
    (r_i, z_i, n_i), (r_h, z_h, n_h) = np.split(ih, 3, axis=1), np.split(hh, 3, axis=1)
    r, z = sigmoid(r_i + r_h), sigmoid(z_i + z_h)
    n = np.tanh(n_i + r * n_h)
    return ((1 - z) * n + z * h,)


@pytest.fixture(params=interop.MODULES)
def case(request):
    rng, cell = np.random.default_rng(0), request.param
    p = CELLS[cell].init(rng, D, H)
    p = type(p)(*(a + rng.normal(size=a.shape) for a in p))
    return cell, p, rng.normal(size=(N, D)), rng.normal(size=(2, N, H))


def test_torch_equations_give_our_states(case):
    cell, p, x, (h, c) = case
    module = CELLS[cell]
    got, _ = module.step(p, x, module.State(*(h, c)[:len(module.State._fields)]))
    for ours, theirs in zip(got, torch_step(cell, interop.to_torch(cell, p), x, h, c)):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-14)


def test_there_and_back_is_the_same(case):
    cell, p, *_ = case
    back = interop.from_torch(cell, interop.to_torch(cell, p, layer=2, reverse=True), layer=2, reverse=True)
    for name, a, b in zip(p._fields, p, back):
        np.testing.assert_array_equal(a, b, err_msg=name)


def test_nothing_is_shared(case):
    """torch writes into its arrays."""
    cell, p, *_ = case
    p = p._replace(W=p.W[:1])                                   # one input: W.T has no gaps
    there = interop.to_torch(cell, p)
    back = interop.from_torch(cell, there)
    for a in there.values():
        assert not any(np.shares_memory(a, x) for x in (*p, *back))


def test_a_layer_without_biases_is_refused(case):
    cell, p, *_ = case
    w = interop.to_torch(cell, p)
    del w["bias_ih_l0"]
    with pytest.raises(ValueError, match="bias_ih_l0 is missing, there are weight_ih_l0, weight_hh_l0, bias_hh_l0"):
        interop.from_torch(cell, w)


def test_two_biases_of_torch_become_ours(case):
    """PyTorch's layers start with two random biases: both must arrive."""
    cell, p, x, (h, c) = case
    w = interop.to_torch(cell, p)
    w["bias_hh_l0"] = np.random.default_rng(1).normal(size=w["bias_hh_l0"].shape)
    module = CELLS[cell]
    got, _ = module.step(interop.from_torch(cell, w), x, module.State(*(h, c)[:len(module.State._fields)]))
    for ours, theirs in zip(got, torch_step(cell, w, x, h, c)):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-14)


def test_names_say_layer_and_direction(case):
    cell, p, *_ = case
    assert set(interop.to_torch(cell, p, layer=1, reverse=True)) == {
        f"{name}_l1_reverse" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}


@pytest.mark.parametrize("cell", ["gru", "rnn-sigmoid", "transformer"])
def test_cells_that_torch_has_not_are_refused(cell):
    with pytest.raises(ValueError, match=f"cell='{cell}'"):
        interop.to_torch(cell, None)
