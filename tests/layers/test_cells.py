"""One step of every cell: the oracle's numbers, the complex step's gradients, common properties."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

import scalar_model
from draw import close, form, like, normal, read_only, readout, same, state
from minis2s.core import tree
from minis2s.core.gradient_check import assert_close, assert_gradients, central_difference
from minis2s.layers.cells import CELLS

N, D, H = 3, 4, 2
cells = pytest.mark.parametrize("name", CELLS)


def case(name, N=N, D=D, H=H, seed=0, scale=0.8):
    """Random parameters, input and state, and the random vectors that read out the new state."""
    rng, cell = np.random.default_rng(seed), CELLS[name]
    p = like(rng, cell.init(rng, D, H), scale)
    v, d = (p, normal(rng, N, D, scale=scale), state(rng, cell, N, H)), state(rng, cell, N, H)
    return read_only((v, d))


# Equations -----------------------------------------------------------------------------------------------

@cells
def test_step_is_the_oracles(name):
    """(R1) (R2); (L1) (L2) (L3) (L4) (L5); (G1) (G2) (G3) (G4); (GA1) (GA2) (GA3) (GA4)"""
    (p, x, s), _ = case(name)
    new, _ = CELLS[name].step(p, x, s)
    step = scalar_model.cell(name, p)
    for n in range(N):
        close(scalar_model.parts(step(x[n].tolist(), scalar_model.state(s, n))), [a[n] for a in new])


@cells
def test_step_gradients(name):
    """Every starred equation: (R1*) ... (GA4*)"""
    v, d = case(name)
    step = CELLS[name].step
    dx, ds, dp = CELLS[name].step_backward(v[0], step(*v)[1], d)
    assert_gradients(lambda v: readout(d, step(*v)[0]), v, (dp, dx, ds), 1e-12)


@cells
def test_step_gradients_by_central_differences(name):
    v, d = case(name, seed=1)
    step = CELLS[name].step
    dx, ds, dp = CELLS[name].step_backward(v[0], step(*v)[1], d)
    for p, got in [(v[0].W, dp.W), (v[0].U, dp.U), (v[0].b, dp.b)]:
        field = next(f for f in v[0]._fields if getattr(v[0], f) is p)
        want = central_difference(lambda w: readout(d, step(v[0]._replace(**{field: w}), *v[1:])[0]), p)
        assert_close(field, got, want, 1e-7)
    assert_close("x", dx, central_difference(lambda w: readout(d, step(v[0], w, v[2])[0]), v[1]), 1e-7)


# Properties: what every cell must have -------------------------------------------------------------------

def a_gradient_has_the_form_of_what_it_differentiates(cell, v, d):
    dx, ds, dp = cell.step_backward(v[0], cell.step(*v)[1], d)
    assert form((dp, dx, ds)) == form(v)


def backward_twice_gives_the_same_bits(cell, v, d):
    k = read_only(cell.step(*v)[1])
    same(cell.step_backward(v[0], k, d), cell.step_backward(v[0], k, d))


def a_cache_holds_what_the_names_say(cell, v, d):
    (_, x, s), (new, k) = v, cell.step(*v)
    assert k.x is x and k.h_prev is s.h
    if hasattr(k, "c_prev"):
        assert k.c_prev is s.c
        np.testing.assert_array_equal(k.tanh_c, np.tanh(new.c))


def an_example_alone_is_as_in_the_batch(cell, v, d):
    (p, x, s), (new, k) = v, cell.step(*v)
    whole = cell.step_backward(p, k, d)
    for n in range(N):
        def one(t):
            return tree.map(lambda a: a[n:n + 1], t)
        new_n, k_n = cell.step(p, x[n:n + 1], one(s))
        close(new_n, one(new))
        close(cell.step_backward(p, k_n, one(d))[:2], one(whole[:2]))


def parameter_gradients_are_sums_over_examples(cell, v, d):
    (p, x, s), (_, k) = v, cell.step(*v)
    total = None
    for n in range(N):
        x_n, s_n, d_n = tree.map(lambda a: a[n:n + 1], (x, s, d))
        total = tree.add(total, cell.step_backward(p, cell.step(p, x_n, s_n)[1], d_n)[2])
    close(cell.step_backward(p, k, d)[2], total)


def backward_is_linear(cell, v, d):
    _, k = cell.step(*v)
    once, thrice = cell.step_backward(v[0], k, d), cell.step_backward(v[0], k, tree.map(lambda a: 3 * a, d))
    close(thrice, tree.map(lambda a: 3 * a, once))


def float32_stays_float32(cell, v, d):
    v, d = tree.map(lambda a: a.astype(np.float32), (v, d))
    new, k = cell.step(*v)
    arrays = tree.named((new, k, cell.step_backward(v[0], k, d)))
    assert {a.dtype for _, a in arrays} == {np.dtype(np.float32)}


@cells
@pytest.mark.parametrize("holds", [
    a_gradient_has_the_form_of_what_it_differentiates, backward_twice_gives_the_same_bits,
    a_cache_holds_what_the_names_say, an_example_alone_is_as_in_the_batch,
    parameter_gradients_are_sums_over_examples, backward_is_linear, float32_stays_float32,
], ids=lambda f: f.__name__)
def test_property(name, holds):
    v, d = case(name)                     # read-only arrays: a step that writes into its inputs raises
    holds(CELLS[name], v, d)


dims = st.integers(1, 5)


@cells
@given(N=dims, D=dims, H=dims, seed=st.integers(0, 99))
def test_any_shape(name, N, D, H, seed):
    v, d = case(name, N, D, H, seed)
    new, k = CELLS[name].step(*v)
    step = scalar_model.cell(name, v[0])
    for n in range(N):
        close(scalar_model.parts(step(v[1][n].tolist(), scalar_model.state(v[2], n))), [a[n] for a in new])
    dx, ds, dp = CELLS[name].step_backward(v[0], k, d)
    assert form((dp, dx, ds)) == form(v)


@cells
@given(seed=st.integers(0, 99), scale=st.sampled_from([30.0, 1e3, 1e6]))
def test_saturated_gates_stay_exact_and_finite(name, seed, scale):
    v, d = case(name, seed=seed, scale=scale)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        new, k = CELLS[name].step(*v)
        grads = CELLS[name].step_backward(v[0], k, d)
    step = scalar_model.cell(name, v[0])
    for n in range(N):
        close(scalar_model.parts(step(v[1][n].tolist(), scalar_model.state(v[2], n))), [a[n] for a in new], 1e-9)
    assert all(np.isfinite(a).all() for _, a in tree.named(grads))


def test_gates_that_are_shut_or_open():
    """With all weights 0 a bias of +-1000 sets a gate to exactly 0 or 1: the state is kept or overwritten."""
    rng = np.random.default_rng(0)
    h, c = normal(rng, N, H), normal(rng, N, H)

    def biases(*blocks):
        return np.repeat(np.array(blocks, float), H)

    lstm, x = CELLS["lstm"], normal(rng, N, D)
    p = lstm.Params(np.zeros((D, 4 * H)), np.zeros((H, 4 * H)), biases(-1000, 1000, 3, 1000))
    new, _ = lstm.step(p, x, lstm.State(h, c))                   # i = 0, f = 1, o = 1
    np.testing.assert_array_equal(new.c, c)
    np.testing.assert_array_equal(new.h, np.tanh(c))
    for name in ["gru", "gru-after"]:
        cell = CELLS[name]
        zero = tree.zeros_like(cell.init(rng, D, H))
        for b_z, want in [(-1000, h), (1000, np.full((N, H), np.tanh(0.5)))]:    # z = 0: h', z = 1: n
            new, _ = cell.step(zero._replace(b=biases(b_z, 0, 0.5)), x, cell.State(h))
            np.testing.assert_array_equal(new.h, want)


def test_the_two_grus_agree_when_nothing_is_reset():
    (p, x, s), _ = case("gru-after")
    p = p._replace(b=np.concatenate([p.b[:H], np.full(H, 1000.0), p.b[2 * H:]]), b_U=np.zeros(H))    # r = 1
    before = CELLS["gru"].Params(p.W, p.U, p.b)
    close(CELLS["gru-after"].step(p, x, s)[0], CELLS["gru"].step(before, x, s)[0])
