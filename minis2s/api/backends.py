"""The one choice of a backend, and the one place that imports the compiled implementation, when it is first needed."""
import os
import warnings
from functools import lru_cache
from typing import Any

from ..core.backend import Backend
from ..layers import attention, cells
from ..model.config import Config
from ..training.reference import NUMPY

ANSWERING = ("numpy", "numba")              # backends that search for answers; PyTorch trains
BACKENDS = (*ANSWERING, "torch")
FEW = 32                # texts, from which on compiled kernels pay if the cache has them: loading takes half a second
MANY = 2_000            # texts, from which on they pay even if they must be compiled, which takes some ten seconds


def backend_name(name: str | None = None, otherwise: str = "numpy") -> str:
    """The name of the backend to use: what the caller says, else what MINIS2S_BACKEND says, else `otherwise`.

    "torch" may have a device and a precision behind it: "torch:cuda", "torch:cuda+amp"; alone it computes on the CPU.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    where, said = ("backend", name) if name is not None else ("MINIS2S_BACKEND",
                                                              os.environ.get("MINIS2S_BACKEND") or otherwise)
    if said not in BACKENDS and not (isinstance(said, str) and said.startswith("torch:")):
        raise ValueError(f"{where}={said!r}: choose one of {', '.join(BACKENDS)}")
    return said


def backend_for(config: Config, name: str | None = None, otherwise: str = "numpy") -> str:
    """The name of the backend that computes a model of this Config: some have no compiled implementation.

    Warns if "numba" was said, by the caller or by MINIS2S_BACKEND, and NumPy takes its place.
    """
    said = backend_name(name, otherwise)
    if said.startswith("torch") and config.readout == "copy":
        raise ValueError(f"backend={said!r}: readout=copy has no PyTorch module; choose numpy")
    if said.startswith("torch") and own_part(config):
        raise ValueError(f"backend={said!r}: {own_part(config)} of your own has no PyTorch module; choose numpy")
    if said.startswith("torch") and config.target == "frames":
        raise ValueError(f"backend={said!r}: models with target=frames have no PyTorch module; choose numpy")
    if said != "numba" or is_compiled(config):
        return said
    if name is not None or os.environ.get("MINIS2S_BACKEND"):
        what = f"{own_part(config)} of your own has" if own_part(config) else "models with residual=True have"
        warnings.warn(f"backend='numba': {what} no compiled implementation yet; NumPy computes it", stacklevel=3)
    return "numpy"


def is_compiled(config: Config) -> bool:
    """Whether the kernels compute models of this Config."""
    return not config.residual and not own_part(config)


def own_part(config: Config) -> str | None:
    """The cell or score that a person added to the library's: "the cell mgu"; None for a Config without one."""
    for what, name, table, built_in in (("cell", config.cell, cells.CELLS, cells.BUILT_IN),
                                        ("score", config.attention, attention.SCORES, attention.BUILT_IN)):
        if config.architecture == "recurrent" and name in table and table[name] is not built_in.get(name):
            return f"the {what} {name}"
    return None


def choose(name: str | None = None, otherwise: str = "numpy") -> Backend:
    """The core.backend.Backend of that name, see `backend_name`.

    Raises
    ------
    ValueError
        Also for "torch" where PyTorch is not installed, or has no such device.
    """
    said = backend_name(name, otherwise)
    if said == "numpy":
        return NUMPY
    if said == "numba":
        from ..kernels.backend import NUMBA
        return NUMBA
    return torch_backend(said)


@lru_cache
def torch_backend(name: str) -> Backend:
    """The Backend of pytorch/ on the device that the name says: one for each name."""
    try:
        from ..pytorch.backend import backend
    except ImportError:
        raise ValueError('backend="torch": wanted PyTorch, which is not installed: pip install "minis2s[torch]"'
                         ) from None
    return backend(name)


def is_named(name: str | None = None) -> bool:
    """Whether somebody says which backend to use: the caller, or MINIS2S_BACKEND."""
    return name is not None or bool(os.environ.get("MINIS2S_BACKEND"))


def choose_for_texts(model: Any, count: int, precision: str | None = None) -> Backend:
    """The Backend to answer, or measure, so many texts with.

    Where somebody named a backend it is that one; else the compiled implementation if there are enough texts, or if the
    readout is to be read at another precision, see decoding/rough.py.

    Raises
    ------
    ValueError
        For a precision where NumPy computes.
    """
    name = "numpy" if model.backend.startswith("torch") else model.backend         # PyTorch trains, and does not search
    named = model.backend_is_named and name == model.backend
    compiled, wanted = is_compiled(model.config), precision is not None
    if wanted and (named and name == "numpy" or not compiled):
        why = "backend='numpy' was named" if compiled else "this model has none"
        raise ValueError(f"precision={precision!r}: only compiled kernels search so, and {why}")
    if named or name == "numba" or not compiled or count < FEW and not wanted:
        return choose(name)
    from ..kernels.decoding.beam import search_of
    from ..kernels.runtime.jit import JIT
    from ..kernels.runtime.kernel_cache import is_kept
    if not wanted and (not JIT or count < MANY and not is_kept(search_of(model.config))):
        return NUMPY
    numba = choose("numba")
    numba.use_threads(None)
    return numba
