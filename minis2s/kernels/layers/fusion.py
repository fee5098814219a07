"""Compiled fusion.py: state and context made one, for rows n0 .. n1-1 of the batch; read that file first.

`steps(kind)` gives the two functions of a kind.  The fused state z is written where the readout reads it.

(U1)..(U4) forward; (U1*)..(U4*) backward.
"""
from typing import Callable, NamedTuple

from ..linalg.gemm import product
from ..linalg.rows import add_rows, copy
from ..linalg.simd import LANES, at, sigmoid, tanh
from ..runtime.jit import device_function, inlined
from .cells.rnn import dsigmoid, dtanh


def learned(phi, dphi):
    """The kinds with a matrix: z = phi([s; ctx] W)."""
    @device_function
    def fuse(W, s, ctx, s_ctx, z, t, n0, n1):
        H = s.shape[1]
        copy(s_ctx[t, :, :H], s, n0, n1)
        copy(s_ctx[t, :, H:], ctx, n0, n1)
        product(z[n0:n1], s_ctx[t, n0:n1], W)                            # (U3) (U4)
        for n in range(n0, n1):
            for j in range(0, H, LANES):
                J = at(j, H)
                z[n, J] = phi(z[n, J])                                   # (U3) (U4)

    @device_function
    def fuse_backward(WT, z, dz, da, ds_ctx, ds, dctx, t, n0, n1):
        H = z.shape[1]
        for n in range(n0, n1):
            for j in range(0, H, LANES):
                J = at(j, H)
                da[t, n, J] = dz[n, J] * dphi(z[n, J])                   # (U3*) (U4*)
        product(ds_ctx[n0:n1], da[t, n0:n1], WT)                         # (U3*) (U4*)
        add_rows(ds, ds_ctx[:, :H], n0, n1)
        add_rows(dctx, ds_ctx[:, H:], n0, n1)
    return fuse, fuse_backward


@device_function
def fuse_none(W, s, ctx, s_ctx, z, t, n0, n1):
    copy(z, s, n0, n1)


@device_function
def none_backward(WT, z, dz, da, ds_ctx, ds, dctx, t, n0, n1):
    add_rows(ds, dz, n0, n1)


@device_function
def fuse_sum(W, s, ctx, s_ctx, z, t, n0, n1):
    copy(z, s, n0, n1)
    add_rows(z, ctx, n0, n1)                                             # (U2)


@device_function
def sum_backward(WT, z, dz, da, ds_ctx, ds, dctx, t, n0, n1):
    add_rows(ds, dz, n0, n1)                                             # (U2*)
    add_rows(dctx, dz, n0, n1)                                           # (U2*)


@device_function
def fuse_concat(W, s, ctx, s_ctx, z, t, n0, n1):
    copy(z[:, :s.shape[1]], s, n0, n1)                                   # (U1)
    copy(z[:, s.shape[1]:], ctx, n0, n1)                                 # (U1)


@device_function
def concat_backward(WT, z, dz, da, ds_ctx, ds, dctx, t, n0, n1):
    add_rows(ds, dz[:, :ds.shape[1]], n0, n1)                            # (U1*)
    add_rows(dctx, dz[:, ds.shape[1]:], n0, n1)                          # (U1*)


@inlined
def no_matrix(p, s):
    return s[:0]


@inlined
def own_matrix(p, s):
    return p.W


class Kind(NamedTuple):
    fuse: Callable
    fuse_backward: Callable
    matrix: Callable           # of Params and a state: W, or one of no numbers
    learned: bool


KINDS = {"none": Kind(fuse_none, none_backward, no_matrix, False),
         "sum": Kind(fuse_sum, sum_backward, no_matrix, False),
         "concat": Kind(fuse_concat, concat_backward, no_matrix, False),
         "sigmoid": Kind(*learned(sigmoid, dsigmoid), own_matrix, True),
         "tanh": Kind(*learned(tanh, dtanh), own_matrix, True)}
