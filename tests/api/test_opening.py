"""The five lines before the first epoch."""
import sys
from types import SimpleNamespace

import pytest

from minis2s import Config, Training
from minis2s.api import opening
from minis2s.api.backends import choose
from minis2s.core import tree
from minis2s.data import corpus
from minis2s.model import seq2seq

PAIRS = [("ab", "x"), ("b", "yy"), ("c", "y")]
CORPUS = corpus.build(PAIRS, PAIRS[:1], "char", "char")
CONFIG = Config(source_vocab=7, target_vocab=6, hidden=4, embedding=3, bidirectional=True)


def test_parameters_are_counted_and_choices_named():
    lines = opening.lines(CORPUS, CONFIG, Training(batch=2, minutes=1.5), "numpy")
    assert len(lines) == 5 and lines[:3] == corpus.summary(CORPUS)
    size = sum(a.size for _, a in tree.named(seq2seq.init(CONFIG, 0)))
    assert f"{size:,} parameters: LSTM of 4 in both directions, additive attention after the cell" in lines[3]
    assert lines[4] == "compute  NumPy, float32; 2 batches of 2, 10 epochs, at most 1.5 minutes"
    assert "context every-step" in opening.lines(CORPUS, Config(7, 6, attention="none", context="every-step"),
                                                 Training(), "numpy")[3]


@pytest.mark.parametrize("stream", [None, "closed"])
def test_without_standard_error_nothing_is_said(monkeypatch, tmp_path, stream):
    if stream == "closed":
        stream = open(tmp_path / "x", "w")
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    opening.show(None, CORPUS, CONFIG, Training(), "numpy")


def test_threads_of_compiled_kernels():
    from minis2s.kernels.runtime import threads
    before = int(threads.QUEUE[threads.THREADS])
    try:
        threads.QUEUE[threads.THREADS] = 3
        assert choose("numba").description() == "compiled kernels (numba), 3 threads"
    finally:
        threads.QUEUE[threads.THREADS] = before


def test_the_bar_says_what_is_compiled():
    from minis2s.api.display import Bar
    from minis2s.core.backend import COMPILATION_LISTENERS
    said = []
    with Bar(3, "pair", visible=False) as bar:
        bar.bar = SimpleNamespace(set_postfix_str=said.append, close=lambda: None)
        for listener in COMPILATION_LISTENERS:
            listener("decoder.run.lstm-1-additive")
    assert said == ["compiling decoder.run.lstm"] and not COMPILATION_LISTENERS


def test_a_time_limit_that_ends_before_the_step_size_has_fallen_is_said(capsys):
    """Compiling counts for the limit, not for the speed; it is said once, and only where it matters."""
    from minis2s.api.display import Display, too_many_epochs
    training, clock = Training(epochs=16, minutes=15, lr_final=1e-5), iter([0, 60, 180, 300])
    show = Display(training, 100, None, True, lambda: next(clock))
    state = SimpleNamespace(epoch=0, batch=1)
    row = dict(epoch=1, end_of_epoch=True, train_loss=1.0, valid_exact_match=0.0, valid_loss_teacher_forced=1.0,
               valid_loss_free_running=1.0, valid_token_accuracy=0.0)
    show.step(state, 1.0)
    show.epoch(dict(row, epoch=0.5, end_of_epoch=False))
    show.epoch(row)
    show.epoch(dict(row, epoch=2))
    said = capsys.readouterr().err
    assert said.count("note:") == 1 and "7 of 16 epochs fit into 15 minutes" in said and "with --epochs 7 " in said
    assert not too_many_epochs(training, 0, 60, 50) and "of 16" in too_many_epochs(training, 0, 60, 60)
    for quiet in (Training(epochs=16, minutes=15), Training(epochs=16, lr_final=1e-5)):
        assert too_many_epochs(quiet, 0, 60, 1000) == ""
