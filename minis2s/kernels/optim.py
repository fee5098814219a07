"""Twin of optim.py: each weight, gradient and moment is read once and written once.

    w, g, m, v ──> (O1)..(O6) on 16 numbers at a time ──> new w, m, v

As pure as the page: trees in, new trees out.  (O1)..(O6), (C1).
"""
import math

import numpy as np

from .. import optim as page
from .. import tree
from ..optim import State, clip_by_value    # noqa: F401  the same names as the page's
from .jit import jit
from .simd import LANES, at, sqrt
from .threads import over_rows


def leaves(t):
    """The arrays of a tree in its order, without their names."""
    if isinstance(t, tuple):
        return [a for part in t for a in leaves(part)]
    return [] if t is None else [t]


def update(function, p, g, s, *numbers):
    """function(w, g, m, v, new w, new m, new v, *numbers) for every array: -> new p, m, v."""
    new = tuple(tree.map(np.empty_like, each) for each in (p, s.m, s.v))
    for arrays in zip(*map(leaves, (p, g, s.m, s.v, *new))):
        flat = [a.reshape(-1) for a in arrays]
        over_rows(function, *flat, *numbers, N=flat[0].size, work=flat[0].size)
    return new


def sgd(p, g, s, lr, momentum=0.0):
    """See optim.sgd."""
    p, u, v = update(_sgd, p, g, s, lr, momentum)
    return p, State(s.t + 1, u if momentum else s.m, s.v)


def rmsprop(p, g, s, lr, rho=0.9, eps=1e-8):
    """See optim.rmsprop."""
    p, _, v = update(_rmsprop, p, g, s, lr, rho, eps)
    return p, State(s.t + 1, s.m, v)


def adam(p, g, s, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    """See optim.adam."""
    t = s.t + 1
    p, m, v = update(_adam, p, g, s, lr, beta1, beta2, eps, 1 / (1 - beta1**t), 1 / (1 - beta2**t))
    return p, State(t, m, v)


OPTIMIZERS = {"sgd": sgd, "rmsprop": rmsprop, "adam": adam}


def norm(g):
    """See optim.norm."""
    return math.sqrt(sum(_sum_of_squares(a.reshape(-1)) for a in leaves(g)))


def clip_by_norm(g, limit):
    """See optim.clip_by_norm."""
    size = norm(g)
    if size > limit:
        g = tree.map(lambda a: a * a.dtype.type(limit / size), g)       # (C1)
    return g, size


@jit("optim.sgd")
def _sgd(w, g, m, v, new_w, new_m, new_v, lr, momentum, i0, i1):
    for i in range(i0, i1, LANES):
        J = at(i, i1)
        u = m[J] * momentum + g[J]                                      # (O2)
        new_m[J] = u
        new_w[J] = w[J] - u * lr                                        # (O1) (O2)


@jit("optim.rmsprop")
def _rmsprop(w, g, m, v, new_w, new_m, new_v, lr, rho, eps, i0, i1):
    for i in range(i0, i1, LANES):
        J = at(i, i1)
        v_new = v[J] * rho + g[J] * g[J] * (1 - rho)                    # (O3)
        new_v[J] = v_new
        new_w[J] = w[J] - g[J] * lr / (sqrt(v_new) + eps)               # (O4)


@jit("optim.adam")
def _adam(w, g, m, v, new_w, new_m, new_v, lr, beta1, beta2, eps, m_scale, v_scale, i0, i1):
    for i in range(i0, i1, LANES):
        J = at(i, i1)
        m_new = m[J] * beta1 + g[J] * (1 - beta1)                       # (O5)
        v_new = v[J] * beta2 + g[J] * g[J] * (1 - beta2)                # (O5)
        new_m[J], new_v[J] = m_new, v_new
        new_w[J] = w[J] - m_new * m_scale * lr / (sqrt(v_new * v_scale) + eps)    # (O6)


@jit("optim.sum_of_squares")
def _sum_of_squares(a):
    sums = np.zeros(8)    # float64, as in the page; eight sums, because each addition waits for its last
    for i in range(0, a.size - 7, 8):
        for k in range(8):
            sums[k] += np.float64(a[i + k]) ** 2
    for i in range(a.size // 8 * 8, a.size):
        sums[0] += np.float64(a[i]) ** 2
    return sums.sum()


assert set(OPTIMIZERS) == set(page.OPTIMIZERS)
