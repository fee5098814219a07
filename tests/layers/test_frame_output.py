"""Frame output: (FO1) (FO2) (FO3) by the oracle, their derivatives by complex step; padding, extremes, layout."""
import math

import numpy as np
import pytest

from draw import close, normal, read_only, same
from minis2s.core.gradient_check import assert_gradients
from minis2s.data.batches import target_frames
from minis2s.layers import frame_output
from minis2s.testing import oracle

F, R = 5, 3
errors = pytest.mark.parametrize("error", frame_output.ERRORS)


def example(lengths=(7, 3, 1, 6), r=R, seed=0):
    """What a readout says (S, N, r F + 1), targets, mask: examples whose last step is full, or has one frame."""
    rng = np.random.default_rng(seed)
    _, targets, mask = target_frames([normal(rng, T, F) for T in lengths], r, "float64")
    return read_only((normal(rng, *mask.shape[:2], r * F + 1, scale=2), targets, mask))


@errors
@pytest.mark.parametrize("r", [1, 2, 3, 9])
def test_forward_is_the_oracles(r, error):
    out, targets, mask = example(r=r)
    L, _ = frame_output.forward(out, targets, mask, error)
    close(L, oracle.frames_loss(out.tolist(), targets.tolist(), mask.tolist(), error))        # (FO1) (FO2) (FO3)


@errors
@pytest.mark.parametrize("r", [1, 2, 3, 9])
def test_gradients(r, error):
    out, targets, mask = example(r=r)
    k = read_only(frame_output.forward(out, targets, mask, error)[1])
    got = frame_output.backward(k)
    # (FO1*) (FO2*) (FO3*)
    assert_gradients(lambda v: frame_output.forward(v, targets, mask, error)[0], out, got, 1e-12)
    same(frame_output.backward(k), got)


def test_the_stop_is_wanted_in_each_examples_last_step_only():
    _, _, mask = example()
    np.testing.assert_array_equal(frame_output.stops(mask), [[0, 1, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0]])


@errors
def test_padding_counts_nowhere(error):
    out, targets, mask = example()
    L, k = frame_output.forward(out, targets, mask, error)
    d = frame_output.backward(k)
    y, a = frame_output.split(d, R)
    assert (y[~mask] == 0).all() and (y[mask] != 0).all()
    assert (a[~mask[:, :, 0]] == 0).all() and (a[mask[:, :, 0]] != 0).all()
    real = np.concatenate([np.repeat(mask, F, axis=2), mask[:, :, :1]], axis=2)
    other = np.where(real, out, -700.0), np.where(real[:, :, :-1], targets, 1e3)
    L2, k2 = frame_output.forward(*other, mask, error)
    same((np.float64(L2), frame_output.backward(k2)), (np.float64(L), d))


@errors
def test_its_parts(error):
    """The parts are means: of the real frames' numbers, of the real steps' decisions."""
    out, targets, mask = example()
    L, k = frame_output.forward(out, targets, mask, error)
    frames, stop = frame_output.parts(k)
    close(np.float64(frames + stop * mask[:, :, 0].sum() / mask.sum()), np.float64(L))
    e = (out[:, :, :-1].reshape(k.e.shape) - targets.reshape(k.e.shape))[mask]
    close(np.float64(frames), (e ** 2 if error == "squared" else np.abs(e)).mean())


@pytest.mark.parametrize("a", [-800.0, -30.0, 0.0, 30.0, 800.0])
def test_the_stop_decision_neither_overflows_nor_vanishes(a):
    out, targets, mask = np.full((1, 1, 2), a), np.full((1, 1, 1), a), np.ones((1, 1, 1), bool)
    with np.errstate(all="raise", under="ignore"):
        L, k = frame_output.forward(out, targets, mask)
        (_, da), = frame_output.backward(k)[0]
    assert L == pytest.approx(oracle.stop_error(a, 1.0), rel=1e-15) and math.isfinite(L)
    assert da == pytest.approx(oracle.sigmoid(a) - 1, rel=1e-12, abs=1e-15)


def test_frames_side_by_side():
    """Inputs: zeros, then the last frame of the step before; targets: r frames side by side, zeros behind the end."""
    f = np.arange(1.0, 11).reshape(5, 2)
    inputs, targets, mask = target_frames([f, f[:1]], 2, "float64")
    np.testing.assert_array_equal(targets[:, 0], [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 0, 0]])
    np.testing.assert_array_equal(inputs[:, 0], [[0, 0], [3, 4], [7, 8]])
    np.testing.assert_array_equal(mask, [[[1, 1], [1, 0]], [[1, 1], [0, 0]], [[1, 0], [0, 0]]])
    out = np.concatenate([targets, np.ones((3, 2, 1))], axis=2)
    np.testing.assert_array_equal(frame_output.last_frame(out, 2)[0, 0], [3, 4])
    (y, a) = frame_output.split(out, 2)
    np.testing.assert_array_equal(y[1, 0], [[5, 6], [7, 8]])
    np.testing.assert_array_equal(a, np.ones((3, 2)))


def test_float32_stays_float32():
    out, targets, mask = (a.astype("float32") if a.dtype.kind == "f" else a for a in example())
    k = frame_output.forward(out, targets, mask)[1]
    assert k.e.dtype == k.a.dtype == frame_output.backward(k).dtype == np.float32
