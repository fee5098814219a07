"""A Transformer in the training loop: it learns, its bits depend on seed and data alone, and what breaks is named."""
from dataclasses import replace

import numpy as np
import pytest

from draw import same
from minis2s.core import tree
from minis2s.model import architectures
from minis2s.model.config import Config
from minis2s.training import checkpoint, loop
from minis2s.training.loop import Diverged, Training

SMALL = Config(source_vocab=8, target_vocab=8, architecture="transformer", hidden=8, heads=2, feed_forward=6)
RNG = np.random.default_rng(0)
PAIRS = [(x, x) for x in (RNG.integers(4, 8, size=RNG.integers(1, 5)).tolist() for _ in range(12))]
RESTLESS = Training(epochs=2, batch=5, lr=0.01, teacher_forcing=0.8, warmup=3, schedule="inverse-sqrt")


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_a_few_pairs_are_learned_by_heart(norm):
    config = replace(SMALL, norm=norm)
    end = loop.run(config, Training(epochs=60, batch=4, lr=0.01, warmup=20), PAIRS, PAIRS)
    v = loop.validate(end.params, config, PAIRS)
    assert v.exact_match == 1 and v.token_accuracy == 1


def test_stopped_after_any_step_and_continued_it_ends_with_the_same_bits(tmp_path):
    config, saved = replace(SMALL, dropout=0.3, layers=2), []
    end = loop.run(config, RESTLESS, PAIRS, PAIRS, on_step=lambda p, _: saved.append(p))
    assert len(saved) == 6
    for k in (0, 2, 3):
        checkpoint.save_progress(tmp_path / f"{k}", saved[k], config)
        again = loop.run(config, RESTLESS, PAIRS, PAIRS, checkpoint.load_progress(tmp_path / f"{k}", config))
        same((again.params, again.optimizer.m, again.best), (end.params, end.optimizer.m, end.best))


def test_dropout_masks_come_from_the_generator_that_is_given():
    config = replace(SMALL, dropout=0.5)
    batch, rng = loop.batch_of(config, PAIRS, range(4)), np.random.default_rng(1)
    draw = architectures.of(config).draw_masks
    first, second = draw(rng, config, batch), draw(rng, config, batch)
    again = draw(np.random.default_rng(1), config, batch)
    same(first, again)
    assert any((a != b).any() for a, b in zip(tree.leaves(first), tree.leaves(second)))


def test_dropout_masks_differ_from_step_to_step():
    config, seen = replace(SMALL, dropout=0.5), []
    training = Training(epochs=2, batch=12, lr=1e-9)
    end = loop.run(config, training, PAIRS, PAIRS, on_step=lambda p, _: seen.append(p.loss_sum))
    plain = loop.run(replace(config, dropout=0.0), training, PAIRS, PAIRS, on_step=lambda p, _: seen.append(p.loss_sum))
    assert abs(seen[0] - seen[1]) > 0.01 and abs(seen[2] - seen[3]) < 1e-4 and end.step == plain.step == 2


@pytest.mark.parametrize("part, value", [
    ("params.encoder.embedding", np.nan), ("params.encoder.layers.0.attention.f.k", np.inf),
    ("params.decoder.layers.0.cross.norm.g", np.nan), ("params.decoder.readout.b", np.inf)])
def test_a_planted_number_is_named(part, value):
    begun = loop.begin(SMALL, RESTLESS)
    name = part.removeprefix("params.")
    arrays = {n: a.copy() for n, a in tree.named(begun.params)}
    arrays[name].flat[0] = value
    batch = loop.batch_of(SMALL, PAIRS, range(4))
    with pytest.raises(Diverged, match=rf"^step 1 \(epoch 1\): {part}\[0"):
        loop.one_step(SMALL, RESTLESS, begun._replace(params=tree.replace(begun.params, arrays)), batch, 0.1)


def test_the_first_tensor_that_overflows_is_named():
    begun = loop.begin(SMALL, RESTLESS)
    p = begun.params
    huge = p.encoder.layers[0].feed_forward
    huge = huge._replace(f=tree.map(lambda a: np.full_like(a, 3e38), huge.f))
    layers = (p.encoder.layers[0]._replace(feed_forward=huge),)
    begun = begun._replace(params=p._replace(encoder=p.encoder._replace(layers=layers)))
    with pytest.raises(Diverged, match=r"^step 1 \(epoch 1\): encoder.layers.0.feed_forward.f.a\["):
        loop.one_step(SMALL, replace(RESTLESS, teacher_forcing=1.0), begun, loop.batch_of(SMALL, PAIRS, range(4)), 0.1)
