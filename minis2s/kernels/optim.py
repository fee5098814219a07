"""Twin of optim.py: each weight, gradient and moment is read once and written once.

    parameters   encoder.W | encoder.U | encoder.b | ...    w: one flat array; the tree's are views
    moments      . . . . . . . . . . . . . . . . . . . .    m, v: flat as well
    gradient    [ piece 0             ][ piece 1 ][ ...    short arrays joined, long ones cut

    1. norm      sum of squares of each block of a piece, added in the blocks' order
    2. update    w, g, m, v ──> (C1), (O1)..(O6) on 16 numbers at a time ──> new w, m, v; are they finite?

A kernel is called once for a piece, not for each of many small arrays.  Threads share the blocks of 4096
numbers of a piece, and these do not depend on the number of threads, so the bits do not either.  As pure as
the page: what came is not changed.  (O1)..(O6), (C1).
"""
import math
from itertools import accumulate, groupby

import numpy as np

from .. import optim as page
from .. import tree
from ..optim import clip_by_value
from .jit import inlined, inner, jit
from .simd import LANES, add, at, sqrt, total, zeros
from .threads import shared

PIECE = 1 << 17                # numbers: longer arrays are worth a call of their own, and need not be copied
BLOCK = 1 << 12                # numbers
MANY = 64                      # sums of a block's squares
OPERATIONS = 30                # about so many for each number


class Packed:
    """A State in flat arrays, with the parameters it belongs to; m and v are trees for those who ask.

    The next step finds its parameters packed already if they are the very tree that this one returned.
    """

    def __init__(self, t, p, w, flat_m, flat_v, finite=True):
        self.t, self.p, self.w, self.flat_m, self.flat_v = t, p, w, flat_m, flat_v
        self.finite = finite   # whether all of w is

    @property
    def m(self):
        """As in optim.State."""
        return tree.unpacked(self.flat_m, self.p)

    @property
    def v(self):
        """As in optim.State."""
        return tree.unpacked(self.flat_v, self.p)


def packed(p, s):
    """Parameters and their State, of whatever kind, as Packed."""
    if not isinstance(s, Packed):
        return Packed(s.t, p, *(tree.packed(p if part is None else part) for part in (p, s.m, s.v)))
    return s if s.p is p else Packed(s.t, p, tree.packed(p), s.flat_m, s.flat_v)


def pieces(g):
    """The numbers of a tree in their order, in a list of few flat arrays; a list is that already."""
    if isinstance(g, list):
        return g
    if getattr(g, "flat", None) is not None:
        return [g.flat]
    out = []
    for short, arrays in groupby(tree.leaves(g), lambda a: a.size < PIECE):
        out += [np.concatenate(list(arrays), axis=None)] if short else [a.reshape(-1) for a in arrays]
    return out


def update(kernel, moments, p, g, s, scale, *numbers):
    """kernel(w, g, m, v, new w, new m, new v, scale, *numbers) for every piece: -> new p, Packed.

    `moments` names those of m and v that change.
    """
    s = packed(p, s)
    w, m, v, numbers = s.w, s.flat_m, s.flat_v, [float(x) for x in (scale, *numbers)]
    w_new = np.empty_like(w)
    m_new = np.empty_like(m) if "m" in moments else m
    v_new = np.empty_like(v) if "v" in moments else v
    finite = True
    for a, j in zip(g, accumulate(a.size for a in g)):
        part = slice(j - a.size, j)
        finite &= kernel(w[part], a, m[part], v[part], w_new[part], m_new[part], v_new[part], tuple(numbers))
    p = tree.unpacked(w_new, p)
    return p, Packed(s.t + 1, p, w_new, m_new, v_new, finite)


def sgd(p, g, s, lr, momentum=0.0, scale=1.0):
    """See optim.sgd; here and below, g is multiplied by `scale` first."""
    return update(_sgd, "m" if momentum else "", p, pieces(g), s, scale, lr, momentum)


def rmsprop(p, g, s, lr, rho=0.9, eps=1e-8, scale=1.0):
    """See optim.rmsprop."""
    return update(_rmsprop, "v", p, pieces(g), s, scale, lr, rho, eps)


def adam(p, g, s, lr, beta1=0.9, beta2=0.999, eps=1e-8, scale=1.0):
    """See optim.adam."""
    t = s.t + 1
    return update(_adam, "mv", p, pieces(g), s, scale, lr, beta1, beta2, eps, 1 / (1 - beta1**t),
                  1 / (1 - beta2**t))


OPTIMIZERS = {"sgd": sgd, "rmsprop": rmsprop, "adam": adam}


def norm(g):
    """See optim.norm."""
    return math.sqrt(sum(_sum_of_squares(a) for a in pieces(g)))


