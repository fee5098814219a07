"""Tokens unread, noise, pairs that a model makes."""
import numpy as np

from minis2s.data import augment
from minis2s.data.batches import make_batch
from minis2s.data.vocabulary import UNK


def test_tokens_are_dropped_at_their_rate_and_never_all():
    rng = np.random.default_rng(0)
    sources = [rng.integers(4, 9, size=n).tolist() for n in rng.integers(1, 12, size=400)]
    batch = make_batch(sources, sources)
    found = augment.drop_tokens(batch, 0.3, np.random.default_rng(1))
    unknown = (found.source == UNK) & batch.source_mask
    assert abs(unknown.sum() / batch.source_mask.sum() - 0.3) < 0.05
    assert ((found.source == batch.source) | unknown).all() and (found.source[~batch.source_mask] == 0).all()
    assert (unknown.sum(axis=0) < batch.source_mask.sum(axis=0)).all()
    assert found.targets is batch.targets
    again = augment.drop_tokens(batch, 0.3, np.random.default_rng(1))
    assert np.array_equal(found.source, again.source)
    assert np.array_equal(augment.drop_tokens(batch, 0.0, rng).source, batch.source)


def test_noise_keeps_tokens_near_their_places():
    rng, tokens = np.random.default_rng(0), list(range(20))
    moved = 0
    for _ in range(50):
        found = augment.noisy(tokens, rng, leave_out=0.0)
        assert sorted(found) == tokens and max(abs(i - token) for i, token in enumerate(found)) <= 2
        moved += found != tokens
    assert moved > 40
    assert augment.noisy(tokens, rng, leave_out=0.0, reach=1) == tokens
    lengths = [len(augment.noisy(tokens, rng, 0.5)) for _ in range(200)]
    assert 8 < np.mean(lengths) < 12 and augment.noisy([7], rng, 0.99) == [7]


def test_pairs_to_which_the_model_wrote_nothing_are_left_out():
    found = augment.back_translated(["a", "b"], lambda texts: [text.upper() if text == "a" else " " for text in texts])
    assert found == [("A", "a")]
