"""Packing and matrix products, compiled and as plain Python."""
import warnings

import numpy as np
import pytest
from hypothesis import given, strategies as st

from minis2s.kernels.linalg import gemm, gradients, packing, tile
from minis2s.kernels.linalg.simd import LANES
from minis2s.kernels.runtime import jit

compiled = pytest.mark.skipif(not jit.JIT, reason="BLAS sums in another order")


@jit.jit("test.multiply")
def multiply(C, A, B, plus):
    if plus:
        gemm.add_product(C, A, gemm.packed(None, B))
    else:
        gemm.product(C, A, gemm.packed(None, B))


def check_product(M, K, N, dtype, seed=0, transposed=False):
    rng = np.random.default_rng(seed)
    A, B = rng.normal(size=(M, K)).astype(dtype), rng.normal(size=(K, N)).astype(dtype)
    if transposed:
        A = np.ascontiguousarray(A.T).T
        B = np.ascontiguousarray(B.T).T
    arena = np.full((M, N + 5), 3, dtype)
    C, want = arena[:, :N], A.astype("float64") @ B
    atol = (1e-6 if dtype == "float32" else 2e-15) * (K + 4)
    multiply(C, A, B, False)
    np.testing.assert_allclose(C, want, rtol=0, atol=atol)
    multiply(C, A, B, True)
    np.testing.assert_allclose(C, 2 * want, rtol=0, atol=2 * atol)
    assert (arena[:, N:] == 3).all()


@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 140), st.sampled_from(["float32", "float64"]),
       st.booleans(), st.integers(0, 99))
def test_products_of_any_size(M, K, N, dtype, transposed, seed):
    check_product(M, K, N, dtype, seed, transposed)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("transposed", [False, True])
def test_products_larger_than_the_blocks(dtype, transposed):
    check_product(tile.BLOCK * 3 + 5, tile.PANEL * 2 + 3, 4 * LANES + 17, dtype, transposed=transposed)


def test_a_row_of_a_product_does_not_depend_on_the_rows_done_with_it():
    """Bit for bit: the reason why threads change nothing."""
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(64, 700)).astype("float32"), rng.normal(size=(700, 80)).astype("float32")
    whole, part = np.empty((64, 80), "float32"), np.empty((64, 80), "float32")
    multiply(whole, A, B, False)
    for a, b in ((0, 5), (5, 6), (6, 20), (20, 64)):
        multiply(part[a:b], A[a:b], B, False)
    if jit.JIT:
        np.testing.assert_array_equal(whole, part)
    np.testing.assert_allclose(whole, part, atol=1e-4)


def test_products_propagate_what_is_not_finite():
    A, B, C = np.ones((3, 4)), np.ones((4, 5)), np.empty((3, 5))
    A[1, 2], B[0, 3] = np.nan, np.inf
    multiply(C, A, B, False)
    np.testing.assert_array_equal(C, A @ B)


@jit.jit("test.multiply_operand")
def multiply_operand(C, A, B, rows, plus):
    """-> whether B was packed"""
    operand = gemm.operand(None, B, rows)
    if plus:
        gemm.add_product(C, A, operand)
    else:
        gemm.product(C, A, operand)
    return operand.panels


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(st.integers(1, 4), st.integers(1, 40), st.integers(1, 140), st.booleans(), st.integers(0, 99))
def test_few_rows_read_b_as_it_lies_and_get_the_same_bits(dtype, M, K, N, plus, seed):
    rng = np.random.default_rng(seed)
    A, B = rng.normal(size=(M + 1, 2 * K)).astype(dtype), rng.normal(size=(K, N)).astype(dtype)
    want, got = np.full((2, M, N + 3), 3, dtype)
    multiply(want[:, :N], A[1:, ::2], B, plus)
    assert not multiply_operand(got[:, :N], A[1:, ::2], B, gemm.THIN, plus)
    check = np.testing.assert_array_equal if jit.JIT else np.testing.assert_allclose
    check(got, want)
    assert multiply_operand(got[:, :N], A[1:, ::2], B, gemm.THIN + 1, False)       # more rows, or gaps in B: panels
    np.testing.assert_allclose(got[:, :N], A[1:, ::2] @ B, rtol=0, atol=1e-5)
    if K > 1 and N > 1:
        assert multiply_operand(got[:, :N], A[1:, ::2], np.asfortranarray(B), 1, False)
        np.testing.assert_allclose(got[:, :N], A[1:, ::2] @ B, rtol=0, atol=1e-5)
    assert (got[:, N:] == 3).all()


