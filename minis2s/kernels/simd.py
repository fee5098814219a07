"""Arithmetic on 16 numbers at once, written as if on one.

              j=0                16               32      36 = H
    cs[t, n]:  |  J = at(0, H)   |  J = at(16, H)  |  J = at(32, H): 4 numbers, the other 12 lanes are off

A processor's vector registers hold 4 to 16 float32 each; one instruction multiplies them all.  A compiler
finds such code by itself in simple loops only, so here it is said: `J = at(j, H)` are the up to 16 entries
from j on, `a[t, n, J]` reads them as one Vector, and operators, tanh, sigmoid and exp work on Vectors.  An
LSTM's

    c = f[t, n, J] * cs[t, n, J] + i[t, n, J] * g[t, n, J]

is one multiplication and one fused multiplication and addition for 16 units.  In the last group of a row the
lanes beyond H are off: they read as 0 and are not written, so every size will do and nobody pads arrays.

Without compilation (see jit.py) `at` is a slice, a Vector is a NumPy array of up to 16 numbers, and the very
same lines run on NumPy.  With it, each function here has a *lowering*: the LLVM instructions for it.  LLVM
splits 16 lanes over as many registers as the machine needs: 1 (AVX-512), 2 (AVX2) or 4 (SSE, NEON) for
float32, twice that for float64.

How exact: float32 exp 1 ulp (relative error 1.2e-7), sigmoid 3.2 ulp, tanh 4.6 ulp (one ulp is 6e-8 just
below 1). float64: all three within 4e-16 of what the machine's scalar functions give, relative.  NaN stays
NaN, exp(-inf) is 0 and exp(inf) is inf; already below exp(-87.3) float32 gives 0, and above exp(88.3) inf
(float64: -708 and 709.4).
"""
import operator

import numpy as np

from .jit import JIT

LANES = 16


# What the functions mean: these bodies run where nothing is compiled ---------------------------------------

def at(j, end):
    """The entries j .. j+15 of a row, as far as they lie before `end`: an index for the last axis."""
    return slice(j, min(j + LANES, end))


def exp(x):
    """e**x."""
    return np.exp(x)


def tanh(x):
    """(F2)"""
    return np.tanh(x)


def sigmoid(x):
    """(F1) 1 / (1 + exp(-x))"""
    return 0.5 * (1 + np.tanh(0.5 * x))


def where(condition, x, y):
    """x if the condition (one truth value) holds, else y: a choice, so a NaN in the other does no harm."""
    return x if condition else y


def multiply_add(x, y, z):
    """x y + z, rounded once where it is compiled; y is one number."""
    return x * y + z


def zeros(a):
    """Sixteen zeros of the array a's dtype: a sum's beginning."""
    return np.zeros(LANES, a.dtype)


def zeros_like(x):
    """A Vector of zeros as long as x."""
    return np.zeros_like(x)


def add(total, x):
    """total + x, where total began with `zeros` and x may be the shorter last part of a row."""
    total = total.copy()
    total[:len(x)] += x
    return total


def total(x):
    """The sum of a Vector's entries."""
    return x.sum()


def greatest(x):
    """The greatest of a Vector's entries; NaN if one is NaN."""
    return x.max()


def maximum(x, y):
    """The greater of each two entries; NaN if one is NaN."""
    return np.maximum(x, y)


def sqrt(x):
    """Square root."""
    return np.sqrt(x)


def widened(x):
    """The same numbers in float64."""
    return x.astype(np.float64)


