"""The runtime of compiled code.  Start with jit.py.

    jit.py              when a kernel is compiled: the decorators
    kernel_cache.py     where its machine code is kept; device_cache.py: and the code of the functions in it
    linking.py          how kernels call each other by symbols
    arena.py            memory for the arrays of one call
    threads.py          work shared among threads, with the same bits for any number of them
    processor.py        the size of its caches
    layer_tuples.py     one function for each layer of a stack
    precompile.py       another process, which compiles what a training needs later; partner.py: how the two share
    kernel_library.py device_library.py typing_only.py    parts of Numba's compiler: less of LLVM's work, LLVM's code
                        alone, types alone
    quicker.py          two parts of Numba that a cold compile needs often
    numba_private.py    each part of Numba that its documentation does not describe

A file here may import core/; precompile.py, which starts a training, imports the rest.
"""
