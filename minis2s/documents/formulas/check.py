"""Is a formula's code right?  Forward against the scalar oracle, backward against numerical derivatives."""
from typing import NamedTuple

import numpy as np

from ...core import gradient_check, tree

FORWARD, GRADIENT = 1e-12, 1e-12    # allowed, relative to an array's largest entry


class Errors(NamedTuple):
    """Worst errors, each relative to the largest entry of its array (to 1 where that is 0)."""
    forward: float             # of every output, against naive.py
    gradient: float            # of every array, against the complex step; None where there is no backward
    central: float             # the same, against central differences of the best step; None if not asked for
    arrays: dict               # name -> (gradient error, central error) of each array


def read_out_weights(rng, case, outputs):
    """Random weights for every output (0 for those without gradient): the loss is their weighted sum."""
    d = tree.map(lambda a: rng.normal(size=np.shape(a)), outputs)
    return d._replace(**{name: np.zeros(np.shape(getattr(d, name))) for name in case.silent})


def weighted_sum(d, outputs):
    return sum((a * b).sum() for (_, a), (_, b) in zip(tree.named(d), tree.named(outputs), strict=True))


def forward_error(case, outputs):
    want = dict(tree.named(array_tree(outputs, case.oracle(case.inputs))))
    return max(gradient_check.worst_error(np.asarray(got), want[name])[0] for name, got in tree.named(outputs))


def array_tree(like, lists):
    """The oracle's answer (lists) in the form of the library's (a tree of arrays)."""
    if isinstance(like, tuple):
        return type(like)(*(array_tree(part, other) for part, other in zip(like, lists, strict=True)))
    return np.asarray(lists, dtype=float)


def measure(case, rng, central=True):
    """Run a Case: -> Errors."""
    outputs, cache = case.forward(case.inputs)
    ahead = forward_error(case, outputs)
    if case.backward is None:
        return Errors(ahead, None, None, {})
    d = read_out_weights(rng, case, outputs)
    got = dict(tree.named(case.backward(case.inputs, cache, d)))

    def loss(inputs):
        return weighted_sum(d, case.forward(inputs)[0])
    exact = dict(tree.named(gradient_check.tree_gradient(loss, case.inputs)))
    if got.keys() != exact.keys():
        raise AssertionError(f"gradient has {sorted(got)}, inputs are {sorted(exact)}")
    errors = {name: gradient_check.worst_error(got[name], exact[name])[0] for name in exact}
    near = {}
    if central:
        near = dict(tree.named(gradient_check.tree_gradient(loss, case.inputs, gradient_check.central_difference)))
        near = {name: gradient_check.worst_error(got[name], near[name])[0] for name in near}
    arrays = {name: (errors[name], near.get(name)) for name in errors}
    return Errors(ahead, max(errors.values()), max(near.values()) if central else None, arrays)
