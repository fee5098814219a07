"""The compiled readout at less precision gives the page's numbers, and whole searches their answers."""
import numpy as np
import pytest

from kernel_searches import case, check
from minis2s.core import tree
from minis2s.decoding import rough as reference
from minis2s.decoding.hypotheses import NEVER
from minis2s.kernels.decoding import rough
from minis2s.kernels.decoding.beam import beam
from minis2s.kernels.decoding.greedy import greedy
from minis2s.kernels.decoding.hypotheses import read_out
from minis2s.kernels.linalg.gemm import operand
from minis2s.kernels.linalg.simd import at
from minis2s.kernels.linalg.simd.whole import read_whole, write_whole
from minis2s.kernels.runtime import jit

PRECISIONS = tuple(reference.PRECISIONS)
SIZES = [(37, 150), (5, 7), (16, 64), (33, 129)]                        # R, V
MODELS = ("two-ways-additive", "everything", "transformer-dropout-pre") if jit.JIT else (
    "two-ways-additive", "everything", "transformer-dropout-pre", "every-step-sigmoid")


@jit.jit("test.roughly")
def roughly(k, rs, b, logits, r0, r1):
    return rough.roughly(k, rs, b, logits, r0, r1)


@jit.jit("test.in_full")
def in_full(rs, W, b, logits):
    read_out(rs, operand(None, W, len(rs)), b, logits, 0, len(rs))


@jit.jit("test.whole")
def there_and_back(q, x, a):
    write_whole(q, 16, a[at(0, x)])
    a[at(0, 16)] = read_whole(q, 16, a)


def drawn(R, V, N, dtype):
    rng = np.random.default_rng(R * V)
    W = rng.standard_normal((R, V)) * rng.uniform(0.01, 1, V)
    return W.astype(dtype), rng.standard_normal(V).astype(dtype), rng.standard_normal((N, R)).astype(dtype)


