"""The compiled readout, which never keeps the logits of a batch, against linear.py and loss.py."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from draw import form, normal, same
from kernel_layers import BOUND, close, guarded, unchanged
from minis2s.core import tree
from minis2s.kernels.layers import readout
from minis2s.kernels.linalg import gemm
from minis2s.kernels.runtime import jit
from minis2s.layers import linear, loss


def reference(p, rs, targets, mask, eps):
    """What it must give: (Y1), (X1)..(X3), and (X3*), (X1*), (Y1*) on the way back."""
    L, k = loss.forward(linear.forward(p, rs), targets, mask, eps)
    return L, *linear.backward(p, rs, loss.backward(k))


def case(S, N, R, V, dtype="float64", seed=0, tied=False):
    """-> p, rs, targets, mask; `tied`: W is the transpose of an embedding."""
    rng = np.random.default_rng(seed)
    W = normal(rng, V, R).T if tied else normal(rng, R, V)
    p = linear.Params(W.astype(dtype, order="K"), normal(rng, V).astype(dtype))
    rs = normal(rng, S, N, R, scale=2)
    mask = np.arange(S)[:, None] < rng.integers(0, S + 1, N)
    mask[:, 0] = True
    given = p, rs.astype(dtype), rng.integers(0, V, (S, N)), mask
    return given if tied else guarded(given)                   # a copy would not be transposed


def check(p, rs, targets, mask, eps):
    with unchanged(p, rs, targets, mask):
        (L, *got), (L_want, *want) = (f(p, rs, targets, mask, eps) for f in (readout.loss_and_gradient, reference))
    assert isinstance(L, float) and isinstance(L_want, float) and form(tuple(got)) == form(tuple(want))
    dtype = rs.dtype.name
    close((np.asarray([L], dtype), *got), (np.asarray([L_want], dtype), *want), dtype)


@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("eps", [0.0, 0.1])
def test_readout_and_loss_are_those_of_the_pages(dtype, eps):
    """Rows up to, and beyond, those made at a time and those summed at a time."""
    made, summed = readout.ROWS, gemm.DEPTH
    for S, N, R, V in ((1, 1, 1, 2), (1, 1, 3, 1), (2, 2, 70, 150), (1, made, 5, 16), (1, made + 1, 16, 33),
                       (3, made, 4, 20), (2, summed // 2, 3, 9), (1, summed + 1, 5, 21),
                       (5, summed // 5 * 2 + 5, 4, 3)):
        check(*case(S, N, R, V, dtype), eps)


@given(S=st.integers(1, 5), N=st.integers(1, 20), R=st.integers(1, 20), V=st.integers(1, 80),
       eps=st.sampled_from([0.0, 0.3]), dtype=st.sampled_from(list(BOUND)), seed=st.integers(0, 99),
       tied=st.booleans())
def test_any_size(S, N, R, V, eps, dtype, seed, tied):
    check(*case(S, N, R, V, "float64" if tied else dtype, seed, tied), eps)


@pytest.mark.parametrize("V", [5, 16, 40])
def test_the_weights_of_the_embedding_and_arrays_of_other_order(V):
    p, rs, targets, mask = case(30, 20, 11, V, tied=True)
    assert V == 5 or not p.W.flags.c_contiguous
    check(p, rs, np.asfortranarray(targets), np.asfortranarray(mask), 0.1)


@pytest.mark.parametrize("V", [3, 16, 37])
@pytest.mark.parametrize("size", [1e3, -1e3])
def test_large_logits_of_one_sign(V, size):
    """Only the greatest logit is a safe shift: the last one as well as the first."""
    for v in (0, V - 1):
        p, rs, targets, mask = case(2, 3, 4, V)
        b = np.full(V, size)
        b[v] += 800
        check(p._replace(b=b), rs, targets, mask, 0.1)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("V", [6, 16, 37])
@pytest.mark.parametrize("eps", [0.0, 0.1])
def test_what_is_not_finite_spreads_as_in_numpy(bad, V, eps):
    for where, index in (("b", 0), ("b", V - 1), ("W", (2, 1)), ("W", (0, V - 2)), ("rs", (1, 2, 3))):
        p, rs, targets, mask = case(4, 5, 6, V)
        arrays = {"W": p.W.copy(), "b": p.b.copy(), "rs": rs.copy()}
        arrays[where][index] = bad
        given = linear.Params(arrays["W"], arrays["b"]), arrays["rs"], targets, mask, eps
        with np.errstate(all="ignore"):
            (L, *got), (L_want, *want) = (f(*given) for f in (readout.loss_and_gradient, reference))
            np.testing.assert_allclose(L, L_want, rtol=1e-12, err_msg=where)
            for (name, a), (_, b) in zip(tree.named(tuple(got)), tree.named(tuple(want)), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12, err_msg=f"{bad} in {where}: {name}")


def test_padding_says_nothing():
    """Whatever the padded rows read and want: the same loss and weights' gradients; their own are 0."""
    p, rs, targets, mask = case(6, 9, 5, 20)
    other_rs, other_targets = np.where(mask[:, :, None], rs, 7.0), np.where(mask, targets, 3)
    (L, drs, g), (L2, drs2, g2) = (readout.loss_and_gradient(p, *each, mask, 0.1)
                                   for each in ((rs, targets), (other_rs, other_targets)))
    assert not mask.all() and L == L2 and not drs[~mask].any() and not drs2[~mask].any()
    close((drs, g), (drs2, g2), "float64")


def test_twice_gives_the_same_bits_and_any_number_of_threads_too(use):
    given, results = (*case(27, 20, 21, 150, "float32"), 0.1), []
    for count in (1, 1, 2, 3):
        use(count)
        L, *rest = readout.loss_and_gradient(*given)
        results.append((np.asarray([L], "float32"), *rest))
    for other in results[1:]:
        if jit.JIT:                                            # else BLAS does as it likes
            same(other, results[0])
        close(other, results[0], "float32")
