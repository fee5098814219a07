"""Operands of products, copied into the order in which the micro-kernel reads them.

    B (K, N), N = 150                       packed, one piece of memory
      columns 0..63   64..127  128..149
    ┌───────────────┬────────┬─────┐      ┌─ panel 0: K rows of 64 ─┬─ 1: K rows of 64 ─┬─ 2: K rows of 32 ─┐
    │ b_00 ...      │        │     │  ->  │ b_00..b_0,63 b_10.. ... │                   │ 22 real + 10 zeros│
    └───────────────┴────────┴─────┘      └─────────────────────────┴───────────────────┴───────────────────┘

A panel is as wide as the micro-kernel's tile (see `tile_shape` in tile.py; here 4 vectors, 64 columns), so the
kernel walks through memory straight on, without jumps from row to row.  The last panel is as narrow as full
vectors allow; zeros fill it up, and their products are never stored.  Packing costs K N copies and saves M K
N slow reads.

Left operands are read as they lie, but for those of A^T B with many columns: `copy_tiles` lays them out.
"""
import numpy as np

from ..runtime.arena import empty
from ..runtime.jit import JIT, arena_function, device_function, inlined, internal_kernel
from ..runtime.threads import shared
from .simd import LANES

STRIPE = 4 * LANES             # columns whose panels are copied together: whole panels, of any tile's width
COSTS = 16                     # multiply-adds that take as long as to copy a number


def moved(a, count):
    """The numbers from `count` on; of a pointer, the address of them."""
    return a[count:]


def copy_vector(to, B):
    """16 neighbouring numbers."""
    to[:LANES] = B[:LANES]


def turn(to, to_row, B, b_col, K, columns):
    """A square of 16 by 16, or what of it lies before K and `columns`, read by columns and written by rows,
    with zeros for columns that are not there."""
    for k in range(min(K, LANES)):
        for n in range(LANES):
            to[k * to_row + n] = B[n * b_col + k] if n < columns else 0


if JIT:
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic, overload, type_callable

    from ..runtime.jit import dtype_kernel
    from ..runtime.numba_private import lower_builtin
    from .simd.vector import llvm, load, size_of, store

    @intrinsic
    def copy_vector(context, to, B):                           # noqa: F811
        """The same, in one instruction or two."""
        def lower(context, builder, sig, args):
            kind, size = llvm(sig.args[0].dtype), size_of(sig.args[0].dtype)
            numbers = builder.load(builder.bitcast(args[1], kind.as_pointer()), align=size)
            builder.store(numbers, builder.bitcast(args[0], kind.as_pointer()), align=size)
            return context.get_dummy_value()
        return types.void(to, B), lower

    @intrinsic
    def turn(context, to, to_row, B, b_col, K, columns):       # noqa: F811
        """The same: of 16 vectors, one for each column, two and two that are 8 apart change halves, then 4
        apart quarters, and so on; then each holds a row."""
        i = types.intp

        def lower(context, builder, sig, args):
            to, to_row, B, b_col, K, columns = args
            kind, size = llvm(sig.args[0].dtype), size_of(sig.args[0].dtype)

            def place(a, step, n):
                return builder.bitcast(builder.gep(a, [builder.mul(step, n)]), kind.as_pointer())

            def if_there(n, count, lanes):
                return builder.select(builder.icmp_signed("<", n, count), lanes, n.type(0))
            number, all_lanes = [K.type(n) for n in range(LANES)], K.type(LANES)
            rows = [load(builder, place(B, b_col, n), if_there(n, columns, K), size) for n in number]
            for d in (8, 4, 2, 1):
                for r in range(LANES):
                    if not r & d:
                        order = [[n if not n & d else LANES + n - d for n in range(LANES)],
                                 [n + d if not n & d else LANES + n for n in range(LANES)]]
                        rows[r], rows[r + d] = (builder.shuffle_vector(rows[r], rows[r + d], ir.Constant(
                            ir.VectorType(ir.IntType(32), LANES), which)) for which in order)
            for n, row in zip(number, rows):
                store(builder, row, place(to, to_row, n), if_there(n, K, all_lanes), size)
            return context.get_dummy_value()
        return types.void(to, i, B, i, i, i), lower

    @type_callable(moved)
    def type_moved(context):
        return lambda pointer, count: pointer if isinstance(pointer, types.CPointer) else None

    @lower_builtin(moved, types.CPointer, types.Integer)
    def lower_moved(context, builder, sig, args):
        return builder.gep(args[0], [args[1]])


