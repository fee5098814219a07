"""Vectors that are kept as whole numbers: int8, or uint16 that are the first 16 bits of float32 ("bf16").

    int8      -3  ──>  -3.0               uint16   0x3F80  ──>  0x3F800000 = 1.0
    -2.7  ──>  -3                         1.001  ──>  0x3F80, the nearest; of two as near the even one

Half a step is rounded to the even neighbour.  Of what does not fit into an int8, and of NaN, anything may become.
"""
import numpy as np

from ...runtime.jit import JIT
from .meaning import LANES


def read_whole(q, i, a):
    """Sixteen entries of the flat q from i on, as a Vector of the dtype of array a."""
    part = q[i:i + LANES]
    if q.dtype == np.uint16:
        part = (part.astype(np.uint32) << 16).view(np.float32)
    return part.astype(a.dtype)


def write_whole(q, i, x):
    """q[i:i+16] = x, rounded; of a shorter last part of a row as if zeros followed."""
    x = np.concatenate([x, np.zeros(LANES - len(x), x.dtype)])
    if q.dtype == np.uint16:
        bits = x.astype(np.float32).view(np.uint32)
        q[i:i + LANES] = bits + 0x7FFF + (bits >> 16 & 1) >> 16
    else:
        q[i:i + LANES] = np.rint(x)


if JIT:
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    from ...runtime.numba_private import cgutils, make_array
    from .lowering import Vector
    from .vector import V, llvm

    WORD, FLOAT = ir.VectorType(ir.IntType(32), LANES), llvm(types.float32)
    KEPT = {types.int8: ir.VectorType(ir.IntType(8), LANES), types.uint16: ir.VectorType(ir.IntType(16), LANES)}

    def place(context, builder, kind, array, i):
        """Address of sixteen entries."""
        data = make_array(kind)(context, builder, array).data
        return builder.bitcast(cgutils.gep(builder, data, i), KEPT[kind.dtype].as_pointer())

    @intrinsic
    def read_whole(context, q, i, a):                                  # noqa: F811
        """The same."""
        def lower(context, builder, sig, args):
            number, wanted = sig.args[0].dtype, llvm(sig.return_type.dtype)
            kept = builder.load(place(context, builder, sig.args[0], *args[:2]), align=number.bitwidth // 8)
            if number == types.int8:
                return builder.sitofp(builder.sext(kept, WORD), wanted)
            bits = builder.shl(builder.zext(kept, WORD), ir.Constant(WORD, [16] * LANES))
            x = builder.bitcast(bits, FLOAT)
            return x if wanted == FLOAT else builder.fpext(x, wanted)
        return Vector(a.dtype)(q, types.intp, a), lower

    @intrinsic
    def write_whole(context, q, i, x):                                 # noqa: F811
        """The same."""
        def lower(context, builder, sig, args):
            number = sig.args[0].dtype
            if number == types.int8:
                whole = builder.fptosi(V(builder, args[2]).call("rint").value, WORD)
            else:
                single = args[2] if args[2].type == FLOAT else builder.fptrunc(args[2], FLOAT)
                bits = builder.bitcast(single, WORD)
                sixteen, one = (ir.Constant(WORD, [n] * LANES) for n in (16, 1))
                odd = builder.and_(builder.lshr(bits, sixteen), one)
                bits = builder.add(builder.add(bits, ir.Constant(WORD, [0x7FFF] * LANES)), odd)
                whole = builder.lshr(bits, sixteen)
            builder.store(builder.trunc(whole, KEPT[number]), place(context, builder, sig.args[0], *args[:2]),
                          align=number.bitwidth // 8)
            return context.get_dummy_value()
        return types.void(q, types.intp, x), lower
