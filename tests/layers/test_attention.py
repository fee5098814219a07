"""Attention: every score's numbers and gradients, and one table of properties that every score must have."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

import scalar_model
from draw import close, form, like, mask, normal, read_only, readout, same
from minis2s.core import tree
from minis2s.core.functions import softmax_backward
from minis2s.core.gradient_check import assert_close, assert_gradients, central_difference
from minis2s.layers.attention import SCORES, Memory, attend, attend_backward, precompute_keys, precompute_keys_backward
from minis2s.testing import oracle

T, H, A = 5, 4, 6
LENGTHS = (5, 1, 3)
N = len(LENGTHS)
scores = pytest.mark.parametrize("name", SCORES)


class Case:
    """Two queries over one memory, as two steps of a decoder; random vectors read out both contexts."""

    def __init__(self, name, lengths=LENGTHS, H=H, Q=3, A=A, seed=0, scale=0.8):
        rng, self.name, self.score = np.random.default_rng(seed), name, SCORES[name]
        T, N, Q = max(lengths), len(lengths), H if name in ("dot", "scaled") else Q
        p = like(rng, self.score.init(rng, Q, H, A), scale)
        self.mask = read_only(mask(lengths))
        self.v = read_only((p, normal(rng, 2, N, Q, scale=scale), normal(rng, T, N, H, scale=scale)))
        self.d = read_only(normal(rng, 2, N, H))

    def forward(self, v=None):
        """-> contexts (2, N, H), memory, the two caches"""
        p, ss, hs = v or self.v
        memory = precompute_keys(self.score, p, hs, self.mask)
        ctxs, ks = zip(*(attend(self.score, p, s, memory) for s in ss))
        return np.stack(ctxs), memory, ks

    def loss(self, v):
        return readout(self.d, self.forward(v)[0])

    def backward(self):
        """Gradients in the order of v: parameters, queries, encoder states."""
        p, (_, memory, ks) = self.v[0], read_only(self.forward())
        one, two = (attend_backward(self.score, p, memory, k, d) for k, d in zip(ks, self.d))
        dhs, dp = precompute_keys_backward(self.score, p, memory, tree.add(one[1], two[1]))
        return tree.add(dp, tree.add(one[2], two[2])), np.stack([one[0], two[0]]), dhs

    def check_forward(self, tol=1e-12):
        p, ss, hs = self.v
        ctxs, _, ks = self.forward()
        f = scalar_model.score(self.name, p)
        for (q, n) in np.ndindex(ss.shape[:2]):
            h, real = hs[:, n].tolist(), self.mask[:, n].tolist()
            alpha = oracle.attention_weights(f(ss[q, n].tolist(), h), real)     # (A1)
            close(ks[q].alpha[:, n], alpha, tol)
            close(ctxs[q, n], oracle.context(alpha, h), tol)                    # (A2)


# Equations -----------------------------------------------------------------------------------------------

@scores
def test_scores_are_the_oracles(name):
    """(AD1); (AD2); (AG1) (AG2); (AB1) (AB2) (AB3); (AC1) (AC2) (AC3)"""
    c = Case(name)
    p, ss, hs = c.v
    e, _ = c.score.score(p, ss[0], Memory(hs, c.score.keys(p, hs), c.mask))
    for n in range(N):
        close(e[:, n], scalar_model.score(name, p)(ss[0, n].tolist(), hs[:, n].tolist()))


@scores
def test_attention_is_the_oracles(name):
    Case(name).check_forward()


@scores
def test_gradients(name):
    c = Case(name)
    assert_gradients(c.loss, c.v, c.backward(), 1e-12)                         # (A1*) (A2*) and the score's


@scores
def test_gradients_of_the_score_alone(name):
    """Query, hs as the score reads it, keys as if they were a thing of their own, parameters."""
    c = Case(name)
    p, ss, hs = c.v
    memory = Memory(hs, c.score.keys(p, hs), None)
    de = read_only(normal(np.random.default_rng(1), T, N))
    _, k = c.score.score(p, ss[0], memory)
    ds, dmemory, dp = c.score.score_backward(p, memory, read_only(k), de)
    dmemory = tree.add(dmemory, tree.zeros_like(memory))                       # None: not read by this score
    v = p, ss[0], memory
    assert_gradients(lambda v: readout(de, c.score.score(*v)[0]), v, (dp, ds, dmemory), 1e-12)


def test_gradients_by_central_differences():
    c = Case("additive")
    (p, ss, hs), (_, dss, dhs) = c.v, c.backward()
    assert_close("ss", dss, central_difference(lambda w: c.loss((p, w, hs)), ss), 1e-7)
    assert_close("hs", dhs, central_difference(lambda w: c.loss((p, ss, w)), hs), 1e-7)


# Properties: what every score must have ------------------------------------------------------------------

def weights_are_a_distribution_over_the_real(c):
    for k in c.forward()[2]:
        assert (k.alpha[~c.mask] == 0).all() and (k.alpha[c.mask] > 0).all()
        close(k.alpha.sum(axis=0), np.ones(N), 1e-14)


def what_is_permuted_in_time_changes_no_context(c):
    (p, ss, hs), order = c.v, np.array([3, 0, 4, 2, 1])
    ctxs, _, ks = c.forward()
    dp, dss, dhs = c.backward()
    c.v, c.mask = (p, ss, hs[order]), c.mask[order]
    moved, _, moved_ks = c.forward()
    close(moved, ctxs)
    close([k.alpha for k in moved_ks], [k.alpha[order] for k in ks])
    close(c.backward(), (dp, dss, dhs[order]))


def score_gradients_sum_to_zero_over_positions(c):
    hs, (_, _, ks) = c.v[2], c.forward()
    de = softmax_backward(ks[0].alpha, np.einsum("nh,tnh->tn", c.d[0], hs), axis=0)
    assert np.abs(de[c.mask]).max() > 0.01 and (de[~c.mask] == 0).all()
    close(de.sum(axis=0), np.zeros(N), 1e-14)


def padding_is_not_read(c):
    p, ss, hs = c.v
    ctxs, _, ks = c.forward()
    before = c.backward()
    c.v = read_only((p, ss, np.where(c.mask[:, :, None], hs, 50.0)))
    now, _, now_ks = c.forward()
    close((now, [k.alpha for k in now_ks][0]), (ctxs, ks[0].alpha))
    close(c.backward(), before)


def padding_has_no_gradient(c):
    dhs = c.backward()[2]
    assert (dhs[~c.mask] == 0).all() and (dhs[c.mask] != 0).all()


def more_padding_changes_nothing(c):
    p, ss, hs = c.v
    ctxs = c.forward()[0]
    dp, dss, dhs = c.backward()
    c.v = p, ss, np.concatenate([hs, np.full((2, N, H), 9.0)])
    c.mask = np.concatenate([c.mask, np.zeros((2, N), bool)])
    close(c.forward()[0], ctxs)
    close(c.backward(), (dp, dss, np.concatenate([dhs, np.zeros((2, N, H))])))


def backward_twice_gives_the_same_bits(c):
    same(c.backward(), c.backward())


def a_gradient_has_the_form_of_what_it_differentiates(c):
    assert form(c.backward()) == form(c.v)


def equal_states_get_equal_weights(c):
    p, ss, hs = c.v
    c.v = p, ss, np.broadcast_to(hs[:1], hs.shape)
    for ctx, k in zip(c.forward()[0], c.forward()[2]):
        close(k.alpha, c.mask / c.mask.sum(axis=0), 1e-15)
        close(ctx, hs[0])


def one_token_gets_all_the_weight(c):
    n = LENGTHS.index(1)
    for ctx, k in zip(c.forward()[0], c.forward()[2]):
        np.testing.assert_array_equal(k.alpha[:, n], [1, 0, 0, 0, 0])
        np.testing.assert_array_equal(ctx[n], c.v[2][0, n])
    assert (c.backward()[1][:, n] == 0).all()           # so the query makes no difference


def an_example_alone_is_as_in_the_batch(c):
    (p, ss, hs), m = c.v, c.mask
    ctxs, (_, dss, dhs) = c.forward()[0], c.backward()
    d = c.d
    for n, L in enumerate(LENGTHS):
        c.v, c.mask, c.d = (p, ss[:, n:n + 1], hs[:L, n:n + 1]), m[:L, n:n + 1], d[:, n:n + 1]
        close(c.forward()[0], ctxs[:, n:n + 1])
        close(c.backward()[1:], (dss[:, n:n + 1], dhs[:L, n:n + 1]))


def float32_stays_float32(c):
    c.v, c.d = tree.map(lambda a: a.astype(np.float32), (c.v, c.d))
    ctxs, _, ks = c.forward()
    assert {a.dtype for _, a in tree.named((ctxs, ks, *c.backward()))} == {np.dtype(np.float32)}


@scores
@pytest.mark.parametrize("holds", [
    weights_are_a_distribution_over_the_real, what_is_permuted_in_time_changes_no_context,
    score_gradients_sum_to_zero_over_positions, padding_is_not_read, padding_has_no_gradient,
    more_padding_changes_nothing, backward_twice_gives_the_same_bits,
    a_gradient_has_the_form_of_what_it_differentiates, equal_states_get_equal_weights,
    one_token_gets_all_the_weight, an_example_alone_is_as_in_the_batch, float32_stays_float32,
], ids=lambda f: f.__name__)
def test_property(name, holds):
    holds(Case(name))                     # read-only arrays: whoever writes into its inputs raises


dims = st.integers(1, 5)


@scores
@given(lengths=st.lists(dims, min_size=1, max_size=5), H=dims, Q=dims, A=dims, seed=st.integers(0, 99))
def test_any_shape_and_lengths(name, lengths, H, Q, A, seed):
    c = Case(name, lengths, H, Q, A, seed)
    c.check_forward()
    assert form(c.backward()) == form(c.v)


@scores
@given(seed=st.integers(0, 99))
def test_scores_in_the_thousands(name, seed):
    c = Case(name, seed=seed, scale=30.0)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        c.check_forward(1e-9)
        assert all(np.isfinite(a).all() for _, a in tree.named(c.backward()))
