"""Rooms: arrays that live as long as a call, and no longer."""
import sys

import numpy as np
import pytest

from minis2s.kernels.runtime import jit, arena as room
from minis2s.kernels.runtime.jit import alone, linked
from minis2s.kernels.runtime.arena import beside, copied, empty, give_back, in_a_room, zeros

compiled = pytest.mark.skipif(not jit.JIT, reason="without compilation the arrays are NumPy's own")


@jit.inner("test.room.fill")
def fill(room, n):
    """Arrays of several shapes and dtypes, full of what was put into them: -> where they are, and their sums."""
    a, b = zeros(room, (n, 3), np.float32), empty(room, (2, n, 1), np.float64)
    marks, ids, none = zeros(room, (n,), np.bool_), empty(room, (1, n), np.int64), empty(room, (0, 5), np.float32)
    for i in range(n):
        a[i, 1], b[0, i, 0], b[1, i, 0], ids[0, i] = i, 2 * i, 3 * i, 4 * i
        marks[i] = i % 2 == 0
    again = copied(room, b)
    for i in range(n):
        b[0, i, 0] = 0
    wrong = 0
    for i in range(n):
        right = a[i, 0] == 0 and a[i, 1] == i and a[i, 2] == 0 and again[0, i, 0] == 2 * i and again[1, i, 0] == 3 * i
        wrong += not (right and ids[0, i] == 4 * i and marks[i] == (i % 2 == 0))
    return wrong + none.size, a, again, ids


@alone("test.room.fill_all")
def fill_all(room, n, ends):
    """The three rooms, the second one several times: -> how many numbers were not what they should be."""
    wrong, a, b, _ = linked(fill, (room, n))
    next_room = beside(room)
    for _ in range(3):
        wrong += linked(fill, (next_room, n))[0]
        give_back(next_room)
    wrong += linked(fill, (beside(next_room), n))[0]
    for i in range(n):
        wrong += a[i, 1] != i or b[1, i, 0] != 3 * i           # what is in the first room has not moved
    ends[0] += 1
    return wrong


@pytest.mark.parametrize("n", [1, 2, 17, 1000])
def test_what_is_put_into_arrays_stays_there(n):
    ends = np.zeros(1, int)
    assert in_a_room(fill_all, n, ends) == 0 and ends[0] == 1


@compiled
def test_arrays_begin_on_lines_of_the_cache():
    @jit.jit("test.room.places")
    def places(room, out):
        for i in range(len(out)):
            out[i] = empty(room, (i, 3), np.float32).ctypes.data % 64
    out = np.ones(9, int)
    in_a_room(places, out)
    assert (out == 0).all()


@compiled
def test_rooms_stand_side_by_side_and_are_given_back():
    @jit.jit("test.room.taken")
    def taken(room, k):
        if k == 0:
            empty(room, (5,), np.float32)
        elif k == 1:
            empty(beside(room), (5,), np.float32)
        else:
            empty(beside(beside(room)), (5,), np.float32)
        return len(beside(room)), len(beside(beside(room)))
    for k in range(room.ROOMS):
        rooms = np.zeros(room.ROOMS, np.int64)
        assert taken(rooms, k) == (room.ROOMS - 1, room.ROOMS - 2)
        assert [entry != 0 for entry in rooms] == [k == j for j in range(room.ROOMS)]
        room.give_all_back(rooms)
        assert not rooms.any()


@compiled
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_nothing_is_kept():
    """A thousand calls with a megabyte each, in pieces."""
    def megabytes():
        with open("/proc/self/statm") as f:
            return int(f.read().split()[1]) * 4096 / 1e6
    ends = np.zeros(1, int)
    for _ in range(20):
        in_a_room(fill_all, 3000, ends)
    before = megabytes()
    for _ in range(1000):
        in_a_room(fill_all, 3000, ends)
    assert megabytes() - before < 50


@compiled
def test_a_call_that_fails_gives_its_room_back():
    given = []

    def fails(rooms):
        given.append(rooms)
        jit.jit("test.room.one")(lambda room: empty(room, (9,), np.float32)[0])(rooms)
        assert rooms[0] != 0
        raise MemoryError
    with pytest.raises(MemoryError):
        in_a_room(fails)
    assert not given[0].any()
