"""The five lines before the first epoch."""
import sys

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
    assert "context every-step" in opening.lines(CORPUS, Config(7, 6, attention="none", context="every-step"), Training(),
                                                 "numpy")[3]


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
