"""Right operands of products, copied into the order in which the micro-kernel reads them.

    B (K, N), N = 150                       packed, one piece of memory
      columns 0..63   64..127  128..149
    ┌───────────────┬────────┬─────┐      ┌─ panel 0: K rows of 64 ─┬─ 1: K rows of 64 ─┬─ 2: K rows of 32 ─┐
    │ b_00 ...      │        │     │  ->  │ b_00..b_0,63 b_10.. ... │                   │ 22 real + 10 zeros│
    └───────────────┴────────┴─────┘      └─────────────────────────┴───────────────────┴───────────────────┘

A panel is as wide as the micro-kernel's block of registers (`WIDE` columns, see gemm.py; here 64), so the
kernel walks through memory straight on, without jumps from row to row.  The last panel is as narrow as full
vectors allow; zeros fill it up, and their products are never stored.  Packing costs K N copies and saves M K
N slow reads.
"""
import numpy as np

from .jit import JIT, inlined
from .simd import LANES


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


def copy_panels(packed, B, b_row, b_col, K, N, wide):
    """The panels of B, each `wide` vectors wide (the last one less), behind one another in `packed`.

    B's number (k, n) stands at k*b_row + n*b_col, so B may be transposed or part of a wider matrix.
    """
    for first in range(0, N, wide * LANES):
        last = min(first + wide * LANES, N)
        width = padded(last - first)
        for k in range(K):
            at, start = first * K + k * width, k * b_row + first * b_col
            for n in range(last - first):
                packed[at + n] = B[start + n * b_col]
            for n in range(last - first, width):
                packed[at + n] = 0


def pack(B, wide):
    """B (K, N) of any strides -> its panels (flat)."""
    K, N = B.shape
    panels = np.empty(K * padded(N), B.dtype)
    copy_panels(panels, np.ascontiguousarray(B).ravel(), N, 1, K, N, wide)
    return panels


if JIT:
    from numba import types
    from numba.extending import overload

    from .jit import apart

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
