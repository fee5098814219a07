"""Matrix products and arithmetic on vectors.  Start with gemm.py; simd/ explains how the layers' code is written.

    simd/           arithmetic on 16 numbers at once, written as if on one
    tile.py         the micro-kernel: a tile of a product, whose sums stay in registers
    packing.py      operands of a product, in the order in which they are read
    loops.py        the loops around the micro-kernel
    gemm.py         matrix products, compiled or with NumPy
    gradients.py    gradients of weights: sums over all steps and examples
    rows.py         copies, sums and products of a batch's rows
    peak.py         how fast the machine could be, for bench/

A file here may import runtime/ and core/validation.py, and nothing of the readable code.
"""
