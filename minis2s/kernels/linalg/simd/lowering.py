"""The functions on vectors for Numba: their types, and the instructions for them."""
import operator

from llvmlite import ir
from numba import types
from numba.extending import models, register_model, type_callable

from ...runtime.numba_private import AbstractTemplate, cgutils, infer_global, lower_builtin, signature
from . import vector
from .meaning import (
    LANES, add, at, exp, greatest, maximum, multiply_add, positive, sigmoid, sqrt, tanh, total, where, widened, zeros,
    zeros_like
)
from .vector import V, llvm, load, size_of, spread, store


class Vector(types.Type):
    def __init__(self, dtype):
        self.dtype = dtype
        super().__init__(f"Vector({dtype})")


class Lanes(types.Type):   # what `at` returns
    def __init__(self):
        super().__init__("Lanes")


lanes_type = Lanes()


@register_model(Vector)
class VectorModel(models.PrimitiveModel):
    def __init__(self, manager, fe_type):
        super().__init__(manager, fe_type, llvm(fe_type.dtype))


@register_model(Lanes)
class LanesModel(models.StructModel):
    def __init__(self, manager, fe_type):
        super().__init__(manager, fe_type, [("start", types.intp), ("count", types.intp)])


def of_vector(function, emit):
    """A function of one Vector."""
    @type_callable(function)
    def typer(context):
        return lambda x: x if isinstance(x, Vector) else None

    @lower_builtin(function, Vector)
    def lower(context, builder, sig, args):
        return emit(V(builder, args[0])).value


of_vector(exp, vector.exp)
of_vector(tanh, vector.tanh)
of_vector(sigmoid, vector.sigmoid)
of_vector(positive, vector.positive)
of_vector(zeros_like, lambda x: x.made(x.of(0.0)))
of_vector(sqrt, lambda x: x.call("sqrt"))
of_vector(operator.neg, operator.neg)


def operation(op):
    """An operator of two Vectors, or of a Vector and a number."""
    @infer_global(op)
    class Typing(AbstractTemplate):
        def generic(self, args, kws):
            vectors = [a for a in args if isinstance(a, Vector)]
            if len(args) == 2 and vectors and all(a == vectors[0] or isinstance(a, types.Number) for a in args):
                v = vectors[0]
                return signature(v, *(a if isinstance(a, Vector) else v.dtype for a in args))

    def lower(context, builder, sig, args):
        x, y = (V(builder, a if isinstance(kind, Vector) else spread(builder, a))
                for a, kind in zip(args, sig.args))
        return op(x, y).value
    for kinds in ((Vector, Vector), (Vector, types.Float), (types.Float, Vector)):
        lower_builtin(op, *kinds)(lower)


for op in (operator.add, operator.sub, operator.mul, operator.truediv):
    operation(op)


@type_callable(where)
def type_where(context):
    def typer(c, x, y):
        vectors = [v for v in (x, y) if isinstance(v, Vector)]
        if isinstance(c, types.Boolean) and vectors:
            return vectors[0]
    return typer


@lower_builtin(where, types.Boolean, types.Any, types.Any)
def lower_where(context, builder, sig, args):
    kind = sig.return_type
    choices = [v if have == kind else spread(builder, context.cast(builder, v, have, kind.dtype))
               for v, have in zip(args[1:], sig.args[1:])]
    return builder.select(args[0], *choices)


def of_two_vectors(function, emit):
    """A function of two Vectors."""
    @type_callable(function)
    def typer(context):
        return lambda x, y: x if isinstance(x, Vector) and x == y else None

    @lower_builtin(function, Vector, Vector)
    def lower(context, builder, sig, args):
        return emit(V(builder, args[0]), V(builder, args[1])).value


of_two_vectors(add, operator.add)
of_two_vectors(maximum, vector.greater)


@type_callable(multiply_add)
def type_multiply_add(context):
    return lambda x, y, z: x if isinstance(x, Vector) and y == x.dtype and z == x else None


@lower_builtin(multiply_add, Vector, types.Float, Vector)
def lower_multiply_add(context, builder, sig, args):
    return V(builder, args[0]).call("fma", V(builder, spread(builder, args[1])), V(builder, args[2])).value


@type_callable(widened)
def type_widened(context):
    return lambda x: Vector(types.float64) if isinstance(x, Vector) else None


