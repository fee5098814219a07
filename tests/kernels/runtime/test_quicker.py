"""quicker.py: what it puts in place of Numba's own gives the same answers."""
import copy

import pytest

from minis2s.kernels.runtime.jit import JIT

pytestmark = pytest.mark.skipif(not JIT, reason="nothing is compiled")


def flags(**options):
    from numba.core.compiler import Flags
    made = Flags()
    for name, value in options.items():
        setattr(made, name, value)
    return made


def test_values_are_all_options_set_or_not():
    one, names = flags(nrt=True), flags().options
    assert one.values() == {name: getattr(one, name) for name in names} and len(names) > 20
    assert one.values()["nrt"] is True and flags().values()["nrt"] is False


def test_flags_are_equal_if_all_options_are():
    """One that is set to what it is without being set is no difference."""
    assert flags(nrt=True) == flags(nrt=True) and hash(flags(nrt=True)) == hash(flags(nrt=True))
    assert flags(nrt=True) != flags() and flags(nrt=False) == flags() and flags() != "flags"
    one = flags(nrt=True)
    assert one == one and not one != one


def test_where_a_statement_stands_is_shared_by_its_copies():
    from numba.core import ir
    here = ir.Loc("page.py", 3)
    made = copy.deepcopy([ir.Const(1, here), ir.Del("x", here)])
    assert all(part.loc is here for part in made)


def test_a_function_that_is_inlined_twice_is_copied():
    """Each copy has variables of its own."""
    import numba

    @numba.njit(inline="always")
    def twice(x):
        y = x + x
        return y

    @numba.njit
    def both(x):
        return twice(x) * twice(x + 1)
    assert both(3) == 48