if JIT:                        # What they are made of, for the compiler
    from llvmlite import ir
    from numba import types
    from numba.core import cgutils
    from numba.core.imputils import lower_builtin
    from numba.core.typing.templates import AbstractTemplate, infer_global, signature
    from numba.extending import models, register_model, type_callable

    class Vector(types.Type):
        def __init__(self, dtype):
            self.dtype = dtype
            super().__init__(f"Vector({dtype})")

    class Lanes(types.Type):   # what `at` returns
        def __init__(self):
            super().__init__("Lanes")

    lanes_type = Lanes()

    def llvm(dtype):
        """LLVM's vector type for a Numba dtype."""
        return ir.VectorType(ir.FloatType() if dtype == types.float32 else ir.DoubleType(), LANES)

    @register_model(Vector)
    class VectorModel(models.PrimitiveModel):
        def __init__(self, manager, fe_type):
            super().__init__(manager, fe_type, llvm(fe_type.dtype))

    @register_model(Lanes)
    class LanesModel(models.StructModel):
        def __init__(self, manager, fe_type):
            super().__init__(manager, fe_type, [("start", types.intp), ("count", types.intp)])

    class V:
        """A Vector while code is written down: each operator appends one instruction."""

        def __init__(self, builder, value):
            self.builder, self.value = builder, value

        def of(self, x):
            """Another V, or a number in all lanes."""
            if isinstance(x, V):
                return x.value
            if isinstance(x, ir.Value):
                return spread(self.builder, x)
            return ir.Constant(self.value.type, [x] * LANES)

        def made(self, value):
            return V(self.builder, value)

        def __add__(self, x):
            return self.made(self.builder.fadd(self.value, self.of(x), flags=("contract",)))

        def __sub__(self, x):
            return self.made(self.builder.fsub(self.value, self.of(x), flags=("contract",)))

        def __mul__(self, x):
            return self.made(self.builder.fmul(self.value, self.of(x), flags=("contract",)))

        def __truediv__(self, x):
            return self.made(self.builder.fdiv(self.value, self.of(x)))

        def __neg__(self):
            return self.made(self.builder.fneg(self.value))

        def call(self, name, *args):
            """An operation that LLVM knows by name."""
            kind = self.value.type
            suffix = f"v{LANES}f{32 if kind.element == ir.FloatType() else 64}"
            f = cgutils.get_or_insert_function(
                self.builder.module, ir.FunctionType(kind, [kind] * (1 + len(args))), f"llvm.{name}.{suffix}")
            return self.made(self.builder.call(f, [self.value, *map(self.of, args)]))

        def select(self, relation, bound, there):
            """`there` where self stands in the relation to bound; a NaN stands in none."""
            c = self.builder.fcmp_ordered(relation, self.value, self.of(bound))
            return self.made(self.builder.select(c, self.of(there), self.value))

        def clamp(self, low, high):
            """At least low and at most high; NaN stays NaN (minnum and maxnum would make it a bound)."""
            return self.select("<", low, low).select(">", high, high)

        def polynomial(self, *coefficients):
            """Horner's rule, highest power first."""
            p = self.made(self.of(coefficients[0]))
            for c in coefficients[1:]:
                p = p * self + c
            return p

        @property
        def single(self):
            return self.value.type.element == ir.FloatType()

    def spread(builder, x):
        """One number in all lanes."""
        kind = ir.VectorType(x.type, LANES)
        none, first = ir.Constant(kind, ir.Undefined), ir.Constant(ir.IntType(32), 0)
        return builder.shuffle_vector(builder.insert_element(none, x, first), none,
                                      ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))

    def split_exp(x):
        """x = n ln 2 + r with |r| <= ln 2 / 2: -> r, 2**n.

        Adding 1.5 * 2**23 (2**52) rounds to a whole number n and leaves n in the sum's lowest bits; shifted
        to where the exponent stands they are 2**n.  ln 2 is subtracted in two parts; the first has few bits.
        """
        b, bits = x.builder, 32 if x.single else 64
        magic, fraction, bias = (1.5 * 2.0**23, 23, 127) if x.single else (1.5 * 2.0**52, 52, 1023)
        high, low = (0.693359375, -2.12194440e-4) if x.single else (0.6931471803691238,
                                                                    1.9082149292705877e-10)
        shifted = b.fadd((x * 1.4426950408889634).value, x.of(magic))
        n = x.made(b.fsub(shifted, x.of(magic)))
        r = x - n * high
        r = r - n * low
        kind = ir.VectorType(ir.IntType(bits), LANES)
        exponent = b.add(b.bitcast(shifted, kind), ir.Constant(kind, [bias] * LANES))
        power = b.bitcast(b.shl(exponent, ir.Constant(kind, [fraction] * LANES)), x.value.type)
        return r, x.made(power)

    # of (e**r - 1 - r) / r**2
    TAYLOR = tuple(1 / float(np.prod(np.arange(1.0, k + 1))) for k in range(13, 1, -1))

    def exp_minus_1(r):
        """e**r - 1 for small r, exact in the relative sense too."""
        if r.single:
            p = r.polynomial(1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2,
                             1.6666665459e-1,
                             5.0000001201e-1)
        else:
            p = r.polynomial(*TAYLOR)
        return p * (r * r) + r

    def bounded_exp(x):
        """e**x, or that of the bound where x is beyond one; -> with the bounds."""
        low, high = (-87.3, 88.3) if x.single else (-708.0, 709.4)
        r, power = split_exp(x.clamp(low, high))
        return power * (exp_minus_1(r) + 1.0), low, high

    def emit_exp(x):
        y, low, high = bounded_exp(x)
        below = x.builder.fcmp_ordered("<", x.value, x.of(low))
        above = x.builder.fcmp_ordered(">", x.value, x.of(high))
        y = x.builder.select(below, x.of(0.0), y.value)
        return x.made(x.builder.select(above, x.of(float("inf")), y))

    def emit_sigmoid(x):
        """1 / (1 + exp(-x)); 0.5 + 0.5 tanh(x/2) would lose the small values in float32."""
        e, _, high = bounded_exp(-x)
        y = x.made(x.of(1.0)) / (e + 1.0)
        below = x.builder.fcmp_ordered("<", x.value, x.of(-high))
        return x.made(x.builder.select(below, x.of(0.0), y.value))

    def emit_tanh(x):
        """float32: a quotient of two odd/even polynomials.  float64: m / (m + 2) with m = exp(2x) - 1."""
        if x.single:
            # the quotient at the bound is 1, as tanh is from 9.02 on; before the bound it has not reached 1
            inner = x.clamp(-7.99881172180175781, 7.99881172180175781)
            x2 = inner * inner
            p = x2.polynomial(-2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11,
                              5.12229709037114e-08, 1.48572235717979e-05, 6.37261928875436e-04,
                              4.89352455891786e-03)
            q = x2.polynomial(1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03,
                              4.89352518554385e-03)
            return p * inner / q
        r, power = split_exp((x + x).clamp(-40.0, 40.0))
        m = power * exp_minus_1(r) + (power - 1.0)
        return m / (m + 2.0)

    # types of calls, and the instructions -----------------------------------------------------------------

    def of_vector(function, emit):
        """A function of one Vector."""
        @type_callable(function)
        def typer(context):
            return lambda x: x if isinstance(x, Vector) else None

        @lower_builtin(function, Vector)
        def lower(context, builder, sig, args):
            return emit(V(builder, args[0])).value

    of_vector(exp, emit_exp)
    of_vector(tanh, emit_tanh)
    of_vector(sigmoid, emit_sigmoid)
    of_vector(zeros_like, lambda x: x.made(x.of(0.0)))
    of_vector(sqrt, lambda x: x.call("sqrt"))
    of_vector(operator.neg, operator.neg)

    def operation(op):
        """An operator of two Vectors, or of a Vector and a number."""
        @infer_global(op)
        class Typing(AbstractTemplate):
            def generic(self, args, kws):
                vectors = [a for a in args if isinstance(a, Vector)]
                if len(args) == 2 and vectors and all(isinstance(a, (Vector, types.Number)) for a in args):
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

    @type_callable(add)
    def type_add(context):
        return lambda x, y: x if isinstance(x, Vector) and x == y else None

    @lower_builtin(add, Vector, Vector)
    def lower_add(context, builder, sig, args):
        return (V(builder, args[0]) + V(builder, args[1])).value

    @type_callable(maximum)
    def type_maximum(context):
        return lambda x, y: x if isinstance(x, Vector) and x == y else None

    @lower_builtin(maximum, Vector, Vector)
    def lower_maximum(context, builder, sig, args):
        return greater(V(builder, args[0]), V(builder, args[1])).value

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

    def greater(x, y):
        b = x.builder
        keep = b.fcmp_unordered(">", x.value, y.value)                  # true for NaN as well
        keep = b.and_(keep, b.fcmp_ordered("==", y.value, y.value))     # unless y is the NaN
        return x.made(b.select(keep, x.value, y.value))

    folded(total, operator.add)
    folded(greatest, greater)

    # entries of arrays -----------------------------------------------------------------------------------

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

    def mask_of(builder, count):
        """Lane k is on if k < count."""
        kind = ir.VectorType(ir.IntType(32), LANES)
        count = builder.trunc(count, ir.IntType(32))
        return builder.icmp_signed("<", ir.Constant(kind, list(range(LANES))), spread(builder, count))

    def masked(builder, name, kind, size, *args):
        """LLVM's masked load or store; `size` in bytes is what the address is aligned to."""
        pointer, i32 = kind.as_pointer(), ir.IntType(32)
        bits = ir.VectorType(ir.IntType(1), LANES)
        suffix = f"v{LANES}f{8 * size}.p0"
        if name == "load":
            form = ir.FunctionType(kind, [pointer, i32, bits, kind])
        else:
            form = ir.FunctionType(ir.VoidType(), [kind, pointer, i32, bits])
        f = cgutils.get_or_insert_function(builder.module, form, f"llvm.masked.{name}.{suffix}")
        return builder.call(f, args)

    def load(builder, pointer, count, size):
        """Up to 16 numbers, zeros in the lanes that are off."""
        kind = pointer.type.pointee
        return masked(builder, "load", kind, size, pointer, ir.Constant(ir.IntType(32), size),
                      mask_of(builder, count),
                      ir.Constant(kind, [0.0] * LANES))

    def store(builder, x, pointer, count, size):
        masked(builder, "store", x.type, size, x, pointer, ir.Constant(ir.IntType(32), size),
               mask_of(builder, count))

    def prefetch(builder, pointer):
        """Ask for a line of the cache that will be read and written; an address of nothing does no harm."""
        i32 = ir.IntType(32)
        form = ir.FunctionType(ir.VoidType(), [pointer.type, i32, i32, i32])
        f = cgutils.get_or_insert_function(builder.module, form, "llvm.prefetch.p0")
        builder.call(f, [pointer, *(ir.Constant(i32, n) for n in (1, 3, 1))])    # to write; near; data

    def size_of(dtype):
        return dtype.bitwidth // 8

    @lower_builtin(read, types.Array, types.Any)
    def lower_read(context, builder, sig, args):
        return load(builder, *place(context, builder, sig, args), size_of(sig.args[0].dtype))

    @lower_builtin(write, types.Array, types.Any, Vector)
    def lower_write(context, builder, sig, args):
        store(builder, args[2], *place(context, builder, sig, args), size_of(sig.args[0].dtype))
        return context.get_dummy_value()