def written(k, rs, b, K):
    """-> the logits of all rows but the first and the last, which must stay as they were."""
    N, V = len(rs), len(b)
    logits = np.full((N, len(k.s)), 7.0, rs.dtype)
    logits[:, V:] = -np.inf
    assert roughly(k, rs, b, logits, 1, N - 1)
    assert (logits[[0, -1], :V] == 7).all() and np.isneginf(logits[:, V:]).all()
    return logits[1:-1, :V]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("R, V", SIZES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rounded_weights(precision, R, V, dtype):
    W, b, _ = drawn(R, V, 1, dtype)
    W[:, 2] = 0
    k, want = rough.rough_of(W, b, precision, 1, 1), reference.rounded(W, b, precision)
    q = np.concatenate(list(k.numbers.reshape(-1, R, 64)), axis=1)[:, :V]
    near = (q.astype(np.uint32) << 16).view(np.float32) if precision == "bf16" else q * k.s[:V]
    np.testing.assert_array_equal(near.astype(dtype), want.W)
    np.testing.assert_allclose(k.e[:V], want.e, rtol=1e-12 if dtype == "float64" else 1e-4)
    np.testing.assert_allclose(k.c[:V], want.c, rtol=1e-6)
    assert not k.e[V:].any() and not k.c[V:].any()


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("R, V", SIZES)
@pytest.mark.parametrize("K", [1, 3])
def test_logits(precision, R, V, K):
    """Of 1 to 9 rows: the best in full, the others rough as the page has them, or in full as well."""
    never = np.isin(np.arange(V), NEVER)
    for N in (3, 4, 6, 7, 10):
        W, b, rs = drawn(R, V, N, "float64")
        k, full = rough.rough_of(W, b, precision, 1, K), rs @ W + b
        k = k._replace(best=np.empty((N, K)))
        got, near = written(k, rs, b, K), reference.rounded(W, b, precision)
        for r, l, f in zip(rs[1:-1], got, full[1:-1]):
            want = reference.logits(r, W, b, near, K, never)
            is_full, is_rough = (np.isclose(l, x, rtol=1e-12, atol=1e-12) for x in (f, r @ near.W + b))
            assert (is_full | is_rough).all() and is_full[np.isclose(want, f, rtol=1e-13, atol=1e-13)].all()
            assert not never[np.argmax(np.where(never, -np.inf, l))]


@pytest.mark.skipif(not jit.JIT, reason="BLAS sums in another order")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_best_have_the_bits_of_the_product_in_full(precision):
    W, b, rs = drawn(70, 200, 6, "float32")
    k, full = rough.rough_of(W, b, precision, 6, 4), np.empty((6, 200), np.float32)
    in_full(rs, W, b, full)
    for l, f in zip(written(k, rs, b, 4), full[1:-1]):
        best = [v for v in np.argsort(-f) if v not in NEVER][:4]
        np.testing.assert_array_equal(l[best], f[best])
        assert (l != f).any()


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_greedy_answers_stay_the_same(name, precision):
    for seed in range(3):
        given = (*case(name, seed, target_vocab=150), 9)
        got, want = greedy(*given, precision=precision), greedy(*given)
        check(got, want, 0.05)                                          # log p, which must be close
        assert any(g[0].log_prob != w[0].log_prob for g, w in zip(got, want))


@pytest.mark.parametrize("name", MODELS)
def test_beams(name):
    """A beam keeps the same answers as long as no two are nearly as good; with too many hypotheses nothing changes."""
    for precision in PRECISIONS:
        given = (*case(name, 1, lengths=(5, 2), target_vocab=150), 6, 4, 0.6, 2)
        check(beam(*given, precision), beam(*given), 0.05)
        given = (*case(name, 1, target_vocab=150), 6, 2, 0.6, 2)
        check(beam(*given, precision), beam(*given), 0)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_threads_give_the_same_bits(precision, use):
    given, results = (*case("two-ways-additive", 0, target_vocab=700), 6, 1, 0.0, 1, precision), []
    for count in (1, 2, 3):
        use(count)
        results.append(beam(*given))
    for other in results[1:]:
        check(other, results[0], 0)


def test_a_readout_shared_with_the_embedding():
    """Its rows lie in memory as columns."""
    given = (*case("everything", 0, target_vocab=90), 6)
    p = given[0]
    turned = tree.map(lambda a: np.asfortranarray(a) if a.ndim == 2 else a, p)
    check(greedy(turned, *given[1:], precision="int8"), greedy(*given, precision="int8"), 0)


def test_numbers_that_are_none_are_seen():
    p, *given = case("two-ways-additive", 0, target_vocab=90)
    p.decoder.readout.b[40] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        greedy(p, *given, 5, precision="int8")


@pytest.mark.parametrize("precision", PRECISIONS)
def test_weights_that_are_not_finite_are_read_in_full(precision):
    """So they give what they give without a precision: an answer, or the same words about NaN."""
    for bad in (np.inf, np.array(0x7FFFFFFFFFFFFFFF).view(float), 1e300):
        p, *given = case("two-ways-additive", 0, target_vocab=90)
        p.decoder.readout.W[:, 40], p.decoder.readout.b[40] = bad, -np.inf
        try:
            want = greedy(p, *given, 5)
        except ValueError as e:
            with pytest.raises(ValueError, match=str(e)):
                greedy(p, *given, 5, precision=precision)
        else:
            check(greedy(p, *given, 5, precision=precision), want, 0)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("of_b, of_W", [(1e5, 0.1), (-np.inf, 1.0), (0.0, 1e-30), (0.0, 1e17)])
def test_numbers_of_strange_sizes(precision, of_b, of_W):
    """Where rounding decides which token is best, the tokens that it may be are all in full; half of b is -inf."""
    rng = np.random.default_rng(0)
    for seed in range(4):
        p, *given = case("two-ways-additive", seed, "float32", target_vocab=200)
        W, b = p.decoder.readout.W, p.decoder.readout.b
        W[:], b[:] = rng.standard_normal(W.shape) * of_W, rng.standard_normal(b.shape)
        b[6::2] += of_b if np.isinf(of_b) else 0
        b[:] += 0 if np.isinf(of_b) else of_b
        got, want = greedy(p, *given, 8, precision=precision), greedy(p, *given, 8)
        assert [a[0].ids for a in got] == [a[0].ids for a in want]


def test_refused():
    with pytest.raises(ValueError, match="precision='int4': choose one of int8, bf16"):
        greedy(*case("two-ways-additive", 0), 5, precision="int4")
    with pytest.raises(ValueError, match="precision='int8': a model with readout=copy"):
        greedy(*case("copying-before", 0), 5, precision="int8")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kept", [np.int8, np.uint16])
def test_vectors_of_whole_numbers(dtype, kept):
    """A shorter last part of a row counts as zeros; what stands before and behind is not touched."""
    a, q = np.array([0.5, 1.5, -2.5, 126.6, -1 - 2**-8, *range(11)], dtype), np.full(48, 9, kept)
    there_and_back(q, 16, a)
    first = [0, 2, -2, 127, -1] if kept == np.int8 else [0.5, 1.5, -2.5, 126.5, -1]
    np.testing.assert_array_equal(a, [*first, *range(11)])
    assert (q[:16] == 9).all() and (q[32:] == 9).all()
    there_and_back(q, 5, a)
    np.testing.assert_array_equal(a, [*first] + [0] * 11)
