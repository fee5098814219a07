"""A layer of random sizes and arrays, to run by the reference and by the compiled implementation."""
from contextlib import contextmanager

import numpy as np

from draw import form, like, normal, read_only
from minis2s.core import tree
from minis2s.kernels.layers import unroll as compiled
from minis2s.kernels.runtime import jit
from minis2s.layers import unroll
from minis2s.layers.cells import CELLS

BOUND = {"float64": 1e-12, "float32": 3e-6}


def guarded(x):
    """Arrays that nobody can change, as plain Python.  Compiled, they would be types of their own, for which
    each kernel is made once more: there `unchanged` looks at them afterwards."""
    return tree.map(np.array, x) if jit.JIT else read_only(x)


@contextmanager
def unchanged(*given):
    """Assert that what stands in these trees is afterwards what it was before."""
    before = tree.map(np.array, given)
    yield
    for was, now in zip(before, given):
        np.testing.assert_equal([a for _, a in tree.named(now)], [a for _, a in tree.named(was)])


class Case:
    def __init__(self, name, T, N, D, H, dtype, seed=0, in_front=False):
        rng, self.cell, self.dtype = np.random.default_rng(seed), CELLS[name], dtype
        scale = 1.6 / np.sqrt(H + D)

        def state():
            return self.cell.State(*(normal(rng, N, H) for _ in self.cell.State._fields))
        p = like(rng, self.cell.init(rng, D, H), scale)
        arrays = p, normal(rng, T, N, D), state(), normal(rng, T, N, H), state()
        self.p, self.xs, self.s0, self.dhs, self.d = guarded(tree.map(lambda a: a.astype(dtype), arrays))
        self.mask = np.arange(T)[:, None] < rng.integers(0, T + 1, N)
        self.mask = guarded(self.mask[::-1] if in_front else self.mask)

    def run(self, loop):
        hs, s, k = loop.forward(self.cell, self.p, self.xs, self.s0, self.mask)
        k = k if jit.JIT else read_only(k)
        grads = loop.backward(self.cell, self.p, k, self.dhs, self.d, self.mask)
        if isinstance(k, list):
            k = type(k[0])(*map(np.stack, zip(*k)))
        return (hs, s), k, grads

    def check(self):
        with unchanged(self.p, self.xs, self.s0, self.dhs, self.d, self.mask):
            results = self.run(compiled), self.run(unroll)
        for got, want in zip(*results, strict=True):
            assert form(got) == form(want)
            close(got, want, self.dtype)


def close(got, want, dtype):
    """Array by array, relative to the array's largest entry (but at least 1)."""
    for (name, a), (_, b) in zip(tree.named(got), tree.named(want), strict=True):
        assert a.dtype == b.dtype == dtype, name
        size = np.abs(b).max(initial=1.0)
        np.testing.assert_allclose(a, b, rtol=0, atol=BOUND[dtype] * size, err_msg=name)
