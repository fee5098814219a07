"""Walking nested NamedTuples of arrays."""
from typing import Any, NamedTuple

import numpy as np
import pytest

from draw import form, read_only, same
from minis2s.core import tree


class Pair(NamedTuple):
    a: Any
    b: Any


T = read_only(Pair(a=(np.array([1.0, 2.0]), None), b=Pair(np.array([[3.0]]), np.array([4.0, 5.0]))))


def test_names_are_fields_and_positions_in_order():
    assert [name for name, _ in tree.named(T)] == ["a.0", "b.a", "b.b"]
    assert dict(tree.named(T))["b.b"] is T.b.b
    assert list(tree.named(None)) == []
    assert [name for name, _ in tree.named(T.b, "layer")] == ["layer.a", "layer.b"]
    assert list(tree.named(T.b.a, "W")) == [("W", T.b.a)]


def test_map_keeps_the_form():
    twice = tree.map(lambda a: 2 * a, T)
    assert form(twice) == form(T)
    np.testing.assert_array_equal(twice.b.b, [8, 10])
    same(tree.map(lambda x, y, z: x + y - z, T, T, T), T)
    assert tree.map(np.sin, None) is None


def test_add_takes_none_for_nothing():
    assert tree.add(None, T) is T and tree.add(T, None) is T and tree.add(None, None) is None
    same(tree.add(T, T), tree.map(lambda a: 2 * a, T))
    half = Pair(a=None, b=Pair(T.b.a, None))
    got = tree.add(half, T)
    assert form(got) == form(T)
    same(got, Pair(T.a, Pair(2 * T.b.a, T.b.b)))


def test_zeros_like():
    zeros = tree.zeros_like(T)
    assert form(zeros) == form(T) and not any(a.any() for _, a in tree.named(zeros))


def test_accumulate_adds_in_place():
    total = tree.zeros_like(T)
    arrays = [a for _, a in tree.named(total)]
    for _ in range(3):
        tree.accumulate(total, T)
    same(total, tree.map(lambda a: 3 * a, T))
    assert all(a is b for a, (_, b) in zip(arrays, tree.named(total)))


def test_replace_is_the_reverse_of_named():
    same(tree.replace(tree.zeros_like(T), dict(tree.named(T))), T)
    arrays = dict(tree.named(T))
    del arrays["b.a"]
    with pytest.raises(KeyError, match="b.a"):
        tree.replace(T, arrays)


def test_packed_and_unpacked():
    flat = tree.packed(T)
    np.testing.assert_array_equal(flat, [1, 2, 3, 4, 5])
    views = tree.unpacked(flat, T)
    same(views, T)
    assert form(views) == form(T) and type(views.b) is Pair
    assert all(np.shares_memory(a, flat) for a in tree.leaves(views))
    assert not any(np.shares_memory(a, flat) for a in tree.leaves(T))
    assert [a is b for a, (_, b) in zip(tree.leaves(T), tree.named(T))] == [True] * 3
    same(tree.unpacked(tree.packed(T.b.a.T), T.b.a), T.b.a)
