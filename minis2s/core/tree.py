"""Nested NamedTuples of arrays: one way to walk parameters, gradients and optimizer moments.

A tree is an array, None ("no such part": a tied weight, an unused option) or a tuple of trees.  Names
join field names and positions with dots: "encoder.layers.0.W".
"""
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


def named(tree: Any, prefix: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """Yield (name, array) for every array of `tree`, in the order of its fields; None is skipped."""
    if tree is None:
        return
    if not isinstance(tree, tuple):
        yield prefix, tree
        return
    for field, part in zip(getattr(tree, "_fields", range(len(tree))), tree):
        yield from named(part, f"{prefix}.{field}" if prefix else str(field))


def same_type(tree: Any, parts: list) -> Any:
    """A tuple of these parts: a plain one, or the NamedTuple that `tree` is."""
    return tuple.__new__(type(tree), parts)


def map(f: Callable, tree: Any, *others: Any) -> Any:
    """Apply `f` array by array to trees of the same form; the result has the types of `tree`."""
    if isinstance(tree, tuple):
        return same_type(tree, [map(f, *group) for group in zip(tree, *others)])
    return None if tree is None else f(tree, *others)


def add(a: Any, b: Any) -> Any:
    """Sum of two trees; None is nothing: add(None, b) is b."""
    if a is None or b is None:
        return b if a is None else a
    if isinstance(a, tuple):
        return same_type(a, [add(x, y) for x, y in zip(a, b)])
    return a + b


def zeros_like(tree: Any) -> Any:
    """A tree of the same form whose arrays are all zero."""
    return map(np.zeros_like, tree)


def accumulate(total: Any, tree: Any) -> None:
    """total += tree, array by array, in place: for sums over time, on buffers of our own."""
    for (_, t), (_, a) in zip(named(total), named(tree)):
        t += a


def leaves(tree: Any) -> list[np.ndarray]:
    """The arrays of `tree` in their order, without names."""
    if isinstance(tree, tuple):
        return [a for part in tree for a in leaves(part)]
    return [] if tree is None else [tree]


def packed(tree: Any) -> np.ndarray:
    """All numbers of `tree` (arrays of one dtype), behind one another in one new flat array."""
    return np.concatenate(leaves(tree), axis=None)


def unpacked(flat: np.ndarray, like: Any) -> Any:
    """A tree of the form of `like` whose arrays are views of `flat`: the reverse of `packed`."""
    return taken(flat, like, 0)[0]


class Flat:
    """A base of trees whose leaves are views of one flat array, `self.flat`.

    A tree made from such a one, by `map` or _replace, is an ordinary tree.
    """
    flat: np.ndarray | None = None

    @classmethod
    def of(cls, flat: np.ndarray, like: Any) -> Any:
        """A tree with the numbers of `flat` and the shapes of `like`, as `unpacked`."""
        made = cls(*unpacked(flat, like))                           # type: ignore[call-arg]
        made.flat = flat
        return made


def taken(flat: np.ndarray, like: Any, start: int) -> tuple[Any, int]:
    """A tree as `unpacked`, of the numbers of `flat` from `start` on: -> it, and where it ends.

    No function within a function that calls itself: such a one is a cycle of references, and would keep `flat`,
    all weights of a model, until Python looks for cycles.
    """
    if isinstance(like, tuple):
        parts = []
        for part in like:
            part, start = taken(flat, part, start)
            parts.append(part)
        return same_type(like, parts), start
    if like is None:
        return None, start
    end = start + like.size
    return flat[start:end].reshape(like.shape), end


def replace(tree: Any, arrays: dict[str, np.ndarray], prefix: str = "") -> Any:
    """The same tree with arrays taken from the dict `arrays` by name; KeyError if one is missing."""
    if tree is None:
        return None
    if not isinstance(tree, tuple):
        return arrays[prefix]
    fields = getattr(tree, "_fields", range(len(tree)))
    return same_type(tree, [replace(part, arrays, f"{prefix}.{f}" if prefix else str(f))
                            for f, part in zip(fields, tree)])
