"""Validation of models that write frames: each example alone, whatever the batches."""
from dataclasses import replace

import numpy as np
import pytest

from configs import FRAMES_OUT
from draw import like, normal
from minis2s.layers import frame_output
from minis2s.model import seq2seq
from minis2s.training import loop as train
from minis2s.training.evaluation import FrameValidation, in_words, measure
from minis2s.training.options import Training

TEXTS = {name: c for name, c in FRAMES_OUT.items() if c.source == "tokens"}


def examples(rng, c, count=7):
    return [(rng.integers(4, c.source_vocab, n % 4 + 1).tolist(), normal(rng, n % 5 + 1, c.target_frame_size))
            for n in range(count)]


def by_hand(p, c, some):
    """FrameValidation example by example, without batches or padding."""
    sums, stopped, frames = np.zeros(4), [], 0
    for x, y in some:
        b, row = train.batch_of(c, [(x, y)], [0]), []
        for teacher in (None, np.zeros(b.inputs.shape[:2], bool)):
            out = seq2seq.logits(p, c, b, teacher)
            L, k = frame_output.forward(out, b.targets, b.target_mask, c.frame_error)
            row += [L, frame_output.parts(k)[0]]
        said = np.flatnonzero(out[:, 0, -1] > 0)
        stopped.append(len(said) > 0 and said[0] == len(out) - 1)
        sums += np.array([row[0], row[2], row[1], row[3]]) * len(y)
        frames += len(y)
    return FrameValidation(*sums / frames, np.mean(stopped))


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("error", frame_output.ERRORS)
def test_each_example_alone_whatever_the_batches(name, error):
    c = replace(TEXTS[name], frame_error=error, dropout=0.0)
    shares = set()
    for seed in range(6):
        rng = np.random.default_rng(seed)
        p, some = like(rng, seq2seq.init(c)), examples(rng, c)
        p.decoder.readout.b[-1] -= 0.5
        wanted = by_hand(p, c, some)
        for batch in (1, 3, 7):
            seen: list = []
            got = train.validate(p, c, some, batch, on_batch=seen.append)
            assert np.allclose(got, wanted, rtol=1e-12) and sum(seen) == 7 and max(seen) == batch
        shares.add(got.stop_accuracy)
    assert len(shares) > 1                                      # some stop in time, others do not


def test_records_of_training():
    c, rng = FRAMES_OUT["spoken"], np.random.default_rng(0)
    rows = []
    train.run(replace(c, dropout=0.0), Training(epochs=3, batch=3, lr=0.01), examples(rng, c), examples(rng, c, 3),
              on_record=rows.append)
    assert [row["epoch"] for row in rows] == [1, 2, 3] and rows[-1]["train_loss"] < rows[0]["train_loss"]
    assert set(rows[0]) >= {f"valid_{name}" for name in FrameValidation._fields} and "valid_exact_match" not in rows[0]
    row = {"valid_loss_teacher_forced": 1.25, "valid_loss_free_running": 2, "valid_frame_error_teacher_forced": 0.5,
           "valid_frame_error_free_running": 0.75, "valid_stop_accuracy": 0.125}
    assert in_words(row) == ("teacher-forced 1.2500, free-running 2.0000, frame errors 0.5000 and 0.7500, "
                             "stops right 12.50%")
    assert measure(row) == ("stops right", 0.125) and measure({"valid_exact_match": 1}) == ("exact match", 1)
