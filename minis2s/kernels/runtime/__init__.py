"""What compiled code runs upon.  Start with jit.py.

    jit.py              when a kernel is compiled, and where its machine code is kept
    arena.py            memory for the arrays of one call
    threads.py          work shared among threads, with the same bits for any number of them
    layer_tuples.py     the same function for each layer of a stack
    precompile.py       another process, which compiles what a training needs later
    numba_private.py    each part of Numba that is not in its documentation

A file here may import core/; precompile.py, which starts a training, imports the rest.
"""
