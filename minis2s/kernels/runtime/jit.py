"""Compile a kernel when it is first called, and keep the machine code for the next process.

        call ──> compiled in this process? ──yes──────────────────────────────> run
                            │no
                 file of this key in the cache? ──yes── load (milliseconds) ──> run
                            │no
                 compile (seconds), write the file ──────────────────────────-> run

    ~/.cache/minis2s/kernels-3f9c…/          one directory for each state of the sources
        unroll.run.lstm-81d0….nbc            one file for each kernel, argument types and processor

Numba's own cache looks at the file of the function alone: edit a helper in another file and it serves stale
code. Here the directory's name holds a hash of all files that kernels are made of, the reference implementation's too (the order of
a Cache's fields, the number of EOS), so an edit of any of them means another directory.  A file is written under
another name and then renamed, which is atomic; its name is a hash of its key, so two processes that start at
once write the same file twice, and nobody ever reads half of one.  The key of a kernel that a reader adds elsewhere
holds that kernel's code, file and constants; what it calls in other files, or cells of a notebook, is not looked at.

Machine code of several processes meets in the linker, which takes the first function of a name for all of that
name. Numba numbers the functions that have the same name otherwise (closures, say, as compositions are made of),
1, 2, 3 in each process: the third here would be run for the third there. So each compilation counts from a number
of its own (`quick`).

Who calls a kernel decides how it is decorated:

    decorator          called by
    jit                Python, and other kernels, each of which contains a copy of its machine code
    arena_kernel       Python; all its arrays are in an arena (arena.py)
    internal_kernel    other kernels by its symbol (`call_linked`), and threads (threads.py); compiled once for all
    dtype_kernel       the same for one dtype, with addresses in place of arrays: the matrix product
    device_function    other kernels; small, compiled once for all of them
    inlined            other kernels; its code is repeated in each caller

The linker must know a kernel before a file is loaded that calls it: so the file says which ones.

With NUMBA_DISABLE_JIT=1, or without Numba, `jit` hands the function back: kernels are plain Python then,
slow, and a debugger stops inside.
"""
import gc
import hashlib
import inspect
import marshal
import os
import pickle
import secrets
import sys
import tempfile
import warnings
from functools import wraps
from itertools import count
from pathlib import Path

try:
    import llvmlite.binding as llvm
    import numba
    from numba import types
    from numba.extending import intrinsic
    from .numba_private import cgutils, _Cache, compiler, cpu_target, FunctionIdentity, global_compiler_lock
    JIT = not numba.config.DISABLE_JIT
except ImportError:
    JIT, types = False, None

HOUSE = Path(__file__).parents[2]
LEVEL = 1                      # of LLVM's optimization
READ = "core", "data", "decoding", "kernels", "layers", "model", "training"       # folders whose names kernels use
# contract: a*b + c may be rounded once; _nrt: arrays are counted, whoever the kernel is compiled for; no_cfunc_wrapper:
# nobody calls a kernel from C
OPTIONS = dict(nogil=True, error_model="numpy", fastmath={"contract"}, _nrt=True, no_cfunc_wrapper=True)


def jit(name, accepts=None, **options):
    """Decorate a kernel.

    Parameters
    ----------
    name : str
        Tells compositions of one function from each other: it is part of the cache's key.
    accepts : tuple, optional
        What each argument must be, asked once for each new combination of types: a class of NamedTuples, "f" for an
        array of numbers, "b" for one of truth values.  All numbers of a call are of one type, float32 or float64.
    options
        Of numba.njit.
    """
    def compiled(function):
        if not JIT:
            return function
        plain = getattr(function, "py_func", function)                  # of an inlined one, too
        dispatcher = numba.njit(**(OPTIONS | options))(plain)
        dispatcher._cache, dispatcher.compile = Cache(name, code_of(plain)), quick(dispatcher.compile, accepts)
        KERNELS[name] = dispatcher
        return dispatcher
    return compiled


def quick(compile, accepts=None):
    """The same, in three quarters of the time, the machine code as fast, and its names nobody else's.

    LLVM optimizes at its level 1: what higher ones add, as making vectors of loops, these kernels do by themselves.
    Nobody looks for cycles of references: there are millions of objects in a compiler, which are not garbage yet.
    """
    @wraps(compile)
    def quick_compile(*args):
        if accepts:
            check_types(args[0], accepts)
        with global_compiler_lock:
            cpu_target.target_context                          # made for all of Numba's users, at their level
            level, collects = numba.config.OPT, gc.isenabled()
            gc.disable()
            numba.config.OPT = min(level, type(level)(LEVEL))
            FunctionIdentity._unique_ids = count(secrets.randbits(60))
            try:
                return compile(*args)
            finally:
                numba.config.OPT = level
                if collects:
                    gc.enable()
    return quick_compile


