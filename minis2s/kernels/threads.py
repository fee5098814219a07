"""Work shared among threads: the rows of a batch for a whole sequence, or the columns of a weight matrix.

    batch row     t = 0 ............ T-1                     dW   columns
        0..31     thread 1: all steps ─────>  wait          ┌──────────┬──────────┐
       32..63     thread 2: all steps ─────>  for all, then │ thread 1 │ thread 2 │
                                                            └──────────┴──────────┘

Examples do not read each other, so a thread takes some of them through the whole sequence without waiting for
anybody.  Weights' gradients are sums over all examples, so there each thread takes columns, and sums over all
examples in their order.  Hence no number depends on how the work was shared: 1, 2 or 3 threads give the same
bits. Kernels let go of Python's lock, so Python's own threads will do.
"""
import ctypes
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from .gemm import packed, product
from .jit import jit
from .simd import LANES, at

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


def shared(function, args, size, work, grain):
    """Call function(*args, i0, i1) for parts i0 .. i1-1 of range(size), as many as there are threads.

    `work` is the number of multiply-adds in all; parts are multiples of `grain`.
    """
    parts = min(Workers.count, -(-size // grain), max(1, int(work / ENOUGH)))
    if parts == 1:
        function(*args, 0, size)
        return
    Workers.pool = Workers.pool or ThreadPoolExecutor(Workers.count)
    cuts = [min(size, round(size / grain * k / parts) * grain) for k in range(parts)] + [size]
    jobs = [Workers.pool.submit(function, *args, *cut) for cut in zip(cuts, cuts[1:])]
    for job in jobs:
        job.result()


def over_rows(function, *args, N, work):
    """Share the batch's N rows; tiles are 6 rows high."""
    shared(function, args, N, work, 6)


def weight_gradient(x, da):
    """x^T da: (..., I) and (..., J) -> (I, J), summed over the leading axes in their order."""
    x, da = x.reshape(-1, x.shape[-1]), da.reshape(-1, da.shape[-1])
    dW = np.empty((x.shape[1], da.shape[1]), da.dtype)
    shared(_weight_gradient, (x, da, dW), da.shape[1], x.size * da.shape[1], 4 * LANES)
    return dW


def bias_gradient(da):
    """Sum of da (..., J) over the leading axes, in their order."""
    da = da.reshape(-1, da.shape[-1])
    db = np.zeros(da.shape[1], da.dtype)
    _bias_gradient(da, db)
    return db


@jit("threads.weight_gradient")
def _weight_gradient(x, da, dW, j0, j1):
    product(dW[:, j0:j1], x.T, packed(da[:, j0:j1]))


@jit("threads.bias_gradient")
def _bias_gradient(da, db):
    for r in range(len(da)):
        for j in range(0, len(db), LANES):
            J = at(j, len(db))
            db[J] = db[J] + da[r, J]
