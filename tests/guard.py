"""An allocator for tests: memory that is freed, or lies behind an array's end, cannot be read or written any more.

    page      page      page     page
    ├─────────┼─────────┼────────┼─────────┤        a read of the last page, or of any page after `free`, ends the
    │    size, first page │ array │ no access│       process with a segmentation fault
    └─────────┴─────────┴────────┴─────────┘

`install()` puts it below NumPy's arrays, Python's objects and the arrays of compiled code, for the rest of the process.
So it belongs into a process of its own: `run(code)` starts one.  Linux only.
"""
import ctypes
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from minis2s.kernels.runtime import jit

PAGE, MAGIC, HEADER = 4096, 0x6D696E6973327367, 24
needs_guard = pytest.mark.skipif(not (jit.JIT and sys.platform == "linux"), reason="needs Numba, and mmap of Linux")


def run(code, *args, **environment):
    """What Python code printed, run in a process whose allocator is guarded as soon as it calls guard.install()."""
    import os
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONFAULTHANDLER": "1"} | environment
    done = subprocess.run([sys.executable, "-c", code, *args], env=env, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, f"status {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def install():
    """Guard all memory from now on.  What was allocated before stays as it is."""
    functions = allocator()
    KEPT.append(functions)
    addresses = [f.address for f in functions]
    table = (ctypes.c_void_p * 5)(16, *addresses)
    ctypes.pythonapi.PyMem_SetAllocator.argtypes = [ctypes.c_int, ctypes.c_void_p]
    ctypes.pythonapi.PyMem_SetAllocator.restype = None
    handler = Handler(b"guard", 1, 1, *addresses)           # an array ends exactly where the page ends
    KEPT.append((table, handler))
    name = ctypes.c_char_p(b"mem_handler")
    KEPT.append(name)
    new_capsule = ctypes.pythonapi.PyCapsule_New
    new_capsule.restype, new_capsule.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
    get_pointer.restype, get_pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    numpy_api = ctypes.cast(get_pointer(np._core._multiarray_umath._ARRAY_API, None), ctypes.POINTER(ctypes.c_void_p))
    set_handler = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(numpy_api[SET_HANDLER])
    KEPT.append(set_handler(new_capsule(ctypes.addressof(handler), name, None)))
    ctypes.pythonapi.PyMem_SetAllocator(0, ctypes.addressof(table))        # 0: PYMEM_DOMAIN_RAW, Numba's too


KEPT, SET_HANDLER = [], 304    # the second: PyDataMem_SetHandler in NumPy's table of functions


class Handler(ctypes.Structure):                               # PyDataMem_Handler of NumPy
    _fields_ = [("name", ctypes.c_char * 127), ("version", ctypes.c_uint8)] + [
        (name, ctypes.c_void_p) for name in ("context", "malloc", "calloc", "realloc", "free")]


def allocator():
    """-> malloc, calloc, realloc, free, compiled, so that any thread may call them.

    Their first argument, the context, says of what the address is a multiple: objects of Python need 16.
    """
    from llvmlite import ir
    from numba import cfunc, njit, types
    from numba.extending import intrinsic
    i = types.intp
    mmap = types.ExternalFunction("mmap", i(i, i, types.int32, types.int32, types.int32, i))
    mprotect = types.ExternalFunction("mprotect", types.int32(i, i, types.int32))
    free_unguarded = types.ExternalFunction("free", types.void(i))
    realloc_unguarded = types.ExternalFunction("realloc", i(i, i))
    memcpy = types.ExternalFunction("memcpy", i(i, i, i))

    def pointer(builder, address):
        return builder.inttoptr(address, ir.IntType(64).as_pointer())

    @intrinsic
    def peek(context, address):
        def lower(context, builder, sig, args):
            value = builder.load(pointer(builder, args[0]))
            value.align = 1
            return value
        return i(i), lower

    @intrinsic
    def poke(context, address, value):
        def lower(context, builder, sig, args):
            builder.store(args[1], pointer(builder, args[0])).align = 1
            return context.get_dummy_value()
        return types.void(i, i), lower

    @njit
    def get(size):
        pages = (size + HEADER + PAGE - 1) // PAGE
        base = mmap(0, (pages + 1) * PAGE, 3, 0x22, -1, 0)       # read and write; private, of no file
        if base == -1:
            return 0
        end = base + pages * PAGE
        mprotect(end, PAGE, 0)
        poke(end - size - 24, MAGIC)
        poke(end - size - 16, base)
        poke(end - size - 8, size)
        return end - size

    @njit
    def release(address):
        if address != 0 and peek(address - 24) == MAGIC:
            base, size = peek(address - 16), peek(address - 8)
            # The memory goes back, the addresses stay ours.  Fresh pages become one mapping with their neighbours, of
            # which Linux allows a process some 65,000; used ones without access would each stay one.
            mmap(base, address + size - base + PAGE, 0, 0x4032, -1, 0)       # at this place, and never of real memory
        elif address != 0:
            free_unguarded(address)

    @cfunc(i(i, i))
    def malloc(multiple, size):
        return get((max(size, 1) + multiple - 1) // multiple * multiple)

    @cfunc(i(i, i, i))
    def calloc(multiple, count, size):
        return get((max(count * size, 1) + multiple - 1) // multiple * multiple)     # fresh pages are zero

    @cfunc(i(i, i, i))
    def realloc(multiple, address, size):
        if address != 0 and peek(address - 24) != MAGIC:
            return realloc_unguarded(address, max(size, 1))
        to = get((max(size, 1) + multiple - 1) // multiple * multiple)
        if address != 0 and to != 0:
            memcpy(to, address, min(size, peek(address - 8)))
            release(address)
        return to

    @cfunc(types.void(i, i))
    def free(_, address):
        release(address)
    return malloc, calloc, realloc, free
