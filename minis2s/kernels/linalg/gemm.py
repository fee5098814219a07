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

A^T B is a weight matrix' gradient: dW = x^T da.  Its B is used once, so it is packed in the loop, a block of rows at a
time.  A is read by two strides, so a transposed one costs nothing, unless it has many columns: then the next k is far
away in memory, and A's tiles are copied first (FAR).

Each number of C is the sum over k from 0 to K-1, in this order, one rounding for each multiply-add; C +=
begins with C. So a result does not depend on the tile, on the rows done together, on the blocks in which k
comes, or on the number of threads: bit for bit.
"""
from typing import NamedTuple

import numpy as np

from ..runtime.jit import JIT, arena_function, internal_kernel, jit
from .packing import lined_up, pack_into, padded
from .simd import LANES
from .tile import DEPTH, tile_shape  # noqa: F401  DEPTH: also the rows of a block of steps

THIN = 2                       # rows up to which B is read unpacked


# Without compilation: NumPy, by the same names ------------------------------------------------------------

def width(B):
    """How many vectors wide the panels of B are."""
    return 4


class Operand(NamedTuple):     # B (K, N) of a product
    numbers: np.ndarray        # flat
    panels: bool               # whether they are its panels; otherwise its rows, one after the other


@arena_function
def packed(arena, B):
    """B (K, N) of any strides in panels, for `product`; see arena.py."""
    K, N = B.shape
    panels = lined_up(arena, K * padded(N), B.dtype)
    pack_into(panels, B, width(B))
    return panels


def without_gaps(B):
    """B (K, N) flat if its rows follow each other without gaps; otherwise an array of no numbers."""
    return B.reshape(-1) if B.flags.c_contiguous else B[:0].reshape(-1)


@arena_function
def operand(arena, B, rows):
    """B (K, N) for products with so many rows: packed, unless there are too few of them to be worth it."""
    plain = without_gaps(B)
    panels = rows > THIN or plain.size == 0
    return Operand(packed(arena, B) if panels else plain, panels)


def unpacked(B, K, N):
    """The reverse: panels -> (K, N)."""
    wide = width(B) * LANES
    ends = [min(N, n + wide) for n in range(0, N, wide)]
    sizes = [-(-(end - n) // LANES) * LANES for n, end in zip(range(0, N, wide), ends)]    # `padded` runs compiled only
    panels = [B[n * K:(n + size) * K].reshape(K, -1) for n, size in zip(range(0, N, wide), sizes)]
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
    from numba import types
    from numba.extending import intrinsic, overload

    from ..runtime.numba_private import impl_ret_borrowed, make_array, populate_array
    from .loops import make_products
    from .simd.vector import size_of
    from .tile import I64

    GEMM = {types.float32: make_products(types.float32), types.float64: make_products(types.float64)}

    @intrinsic
    def without_gaps(context, B):                                # noqa: F811
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
