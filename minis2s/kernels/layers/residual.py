"""Residual connection with layer normalisation, compiled; read minis2s/layers/residual.py first.

The sum stands in one array for a whole stack: x becomes y in place, for no backward pass reads x; what one reads are
u and the norm's Cache.  NORMS has the four functions for each place of the norm, for rows r0 .. r1-1.

(RS1)..(RS4), (DR1) forward; (RS1*)..(RS4*), (DR1*) backward.
"""
from typing import Callable, NamedTuple

from ..linalg.rows import add_rows, copy, multiply
from ..runtime.jit import device_function, internal_kernel
from . import layer_norm


class Norm(NamedTuple):        # p: layer_norm.Params; k: a sublayers.Cache; m: mask of dropout, maybe of no numbers
    branch: Callable           # p, x, k, r0, r1: k.u is filled
    join: Callable             # p, x, z, m, k, r0, r1: x becomes y; z is of no use afterwards
    join_backward: Callable    # p, k, dy, m, dx, dz, r0, r1: dx and dz are filled
    branch_backward: Callable  # p, k, du, here, dx, r0, r1: dx grows; `here` are rows to work in
    add_gradients: Callable    # g, k, dy, du


@device_function
def add_branch(x, z, m, r0, r1):
    """x += m z."""
    if m.size:
        multiply(z, m, r0, r1)                                          # (DR1)
    add_rows(x, z, r0, r1)


@device_function
def branch_gradient(dz, m, dy, r0, r1):
    """dz = m dy."""
    copy(dz, dy, r0, r1)
    if m.size:
        multiply(dz, m, r0, r1)                                         # (DR1*)


@internal_kernel("residual.branch.post")
def branch_post(p, x, k, r0, r1):
    copy(k.u, x, r0, r1)                                                # (RS1)


@internal_kernel("residual.join.post")
def join_post(p, x, z, m, k, r0, r1):
    add_branch(x, z, m, r0, r1)
    layer_norm.forward(p, x, k.join, x, r0, r1)                         # (RS3)


@internal_kernel("residual.join_backward.post")
def join_post_backward(p, k, dy, m, dx, dz, r0, r1):
    layer_norm.backward(p, k.join, dy, dx, r0, r1)                      # (RS3*)
    branch_gradient(dz, m, dx, r0, r1)                                  # (RS3*) fork: the sum hands dx to both


@internal_kernel("residual.branch_backward.post")
def branch_post_backward(p, k, du, here, dx, r0, r1):
    add_rows(dx, du, r0, r1)                                            # (RS1*) fork: x goes through and around


@device_function
def add_gradients_post(g, k, dy, du):
    layer_norm.add_gradients(g, k.join, dy)                             # (RS3*)


@internal_kernel("residual.branch.pre")
def branch_pre(p, x, k, r0, r1):
    layer_norm.forward(p, x, k.branch, k.u, r0, r1)                     # (RS2)


@internal_kernel("residual.join.pre")
def join_pre(p, x, z, m, k, r0, r1):
    add_branch(x, z, m, r0, r1)                                         # (RS4)


@internal_kernel("residual.join_backward.pre")
def join_pre_backward(p, k, dy, m, dx, dz, r0, r1):
    copy(dx, dy, r0, r1)                                                # (RS4*)
    branch_gradient(dz, m, dy, r0, r1)                                  # (RS4*) fork: the sum hands dy to both


@internal_kernel("residual.branch_backward.pre")
def branch_pre_backward(p, k, du, here, dx, r0, r1):
    layer_norm.backward(p, k.branch, du, here, r0, r1)                  # (RS2*)
    add_rows(dx, here, r0, r1)                                          # (RS1*) fork: x goes through and around


@device_function
def add_gradients_pre(g, k, dy, du):
    layer_norm.add_gradients(g, k.branch, du)                           # (RS2*)


NORMS = {"post": Norm(branch_post, join_post, join_post_backward, branch_post_backward, add_gradients_post),
         "pre": Norm(branch_pre, join_pre, join_pre_backward, branch_pre_backward, add_gradients_pre)}
