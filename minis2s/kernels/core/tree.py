"""Compiled implementation of tree.py's unpacked: a model's gradient within compiled code, views of one flat array."""
from ...core.tree import unpacked  # noqa: F401  what it means
from ..runtime.jit import JIT

# With it --------------------------------------------------------------------------------------------------

if JIT:
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    from ..runtime.numba_private import cgutils, impl_ret_borrowed, make_array, populate_array

    def type_of(like, dtype):
        """The same tree of arrays without gaps, of this dtype."""
        if isinstance(like, types.Array):
            return types.Array(dtype, like.ndim, "C")
        if not isinstance(like, types.BaseTuple):
            return like
        parts = [type_of(part, dtype) for part in like.types]
        named = isinstance(like, types.BaseNamedTuple)
        return types.NamedTuple(parts, like.instance_class) if named else types.Tuple(parts)

    @intrinsic
    def unpacked(context, flat, like):                         # noqa: F811
        """The same.  Each view keeps the flat array alive, where arrays are counted."""
        def lower(context, builder, sig, args):
            numbers, start = make_array(flat)(context, builder, args[0]), ir.Constant(ir.IntType(64), 0)

            def taken(kind, value):
                nonlocal start
                if isinstance(kind, types.BaseTuple):
                    parts = [taken(part, builder.extract_value(value, k)) for k, part in enumerate(kind.types)]
                    return context.make_tuple(builder, type_of(kind, flat.dtype), parts)
                if not isinstance(kind, types.Array):
                    return value
                given, view = make_array(kind)(context, builder, value), make_array(type_of(kind, flat.dtype))(
                    context, builder)
                sizes, strides = cgutils.unpack_tuple(builder, given.shape), [numbers.itemsize]
                for n in reversed(sizes[1:]):
                    strides.insert(0, builder.mul(strides[0], n))
                populate_array(view, builder.gep(numbers.data, [start]), sizes, strides, numbers.itemsize,
                               numbers.meminfo)
                start = builder.add(start, given.nitems)
                return view._getvalue()
            return impl_ret_borrowed(context, builder, sig.return_type, taken(like, args[1]))
        return type_of(like, flat.dtype)(flat, like), lower
