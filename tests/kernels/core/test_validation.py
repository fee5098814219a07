"""No function of compiled code that Python calls takes arrays that do not fit: other shapes, dtypes, or cells'."""
import numpy as np
import pytest

from guard import needs_guard, run
from kernel_doors import CELLS, check_all
from kernel_layers import Case
from minis2s.core import tree
from minis2s.kernels.layers import unroll
from minis2s.layers.cells import CELLS as ALL


def test_every_array_of_every_door():
    """Each of thousands of calls with one wrong array ends in one line, and not in a page of the compiler's."""
    assert check_all() > 3000


@needs_guard
def test_every_array_of_every_door_under_a_guarded_allocator():
    """Had one of them reached a kernel, the process would have ended there."""
    said = run("import guard, kernel_doors\nkernel_doors.doors()\nguard.install()\n"
               "print('calls', kernel_doors.check_all(), flush=True)")
    assert int(said.split("calls")[1]) > 3000


@pytest.mark.parametrize("columns", [8, 100])
def test_parameters_of_other_columns(columns):
    """Wider or narrower than the state of 17 units says, all of one width."""
    for name in CELLS:
        c = Case(name, 4, 5, 7, 17, "float64")
        k = unroll.forward(c.cell, c.p, c.xs, c.s0, c.mask)[2]
        p = tree.map(lambda a: np.ones((*a.shape[:-1], columns)), c.p)
        with pytest.raises(ValueError,
                           match=r"p\.[WUb]: got shape \(.*8.*\), wanted|p\.[WUb]: got shape \(.*100.*\), wanted"):
            unroll.backward(c.cell, p, k, c.dhs, c.d, c.mask)
        with pytest.raises(ValueError, match=r"p\.[WUb]: got shape"):
            unroll.forward(c.cell, p, c.xs, c.s0, c.mask)


@pytest.mark.parametrize("name", CELLS)
def test_parameters_states_and_caches_of_another_cell(name):
    c = Case(name, 4, 5, 7, 17, "float64")
    k = unroll.forward(c.cell, c.p, c.xs, c.s0, c.mask)[2]
    for other in set(CELLS) - {name}:
        o = Case(other, 4, 5, 7, 17, "float64")
        strange = unroll.forward(o.cell, o.p, o.xs, o.s0, o.mask)[2]
        with pytest.raises(TypeError, match=r"p: got \w+\.Params, wanted \w+\.Params"):
            unroll.forward(c.cell, o.p, c.xs, c.s0, c.mask)
        with pytest.raises(TypeError, match=r"caches: got \w+\.Cache, wanted \w+\.Cache"):
            unroll.backward(c.cell, c.p, strange, c.dhs, c.d, c.mask)
        if o.cell.State is c.cell.State:
            continue
        with pytest.raises(TypeError, match=r"s0: got \w+\.State, wanted \w+\.State"):
            unroll.forward(c.cell, c.p, c.xs, o.s0, c.mask)
        with pytest.raises(TypeError, match=r"d: got \w+\.State, wanted \w+\.State"):
            unroll.backward(c.cell, c.p, k, c.dhs, o.d, c.mask)


def test_a_cell_without_a_compiled_implementation():
    c = Case("lstm", 4, 5, 7, 17, "float64")
    cell = type("Cell", (), {"Params": c.cell.Params, "State": c.cell.State})
    with pytest.raises(ValueError,
                       match="cell: got Cell, wanted one of rnn, .*: no other has a compiled implementation"):
        unroll.forward(cell, c.p, c.xs, c.s0, c.mask)


def test_gradients_of_another_precision():
    for name in ALL:
        c = Case(name, 4, 5, 7, 17, "float64")
        k = unroll.forward(c.cell, c.p, c.xs, c.s0, c.mask)[2]
        with pytest.raises(TypeError, match="dhs: got dtype float32, wanted float64"):
            unroll.backward(c.cell, c.p, k, c.dhs.astype("float32"), c.d, c.mask)


def test_a_cache_that_lies_otherwise_in_memory():
    """Numbers of the last axis that are no neighbours are copied: kernels do not look at that stride."""
    for name in ("lstm", "gru"):
        c = Case(name, 4, 5, 7, 17, "float64")
        k = unroll.forward(c.cell, c.p, c.xs, c.s0, c.mask)[2]
        want = unroll.backward(c.cell, c.p, k, c.dhs, c.d, c.mask)
        got = unroll.backward(c.cell, c.p, tree.map(np.asfortranarray, k), c.dhs, c.d, c.mask)
        for (field, a), (_, b) in zip(tree.named(got), tree.named(want), strict=True):
            np.testing.assert_array_equal(a, b, err_msg=field)
