"""Random parameters, inputs and ragged batches for the tests, arrays that nobody can change, and close()."""
import numpy as np
from numpy.testing import assert_allclose

from minis2s.core import tree
from minis2s.data.batches import make_batch


def normal(rng, *shape, scale=0.8):
    """Normal numbers: big enough to bend a tanh, small enough not to saturate it."""
    return scale * rng.normal(size=shape)


def like(rng, t, scale=0.8):
    """A tree of the same form as `t` with random entries everywhere, biases included."""
    return tree.map(lambda a: normal(rng, *a.shape, scale=scale), t)


def state(rng, cell, N, H):
    """A random State of a cell."""
    return cell.State(*(normal(rng, N, H) for _ in cell.State._fields))


def mask(lengths, T=None):
    """(T, N), True in the first lengths[n] steps of example n."""
    return np.arange(T or max(lengths))[:, None] < np.array(lengths)


def batch(rng, config, source_lengths=(5, 2, 4), target_lengths=(1, 3, 2)):
    """Ragged batch of few different tokens, so that every sequence of some length repeats one."""
    def sequences(V, lengths):
        return [rng.integers(4, V, size=length).tolist() for length in lengths]
    if config.readout == "copy":
        pairs = [words(rng, config.source_vocab, *lengths) for lengths in zip(source_lengths, target_lengths)]
        return make_batch(*zip(*pairs), config.reverse_source)
    if config.source == "frames":
        sources = [normal(rng, length, config.step_size) for length in source_lengths]
    else:
        sources = sequences(config.source_vocab, source_lengths)
    if config.target == "frames":
        r = config.frames_per_step                      # the last step of most is not full
        targets = [normal(rng, max(1, r * length - n % r), config.target_frame_size)
                   for n, length in enumerate(target_lengths)]
    else:
        targets = sequences(config.target_vocab, target_lengths)
    return make_batch(sources, targets, config.reverse_source, config.dtype, config.frames_per_step or 1)


def words(rng, V, T, S):
    """A source of T words, half of them in no vocabulary, of which some repeat, and a target of S words of it or of the
    vocabulary."""
    unknown, source = {}, rng.integers(4, 2 * V - 4, size=T).tolist()
    source = [x if x < V else unknown.setdefault(x, V + len(unknown)) for x in source]
    return source, rng.choice([*range(4, V), *source, *unknown.values()], size=S).tolist()


def read_only(x):
    """A copy of nested tuples and lists whose arrays raise when they are written to."""
    if isinstance(x, np.ndarray):
        x = x.copy()
        x.setflags(write=False)
        return x
    if isinstance(x, (tuple, list)):
        parts = [read_only(part) for part in x]
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
    return x


def readout(d, t):
    """sum of d * t over all arrays of two trees: the loss whose gradient at `t` is `d`."""
    return sum((a * b).sum() for (_, a), (_, b) in zip(tree.named(d), tree.named(t), strict=True))


def close(got, want, tol=1e-12):
    """Assert that two trees have the same arrays, to `tol` of each array's largest entry (but at least 1)."""
    got, want = dict(tree.named(got)), dict(tree.named(want))
    assert got.keys() == want.keys()
    for name in want:
        size = np.abs(np.asarray(want[name])).max(initial=1.0)
        assert_allclose(got[name], want[name], rtol=0, atol=tol * size, err_msg=name)


def same(got, want):
    """Assert that two trees are equal bit by bit, types and dtypes included."""
    assert type(got) is type(want)
    got, want = dict(tree.named(got)), dict(tree.named(want))
    assert got.keys() == want.keys()
    for name in want:
        assert got[name].dtype == want[name].dtype
        np.testing.assert_array_equal(got[name], want[name], err_msg=name)


def form(t):
    """Types and shapes of a tree: a gradient has the form of what it differentiates."""
    if isinstance(t, tuple):
        return type(t), [form(part) for part in t]
    return None if t is None else t.shape
