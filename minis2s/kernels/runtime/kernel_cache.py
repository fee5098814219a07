"""The files in which machine code is kept for the next process.

    ~/.cache/minis2s/kernels-3f9c…/          one directory for each state of the sources
        unroll.run.lstm-81d0….nbc            one file for each kernel, argument types and processor

Numba's own cache looks only at the file of the function itself: after an edit of a helper in another file it serves
stale code. Here the directory's name holds a hash of all files that kernels are built from, those of the reference
implementation included (the order of a Cache's fields, the number of EOS), so an edit of any of them leads to another
directory.  A file is written under another name and then renamed, which is atomic; its name is a hash of its key, so
two processes that start at once write the same file twice, and nobody ever reads half of one.  The key of a kernel
that a reader defines elsewhere holds that kernel's code, file and constants; functions that it calls in other files,
or in cells of a notebook, are not part of the key.

The linker must know a kernel before a file is loaded that calls it: so each file lists the kernels that it calls.
"""
import hashlib
import inspect
import marshal
import os
import pickle
import sys
import tempfile
import warnings
from pathlib import Path

from ...core import backend
from .linking import JIT, KERNELS, SHARED, SYMBOL
from .partner import mark, partner_compiles, unmark

if JIT:
    import numba

    from .linking import symbol_of
    from .numba_private import _Cache, compiler

HOUSE = Path(__file__).parents[2]
READ = "core", "data", "decoding", "kernels", "layers", "model", "training"       # folders whose names kernels use
UNWRITABLE = "compiled kernels cannot be kept in"         # begins the warning


class Reported:                # messages that were printed already: each once in a process
    compiling = False
    unwritable = False


def report(name):
    """Say once that kernels are compiled, and tell the listeners which one now."""
    if not Reported.compiling:
        how_long = "" if backend.cores() > 1 else ", about twenty seconds on one core"
        print(f"compiling kernels, once{how_long} ...", file=sys.stderr, flush=True)
    Reported.compiling = True
    for listener in backend.COMPILATION_LISTENERS:
        listener(name)


def cache_root():
    """Where machine code is kept: NUMBA_CACHE_DIR, or a directory of the user's."""
    if os.environ.get("NUMBA_CACHE_DIR"):
        return Path(os.environ["NUMBA_CACHE_DIR"]) / "minis2s"
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "minis2s"
    except RuntimeError:                                       # a user without a home
        return Path(os.devnull) / "minis2s"                    # nothing can be kept there; one warning says so


def code_of(function):
    """The code, the file and the constants of a kernel that is defined outside of this package; `source_hash` does not
    cover it.  Empty for kernels of this package."""
    code, file = function.__code__, Path(function.__code__.co_filename)
    if HOUSE in file.parents:
        return b""
    around = [{name: x for name, x in names.items() if isinstance(x, (bool, int, float, str, tuple))}
              for names in inspect.getclosurevars(function)[:2]]
    return marshal.dumps(code) + repr(around).encode() + (file.read_bytes() if file.is_file() else b"")


def source_hash(root=HOUSE):
    """A hash of the sources that kernels are built from, and of the compiler's version."""
    h = hashlib.sha256(f"{sys.version} {numba.__version__}".encode())
    for path in sorted(path for name in READ for path in (root / name).rglob("*.py")):
        h.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return h.hexdigest()[:16]


def file_name(name, digest):
    """The name of a kernel's file in the cache; `digest` is that of its key."""
    return f"{name}-{digest[:16]}.nbc"


def is_kept(kernel):
    """Whether the cache has a kernel, for some types of arguments."""
    return any(kernel._cache.cache_path.glob(file_name(kernel._cache.name, "?" * 16)))


if JIT:
    def load(path, target):
        """The kernel that stands in a file, once the kernels that it calls are loaded; None without a whole file."""
        try:
            with open(path, "rb") as f:
                needed, parts = pickle.load(f)
            for name, args in needed:
                symbol_of(KERNELS[name], args)
            return compiler.CompileResult._rebuild(target, *parts)
        except Exception:                                      # a broken file may raise anything
            return None

    class Cache(_Cache):
        """The files of one kernel; Numba asks it before it compiles, and hands the result to it."""
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
            path = self.file(signature, target.codegen())
            result = self.found(path, target)
            if result is None:
                report(self.name)
                mark(path)
            return result

        @staticmethod
        def found(path, target):
            """What stands in a file, once a partner that compiles it has written it; None if there is nothing."""
            result = load(path, target)
            return load(path, target) if result is None and partner_compiles(path) else result

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
            unmark(path)

        def enable(self):
            """Always on."""

        def disable(self):
            """Always on."""

        def flush(self):
            """Nothing is kept in memory."""
