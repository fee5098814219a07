"""The files in which device functions are kept: LLVM's code, for whoever compiles a kernel that contains it.

    score "dot" ──> attend_with(score) ──> attend        a function that another one makes has no name of its own:
    score "general" ─> attend_with(score) ─> attend      what it closes over tells them from each other

Without these files two processes that compile for one training (precompile.py) would each compile what both need, and
the kernels of another Config would begin anew.
"""
from pathlib import Path
from pickle import PicklingError
from types import FunctionType

from .kernel_cache import HOUSE, Cache
from .partner import mark, unmark


class Unnamed(Exception):
    """Another process could not tell this function from others."""


def contents(x):
    """What tells a function of this package, or a value that it closes over, from others: a string."""
    x = getattr(x, "py_func", x)
    if x is None or isinstance(x, (bool, int, float, str)):
        return repr(x)
    if isinstance(x, tuple):
        return f"({', '.join(map(contents, x))})"
    if isinstance(x, type):
        return f"{x.__module__}.{x.__qualname__}"
    if not isinstance(x, FunctionType) or HOUSE not in Path(x.__code__.co_filename).parents:
        raise Unnamed
    try:
        inside = [cell.cell_contents for cell in x.__closure__ or ()]
    except ValueError as e:                                    # a name without a value yet
        raise Unnamed from e
    return f"{x.__module__}.{x.__qualname__}:{x.__code__.co_firstlineno}{contents(tuple(inside))}"


class DeviceCache(Cache):
    """The files of one device function; the progress bar names kernels only."""

    def __init__(self, function):
        super().__init__(f"device.{function.__name__}")
        self.function = function

    def load_overload(self, signature, target):
        try:
            self.code = contents(self.function)
        except Unnamed:
            return None
        target.refresh()
        path = self.file(signature, target.codegen())
        result = self.found(path, target)
        if result is None:
            mark(path)
        return result

    def save_overload(self, signature, result):
        if self.code:
            try:
                super().save_overload(signature, result)
            except (PicklingError, TypeError, AttributeError):     # not to be written down: then it is not kept
                unmark(self.file(signature, result.codegen))
