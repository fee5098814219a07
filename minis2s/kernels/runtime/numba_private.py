"""Every part of Numba that is used here and is not in its documentation, in one place: look here first when a new
version of Numba breaks something.  setup.cfg allows the versions that this was tested with (0.68).

Imported from here by the other files:

    cgutils, make_array, populate_array, _empty_nd_impl, as_dtype    arrays and loops in LLVM's language
    impl_ret_borrowed, lower_builtin                                  how a function's result is counted, and lowered
    AbstractTemplate, infer_global, signature                         types of operators on vectors
    TypingError                                                       what Numba raises for types that do not fit
    compiler, _Cache, FunctionIdentity, global_compiler_lock,
    cpu_target                                                        how machine code is made and kept
    CompilerBase, DefaultPassBuilder, AnalysisPass, PassManager,
    register_pass, NopythonTypeInference                              typing without compilation (typing_only.py)
    Loc, TargetConfig                                                 copied and compared often (quicker.py)
    JITCodeLibrary                                                    the code of one function (kernel_library.py,
                                                                      device_library.py)

Used by attribute or name, in jit.py, kernel_cache.py and linking.py unless another file is named:

    dispatcher._cache, dispatcher.compile, dispatcher.overloads       replaced or read, to keep machine code in files
    CompileResult._reduce, _rebuild, library._final_module            what a file of the cache holds
    FunctionIdentity._unique_ids, numba.config.OPT                    names and level of optimization of one compilation
    dispatcher._compiler, its pipeline_class and _compile_core        a function's typing alone (typing_only.py)
    codegen._library_class, and the methods that a DeviceLibrary      what becomes of a function that is only linked
    replaces, all called by Numba's CPUContext.get_executable         (device_library.py)
    the methods that a KernelLibrary replaces, all called by its      what LLVM does for a kernel, and at which level
    `finalize`; _compiled_object; codegen._module_pass_manager,       (kernel_library.py)
    _function_pass_manager, _pass_builder, _customize_tm_options, _tm_features
    Loc.__deepcopy__; TargetConfig.values, __eq__, _values, options    quicker, the same results (quicker.py)
    the options _nrt and no_cfunc_wrapper of njit                     code without counts of references
    NRT_Allocate, NRT_Free (arena.py)                                 Numba's allocator, called by symbol
    call_conv.call_function, return_user_exc, return_status_propagate how compiled functions call each other
"""
from numba.core import cgutils, compiler  # noqa: F401
from numba.core.bytecode import FunctionIdentity  # noqa: F401
from numba.core.caching import _Cache  # noqa: F401
from numba.core.codegen import JITCodeLibrary  # noqa: F401
from numba.core.compiler import CompilerBase, DefaultPassBuilder  # noqa: F401
from numba.core.compiler_lock import global_compiler_lock  # noqa: F401
from numba.core.compiler_machinery import AnalysisPass, PassManager, register_pass  # noqa: F401
from numba.core.errors import TypingError  # noqa: F401
from numba.core.imputils import impl_ret_borrowed, lower_builtin  # noqa: F401
from numba.core.ir import Loc  # noqa: F401
from numba.core.registry import cpu_target  # noqa: F401
from numba.core.targetconfig import TargetConfig  # noqa: F401
from numba.core.typed_passes import NopythonTypeInference  # noqa: F401
from numba.core.typing.templates import AbstractTemplate, infer_global, signature  # noqa: F401
from numba.np.arrayobj import _empty_nd_impl, make_array, populate_array  # noqa: F401
from numba.np.numpy_support import as_dtype  # noqa: F401
