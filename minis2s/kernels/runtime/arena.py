"""Memory for the arrays of one call: taken piece by piece, given back at once.

    arena[0] ─> the last piece ──> the piece before it ──> ... ──> 0
                ┌──────────┬───────────────────────┐
                │ 64 bytes │ the array's numbers   │    each piece begins with the address of the one before it,
                └──────────┴───────────────────────┘    and its numbers on a line of the processor's cache

Numba counts the references to every array.  A decoder's ForwardBuffers hold dozens of arrays, which are counted at
every assignment: that was two thirds of the code of a search with its encoder.  Arrays of which nothing remains after
the call need no counting.  So functions that make arrays take an `arena` first.  None means that the arrays are for
Python, which counts them; otherwise they are taken from the arena, and its owner frees all of them at once with
`release`.  Arrays that are needed for a shorter time are taken from its scratch arena, which may be released, and
used again, before the first.
"""
import numpy as np

from .jit import JIT, arena_function, device_function, jit

ARENAS = 3                     # an arena, its scratch arena, and that one's


def empty(arena, shape, dtype):
    """np.empty, from an arena or for Python."""
    return np.empty(shape, dtype)


@arena_function
def zeros(arena, shape, dtype):
    """np.zeros, likewise."""
    a = empty(arena, shape, dtype)
    flat = a.reshape(a.size)
    for i in range(a.size):
        flat[i] = 0
    return a


@arena_function
def empty_like(arena, a):
    """np.empty_like, likewise."""
    return empty(arena, a.shape, a.dtype)


@arena_function
def copied(arena, a):
    """A copy of an array without gaps, likewise."""
    b = empty(arena, a.shape, a.dtype)
    to, source = b.reshape(b.size), a.reshape(a.size)
    for i in range(a.size):
        to[i] = source[i]
    return b


def scratch_arena(arena):
    """The scratch arena of an arena; None for None."""
    return arena


def new_arena():
    """An arena from which nothing was taken, and its scratch arenas."""
    return np.zeros(ARENAS, np.int64)


def in_an_arena(function, *args):
    """function(arena, *args), with an arena that is released afterwards, as its scratch arenas are."""
    arenas = new_arena()
    try:
        return function(arenas, *args)
    finally:
        release_all(arenas)


if JIT:
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    from .numba_private import _empty_nd_impl, as_dtype, cgutils, impl_ret_borrowed, make_array, populate_array

    I64, LINE = ir.IntType(64), 64
    free = types.ExternalFunction("NRT_Free", types.void(types.intp))      # of Numba, wherever it runs

    def address_to(builder, address):
        return builder.inttoptr(address, I64.as_pointer())

    @intrinsic
    def empty(context, arena, shape, dtype):                    # noqa: F811
        """The same."""
        kind = types.Array(dtype.dtype, len(shape.types), "C")

        def lower(context, builder, sig, args):
            sizes = [context.cast(builder, n, have, types.intp)
                     for n, have in zip(cgutils.unpack_tuple(builder, args[1]), sig.args[1].types)]
            if isinstance(arena, types.NoneType):
                return _empty_nd_impl(context, builder, kind, sizes)._getvalue()
            itemsize = I64(as_dtype(kind.dtype).itemsize)
            strides = [itemsize]
            for n in reversed(sizes):
                strides.insert(0, builder.mul(strides[0], n))
            allocate = cgutils.get_or_insert_function(builder.module, ir.FunctionType(I64, [I64]), "NRT_Allocate")
            piece = builder.call(allocate, [builder.add(strides[0], I64(2 * LINE))])
            with cgutils.if_unlikely(builder, builder.icmp_unsigned("==", piece, I64(0))):
                context.call_conv.return_user_exc(builder, MemoryError, ())
            line = builder.and_(builder.add(piece, I64(LINE - 1)), I64(-LINE))
            last = builder.bitcast(make_array(sig.args[0])(context, builder, args[0]).data, I64.as_pointer())
            builder.store(builder.load(last), address_to(builder, line))
            builder.store(piece, address_to(builder, builder.add(line, I64(8))))
            builder.store(line, last)
            array = make_array(kind)(context, builder)
            numbers = builder.inttoptr(builder.add(line, I64(LINE)), array.data.type)
            populate_array(array, numbers, sizes, strides[1:], itemsize, None)
            return array._getvalue()
        return kind(arena, shape, dtype), lower

    @intrinsic
    def scratch_arena(context, arena):                                 # noqa: F811
        """The same: the next entry of the array that holds the arenas."""
        def lower(context, builder, sig, args):
            if isinstance(arena, types.NoneType):
                return context.get_dummy_value()
            arenas, rest = (make_array(arena)(context, builder, value) for value in (args[0], None))
            populate_array(rest, builder.gep(arenas.data, [I64(1)]), [builder.sub(arenas.nitems, I64(1))], [I64(8)],
                           I64(8), arenas.meminfo)
            return impl_ret_borrowed(context, builder, arena, rest._getvalue())
        return arena(arena), lower

    @intrinsic
    def number_at(context, address):
        """The whole number that stands at an address."""
        return types.int64(address), lambda context, builder, sig, args: builder.load(
            address_to(builder, args[0]))

    @device_function
    def release(arena):
        """All that was taken from the arena."""
        line = arena[0]
        while line != 0:
            before, piece = number_at(line), number_at(line + 8)
            free(piece)
            line = before
        arena[0] = 0

    @jit("arena.release_all")
    def release_all(arenas):
        """All that was taken from all of them."""
        for k in range(len(arenas)):
            release(arenas[k:])
else:
    def release(arena):
        """Nothing was taken."""

    release_all = release
