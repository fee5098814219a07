"""Two small parts of Numba, quicker; what they return is the same.

    Loc         where a statement stands.  Numba copies the statements of each function that it inlines, and would copy
                this, which nobody changes, for each of them.
    the flags   of a compilation are compared for every function that is called, option by option, fifty thousand
                times; most are one and the same object.

For all of Numba's users in this process, once jit.py is imported.
"""
from .numba_private import Loc, TargetConfig

compared = TargetConfig.__eq__


def the_same(self, memo):
    """What cannot change needs no copy."""
    return self


def equal(self, other):
    """Whether two sets of flags are equal; one is equal to itself."""
    return self is other or compared(self, other)


def values(self):
    """Each option and its value."""
    return {name: self._values.get(name, option.default) for name, option in self.options.items()}


Loc.__deepcopy__ = the_same
TargetConfig.__eq__, TargetConfig.values = equal, values
