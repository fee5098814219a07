"""Arrays that a kernel indexes, checked before it is called: compiled code looks at neither shapes nor dtypes.

    arrays ──> shapes and dtypes as wanted? ──yes──> kernel
                          │no
                 ValueError or TypeError in one line: which array, what came, what was wanted

That takes some microseconds.  Where calls are many and short, as those of a small layer, compiled code looks at shapes
itself (`shapes_are`), and Numba, which finds a kernel by the types of its arguments, asks `jit`'s `accepts` about types
that it has not met: then Python's checks run only to find out what is wrong.
"""
import numpy as np

from ..runtime.jit import JIT, types

FLOATS = np.dtype("float32"), np.dtype("float64")


def arrays(dtype, names, shapes, given):
    """Require arrays of these shapes, all of one dtype.

    Parameters
    ----------
    dtype : dtype
    names : sequence of str
        Of the arrays, for the message.
    shapes : list of tuple
    given : sequence of ndarray

    Raises
    ------
    TypeError
        For what is no array, or has another dtype.
    ValueError
        For an array of another shape.
    """
    try:
        if [a.shape for a in given] == shapes and [a.dtype for a in given].count(dtype) == len(shapes):
            return
    except AttributeError:
        pass
    for name, shape, a in zip(names, shapes, given):
        array(name, a, dtype, shape)


def array(name, a, dtype, shape):
    """Require one array of this dtype and shape."""
    if not isinstance(a, np.ndarray):
        raise TypeError(f"{name}: got {type(a).__name__}, wanted an array")
    if a.shape != shape:
        raise ValueError(f"{name}: got shape {a.shape}, wanted {shape}")
    if a.dtype != dtype:
        raise TypeError(f"{name}: got dtype {a.dtype}, wanted {np.dtype(dtype)}")


def floats(name, a, ndim):
    """Require an array with so many axes, none of them empty, of float32 or float64: -> its dtype."""
    if not isinstance(a, np.ndarray):
        raise TypeError(f"{name}: got {type(a).__name__}, wanted an array")
    if a.ndim != ndim or 0 in a.shape:
        raise ValueError(f"{name}: got shape {a.shape}, wanted {ndim} axes, none of them empty")
    if a.dtype not in FLOATS:
        raise TypeError(f"{name}: got dtype {a.dtype}, wanted float32 or float64")
    return a.dtype


def kind(name, x, wanted):
    """Require a NamedTuple of this type: another cell's Params have other arrays under the same names."""
    if not isinstance(x, wanted):
        raise TypeError(f"{name}: got {type_name(type(x))}, wanted {type_name(wanted)}")


def type_name(t):
    """"lstm.Params" for the Params of lstm.py."""
    return t.__name__ if t.__module__ == "builtins" else f"{t.__module__.rpartition('.')[2]}.{t.__name__}"


def bools(name, a, shape):
    """Require a mask of this shape."""
    array(name, a, np.dtype(bool), shape)


# In compiled code, where calls are many and short, as those of a small layer ---------------------------------

def shapes_are(arrays, first, rest):
    """Whether the first of the arrays has this shape, and all others that one."""
    return all(a.shape == (rest if i else first) for i, a in enumerate(arrays))


def have_no_gaps(arrays):
    """Whether the numbers of each array's last axis are neighbours: no kernel looks at that stride."""
    return all(a.strides[-1] == a.itemsize for a in arrays)


if JIT:
    from llvmlite import ir
    from numba.extending import intrinsic
    from ..runtime.numba_private import cgutils, TypingError

    def all_of(builder, conditions):
        """Whether all of them hold."""
        holds = ir.Constant(ir.IntType(1), 1)
        for condition in conditions:
            holds = builder.and_(holds, condition)
        return holds

    @intrinsic
    def shapes_are(context, arrays, first, rest):              # noqa: F811
        """The same."""
        for i, a in enumerate(arrays.types):
            if a.ndim != len(rest if i else first):
                raise TypingError("an array of another number of axes")

        def lower(context, builder, sig, args):
            shapes = [cgutils.unpack_tuple(builder, shape) for shape in args[1:]]
            return all_of(builder, [
                builder.icmp_signed("==", n, wanted)
                for i, (kind, a) in enumerate(zip(arrays.types, cgutils.unpack_tuple(builder, args[0])))
                for n, wanted in zip(cgutils.unpack_tuple(builder, context.make_array(kind)(context, builder, a).shape),
                                     shapes[min(i, 1)])])
        return types.boolean(arrays, first, rest), lower

    @intrinsic
    def have_no_gaps(context, arrays):                         # noqa: F811
        """The same."""
        def lower(context, builder, sig, args):
            views = [context.make_array(kind)(context, builder, a)
                     for kind, a in zip(arrays.types, cgutils.unpack_tuple(builder, args[0]))]
            return all_of(builder, [builder.icmp_signed("==", cgutils.unpack_tuple(builder, a.strides)[-1], a.itemsize)
                                    for a in views])
        return types.boolean(arrays), lower
