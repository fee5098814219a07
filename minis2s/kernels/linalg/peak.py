"""How fast the machine could be: chains of multiply-adds that stay in registers.

    v = v m + c,  many times side by side: each waits for its last result, so only many fill the units

A chain of 16 numbers needs as many registers as 16 numbers do.  Too many chains for a machine's registers would be
written to memory and read again, and measure that: so there are twelve where one register holds 16 numbers, else six.
"""
from ..runtime.jit import jit
from .simd import at
from .tile import registers


@jit("peak.twelve")
def twelve(x, n):
    """n times 12 multiply-adds of 16 numbers, in 12 chains."""
    J = at(0, 16)
    m, c = x[J], x[J]
    a = b = d = e = f = g = h = i = j = k = p = q = x[J]
    for _ in range(n):
        a, b, d, e = a * m + c, b * m + c, d * m + c, e * m + c
        f, g, h, i = f * m + c, g * m + c, h * m + c, i * m + c
        j, k, p, q = j * m + c, k * m + c, p * m + c, q * m + c
    x[J] = (a + b + d + e + f + g + h + i + j + k + p + q) / 12.0


@jit("peak.six")
def six(x, n):
    """The same in 6 chains, each of them twice."""
    J = at(0, 16)
    m, c = x[J], x[J]
    a = b = d = e = f = g = x[J]
    for _ in range(n):
        a, b, d = a * m + c, b * m + c, d * m + c
        e, f, g = e * m + c, f * m + c, g * m + c
        a, b, d = a * m + c, b * m + c, d * m + c
        e, f, g = e * m + c, f * m + c, g * m + c
    x[J] = (a + b + d + e + f + g) / 6.0


def chains(x, n):
    """n times 12 multiply-adds of 16 numbers, as fast as the machine can."""
    (twelve if registers()[0] == 512 else six)(x, n)
