"""A readout read at less precision: how far its logits may be off, and which are computed in full."""
import numpy as np
import pytest

from minis2s.decoding import rough

DTYPES, PRECISIONS = ("float32", "float64"), tuple(rough.PRECISIONS)


def readout(rng, R, V, dtype="float64"):
    """W with columns of different sizes, one of zeros, one that a single weight rules; and b."""
    W = rng.standard_normal((R, V)) * rng.uniform(0.01, 3, V)
    W[:, 3], W[0, 5] = 0, 100
    return W.astype(dtype), rng.standard_normal(V).astype(dtype)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_logit_lies_within_its_bound(precision, dtype):
    rng = np.random.default_rng(0)
    W, b = readout(rng, 37, 90, dtype)
    near, e, c = rough.rounded(W, b, precision)
    assert near.dtype == e.dtype == dtype and not near[:, 3].any() and e[3] == 0
    for r in (*rng.standard_normal((50, 37)), *(near - W).T):          # the second: a row for which it is least off
        r = r.astype(dtype)
        off = np.abs((r @ near + b) - (r @ W + b))
        assert (off <= np.sqrt(r @ r) * e + c).all()
    worst = [abs(d @ d) / (np.sqrt(d @ d) * bound) for d, bound in zip((near - W).T, e) if bound]
    assert max(worst) > 0.99                                            # and no bound is wider than it must be


def test_int8_has_127_steps_to_each_side():
    W = np.array([[1.27, 0.0], [-0.016, 0.0], [0.014, 0.0], [-1.27, 0.0]])
    np.testing.assert_allclose(rough.rounded(W, np.zeros(2), "int8").W[:, 0], [1.27, -0.02, 0.01, -1.27], rtol=1e-12)


@pytest.mark.parametrize("number, near", [(1.0, 1.0), (1 + 2**-8, 1.0), (1 + 3 * 2**-8, 1 + 2**-6),
                                          (-1 - 2**-7, -1 - 2**-7),
                                          (1 + 2**-8 + 2**-20, 1 + 2**-7), (3e-39, 3.0305e-39), (0.1, 0.10009765625)])
def test_bf16_has_8_bits(number, near):
    """Half a step goes to the even neighbour."""
    for dtype in DTYPES:
        (got,), = rough.rounded(np.array([[number]], dtype), np.zeros(1, dtype), "bf16").W
        np.testing.assert_allclose(got, near, rtol=1e-4 if abs(near) < 1e-30 else 1e-7)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("K", [1, 2, 7, 86, 87, 200])
def test_the_best_are_computed_in_full(precision, K):
    rng = np.random.default_rng(K)
    W, b = readout(rng, 37, 90)
    never, few = np.arange(90) < 4, 0
    for r in rng.standard_normal((20, 37)):
        l, full = rough.logits(r, W, b, rough.rounded(W, b, precision), K, never), r @ W + b
        best = [v for v in np.argsort(-full) if not never[v]][:K]
        np.testing.assert_allclose(l[best], full[best], rtol=1e-12, atol=1e-12)
        assert set(best) == set([v for v in np.argsort(-l) if not never[v]][:K])
        few += np.isclose(l, full, rtol=1e-12).sum()
    assert K > 7 or few < 20 * 60                                       # and not all


@pytest.mark.parametrize("precision", ["int4", "float32", None, 8, ""])
def test_other_precisions_are_refused(precision):
    with pytest.raises(ValueError, match="choose one of int8, bf16"):
        rough.rounded(np.ones((2, 3)), np.ones(3), precision)
    with pytest.raises(ValueError, match="readout=copy"):
        rough.check("int8", copies=True)


def test_what_is_said():
    assert "greedy answers stay the same" in rough.said("int8", 1)
    assert "the beam may keep the other one" in rough.said("bf16", 4) and "more than 8" in rough.said("bf16", 4)


def test_what_rounding_b_may_cost_counts_as_well():
    """Two tokens that c_v alone leaves undecided are both computed in full."""
    r, W, b = np.ones(3), np.zeros((3, 2)), np.array([0.0, 0.5])
    for c, want in ((1.0, [0, 0.5]), (0.1, [3, 0.5])):
        moved = rough.Rough(W + 1, np.zeros(2), np.full(2, c))
        np.testing.assert_array_equal(rough.logits(r, W, b, moved, 1, np.zeros(2, bool)), want)
