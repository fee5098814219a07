"""Device functions as LLVM's code only: machine code is made of them where they have become part of a kernel.

    kernel ──> typed ──> LLVM's code ──┬──> linked ──> optimized ──> machine code
    device function ──> LLVM's code ───┘
                            ├──> optimized          ╲  what Numba does besides for each function, and nobody needs:
                            └──> machine code       ╱  an eighth of the time of a cold compile
"""
from contextlib import contextmanager
from functools import wraps

from .device_cache import DeviceCache
from .numba_private import JITCodeLibrary, cpu_target, global_compiler_lock


class DeviceLibrary(JITCodeLibrary):
    """The code of a device function, and of whatever else is compiled for it alone."""

    def _optimize_functions(self, module):
        """Those that are here; Numba goes through the names of all others, too."""
        module.data_layout = self._codegen._data_layout
        manager, builder = self._codegen._function_pass_manager()
        for function in module.functions:
            if not function.is_declaration:
                manager.run(function, builder)

    def _optimize_final_module(self):
        """Left to the kernels that contain it."""

    def _finalize_final_module(self):
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name):
        """0: there is no machine code."""
        self._ensure_finalized()
        return 0

    def serialize_using_object_code(self):
        """For a file of the cache (device_cache.py), which holds LLVM's code."""
        return self.serialize_using_bitcode()

    @property
    def codegen(self):
        """This library, which is asked for `set_env` only."""
        return self

    def set_env(self, name, env):
        """An environment is for machine code that calls Python."""


@contextmanager
def libraries(kind):
    """Within this, what Numba compiles becomes a library of this class; for who holds the compiler's lock."""
    codegen = cpu_target.target_context.codegen()
    before, codegen._library_class = codegen._library_class, kind
    try:
        yield
    finally:
        codegen._library_class = before


def device_code(dispatcher):
    """A device function whose compilation ends with LLVM's code."""
    compile = dispatcher.compile

    @wraps(compile)
    def compile_to_llvm(*args):
        with global_compiler_lock, libraries(DeviceLibrary):
            return compile(*args)
    dispatcher._cache, dispatcher.compile = DeviceCache(dispatcher.py_func), compile_to_llvm
    return dispatcher
