"""The table of properties that every cell and every score must have, for your own as for the library's.

    >>> from minis2s.layers.cells import lstm
    >>> from minis2s.testing import check_cell
    >>> check_cell(lstm)

checks a module; an AssertionError names the property that does not hold, and the worst entry.  Each property is a
function of this file: read them to see what is relied on.
"""
import numpy as np

from ..core import tree
from ..core.gradient_check import assert_gradients
from .compare import assert_same_bits, assert_same_form, assert_trees_close, frozen, random_like, row, weighted_sum

N, D, H, T = 3, 4, 2, 5        # examples, input size, state size, steps of the checks: small, and all different


def check_cell(cell, seed=0):
    """Check a recurrent cell: a module, or any object with Params, State, init, step and step_backward.

    Parameters
    ----------
    cell : module or layers.cells.Cell
    seed : int
        Of the random parameters, inputs and states.

    Raises
    ------
    AssertionError
        Naming the property that does not hold.
    """
    run(cell, seed, ("Params", "State", "init", "step", "step_backward"), CELL_PROPERTIES, CellCase)


def check_score(score, seed=0):
    """Check an attention score: a module, or any object with Params, init, keys, keys_backward, score, score_backward.

    Parameters and errors as for `check_cell`.
    """
    names = "Params", "init", "keys", "keys_backward", "score", "score_backward"
    run(score, seed, names, SCORE_PROPERTIES, ScoreCase)


def run(module, seed, names, properties, make):
    """Check that the names are there, then each property, on a case of its own."""
    name = getattr(module, "__name__", type(module).__name__)
    missing = [n for n in names if not hasattr(module, n)]
    assert not missing, f"{name} has no {', '.join(missing)}"
    for holds in properties:
        case = make(module, np.random.default_rng(seed))
        try:
            holds(case)
        except AssertionError as error:
            raise AssertionError(f"{name}: {holds.__doc__.split(chr(10))[0].rstrip('.')}: {error}") from error
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            raise AssertionError(f"{name}: an argument or a cache was changed in place: {error}") from error


# Cells -----------------------------------------------------------------------------------------------------

class CellCase:
    """Random parameters, one input, one state, and the random weights that make a number of the new state."""

    def __init__(self, cell, rng):
        self.cell, self.rng = cell, rng
        self.p = frozen(random_like(rng, cell.init(rng, D, H)))
        self.x = frozen(rng.normal(size=(N, D)))
        self.s = frozen(cell.State(*(rng.normal(size=(N, H)) for _ in cell.State._fields)))
        self.d = frozen(cell.State(*(rng.normal(size=(N, H)) for _ in cell.State._fields)))

    def both(self):
        """The new state, and what backward makes of `d`."""
        s, k = self.cell.step(self.p, self.x, self.s)
        return s, self.cell.step_backward(self.p, k, self.d)


def cell_types(c):
    """init gives Params and step a State, of float64 and of the shapes (N, H)."""
    p, (s, _) = c.cell.init(c.rng, D, H), c.cell.step(c.p, c.x, c.s)
    assert isinstance(p, c.cell.Params) and isinstance(s, c.cell.State), f"{type(p).__name__}, {type(s).__name__}"
    assert {a.dtype for a in tree.leaves(p)} <= {np.dtype(float)}, "init must give float64"
    assert len(p.W) == D and len(p.U) == H and "h" in c.cell.State._fields, "W (D, ...), U (H, ...), and a state h"
    assert all(a.shape == (N, H) for a in s), [a.shape for a in s]


def cell_is_pure(c):
    """step is a function of its arguments alone: the same numbers twice."""
    assert_same_bits("step", c.cell.step(c.p, c.x, c.s)[0], c.cell.step(c.p, c.x, c.s)[0])


def cell_gradients(c):
    """step_backward gives the derivative of step: complex step, to 1e-10."""
    _, (dx, ds, dp) = c.both()
    step = c.cell.step
    assert_gradients(lambda v: weighted_sum(c.d, step(*v)[0]), (c.p, c.x, c.s), (dp, dx, ds), 1e-10)


