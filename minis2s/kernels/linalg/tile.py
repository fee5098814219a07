"""The micro-kernel: C (+)= A B for a tile of 6 rows and 4 vectors, whose numbers stay in registers.

                       16 columns = one vector
                      ┌──────┬──────┬──────┬──────┐
     B, a panel  k -> │ b0   │ b1   │ b2   │ b3   │      read once for each k, in order
                      └──────┴──────┴──────┴──────┘
        ┌───┐         ┌──────┬──────┬──────┬──────┐
    A   │ a │ row 0   │ += a*b0    │  ...        │
        │   │         ├──────┼──────┼──────┼──────┤
        │   │  ...    │                           │      C, a tile of 6 rows and 4 vectors: it stays in 24
        │   │         │                           │      registers while k runs from 0 to K-1
        │   │ row 5   │                           │
        └───┘         └──────┴──────┴──────┴──────┘
          k

A processor multiplies and adds far faster than it reads memory, so the fewer reads a product needs, the faster it
is.  The tile reads 4 vectors of B and 6 numbers of A for each k, and does 24 vector multiply-adds with them.
It is written instruction by instruction, because no compiler keeps so many sums in registers by itself; gemm.py
chooses tiles.  The picture shows float32 and 32 registers of 512 bits; other machines' tiles are smaller
(`tile_shape`).
"""
import numpy as np

from ..runtime.jit import JIT
from .simd import LANES

# The sizes in which a product is cut (loops.py)
BLOCK = 192                    # rows of A that stay in the cache while all panels of B pass by
PANEL = 1024                   # rows of a panel of B that stay in the cache while A's rows pass by
DEPTH = 512                    # the same for A^T B; rows of a block of steps, too: their da is used in the cache
STREAMS = 8                    # rows of B that are then read at once
FAR = 256                      # columns of A from which on its tiles are copied before A^T B


def registers():
    """(bits of a vector register, how many there are) of this machine."""
    import llvmlite.binding as llvm
    features = llvm.get_host_cpu_features()
    if features.get("avx512f"):
        return 512, 32
    if features.get("avx2"):
        return 256, 16
    return 128, (32 if "neon" in features or "aarch64" in llvm.get_process_triple() else 16)


def tile_shape(dtype, machine=None):
    """(rows, vectors) of a tile: as large as fits into the registers beside one row of B and an entry of A.
    """
    bits, count = machine or registers()
    each = max(1, LANES * 8 * np.dtype(dtype).itemsize // bits)          # registers for one vector
    for rows, wide in ((6, 4), (6, 2), (6, 1), (4, 1), (3, 1), (2, 1)):
        if (rows * wide + wide) * each + 1 <= count:
            return rows, wide
    return 1, 1


if JIT:
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    from .simd.vector import V, llvm, load, prefetch, size_of, spread, store

    I64 = ir.IntType(64)

    def make_tile(rows, wide):
        """The micro-kernel for a tile of so many rows and vectors."""
        @intrinsic
        def tile(context, C, c_row, columns, M, A, a_row, a_col, B, K, plus, ahead, pace):
            i = types.intp
            sig = types.void(C, i, i, i, A, i, i, B, i, types.boolean, B, i)

            def lower(context, builder, sig, args):
                write_tile(builder, rows, wide, sig.args[0].dtype, *args)
                return context.get_dummy_value()
            return sig, lower
        return tile

    def write_tile(builder, rows, wide, dtype, C, c_row, columns, M, A, a_row, a_col, B, K, plus, ahead, pace):
        """Write the instructions of a tile: initial sums, the loop over k, and the sums stored in C."""
        kind, size = llvm(dtype), size_of(dtype)
        which = [row_of(builder, m, M) for m in range(rows)]
        cells = [(m, v) for m in range(rows) for v in range(wide)]
        places = [vector_at(builder, kind, C, builder.add(builder.mul(c_row, which[m]), constant(LANES * v)))
                  for m, v in cells]
        last_count = builder.sub(columns, constant(LANES * (wide - 1)))    # other vectors are full
        counts = ([constant(LANES)] * (wide - 1) + [last_count]) * rows
        first = initial_sums(builder, kind, size, places, counts, plus)
        prefetch_below(builder, C, c_row, rows, wide, size)
        a_rows = [builder.gep(A, [builder.mul(a_row, m)]) for m in which]
        head = builder.block
        loop, done = builder.append_basic_block("k"), builder.append_basic_block("done")
        builder.cbranch(builder.icmp_signed(">", K, constant(0)), loop, done)

        # for k in range(K): sums[m, v] += A[m, k] * B[k, v]
        builder.position_at_end(loop)
        k = builder.phi(I64)
        sums = [builder.phi(kind) for _ in cells]
        b = load_b(builder, kind, B, k, wide)
        prefetch_ahead(builder, ahead, pace, k)
        new = []
        for m in range(rows):
            number = builder.load(builder.gep(a_rows[m], [builder.mul(k, a_col)]))
            a = V(builder, spread(builder, number))
            for v in range(wide):
                new.append(a.call("fma", V(builder, b[v]), V(builder, sums[m * wide + v])).value)
        following = builder.add(k, constant(1))
        for phi, at_first, later in zip((k, *sums), (constant(0), *first), (following, *new)):
            phi.add_incoming(at_first, head)
            phi.add_incoming(later, loop)
        builder.cbranch(builder.icmp_signed("<", following, K), loop, done)

        builder.position_at_end(done)
        last = [either(builder, kind, (at_first, head), (later, loop)) for at_first, later in zip(first, new)]
        for place, value, count in zip(places, last, counts):
            store(builder, value, place, count, size)

    def constant(n):
        return ir.Constant(I64, n)

    def vector_at(builder, kind, pointer, offset):
        """The address of a vector."""
        return builder.bitcast(builder.gep(pointer, [offset]), kind.as_pointer())

    def row_of(builder, m, M):
        """m, or the last row there is: a row done twice costs less than a smaller tile."""
        there = builder.icmp_signed("<", constant(m), M)
        last = builder.sub(M, constant(1))
        return builder.select(there, constant(m), last) if m else constant(0)

    def either(builder, kind, *choices):
        """The value that belongs to the block from which this one is reached."""
        phi = builder.phi(kind)
        for value, block in choices:
            phi.add_incoming(value, block)
        return phi

    def initial_sums(builder, kind, size, places, counts, plus):
        """Sums begin with 0, or with C."""
        start, zero = builder.block, ir.Constant(kind, [0.0] * LANES)
        with builder.if_then(plus):
            old = [load(builder, place, count, size) for place, count in zip(places, counts)]
            after_load = builder.block
        return [either(builder, kind, (zero, start), (value, after_load)) for value in old]

    def load_b(builder, kind, B, k, wide):
        """The vectors of row k of B."""
        row, b = builder.mul(k, constant(wide * LANES)), []
        for v in range(wide):
            b.append(builder.load(vector_at(builder, kind, B, builder.add(row, constant(v * LANES)))))
            b[-1].align = 64
        return b

    def prefetch_below(builder, C, c_row, rows, wide, size):
        """Of the tile below: its sums begin with C, which may be far away."""
        for m in range(rows, 2 * rows):
            for line in range(0, wide * LANES, 64 // size):
                prefetch(builder, builder.gep(C, [builder.add(builder.mul(c_row, constant(m)), constant(line))]))

    def prefetch_ahead(builder, ahead, pace, k):
        """Of the panel that comes next: `pace` / 16 numbers for each k, for reading, into the second-level cache."""
        prefetch(builder, builder.gep(ahead, [builder.lshr(builder.mul(k, pace), constant(4))]), write=0, near=2)