def check_types(given, accepts):
    """Ask whether a kernel is for arguments of these types; TypeError if not.  See `jit`."""
    numbers = set()
    for i, (kind, wanted) in enumerate(zip(given, accepts, strict=True)):
        if isinstance(wanted, str):
            arrays = [kind]
        elif isinstance(kind, types.BaseNamedTuple) and kind.instance_class is wanted:
            arrays = kind.types
        else:
            raise TypeError(f"argument {i} is {kind}, wanted {wanted.__name__}")
        for a in arrays:
            if not isinstance(a, types.Array) or (a.dtype == types.boolean) != (wanted == "b"):
                raise TypeError(f"argument {i} is {a}, wanted arrays of {'bool' if wanted == 'b' else 'numbers'}")
            numbers |= {a.dtype} - {types.boolean}
    if numbers not in ({types.float32}, {types.float64}):
        raise TypeError(f"got numbers of {sorted(map(str, numbers))}, wanted float32 or float64 for all")


def internal_kernel(name):
    """Decorate a kernel that only other kernels call: by sharing it out among threads (threads.py), or `linked`.

    It makes no arrays but in an arena (arena.py), and its caller keeps those that it works on.  So references are not
    counted in it (_nrt): in a big kernel counting is most of the code.
    """
    return jit(name, no_cpython_wrapper=True, _nrt=False)


def arena_kernel(name):
    """Decorate a kernel that makes its arrays in an arena (arena.py), so that references need not be counted either."""
    return jit(name, _nrt=False)


def call_linked(kernel, args):
    """kernel(*args), for an `inner` kernel that the linker finds: its machine code is made once for all callers."""
    return kernel(*args)


def device_function(function):
    """Decorate a function of kernels that makes no arrays but in an arena: it is compiled once for all its callers."""
    return numba.njit(no_cpython_wrapper=True, **(OPTIONS | {"_nrt": False}))(function) if JIT else function


def inlined(function):
    """Decorate a helper that is repeated in each of its callers, which takes long to compile where these are big.

    Those that make counted arrays, or are given functions or Vectors, must be.
    """
    return numba.njit(inline="always", **OPTIONS)(function) if JIT else function


def cache_root():
    """Where machine code is kept: NUMBA_CACHE_DIR, or a directory of the user's."""
    if os.environ.get("NUMBA_CACHE_DIR"):
        return Path(os.environ["NUMBA_CACHE_DIR"]) / "minis2s"
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "minis2s"
    except RuntimeError:                                       # a user without a home
        return Path(os.devnull) / "minis2s"                    # where nothing can be kept, which is said once


def code_of(function):
    """What a kernel that is not of this package is made of, as a reader's own: `source_hash` does not see it.  Its code,
    its file, and the numbers around it."""
    code, file = function.__code__, Path(function.__code__.co_filename)
    if HOUSE in file.parents:
        return b""
    around = [{name: x for name, x in names.items() if isinstance(x, (bool, int, float, str, tuple))}
              for names in inspect.getclosurevars(function)[:2]]
    return marshal.dumps(code) + repr(around).encode() + (file.read_bytes() if file.is_file() else b"")


def source_hash(root=HOUSE):
    """A hash of the sources that kernels are made of, and of the compiler's version."""
    h = hashlib.sha256(f"{sys.version} {numba.__version__}".encode())
    for path in sorted(path for name in READ for path in (root / name).rglob("*.py")):
        h.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return h.hexdigest()[:16]


def file_name(name, digest):
    """Of a kernel's file in the cache; `digest` is of its key."""
    return f"{name}-{digest[:16]}.nbc"


def is_kept(kernel):
    """Whether the cache has a kernel, for some types of arguments."""
    return any(kernel._cache.cache_path.glob(file_name(kernel._cache.name, "?" * 16)))


UNWRITABLE = "compiled kernels cannot be kept in"         # begins the warning


class Reported:                # what was said already: each once in a process
    compiling = False
    unwritable = False


