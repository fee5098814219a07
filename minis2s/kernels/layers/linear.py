"""Linear layer, compiled, for rows r0 .. r1-1 of x (R, I); read minis2s/layers/linear.py first.

Matrices are packed by the caller, once for all rows (linalg/packing.py).

(Y1) forward; (Y1*) backward.
"""
from ..linalg.gemm import add_outer_product, add_product, product
from ..linalg.simd import LANES, at
from ..runtime.jit import device_function

ROWS = 96                      # whose products are still in the cache when more is done with them


@device_function
def forward(W, b, x, y, r0, r1):
    """Rows of x -> y, for a packed W."""
    for first in range(r0, r1, ROWS):
        last = min(first + ROWS, r1)
        product(y[first:last], x[first:last], W)                        # (Y1)
        for r in range(first, last):
            for j in range(0, y.shape[1], LANES):
                J = at(j, y.shape[1])
                y[r, J] = y[r, J] + b[J]                                # (Y1)


@device_function
def product_forward(W, x, y, r0, r1):
    """The same without bias."""
    product(y[r0:r1], x[r0:r1], W)                                      # (Y1)


@device_function
def backward(WT, dy, dx, r0, r1):
    """Rows of dy -> dx, for the packed transpose of W."""
    product(dx[r0:r1], dy[r0:r1], WT)                                   # (Y1*)


@device_function
def add_backward(WT, dy, dx, r0, r1):
    """The same, added to dx, where x goes through more than one matrix."""
    add_product(dx[r0:r1], dy[r0:r1], WT)                               # (Y1*)


@device_function
def add_gradient(dW, x, dy):
    """dW += x^T dy."""
    add_outer_product(dW, x, dy)                                        # (Y1*)


@device_function
def add_bias_gradient(db, dy):
    """db += the sum of dy's rows, in their order."""
    for j in range(0, len(db), LANES):
        J = at(j, len(db))
        sums = db[J]
        for r in range(len(dy)):
            sums = sums + dy[r, J]                                      # (Y1*)
        db[J] = sums
