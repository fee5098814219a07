"""Arithmetic on 16 numbers at once, written as if on one.

              j=0                16               32      36 = H
    cs[t, n]:  |  J = at(0, H)   |  J = at(16, H)  |  J = at(32, H): 4 numbers, the other 12 lanes are off

A processor's vector registers hold 4 to 16 float32 each; one instruction multiplies them all.  A compiler
finds such code by itself in simple loops only, so here it is said: `J = at(j, H)` are the up to 16 entries
from j on, `a[t, n, J]` reads them as one Vector, and operators, tanh, sigmoid and exp work on Vectors.  An
LSTM's

    c = f[t, n, J] * cs[t, n, J] + i[t, n, J] * g[t, n, J]

is one multiplication and one fused multiplication and addition for 16 units.  In the last group of a row the
lanes beyond H are off: they read as 0 and are not written, so every size will do without padding.  The numbers of
the last axis must be neighbours in memory: compiled code does not look at its stride.

meaning.py says what each function means, vector.py writes down its instructions, and lowering.py tells Numba of
both: for who wants to know how.

Without compilation (see jit.py) `at` is a slice, a Vector is a NumPy array of up to 16 numbers, and the very
same lines run on NumPy.  With it, each function here has a *lowering*: the LLVM instructions for it.  LLVM
splits 16 lanes over as many registers as the machine needs: 1 (AVX-512), 2 (AVX2) or 4 (SSE, NEON) for
float32, twice that for float64.

How exact: float32 exp 1 ulp (relative error 1.2e-7), sigmoid 3.2 ulp, tanh 4.6 ulp (one ulp is 6e-8 just
below 1). float64: all three within 4e-16 of what the machine's scalar functions give, relative.  NaN stays
NaN, exp(-inf) is 0 and exp(inf) is inf; already below exp(-87.3) float32 gives 0, and above exp(88.3) inf
(float64: -708 and 709.4).
"""
from ...runtime.jit import JIT
from .meaning import (  # noqa: F401
    LANES, add, at, exp, greatest, maximum, multiply_add, positive, sigmoid, sqrt, tanh, total, where, widened, zeros,
    zeros_like
)

if JIT:
    from . import lowering  # noqa: F401  it tells Numba about them