@given(st.integers(1, 9), st.integers(1, 150))
def test_packing_and_back(K, N):
    B = np.random.default_rng(0).normal(size=(K, N))
    panels = pack(B)
    assert panels.size == K * -(-N // LANES) * LANES
    np.testing.assert_array_equal(gemm.unpacked(panels, K, N), B)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("K, N", [(1, 1), (5, 3), (16, 64), (17, 65), (100, 37), (33, 150)])
def test_packing_of_any_strides(K, N, dtype):
    """By rows, transposed (turned in squares of 16), and neither."""
    B, wide = np.random.default_rng(0).normal(size=(K, N)).astype(dtype), tile.tile_shape(dtype)[1]
    for flat, b_row, b_col in ((B, N, 1), (B.T, 1, K), (B.repeat(2, 0).repeat(2, 1), 4 * N, 2)):
        flat = np.ascontiguousarray(flat).ravel()
        if jit.JIT:
            size = flat.itemsize
            got = gemm.pack_weights(np.lib.stride_tricks.as_strided(flat, (K, N), (b_row * size, b_col * size)))
        else:
            got = np.full(K * packing.padded(N), 7, dtype)
            packing.copy_panels(got, flat, b_row, b_col, K, N, wide)
        want = [np.pad(B[:, n:n + wide * LANES], ((0, 0), (0, -min(N - n, wide * LANES) % LANES))).ravel()
                for n in range(0, N, wide * LANES)]
        np.testing.assert_array_equal(got, np.concatenate(want))


@pytest.mark.parametrize("count", [2, 3])
def test_threads_pack_the_same(use, count):
    B = np.random.default_rng(0).normal(size=(20, 300))
    one = [pack(B), pack(B.T[::2])]
    use(count)
    for got, want in zip([pack(B), pack(B.T[::2])], one):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_tile_fits_into_the_registers_of_every_machine(dtype):
    for bits, count in ((512, 32), (256, 16), (128, 32), (128, 16)):
        rows, wide = tile.tile_shape(dtype, (bits, count))
        each = LANES * 8 * np.dtype(dtype).itemsize // bits
        assert rows * wide == 1 or (rows * wide + wide) * each + 1 <= count
    assert tile.tile_shape("float32", (512, 32)) == (6, 4)
    assert tile.tile_shape("float32", (256, 16)) == (6, 1)


# A^T B ----------------------------------------------------------------------------------------------------

@pytest.mark.skipif(not jit.JIT, reason="NumPy needs no memory for it")
def test_a_product_that_finds_no_memory_says_so():
    def wide(columns):
        return np.lib.stride_tricks.as_strided(np.zeros(4), (1, columns), (8, 8))
    A, C = wide(1 << 50), np.lib.stride_tricks.as_strided(np.zeros(4), (1 << 50, 1), (8, 8))
    with pytest.raises(MemoryError):
        outer(C, A, wide(1), True)


@jit.jit("test.outer")
def outer(C, A, B, plus):
    if plus:
        gemm.add_outer_product(C, A, B)
    else:
        gemm.outer_product(C, A, B)


def check_outer(M, K, N, dtype, seed=0):
    """All three are parts of wider matrices."""
    rng = np.random.default_rng(seed)
    A, B = (rng.normal(size=(K, n + 9)).astype(dtype)[:, 5:n + 5] for n in (M, N))
    arena = np.full((M, N + 7), 3, dtype)
    C, want = arena[:, 1:N + 1], A.astype("float64").T @ B
    atol = (1e-6 if dtype == "float32" else 2e-15) * (K + 4)
    outer(C, A, B, False)
    np.testing.assert_allclose(C, want, rtol=0, atol=atol)
    once = C.copy()
    outer(C, A, B, True)
    np.testing.assert_allclose(C, 2 * want, rtol=0, atol=2 * atol)
    assert (arena[:, 0] == 3).all() and (arena[:, N + 1:] == 3).all()
    return once


@given(st.integers(1, 40), st.integers(0, 40), st.integers(1, 200), st.sampled_from(["float32", "float64"]),
       st.integers(0, 99))
def test_outer_products_of_any_size(M, K, N, dtype, seed):
    check_outer(M, K, N, dtype, seed)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("M, K, N", [
    *((tail, 9, 64 + 17 * tail) for tail in range(1, 13)),                    # M mod 6 = 0..5, N of any kind
    (5, gemm.DEPTH, 20), (7, gemm.DEPTH + 1, 70), (9, 2 * gemm.DEPTH + 3, 33),    # more rows than a block has
    *((tile.FAR + tail, 11, 19) for tail in range(-1, 6)),    # tiles copied
    (tile.FAR + 3, gemm.DEPTH + 5, 66)])
def test_outer_products_at_every_edge(M, K, N, dtype):
    check_outer(M, K, N, dtype)


@pytest.mark.parametrize("M", [5, tile.FAR + 5])
def test_a_sum_over_no_rows_is_zero(M):
    for dtype in ("float32", "float64"):
        assert not check_outer(M, 0, 20, dtype).any()


@compiled
@pytest.mark.parametrize("M", [7, tile.FAR + 4])
def test_a_sum_does_not_depend_on_how_it_is_cut(M):
    """Bit for bit: rows may come in blocks, and columns in parts, as threads take them."""
    rng = np.random.default_rng(0)
    K, N = gemm.DEPTH + 90, 150
    A, B = rng.normal(size=(K, M)).astype("float32"), rng.normal(size=(K, N)).astype("float32")
    whole, cut, other = np.empty((3, M, N), "float32")
    outer(whole, A, B, False)
    for j0, j1 in ((0, 64), (64, 128), (128, 150)):
        outer(cut[:, j0:j1], A[:0], B[:0, j0:j1], False)
        for k0, k1 in ((0, 100), (100, 101), (101, K)):
            outer(cut[:, j0:j1], A[k0:k1], B[k0:k1, j0:j1], True)
    np.testing.assert_array_equal(cut, whole)
    multiply(other, A.T, B, False)
    np.testing.assert_array_equal(other, whole)


@jit.jit("test.weight_gradients")
def weight_gradients(dW, db, x, da, j0, j1):
    gradients.add_weight_gradient(dW, x, da, j0, j1)
    gradients.add_bias_gradient(db, da, j0, j1)


@pytest.mark.parametrize("j0, j1", [(0, 150), (0, 64), (64, 150), (70, 71), (150, 150), (64, 64), (90, 70)])
def test_gradients_of_some_columns(j0, j1):
    """Those before and behind stay as they are; from a column on to one before it there are none."""
    rng = np.random.default_rng(0)
    x, da = rng.normal(size=(4, 11, 7)), rng.normal(size=(4, 11, 150))
    dW, db = rng.normal(size=(7, 150)), rng.normal(size=150)
    want_W, want_b = dW.copy(), db.copy()
    want_W[:, j0:j1] += np.einsum("tni,tnj->ij", x, da)[:, j0:j1]
    want_b[j0:j1] += da.sum(axis=(0, 1))[j0:j1]
    weight_gradients(dW, db, x, da, j0, j1)
    np.testing.assert_allclose(dW, want_W, rtol=0, atol=1e-13)
    np.testing.assert_allclose(db, want_b, rtol=0, atol=1e-13)


@jit.jit("test.steps")
def steps(T, N):
    return gradients.steps_of_a_block(T, N)


def test_steps_of_a_block():
    assert gemm.DEPTH == 512
    given = (1, 1), (9, 1), (600, 1), (9, 128), (9, 129), (9, 512), (9, 513), (9, 9999)
    assert [steps(*sizes) for sizes in given] == [1, 9, 512, 4, 3, 1, 1, 1]


# Packing --------------------------------------------------------------------------------------------------

@jit.jit("test.pack")
def pack(B):
    panels = packing.lined_up(None, B.shape[0] * packing.padded(B.shape[1]), B.dtype)
    packing.pack_into(panels, B, 4)
    return panels


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("K, N", [(1, 1), (3, 16), (16, 3), (17, 64), (33, 65), (40, 150)])
def test_packing_of_what_does_not_lie_in_order(K, N, dtype):
    """Transposed, part of a wider matrix, every second row or column, upside down."""
    wide = np.random.default_rng(0).normal(size=(2 * max(K, N) + 2, 2 * max(K, N) + 2)).astype(dtype)
    for B in (wide[1:K + 1, 2:N + 2], wide.T[1:K + 1, 2:N + 2], wide[:2 * K:2, :N], wide[:K, :2 * N:2],
              wide.T[:2 * K:2, :2 * N:2], wide[:K][::-1, :N]):
        panels = pack(B)
        assert panels.dtype == dtype and panels.size == K * -(-N // LANES) * LANES
        np.testing.assert_array_equal(gemm.unpacked(panels, K, N), B)
        assert panels.sum() == pytest.approx(B.sum(), abs=1e-4)            # zeros fill the last panel up


@pytest.mark.skipif(jit.JIT, reason="compiled, these take addresses; the tests above run them")
@pytest.mark.parametrize("K, N", [(1, 1), (16, 16), (17, 33), (40, 70)])
def test_the_loops_of_packing(K, N):
    B = np.random.default_rng(0).normal(size=(K, N))
    for flat, row, column in ((B.ravel(), N, 1), (B.T.ravel(), 1, K)):
        panels = np.full(K * packing.padded(N), np.nan)
        packing.copy_panels(panels, flat, row, column, K, N, 2)
        at = 0
        for first in range(0, N, 2 * LANES):
            part = B[:, first:first + 2 * LANES]
            panel = panels[at:at + K * packing.padded(part.shape[1])].reshape(K, -1)
            np.testing.assert_array_equal(panel[:, :part.shape[1]], part)
            assert not panel[:, part.shape[1]:].any()
            at += panel.size
    tiles = np.full(K * (N + 6), np.nan)
    packing.copy_tiles(tiles, B.ravel(), N, N, K, 6)
    for n in range(0, N, 6):
        tile = tiles[n * K:(n + 6) * K].reshape(K, 6)
        np.testing.assert_array_equal(tile[:, :min(6, N - n)], B[:, n:n + 6])


def test_nothing_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_product(2, 3, 4, "float64")
