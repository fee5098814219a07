"""Matrix products: C (+)= A B, with B packed, and C (+)= A^T B.

                          B
                   ┌────────┬────────┬────────┐
                 K │panel 0 │panel 1 │panel 2 │      packed: each panel is one piece of memory (packing.py)
          K        └────────┴────────┴────────┘
       ┌─────┐     ┌────────┬────────┬────────┐
     6 ├─────┤     │ tile   │        │        │      all rows of A pass by a panel, tile after tile (tile.py):
     6 ├─────┤     │ tile   │        │        │      the panel stays in the cache, the tile in registers
   A   │ ... │   C │  ...   │        │        │
       └─────┘     └────────┴────────┴────────┘

A^T B is a weight matrix' gradient: dW = x^T da.  Its B is used once, so a block of rows at a time is packed
on the way.  A is read by two strides, so a transposed one costs nothing, unless it has many columns: then the
next k is a long jump away, and A's tiles are copied first (FAR).

Each number of C is the sum over k from 0 to K-1, in this order, one rounding for each multiply-add; C +=
begins with C. So a result does not depend on the tile, on the rows done together, on the blocks in which k
comes, or on the number of threads: bit for bit.
"""
from typing import NamedTuple

import numpy as np

from ..runtime.jit import JIT, arena_function, inlined, internal_kernel, jit
from .packing import copy_panel, copy_tiles, lined_up, pack_into, padded
from .simd import LANES, at, multiply_add, zeros
from .tile import tile_shape

BLOCK = 192                    # rows of A that stay in the cache while all panels of B pass by
PANEL = 1024                   # rows of a panel of B that stay in the cache while A's rows pass by
DEPTH = 512                    # the same for A^T B; rows of a block of steps, too: their da is used while
                               # there
THIN = 2                       # rows up to which B is read as it lies
STREAMS = 8                    # rows of B that are then read side by side
FAR = 512                      # columns of A from which on its tiles are copied before A^T B


# Without compilation: NumPy, by the same names ------------------------------------------------------------

def width(B):
    """How many vectors wide the panels of B are."""
    return 4


class Operand(NamedTuple):     # B (K, N) of a product
    numbers: np.ndarray        # flat
    panels: bool               # whether they are its panels; else they lie row behind row


@arena_function
def packed(arena, B):
    """B (K, N) of any strides in panels, for `product`; see arena.py."""
    K, N = B.shape
    panels = lined_up(arena, K * padded(N), B.dtype)
    pack_into(panels, B, width(B))
    return panels


def as_it_lies(B):
    """B (K, N) flat if its numbers lie row behind row without gaps; else none of them, whose size is 0."""
    return B.reshape(-1) if B.flags.c_contiguous else B[:0].reshape(-1)


@arena_function
def operand(arena, B, rows):
    """B (K, N) for products with so many rows: packed, unless there are too few of them to be worth it."""
    plain = as_it_lies(B)
    panels = rows > THIN or plain.size == 0
    return Operand(packed(arena, B) if panels else plain, panels)


def unpacked(B, K, N):
    """The reverse: panels -> (K, N)."""
    wide = width(B) * LANES
    panels = [B[n * K:n * K + K * padded(min(N - n, wide))].reshape(K, -1) for n in range(0, N, wide)]
    return np.concatenate(panels, axis=1)[:, :N]


def rows_of(B, K, N):
    """An Operand, or panels -> (K, N)."""
    if isinstance(B, Operand):
        return unpacked(B.numbers, K, N) if B.panels else B.numbers.reshape(K, N)
    return unpacked(B, K, N)


def product(C, A, B):
    """C = A B: C (M, N) with neighbouring columns, A (M, K) of any strides, B packed or an Operand."""
    C[:] = A @ rows_of(B, A.shape[1], C.shape[1])


def add_product(C, A, B):
    """C += A B"""
    C += A @ rows_of(B, A.shape[1], C.shape[1])


def outer_product(C, A, B):
    """C = A^T B: C (M, N), A (K, M) and B (K, N), not packed, all with neighbouring columns."""
    C[:] = A.T @ B


def add_outer_product(C, A, B):
    """C += A^T B"""
    C += A.T @ B