@device_function
def padded(n):
    """n, rounded up to full vectors."""
    return (n + LANES - 1) // LANES * LANES


@arena_function
def lined_up(arena, size, dtype):
    """Memory for `size` numbers, beginning at a full line of the cache (64 bytes), from an arena or for Python."""
    buffer = empty(arena, (size + 64 // 4,), dtype)
    skip = (-buffer.ctypes.data % 64) // buffer.itemsize
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
def copy_stripe(to, B, b_row, K, columns, width):
    """The panels, each of `width` columns, of up to STRIPE of them.

    Row after row, and all panels of a row: a narrow panel alone would read a few numbers of each page of memory.
    """
    if columns < STRIPE:
        for n in range(0, columns, width):
            copy_panel(moved(to, n * K), moved(B, n), b_row, K, min(columns - n, width))
        return
    for k in range(K):
        for panel in range(0, STRIPE, width):
            for n in range(0, width, LANES):
                copy_vector(moved(to, panel * K + k * width + n), moved(B, k * b_row + panel + n))


@inlined
def copy_panel_across(to, B, b_col, K, columns):
    """The same of a B whose rows' numbers are `b_col` apart, and its columns' neighbours: a transposed one.

    Squares of 16 by 16 are read by columns, turned, and written by rows.
    """
    width = padded(columns)
    for k in range(0, K, LANES):
        for n in range(0, columns, LANES):
            turn(moved(to, k * width + n), width, moved(B, k + n * b_col), b_col, K - k, columns - n)


@inlined
def copy_panel_of_any(to, B, b_row, b_col, K, columns):
    """The same of a B whose number (k, n) stands at k*b_row + n*b_col."""
    width = padded(columns)
    for k in range(K):
        for n in range(columns):
            to[k * width + n] = B[k * b_row + n * b_col]
        for n in range(columns, width):
            to[k * width + n] = 0


@inlined
def copy_tiles(to, A, a_row, M, K, rows):
    """A (K, M) -> its transpose in tiles of so many rows: for each tile, its numbers of one k together."""
    for m in range(0, M, rows):
        for k in range(K):
            for r in range(min(rows, M - m)):
                to[m * K + k * rows + r] = A[k * a_row + m + r]


@internal_kernel("packing.panels")
def panels_of_columns(packed, B, b_row, b_col, K, wide, n0, n1):
    """The panels of the columns n0 .. n1-1; n0 begins one."""
    together = STRIPE if b_col == 1 else wide * LANES
    for first in range(n0, n1, together):
        columns = min(n1 - first, together)
        if b_col == 1:
            copy_stripe(moved(packed, first * K), moved(B, first), b_row, K, columns, wide * LANES)
        elif b_row == 1:
            copy_panel_across(moved(packed, first * K), moved(B, first * b_col), b_col, K, columns)
        else:
            copy_panel_of_any(moved(packed, first * K), moved(B, first * b_col), b_row, b_col, K, columns)


def copy_panels(packed, B, b_row, b_col, K, N, wide):
    """The panels of B, each `wide` vectors wide (the last one less), behind one another in `packed`.

    B's number (k, n) stands at k*b_row + n*b_col, so B may be transposed or part of a wider matrix.  Threads take
    panels.
    """
    shared(panels_of_columns, (packed, B, b_row, b_col, K, wide), N, wide * LANES, COSTS * K * N)


def pack_into(panels, B, wide):
    """B (K, N) of any strides -> its panels (flat)."""
    K, N = B.shape
    copy_panels(panels, np.ascontiguousarray(B).ravel(), N, 1, K, N, wide)


if JIT:
    def made(dtype):
        p, i = types.CPointer(dtype), types.intp
        return dtype_kernel("pack", dtype, types.void(p, p, i, i, i, i, i))(copy_panels)

    COPY = {dtype: made(dtype) for dtype in (types.float32, types.float64)}

    @overload(pack_into)
    def pack_compiled(panels, B, wide):
        copy = COPY[B.dtype]

        def compiled(panels, B, wide):
            K, N = B.shape
            copy((panels, B, B.strides[0] // B.itemsize, B.strides[1] // B.itemsize, K, N, wide))
        return compiled
