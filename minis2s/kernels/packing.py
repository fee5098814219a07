"""Operands of products, copied into the order in which the micro-kernel reads them.

    B (K, N), N = 150                       packed, one piece of memory
      columns 0..63   64..127  128..149
    ┌───────────────┬────────┬─────┐      ┌─ panel 0: K rows of 64 ─┬─ 1: K rows of 64 ─┬─ 2: K rows of 32 ─┐
    │ b_00 ...      │        │     │  ->  │ b_00..b_0,63 b_10.. ... │                   │ 22 real + 10 zeros│
    └───────────────┴────────┴─────┘      └─────────────────────────┴───────────────────┴───────────────────┘

A panel is as wide as the micro-kernel's tile (`WIDE` vectors, see gemm.py; here 4, 64 columns), so the
kernel walks through memory straight on, without jumps from row to row.  The last panel is as narrow as full
vectors allow; zeros fill it up, and their products are never stored.  Packing costs K N copies and saves M K
N slow reads.

Left operands are read as they lie, but for those of A^T B with many columns: `copy_tiles` lays them out.
"""
import numpy as np

from .jit import JIT, inlined
from .simd import LANES


def moved(a, count):
    """The numbers from `count` on; of a pointer, the address of them."""
    return a[count:]


if JIT:
    from numba import types
    from numba.core.imputils import lower_builtin
    from numba.extending import intrinsic, overload, type_callable

    from .jit import apart

    @intrinsic
    def pointer_to(context, a):
        """The address of an array's first number."""
        def lower(context, builder, sig, args):
            return context.make_array(sig.args[0])(context, builder, args[0]).data
        return types.CPointer(a.dtype)(a), lower

    @type_callable(moved)
    def type_moved(context):
        return lambda pointer, count: pointer if isinstance(pointer, types.CPointer) else None

    @lower_builtin(moved, types.CPointer, types.Integer)
    def lower_moved(context, builder, sig, args):
        return builder.gep(args[0], [args[1]])


@inlined
def padded(n):
    """n, rounded up to full vectors."""
    return (n + LANES - 1) // LANES * LANES


@inlined
def aligned(size, a):
    """Memory for `size` numbers of a's dtype, beginning at a full line of the cache (64 bytes)."""
    buffer = np.empty(size + 64 // a.itemsize, a.dtype)
    skip = (-buffer.ctypes.data % 64) // a.itemsize
    return buffer[skip:skip + size]


@inlined
def copy_panel(to, B, b_row, K, columns):
    """K rows of `columns` neighbouring numbers, `b_row` apart, behind one another, with zeros after each."""
    width = padded(columns)
    for k in range(K):
        for n in range(columns):
            to[k * width + n] = B[k * b_row + n]
        for n in range(columns, width):
            to[k * width + n] = 0


@inlined
def copy_panel_across(to, B, b_row, b_col, K, columns):
    """The same of a B whose columns are `b_col` numbers apart, as a transposed one's.

    A line of the cache holds 16 numbers of a column, so 16 rows of the panel are written at a time.
    """
    width = padded(columns)
    for k0 in range(0, K, LANES):
        for n in range(columns):
            for k in range(k0, min(k0 + LANES, K)):
                to[k * width + n] = B[k * b_row + n * b_col]
        for k in range(k0, min(k0 + LANES, K)):
            for n in range(columns, width):
                to[k * width + n] = 0


@inlined
def copy_tiles(to, A, a_row, M, K, rows):
    """A (K, M) -> its transpose in tiles of so many rows: for each tile, its numbers of one k together."""
    for m in range(0, M, rows):
        for k in range(K):
            for r in range(min(rows, M - m)):
                to[m * K + k * rows + r] = A[k * a_row + m + r]


def copy_panels(packed, B, b_row, b_col, K, N, wide):
    """The panels of B, each `wide` vectors wide (the last one less), behind one another in `packed`.

    B's number (k, n) stands at k*b_row + n*b_col, so B may be transposed or part of a wider matrix.
    """
    for first in range(0, N, wide * LANES):
        columns = min(N - first, wide * LANES)
        if b_col == 1:
            copy_panel(moved(packed, first * K), moved(B, first), b_row, K, columns)
        else:
            copy_panel_across(moved(packed, first * K), moved(B, first * b_col), b_row, b_col, K, columns)


def pack(B, wide):
    """B (K, N) of any strides -> its panels (flat)."""
    K, N = B.shape
    panels = np.empty(K * padded(N), B.dtype)
    copy_panels(panels, np.ascontiguousarray(B).ravel(), N, 1, K, N, wide)
    return panels


if JIT:
    def made(dtype):
        p, i = types.CPointer(dtype), types.intp
        return apart("pack", dtype, types.void(p, p, i, i, i, i, i))(copy_panels)

    COPY = {dtype: made(dtype) for dtype in (types.float32, types.float64)}

    @overload(pack)
    def pack_compiled(B, wide):
        copy = COPY[B.dtype]

        def compiled(B, wide):
            K, N = B.shape
            panels = aligned(K * padded(N), B)
            copy((panels, B, B.strides[0] // B.itemsize, B.strides[1] // B.itemsize, K, N, wide))
            return panels
        return compiled
