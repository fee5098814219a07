"""Random inputs of a form, and comparisons of trees, for checks.py."""
import numpy as np

from ..core import tree
from ..core.gradient_check import assert_close


def random_like(rng, part, scale=0.8):
    """A tree of the same form with random numbers, float64."""
    return tree.map(lambda a: rng.normal(scale=scale, size=np.shape(a)), part)


def frozen(part):
    """The same tree, of arrays that nobody can change."""
    def freeze(a):
        a = np.array(a)
        a.setflags(write=False)
        return a
    return tree.map(freeze, part)


def form(part):
    """Names, shapes and dtypes of a tree, and the types of its tuples."""
    if isinstance(part, tuple):
        return type(part), [form(p) for p in part]
    return part if part is None else (np.shape(part), np.asarray(part).dtype)


def assert_same_form(what, got, want):
    assert form(got) == form(want), f"{what} has the form {form(got)}, wanted {form(want)}"


def weighted_sum(weights, part):
    """A number that depends on every entry of a tree."""
    return sum((w * a).sum() for (_, w), (_, a) in zip(tree.named(weights), tree.named(part), strict=True))


def assert_trees_close(got, want, rtol=1e-12):
    got, want = dict(tree.named(got)), dict(tree.named(want))
    assert got.keys() == want.keys(), f"{sorted(got)}, wanted {sorted(want)}"
    for name in want:
        assert_close(name, got[name], want[name], rtol)


def assert_same_bits(what, got, want):
    for (name, a), (_, b) in zip(tree.named(got), tree.named(want), strict=True):
        assert np.array_equal(a, b), f"{what} gives other numbers the second time, in {name}"


def row(part, n):
    """Example n of a tree whose first axis is the batch."""
    return tree.map(lambda a: a[n:n + 1], part)
