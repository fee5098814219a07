"""Gradients of weights: sums over all steps and examples, dW = sum over t, n of x[t, n]^T da[t, n].

        steps t0 .. t1-1: up to DEPTH rows                dW   columns
        ┌─────────────────────────────────────┐         ┌──────────┬──────────┐
     x  │ x[t0, 0] .. x[t0, N-1]  x[t0+1, 0]..│         │ thread 1 │ thread 2 │
     da │ da[t0, 0] ..                        │ ─ += ─> │          │          │
        └─────────────────────────────────────┘         └──────────┴──────────┘

All rows stand side by side as one long product's left and right operand (gemm.py: A^T B).  A layer on its way back
keeps da for a block of steps only, and adds the block's share while these numbers are in the cache.  Threads take
columns, so each number of dW is summed by one thread, over all rows in their order.
"""
import numpy as np
from numpy import ascontiguousarray as contiguous

from ..core import validation
from ..runtime.jit import device_function, inlined, internal_kernel, jit
from ..runtime.threads import over_columns
from .gemm import DEPTH, add_outer_product
from .simd import LANES, at


@device_function
def steps_of_a_block(T, N):
    """How many of T steps of N rows make up to DEPTH rows together; one if a step alone has more."""
    return min(T, max(1, DEPTH // N))


@device_function
def add_weight_gradient(dW, x, da, j0, j1):
    """dW += x^T da, columns j0 .. j1-1 of it, for x (T, N, I), da (T, N, J): a sum over steps and rows."""
    if j0 < j1:
        rows = x.shape[0] * x.shape[1]
        add_outer_product(dW[:, j0:j1], x.reshape(rows, x.shape[2]), da.reshape(rows, da.shape[2])[:, j0:j1])


@device_function
def add_bias_gradient(db, da, j0, j1):
    """db += the sum of da (T, N, J) over all steps and rows, entries j0 .. j1-1 of it."""
    T, N, _ = da.shape
    for t in range(T):
        for n0 in range(0, N, 8):                      # rows at a time: db is read and written less often
            for j in range(j0, j1, LANES):
                J = at(j, j1)
                sums = db[J]
                for n in range(n0, min(n0 + 8, N)):
                    sums = sums + da[t, n, J]
                db[J] = sums


add_weight_gradient_columns = internal_kernel("gradients.columns")(add_weight_gradient)


@inlined
def weight_gradient_shared(dW, x, da):
    """dW += x^T da, for x (T, N, I), da (T, N, J): a sum over steps and rows."""
    over_columns(add_weight_gradient_columns, (dW, x, da), da.shape[2], x.size * da.shape[2])


@jit("gradients.weight_gradient")
def _weight_gradient(x, da):
    dW = np.zeros((x.shape[2], da.shape[2]), da.dtype)
    weight_gradient_shared(dW, x, da)
    return dW


@jit("gradients.bias_gradient")
def _bias_gradient(da):
    db = np.zeros(da.shape[2], da.dtype)
    add_bias_gradient(db, da, 0, len(db))
    return db


def weight_gradient(x, da):
    """x^T da: (T, N, I) and (T, N, J) -> (I, J), summed over steps and rows in their order."""
    dtype = validation.floats("x", x, 3)
    validation.floats("da", da, 3)
    validation.array("da", da, dtype, (*x.shape[:2], da.shape[2]))
    return _weight_gradient(contiguous(x), contiguous(da))


def bias_gradient(da):
    """Sum of da (T, N, J) over steps and rows, in their order."""
    validation.floats("da", da, 3)
    return _bias_gradient(contiguous(da))
