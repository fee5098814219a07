"""Compile a kernel when it is first called: the decorators.

        call ──> compiled in this process? ──yes──────────────────────────────> run
                            │no
                 file of this key in the cache? ──yes── load (milliseconds) ──> run        kernel_cache.py
                            │no
                 compile (seconds), write the file ──────────────────────────-> run

The decorator of a kernel follows from its callers:

    decorator          called by
    jit                Python, and other kernels, each of which contains a copy of its machine code
    arena_kernel       Python; all its arrays are in an arena (arena.py)
    internal_kernel    other kernels by its symbol (`call_linked`, linking.py), and threads (threads.py); compiled once
    dtype_kernel       the same for one dtype, with addresses in place of arrays: the matrix product
    device_function    other kernels; small, compiled once for all of them, and kept (device_cache.py)
    arena_function     the same, and makes arrays, in an arena or for Python
    inlined            other kernels; its code is repeated in each caller

Numba numbers the functions that have the same name otherwise (the closures of a composition, for example) 1, 2, 3 in
each process, and the linker takes the first function of a name for all of that name: it would run the third function
of another process for the third of this one.  So each compilation counts from a number of its own (`quick`).

With NUMBA_DISABLE_JIT=1, or without Numba, each decorator returns the function itself: kernels are plain Python then,
slow, and a debugger stops inside.
"""
import gc
import secrets
from functools import wraps
from itertools import count

from .linking import JIT, KERNELS

if JIT:
    import numba
    from numba.extending import intrinsic

    from . import quicker  # noqa: F401
    from .device_library import device_code, libraries
    from .kernel_cache import Cache, code_of
    from .kernel_library import CallsLibrary, KernelLibrary
    from .linking import argument, call_by_symbol, symbol_of
    from .numba_private import FunctionIdentity, cgutils, cpu_target, global_compiler_lock

LEVEL = 1                      # of LLVM's optimization
# contract: a*b + c may be rounded once; _nrt: references to arrays are counted, as the callers' arrays are;
# no_cfunc_wrapper: nobody calls a kernel from C
OPTIONS = dict(nogil=True, error_model="numpy", fastmath={"contract"}, _nrt=True, no_cfunc_wrapper=True)


def jit(name, loops=True, **options):
    """Decorate a kernel.

    Parameters
    ----------
    name : str
        Distinguishes the compositions of one function: it is part of the cache's key.
    loops : bool
        False for a kernel without loops of its own: see kernel_library.py.
    options
        Of numba.njit.
    """
    def compiled(function):
        if not JIT:
            return function
        plain = getattr(function, "py_func", function)                  # of an inlined one, too
        dispatcher = numba.njit(**(OPTIONS | options))(plain)
        dispatcher._cache = Cache(name, code_of(plain))
        dispatcher.compile = quick(dispatcher.compile, KernelLibrary if loops else CallsLibrary)
        KERNELS[name] = dispatcher
        return dispatcher
    return compiled


def quick(compile, library):
    """`compile`, in two thirds of the time; the machine code is as fast, and its names are unique to this process.

    LLVM optimizes at its level 1, and makes machine code as kernel_library.py says: what more would add, such as
    vectors in place of loops, these kernels do themselves.  The collector of reference cycles is off: a compiler has
    millions of objects, which are not garbage yet.
    """
    @wraps(compile)
    def quick_compile(*args):
        with global_compiler_lock:
            cpu_target.target_context                          # made for all of Numba's users, at their level
            level, collects = numba.config.OPT, gc.isenabled()
            gc.disable()
            numba.config.OPT = min(level, type(level)(LEVEL))
            FunctionIdentity._unique_ids = count(secrets.randbits(60))
            try:
                with libraries(library):                       # though a device function be the first to call it
                    return compile(*args)
            finally:
                numba.config.OPT = level
                if collects:
                    gc.enable()
    return quick_compile


def internal_kernel(name, loops=True):
    """Decorate a kernel that only other kernels call: by `over_rows`, `over_columns` (threads.py), or `call_linked`.

    It makes its arrays in an arena only (arena.py), and its caller keeps those that it works on.  So references are not
    counted in it (_nrt): in a big kernel counting is most of the code.
    """
    return jit(name, loops, no_cpython_wrapper=True, _nrt=False)


def arena_kernel(name, loops=True):
    """Decorate a kernel that makes its arrays in an arena (arena.py), so that references need not be counted either."""
    return jit(name, loops, _nrt=False)


def device_function(function):
    """Decorate a function that makes its arrays in an arena only: it is compiled once for all its callers."""
    options = OPTIONS | {"_nrt": False, "no_cpython_wrapper": True}
    return device_code(numba.njit(**options)(function)) if JIT else function


def arena_function(function):
    """Decorate a function that makes arrays in the arena it receives, or for Python where that is None.

    It is compiled once for all its callers.  It counts references, because arrays for Python need it; an array in an
    arena has none to count.
    """
    return device_code(numba.njit(no_cpython_wrapper=True, **OPTIONS)(function)) if JIT else function


def inlined(function):
    """Decorate a helper whose code is repeated in each of its callers, which takes long to compile where these are big.

    Functions whose arguments are functions or Vectors must be inlined.
    """
    return numba.njit(inline="always", **OPTIONS)(function) if JIT else function


if JIT:
    def dtype_kernel(name, dtype, signature):
        """Decorate a kernel for one dtype that others call by its symbol, with addresses for arrays."""
        def compiled(function):
            kernel = jit(f"{name}-{dtype}", no_cpython_wrapper=True)(function)

            @intrinsic
            def call(context, args):
                def lower(context, builder, sig, values):
                    symbol, made = symbol_of(kernel, signature.args)
                    values = [argument(context, builder, builder.extract_value(values[0], k), have, want)
                              for k, (have, want) in enumerate(zip(sig.args[0].types, signature.args))]
                    status, _ = call_by_symbol(context, builder, symbol, made, values)
                    with cgutils.if_unlikely(builder, status.is_error):
                        context.call_conv.return_status_propagate(builder, status)
                    return context.get_dummy_value()
                return numba.types.void(args), lower
            return call
        return compiled
