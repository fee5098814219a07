"""What everything else is built on; imports nothing of the package.  Start with functions.py and tree.py.

    functions.py        maps without parameters, each with its derivative
    tree.py             nested tuples of arrays: parameters, gradients, states
    initializers.py     first values of weights          gradient_check.py   numerical derivatives
    validation.py       checks of arguments              files.py            files are written whole or not at all
    backend.py          what an implementation consists of: the type of NUMPY and NUMBA
"""
