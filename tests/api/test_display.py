"""The bar and the lines of training: what they say, and that they never stop what they show."""
import io
import sys
from types import SimpleNamespace

import pytest

from minis2s.api.display import Bar, Display
from minis2s.training.options import Training

ROW = dict(epoch=2.5, train_loss=1.25, valid_loss_teacher_forced=1.5, valid_loss_free_running=1.75,
           valid_token_accuracy=0.125, valid_exact_match=0.0625, end_of_epoch=False)


class Recorded(list):
    """In place of tqdm: what it was given, and what it was told."""

    def __call__(self, **options):
        self.options = options
        return SimpleNamespace(update=lambda count: self.append(count),
                               set_postfix_str=lambda text, refresh: self.append(text),
                               write=lambda text, file: self.append(text), close=lambda: self.append("closed"))


@pytest.fixture
def bar(monkeypatch):
    recorded = Recorded()
    monkeypatch.setattr("tqdm.tqdm", recorded)
    return recorded


@pytest.mark.parametrize("state, begun", [(None, 0), (SimpleNamespace(step=7), 7)])
def test_the_bar_counts_batches_of_all_epochs_and_begins_where_the_run_was(bar, state, begun):
    with Display(Training(epochs=3, batch=4), 10, state, True) as show:
        show.step(SimpleNamespace(batch=1, epoch=0), 2.0)
        show.epoch(ROW)
        show.step(SimpleNamespace(batch=2, epoch=0), 1.0)
    assert (bar.options["total"], bar.options["initial"]) == (9, begun)
    assert bar == [1, "loss 2.0000",
                   "epoch 2.5: loss 1.2500, held out: teacher-forced 1.5000, free-running 1.7500, tokens right "
                   "12.50%, exact match 6.25%", 1, "loss 1.0000, exact match 6.2%", "closed"]


def test_nothing_is_shown_that_is_not_wanted_or_cannot_be(bar, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    for visible in (True, False):
        with Bar(3, "text", visible) as one:
            one.advance(2, "a")
            one.line("b")
    assert bar == []


class Full(io.StringIO):
    """A stream behind which there is no room."""

    def write(self, text):
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("closed", [True, False])
def test_a_stream_that_refuses_is_given_up(monkeypatch, closed):
    """Closed while training goes on, or full: the lines are lost, and nothing else."""
    stream = io.StringIO() if closed else Full()
    monkeypatch.setattr(sys, "stderr", stream)
    with Bar(3, "text") as one:
        if closed:
            stream.close()
        for _ in range(3):
            one.advance(1, "a")
            one.line("b")
        assert one.bar is None
