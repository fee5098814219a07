"""Tokens unread, noise, pairs that a model makes."""
import numpy as np

from draw import batch
from minis2s.data import augment
from minis2s.data.batches import make_batch
from minis2s.data.vocabulary import UNK
from minis2s.model import seq2seq
from minis2s.model.config import Config
from minis2s.training import step
from minis2s.training.loop import Training


def test_tokens_are_dropped_at_their_rate_and_never_all():
    rng = np.random.default_rng(0)
    sources = [rng.integers(4, 9, size=n).tolist() for n in rng.integers(1, 12, size=400)]
    given = make_batch(sources, sources)
    found = augment.drop_tokens(given, 0.3, np.random.default_rng(1))
    unknown = (found.source == UNK) & given.source_mask
    assert abs(unknown.sum() / given.source_mask.sum() - 0.3) < 0.05
    assert ((found.source == given.source) | unknown).all() and (found.source[~given.source_mask] == 0).all()
    assert (unknown.sum(axis=0) < given.source_mask.sum(axis=0)).all()
    assert found.targets is given.targets
    again = augment.drop_tokens(given, 0.3, np.random.default_rng(1))
    assert np.array_equal(found.source, again.source)
    assert np.array_equal(augment.drop_tokens(given, 0.0, rng).source, given.source)


def test_words_that_a_readout_copies_are_never_dropped():
    """They are read as <unk> whatever happens; a target names them by ids that must stand in the source."""
    config = Config(source_vocab=9, target_vocab=9, readout="copy", dtype="float64", hidden=3, embedding=2)
    rng, training = np.random.default_rng(0), Training(epochs=1, token_dropout=0.6)
    given = batch(rng, config, (5, 2, 4) * 20, (4, 3, 5) * 20)
    found = step.drop_tokens(config, training, step.begin(config, training), given)
    copied = given.source >= 9
    assert copied.sum() > 50 and np.array_equal(found.source[copied], given.source[copied])
    dropped = (found.source == UNK) & (given.source != UNK)
    assert abs(dropped.sum() / (given.source_mask & ~copied).sum() - 0.6) < 0.15
    loss, _ = seq2seq.loss_and_gradient(seq2seq.init(config), config, found)
    assert np.isfinite(loss)


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
