"""The compiled cells and the compiled time loop against the NumPy path: field by field, outputs and all gradients.
"""
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from draw import like, normal, read_only, same
from kernel_layers import BOUND, Case, close, unchanged
from minis2s.core import tree
from minis2s.kernels.layers import recurrent as recurrent_kernels, unroll as compiled
from minis2s.kernels.linalg import gemm
from minis2s.kernels.runtime import jit, threads
from minis2s.layers import recurrent, unroll
from minis2s.layers.cells import CELLS

cells = pytest.mark.parametrize("name", CELLS)
dtypes = pytest.mark.parametrize("dtype", BOUND)


@cells
@dtypes
def test_twin_is_the_numpy_path(name, dtype):
    for sizes in ((1, 1, 1, 1), (5, 7, 16, 32), (4, 49, 37, 33), (3, 6, 130, 100)):
        Case(name, *sizes, dtype).check()


@cells
@given(T=st.integers(1, 6), N=st.integers(1, 37), D=st.integers(1, 37), H=st.integers(1, 37),
       seed=st.integers(0, 99),
       in_front=st.booleans(), dtype=st.sampled_from(list(BOUND)))
@settings(max_examples=8)
def test_any_size_and_lengths(name, T, N, D, H, seed, in_front, dtype):
    Case(name, T, N, D, H, dtype, seed, in_front).check()


@cells
def test_backward_twice_gives_the_same_bits(name):
    c = Case(name, 4, 5, 6, 20, "float32")
    k = compiled.forward(c.cell, c.p, c.xs, c.s0, c.mask)[2]
    args = c.cell, c.p, k if jit.JIT else read_only(k), c.dhs, c.d, c.mask
    with unchanged(*args[1:]):
        same(compiled.backward(*args), compiled.backward(*args))


@cells
@pytest.mark.parametrize("T, N", [(12, 50), (22, 47), (9, 130), (3, 520), (514, 1)])
def test_several_blocks_of_steps(name, T, N):
    """Weights' gradients are added after each block of about 512 rows; the last one may be shorter."""
    assert T > gemm.DEPTH // N and compiled.FEW == 48
    Case(name, T, N, 3, 7, "float64").check()


def with_threads(c, counts, use):
    """All that is there after forward and backward, for each number of threads."""
    results = []
    for count in counts:
        use(count)
        results.append(c.run(compiled))
    return results


@cells
@pytest.mark.parametrize("T, N, H", [(5, 41, 90), (4, 20, 70), (5, 50, 90), *([(23, 47, 66), (12, 130, 66)]
                                                                              if jit.JIT else [])])
def test_any_number_of_threads_gives_the_same_bits(name, T, N, H, use):
    """For rows more or less than FEW, and in one block of steps or several."""
    c = Case(name, T, N, 7, H, "float64")
    first, *others = with_threads(c, (1, 2, 3, 7), use)
    for other in others:
        for got, want in zip(other, first):
            if jit.JIT:                                        # else BLAS does as it likes
                same(got, want)
            close(got, want, "float64")
    for got, want in zip(first, c.run(unroll)):
        close(got, want, "float64")


@cells
@pytest.mark.parametrize("N", [50, 130, 200])
def test_the_size_of_the_cache_changes_no_bit(name, N, use):
    """Steps that make one product each, 3 together, or all of a block: as the weights stay in the cache, or do not."""
    use(1)
    c, results, before = Case(name, 7, N, 7, 20, "float64"), [], threads.QUEUE[threads.CACHE]
    try:
        for threads.QUEUE[threads.CACHE] in (1 << 40, 1):
            results.append(c.run(compiled))
    finally:
        threads.QUEUE[threads.CACHE] = before
    for got, want in zip(*results):
        same(got, want)


@cells
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_spreads_as_in_numpy(name, bad):
    c = Case(name, 3, 4, 5, 18, "float64")
    c.mask = np.ones_like(c.mask)
    for where in ("xs", "dhs"):
        old = getattr(c, where)
        new = old.copy()
        new[1, 2, 3] = bad
        setattr(c, where, new)
        with np.errstate(all="ignore"):
            for got, want in zip(c.run(compiled), c.run(unroll)):
                for (field, a), (_, b) in zip(tree.named(got), tree.named(want)):
                    np.testing.assert_array_equal(np.isnan(a), np.isnan(b), err_msg=f"{where} {field}")
                    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12, err_msg=f"{where} {field}")
        setattr(c, where, old)


@pytest.mark.parametrize("name, layers, two", [("lstm", 2, True), ("gru", 3, False), ("rnn", 2, True)])
def test_stacks_in_both_directions(name, layers, two):
    cell, rng, T, N, D, H = CELLS[name], np.random.default_rng(0), 5, 6, 7, 9
    sizes = [D] + [H * (1 + two)] * (layers - 1)

    def both(make):
        return recurrent.Bidirectional(make(), make()) if two else make()

    def zeros():
        return cell.State(*(normal(rng, N, H) for _ in cell.State._fields))
    p = tuple(both(lambda: like(rng, cell.init(rng, size, H), 0.3)) for size in sizes)
    xs, dhs = normal(rng, T, N, D), normal(rng, T, N, H * (1 + two))
    d = tuple(both(zeros) for _ in sizes)
    drops = tuple((rng.random((N, size)) < 0.7) / 0.7 for size in sizes)
    mask = np.arange(T)[:, None] < rng.integers(1, T + 1, N)
    results = []
    for stack in (recurrent, recurrent_kernels):
        hs, finals, k = stack.forward(cell, p, xs, mask, drops)
        results.append((hs, finals, *stack.backward(cell, p, k, dhs, d)))
    close(results[1], results[0], "float64")


@pytest.mark.skipif(not jit.JIT, reason="this is the run without compilation")
def test_without_compilation():
    """The kernels' tests once more as plain Python."""
    folder = Path(__file__).parents[1]
    run = subprocess.run([sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", str(folder)], text=True,
                         capture_output=True, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, cwd=folder.parents[1])
    assert run.returncode == 0, run.stdout[-3000:]