if JIT:
    class Cache(_Cache):
        """The files of one kernel; Numba asks it before compiling and hands it what was compiled."""
        folder = None

        def __init__(self, name, code=b""):
            self.name, self.code = name, code

        @property
        def cache_path(self):
            if Cache.folder is None:
                Cache.folder = cache_root() / f"kernels-{source_hash()}"
            return Cache.folder

        def file(self, signature, codegen):
            key = repr((self.name, self.code, signature, codegen.magic_tuple()))
            return self.cache_path / file_name(self.name, hashlib.sha256(key.encode()).hexdigest())

        def load_overload(self, signature, target):
            target.refresh()
            try:
                with open(self.file(signature, target.codegen()), "rb") as f:
                    needed, parts = pickle.load(f)
                for name, args in needed:
                    symbol_of(KERNELS[name], args)
                return compiler.CompileResult._rebuild(target, *parts)
            except Exception:                                  # a broken file may raise anything
                if not Reported.compiling:
                    print("compiling kernels, once ...", file=sys.stderr, flush=True)
                Reported.compiling = True

        def save_overload(self, signature, result):
            path = self.file(signature, result.codegen)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryDirectory(dir=path.parent) as folder:     # gone afterwards, whatever happens
                    module, file = result.library._final_module, Path(folder) / path.name
                    named = sorted(f.name for f in module.functions if f.name.startswith(SYMBOL))
                    file.write_bytes(pickle.dumps(([SHARED[symbol] for symbol in named], result._reduce())))
                    os.replace(file, path)
            except OSError as e:
                if not Reported.unwritable:
                    warnings.warn(f"{UNWRITABLE} {path.parent} ({e.strerror}): every process will compile them again; "
                                  "NUMBA_CACHE_DIR names another place", stacklevel=2)
                Reported.unwritable = True

        def enable(self):
            """Always on."""

        def disable(self):
            """Always on."""

        def flush(self):
            """Nothing is kept in memory."""

    KERNELS = {}               # all of them by name
    SHARED = {}                # kernels that others call by their symbol: symbol -> name, argument types
    ALIVE = set()              # their machine code: it stays, whatever becomes of the kernel of that name
    SYMBOL = "minis2s:"        # begins every symbol

    def symbol_of(kernel, args):
        """Compile a kernel for arguments of these types, or load it, and make it known to the linker: -> its
        symbol, and Numba's description of it."""
        args, name = tuple(args), kernel._cache.name
        kernel.compile(args)
        made, of_args = kernel.overloads[args], hashlib.sha256(repr(args).encode()).hexdigest()[:16]
        symbol = f"{SYMBOL}{name}-{of_args}"
        llvm.add_symbol(symbol, made.library.get_pointer_to_function(made.fndesc.llvm_func_name))
        SHARED[symbol] = name, args
        ALIVE.add(made.library)
        return symbol, made.fndesc

    def call_by_symbol(context, builder, symbol, kernel, values):
        """Call a kernel that the linker knows: -> how it ended, what it returned."""
        form = context.call_conv.get_function_type(kernel.restype, kernel.argtypes)
        function = cgutils.get_or_insert_function(builder.module, form, symbol)
        return context.call_conv.call_function(builder, function, kernel.restype, kernel.argtypes, values)

    @intrinsic
    def call_linked(context, kernel, args):                         # noqa: F811
        """The same."""
        symbol, made = symbol_of(kernel.dispatcher, args.types)

        def lower(context, builder, sig, values):
            status, value = call_by_symbol(context, builder, symbol, made,
                                           cgutils.unpack_tuple(builder, values[1]))
            with cgutils.if_unlikely(builder, status.is_error):
                context.call_conv.return_status_propagate(builder, status)
            return value
        return made.restype(kernel, args), lower

    def dtype_kernel(name, dtype, signature):
        """Decorate a kernel for one dtype that others call by its symbol, with addresses for arrays; it returns nothing.
        """
        def compiled(function):
            kernel = jit(f"{name}-{dtype}", no_cpython_wrapper=True)(function)

            @intrinsic
            def call(context, args):
                symbol, made = symbol_of(kernel, signature.args)

                def lower(context, builder, sig, values):
                    values = [argument(context, builder, builder.extract_value(values[0], k), have, want)
                              for k, (have, want) in enumerate(zip(sig.args[0].types, signature.args))]
                    status, _ = call_by_symbol(context, builder, symbol, made, values)
                    with cgutils.if_unlikely(builder, status.is_error):
                        context.call_conv.return_status_propagate(builder, status)
                    return context.get_dummy_value()
                return numba.types.void(args), lower
            return call
        return compiled

    def argument(context, builder, value, have, want):
        """A number as it is; of an array its address.

        This is the only place where the address of an array is taken.  The array is an entry of the call's argument, a
        tuple, which Numba keeps until the call has returned: so memory cannot be freed while it is read or written.
        A function that needs scratch memory makes it as an array and hands it to another `apart` kernel.
        """
        if isinstance(have, numba.types.Array):
            return context.make_array(have)(context, builder, value).data
        return context.cast(builder, value, have, want)
