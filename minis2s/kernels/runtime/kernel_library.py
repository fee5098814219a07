"""Machine code of a kernel with half of LLVM's work that Numba asks for.

    Numba      functions optimized ──> linked ──> optimized cheaply ──> optimized ──> machine code, level 3
    here                               linked ─────────────────────────> optimized ──> machine code, level 1 or 0

Device functions come optimized (device_library.py), so each instruction is optimized once where it is written and once
where it is used.  Loops are not made into loops on vectors: where that pays the kernels are written so (linalg/simd/).

The level of machine code is 1, at which the processor's registers are shared out as well as at level 3.  A kernel
without loops, which makes arrays and calls other kernels, is at level 0, and of LLVM's optimizations only the three are
made without which there would be much more machine code to write: together that takes a third of the time.
"""
from functools import lru_cache

import llvmlite.binding as llvm

from .numba_private import JITCodeLibrary

LOOPS, CALLS = 1, 0            # levels of machine code: of a kernel with loops, and of one that only calls others


@lru_cache
def machine(codegen, level):
    """What makes machine code of this level, for the processor that Numba compiles for."""
    options = dict(opt=level, features=codegen._tm_features)
    codegen._customize_tm_options(options)
    return llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(**options)


class KernelLibrary(JITCodeLibrary):
    """The code of a kernel, and of whatever is compiled for it alone."""
    level = LOOPS

    def _optimize_functions(self, module):
        """Later: together with what is linked."""
        module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self):
        manager, builder = self._codegen._module_pass_manager(loop_vectorize=False)
        manager.run(self._final_module, builder)

    def _finalize_final_module(self):
        if self._object_caching_enabled and self._compiled_object:
            super()._finalize_final_module()                   # it comes from a file of the cache
            return
        code = machine(self._codegen, self.level).emit_object(self._final_module)
        self.enable_object_caching()
        self._set_compiled_object(code)
        super()._finalize_final_module()
        self._compiled_object = code                           # for that file


class CallsLibrary(KernelLibrary):
    """The code of a kernel that only makes arrays and calls other kernels."""
    level = CALLS

    def _optimize_final_module(self):
        """Variables into registers, and the simplest instructions and branches for the same numbers."""
        manager = llvm.create_new_module_pass_manager()
        manager.add_sroa_pass()
        manager.add_instruction_combine_pass()
        manager.add_simplify_cfg_pass()
        manager.run(self._final_module, self._codegen._pass_builder())
