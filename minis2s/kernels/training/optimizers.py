"""Compiled implementation of optim.py: each weight, gradient and moment is read once and written once.

    parameters   encoder.W | encoder.U | encoder.b | ...    w: one flat array; the tree's are views
    gradient     . . . . . . . . . . . . . . . . . . . .    g: flat as well
    moments      . . . . . . . . . . . . . . . . . . . .    m, v
                [ block 0     ][ block 1     ][ ...         4096 numbers each, shared among threads

    1. norm      sum of squares of each block, added in the blocks' order
    2. update    w, g, m, v ──> (C1), (O1)..(O6) on 16 numbers at a time ──> new w, m, v; are they finite?

Both are one call for all of a model, and not one for each of many small arrays.  The blocks do not depend on the
number of threads, so the bits do not either.  As in the reference implementation, no argument is changed.
(O1)..(O6), (C1).
"""
import math
from typing import Callable, NamedTuple

import numpy as np

from ...core import tree
from ...training import optimizers as reference
from ...training.optimizers import clip_by_value
from ..core.validation import FLOATS
from ..linalg.simd import LANES, add, at, sqrt, total, widened, zeros
from ..runtime.arena import empty
from ..runtime.jit import inlined, internal_kernel, jit
from ..runtime.threads import shared

BLOCK = 1 << 12                # numbers
OPERATIONS = 30                # about so many for each number


class Packed:
    """A State in flat arrays, with the parameters it belongs to; m and v are trees for those who ask.

    The next step finds its parameters packed already if they are the very tree that this one returned.
    """

    def __init__(self, t, p, w, flat_m, flat_v):
        self.t, self.p, self.w, self.flat_m, self.flat_v = t, p, w, flat_m, flat_v

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
    if isinstance(s, Packed):
        return s if s.p is p and are_views(p, s.w) else Packed(s.t, p, pack("p", p), s.flat_m, s.flat_v)
    w, *moments = [pack(name, p if part is None else part) for name, part in (("p", p), ("s.m", s.m), ("s.v", s.v))]
    for name, part in ("s.m", s.m), ("s.v", s.v):
        check_shapes(name, p if part is None else part, p)
    return Packed(s.t, p, w, *moments)


def pack(name, t):
    """The arrays of a tree in one flat array; all of one dtype, unless they are a gradient's."""
    arrays = tree.leaves(t)
    for a in arrays:
        if not isinstance(a, np.ndarray) or a.dtype not in FLOATS or (a.dtype != arrays[0].dtype and name != "g"):
            got = f"dtype {a.dtype}" if isinstance(a, np.ndarray) else type(a).__name__
            raise TypeError(f"{name}: got {got}, wanted arrays of float32, or all of float64")
    return tree.packed(t)


def are_views(part, flat):
    """Whether the arrays of a tree are views of this one, going by the first: those of a copy are not."""
    while isinstance(part, tuple) and part:
        part = part[0]
    return getattr(part, "base", None) is flat


def flat(g):
    """The numbers of a gradient in their order: g itself, or its own flat array (tree.Flat), if it has one."""
    if isinstance(g, np.ndarray):
        if g.dtype not in FLOATS:
            raise TypeError(f"g: got dtype {g.dtype}, wanted float32 or float64")
        return g if g.ndim == 1 and g.flags.c_contiguous else np.ascontiguousarray(g).reshape(-1)
    own = getattr(g, "flat", None)
    return own if own is not None and are_views(g, own) else pack("g", g)


def check_size(name, a, w):
    """Require one number for each parameter."""
    if a.size != w.size:
        raise ValueError(f"{name}: {a.size} numbers, wanted one for each of {w.size} parameters")


def check_shapes(name, t, p):
    """Require the form of the parameters.  An array that is flat already has no more form."""
    if isinstance(t, tuple):
        got, wanted = ([(field, a.shape) for field, a in tree.named(part)] for part in (t, p))
        if got != wanted:
            one, other = next((pair for pair in zip(got, wanted) if pair[0] != pair[1]), (got[-1], wanted[-1]))
            raise ValueError(f"{name}: {one[0]} has shape {one[1]}, wanted {other[0]} of shape {other[1]}")


def check_form(p, g, s, flat_g):
    """Require a gradient and moments of just these parameters."""
    for name, a in (("g", flat_g), ("s.m", s.flat_m), ("s.v", s.flat_v)):
        check_size(name, a, s.w)
        if name != "g" and a.dtype != s.w.dtype:
            raise TypeError(f"{name}: got dtype {a.dtype}, wanted {s.w.dtype}, as the parameters")
    check_shapes("g", g, p)


class Rule(NamedTuple):        # of an optimizer
    kernel: Callable           # w, g, m, v, new w, new m, new v, limit, numbers -> norm of g, are all new w finite?
    begin: Callable            # steps taken with this one, lr, options -> names of what changes, numbers


def update(name, p, g, s, lr, limit=math.inf, **options):
    """One step: -> p, Packed, norm of g, whether all new parameters are finite."""
    (kernel, begin), s, flat_g = RULES[name], packed(p, s), flat(g)
    check_form(p, g, s, flat_g)
    flat_g = flat_g if flat_g.dtype == s.w.dtype else flat_g.astype(s.w.dtype)
    changing, numbers = begin(s.t + 1, lr, **options)
    w, m, v = [np.empty_like(a) if name in changing else a
               for name, a in (("w", s.w), ("m", s.flat_m), ("v", s.flat_v))]
    size, finite = kernel(s.w, flat_g, s.flat_m, s.flat_v, w, m, v, float(limit), tuple([float(x) for x in numbers]))
    p = tree.unpacked(w, p)
    return p, Packed(s.t + 1, p, w, m, v), size, finite


