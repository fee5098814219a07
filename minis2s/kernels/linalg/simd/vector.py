"""A vector while code is written down: each operator appends an LLVM instruction.

    V + V, V * 2.0, ...     one instruction each
    exp, sigmoid, tanh      a dozen each: x is brought into a small range, where a polynomial is exact
    load, store             of up to 16 numbers; lanes beyond `count` read as 0 and are not written


The functions' errors stand in the package's docstring, and are tested.
"""
import numpy as np
from llvmlite import ir
from numba import types

from ...runtime.numba_private import cgutils
from .meaning import LANES


def llvm(dtype):
    """LLVM's vector type for a Numba dtype."""
    return ir.VectorType(ir.FloatType() if dtype == types.float32 else ir.DoubleType(), LANES)


class V:
    """Sixteen numbers that the code has at one place."""

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
    high, low = (0.693359375, -2.12194440e-4) if x.single else (0.6931471803691238, 1.9082149292705877e-10)
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
                         1.6666665459e-1, 5.0000001201e-1)
    else:
        p = r.polynomial(*TAYLOR)
    return p * (r * r) + r


def bounded_exp(x):
    """e**x, or that of the bound where x is beyond one; -> with the bounds."""
    low, high = (-87.3, 88.3) if x.single else (-708.0, 709.4)
    r, power = split_exp(x.clamp(low, high))
    return power * (exp_minus_1(r) + 1.0), low, high


def exp(x):
    y, low, high = bounded_exp(x)
    below = x.builder.fcmp_ordered("<", x.value, x.of(low))
    above = x.builder.fcmp_ordered(">", x.value, x.of(high))
    y = x.builder.select(below, x.of(0.0), y.value)
    return x.made(x.builder.select(above, x.of(float("inf")), y))


def sigmoid(x):
    """1 / (1 + exp(-x)); 0.5 + 0.5 tanh(x/2) would lose the small values in float32."""
    e, _, high = bounded_exp(-x)
    y = x.made(x.of(1.0)) / (e + 1.0)
    below = x.builder.fcmp_ordered("<", x.value, x.of(-high))
    return x.made(x.builder.select(below, x.of(0.0), y.value))


def tanh(x):
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


def positive(x):
    zero = x.made(x.of(0.0))
    return x.made(x.builder.select(x.builder.fcmp_ordered(">", x.value, zero.value), x.of(1.0), zero.value))


def greater(x, y):
    b = x.builder
    keep = b.fcmp_unordered(">", x.value, y.value)                  # true for NaN as well
    keep = b.and_(keep, b.fcmp_ordered("==", y.value, y.value))     # unless y is the NaN
    return x.made(b.select(keep, x.value, y.value))


# Memory -------------------------------------------------------------------------------------------------

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
                  mask_of(builder, count), ir.Constant(kind, [0.0] * LANES))


def store(builder, x, pointer, count, size):
    """Full vectors are stored without a mask: with AVX2 some processors need forty steps for one with a mask."""
    full = builder.icmp_signed(">=", count, ir.Constant(count.type, LANES))
    with builder.if_else(full, likely=True) as (then, otherwise):
        with then:
            builder.store(x, pointer).align = size
        with otherwise:
            masked(builder, "store", x.type, size, x, pointer, ir.Constant(ir.IntType(32), size),
                   mask_of(builder, count))


def prefetch(builder, pointer, write=1, near=3):
    """Ask for a line of memory that will be read, and written if `write` is 1, for the first-level cache (`near` 3) or
    the second-level cache (2); an address of nothing does no harm."""
    i32 = ir.IntType(32)
    form = ir.FunctionType(ir.VoidType(), [pointer.type, i32, i32, i32])
    f = cgutils.get_or_insert_function(builder.module, form, "llvm.prefetch.p0")
    builder.call(f, [pointer, *(ir.Constant(i32, n) for n in (write, near, 1))])    # 1: data


def size_of(dtype):
    return dtype.bitwidth // 8
