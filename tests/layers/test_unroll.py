"""The time loop (M1) (M1*): every cell, ragged lengths, random initial states."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

import scalar_model
from draw import close, form, like, mask, normal, read_only, readout, same, state
from minis2s.core import tree
from minis2s.core.gradient_check import assert_close, assert_gradients, central_difference
from minis2s.layers import unroll
from minis2s.layers.cells import CELLS
from minis2s.testing import oracle

T, D, H = 5, 4, 2
LENGTHS = (5, 1, 3)
N = len(LENGTHS)
cells = pytest.mark.parametrize("name", CELLS)


class Case:
    """A cell over T steps, and random vectors that read out every h_t and every field of the last state."""

    def __init__(self, name, lengths=LENGTHS, T=None, D=D, H=H, seed=0):
        rng, self.cell = np.random.default_rng(seed), CELLS[name]
        self.name, self.mask, N = name, read_only(mask(lengths, T)), len(lengths)
        T = len(self.mask)
        p = like(rng, self.cell.init(rng, D, H))
        self.v = read_only((p, normal(rng, T, N, D), state(rng, self.cell, N, H)))
        self.dhs, self.d = read_only((normal(rng, T, N, H), state(rng, self.cell, N, H)))

    def forward(self, v=None):
        return unroll.forward(self.cell, *(v or self.v), self.mask)

    def loss(self, v):
        hs, s, _ = self.forward(v)
        return readout((self.dhs, self.d), (hs, s))

    def backward(self):
        """Gradients in the order of v: parameters, inputs, initial state."""
        caches = read_only(self.forward()[2])
        dxs, d0, dp = unroll.backward(self.cell, self.v[0], caches, self.dhs, self.d, self.mask)
        return dp, dxs, d0

    def check_forward(self):
        p, xs, s0 = self.v
        hs, s, _ = self.forward()
        for n in range(xs.shape[1]):
            states, last = oracle.unroll(scalar_model.cell(self.name, p), xs[:, n].tolist(), scalar_model.state(s0, n),
                                         self.mask[:, n].tolist())             # (M1)
            close(hs[:, n], [oracle.h_of(each) for each in states])
            close([a[n] for a in s], scalar_model.parts(last))


@cells
def test_forward_is_the_oracles(name):
    Case(name).check_forward()


@cells
def test_gradients(name):
    case = Case(name)
    assert_gradients(case.loss, case.v, case.backward(), 1e-12)                # (M1*)


def test_gradients_by_central_differences():
    case = Case("lstm")
    (p, xs, s0), (dp, dxs, _) = case.v, case.backward()
    assert_close("W", dp.W, central_difference(lambda w: case.loss((p._replace(W=w), xs, s0)), p.W), 1e-7)
    assert_close("xs", dxs, central_difference(lambda w: case.loss((p, w, s0)), xs), 1e-7)


@cells
def test_masks_with_padding_in_front(name):
    """The backward direction of a bidirectional layer meets its padding first."""
    case = Case(name)
    case.mask = read_only(case.mask[::-1])
    case.check_forward()
    assert_gradients(case.loss, case.v, case.backward(), 1e-12)


# Properties: what the loop must keep, whatever the cell --------------------------------------------------

def a_masked_step_carries_the_state(c):
    hs, s, _ = c.forward()
    for n, L in enumerate(LENGTHS):
        np.testing.assert_array_equal(hs[L:, n], np.broadcast_to(hs[L - 1, n], hs[L:, n].shape))
        np.testing.assert_array_equal(s.h[n], hs[L - 1, n])


def a_masked_step_has_no_gradient(c):
    _, dxs, _ = c.backward()
    assert (dxs[~c.mask] == 0).all() and (dxs[c.mask] != 0).all()


def step_by_step_equals_the_whole(c):
    p, xs, s = c.v
    hs, last, _ = c.forward()
    for t in range(T):
        s, _ = CELLS[c.name].step(p, xs[t], s)
        real = c.mask[t]
        close(hs[t][real], s.h[real])
        s = type(s)(*(np.where(real[:, None], a, b) for a, b in zip(s, last)))     # who has ended waits
    close(s, last)


def two_halves_equal_the_whole(c):
    p, xs, s0 = c.v
    hs, last, _ = c.forward()
    dp, dxs, d0 = c.backward()
    a, b = slice(0, 2), slice(2, None)
    hs_a, s_a, k_a = unroll.forward(c.cell, p, xs[a], s0, c.mask[a])
    hs_b, s_b, k_b = unroll.forward(c.cell, p, xs[b], s_a, c.mask[b])
    close((np.concatenate([hs_a, hs_b]), s_b), (hs, last))
    dxs_b, d_mid, dp_b = unroll.backward(c.cell, p, k_b, c.dhs[b], c.d, c.mask[b])
    dxs_a, d_0, dp_a = unroll.backward(c.cell, p, k_a, c.dhs[a], d_mid, c.mask[a])
    close((np.concatenate([dxs_a, dxs_b]), d_0, tree.add(dp_a, dp_b)), (dxs, d0, dp))


def more_padding_changes_nothing(c):
    p, xs, s0 = c.v
    junk = np.full((3, *xs.shape[1:]), 1e3)
    more, off = np.concatenate([xs, junk]), np.zeros((3, N), bool)
    hs, s, caches = unroll.forward(c.cell, p, more, s0, np.concatenate([c.mask, off]))
    close((hs[:T], s), c.forward()[:2])                 # products of other sizes round otherwise
    dhs = np.concatenate([c.dhs, np.zeros((3, N, H))])
    dxs, d0, dp = unroll.backward(c.cell, p, caches, dhs, c.d, np.concatenate([c.mask, off]))
    close((dp, dxs[:T], d0), c.backward())


def padded_inputs_are_not_read(c):
    p, xs, s0 = c.v
    other = np.where(c.mask[:, :, None], xs, 1e3)
    assert not np.array_equal(other, xs)
    same(c.forward((p, other, s0))[:2], c.forward()[:2])


def an_example_alone_is_as_in_the_batch(c):
    p, xs, s0 = c.v
    hs, s, _ = c.forward()
    _, dxs, d0 = c.backward()
    for n, L in enumerate(LENGTHS):
        def one(t):
            return tree.map(lambda a: a[n:n + 1], t)
        on = np.ones((L, 1), bool)
        hs_n, s_n, k_n = unroll.forward(c.cell, p, xs[:L, n:n + 1], one(s0), on)
        close((hs_n, s_n), (hs[:L, n:n + 1], one(s)))
        dhs = c.dhs[:L, n:n + 1].copy()
        dhs[-1] += c.dhs[L:, n:n + 1].sum(axis=0)       # what reads the carried state reads the last real one
        dxs_n, d0_n, _ = unroll.backward(c.cell, p, k_n, dhs, one(c.d), on)
        close((dxs_n, d0_n), (dxs[:L, n:n + 1], one(d0)))


def backward_twice_gives_the_same_bits(c):
    caches = read_only(c.forward()[2])
    args = c.cell, c.v[0], caches, c.dhs, c.d, c.mask
    same(unroll.backward(*args), unroll.backward(*args))


def a_gradient_has_the_form_of_what_it_differentiates(c):
    assert form(c.backward()) == form(c.v)


def float32_stays_float32(c):
    c.v, c.dhs, c.d = tree.map(lambda a: a.astype(np.float32), (c.v, c.dhs, c.d))
    assert {a.dtype for _, a in tree.named((*c.forward()[:2], *c.backward()))} == {np.dtype(np.float32)}


@cells
@pytest.mark.parametrize("holds", [
    a_masked_step_carries_the_state, a_masked_step_has_no_gradient, step_by_step_equals_the_whole,
    two_halves_equal_the_whole, more_padding_changes_nothing, padded_inputs_are_not_read,
    an_example_alone_is_as_in_the_batch, backward_twice_gives_the_same_bits,
    a_gradient_has_the_form_of_what_it_differentiates, float32_stays_float32,
], ids=lambda f: f.__name__)
def test_property(name, holds):
    holds(Case(name))                     # read-only arrays: a loop that writes into its inputs raises


@cells
@given(lengths=st.lists(st.integers(0, 5), min_size=1, max_size=5), D=st.integers(1, 5), H=st.integers(1, 5),
       seed=st.integers(0, 99))
def test_any_shape_and_lengths(name, lengths, D, H, seed):
    case = Case(name, lengths, T=max(*lengths, 1), D=D, H=H, seed=seed)
    case.check_forward()
    dp, dxs, d0 = case.backward()
    assert form((dp, dxs, d0)) == form(case.v) and (dxs[~case.mask] == 0).all()
