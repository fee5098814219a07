"""Arenas: arrays that live as long as a call, and no longer."""
import sys

import numpy as np
import pytest

from minis2s.kernels.runtime import arena, jit
from minis2s.kernels.runtime.arena import copied, empty, in_an_arena, release, scratch_arena, zeros
from minis2s.kernels.runtime.jit import arena_kernel
from minis2s.kernels.runtime.linking import call_linked

compiled = pytest.mark.skipif(not jit.JIT, reason="without compilation the arrays are NumPy's own")


@jit.internal_kernel("test.arena.fill")
def fill(arena, n):
    """Arrays of several shapes and dtypes, full of what was put into them: -> where they are, and their sums."""
    a, b = zeros(arena, (n, 3), np.float32), empty(arena, (2, n, 1), np.float64)
    marks, ids, none = zeros(arena, (n,), np.bool_), empty(arena, (1, n), np.int64), empty(arena, (0, 5), np.float32)
    for i in range(n):
        a[i, 1], b[0, i, 0], b[1, i, 0], ids[0, i] = i, 2 * i, 3 * i, 4 * i
        marks[i] = i % 2 == 0
    again = copied(arena, b)
    for i in range(n):
        b[0, i, 0] = 0
    wrong = 0
    for i in range(n):
        right = a[i, 0] == 0 and a[i, 1] == i and a[i, 2] == 0 and again[0, i, 0] == 2 * i and again[1, i, 0] == 3 * i
        wrong += not (right and ids[0, i] == 4 * i and marks[i] == (i % 2 == 0))
    return wrong + none.size, a, again, ids


@arena_kernel("test.arena.fill_all")
def fill_all(arena, n, ends):
    """The three arenas, the second one several times: -> how many numbers were not what they should be."""
    wrong, a, b, _ = call_linked(fill, (arena, n))
    next_room = scratch_arena(arena)
    for _ in range(3):
        wrong += call_linked(fill, (next_room, n))[0]
        release(next_room)
    wrong += call_linked(fill, (scratch_arena(next_room), n))[0]
    for i in range(n):
        wrong += a[i, 1] != i or b[1, i, 0] != 3 * i           # what is in the first arena has not moved
    ends[0] += 1
    return wrong


@pytest.mark.parametrize("n", [1, 2, 17, 1000])
def test_what_is_put_into_arrays_stays_there(n):
    ends = np.zeros(1, int)
    assert in_an_arena(fill_all, n, ends) == 0 and ends[0] == 1


@compiled
def test_arrays_begin_on_lines_of_the_cache():
    @jit.jit("test.arena.places")
    def places(arena, out):
        for i in range(len(out)):
            out[i] = empty(arena, (i, 3), np.float32).ctypes.data % 64
    out = np.ones(9, int)
    in_an_arena(places, out)
    assert (out == 0).all()


@compiled
def test_rooms_stand_side_by_side_and_are_given_back():
    @jit.jit("test.arena.taken")
    def taken(arena, k):
        if k == 0:
            empty(arena, (5,), np.float32)
        elif k == 1:
            empty(scratch_arena(arena), (5,), np.float32)
        else:
            empty(scratch_arena(scratch_arena(arena)), (5,), np.float32)
        return len(scratch_arena(arena)), len(scratch_arena(scratch_arena(arena)))
    for k in range(arena.ARENAS):
        arenas = np.zeros(arena.ARENAS, np.int64)
        assert taken(arenas, k) == (arena.ARENAS - 1, arena.ARENAS - 2)
        assert [entry != 0 for entry in arenas] == [k == j for j in range(arena.ARENAS)]
        arena.release_all(arenas)
        assert not arenas.any()


@compiled
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_nothing_is_kept():
    """A thousand calls with a megabyte each, in pieces."""
    def megabytes():
        with open("/proc/self/statm") as f:
            return int(f.read().split()[1]) * 4096 / 1e6
    ends = np.zeros(1, int)
    for _ in range(20):
        in_an_arena(fill_all, 3000, ends)
    before = megabytes()
    for _ in range(1000):
        in_an_arena(fill_all, 3000, ends)
    assert megabytes() - before < 50


@compiled
def test_a_call_that_fails_gives_its_room_back():
    given = []

    def fails(arenas):
        given.append(arenas)
        jit.jit("test.arena.one")(lambda arena: empty(arena, (9,), np.float32)[0])(arenas)
        assert arenas[0] != 0
        raise MemoryError
    with pytest.raises(MemoryError):
        in_an_arena(fails)
    assert not given[0].any()
