"""The loops around the micro-kernel, for addresses in place of arrays; gemm.py calls them.

    gemm     C (+)= A B with B packed: all rows of A pass by a panel, tile after tile (tile.py)
    thin     C (+)= A B for few rows, with B unpacked: several rows of B at once are added to C
    outer    C (+)= A^T B: a block of rows at a time is packed

Only compiled code imports this file.
"""
import numpy as np
from numba import carray, types

from ..runtime.jit import dtype_kernel, inlined
from .packing import STRIPE, copy_stripe, copy_tiles, lined_up, moved, padded
from .simd import LANES, at, multiply_add, zeros
from .tile import BLOCK, DEPTH, FAR, PANEL, STREAMS, make_tile, tile_shape


def panel_of(R, wide):
    """C (+)= A times one panel `wide` vectors wide, in tiles of R rows, the rest in a smaller one.  Each tile
    asks for its share of the `following` panel (see tile.py)."""
    tile_R, tile_4, tile_2, tile_1 = (make_tile(min(rows, R), wide) for rows in (R, 4, 2, 1))

    @inlined
    def panel(C, c_row, columns, A, a_tile, a_row, a_col, B, M, K, plus, following):
        pace = 16 * wide * LANES // ((M + R - 1) // R)
        for m in range(0, M, R):
            left, ahead = M - m, moved(following, m // R * pace * K >> 4)
            if R <= 4 or left > 4:
                tile_R(moved(C, m * c_row), c_row, columns, left, A, a_row, a_col, B, K, plus, ahead, pace)
            elif left > 2:
                tile_4(moved(C, m * c_row), c_row, columns, left, A, a_row, a_col, B, K, plus, ahead, pace)
            elif left == 2:
                tile_2(moved(C, m * c_row), c_row, columns, left, A, a_row, a_col, B, K, plus, ahead, pace)
            else:
                tile_1(moved(C, m * c_row), c_row, columns, left, A, a_row, a_col, B, K, plus, ahead, pace)
            A = moved(A, a_tile)
    return panel


def make_panel(dtype):
    """-> `panel`: all rows of A with one panel of B, of any width."""
    (R, WIDE), (p, i, yes) = tile_shape(dtype.name), (types.CPointer(dtype), types.intp, types.boolean)
    panel_1, panel_2, panel_3, panel_4 = (panel_of(R, min(w, WIDE)) for w in (1, 2, 3, 4))
    # most columns of the narrower ones
    to_3, to_2, to_1 = ((min(w, WIDE) - 1) * LANES for w in (4, 3, 2))

    @dtype_kernel("gemm.panel", dtype, types.void(p, i, i, p, i, i, i, p, i, i, yes, p))
    def panel(C, c_row, columns, A, a_tile, a_row, a_col, B, M, K, plus, following):
        """One panel of B with all rows of A: tile after tile of R rows, `a_tile` numbers apart."""
        if columns > to_3:
            panel_4(C, c_row, columns, A, a_tile, a_row, a_col, B, M, K, plus, following)
        elif columns > to_2:
            panel_3(C, c_row, columns, A, a_tile, a_row, a_col, B, M, K, plus, following)
        elif columns > to_1:
            panel_2(C, c_row, columns, A, a_tile, a_row, a_col, B, M, K, plus, following)
        else:
            panel_1(C, c_row, columns, A, a_tile, a_row, a_col, B, M, K, plus, following)

    return panel


def make_gemm(dtype, panel):
    """-> `gemm`: the product with a packed B."""
    (R, WIDE), (p, i, yes) = tile_shape(dtype.name), (types.CPointer(dtype), types.intp, types.boolean)

    @inlined
    def panel_at(B, n, k, K, N):
        """Row k of the panel that begins with column n, of a packed B (K, N)."""
        return moved(B, n * K + k * padded(min(N - n, WIDE * LANES)))

    @dtype_kernel("gemm", dtype, types.void(p, i, p, i, i, p, i, i, i, yes))
    def gemm(C, c_row, A, a_row, a_col, B, M, K, N, plus):
        """C (+)= A B, B packed."""
        for k in range(0, max(K, 1), PANEL):
            Kk, more = min(PANEL, K - k), plus or k > 0
            for m in range(0, M, BLOCK):
                Amk, Mm = moved(A, m * a_row + k * a_col), min(BLOCK, M - m)
                for n in range(0, N, WIDE * LANES):
                    following = n + WIDE * LANES if n + WIDE * LANES < N else 0        # after the last, the first again
                    panel((moved(C, m * c_row + n), c_row, N - n, Amk, R * a_row, a_row, a_col,
                           panel_at(B, n, k, K, N), Mm, Kk, more, panel_at(B, following, k, K, N)))

    return gemm


def make_thin(dtype):
    """-> `thin`: the product of few rows with a B that is not packed."""
    p, i, yes = types.CPointer(dtype), types.intp, types.boolean

    @dtype_kernel("gemm.thin", dtype, types.void(p, i, p, i, i, p, i, i, i, yes))
    def thin(C, c_row, A, a_row, a_col, B, M, K, N, plus):
        """C (+)= A B for few rows, B (K, N) unpacked: STREAMS rows of it at a time are added to C."""
        B, whole = carray(B, (K, N)), K // STREAMS * STREAMS
        for k in range(0, whole, STREAMS):
            for m in range(M):
                c, a, more = carray(moved(C, m * c_row), N), moved(A, m * a_row + k * a_col), plus or k > 0
                a_0, a_1, a_2, a_3 = a[0], a[a_col], a[2 * a_col], a[3 * a_col]
                a_4, a_5, a_6, a_7 = a[4 * a_col], a[5 * a_col], a[6 * a_col], a[7 * a_col]
                for j in range(0, N, LANES):
                    J = at(j, N)
                    sums = c[J] if more else zeros(c)
                    sums = multiply_add(B[k, J], a_0, sums)
                    sums = multiply_add(B[k + 1, J], a_1, sums)
                    sums = multiply_add(B[k + 2, J], a_2, sums)
                    sums = multiply_add(B[k + 3, J], a_3, sums)
                    sums = multiply_add(B[k + 4, J], a_4, sums)
                    sums = multiply_add(B[k + 5, J], a_5, sums)
                    sums = multiply_add(B[k + 6, J], a_6, sums)
                    sums = multiply_add(B[k + 7, J], a_7, sums)
                    c[J] = sums
        for m in range(M):
            c, a = carray(moved(C, m * c_row), N), moved(A, m * a_row)
            for j in range(0, N, LANES):
                J = at(j, N)
                sums = c[J] if plus or whole > 0 else zeros(c)
                for k in range(whole, K):
                    sums = multiply_add(B[k, J], a[k * a_col], sums)
                c[J] = sums

    return thin


def make_outer(dtype, panel):
    """-> `outer`: C (+)= A^T B."""
    (R, WIDE), (p, i, yes) = tile_shape(dtype.name), (types.CPointer(dtype), types.intp, types.boolean)

    @dtype_kernel("gemm.outer_blocks", dtype, types.void(p, i, p, i, p, i, i, i, i, yes, p, p))
    def outer_blocks(C, c_row, A, a_row, B, b_row, M, K, N, plus, tiles, panels):
        """`outer`, in scratch memory of the caller, which outlives the call."""
        for k in range(0, max(K, 1), DEPTH):
            Kk, more, Ak, a_tile, a_col = min(DEPTH, K - k), plus or k > 0, moved(A, k * a_row), R, a_row
            if M >= FAR:
                copy_tiles(tiles, Ak, a_row, M, Kk, R)
                Ak, a_tile, a_col = tiles, Kk * R, R
            for stripe in range(0, N, STRIPE):
                end = min(stripe + STRIPE, N)
                copy_stripe(panels, moved(B, k * b_row + stripe), b_row, Kk, end - stripe, WIDE * LANES)
                for n in range(stripe, end, WIDE * LANES):
                    here = moved(panels, (n - stripe) * Kk)
                    panel((moved(C, n), c_row, N - n, Ak, a_tile, 1, a_col, here, M, Kk, more, here))

    @dtype_kernel("gemm.outer", dtype, types.void(p, i, p, i, p, i, i, i, i, yes))
    def outer(C, c_row, A, a_row, B, b_row, M, K, N, plus):
        """C (+)= A^T B: each block of rows of A and B is first copied in the order in which it is read."""
        depth = min(DEPTH, K)
        tiles = np.empty(depth * (M + R) if M >= FAR else 1, dtype)
        panels = lined_up(None, depth * STRIPE, dtype)
        outer_blocks((C, c_row, A, a_row, B, b_row, M, K, N, plus, tiles, panels))
    return outer


def make_products(dtype):
    """-> `gemm`, `outer` and `thin`, the loops around the micro-kernel, for float32 or float64."""
    panel = make_panel(dtype)
    return make_gemm(dtype, panel), make_outer(dtype, panel), make_thin(dtype)