def clip_by_norm(g, limit):
    """See optim.clip_by_norm."""
    size = norm(g)
    if size > limit:
        g = tree.map(lambda a: a * a.dtype.type(limit / size), g)       # (C1)
    return g, size


def step(p, g, s, optimizer, lr, limit=None, value=None, **options):
    """See optim.step."""
    g = pieces(g)
    size = norm(g)
    scale = limit / size if limit and size > limit else 1.0             # (C1)
    if value:
        g, scale = list(clip_by_value(tuple(a * a.dtype.type(scale) for a in g), value)), 1.0
    p, s = OPTIMIZERS[optimizer](p, g, s, lr, scale=scale, **options)
    return p, s, size, s.finite


# Kernels: each returns whether all new weights are finite, for 0 times NaN or infinity is NaN ---------------

def over_blocks(name):
    """Decorate the update of one block, entries i0 .. i1-1: -> that of all, shared among threads."""
    def decorated(update):
        update = inlined(update)

        @inner(f"{name}.blocks")
        def blocks(w, g, m, v, new_w, new_m, new_v, numbers, well, b0, b1):
            for b in range(b0, b1):
                well[b] = update(w, g, m, v, new_w, new_m, new_v, numbers, b * BLOCK,
                                 min((b + 1) * BLOCK, w.size))

        @jit(name)
        def whole(w, g, m, v, new_w, new_m, new_v, numbers):
            well = np.empty((w.size + BLOCK - 1) // BLOCK, np.bool_)
            shared(blocks, (w, g, m, v, new_w, new_m, new_v, numbers, well), well.size, 1,
                   OPERATIONS * w.size)
            return well.all()
        return whole
    return decorated


@over_blocks("optim.sgd")
def _sgd(w, g, m, v, new_w, new_m, new_v, numbers, i0, i1):
    scale, lr, momentum = numbers
    nothing = zeros(w)
    for i in range(i0, i1, LANES):
        J = at(i, i1)
        u = g[J] * scale                                                # (C1)
        if momentum != 0:
            u = m[J] * momentum + u                                     # (O2)
            new_m[J] = u
        w_new = w[J] - u * lr                                           # (O1) (O2)
        new_w[J] = w_new
        nothing = add(nothing, w_new * 0.0)
    return total(nothing) == 0


@over_blocks("optim.rmsprop")
def _rmsprop(w, g, m, v, new_w, new_m, new_v, numbers, i0, i1):
    scale, lr, rho, eps = numbers
    nothing = zeros(w)
    for i in range(i0, i1, LANES):
        J = at(i, i1)
        dw = g[J] * scale                                               # (C1)
        v_new = v[J] * rho + dw * dw * (1 - rho)                        # (O3)
        w_new = w[J] - dw * lr / (sqrt(v_new) + eps)                    # (O4)
        new_v[J], new_w[J] = v_new, w_new
        nothing = add(nothing, w_new * 0.0)
    return total(nothing) == 0


@over_blocks("optim.adam")
def _adam(w, g, m, v, new_w, new_m, new_v, numbers, i0, i1):
    scale, lr, beta1, beta2, eps, m_scale, v_scale = numbers
    nothing = zeros(w)
    for i in range(i0, i1, LANES):
        J = at(i, i1)
        dw = g[J] * scale                                               # (C1)
        m_new = m[J] * beta1 + dw * (1 - beta1)                         # (O5)
        v_new = v[J] * beta2 + dw * dw * (1 - beta2)                    # (O5)
        w_new = w[J] - m_new * m_scale * lr / (sqrt(v_new * v_scale) + eps)    # (O6)
        new_m[J], new_v[J], new_w[J] = m_new, v_new, w_new
        nothing = add(nothing, w_new * 0.0)
    return total(nothing) == 0


@inner("optim.squares_of_blocks")
def squares_of_blocks(a, sums, b0, b1):
    """Sums of squares of each block, in float64 as in the page: many for each (sums[b]), because each addition
    waits for its last."""
    for b in range(b0, b1):
        some, part = sums[b], a[b * BLOCK:min((b + 1) * BLOCK, a.size)]
        whole = part.size // MANY * MANY
        for i in range(0, whole, MANY):
            for k in range(MANY):
                some[k] += np.float64(part[i + k]) ** 2
        for i in range(whole, part.size):
            some[0] += np.float64(part[i]) ** 2


@jit("optim.sum_of_squares")
def _sum_of_squares(a):
    sums = np.zeros(((a.size + BLOCK - 1) // BLOCK, MANY))
    shared(squares_of_blocks, (a, sums), len(sums), 1, OPERATIONS * a.size)
    return sums.sum()


assert set(OPTIMIZERS) == set(page.OPTIMIZERS)
