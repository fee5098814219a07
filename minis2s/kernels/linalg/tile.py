"""The micro-kernel: C (+)= A B for a tile of 6 rows and 4 vectors, whose numbers stay in registers.

                       16 columns = one vector
                      ┌──────┬──────┬──────┬──────┐
     B, a panel  k -> │ b0   │ b1   │ b2   │ b3   │      read once for each k, straight on
                      └──────┴──────┴──────┴──────┘
        ┌───┐         ┌──────┬──────┬──────┬──────┐
    A   │ a │ row 0   │ += a*b0    │  ...        │
        │   │         ├──────┼──────┼──────┼──────┤
        │   │  ...    │                           │      C, a tile of 6 rows and 4 vectors: it stays in 24
        │   │         │                           │      registers while k runs from 0 to K-1
        │   │ row 5   │                           │
        └───┘         └──────┴──────┴──────┴──────┘
          k

A processor multiplies and adds far faster than it reads memory, so a product is as fast as it is sparing with
reads.  The tile reads 4 vectors of B and 6 numbers of A for each k, and does 24 vector multiply-adds with them.
It is written down instruction by instruction, as no compiler keeps so many sums in registers by itself; gemm.py
chooses tiles.  Drawn are float32 and 32 registers of 512 bits; other machines' tiles are smaller (`tile_shape`).
"""
import numpy as np

from ..runtime.jit import JIT
from .simd import LANES


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
        def tile(context, C, c_row, columns, M, A, a_row, a_col, B, K, plus):
            i = types.intp
            sig = types.void(C, i, i, i, A, i, i, B, i, types.boolean)

            def lower(context, builder, sig, args):
                C, c_row, columns, M, A, a_row, a_col, B, K, plus = args
                kind, size = llvm(sig.args[0].dtype), size_of(sig.args[0].dtype)

                def constant(n):
                    return ir.Constant(I64, n)

                def vector_at(pointer, offset):
                    return builder.bitcast(builder.gep(pointer, [offset]), kind.as_pointer())

                def row(m):
                    """m, or the last row there is: a row done twice costs less than a smaller tile."""
                    there = builder.icmp_signed("<", constant(m), M)
                    last = builder.sub(M, constant(1))
                    return builder.select(there, constant(m), last) if m else constant(0)

                which = [row(m) for m in range(rows)]
                cells = [(m, v) for m in range(rows) for v in range(wide)]
                places = [vector_at(C, builder.add(builder.mul(c_row, which[m]), constant(LANES * v)))
                          for m, v in cells]
                last_count = builder.sub(columns, constant(LANES * (wide - 1)))    # other vectors are full
                counts = [constant(LANES)] * (wide - 1) + [last_count]

                # sums begin with 0, or with C
                start = builder.block
                with builder.if_then(plus):
                    old = [load(builder, at, counts[v], size) for at, (m, v) in zip(places, cells)]
                    after_load = builder.block
                head = builder.block
                loop, done = builder.append_basic_block("k"), builder.append_basic_block("done")
                first = []
                for value in old:
                    choice = builder.phi(kind)
                    choice.add_incoming(ir.Constant(kind, [0.0] * LANES), start)
                    choice.add_incoming(value, after_load)
                    first.append(choice)
                a_rows = [builder.gep(A, [builder.mul(a_row, m)]) for m in which]
                builder.cbranch(builder.icmp_signed(">", K, constant(0)), loop, done)

                # for k in range(K): sums[m, v] += A[m, k] * B[k, v]
                builder.position_at_end(loop)
                k = builder.phi(I64)
                sums = [builder.phi(kind) for _ in cells]
                b_row = builder.mul(k, constant(wide * LANES))
                b = []
                for v in range(wide):
                    b.append(builder.load(vector_at(B, builder.add(b_row, constant(v * LANES)))))
                    b[-1].align = 64
                # of the tile below: its sums begin with C, which may be far away; one line for each k
                below = builder.add(builder.udiv(k, constant(32)), constant(rows))
                line = builder.urem(k, constant(wide * LANES * size // 64))
                prefetch(builder, builder.gep(C, [builder.add(
                    builder.mul(below, c_row), builder.mul(line, constant(64 // size)))]))
                new = []
                for m in range(rows):
                    number = builder.load(builder.gep(a_rows[m], [builder.mul(k, a_col)]))
                    a = V(builder, spread(builder, number))
                    for v in range(wide):
                        new.append(a.call("fma", V(builder, b[v]), V(builder, sums[m * wide + v])).value)
                following = builder.add(k, constant(1))
                k.add_incoming(constant(0), head)
                k.add_incoming(following, loop)
                for phi, at_first, later in zip(sums, first, new):
                    phi.add_incoming(at_first, head)
                    phi.add_incoming(later, loop)
                builder.cbranch(builder.icmp_signed("<", following, K), loop, done)

                builder.position_at_end(done)
                last = []
                for at_first, later in zip(first, new):
                    last.append(builder.phi(kind))
                    last[-1].add_incoming(at_first, head)
                    last[-1].add_incoming(later, loop)
                for place, (m, v), value in zip(places, cells, last):
                    store(builder, value, place, counts[v], size)
                return context.get_dummy_value()
            return sig, lower
        return tile
