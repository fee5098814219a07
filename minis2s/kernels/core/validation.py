"""Arrays that a kernel indexes, checked before it is called: compiled code looks at neither shapes nor dtypes.

    arrays ──> shapes and dtypes as wanted? ──yes──> kernel
                          │no
                 ValueError or TypeError in one line: which array, what came, what was wanted

That takes some microseconds, and is done before every call: nothing that does not fit ever reaches a kernel.
"""
import numpy as np

FLOATS = np.dtype("float32"), np.dtype("float64")


def arrays(dtype, names, shapes, given):
    """Require arrays of these shapes, all of one dtype.

    Parameters
    ----------
    dtype : dtype
    names : sequence of str
        Of the arrays, for the message.
    shapes : list of tuple
    given : sequence of ndarray

    Raises
    ------
    TypeError
        For what is no array, or has another dtype.
    ValueError
        For an array of another shape.
    """
    try:
        if [a.shape for a in given] == shapes and [a.dtype for a in given].count(dtype) == len(shapes):
            return
    except AttributeError:
        pass
    for name, shape, a in zip(names, shapes, given):
        array(name, a, dtype, shape)


def array(name, a, dtype, shape):
    """Require one array of this dtype and shape."""
    if not isinstance(a, np.ndarray):
        raise TypeError(f"{name}: got {type(a).__name__}, wanted an array")
    if a.shape != shape:
        raise ValueError(f"{name}: got shape {a.shape}, wanted {shape}")
    if a.dtype != dtype:
        raise TypeError(f"{name}: got dtype {a.dtype}, wanted {np.dtype(dtype)}")


def floats(name, a, ndim):
    """Require an array with so many axes, none of them empty, of float32 or float64: -> its dtype."""
    if not isinstance(a, np.ndarray):
        raise TypeError(f"{name}: got {type(a).__name__}, wanted an array")
    if a.ndim != ndim or 0 in a.shape:
        raise ValueError(f"{name}: got shape {a.shape}, wanted {ndim} axes, none of them empty")
    if a.dtype not in FLOATS:
        raise TypeError(f"{name}: got dtype {a.dtype}, wanted float32 or float64")
    return a.dtype


def kind(name, x, wanted):
    """Require a NamedTuple of this type: another cell's Params have other arrays under the same names."""
    if not isinstance(x, wanted):
        raise TypeError(f"{name}: got {type_name(type(x))}, wanted {type_name(wanted)}")


def type_name(t):
    """"lstm.Params" for the Params of lstm.py."""
    return t.__name__ if t.__module__ == "builtins" else f"{t.__module__.rpartition('.')[2]}.{t.__name__}"


def bools(name, a, shape):
    """Require a mask of this shape."""
    array(name, a, np.dtype(bool), shape)
