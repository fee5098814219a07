"""The one choice of a backend, and the one place that imports the compiled implementation, when it is first needed."""
import os
import warnings

from ..training.reference import NUMPY

BACKENDS = ("numpy", "numba")


def backend_name(name=None, otherwise="numpy"):
    """The name of the backend to use: what the caller says, else what MINIS2S_BACKEND says, else `otherwise`.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    where, said = ("backend", name) if name is not None else ("MINIS2S_BACKEND",
                                                              os.environ.get("MINIS2S_BACKEND") or otherwise)
    if said not in BACKENDS:
        raise ValueError(f"{where}={said!r}: choose one of {', '.join(BACKENDS)}")
    return said


def backend_for(config, name=None, otherwise="numpy"):
    """The name of the backend that computes a model of this Config: a Transformer has no compiled implementation yet.

    Warns if "numba" was said, by the caller or by MINIS2S_BACKEND, and NumPy takes its place.
    """
    said = backend_name(name, otherwise)
    if config.architecture != "transformer" or said == "numpy":
        return said
    if name is not None or os.environ.get("MINIS2S_BACKEND"):
        warnings.warn("backend='numba': the Transformer has no compiled implementation yet; NumPy computes it",
                      stacklevel=3)
    return "numpy"


def choose(name=None, otherwise="numpy"):
    """The core.backend.Backend of that name, see `backend_name`."""
    if backend_name(name, otherwise) == "numpy":
        return NUMPY
    from ..kernels.backend import NUMBA
    return NUMBA
