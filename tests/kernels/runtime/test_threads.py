"""Work shared among threads: who gets which rows and columns, and sums that do not depend on it."""
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from minis2s.core import backend
from minis2s.kernels.backend import use_threads
from minis2s.kernels.linalg import gradients
from minis2s.kernels.runtime import jit, threads
from minis2s.kernels.runtime.threads import COLUMNS, ENOUGH, QUEUE, ROWS, THREADS, over_columns, over_rows, shared

parts, cut = (getattr(f, "py_func", f) for f in (threads.parts, threads.cut))      # no kernels of their own


@jit.internal_kernel("test.sign")
def sign(begins, ends, times, i0, i1):
    """Who came here, and how often somebody did."""
    for i in range(i0, i1):
        begins[i], ends[i] = i0, i1
        times[i] += 1


@jit.jit("test.share")
def share(begins, ends, times, grain, work):
    shared(sign, (begins, ends, times), len(times), grain, work)


@jit.jit("test.share_rows")
def share_rows(begins, ends, times):
    over_rows(sign, (begins, ends, times), len(times), 1_000_000)


@jit.jit("test.share_columns")
def share_columns(begins, ends, times):
    over_columns(sign, (begins, ends, times), len(times), 1_000_000)


def signed(function, size, *given):
    """-> begins and ends of all shares, in order; each entry was in one of them, once."""
    begins, ends, times = np.full((3, size), -7)
    times[:] = 0
    function(begins, ends, times, *given)
    assert (times == 1).all()
    cuts = np.unique(begins).tolist()
    for a, b in zip(cuts, cuts[1:] + [size]):
        assert (begins[a:b] == a).all() and (ends[a:b] == b).all()
    return list(zip(cuts, cuts[1:] + [size]))


# Shares ---------------------------------------------------------------------------------------------------

