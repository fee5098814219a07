"""A unit: one part of the library with the equations that it computes, to be checked equation by equation."""
from functools import lru_cache
from typing import Callable, NamedTuple

import numpy as np

from minis2s.core import gradient_check, tree
from minis2s.documents.formulas import check

BOUND = 1e-12


class Unit(NamedTuple):
    """Equations that one case computes.

    marks : mark -> names of what the equation computes, separated by blanks: outputs of the case for (L4),
        gradients of its inputs for (L4*).  A name also means the arrays inside it; "" means all.
    case : -> documents.formulas.cases.Case, small and always the same.
    compiled : -> (outputs, gradients) of the compiled implementation, and the same of the reference implementation;
        None where the equations are not compiled.
    """
    marks: dict
    case: Callable
    compiled: Callable = None


def selected(arrays, names):
    """The (name, array) pairs that `names` means."""
    chosen = [(name, a) for name, a in arrays
              if not names or any(name == one or name.startswith(one + ".") for one in names.split())]
    assert chosen, f"{names!r} is none of {[name for name, _ in arrays]}"
    return chosen


def assert_same(got, want, names=""):
    """Array by array, to 1e-12 of the largest entry, but at least 1."""
    want = dict(want)
    for name, a in selected(list(got), names):
        b = np.asarray(want[name], dtype=float)
        assert np.shape(a) == b.shape, f"{name}: shape {np.shape(a)}, wanted {b.shape}"
        error = np.abs(a - b).max(initial=0.0)
        assert error <= BOUND * np.abs(b).max(initial=1.0), f"{name}: error {error:.1e}"


def against_oracle(unit, mark):
    """The reference implementation's outputs are the oracle's."""
    case = once(unit.case)
    outputs, _ = case.forward(case.inputs)
    want = check.array_tree(outputs, case.oracle(case.inputs))
    assert_same(tree.named(outputs), tree.named(want), unit.marks[mark])


def by_complex_step(unit, mark):
    """The gradient written by hand is that of the complex step."""
    got, want = gradients(unit.case)
    assert got.keys() == want.keys()
    for name, a in selected(list(got.items()), unit.marks[mark]):
        error, at = gradient_check.worst_error(a, want[name])
        assert error <= BOUND, f"{name}{list(at)}: error {error:.1e}"


def against_reference(unit, mark):
    """The compiled implementation's outputs, or gradients for a derivative, are the reference implementation's."""
    got, want = compiled(unit.compiled)
    which = int(mark.endswith("*)"))
    assert_same(tree.named(got[which]), tree.named(want[which]))


@lru_cache
def once(make):
    return make()


@lru_cache
def compiled(run):
    return run()


@lru_cache
def gradients(make):
    """{name: array} of the case's backward and of the complex step, for a random weighted sum of its outputs."""
    case = once(make)
    outputs, cache = case.forward(case.inputs)
    d = check.read_out_weights(np.random.default_rng(1), case, outputs)
    exact = gradient_check.tree_gradient(lambda v: check.weighted_sum(d, case.forward(v)[0]), case.inputs)
    return dict(tree.named(case.backward(case.inputs, cache, d))), dict(tree.named(exact))


def drawn(draw, seed=0, **sizes):
    """A case of the documents' formulas as a unit's case."""
    from minis2s.documents.formulas.cases import Sizes
    return lambda: draw(np.random.default_rng(seed), Sizes(**sizes))
