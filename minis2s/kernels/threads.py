"""Work shared among threads: the rows of a batch for a whole sequence, or the columns of a weight matrix.

    batch row     t = 0 ............ T-1                     dW   columns
        0..31     thread 1: all steps ─────>  wait          ┌──────────┬──────────┐
       32..63     thread 2: all steps ─────>  for all, then │ thread 1 │ thread 2 │
                                                            └──────────┴──────────┘

Examples do not read each other, so a thread takes some of them through the whole sequence without waiting for
anybody.  Weights' gradients are sums over all examples, so there each thread takes columns, and sums over all
examples in their order.  On the way back the two take turns, a block of steps at a time (see lstm.py).  No
number depends on how the work was shared: 1, 2 or 3 threads give the same bits.  Kernels let go of Python's
lock, so Python's own threads will do.
"""
import ctypes
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from .gemm import add_bias_gradient, outer_product
from .jit import jit
from .simd import LANES

ROWS = 6                       # tiles are so high
ENOUGH = 2e6                   # multiply-adds below which waking a thread costs more than it brings


class Workers:
    count, pool = max(1, int(os.environ.get("MINIS2S_THREADS", "1"))), None


def use(count):
    """Use so many threads from now on, in this process."""
    if Workers.pool:
        Workers.pool.shutdown()
    Workers.count, Workers.pool = count, None
    one_thread_for_blas()


def one_thread_for_blas():
    """NumPy's own products: one thread.

    OpenBLAS's others wait in a busy loop, which takes our cores, and its sums depend on how many there are.
    """
    for path in (Path(np.__file__).parent.parent / "numpy.libs").glob("*openblas*"):
        library = ctypes.CDLL(str(path))
        for name in ("scipy_openblas_set_num_threads64_", "openblas_set_num_threads64_",
                     "openblas_set_num_threads"):
            if hasattr(library, name):
                getattr(library, name)(1)


def parts(size, work, grain=ROWS):
    """How many threads shall share so many rows or columns, in multiples of `grain`, with so much `work`: a
    number of multiply-adds in all."""
    return max(1, min(Workers.count, -(-size // grain), int(work / ENOUGH)))


def shared(function, args, size, work, grain):
    """Call function(*args, i0, i1) for parts i0 .. i1-1 of range(size), one for each thread."""
    count = parts(size, work, grain)
    if count == 1:
        function(*args, 0, size)
        return
    Workers.pool = Workers.pool or ThreadPoolExecutor(Workers.count - 1)
    cuts = [min(size, round(size / grain * k / count) * grain) for k in range(count)] + [size]
    jobs = [Workers.pool.submit(function, *args, *cut) for cut in zip(cuts[1:], cuts[2:])]
    function(*args, *cuts[:2])                                 # a share of our own: waking a thread takes time
    for job in jobs:
        job.result()


def over_rows(function, *args, N, work):
    """Share the batch's N rows."""
    shared(function, args, N, work, ROWS)


def over_columns(function, *args, J, work):
    """Share the J columns of weights' gradients."""
    shared(function, args, J, work, 4 * LANES)


def weight_gradient(x, da):
    """x^T da: (..., I) and (..., J) -> (I, J), summed over the leading axes in their order."""
    x, da = x.reshape(-1, x.shape[-1]), da.reshape(-1, da.shape[-1])
    dW = np.empty((x.shape[1], da.shape[1]), da.dtype)
    over_columns(_weight_gradient, x, da, dW, J=da.shape[1], work=x.size * da.shape[1])
    return dW


def bias_gradient(da):
    """Sum of da (..., J) over the leading axes, in their order."""
    db = np.zeros(da.shape[-1], da.dtype)
    _bias_gradient(db, da.reshape(1, -1, da.shape[-1]))
    return db


@jit("threads.weight_gradient")
def _weight_gradient(x, da, dW, j0, j1):
    outer_product(dW[:, j0:j1], x, da[:, j0:j1])


@jit("threads.bias_gradient")
def _bias_gradient(db, da):
    add_bias_gradient(db, da, 0, len(db))
