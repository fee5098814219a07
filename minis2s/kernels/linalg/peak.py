"""How fast the machine could be: twelve chains of multiply-adds that stay in registers.

    v = v m + c,  twelve times side by side: each waits for its last result, so only many fill the units
"""
from ..runtime.jit import jit
from .simd import at


@jit("peak.chains")
def chains(x, n):
    """n times 12 multiply-adds of 16 numbers."""
    J = at(0, 16)
    m, c = x[J], x[J]
    a = b = d = e = f = g = h = i = j = k = p = q = x[J]
    for _ in range(n):
        a, b, d, e = a * m + c, b * m + c, d * m + c, e * m + c
        f, g, h, i = f * m + c, g * m + c, h * m + c, i * m + c
        j, k, p, q = j * m + c, k * m + c, p * m + c, q * m + c
    x[J] = (a + b + d + e + f + g + h + i + j + k + p + q) / 12.0