@lower_builtin(widened, Vector)
def lower_widened(context, builder, sig, args):
    return args[0] if sig.args[0] == sig.return_type else builder.fpext(args[0], llvm(types.float64))


@type_callable(zeros)
def type_zeros(context):
    return lambda a: Vector(a.dtype) if isinstance(a, types.Array) else None


@lower_builtin(zeros, types.Array)
def lower_zeros(context, builder, sig, args):
    return ir.Constant(llvm(sig.return_type.dtype), [0.0] * LANES)


def folded(function, combine):
    """A function of one Vector to a number: upper half with lower half, four times."""
    @type_callable(function)
    def typer(context):
        return lambda x: x.dtype if isinstance(x, Vector) else None

    @lower_builtin(function, Vector)
    def lower(context, builder, sig, args):
        x, n = V(builder, args[0]), LANES
        while n > 1:
            n //= 2
            order = [(k + n) % LANES for k in range(LANES)]
            halves = builder.shuffle_vector(x.value, x.value,
                                            ir.Constant(ir.VectorType(ir.IntType(32), LANES), order))
            x = combine(x, x.made(halves))
        return builder.extract_element(x.value, ir.Constant(ir.IntType(32), 0))


folded(total, operator.add)
folded(greatest, vector.greater)

# Entries of arrays ----------------------------------------------------------------------------------------


@type_callable(at)
def type_at(context):
    return lambda j, end: lanes_type


@lower_builtin(at, types.Integer, types.Integer)
def lower_at(context, builder, sig, args):
    start, end = (context.cast(builder, a, kind, types.intp) for a, kind in zip(args, sig.args))
    return cgutils.pack_struct(builder, [start, builder.sub(end, start)])


def read(a, index):
    """a[t, n, J]; a name of its own, so that Numba does not take it for its own indexing."""


def write(a, index, x):
    """a[t, n, J] = x"""


def is_vector_index(a, index):
    parts = index.types if isinstance(index, types.BaseTuple) else (index,)
    return (isinstance(a, types.Array) and isinstance(a.dtype, types.Float)
            and len(parts) == a.ndim and parts[-1] == lanes_type
            and all(isinstance(p, types.Integer) for p in parts[:-1]))


@infer_global(operator.getitem)
class TypeRead(AbstractTemplate):
    def generic(self, args, kws):
        if len(args) == 2 and is_vector_index(*args):
            return signature(Vector(args[0].dtype), *args)

    def get_impl_key(self, sig):
        return read


@infer_global(operator.setitem)
class TypeWrite(AbstractTemplate):
    def generic(self, args, kws):
        if len(args) == 3 and is_vector_index(*args[:2]):
            return signature(types.none, args[0], args[1], Vector(args[0].dtype))

    def get_impl_key(self, sig):
        return write


def place(context, builder, sig, args):
    """Address of the first entry as a pointer to a vector, and how many lanes are on."""
    kind, index_kind = sig.args[:2]
    array = context.make_array(kind)(context, builder, args[0])
    if isinstance(index_kind, types.BaseTuple):
        index = cgutils.unpack_tuple(builder, args[1], len(index_kind.types))
        kinds = index_kind.types
    else:
        index, kinds = [args[1]], [index_kind]
    start, count = (builder.extract_value(index[-1], k) for k in (0, 1))
    index = [context.cast(builder, i, k, types.intp) for i, k in zip(index[:-1], kinds[:-1])] + [start]
    shape = cgutils.unpack_tuple(builder, array.shape, kind.ndim)
    strides = cgutils.unpack_tuple(builder, array.strides, kind.ndim)
    pointer = cgutils.get_item_pointer2(context, builder, array.data, shape, strides, kind.layout, index,
                                        wraparound=False, boundscheck=False)
    return builder.bitcast(pointer, llvm(kind.dtype).as_pointer()), count


@lower_builtin(read, types.Array, types.Any)
def lower_read(context, builder, sig, args):
    return load(builder, *place(context, builder, sig, args), size_of(sig.args[0].dtype))


@lower_builtin(write, types.Array, types.Any, Vector)
def lower_write(context, builder, sig, args):
    store(builder, args[2], *place(context, builder, sig, args), size_of(sig.args[0].dtype))
    return context.get_dummy_value()