def sgd(p, g, s, lr, momentum=0.0):
    """See optim.sgd."""
    return update("sgd", p, g, s, lr, momentum=momentum)[:2]


def rmsprop(p, g, s, lr, rho=0.9, eps=1e-8):
    """See optim.rmsprop."""
    return update("rmsprop", p, g, s, lr, rho=rho, eps=eps)[:2]


def adam(p, g, s, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    """See optim.adam."""
    return update("adam", p, g, s, lr, beta1=beta1, beta2=beta2, eps=eps)[:2]


OPTIMIZERS = {"sgd": sgd, "rmsprop": rmsprop, "adam": adam}


def norm(g):
    """See optim.norm."""
    return _norm(flat(g))


def clip_by_norm(g, limit):
    """See optim.clip_by_norm."""
    size = norm(g)
    if size > limit:
        g = tree.map(lambda a: a * a.dtype.type(limit / size), g)       # (C1)
    return g, size


def step(p, g, s, optimizer, lr, limit=None, value=None, **options):
    """See optim.step."""
    if not value:
        return update(optimizer, p, g, s, lr, limit or math.inf, **options)
    s, flat_g = packed(p, s), flat(g)
    check_form(p, g, s, flat_g)
    g, size = clip_by_norm((flat_g,), limit or math.inf)
    p, s, _, finite = update(optimizer, p, clip_by_value(g, value)[0], s, lr, **options)
    return p, s, size, finite


# Kernels: 0 times NaN or infinity is NaN, so `nothing` tells whether all weights are finite -----------------

@internal_kernel("optim.squares_of_blocks")
def squares_of_blocks(a, sums, b0, b1):
    """Sums of squares of each block, in float64 as in the reference."""
    for b in range(b0, b1):
        some, end = zeros(sums), min((b + 1) * BLOCK, a.size)
        for i in range(b * BLOCK, end, LANES):
            x = widened(a[at(i, end)])
            some = add(some, x * x)
        sums[b] = total(some)


@inlined
def norm_of(a):
    sums, square = empty(None, ((a.size + BLOCK - 1) // BLOCK,), np.float64), 0.0
    shared(squares_of_blocks, (a, sums), len(sums), 1, OPERATIONS * a.size)
    for b in range(len(sums)):
        square += sums[b]
    return math.sqrt(square)


_norm = jit("optim.norm")(norm_of)


def over_blocks(name, begin):
    """Decorate the update of one block, entries i0 .. i1-1: -> the Rule of all, shared among threads."""
    def decorated(update):
        update = inlined(update)

        @internal_kernel(f"optim.{name}.blocks")
        def blocks(w, g, m, v, new_w, new_m, new_v, scale, numbers, well, b0, b1):
            for b in range(b0, b1):
                well[b] = update(w, g, m, v, new_w, new_m, new_v, scale, numbers, b * BLOCK,
                                 min((b + 1) * BLOCK, w.size))

        @jit(f"optim.{name}")
        def whole(w, g, m, v, new_w, new_m, new_v, limit, numbers):
            size, all_well = norm_of(g), True
            scale = limit / size if size > limit else 1.0               # (C1)
            well = empty(None, ((w.size + BLOCK - 1) // BLOCK,), np.bool_)
            shared(blocks, (w, g, m, v, new_w, new_m, new_v, scale, numbers, well), well.size, 1,
                   OPERATIONS * w.size)
            for b in range(len(well)):
                all_well = all_well and well[b]
            return size, all_well
        return Rule(whole, begin)
    return decorated


@over_blocks("sgd", lambda t, lr, momentum=0.0: ("wm" if momentum else "w", (lr, momentum)))
def _sgd(w, g, m, v, new_w, new_m, new_v, scale, numbers, i0, i1):
    lr, momentum = numbers
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


@over_blocks("rmsprop", lambda t, lr, rho=0.9, eps=1e-8: ("wv", (lr, rho, eps)))
def _rmsprop(w, g, m, v, new_w, new_m, new_v, scale, numbers, i0, i1):
    lr, rho, eps = numbers
    nothing = zeros(w)
    for i in range(i0, i1, LANES):
        J = at(i, i1)
        dw = g[J] * scale                                               # (C1)
        v_new = v[J] * rho + dw * dw * (1 - rho)                        # (O3)
        w_new = w[J] - dw * lr / (sqrt(v_new) + eps)                    # (O4)
        new_v[J], new_w[J] = v_new, w_new
        nothing = add(nothing, w_new * 0.0)
    return total(nothing) == 0


@over_blocks("adam", lambda t, lr, beta1=0.9, beta2=0.999, eps=1e-8: (
    "wmv", (lr, beta1, beta2, eps, 1 / (1 - beta1**t), 1 / (1 - beta2**t))))
def _adam(w, g, m, v, new_w, new_m, new_v, scale, numbers, i0, i1):
    lr, beta1, beta2, eps, m_scale, v_scale = numbers
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


RULES = {"sgd": _sgd, "rmsprop": _rmsprop, "adam": _adam}
assert set(OPTIMIZERS) == set(RULES) == set(reference.OPTIMIZERS)
