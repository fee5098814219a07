"""Work shared among threads: the rows of a batch for a whole sequence, the columns of a weight matrix' gradient, the
panels of an operand (packing.py).

    batch row     t = 0 ............ T-1                     dW   columns
        0..31     thread 1: all steps ─────>  wait          ┌──────────┬──────────┐
       32..63     thread 2: all steps ─────>  for all, then │ thread 1 │ thread 2 │
                                                            └──────────┴──────────┘

Examples do not read each other, so a thread takes some of them through the whole sequence without waiting for
anybody.  Weights' gradients are sums over all examples, so there each thread takes columns, and sums over all
examples in their order (gradients.py).  On the way back the two take turns, a block of steps at a time (see
unroll.py).  No number depends on how the work was shared: 1, 2 or 3 threads give the same bits.

To wake a sleeping thread takes as long as a small layer, so workers stay awake for a while and look at a
work queue, which has room for one task:

       caller                            QUEUE                            worker
    writes its task down  ──>   what, for what, how many shares  <──   looks, again and again
    takes share 0         ──>   CLAIM: the next free share       <──   takes share 1
    waits for all         <──   DONE: shares that are finished   <──   counts it

A share is taken by whoever is free: where a worker is asleep or busy with something else, the caller does all
of it alone.  The same if another caller's task is in the queue.
"""
import atexit
import ctypes
import os
import threading
from pathlib import Path

import numpy as np

from ...core import backend
from ..linalg.simd import LANES
from .jit import JIT, inlined, internal_kernel, jit
from .processor import SECOND_CACHE, cache_size

ROWS = 2                       # rows are shared in multiples of it, and columns of this
COLUMNS = 4 * LANES
# entries of the queue, each on a line of the processor's cache that no other entry is on
THREADS, ENOUGH, CLAIM, TASK, DATA, SIZE, GRAIN, COUNT, DONE, FAILED, TAKEN, STOP, CACHE = range(0, 104, 8)
QUEUE = np.zeros(112, np.int64)
QUEUE = QUEUE[-QUEUE.ctypes.data % 64 // 8:]
QUEUE[THREADS], QUEUE[ENOUGH] = 1, 500_000                   # multiply-adds that a share has at least
QUEUE[CACHE] = cache_size(2) or SECOND_CACHE


class Workers:
    threads = []               # besides the calling one


def use(count):
    """Use so many threads from now on, in this process."""
    QUEUE[THREADS] = count
    if JIT and len(Workers.threads) < count - 1:
        serve.compile(())                                      # here: a thread that compiles must not be forked
    while JIT and len(Workers.threads) < count - 1:
        Workers.threads.append(threading.Thread(target=serve, daemon=True))
        Workers.threads[-1].start()
    one_thread_for_blas()


@atexit.register
def stop():
    """Let the workers go."""
    QUEUE[STOP] = 1
    for thread in Workers.threads:
        thread.join()


def forked():
    """A forked process has none of the workers, nor a task in the queue: it begins with one thread."""
    Workers.threads.clear()
    QUEUE[THREADS], QUEUE[COUNT], QUEUE[TAKEN], QUEUE[FAILED] = 1, 0, 0, 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forked)


def one_thread_for_blas():
    """NumPy's own products: one thread.

    OpenBLAS's others wait in a busy loop, which takes our cores, and its sums depend on how many there are.
    """
    for path in (Path(np.__file__).parent.parent / "numpy.libs").glob("*openblas*"):
        library = ctypes.CDLL(str(path))
        for name in ("scipy_openblas_set_num_threads64_", "openblas_set_num_threads64_",
                     "openblas_set_num_threads"):
            if hasattr(library, name):
                getattr(library, name)(1)


