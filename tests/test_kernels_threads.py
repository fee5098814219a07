"""Work shared among threads: who gets which rows and columns, and sums that do not depend on it."""
import numpy as np
import pytest

from minis2s.kernels import jit, threads
from minis2s.kernels.simd import LANES


@pytest.fixture
def use(monkeypatch):
    """`use(count)`: so many threads for whatever work there is, until the end of the test."""
    monkeypatch.setattr(threads, "ENOUGH", 1)
    yield threads.use
    threads.use(1)


def test_so_many_threads_as_there_is_work_for(monkeypatch):
    monkeypatch.setattr(threads.Workers, "count", 4)
    much = 100 * threads.ENOUGH
    assert [threads.parts(size, much) for size in (0, 1, 6, 7, 12, 13, 100)] == [1, 1, 1, 2, 2, 3, 4]
    assert [threads.parts(size, much, 64) for size in (64, 65, 128, 129, 1000)] == [1, 2, 2, 3, 4]
    shares = 0, 0.9, 1.9, 2, 3.5, 4, 99
    assert [threads.parts(100, k * threads.ENOUGH) for k in shares] == [1, 1, 1, 2, 3, 4, 4]
    monkeypatch.setattr(threads.Workers, "count", 1)
    assert threads.parts(100, much) == 1


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("over, name, grain", [(threads.over_rows, "N", 6),
                                               (threads.over_columns, "J", 4 * LANES)])
def test_parts_are_the_whole_without_gaps(use, count, over, name, grain):
    use(count)
    for size in (1, 5, 6, 7, 12, 41, 63, 64, 65, 128, 190, 450):
        parts = []
        over(lambda *args: parts.append(args), "given", **{name: size}, work=1e9)
        parts.sort(key=lambda part: part[1])
        assert {part[0] for part in parts} == {"given"}
        assert [part[1] for part in parts] + [size] == [0] + [part[2] for part in parts]
        assert all(part[1] % grain == 0 and part[1] < part[2] for part in parts)
        assert len(parts) == min(count, -(-size // grain))
        assert max(part[2] - part[1] for part in parts) <= size / len(parts) + grain


def test_what_goes_wrong_in_a_thread_is_said(use):
    use(2)

    def fails(n0, n1):
        raise ZeroDivisionError(n0)
    with pytest.raises(ZeroDivisionError):
        threads.over_rows(fails, N=20, work=1e9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_of_weights_and_biases(use, dtype):
    rng, results = np.random.default_rng(0), []
    x, da = rng.normal(size=(3, 50, 37)).astype(dtype), rng.normal(size=(3, 50, 150)).astype(dtype)
    for count in (1, 2, 3):
        use(count)
        results.append((threads.weight_gradient(x, da), threads.bias_gradient(da)))
        for got, want in zip(results[-1], (np.einsum("tni,tnj->ij", x, da), da.sum(axis=(0, 1)))):
            assert got.dtype == dtype
            np.testing.assert_allclose(got, want, rtol=0, atol=2e-4 if dtype == "float32" else 1e-12)
            if jit.JIT:
                np.testing.assert_array_equal(got, results[0][got.ndim == 1])
