"""Clipping and optimizers, against the scalar oracle over several steps."""
import numpy as np
import pytest

from draw import close, form, normal, read_only
from minis2s.core import tree
from minis2s.layers.linear import Params
from minis2s.testing import oracle
from minis2s.training import optimizers

LR, STEPS = 0.1, 6


def draws(seed=0, dtype=float):
    """A tree with a vector, a matrix and a missing part; and STEPS gradients of its form."""
    rng = np.random.default_rng(seed)
    trees = [(Params(normal(rng, 2, 3).astype(dtype), normal(rng, 3).astype(dtype)), None,
              (normal(rng, 1).astype(dtype),))
             for _ in range(1 + STEPS)]
    return read_only(trees[0]), read_only(trees[1:])


def flat(t):
    return [x for _, a in tree.named(t) for x in a.ravel().tolist()]


def steps(update, p, gs, *args, **options):
    """The parameters after each step; every input is read-only."""
    s, out = optimizers.start(p), []
    for g in gs:
        p, s = update(p, g, read_only(s), *args, **options)
        p = read_only(p)
        out.append(p)
    assert s.t == len(gs)
    return out


CASES = {
    "(O1)": (optimizers.sgd, {}, lambda w, gs: oracle.sgd(w, gs, LR)),
    "(O2)": (optimizers.sgd, {"momentum": 0.9}, lambda w, gs: oracle.momentum(w, gs, LR, 0.9)),
    "(O3) (O4)": (optimizers.rmsprop, {}, lambda w, gs: oracle.rmsprop(w, gs, LR, 0.9, 1e-8)),
    "(O3) (O4) options": (optimizers.rmsprop, {"rho": 0.5, "eps": 0.1}, lambda w,
                          gs: oracle.rmsprop(w, gs, LR, 0.5, 0.1)),
    "(O5) (O6)": (optimizers.adam, {}, lambda w, gs: oracle.adam(w, gs, LR, 0.9, 0.999, 1e-8)),
    "(O5) (O6) options": (optimizers.adam, {"beta1": 0.5, "beta2": 0.8, "eps": 0.1},
                          lambda w, gs: oracle.adam(w, gs, LR, 0.5, 0.8, 0.1)),
}
cases = pytest.mark.parametrize("update, options, oracle", CASES.values(), ids=CASES)


@cases
def test_every_step_is_the_oracles(update, options, oracle):
    p, gs = draws()
    got = steps(update, p, gs, LR, **options)
    assert form(got[-1]) == form(p)
    np.testing.assert_allclose([flat(t) for t in got], oracle(flat(p), [flat(g) for g in gs]), rtol=0,
                               atol=1e-13)


@cases
def test_float32_stays_float32(update, options, oracle):
    p, gs = draws(dtype=np.float32)
    s = optimizers.start(p)
    for g in gs:
        p, s = update(p, optimizers.clip_by_value(optimizers.clip_by_norm(g, 1.0)[0], 0.5), s, LR, **options)
    assert {a.dtype for _, a in tree.named((p, s.m, s.v))} == {np.dtype(np.float32)}


def test_the_same_step_twice_gives_the_same_bits():
    p, gs = draws()
    for name, update in optimizers.OPTIMIZERS.items():
        _, s = update(p, gs[0], optimizers.start(p), LR)
        one, two = (update(p, gs[1], s, LR) for _ in range(2))
        assert flat(one[0]) == flat(two[0]), name
        assert flat(one[1][1:]) == flat(two[1][1:]), name


def test_adams_first_step_is_lr_in_every_entry_however_large_the_gradient():
    p, gs = draws()
    for scale in (1, 1e6):
        new, _ = optimizers.adam(p, tree.map(lambda a: scale * a, gs[0]), optimizers.start(p), 0.01)
        close(tree.map(lambda a, b: np.abs(a - b), new, p), tree.map(lambda a: np.full_like(a, 0.01), p),
              1e-5)


def test_the_names():
    assert optimizers.OPTIMIZERS == {"sgd": optimizers.sgd, "rmsprop": optimizers.rmsprop, "adam": optimizers.adam}


# Clipping ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("limit", [0.3, 2.0, 1e9])
def test_clip_by_norm_is_the_oracles(limit):
    """(C1)"""
    g = draws()[1][0]
    got, size = optimizers.clip_by_norm(g, limit)
    lists = [a.ravel().tolist() for _, a in tree.named(g)]
    assert size == pytest.approx(oracle.global_norm(lists), rel=1e-14) and size > 2.0
    want = [x for one in oracle.clip_by_global_norm(lists, limit) for x in one]
    np.testing.assert_allclose(flat(got), want, rtol=1e-14)
    assert optimizers.norm(got) == pytest.approx(min(limit, size), rel=1e-14)


def test_there_is_one_norm_for_all_arrays_together():
    """Mistake: a norm for each tensor.  Here each alone is short enough, both together are not."""
    g = (np.array([3.0]), np.array([4.0]))
    got, size = optimizers.clip_by_norm(g, 4.5)
    assert size == 5
    close(got, (np.array([2.7]), np.array([3.6])))


def test_a_short_gradient_is_left_alone():
    g = draws()[1][0]
    assert optimizers.clip_by_norm(g, 1e9)[0] is g
    assert flat(optimizers.clip_by_norm(tree.zeros_like(g), 1.0)[0]) == [0.0] * len(flat(g))


def test_the_norm_of_float32_does_not_overflow():
    assert optimizers.norm((np.full(4, 1e30, np.float32),)) == pytest.approx(2e30, rel=1e-6)


@pytest.mark.parametrize("limit", [0.1, 0.8, 1e9])
def test_clip_by_value_is_the_oracles(limit):
    """(C2)"""
    g = draws()[1][0]
    assert flat(optimizers.clip_by_value(g, limit)) == oracle.clip_by_value([flat(g)], limit)[0]


# All of it -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("limit, value", [(None, None), (0.3, None), (None, 0.1), (0.3, 0.1)])
def test_a_step_is_clipping_and_then_the_update(limit, value):
    p, gs = draws()
    s, g = optimizers.start(p), gs[0]
    got, state, size, finite = optimizers.step(p, g, s, "sgd", LR, limit, value, momentum=0.9)
    clipped = optimizers.clip_by_norm(g, limit)[0] if limit else g
    clipped = optimizers.clip_by_value(clipped, value) if value else clipped
    want, want_state = optimizers.sgd(p, clipped, s, LR, 0.9)
    assert flat(got) == flat(want) and flat(state.m) == flat(want_state.m) and state.t == 1
    assert size == optimizers.norm(g) and finite


def test_a_step_says_when_weights_are_no_longer_finite():
    p, gs = draws()
    for bad in (np.nan, np.inf, -np.inf):
        broken = tree.map(np.array, p)
        broken[0].b[1] = bad
        assert not optimizers.step(broken, gs[0], optimizers.start(p), "adam", LR)[3]