@inlined
def parts(threads, enough, size, grain, work):
    """How many of the threads shall share so many rows or columns, in multiples of `grain`, with so much
    `work`: a number of multiply-adds in all, of which a share has `enough` at least."""
    return max(1, min(threads, (size + grain - 1) // grain, work // enough))


@inlined
def cut(size, grain, count, k):
    """Where share k of `count` begins: k / count of the way, rounded to a multiple of `grain`."""
    return min(size, (2 * size * k + grain * count) // (2 * grain * count) * grain) if k < count else size


def second_cache():
    """Bytes of a core's second-level cache."""
    return int(QUEUE[CACHE])


# Without compilation: share after share -------------------------------------------------------------------

def shared(function, args, size, grain, work):
    """Call function(*args, i0, i1) for parts i0 .. i1-1 of range(size); it returns and raises nothing."""
    count = parts(QUEUE[THREADS], QUEUE[ENOUGH], size, grain, work)
    for k in range(count):
        function(*args, cut(size, grain, count, k), cut(size, grain, count, k + 1))


# With it --------------------------------------------------------------------------------------------------

if JIT:
    import llvmlite.binding as llvm
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    from .linking import call_by_symbol, symbol_of
    from .numba_private import cgutils

    MOST = 1024                # more shares than any machine has use for
    PATIENCE = 5000            # looks at the queue, each followed by a pause, until a worker lies down
    NAP = 1 if os.name == "nt" else 300                        # for lie_down: milliseconds there, microseconds here;
    # up to ten times as long when there is no task
    I64 = ir.IntType(64)
    FORM = ir.FunctionType(ir.IntType(1), [I64] * 3)           # of a task: where its arguments stand, i0, i1
    llvm.add_symbol("minis2s.queue", QUEUE.ctypes.data)
    yield_core = types.ExternalFunction("SwitchToThread" if os.name == "nt" else "sched_yield", types.int32())
    if os.name == "nt":
        lie_down = types.ExternalFunction("Sleep", types.void(types.uint32))
    else:
        lie_down = types.ExternalFunction("usleep", types.int32(types.uint32))

    def entry(builder, k):
        """Address of an entry of the queue."""
        name = "minis2s.queue"
        queue = builder.module.globals.get(name) or ir.GlobalVariable(builder.module, I64, name)
        return builder.gep(queue, [k])

    @intrinsic
    def load(context, k):
        """The queue's entry k, as other threads see it now."""
        return types.int64(k), lambda context, builder, sig, args: builder.load_atomic(
            entry(builder, args[0]), "acquire", 8)

    @inlined
    def second_cache():                                        # noqa: F811
        """The same, read at each call."""
        return load(CACHE)

    @intrinsic
    def store(context, k, value):
        """Write entry k; whoever sees it sees all that was written before."""
        def lower(context, builder, sig, args):
            builder.store_atomic(args[1], entry(builder, args[0]), "release", 8)
            return context.get_dummy_value()
        return types.void(k, types.int64), lower

    @intrinsic
    def swap(context, k, old, new):
        """Entry k becomes `new` if it is `old`: -> whether it was; nobody can come between."""
        def lower(context, builder, sig, args):
            pair = builder.cmpxchg(entry(builder, args[0]), *args[1:], "acq_rel", "acquire")
            return builder.extract_value(pair, 1)
        return types.boolean(k, types.int64, types.int64), lower

    @intrinsic
    def increase(context, k):
        """Entry k += 1."""
        def lower(context, builder, sig, args):
            builder.atomic_rmw("add", entry(builder, args[0]), ir.Constant(I64, 1), "acq_rel")
            return context.get_dummy_value()
        return types.void(k), lower

    @intrinsic
    def call(context, task, data, i0, i1):
        """task(data, i0, i1), of addresses: -> whether all went well."""
        return types.boolean(*[types.int64] * 4), lambda context, builder, sig, args: builder.call(
            builder.inttoptr(args[0], FORM.as_pointer()), args[1:])

    @internal_kernel("threads.take_shares")
    def take_shares():
        """Take shares of the task in the queue while there are any: -> how many."""
        taken = 0
        while True:
            claim = load(CLAIM)
            k, task, data = claim % MOST, load(TASK), load(DATA)
            size, grain, count = load(SIZE), load(GRAIN), load(COUNT)
            if k >= count:
                return taken
            if swap(CLAIM, claim, claim + 1):                  # ours, and of the very task that was read
                if not call(task, data, cut(size, grain, count, k), cut(size, grain, count, k + 1)):
                    store(FAILED, 1)
                increase(DONE)
                taken += 1

    @jit("threads.serve")
    def serve():
        """A worker's life."""
        idle = 0
        while load(STOP) == 0:
            idle = 0 if take_shares() else idle + 1
            if idle > PATIENCE:
                lie_down(NAP * min(idle - PATIENCE, 10))
            elif idle:
                yield_core()

    @internal_kernel("threads.offer")
    def offer(task, data, size, grain, work):
        """Do a task together with the workers; MemoryError if one had none left."""
        count = min(parts(load(THREADS), load(ENOUGH), size, grain, work), MOST - 2)
        if count == 1 or not swap(TAKEN, 0, 1):
            if not call(task, data, 0, size):
                raise MemoryError
            return
        after = load(CLAIM) // MOST + 1
        store(CLAIM, after * MOST - 1)                         # no share is free while this is written
        store(TASK, task)
        store(DATA, data)
        store(SIZE, size)
        store(GRAIN, grain)
        store(COUNT, count)
        store(DONE, 0)
        store(CLAIM, after * MOST)
        take_shares()
        while load(DONE) < count:
            yield_core()
        failed = load(FAILED)
        store(FAILED, 0)
        store(TAKEN, 0)
        if failed:
            raise MemoryError

    @intrinsic
    def shared(context, function, args, size, grain, work):    # noqa: F811
        """The same: puts the arguments into memory, and makes a task that reads them there."""
        i = types.int64

        def lower(context, builder, sig, values):
            task = ir.Function(builder.module, FORM, builder.module.get_unique_name("task"))
            task.linkage = "internal"
            inside, (data, i0, i1) = ir.IRBuilder(task.append_basic_block()), task.args
            given = inside.load(inside.inttoptr(data, context.get_value_type(sig.args[1]).as_pointer()))
            status, _ = call_by_symbol(context, inside, *symbol_of(function.dispatcher, (*sig.args[1].types, i, i)),
                                       [*cgutils.unpack_tuple(inside, given), i0, i1])
            inside.ret(status.is_ok)
            place = cgutils.alloca_once_value(builder, values[1])
            status, _ = call_by_symbol(context, builder, *symbol_of(offer, (i,) * 5), [
                builder.ptrtoint(task, I64), builder.ptrtoint(place, I64), *values[2:]])
            with cgutils.if_unlikely(builder, status.is_error):
                context.call_conv.return_status_propagate(builder, status)
            return context.get_dummy_value()
        return types.void(function, args, i, i, i), lower


@inlined
def over_rows(function, args, N, work):
    """Share the batch's N rows: function(*args, n0, n1)."""
    shared(function, args, N, ROWS, work)


@inlined
def over_columns(function, args, J, work):
    """Share the J columns of weights' gradients: function(*args, j0, j1)."""
    shared(function, args, J, COLUMNS, work)


if backend.threads(1) > 1:
    use(backend.threads(1))
