"""Kernels that other kernels call by a symbol, which the linker finds: each is compiled once for all its callers.

    kernel A, compiled ──> its address has the name "minis2s:A-…" ──> kernels B and C call that name

Machine code of several processes meets in the linker, which takes the first function of a name for all functions of
that name: so a symbol holds a hash of the types of the arguments, and jit.py gives each compilation numbers of its
own.
"""
import hashlib

try:
    import llvmlite.binding as llvm
    import numba
    from numba.extending import intrinsic

    from .numba_private import cgutils, global_compiler_lock
    from .typing_only import type_of_result
    JIT = not numba.config.DISABLE_JIT                 # whether kernels are compiled
except ImportError:
    JIT = False

KERNELS = {}                   # all of them by name
SHARED = {}                    # kernels that others call by their symbol: symbol -> name, argument types
ALIVE = set()                  # their machine code: it stays, even if the kernel of that name is replaced
SYMBOL = "minis2s:"            # begins every symbol


class TypesOnly:
    """Whether the kernels that others call are typed and not compiled, and those that were: see `calls_of`."""
    calls = None


def call_linked(kernel, args):
    """kernel(*args), for an internal kernel that the linker finds: its machine code is made once for all callers."""
    return kernel(*args)


if JIT:
    def symbol_of(kernel, args):
        """Compile a kernel for arguments of these types, or load it, and give the linker its address.

        -> its symbol, and Numba's description of it.
        """
        args, name = tuple(args), kernel._cache.name
        kernel.compile(args)
        made, of_args = kernel.overloads[args], hashlib.sha256(repr(args).encode()).hexdigest()[:16]
        symbol = f"{SYMBOL}{name}-{of_args}"
        llvm.add_symbol(symbol, made.library.get_pointer_to_function(made.fndesc.llvm_func_name))
        SHARED[symbol] = name, args
        ALIVE.add(made.library)
        return symbol, made.fndesc

    def call_by_symbol(context, builder, symbol, kernel, values):
        """Call a kernel that the linker knows: -> its status, what it returned."""
        form = context.call_conv.get_function_type(kernel.restype, kernel.argtypes)
        function = cgutils.get_or_insert_function(builder.module, form, symbol)
        return context.call_conv.call_function(builder, function, kernel.restype, kernel.argtypes, values)

    @intrinsic
    def call_linked(context, kernel, args):                         # noqa: F811
        """The same."""
        def lower(context, builder, sig, values):
            symbol, made = symbol_of(kernel.dispatcher, args.types)
            status, value = call_by_symbol(context, builder, symbol, made,
                                           cgutils.unpack_tuple(builder, values[1]))
            with cgutils.if_unlikely(builder, status.is_error):
                context.call_conv.return_status_propagate(builder, status)
            return value
        return result_of(kernel.dispatcher, args.types)(kernel, args), lower

    def result_of(kernel, args):
        """The type of what a kernel returns for arguments of these types."""
        if TypesOnly.calls is None or args in kernel.overloads:
            return symbol_of(kernel, args)[1].restype
        TypesOnly.calls.append((kernel, args))
        return type_of_result(kernel, args)

    def calls_of(kernel, args):
        """The kernels that a kernel calls by `call_linked`, each with its arguments' types, in the order of the calls.

        They need not be compiled for that, nor the kernel itself, but only the small functions in them.
        """
        with global_compiler_lock:
            TypesOnly.calls = calls = []
            try:
                type_of_result(kernel, tuple(args))
            finally:
                TypesOnly.calls = None
        return calls

    def argument(context, builder, value, have, want):
        """A number unchanged; for an array, its address.

        This is the only place where the address of an array is taken.  The array is an entry of the call's argument, a
        tuple, which Numba keeps until the call has returned: so memory cannot be freed while it is read or written.
        A function that needs scratch memory makes it as an array and hands it to another dtype kernel.
        """
        if isinstance(have, numba.types.Array):
            return context.make_array(have)(context, builder, value).data
        return context.cast(builder, value, have, want)