def test_so_many_threads_as_there_is_work_for():
    def of(size, grain, work, count=4):
        return parts(count, 1000, size, grain, work)
    assert [of(size, 6, 99_000) for size in (0, 1, 6, 7, 12, 13, 100)] == [1, 1, 1, 2, 2, 3, 4]
    assert [of(size, 64, 99_000) for size in (64, 65, 128, 129, 1000)] == [1, 2, 2, 3, 4]
    assert [of(99, 2, work) for work in (0, 999, 1999, 2000, 3500, 4000, 99_000)] == [1, 1, 1, 2, 3, 4, 4]
    assert of(99, 2, 99_000, 1) == 1


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_cuts(count):
    """At multiples of the grain, the first at 0 and the last at the end; shares are about of one size."""
    for size in (1, 5, 6, 7, 12, 41, 63, 64, 65, 128, 190, 450):
        for grain in (1, 2, 64):
            n = parts(count, 1, size, grain, 10**9)
            cuts = [cut(size, grain, n, k) for k in range(n + 1)]
            assert n == min(count, -(-size // grain)) and cuts[0] == 0 and cuts[-1] == size
            assert all(c % grain == 0 for c in cuts[:-1])
            lengths = np.diff(cuts)
            assert (lengths > 0).all() and lengths.max() <= size / n + grain
            assert (lengths[:-1] >= size / n - grain).all()


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("function, grain", [(share_rows, ROWS), (share_columns, COLUMNS)])
def test_shares_are_the_whole_without_gaps(use, count, function, grain):
    use(count)
    for size in (1, 2, 3, 7, 12, 41, 63, 64, 65, 128, 190, 450):
        got, n = signed(function, size), min(count, -(-size // grain))
        assert got == [(cut(size, grain, n, k), cut(size, grain, n, k + 1)) for k in range(n)]


def test_little_work_and_nothing_at_all(use):
    use(3)
    QUEUE[ENOUGH] = 100
    assert [len(signed(share, 50, 1, work)) for work in (0, 199, 200, 299, 300, 999)] == [1, 1, 2, 2, 3, 3]
    assert signed(share, 0, 1, 999) == []


# Callers and workers --------------------------------------------------------------------------------------

def test_many_calls_in_a_row(use):
    """While workers wait awake."""
    use(3)
    begins, ends, times = np.zeros((3, 40), int)
    for k in range(3000):
        share(begins, ends, times, 1 + k % 5, 40)
        assert times[k % 40] == k + 1
    assert (times == 3000).all()


def test_a_share_is_taken_once(use):
    """However many there are, and whoever is after them."""
    use(3)
    QUEUE[THREADS] = 1000
    begins, ends, times = np.zeros((3, 1000), int)
    for k in range(200 if jit.JIT else 3):
        share(begins, ends, times, 1, 1000)
        assert (times == k + 1).all()


@jit.internal_kernel("test.last_takes_long")
def last_takes_long(done, turns, i0, i1):
    for i in range(i0, i1):
        x = 0.5 + done[i]
        for _ in range((i + 1) * turns):
            x = 0.999 * x + 0.001
        done[i] += x > 0.0


@jit.jit("test.share_last_long")
def share_unequal(done, turns):
    shared(last_takes_long, (done, turns), len(done), 1, len(done))


def test_the_caller_waits_for_the_last_share(use):
    use(2)
    done = np.zeros(2, int)
    for k in range(30):                                        # the first one is long enough to wake a worker
        share_unequal(done, 300_000 if jit.JIT else 1)
        assert (done == k + 1).all()


def test_workers_that_are_asleep_or_were_never_there(use):
    use(2)
    time.sleep(0.3)
    assert len(signed(share, 40, 1, 40)) == 2
    QUEUE[THREADS] = 30                                        # said to be so many
    assert len(signed(share, 40, 1, 40)) == 30
    QUEUE[THREADS] = 3000                                      # more shares than there can be
    assert len(signed(share, 3000, 1, 3000)) > 1000


@jit.internal_kernel("test.number")
def number(a, i, j0, j1):
    for j in range(j0, j1):
        a[i, j] += 1000 * i + j


@jit.internal_kernel("test.number_rows")
def number_rows(a, i0, i1):
    for i in range(i0, i1):
        shared(number, (a, i), a.shape[1], 1, a.shape[1])


@jit.jit("test.nest")
def nest(a):
    shared(number_rows, (a,), a.shape[0], 1, a.size)
    shared(number_rows, (a,), a.shape[0], 1, a.size)


def test_a_share_that_shares_its_work_itself(use):
    use(3)
    a = np.zeros((20, 30), int)
    for _ in range(50):
        nest(a)
    np.testing.assert_array_equal(a, 100 * (1000 * np.arange(20)[:, None] + np.arange(30)))


def test_two_callers_at_once(use):
    """The work queue is for one of them, the other does its work alone; each gets all of its own done."""
    use(3)
    shares = [np.zeros((3, size), int) for size in (40, 50)]
    arrays = [np.zeros((20, 30), int) for _ in range(2)]

    def call(k):
        for _ in range(300):
            share(*shares[k], 1, 50)
            nest(arrays[k])
    callers = [threading.Thread(target=call, args=(k,)) for k in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    for (_, _, times), a in zip(shares, arrays):
        assert (times == 300).all()
        np.testing.assert_array_equal(a, 600 * (1000 * np.arange(20)[:, None] + np.arange(30)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_of_weights_and_biases(use, dtype):
    rng, results = np.random.default_rng(0), []
    x, da = rng.normal(size=(3, 50, 37)).astype(dtype), rng.normal(size=(3, 50, 150)).astype(dtype)
    for count in (1, 2, 3):
        use(count)
        results.append((gradients.weight_gradient(x, da), gradients.bias_gradient(da)))
        for got, want in zip(results[-1], (np.einsum("tni,tnj->ij", x, da), da.sum(axis=(0, 1)))):
            assert got.dtype == dtype
            np.testing.assert_allclose(got, want, rtol=0, atol=2e-4 if dtype == "float32" else 1e-12)
            if jit.JIT:
                np.testing.assert_array_equal(got, results[0][got.ndim == 1])
    across, along = x.transpose(1, 0, 2), da.transpose(1, 0, 2)
    np.testing.assert_allclose(gradients.weight_gradient(across, along), results[0][0], rtol=0,
                               atol=2e-4 if dtype == "float32" else 1e-12)


# Programs -------------------------------------------------------------------------------------------------

PROGRAM = """
import os, sys
import numpy as np
from minis2s.kernels.linalg import gradients
from minis2s.kernels.runtime import threads
x = np.arange(6000.0).reshape(2, 10, 300) % 7
def right():
    return np.array_equal(gradients.weight_gradient(x, x), np.einsum("tni,tnj->ij", x, x))
threads.QUEUE[threads.ENOUGH] = 1
"""
FORK = """
threads.use(2)
assert right()
child = os.fork()
if child == 0:                                  # its workers are gone
    os._exit(0 if all(right() for _ in range(20)) else 3)
assert all(right() for _ in range(20)) and os.waitpid(child, 0)[1] == 0
if os.fork() == 0:
    sys.exit(0)                                 # by the ordinary way out
assert os.wait()[1] == 0
"""


FORK_AT_ONCE = """
import time
threads.use(2)
children = []
for wait in (0, 0.2, 0.3):                      # whatever the worker does as it comes up
    time.sleep(wait)
    children.append(os.fork())
    if children[-1] == 0:
        asked = threads.QUEUE[threads.THREADS]
        threads.use(2)
        alive = [worker.is_alive() for worker in threads.Workers.threads]
        os._exit(0 if asked == 1 and alive in ([True], []) and right() else 3)
for child in children:
    assert os.waitpid(child, 0)[1] == 0
threads.QUEUE[threads.TAKEN] = 1                # as if another thread shared its work just now
child = os.fork()
if child == 0:
    os._exit(int(threads.QUEUE[threads.TAKEN]))
assert os.waitpid(child, 0)[1] == 0
threads.QUEUE[threads.TAKEN] = 0
"""


@pytest.mark.parametrize("rest", [
    "threads.use(3); assert right()", "threads.use(3)", "threads.QUEUE[threads.THREADS] = 5; assert right()",
    "threads.use(3); threads.use(1); threads.use(2); assert all(right() for _ in range(99)); sys.exit(0)",
    pytest.param(FORK, marks=pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"))])
def test_a_program_ends_when_it_is_done(rest):
    run_to_its_end(rest)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_while_a_worker_comes_up(tmp_path):
    """Where nothing is compiled yet: whoever compiles holds a lock, which a forked process would wait for in vain."""
    run_to_its_end(FORK_AT_ONCE, NUMBA_CACHE_DIR=str(tmp_path))


def run_to_its_end(rest, **env):
    ended = subprocess.run([sys.executable, "-W", "ignore", "-c", PROGRAM + rest], text=True,
                           capture_output=True, timeout=120, env={**os.environ, **env})
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == "" or "compiling kernels, once" in ended.stderr


def test_the_environment_says_how_many():
    program = "from minis2s.kernels.runtime import threads; print(threads.QUEUE[threads.THREADS])"
    for given, want in (({}, "1"), ({"MINIS2S_THREADS": "2"}, "2"), ({"MINIS2S_THREADS": ""}, "1")):
        env = {**{k: v for k, v in os.environ.items() if k != "MINIS2S_THREADS"}, **given}
        ended = subprocess.run([sys.executable, "-c", program], text=True, capture_output=True, timeout=120,
                               env=env)
        assert (ended.returncode, ended.stdout.strip()) == (0, want), ended.stderr


@pytest.mark.parametrize("word", ["two", "0", "-1", "257", "9" * 30])
def test_a_number_of_threads_that_cannot_be(monkeypatch, word):
    monkeypatch.setenv("MINIS2S_THREADS", word)
    with pytest.raises(ValueError, match=f"MINIS2S_THREADS='{word}': wanted a whole number, 1 .. 256"):
        backend.threads(1)
    if word != "two":
        with pytest.raises(ValueError, match=f"threads={word}: wanted 1 .. 256"):
            use_threads(int(word))


# What goes wrong ------------------------------------------------------------------------------------------

@jit.internal_kernel("test.full")
def full(a, where, i0, i1):
    for i in range(i0, i1):
        if i == where:
            raise MemoryError
        a[i] += 1


@jit.jit("test.share_full")
def share_full(a, where, work):
    shared(full, (a, where), len(a), 1, work)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("where", [0, 700, 999])
def test_memory_that_ends_in_any_share_is_said_and_forgotten(use, count, where):
    """By the caller or by a worker; the next task meets a work queue on which nothing has failed."""
    use(count)
    for _ in range(50):
        with pytest.raises(MemoryError):
            share_full(np.zeros(1000), where, 1_000_000)
        a = np.zeros(1000)
        share_full(a, -1, 1_000_000)
        assert (a == 1).all()
