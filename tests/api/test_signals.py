"""Ctrl-C and SIGTERM: noted, obeyed between steps, and never lost."""
import signal

import pytest

from minis2s import Config, Seq2Seq, Training
from minis2s.api import fitting, signals
from minis2s.training import loop

PAIRS = [("ab", "ba"), ("bc", "cb"), ("ca", "ac")]
TINY = Config(hidden=3, embedding=2)


@pytest.fixture(autouse=True)
def nothing_pending():
    yield
    assert signals.Pending.number is None
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def fit(training=Training(epochs=3, batch=1), **options):
    model = Seq2Seq(TINY)
    model.fit(PAIRS, PAIRS, training=training, progress=False, **options)
    return model


def interrupt_at(monkeypatch, step, number):
    real = loop.one_step

    def one_step(config, training, progress, *rest):
        if progress.step == step:
            signal.raise_signal(number)
        return real(config, training, progress, *rest)
    monkeypatch.setattr(loop, "one_step", one_step)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_calls_fit_sees_that_it_was_stopped(tmp_path, monkeypatch, number):
    monkeypatch.setattr(fitting, "pictures", lambda *_: None)
    interrupt_at(monkeypatch, 4, number)
    model = Seq2Seq(TINY)
    with pytest.raises(KeyboardInterrupt) as caught:
        model.fit(PAIRS, PAIRS, training=Training(epochs=3, batch=1), out=tmp_path / "r", progress=False)
    assert caught.value.signal == number == model.stopped_by
    assert len(model.translate(["ab"])) == 1 and len(model.records) == 1        # what it has learnt, it has
    assert Seq2Seq.load(tmp_path / "r").params is not None


def test_a_fit_that_was_not_stopped_says_so():
    assert fit().stopped_by is None


def test_a_second_ctrl_c_stops_at_once(monkeypatch):
    monkeypatch.setattr(loop, "one_step", lambda *_: [signal.raise_signal(signal.SIGINT) for _ in range(2)])
    model = Seq2Seq(TINY)
    with pytest.raises(KeyboardInterrupt):
        model.fit(PAIRS, PAIRS, progress=False)
    assert model.params is None


def lose_interrupt():
    """As a callback of a compiled library does: the exception is dropped."""
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        pass


def test_a_lost_interrupt_is_remembered():
    with signals.watched():
        signals.check()
        lose_interrupt()
        with pytest.raises(signals.Stopped) as caught:
            signals.check()
        assert caught.value.signal == signal.SIGINT
        signals.check()                                                 # answered


def test_training_stops_after_an_interrupt_that_was_lost_before_it():
    with signals.watched():
        lose_interrupt()
        with pytest.raises(signals.Stopped):
            fit()


def test_answering_and_measuring_stop_after_an_interrupt_that_was_lost():
    model = fit()
    for act in (lambda: model.decode(["ab"]), lambda: model.evaluate(PAIRS)):
        with signals.watched():
            lose_interrupt()
            with pytest.raises(signals.Stopped):
                act()


def test_signals_within_watched_raise_and_other_threads_change_nothing():
    import threading
    for number in signals.STOPS:
        with pytest.raises(signals.Stopped) as caught:
            with signals.watched():
                signal.raise_signal(number)
        assert caught.value.signal == number
        signals.Pending.number = None
    handlers = []

    def other():
        with signals.watched(), signals.stop_signals() as stopped:
            handlers.append((signal.getsignal(signal.SIGINT), stopped()))
    worker = threading.Thread(target=other)
    worker.start()
    worker.join()
    assert handlers == [(signal.default_int_handler, None)]