# Made of them, with and without it ------------------------------------------------------------------------

@jit("gemm.pack_weights")
def pack_weights(B):
    """`packed`, for callers that are not compiled."""
    return packed(None, B)


@internal_kernel("gemm.product_of_rows")
def product_of_rows(y, x, W, r0, r1):
    product(y[r0:r1], x[r0:r1], W)


@internal_kernel("gemm.add_product_of_rows")
def add_product_of_rows(y, x, W, r0, r1):
    add_product(y[r0:r1], x[r0:r1], W)


# With it --------------------------------------------------------------------------------------------------

if JIT:
    from numba import carray, types
    from numba.extending import intrinsic, overload
    from ..runtime.numba_private import impl_ret_borrowed, make_array, populate_array

    from ..runtime.jit import dtype_kernel
    from .packing import moved
    from .simd.vector import size_of
    from .tile import I64, make_tile

    def make_gemm(dtype):
        """-> `gemm` and `outer`, the loops about the micro-kernel, for float32 or float64."""
        R, WIDE = tile_shape(dtype.name)
        p, i, yes = types.CPointer(dtype), types.intp, types.boolean

        def panel_of(wide):
            """C (+)= A times one panel `wide` vectors wide, in tiles of R rows, the rest in a smaller one."""
            tile_R, tile_4, tile_2, tile_1 = (make_tile(min(rows, R), wide) for rows in (R, 4, 2, 1))

            @inlined
            def panel(C, c_row, columns, A, a_tile, a_row, a_col, B, M, K, plus):
                for m in range(0, M, R):
                    left = M - m
                    if R <= 4 or left > 4:
                        tile_R(moved(C, m * c_row), c_row, columns, left, A, a_row, a_col, B, K, plus)
                    elif left > 2:
                        tile_4(moved(C, m * c_row), c_row, columns, left, A, a_row, a_col, B, K, plus)
                    elif left == 2:
                        tile_2(moved(C, m * c_row), c_row, columns, left, A, a_row, a_col, B, K, plus)
                    else:
                        tile_1(moved(C, m * c_row), c_row, columns, left, A, a_row, a_col, B, K, plus)
                    A = moved(A, a_tile)
            return panel

        panel_1, panel_2, panel_3, panel_4 = (panel_of(min(w, WIDE)) for w in (1, 2, 3, 4))
        # most columns of the narrower ones
        to_3, to_2, to_1 = ((min(w, WIDE) - 1) * LANES for w in (4, 3, 2))

        @dtype_kernel("gemm.panel", dtype, types.void(p, i, i, p, i, i, i, p, i, i, yes))
        def panel(C, c_row, columns, A, a_tile, a_row, a_col, B, M, K, plus):
            """One panel of B with all rows of A: tile after tile of R rows, `a_tile` numbers apart."""
            if columns > to_3:
                panel_4(C, c_row, columns, A, a_tile, a_row, a_col, B, M, K, plus)
            elif columns > to_2:
                panel_3(C, c_row, columns, A, a_tile, a_row, a_col, B, M, K, plus)
            elif columns > to_1:
                panel_2(C, c_row, columns, A, a_tile, a_row, a_col, B, M, K, plus)
            else:
                panel_1(C, c_row, columns, A, a_tile, a_row, a_col, B, M, K, plus)

        @dtype_kernel("gemm", dtype, types.void(p, i, p, i, i, p, i, i, i, yes))
        def gemm(C, c_row, A, a_row, a_col, B, M, K, N, plus):
            """C (+)= A B, B packed."""
            for k in range(0, max(K, 1), PANEL):
                Kk, more = min(PANEL, K - k), plus or k > 0
                for m in range(0, M, BLOCK):
                    Amk, Mm = moved(A, m * a_row + k * a_col), min(BLOCK, M - m)
                    for n in range(0, N, WIDE * LANES):
                        width = padded(min(N - n, WIDE * LANES))
                        panel((moved(C, m * c_row + n), c_row, N - n, Amk, R * a_row, a_row, a_col,
                               moved(B, n * K + k * width), Mm, Kk, more))

        @dtype_kernel("gemm.thin", dtype, types.void(p, i, p, i, i, p, i, i, i, yes))
        def thin(C, c_row, A, a_row, a_col, B, M, K, N, plus):
            """C (+)= A B for few rows, B (K, N) as it lies: some rows of it at a time pass by C."""
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

        @dtype_kernel("gemm.outer_blocks", dtype, types.void(p, i, p, i, p, i, i, i, i, yes, p, p))
        def outer_blocks(C, c_row, A, a_row, B, b_row, M, K, N, plus, tiles, panel_of_B):
            """`outer`, in scratch memory of the caller, which outlives the call."""
            for k in range(0, max(K, 1), DEPTH):
                Kk, more, Ak, a_tile, a_col = min(DEPTH, K - k), plus or k > 0, moved(A, k * a_row), R, a_row
                if M >= FAR:
                    copy_tiles(tiles, Ak, a_row, M, Kk, R)
                    Ak, a_tile, a_col = tiles, Kk * R, R
                for n in range(0, N, WIDE * LANES):
                    copy_panel(panel_of_B, moved(B, k * b_row + n), b_row, Kk, min(N - n, WIDE * LANES))
                    panel((moved(C, n), c_row, N - n, Ak, a_tile, 1, a_col, panel_of_B, M, Kk, more))

        @dtype_kernel("gemm.outer", dtype, types.void(p, i, p, i, p, i, i, i, i, yes))
        def outer(C, c_row, A, a_row, B, b_row, M, K, N, plus):
            """C (+)= A^T B: each block of rows of A and B is first laid out as it is read."""
            depth = min(DEPTH, K)
            tiles = np.empty(depth * (M + R) if M >= FAR else 1, dtype)
            panel_of_B = lined_up(None, depth * WIDE * LANES, dtype)
            outer_blocks((C, c_row, A, a_row, B, b_row, M, K, N, plus, tiles, panel_of_B))
        return gemm, outer, thin

    GEMM = {types.float32: make_gemm(types.float32), types.float64: make_gemm(types.float64)}

    @intrinsic
    def as_it_lies(context, B):                                # noqa: F811
        """The same."""
        flat = types.Array(B.dtype, 1, "C")

        def lower(context, builder, sig, args):
            matrix, view = make_array(B)(context, builder, args[0]), make_array(flat)(context, builder)
            size, itemsize = matrix.nitems if B.layout == "C" else I64(0), I64(size_of(B.dtype))
            populate_array(view, matrix.data, [size], [itemsize], itemsize, matrix.meminfo)
            return impl_ret_borrowed(context, builder, flat, view._getvalue())
        return flat(B), lower

    @overload(width)
    def width_compiled(B):
        wide = tile_shape(B.dtype.name)[1]
        return lambda B: wide

    def product_of(function, plus):
        @overload(function)    # not inline: Numba 0.68 puts what it inlines here after later code
        def compiled(C, A, B):
            gemm, _, thin = GEMM[C.dtype]

            def call(C, A, B):
                size = C.itemsize
                gemm((C, C.strides[0] // size, A, A.strides[0] // size, A.strides[1] // size, B,
                      C.shape[0], A.shape[1], C.shape[1], plus))

            def call_either(C, A, B):
                size = C.itemsize
                c_row, a_row, a_col = C.strides[0] // size, A.strides[0] // size, A.strides[1] // size
                if B.panels:
                    gemm((C, c_row, A, a_row, a_col, B.numbers, C.shape[0], A.shape[1], C.shape[1], plus))
                else:
                    thin((C, c_row, A, a_row, a_col, B.numbers, C.shape[0], A.shape[1], C.shape[1], plus))
            return call_either if isinstance(B, types.NamedTuple) else call

    product_of(product, False)
    product_of(add_product, True)

    def outer_of(function, plus):
        @overload(function)
        def compiled(C, A, B):
            outer = GEMM[C.dtype][1]

            def call(C, A, B):
                size = C.itemsize
                outer((C, C.strides[0] // size, A, A.strides[0] // size, B, B.strides[0] // size,
                       C.shape[0], A.shape[0], C.shape[1], plus))
            return call

    outer_of(outer_product, False)
    outer_of(add_outer_product, True)