def cell_gradient_forms(c):
    """A gradient has the type and the form of what it differentiates."""
    _, (dx, ds, dp) = c.both()
    for what, got, want in (("dx", dx, c.x), ("ds", ds, c.s), ("dp", dp, c.p)):
        assert_same_form(what, got, want)


def cell_backward_twice(c):
    """step_backward leaves the cache as it is: called twice, it gives the same numbers twice."""
    _, k = c.cell.step(c.p, c.x, c.s)
    before = tree.map(np.array, tuple(k))
    first = c.cell.step_backward(c.p, k, c.d)
    assert_same_bits("the cache", tree.map(np.array, tuple(k)), before)
    assert_same_bits("step_backward", c.cell.step_backward(c.p, k, c.d), first)


def cell_examples_are_apart(c):
    """An example alone gives what it gives in a batch; parameters' gradients are sums over the examples."""
    s, (dx, ds, dp) = c.both()
    total = None
    for n in range(N):
        s_n, k = c.cell.step(c.p, row(c.x, n), row(c.s, n))
        dx_n, ds_n, dp_n = c.cell.step_backward(c.p, k, row(c.d, n))
        assert_trees_close((s_n, dx_n, ds_n), row((s, dx, ds), n))
        total = tree.add(total, dp_n)
    assert_trees_close(dp, total)


def cell_keeps_float32(c):
    """float32 stays float32, forward and backward."""
    p, x, s, d = tree.map(lambda a: a.astype(np.float32), (c.p, c.x, c.s, c.d))
    new, k = c.cell.step(p, x, s)
    wide = [name for name, a in tree.named((new, c.cell.step_backward(p, k, d))) if a.dtype != np.float32]
    assert not wide, f"float64 in {', '.join(wide)}"


def cell_over_time(c):
    """In the time loop padding carries the state and has no gradient; a sequence alone is as in a ragged batch."""
    from ..layers import unroll
    xs, dhs = c.rng.normal(size=(T, N, D)), c.rng.normal(size=(T, N, H))
    lengths = np.array([T, 1, T - 2])
    mask = np.arange(T)[:, None] < lengths
    hs, last, k = unroll.forward(c.cell, c.p, xs, c.s, mask)
    dxs, ds, dp = unroll.backward(c.cell, c.p, k, dhs, c.d, mask)
    assert not dxs[~mask].any(), "padding has a gradient"
    total = None
    for n, L in enumerate(lengths):
        own = slice(n, n + 1)
        h, s = [], row(c.s, n)
        for t in range(L):
            s, _ = c.cell.step(c.p, xs[t, own], s)
            h.append(s.h)
        assert_trees_close((hs[:L, own], row(last, n)), (np.array(h), s))
        dhs_n = dhs[:L, own].copy()
        dhs_n[-1] += dhs[L:, own].sum(axis=0)          # h of the last real step is what padding repeats
        real = np.ones((L, 1), bool)
        _, _, k_n = unroll.forward(c.cell, c.p, xs[:L, own], row(c.s, n), real)
        dxs_n, ds_n, dp_n = unroll.backward(c.cell, c.p, k_n, dhs_n, row(c.d, n), real)
        assert_trees_close((dxs[:L, own], row(ds, n)), (dxs_n, ds_n))
        total = tree.add(total, dp_n)
    assert_trees_close(dp, total)


CELL_PROPERTIES = (cell_types, cell_is_pure, cell_gradient_forms, cell_gradients, cell_backward_twice,
                   cell_examples_are_apart, cell_keeps_float32, cell_over_time)


# Scores ----------------------------------------------------------------------------------------------------

