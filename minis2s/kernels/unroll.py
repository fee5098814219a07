"""Twin of unroll.py: the time loop, once, for every cell.

    x W of all steps at once ──> step 0 ──> step 1 ──> ... ──> step T-1      rows n0 .. n1-1: a thread's
    dx of all steps at once  <── step 0 <── step 1 <── ... <── step T-1

`loops` puts a cell's step into the loop when it is compiled; nothing is called for each step at run time.
The page's (M1), (M1*) stand in the cells' twins, where the state is at hand.
"""
from functools import cache

import numpy as np

from ..cells import CELLS
from . import gru, gru_after, lstm, memory, rnn    # noqa: F401  memory acts by being there
from .gemm import product_of_steps
from .jit import jit
from .simd import LANES, at
from .threads import over_rows

TWINS = {CELLS["rnn"]: rnn.TANH, CELLS["rnn-sigmoid"]: rnn.SIGMOID, CELLS["lstm"]: lstm, CELLS["gru"]: gru,
         CELLS["gru-after"]: gru_after}


def forward(cell, p, xs, s0, mask):
    """See unroll.forward; `caches` is one Cache of the cell whose arrays have a leading T axis."""
    twin, (T, N, _) = TWINS[cell], xs.shape
    k = twin.start(p, np.ascontiguousarray(xs), s0)
    over_rows(loops(cell)[0], k, np.ascontiguousarray(mask), N=N, work=T * N * (p.W.size + p.U.size))
    return k.hs[1:], twin.state(k), twin.cache(k)


def backward(cell, p, caches, dhs, d, mask):
    """See unroll.backward."""
    twin, (T, N, _) = TWINS[cell], caches.x.shape
    b = twin.start_backward(p, caches, d)
    over_rows(loops(cell)[1], caches, b, np.ascontiguousarray(dhs), np.ascontiguousarray(mask), N=N,
              work=T * N * (p.W.size + p.U.size))
    return b.dxs, *twin.gradients(caches, b)


@cache
def loops(cell):
    """-> the loops forward and backward with this cell's steps in them."""
    twin = TWINS[cell]
    step, step_backward, name = twin.step, twin.step_backward, twin.__name__.split(".")[-1]

    @jit(f"unroll.{name}")
    def run(k, mask, n0, n1):
        product_of_steps(k.a, k.xs, k.W, n0, n1)
        for t in range(len(k.xs)):
            step(k, mask, t, n0, n1)

    @jit(f"unroll_backward.{name}")
    def run_backward(k, d, dhs, mask, n0, n1):
        T, N, H = dhs.shape
        for t in range(T - 1, -1, -1):
            for n in range(n0, n1):
                for j in range(0, H, LANES):
                    J = at(j, H)
                    d.dh[n, J] = d.dh[n, J] + dhs[t, n, J]      # fork: h_t is output and carry
            step_backward(k, d, mask, t, n0, n1)
        product_of_steps(d.dxs, d.da, d.WT, n0, n1)

    return run, run_backward
