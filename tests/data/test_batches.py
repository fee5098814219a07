"""Batches: nothing is lost by padding, every example comes exactly once, and lengths in a batch are alike."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from minis2s.data.batches import POOL, bucketed, make_batch, pad
from minis2s.data.vocabulary import BOS, EOS, PAD

ids = st.integers(0, 99)
ragged = st.lists(st.lists(ids, max_size=5), min_size=1, max_size=5)


def columns(ids, mask):
    """Read the sequences back out of the padded arrays."""
    return [ids[mask[:, n], n].tolist() for n in range(ids.shape[1])]


@given(ragged)
def test_pad_is_undone_by_the_mask(sequences):
    a, mask = pad(sequences)
    longest = max(map(len, sequences))
    assert a.shape == mask.shape == (longest, len(sequences))
    assert a.dtype == np.int64 and mask.dtype == bool
    assert columns(a, mask) == sequences
    assert (a[~mask] == PAD).all()
    assert (mask[:-1] >= mask[1:]).all()                    # padding stands at the end


@given(st.lists(st.tuples(st.lists(ids, min_size=1, max_size=5), st.lists(ids, max_size=5)),
                min_size=1, max_size=5), st.booleans())
def test_batch(pairs, reverse):
    sources, targets = map(list, zip(*pairs))
    b = make_batch(sources, targets, reverse_source=reverse)
    assert columns(b.source, b.source_mask) == [s[::-1] if reverse else s for s in sources]
    assert columns(b.inputs, b.target_mask) == [[BOS] + y for y in targets]
    assert columns(b.targets, b.target_mask) == [y + [EOS] for y in targets]
    shape = 1 + max(map(len, targets)), len(pairs)
    assert b.target_mask.shape == b.targets.shape == b.inputs.shape == shape
    assert (b.targets[~b.target_mask] == PAD).all() and (b.inputs[~b.target_mask] == PAD).all()


def test_arrays_serve_as_sequences_too():
    b = make_batch([np.array([4, 5]), np.array([6])], [np.array([7]), np.array([8, 9])], reverse_source=True)
    assert b.source.tolist() == [[5, 6], [4, 0]]
    assert b.inputs.tolist() == [[1, 1], [7, 8], [0, 9]]
    assert b.targets.tolist() == [[7, 8], [2, 9], [0, 2]]


def test_reversal_leaves_the_callers_lists_alone():
    sources = [[4, 5, 6]]
    make_batch(sources, [[4]], reverse_source=True)
    assert sources == [[4, 5, 6]]


@pytest.mark.parametrize("call, error, message", [
    (lambda: pad([]), ValueError, "sequences: none"),
    (lambda: pad([[1.5]]), TypeError, "float64"),
    (lambda: pad([["a"]]), TypeError, "wanted integers"),
    (lambda: pad([[4], [-1]]), ValueError, "entry is -1"),
    (lambda: make_batch([[4], []], [[4], [4]]), ValueError, "sources: number 1 is empty"),
    (lambda: make_batch([[4], [5]], [[4]]), ValueError, "targets: 1 for 2 sources"),
    (lambda: make_batch([], []), ValueError, "none"),
    (lambda: bucketed([], 3, np.random.default_rng(0)), ValueError, "lengths: shape"),
    (lambda: bucketed([1, 2], 3, np.random.default_rng(0)), ValueError, "lengths: shape"),
    (lambda: bucketed([(1, 2)], 0, np.random.default_rng(0)), ValueError, "batch_size: 0"),
])
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()


def lengths(n, seed=0):
    return np.random.default_rng(seed).integers(1, 40, size=(n, 2))


@pytest.mark.parametrize("n, batch_size", [(1, 1), (1, 8), (7, 3), (100, 10), (2003, 4)])
def test_each_index_exactly_once(n, batch_size):
    batches = bucketed(lengths(n), batch_size, np.random.default_rng(1))
    assert sorted(np.concatenate(batches).tolist()) == list(range(n))
    assert len(batches) == -(-n // batch_size)
    assert sorted(map(len, batches))[1:] == [batch_size] * (len(batches) - 1)


def test_same_state_same_batches_and_another_state_other_batches():
    draw = lambda seed: [b.tolist() for b in bucketed(lengths(3000), 16, np.random.default_rng(seed))]
    assert draw(5) == draw(5)
    assert draw(5) != draw(6)


def test_epochs_of_one_generator_differ():
    rng = np.random.default_rng(0)
    first, second = ({frozenset(b.tolist()) for b in bucketed(lengths(3000), 16, rng)} for _ in range(2))
    assert len(first & second) < 0.1 * len(first)


def padding(ls, batches):
    """Cells of the padded arrays that hold nothing: (source, target)."""
    return sum(len(b) * ls[b].max(axis=0) - ls[b].sum(axis=0) for b in batches)


def test_less_padding_than_unsorted():
    ls = lengths(5000)
    plain = np.array_split(np.random.default_rng(0).permutation(len(ls)), len(ls) / 16)
    source, target = padding(ls, bucketed(ls, 16, np.random.default_rng(0)))
    source_plain, target_plain = padding(ls, plain)
    assert target < 0.1 * target_plain and source < source_plain


def test_source_length_breaks_ties_of_target_length():
    ls = np.stack([np.random.default_rng(0).permutation(POOL * 4) + 1, np.full(POOL * 4, 3)], axis=1)
    for b in bucketed(ls, 4, np.random.default_rng(0)):
        assert np.ptp(ls[b, 0]) == 3


def test_batches_do_not_come_in_order_of_length():
    ls = lengths(1600)
    means = [ls[b, 1].mean() for b in bucketed(ls, 16, np.random.default_rng(0))]
    # Two pools, each sorted, would rise almost everywhere.
    assert 0.35 < np.mean(np.diff(means) > 0) < 0.65


def test_a_batch_of_long_examples_is_halved():
    """64 pairs of 500 tokens have 16 million attention weights: too many at once."""
    ls = np.array([(500, 500)] * 64 + [(20, 30)] * 64)
    found = bucketed(ls, 64, np.random.default_rng(0))
    assert sorted(np.concatenate(found)) == list(range(128))
    for batch in found:
        source, target = ls[batch].max(axis=0)
        assert len(batch) * source * target <= 2_000_000
    assert sorted(map(len, found)) == [8] * 8 + [64]                    # short ones stay together
    assert [list(b) for b in bucketed(np.array([(9_000, 9_000)]), 4, np.random.default_rng(0))] == [[0]]
