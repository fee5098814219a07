"""The compiled output of frames, alone and together with the readout, against frame_output.py and linear.py."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from draw import normal, same
from kernel_layers import BOUND, close, guarded, unchanged
from minis2s.core import tree
from minis2s.data.batches import target_frames
from minis2s.kernels.layers import frame_output as kernels, readout
from minis2s.kernels.linalg import gemm
from minis2s.kernels.runtime import jit
from minis2s.layers import frame_output, linear

errors = pytest.mark.parametrize("error", frame_output.ERRORS)


def case(S, N, R, r, F, dtype="float64", seed=0):
    """-> p, rs, targets, mask: examples of up to S steps, whose last step is often not full."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, r * S + 1, N)
    lengths[0] = r * S - (r > 1)
    p = linear.Params(normal(rng, R, r * F + 1), normal(rng, r * F + 1))
    _, targets, mask = target_frames([normal(rng, int(T), F) for T in lengths], r, dtype)
    p, rs = guarded(tree.map(lambda a: a.astype(dtype), (p, normal(rng, S, N, R, scale=2))))
    return p, rs, targets, mask


def reference(p, rs, targets, mask, error):
    """What it must give: (Y1), (FO1)..(FO3), and (FO3*)..(FO1*), (Y1*) on the way back."""
    L, k = frame_output.forward(linear.forward(p, rs), targets, mask, error)
    return L, *linear.backward(p, rs, frame_output.backward(k))


def check(given, error):
    p, rs, targets, mask = given
    dtype = rs.dtype.name
    with unchanged(given):
        (L, *got), (L_want, *want) = (f(*given, error) for f in (kernels.loss_and_gradient, reference))
    assert isinstance(L, float)
    close((np.asarray([L], dtype), *got), (np.asarray([L_want], dtype), *want), dtype)
    out = linear.forward(p, rs)
    (L, k), (L_want, k_want) = (page.forward(out, targets, mask, error) for page in (kernels, frame_output))
    np.testing.assert_array_equal(k.stop, k_want.stop)
    assert k.mask is mask and k.error == error
    with unchanged(k[:4]):
        close((np.asarray([L], dtype), k.e, k.a, kernels.backward(k)),
              (np.asarray([L_want], dtype), k_want.e, k_want.a, frame_output.backward(k_want)), dtype)


@errors
@pytest.mark.parametrize("dtype", BOUND)
def test_the_layer_and_the_readout_with_it(error, dtype):
    """Rows up to, and beyond, those made at a time and those summed at a time; frames of one number, and of more than
    a vector has."""
    made, summed = readout.ROWS, gemm.DEPTH
    for sizes in ((1, 1, 1, 1, 1), (3, 4, 5, 2, 3), (2, 3, 7, 3, 17), (4, 2, 20, 1, 33), (1, made + 1, 3, 2, 5),
                  (2, summed // 2, 3, 1, 4), (3, summed // 3 + 5, 4, 2, 3)):
        check(case(*sizes, dtype), error)


@given(S=st.integers(1, 5), N=st.integers(1, 9), R=st.integers(1, 20), r=st.integers(1, 4), F=st.integers(1, 40),
       error=st.sampled_from(frame_output.ERRORS), dtype=st.sampled_from(list(BOUND)), seed=st.integers(0, 99))
def test_any_size(S, N, R, r, F, error, dtype, seed):
    check(case(S, N, R, r, F, dtype, seed), error)


@errors
def test_scores_of_the_stop_that_overflow_and_frames_that_are_met(error):
    """exp(800) is no number; the error's derivative is 0 where the error is."""
    for b in (800.0, -800.0):
        p, rs, targets, mask = case(3, 4, 5, 2, 3)
        check((p._replace(b=np.where(np.arange(7) == 6, b, p.b)), rs, targets, mask), error)
    p, rs, targets, mask = case(3, 4, 5, 2, 3)
    check((linear.Params(0 * p.W, 0 * p.b), rs, 0 * targets, mask), error)


@errors
def test_padding_says_nothing(error):
    p, rs, targets, mask = case(5, 6, 4, 2, 3)
    real = mask[:, :, 0]
    other = np.where(real[:, :, None], rs, 7.0), np.where(np.repeat(mask, 3, axis=2), targets, np.inf)
    (L, drs, g), (L2, drs2, g2) = (kernels.loss_and_gradient(p, *given, mask, error)
                                   for given in ((rs, targets), other))
    assert not real.all() and L == L2 and not drs[~real].any()
    close((drs, g), (drs2, g2), "float64")


@errors
def test_any_number_of_threads_gives_the_same_bits(error, use):
    given, results = (*case(27, 20, 21, 3, 50, "float32"), error), []
    for count in (1, 1, 2, 3):
        use(count)
        L, *rest = kernels.loss_and_gradient(*given)
        L2, k = kernels.forward(linear.forward(*given[:2]), *given[2:])
        results.append((np.asarray([L, L2], "float32"), *rest, kernels.backward(k)))
    for other in results[1:]:
        if jit.JIT:                                            # else BLAS does as it likes
            same(other, results[0])


@pytest.mark.parametrize("wrong, kind, message", [
    (dict(targets=np.zeros((3, 4, 5))), ValueError, r"targets: got shape \(3, 4, 5\), wanted \(3, 4, 6\)"),
    (dict(targets=np.zeros((3, 4, 6), "float32")), TypeError, "targets: got dtype float32, wanted float64"),
    (dict(mask=np.ones((3, 4), bool)), ValueError, r"mask: got shape \(3, 4\), wanted \(3, 4, r\)"),
    (dict(mask=np.ones((3, 4, 4), bool)), ValueError, "mask: got 4 frames of a step, wanted a divisor of 6 numbers"),
    (dict(mask=np.ones((3, 4, 2))), TypeError, "mask: got dtype float64, wanted bool numbers"),
    (dict(error="cubed"), ValueError, "error='cubed': choose one of squared, absolute"),
])
def test_what_does_not_fit_is_refused(wrong, kind, message):
    p, rs, targets, mask = case(3, 4, 5, 2, 3)
    given = {**dict(targets=targets, mask=mask, error="squared"), **wrong}
    for call in (lambda: kernels.loss_and_gradient(p, rs, **given), lambda: kernels.forward(rs @ p.W, **given)):
        with pytest.raises(kind, match=f"^{message}$"):
            call()