class ScoreCase:
    """Random parameters, a query and encoder states of one size, and a mask with padding at the end."""

    def __init__(self, score, rng):
        self.score, self.rng = score, rng
        self.p = frozen(random_like(rng, score.init(rng, H, H, D)))
        self.s, self.hs = frozen(rng.normal(size=(N, H))), frozen(rng.normal(size=(T, N, H)))
        self.de, self.dctx = frozen(rng.normal(size=(T, N))), frozen(rng.normal(size=(N, H)))
        self.mask = frozen(np.arange(T)[:, None] < np.array([T, 1, T - 2]))

    def memory(self, p, hs):
        from ..layers.attention import precompute_keys
        return precompute_keys(self.score, p, hs, self.mask)

    def attend(self, p, s, hs):
        """ctx of the whole attention."""
        from ..layers.attention import attend
        return attend(self.score, p, s, self.memory(p, hs))

    def gradients(self, p, s, hs, dctx):
        """-> Params gradients, ds, dhs of attention, keys included."""
        from ..layers.attention import attend_backward, precompute_keys_backward
        memory = self.memory(p, hs)
        _, k = self.attend(p, s, hs)
        ds, dmemory, g = attend_backward(self.score, p, memory, k, dctx)
        dhs, g_keys = precompute_keys_backward(self.score, p, memory, dmemory)
        return tree.add(g, g_keys), ds, dhs


def score_types(c):
    """init gives Params of float64, score a number for each source position."""
    p = c.score.init(c.rng, H, H, D)
    assert isinstance(p, c.score.Params), type(p).__name__
    assert {a.dtype for a in tree.leaves(p)} <= {np.dtype(float)}, "init must give float64"
    e, _ = c.score.score(c.p, c.s, c.memory(c.p, c.hs))
    assert e.shape == (T, N), f"e has shape {e.shape}, wanted {(T, N)}"


def score_gradients(c):
    """The backward functions give the derivative of attention: complex step, to 1e-10."""
    got = c.gradients(c.p, c.s, c.hs, c.dctx)
    assert_gradients(lambda v: (c.dctx * c.attend(*v)[0]).sum(), (c.p, c.s, c.hs), got, 1e-10)


def score_gradient_forms(c):
    """A gradient has the type and the form of what it differentiates."""
    for what, got, want in zip(("dp", "ds", "dhs"), c.gradients(c.p, c.s, c.hs, c.dctx), (c.p, c.s, c.hs)):
        assert_same_form(what, got, want)


def score_backward_twice(c):
    """score_backward leaves the cache as it is: called twice, it gives the same numbers twice."""
    memory = c.memory(c.p, c.hs)
    _, k = c.score.score(c.p, c.s, memory)
    before = tree.map(np.array, tuple(k))
    first = c.score.score_backward(c.p, memory, k, c.de)
    assert_same_bits("the cache", tree.map(np.array, tuple(k)), before)
    assert_same_bits("score_backward", c.score.score_backward(c.p, memory, k, c.de), first)


def score_leaves_padding_out(c):
    """Padding has no weight, changes nothing and has no gradient."""
    ctx, k = c.attend(c.p, c.s, c.hs)
    assert not k.alpha[~c.mask].any(), "padding has a weight"
    other = np.where(c.mask[:, :, None], c.hs, 9.0)
    assert_trees_close(c.attend(c.p, c.s, other)[0], ctx)
    assert not c.gradients(c.p, c.s, c.hs, c.dctx)[2][~c.mask].any(), "padding has a gradient"


def score_examples_are_apart(c):
    """An example alone gives what it gives in a batch."""
    e, _ = c.score.score(c.p, c.s, c.memory(c.p, c.hs))
    for n in range(N):
        one = ScoreCase.__new__(ScoreCase)
        one.score, one.mask = c.score, c.mask[:, n:n + 1]
        e_n, _ = c.score.score(c.p, c.s[n:n + 1], one.memory(c.p, c.hs[:, n:n + 1]))
        assert_trees_close(e_n, e[:, n:n + 1])


def score_keeps_float32(c):
    """float32 stays float32, forward and backward."""
    p, s, hs, dctx = tree.map(lambda a: a.astype(np.float32), (c.p, c.s, c.hs, c.dctx))
    arrays = tree.named((c.attend(p, s, hs)[0], c.gradients(p, s, hs, dctx)))
    wide = [name for name, a in arrays if a.dtype != np.float32]
    assert not wide, f"float64 in {', '.join(wide)}"


SCORE_PROPERTIES = (score_types, score_gradient_forms, score_gradients, score_backward_twice, score_leaves_padding_out,
                    score_examples_are_apart, score_keeps_float32)
