"""Embedding, linear layer, dropout, and the fusion of state and context.  See the files of the same names in
minis2s/layers/.
"""
from .functions import sigmoid, tanh_
from .vectors import add, concat, each, mul, times


def embed(E, token):
    """(E1) x = E_token: row `token` of E, which is V x D."""
    return list(E[token])                                                              # (E1)


def frame_input(W, b, f):
    """(E2) x = f W + b: a frame f has F numbers, W is F x E."""
    return add(times(f, W), b)                                                         # (E2)


def linear(W, b, x):
    """(Y1) y = x W + b: W is D x J, b has J entries."""
    return add(times(x, W), b)                                                         # (Y1)


def dropout(x, m):
    """(DR1) y = x ⊙ m; m is 0 where an entry is dropped, 1 / (1 - rate) where it is kept."""
    return mul(x, m)                                                                   # (DR1)


def fuse_concat(s, ctx):
    """(U1) [s; ctx]."""
    return concat(s, ctx)                                                              # (U1)


def fuse_add(s, ctx):
    """(U2) s + ctx; both have the same size."""
    return add(s, ctx)                                                                 # (U2)


def fuse_sigmoid(s, ctx, W):
    """(U3) σ([s; ctx] W); W has a row for each entry of s, then one for each entry of ctx."""
    return each(sigmoid, times(concat(s, ctx), W))                                     # (U3)


def fuse_tanh(s, ctx, W):
    """(U4) tanh([s; ctx] W); W as in (U3)."""
    return each(tanh_, times(concat(s, ctx), W))                                       # (U4)
