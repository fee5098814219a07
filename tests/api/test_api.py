"""Seq2Seq: texts in, texts out; what is saved comes back; what is wrong is said."""
import doctest
import errno
import json
import re
import signal
import subprocess
import sys
import threading
import warnings
from dataclasses import fields, replace

import numpy as np
import pytest

from draw import same
from minis2s import Config, Diverged, Seq2Seq, Training, decoding
from minis2s.api import answering, evaluation, fitting, seq2seq as api, signals, texts
from minis2s.api.run import Run
from minis2s.core import files, tree
from minis2s.data.batches import pad
from minis2s.data.pairs import Pairs, Skipped
from minis2s.data.vocabulary import EOS, UNK
from minis2s.model import seq2seq
from minis2s.training import checkpoint, loop as train

CONFIG = Config(embedding=16, hidden=24, attention="dot")
PAIRS = [("ab", "ba"), ("bc", "cb"), ("ca", "ac"), ("abc", "cba"), ("d", "d"), ("add", "dda")]
QUICK = Training(epochs=2, batch=2, lr=0.02)
LONG = Training(epochs=120, lr=0.02, lr_decay=1.0)


def fit(pairs=PAIRS, valid=PAIRS, config=CONFIG, training=QUICK, **options):
    units = {k: options.pop(k) for k in ("source_units", "target_units", "min_count", "lowercase", "max_length")
             if k in options}
    return Seq2Seq(config, **units).fit(pairs, valid, training=training, progress=False, **options)


@pytest.fixture(scope="module", autouse=True)
def readable():
    """The readable implementation, however many texts: nothing is compiled for small models."""
    with pytest.MonkeyPatch.context() as m:
        m.setenv("MINIS2S_BACKEND", "numpy")
        yield


@pytest.fixture(autouse=True)
def no_pictures(request, monkeypatch):
    """They take seconds, and have tests of their own."""
    if "pictures" not in request.node.name:
        monkeypatch.setattr(fitting, "pictures", lambda *_: None)


@pytest.fixture(scope="module")
def model(readable):
    """Knows PAIRS by heart."""
    return fit(training=LONG)


@pytest.fixture(scope="module")
def turned(readable):
    """The same, its sources reversed."""
    return fit(config=replace(CONFIG, reverse_source=True), training=LONG)


def test_the_example_of_the_class_works():
    found = doctest.DocTestFinder().find(api.Seq2Seq, globs={})
    results = [doctest.DocTestRunner().run(test) for test in found if test.examples]
    assert sum(r.attempted for r in results) >= 4 and sum(r.failed for r in results) == 0


def test_importing_is_light():
    """Neither the package nor the command line loads NumPy before it is needed: Ctrl-C is answered from the start."""
    code = "import minis2s.cli.main, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                            check=True).stdout.split()
    heavy = {"numpy", "matplotlib", "numba", "tqdm", "safetensors", "sacrebleu", "hypothesis", "pytest"}
    assert "minis2s" in loaded and not heavy & set(loaded)


# Learning ------------------------------------------------------------------------------------------------

def test_it_learns_and_answers(model):
    assert model.translate([x for x, _ in PAIRS]) == [y for _, y in PAIRS]
    assert model.translate("abc") == "cba"
    assert model.evaluate(PAIRS)["exact_match"] == 1.0 == model.records[-1]["valid_exact_match"]
    assert model.held_out == PAIRS and model.stopped_by is None


def test_pairs_as_list_as_pairs_and_as_path_are_the_same(tmp_path):
    path = tmp_path / "p.tsv"
    path.write_text("".join(f"{x}\t{y}\tmore\n" for x, y in PAIRS), encoding="utf-8")
    one = fit()
    for pairs in ([list(p) for p in PAIRS], Pairs(*map(list, zip(*PAIRS)), Skipped(0, None)), path,
                  str(path)):
        same(fit(pairs, pairs).params, one.params)


def test_held_out_sources_are_not_trained_on():
    pairs = [(f"{i}", f"{j}") for i in range(40) for j in range(1 + i % 2)]
    model = fit(pairs, None, training=Training(epochs=0))
    held = {x for x, _ in model.held_out}
    assert len(held) == 2                                               # 5 % of 40
    assert set(model.held_out) == {p for p in pairs if p[0] in held}    # all targets of a held-out source
    assert fit(pairs, None, training=Training(epochs=0)).held_out == model.held_out
    assert fit(pairs, None, training=Training(epochs=0, seed=4)).held_out != model.held_out
    assert len(fit(PAIRS, None, training=Training(epochs=0)).held_out) == 1     # at least one
    many = [(f"{i}", "a") for i in range(30_000)]
    assert len(fit(many, None, training=Training(epochs=0, seed=0), config=CONFIG).held_out) == texts.AT_MOST


def test_the_weights_kept_are_those_of_the_best_epoch(tmp_path, monkeypatch):
    losses = iter([3.0, 1.0, 2.0, 2.0])
    monkeypatch.setattr(train, "validate", lambda *_, **__: train.Validation(next(losses), 0.0, 0.0, 0.0))
    saved = []
    real = Run.save_progress
    monkeypatch.setattr(Run, "save_progress", lambda self, s, c: (saved.append(s), real(self, s, c)))
    model = fit(training=replace(QUICK, epochs=9, patience=2), out=tmp_path / "r")
    assert len(model.records) == 4
    best = [s.params for s in saved if s.epoch == 2 and s.batch == 0][0]
    same(model.params, best)
    same(Seq2Seq.load(tmp_path / "r").params, best)


# Resuming ------------------------------------------------------------------------------------------------

RESTLESS = replace(QUICK, epochs=3, optimizer="rmsprop", teacher_forcing=0.9, teacher_final=0.2)
DROPPING = replace(CONFIG, dropout=0.3)


def kill_after(monkeypatch, saves, every_step=True):
    """Let the run die, as by SIGKILL, in its n-th save: before the new file is there."""
    real, left = Run.save_progress, [saves]

    class Killed(BaseException):
        pass

    def save(self, *args):
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        real(self, *args)

    monkeypatch.setattr(Run, "save_progress", save)
    if every_step:
        real_run = train.run
        monkeypatch.setattr(train, "run", lambda *a, **k: real_run(*a, **k, save_seconds=0))
    return Killed


def lines(path):
    rows = Run(path).records()
    return [{k: v for k, v in r.items() if k != "tokens_per_second"} for r in rows]


@pytest.mark.parametrize("saves", [2, 3, 4, 5, 6, 9, 12])
def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path, monkeypatch, saves):
    training = replace(RESTLESS, evaluate_every=2)
    fit(config=DROPPING, training=training, out=tmp_path / "whole")
    Killed = kill_after(monkeypatch, saves)
    with pytest.raises(Killed):
        fit(config=DROPPING, training=training, out=tmp_path / "part")
    monkeypatch.undo()
    fit(config=DROPPING, training=training, out=tmp_path / "part", resume=True)
    for name in ("weights.safetensors", "checkpoint.safetensors", "vocabulary.json", "config.json"):
        assert (tmp_path / "part" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert lines(tmp_path / "part") == lines(tmp_path / "whole") != []


def test_what_a_killed_process_left_is_removed_when_the_run_goes_on(tmp_path):
    """And nothing else: what a person put there stays."""
    run = tmp_path / "r"
    fit(out=run)
    (run / ".tmp-abc").mkdir()
    (run / ".tmp-abc" / "config.json").write_text("{")
    (run / ".tmp-weights").write_bytes(b"half")
    (run / "notes.txt").write_text("mine")
    before = {p.name for p in run.iterdir()}
    fit(training=replace(QUICK, epochs=QUICK.epochs + 1), out=run, resume=True)
    assert before - {p.name for p in run.iterdir()} == {".tmp-abc", ".tmp-weights"}


def test_more_epochs_may_follow_and_a_finished_run_may_be_resumed(tmp_path):
    whole = fit(training=replace(QUICK, epochs=4), out=tmp_path / "whole")
    fit(out=tmp_path / "part")
    for finished in (False, True):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            model = fit(training=replace(QUICK, epochs=4), out=tmp_path / "part", resume=True)
        assert ["4 epochs completed, nothing is left to train" in str(w.message) for w in said] == [True] * finished
        same(model.params, whole.params)
        assert lines(tmp_path / "part") == lines(tmp_path / "whole") and len(model.records) == 4


OTHERS = dict(batch=3, lr=0.5, lr_final=0.01, optimizer="rmsprop", clip=1.0, clip_value=0.5, lr_decay=0.9,
              lr_patience=3, patience=4, monitor="exact-match", teacher_forcing=0.5, teacher_final=0.1,
              evaluate_every=7, seed=5, warmup=9, token_dropout=0.3)


def test_every_training_option_is_among_those_that_a_resumed_run_keeps():
    kept = {f.name for f in fields(Training)} - {"epochs", "minutes", "momentum", "schedule"}
    # momentum: with sgd only; schedule: tested below, with the warm-up that it needs
    assert OTHERS.keys() == kept


def test_resuming_with_other_options_or_data_is_refused(tmp_path):
    fit(out=tmp_path / "r")
    before = {p.name: p.read_bytes() for p in (tmp_path / "r").iterdir()}
    for options, told in [
        *((dict(training=replace(QUICK, **{name: value})), f"begun with {name}={getattr(QUICK, name)!r}, not {value!r}")
          for name, value in OTHERS.items()),
        (dict(training=replace(QUICK, schedule="inverse-sqrt", warmup=9)), "begun with warmup=None, not 9"),
        (dict(config=replace(CONFIG, hidden=8)), "hidden is 24 there, 8 here"),
        (dict(pairs=PAIRS[::-1]), "not the pairs that the run was begun with"),
        (dict(valid=PAIRS[:3]), "not the pairs that the run was begun with"),
        (dict(pairs=PAIRS + [("z", "z")]), "not the pairs that the run was begun with"),
        (dict(source_units="word"), "source_units='char', not 'word'"),
        (dict(min_count=2), "min_count=1, not 2"),
    ]:
        with pytest.raises(ValueError, match=told):
            fit(out=tmp_path / "r", resume=True, **options)
    assert {p.name: p.read_bytes() for p in (tmp_path / "r").iterdir()} == before
    with pytest.raises(FileExistsError, match="resume=True"):
        fit(out=tmp_path / "r")
    with pytest.raises(FileNotFoundError, match="no such run directory"):
        fit(out=tmp_path / "none", resume=True)
    with pytest.raises(ValueError, match="out: wanted the directory"):
        fit(resume=True)


def test_fewer_epochs_than_a_run_has_had_are_refused(tmp_path, monkeypatch):
    """And config.json goes on saying what was trained."""
    fit(out=tmp_path / "r")
    before = (tmp_path / "r" / "config.json").read_bytes()
    with pytest.raises(ValueError, match="epochs=1: .*r has completed 2 epochs; wanted 2 or more"):
        fit(training=replace(QUICK, epochs=1), out=tmp_path / "r", resume=True)
    assert (tmp_path / "r" / "config.json").read_bytes() == before
    Killed = kill_after(monkeypatch, 8)
    with pytest.raises(Killed):
        fit(training=replace(QUICK, epochs=4), out=tmp_path / "r", overwrite=True)
    monkeypatch.undo()
    monkeypatch.setattr(fitting, "pictures", lambda *_: None)
    with pytest.raises(ValueError, match="epochs=1: .*r has completed 1 epoch and begun another; wanted 2 or more"):
        fit(training=replace(QUICK, epochs=1), out=tmp_path / "r", resume=True)


def test_out_of_time_the_unfinished_epoch_is_not_counted(tmp_path, monkeypatch):
    """A run that was out of time goes on where it was, to the bits of one that never was."""
    whole = fit(training=replace(QUICK, epochs=3), out=tmp_path / "whole")
    clock = iter(range(0, 10_000, 7))
    monkeypatch.setattr(train.time, "monotonic", lambda: next(clock))
    fit(training=replace(QUICK, epochs=3, minutes=0.5), out=tmp_path / "part")
    monkeypatch.undo()
    monkeypatch.setattr(fitting, "pictures", lambda *_: None)
    rows = Run(tmp_path / "part").records()
    assert [r["end_of_epoch"] for r in rows] == [False] and rows[0]["epoch"] < 1
    state = checkpoint.load_progress(tmp_path / "part" / "checkpoint.safetensors", whole.config)
    assert (state.epoch, state.batch) == (0, state.step) and 0 < state.batch < 3
    again = fit(training=replace(QUICK, epochs=3, minutes=None), out=tmp_path / "part", resume=True)
    same(again.params, whole.params)


def test_edited_training_options_are_no_run_to_resume(tmp_path):
    """Batch, seed, teacher forcing, data: whatever was edited in config.json would give other weights."""
    fit(out=tmp_path / "r")
    path = tmp_path / "r" / "config.json"
    text = path.read_text()
    for old, new in (('"batch": 2', '"batch": 3'), ('"seed": 0', '"seed": 1'), ('"lr": 0.02', '"lr": 0.2'),
                     ('"teacher_forcing": 1.0', '"teacher_forcing": 0.5'), ('"min_count": 1', '"min_count": 2'),
                     ('"train": 6', '"train": 7'), ('"backend": "numpy"', '"backend": "numba"'),
                     ('"source": 3', '"source": 30')):
        assert old in text, old
        path.write_text(text.replace(old, new))
        for read in (Seq2Seq.load, lambda path: fit(out=path, resume=True)):
            with pytest.raises(ValueError,
                               match=r"config.json: changed after it was saved \(its digest does not fit\)"):
                read(tmp_path / "r")


def test_a_run_with_another_vocabulary_is_not_resumed(tmp_path):
    """As one begun by a version that cuts texts in another way: the rows of its weights belong to other symbols."""
    from minis2s.data.vocabulary import Vocabulary
    fit(out=tmp_path / "r")
    run = Run(tmp_path / "r")
    _, source, target = run.read_model()
    given = json.loads(run.config.read_text())
    for name in ("format", "sha256", "vocabulary"):
        given.pop(name)
    for turned in ((Vocabulary((*source.symbols[:4], *source.symbols[:3:-1])), target),
                   (source, Vocabulary((*target.symbols[:4], *target.symbols[:3:-1])))):
        run.write_model(given, *turned)
        with pytest.raises(ValueError, match="vocabulary.json: not the vocabulary of these pairs"):
            fit(out=tmp_path / "r", resume=True)
    run.write_model(given, source, target)
    fit(out=tmp_path / "r", resume=True, training=replace(QUICK, epochs=QUICK.epochs + 1))


def test_a_saved_model_is_no_run_to_resume(tmp_path, model):
    model.save(tmp_path / "m")
    with pytest.raises(ValueError, match="a saved model, not a run"):
        fit(out=tmp_path / "m", resume=True, training=LONG)


def test_a_broken_checkpoint_is_refused(tmp_path):
    fit(out=tmp_path / "r")
    path = tmp_path / "r" / "checkpoint.safetensors"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(ValueError, match="checkpoint.safetensors: changed after it was saved"):
        fit(out=tmp_path / "r", resume=True)


def test_training_in_another_thread_works():
    """Signals can only be caught in the main thread."""
    done = []
    worker = threading.Thread(target=lambda: done.append(fit()))
    worker.start()
    worker.join()
    same(done[0].params, fit().params)


# NaN and full disks --------------------------------------------------------------------------------------

def test_nan_stops_and_the_last_good_checkpoint_stays(tmp_path, monkeypatch):
    real = train.one_step

    def poisoned(config, training, progress, *args):
        if progress.step == 4:                                      # in the second of its epochs of 3 steps
            progress.params.decoder.readout.W[3, 2] = np.nan
        return real(config, training, progress, *args)

    monkeypatch.setattr(train, "one_step", poisoned)
    model = Seq2Seq(CONFIG)
    with pytest.raises(Diverged, match=r"step 5 \(epoch 2\): params.decoder.readout.W\[3, 2\] is nan"):
        model.fit(PAIRS, PAIRS, training=QUICK, out=tmp_path / "r", progress=False)
    monkeypatch.undo()
    same(Seq2Seq.load(tmp_path / "r").params, fit(training=replace(QUICK, epochs=1)).params)
    same(fit(out=tmp_path / "r", resume=True).params, fit().params)
    with pytest.raises(ValueError, match="call fit"):
        model.translate(["a"])


def test_a_full_disk_while_training(tmp_path, monkeypatch):
    """The second checkpoint finds no room: the first stays whole, and the run goes on when there is room."""
    real, left = checkpoint.write_atomically, [3]

    def full(path, write):
        left[0] -= 1
        if left[0] < 0:
            def write(temporary):
                temporary.write_bytes(b"half")
                raise OSError(errno.ENOSPC, "No space left on device", str(temporary))
        real(path, write)

    monkeypatch.setattr(checkpoint, "write_atomically", full)
    with pytest.raises(OSError, match="No space left"):
        fit(out=tmp_path / "r")
    monkeypatch.undo()
    assert not list((tmp_path / "r").glob(".tmp-*"))
    assert Seq2Seq.load(tmp_path / "r").params is not None
    same(fit(out=tmp_path / "r", resume=True).params, fit().params)


def test_a_full_disk_while_saving_a_model(tmp_path, model, monkeypatch):
    def fail(_):
        raise OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        model.save(tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_a_full_disk_while_a_model_is_replaced(tmp_path, model, monkeypatch):
    model.save(tmp_path / "m")
    before = {p.name: p.read_bytes() for p in (tmp_path / "m").iterdir()}

    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(api.checkpoint, "save_weights", fail)
    with pytest.raises(OSError, match="No space left"):
        model.save(tmp_path / "m", overwrite=True)
    with pytest.raises(TypeError, match="not JSON serializable"):
        model.fit(PAIRS, PAIRS, out=tmp_path / "m", overwrite=True, origin={"file": tmp_path})
    assert {p.name: p.read_bytes() for p in (tmp_path / "m").iterdir()} == before


# Saving and loading --------------------------------------------------------------------------------------

def test_save_and_load(tmp_path, turned):
    turned.save(tmp_path / "m")
    assert sorted(p.name for p in (tmp_path / "m").iterdir()) == ["config.json", "vocabulary.json",
                                                                  "weights.safetensors"]
    back = Seq2Seq.load(tmp_path / "m")
    same(back.params, turned.params)
    assert (back.config, back.source_vocab, back.target_vocab, back.lengths) == (
        turned.config, turned.source_vocab, turned.target_vocab, turned.lengths)
    texts = [x for x, _ in PAIRS]
    assert back.translate(texts) == turned.translate(texts)
    with pytest.raises(FileExistsError):
        turned.save(tmp_path / "m")
    turned.save(tmp_path / "m", overwrite=True)


def test_words_and_rare_tokens_come_back(tmp_path):
    pairs = [("a cat", "一只猫"), ("a dog", "一条狗"), ("a cat", "猫")]
    model = fit(pairs, pairs, source_units="word", min_count=2)
    assert model.source_vocab.symbols[4:] == ("a", "cat") and model.target_vocab.symbols[4:] == ("一", "猫")
    model.save(tmp_path / "m")
    back = Seq2Seq.load(tmp_path / "m")
    assert (back.source_units, back.target_units, back.min_count) == ("word", "char", 2)
    with pytest.warns(UserWarning, match="read as <unk>: (dog|fox)"):
        assert back.translate("a dog") == back.translate(["a fox"])[0]


def test_a_run_from_before_words_had_ties_answers_as_before(tmp_path):
    """Its units are "word" without a length limit; loaded, they are the first rule for words."""
    pairs = [("say, a", "Oh, a"), ("say, b", "Oh, b")]
    model = fit(pairs, pairs, source_units="word-1", target_units="word-1", training=LONG)
    model.save(tmp_path / "m")
    path = tmp_path / "m" / "config.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    stored["units"] = {"source_units": "word", "target_units": "word", "min_count": 1}
    del stored["sha256"]                                                # which such runs have not
    path.write_text(json.dumps(stored), encoding="utf-8")
    back = Seq2Seq.load(tmp_path / "m")
    assert back.source_tokenizer.split("say, a") == ["say", ",", "a"]
    assert back.translate("say, a") == model.translate("say, a") == "Oh, a"
    back.save(tmp_path / "again")
    assert Seq2Seq.load(tmp_path / "again").translate("say, a") == "Oh, a"


def test_tokens_between_white_space_come_back_as_they_are():
    """Tone letters are tokens of their own: the space between them is part of the answer."""
    pairs = [("ma", "m a ˧ ˨"), ("mi", "m i ˨")]
    model = fit(pairs, pairs, target_units="space", training=LONG)
    assert model.translate(["ma", "mi"]) == ["m a ˧ ˨", "m i ˨"]
    assert model.evaluate(pairs)["exact_match"] == 1


def test_sub_words_and_lower_case_are_part_of_a_run(tmp_path):
    pytest.importorskip("sentencepiece")
    pairs = [("The lower", "Der untere"), ("the newer", "der neuere"), ("The low", "Der niedere")] * 2
    model = fit(pairs, pairs[:3], source_units="bpe:30", target_units="bpe:24", lowercase=True, training=LONG,
                out=tmp_path / "r")
    assert model.translate("the LOWER") == "der untere"
    back = Seq2Seq.load(tmp_path / "r")
    assert back.source_tokenizer == model.source_tokenizer and back.target_tokenizer == model.target_tokenizer
    assert back.translate("the LOWER") == "der untere" and back.lowercase
    path = tmp_path / "r" / "vocabulary.json"
    words = json.loads(path.read_text(encoding="utf-8"))
    words["subwords"]["source"] = words["subwords"]["target"]
    path.write_text(json.dumps(words), encoding="utf-8")
    with pytest.raises(ValueError, match="vocabulary.json: changed after it was saved"):
        Seq2Seq.load(tmp_path / "r")


def test_pairs_that_are_too_long_are_left_out_and_counted():
    long = [("a" * 9, "x"), ("b", "y" * 9)]
    model = fit(PAIRS + long, PAIRS + long[:1], max_length=8)
    assert model.data["too_long"] == 3 and model.data["train"] == len(PAIRS) and model.lengths["source"] < 9
    assert model.held_out == PAIRS
    with pytest.raises(ValueError, match="pairs: all 2 are longer than 8 tokens; .*--max-length"):
        fit(long, PAIRS, max_length=8)
    with pytest.raises(ValueError, match="valid: all 2 are longer"):
        fit(PAIRS, long, max_length=8)


def test_a_run_needs_three_files_to_load(tmp_path):
    model = fit(out=tmp_path / "r")
    for name in ("checkpoint.safetensors", "metrics.jsonl"):
        (tmp_path / "r" / name).unlink()
    same(Seq2Seq.load(tmp_path / "r").params, model.params)
    for name in ("weights.safetensors", "vocabulary.json", "config.json"):
        (tmp_path / "r" / name).unlink()
        with pytest.raises(FileNotFoundError, match=name):
            Seq2Seq.load(tmp_path / "r")


def test_an_edited_configuration_does_not_fit_the_weights(tmp_path, model):
    model.save(tmp_path / "m")
    path = tmp_path / "m" / "config.json"
    path.write_text(path.read_text().replace('"hidden": 24', '"hidden": 25'))
    with pytest.raises(ValueError, match="config.json: changed after it was saved"):
        Seq2Seq.load(tmp_path / "m")


def test_the_pictures_of_a_run(tmp_path):
    fit(training=replace(LONG, epochs=40), out=tmp_path / "r")
    assert {p.name for p in (tmp_path / "r").iterdir()} == {
        "config.json", "vocabulary.json", "weights.safetensors", "checkpoint.safetensors", "metrics.jsonl",
        "loss.png",
        "attention.png"}
    for name in ("loss.png", "attention.png"):
        assert (tmp_path / "r" / name).read_bytes().startswith(b"\x89PNG")


# Answering -----------------------------------------------------------------------------------------------

def test_answers_keep_the_order_of_the_texts_and_do_not_depend_on_their_neighbours(model):
    texts = ["abc", "d", "ab", "dddd", "abc", "c", "bcab"]
    with warnings.catch_warnings(record=True):
        alone = [model.translate(t) for t in texts]
        assert model.translate(texts) == alone
    for batch in (1, 2, 3, 100):
        for options in (dict(), dict(beam=3, nbest=2), dict(method="exact")):
            got = model.decode(texts, batch=batch, **options)
            for t, best in zip(texts, got):
                (want,) = model.decode([t], **options)
                assert [a.text for a in best] == [a.text for a in want] and best[0].source == list(t)
                for a, b in zip(best, want):
                    np.testing.assert_allclose([a.log_prob, a.score], [b.log_prob, b.score], rtol=1e-4)
                    np.testing.assert_allclose(a.alpha, b.alpha, atol=1e-5)


def test_decode_is_the_searches(model):
    ids, mask = pad([model.source_vocab.encode("abc")])
    (want,) = decoding.beam(model.params, model.config, ids, mask, 7, width=3, length_penalty=0.5, nbest=3)
    (got,) = model.decode(["abc"], beam=3, nbest=3, length_penalty=0.5, max_length=7)
    assert [(list(a.text), a.score, a.finished) for a in got] == [
        (model.target_vocab.decode(a.ids), a.score, a.finished) for a in want]
    (want,) = decoding.greedy(model.params, model.config, ids, mask, 1)
    (got,) = model.decode(["abc"], max_length=1)
    assert (got[0].log_prob, got[0].finished) == (want[0].log_prob, False) and len(got[0].target) == 1


def test_sampling_is_seeded_and_takes_its_options(model):
    hot = [model.decode(["abc"] * 9, method="sample", temperature=5.0, seed=s) for s in (0, 0, 1)]
    said = [[best[0].text for best in answers] for answers in hot]
    assert said[0] == said[1] != said[2] and len(set(said[0])) > 1
    assert model.decode(["abc"], method="sample", top_k=1)[0][0].text == "cba"


def test_attention_is_in_the_order_of_the_text(turned):
    """Of a model that reads sources from their end: its weights look back at the right columns."""
    plain = replace(turned.config, reverse_source=False)
    a = turned.decode(["abc"])[0][0]
    assert a.alpha.shape == (4, 3) and a.source == ["a", "b", "c"]
    ids, mask = pad([turned.source_vocab.encode("cba")])
    (want,) = decoding.greedy(turned.params, plain, ids, mask, 20)
    np.testing.assert_allclose(a.alpha, want[0].alpha[:, ::-1], rtol=1e-6)
    assert abs(a.alpha[:, 0] - a.alpha[:, 2]).max() > 0.05


def test_attention_labels(model):
    alpha, source, target = api.attention_of(model.decode(["abc"])[0][0])
    assert (source, target) == (["a", "b", "c"], ["c", "b", "a", "<eos>"]) and alpha.shape == (4, 3)
    cut = model.decode(["abc"], max_length=2)[0][0]
    assert api.attention_of(cut)[2] == ["c", "b"] and cut.alpha.shape == (2, 3)


def test_unknown_tokens_and_long_texts_are_told(model):
    with pytest.warns(UserWarning, match="unknown to the model, read as <unk>: x y"):
        model.translate("axy")
    with pytest.warns(UserWarning, match="5 tokens; the longest text trained on has 3"):
        model.translate("abcab")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.translate(["abc", "d"])
    notes = model.decode(["axbcb"])[0][0].notes
    assert len(notes) == 2


@pytest.mark.parametrize("options, told", [
    (dict(beam=0), "beam: got 0"), (dict(beam=2.5), "beam: got 2.5"), (dict(nbest=0), "nbest: got 0"),
    (dict(beam=2, nbest=3), r"nbest: got 3, wanted a whole number, 1 \.\. 2"),
    (dict(nbest=2), "nbest: got 2"),
    (dict(max_length=0), "max_length: got 0"), (dict(max_length=-1), "max_length"),
    (dict(batch=0), "batch: got 0"),
    (dict(length_penalty=-1), "length_penalty"), (dict(length_penalty=float("nan")), "length_penalty"),
    (dict(beam=3, length_penalty="x"), "length_penalty"), (dict(seed=-1), "seed: got -1"),
    (dict(method="beams"), "choose one of beam, sample, exact"),
    (dict(method="sample", temperature=0), "temperature"),
    (dict(method="sample", top_k=0), "top_k"), (dict(method="sample", top_p=1.5), "top_p"),
    (dict(method="exact", budget=0), "budget"), (dict(temperature=2.0), "temperature: no option of method='beam'"),
    (dict(method="exact", top_k=2), "top_k: no option of method='exact', which has budget"),
    (dict(precision=""), "precision='': choose one"),
    (dict(precision="fp8"), "precision='fp8': choose one of int8, bf16"), (dict(precision=8), "precision=8: choose"),
    (dict(method="sample", precision="int8"), "precision: no option of method='sample'"),
    (dict(method="exact", beam=2), "beam=2.*not of 'exact'"),
    (dict(method="sample", length_penalty=0.5), "length_penalty=0.5: options of method='beam'")])
def test_wrong_options(model, options, told):
    with pytest.raises((ValueError, TypeError), match=told):
        model.decode(["abc"], **options)


@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u00a0", "\u200b\u2060", "\u3000"])
def test_a_blank_text_is_answered_by_a_blank_one(model, turned, blank):
    """Among others, alone, for every method; and it changes nothing for the others."""
    for m in (model, turned):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert m.translate(["ab", blank, "abc", blank]) == ["ba", "", "cba", ""]
            assert m.translate(blank) == "" and m.translate([blank]) == [""]
        for options in (dict(beam=3, nbest=3), dict(method="sample"), dict(method="exact")):
            (answer,), others = m.decode([blank, "ab"], **options)
            assert (answer.text, answer.source, answer.target, answer.log_prob, answer.alpha) == ("", [], [], 0.0, None)
            assert others[0].target


def test_a_text_that_is_much_too_long_is_not_read_and_said(model):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert model.translate(["ab", "a" * 200_000, "d"]) == ["ba", "", "d"]
    assert [str(w.message) for w in said] == ["text 2: 200,000 tokens, so not read; at most 20,000 are"]
    (answer,), = model.decode(["a" * 200_000])
    assert not answer.finished and answer.notes == ("200,000 tokens, so not read; at most 20,000 are",)


def test_long_texts_go_in_small_batches(model, monkeypatch):
    """So that memory is bounded; short texts are searched 128 at once, as ever."""
    sizes, search = [], answering.search
    monkeypatch.setattr(answering, "search", lambda model, tokens, *rest: sizes.append(
        (len(tokens), max(map(len, tokens)))) or search(model, tokens, *rest))
    model.decode(["ab"] * 300 + ["a" * 3_000] * 20 + ["a" * 15_000] * 3, max_length=1)
    assert sizes[:2] == [(128, 2), (128, 2)] and max(n for n, _ in sizes) == 128
    assert max(n * longest for n, longest in sizes) <= answering.AT_ONCE and sum(n for n, _ in sizes) == 323


def test_every_batch_draws_random_numbers_of_its_own(model):
    """The same text a hundred times: no batch repeats what another has drawn, and the seed alone decides."""
    def hot(batch, seed=0):
        return [best[0].text for best in model.decode(["abc"] * 12, method="sample", temperature=8.0, batch=batch,
                                                      seed=seed)]
    drawn = hot(4)
    assert len({tuple(drawn[i:i + 4]) for i in (0, 4, 8)}) == 3
    assert len(set(hot(1))) > 6                                         # a batch of one text each
    assert hot(1) == hot(1) != hot(1, seed=1)


def test_answers_that_are_cut_off_are_marked(model):
    with pytest.warns(UserWarning, match="the answer is cut off at 2 tokens, the greatest length; a larger max_length"):
        assert model.translate("abc", max_length=2) == "cb"
    (answer,), = model.decode(["abc"], max_length=2)
    assert not answer.finished and len(answer.notes) == 1
    (answer,), = model.decode(["abc"], max_length=3 + 1)
    assert answer.finished and answer.notes == ()


def test_many_texts_have_one_warning_for_each_kind_with_their_numbers(model):
    texts = ["ab"] * 500
    for i in range(7, 500, 30):
        texts[i] = "a" + chr(0x4e00 + i)
    texts[3], texts[9], texts[11] = "abcab", "abcabcd", "x" * 5_000
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model.translate(texts)
    said = [str(w.message) for w in said]
    assert len(said) <= 3 and all(len(m) < 400 for m in said)
    assert re.match(r"texts 8, 12, 38, 68, 98 and 13 more: unknown to the model, read as <unk>: \S( \S){9} and 8 more$",
                    said[1]
                    if said[0].startswith("texts 4") else said[0]), said
    assert any(m.startswith("texts 4, 10 and 12: up to 5,000 tokens; the longest text trained on has 3") for m in said)


def test_notes_name_tokens_that_can_be_seen(model):
    (answer,), = model.decode(["a\u202e" + "".join(map(chr, range(0x4e00, 0x4e40)))])
    note, = (n for n in answer.notes if n.startswith("unknown"))
    assert note.isprintable() and "\\u202e 一" in note and note.endswith(" and 55 more")


def test_wrong_texts(model):
    with pytest.raises(ValueError, match=r"texts\[1\]: .* half of a surrogate pair"):
        model.translate(["a", "\ud800"])
    for wrong, told in ((5, "texts: got int"), (None, "got NoneType"), ("abc", "texts: got str, wanted a list"),
                        (["a", 5], r"texts\[1\]: got int, wanted a string"), ([b"a"], "got bytes"),
                        ((t for t in ["a"]), "got generator")):
        with pytest.raises(TypeError, match=told):
            model.decode(wrong)
    assert model.translate([]) == []


@pytest.mark.parametrize("pairs, told", [
    ([], "pairs: none"), (5, "pairs: got int"), (None, "pairs: got NoneType"),
    (["ab"], r"pairs\[0\]: 'ab', wanted"),
    ([("a", "b"), ("c",)], r"pairs\[1\]"), ([("a", 5)], r"pairs\[0\]"),
    ([(" ", "b")], r"pairs\[0\]: the source is blank"),
    ([("a", "")], "no target token"), ([("a", "b", "c")], r"pairs\[0\]"), ([(np.nan, "b")], r"pairs\[0\]"),
    (np.ones((2, 2)), "pairs: got ndarray"), ("none.tsv", "none.tsv: no such file"),
    ({"a": "b"}, "pairs: got dict"), (b"p.tsv", "pairs: got bytes"),
    ([("a", "b"), ("\ud800", "b")], r"pairs\[1\]: .* no character")])
def test_wrong_pairs(pairs, told):
    model = Seq2Seq(CONFIG)
    with pytest.raises((ValueError, TypeError, OSError), match=told):
        model.fit(pairs, PAIRS, training=QUICK, progress=False)
    assert model.params is None


def test_wrong_validation_and_test_pairs(model):
    for pairs, told in (([], "none, wanted"), ([("a",)], r"\[0\]: \('a',\)"), (5, "got int")):
        with pytest.raises((ValueError, TypeError), match=f"valid.*{told}"):
            fit(valid=pairs)
        with pytest.raises((ValueError, TypeError), match=f"pairs.*{told}"):
            model.evaluate(pairs)
    with pytest.raises(ValueError, match="one source only"):
        fit([("a", "b")] * 3, None)


def test_wrong_paths_and_origins(tmp_path):
    for path in (3, None, b"runs"):
        with pytest.raises(TypeError, match=f"path: got {type(path).__name__}"):
            Seq2Seq.load(path)
    with pytest.raises(TypeError, match="origin: got list, wanted a dict"):
        fit(out=tmp_path / "r", origin=[1])
    assert not (tmp_path / "r").exists()


def test_wrong_models_and_trainings():
    for options, told in ((dict(config={}), "config: got dict"),
                          (dict(source_units="byte"), "source_units='byte'"),
                          (dict(target_units=None), "target_units=None"), (dict(target_units="bpe:x"), "bpe:N"),
                          (dict(lowercase=1), "lowercase=1"), (dict(max_length=0), "max_length"),
                          (dict(backend="cuda"), "backend='cuda'"),
                          (dict(min_count=0), "min_count: got 0"),
                          (dict(min_count="2"), "min_count: got '2'")):
        with pytest.raises((ValueError, TypeError), match=told):
            Seq2Seq(**options)
    with pytest.raises(TypeError, match="training: got dict"):
        Seq2Seq().fit(PAIRS, training={})
    for options, told in ((dict(resume=True), "out: wanted the directory"),
                          (dict(overwrite=True), "out: wanted the directory"),
                          (dict(resume=True, overwrite=True, out="x"), "choose one")):
        with pytest.raises(ValueError, match=told):
            Seq2Seq().fit(PAIRS, training=QUICK, progress=False, **options)
    for ask in (lambda m: m.translate("a"), lambda m: m.evaluate(PAIRS), lambda m: m.summary(),
                lambda m: m.save("x")):
        with pytest.raises(ValueError, match="call fit"):
            ask(Seq2Seq())


def test_a_fit_that_is_refused_changes_nothing(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    model = fit()
    before, answer = vars(model).copy(), model.translate("abc")
    with pytest.raises(FileExistsError):
        model.fit([("xyz", "zyx")], [("x", "x")], training=QUICK, out=tmp_path / "full", progress=False)
    assert vars(model).keys() == before.keys() and all(vars(model)[name] is x for name, x in before.items())
    assert model.translate("abc") == answer


def test_a_signal_that_is_ignored_stays_so():
    """As Ctrl-C is by a job of the background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with signals.stop_signals() as stopped:
            signal.raise_signal(signal.SIGINT)
            assert stopped() is None
            signal.raise_signal(signal.SIGTERM)
            assert stopped() == signal.SIGTERM
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_resumed_run_keeps_its_origin(tmp_path):
    fit(out=tmp_path / "r", origin={"task": "mine"})
    again = Seq2Seq.load(tmp_path / "r")
    training = replace(QUICK, epochs=QUICK.epochs + 1)
    again.fit(PAIRS, PAIRS, training=training, out=tmp_path / "r", resume=True, progress=False)
    assert Seq2Seq.load(tmp_path / "r").origin == again.origin == {"task": "mine"}


# Measuring -----------------------------------------------------------------------------------------------

def test_evaluate_with_several_references(model):
    pairs = [("ab", "xx"), ("ab", "ba"), ("bc", "nothing")]
    got = model.evaluate(pairs)
    assert (got["pairs"], got["sources"], got["exact_match"]) == (3, 2, 0.5)
    assert got["character_error_rate"] == pytest.approx((0 + 7) / (2 + 7))


def test_references_are_compared_in_the_form_that_answers_have():
    """Composed letters, one space between words."""
    model = fit([("a", "e\u0301  x"), ("b", "x")], [("a", "e\u0301  x")], training=LONG, target_units="word")
    assert model.translate("a") == "\u00e9 x"
    assert model.evaluate([("a", "e\u0301  x")])["exact_match"] == 1.0


def test_evaluate_says_what_validation_says(model):
    half = fit(training=replace(LONG, epochs=30))
    encoded = [(half.source_vocab.encode(half.source_tokenizer.split(x)),
                half.target_vocab.encode(half.target_tokenizer.split(y))) for x, y in PAIRS]
    v = train.validate(half.params, half.config, encoded)
    got = half.evaluate(PAIRS)
    assert (got["nll_teacher_forced"], got["nll_free_running"]) == v[:2]
    assert got["perplexity_teacher_forced"] == pytest.approx(np.exp(v[0]))
    assert got["perplexity_free_running"] == pytest.approx(np.exp(v[1]))
    assert (got["token_accuracy"], got["exact_match"]) == v[2:]
    assert evaluation.safe_exp(1e4) == np.inf


def test_what_the_model_says_freely_need_not_be_searched_for():
    """An answer found while the losses are measured is greedy search's; the others are searched for."""
    half = fit(training=replace(LONG, epochs=30))
    how = answering.checked(answering.Options(), half)
    _, tokens, _ = evaluation.short_enough(half, PAIRS)
    ids = [(half.source_vocab.encode(s), half.target_vocab.encode(t), x) for (s, t), (x, _) in zip(tokens, PAIRS)]
    answered = evaluation.losses(half, ids, how, False)[1]
    assert answered and {x: tuple(a) for x, a in answered.items()} == {
        x: (best.text, best.target) for x, (best,) in zip(answered, half.decode(list(answered)))}
    assert not evaluation.losses(half, ids, how._replace(beam=2), False)[1]
    assert evaluation.finished(np.array([5, 4, EOS, 7]), 3) == [5, 4]
    for said, most in (([5, 4, 7], 3), ([5, 4, EOS], 2), ([5, UNK, EOS], 3)):
        assert evaluation.finished(np.array(said), most) is None


def test_training_and_evaluation_agree_on_sources_with_several_targets(tmp_path):
    """Five targets for one source: whichever is answered, the source is right, for both."""
    pairs = [("a", "x"), ("a", "y"), ("a", "z"), ("b", "w q"), ("c", "w")]
    model = fit(pairs, pairs, training=LONG, target_units="word", min_count=1)
    assert model.records[-1]["valid_exact_match"] == model.evaluate(pairs)["exact_match"] == 1
    rare = fit(pairs * 2 + [("b", "r")], pairs + [("b", "r")], training=LONG, target_units="word", min_count=2)
    got = rare.evaluate(pairs + [("b", "r")])
    assert rare.records[-1]["valid_exact_match"] == got["exact_match"]
    assert got["unknown_tokens"] == pytest.approx(1 / 7) and got["token_accuracy"] < 1


def test_scores_see_the_text_as_it_was_given():
    """BLEU against the person's text; exact match in the form that answers can have."""
    pytest.importorskip("sacrebleu")
    pairs = [("a", "Tom  Read MY Book"), ("b", "He went Home Again")]
    model = fit(pairs, pairs, training=LONG, target_units="word", lowercase=True)
    got = model.evaluate(pairs)
    assert got["exact_match"] == 1 and got["character_error_rate"] == got["token_error_rate"] == 0
    assert got["bleu"] < 50 and model.translate("a") == "tom read my book"


def test_pairs_beyond_the_runs_limit_are_left_out_of_scores(model):
    short = fit(max_length=8)
    got = short.evaluate(PAIRS + [("a" * 9, "x")])
    assert got["too_long"] == 1 and got["pairs"] == len(PAIRS)
    assert {**got, "too_long": 0} == short.evaluate(PAIRS)
    with pytest.raises(ValueError, match="pairs: all 1 are longer than 8 tokens"):
        short.evaluate([("a" * 9, "x")])


def test_bleu_and_chrf_where_sacrebleu_is(model, monkeypatch):
    pytest.importorskip("sacrebleu")
    assert {"bleu_undefined", "bleu_tokenize", "chrf"} <= model.evaluate(PAIRS).keys()       # short targets
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    assert not {"bleu", "bleu_tokenize", "chrf"} & model.evaluate(PAIRS).keys()


def test_summary_counts_by_hand():
    """V = 8 on both sides (4 special, a b c d), E = 3, H = 2, two layers, attention with W (2, 2)."""
    model = fit(config=Config(embedding=3, hidden=2, layers=2, cell="gru", attention="general"),
                training=Training(epochs=0))
    text = model.summary()
    counts = {"encoder.embedding": 8 * 3, "encoder.layers.0.W": 3 * 6, "encoder.layers.0.U": 2 * 6,
              "encoder.layers.0.b": 6,
              "encoder.layers.1.W": 2 * 6, "decoder.layers.0.W": 3 * 6, "decoder.score.W": 2 * 2,
              "decoder.readout.W": 4 * 8, "decoder.readout.b": 8}
    rows = {line.split()[0]: line.split() for line in text.splitlines() if line}
    for name, count in counts.items():
        assert rows[name][-1] == str(count), name
    assert rows["encoder.layers.0.W"][1:4] == ["3", "x", "6"]
    side = 8 * 3 + (18 + 12 + 6) + (12 + 12 + 6)
    assert f"{2 * side + 4 + 32 + 8}" == rows["in"][-1]
    assert "8 source (char), 8 target (char)" in text and "layers 2" in text


# Progress ------------------------------------------------------------------------------------------------

def test_progress_is_lines_where_there_is_no_terminal_and_nothing_when_not_wanted(capfd):
    Seq2Seq(CONFIG).fit(PAIRS, PAIRS, training=QUICK)
    out, err = capfd.readouterr()
    rows = err.splitlines()
    assert out == "" and "\r" not in err and len(rows) == 7
    assert [row.split()[0] for row in rows] == ["pairs", "source", "target", "model", "compute", "epoch", "epoch"]
    assert rows[5].startswith("epoch 1: loss ") and "exact match" in err and "free-running" in err
    fit()
    assert capfd.readouterr() == ("", "")


def test_warm_starts_do_not_change_init():
    """The first parameters come from the seed alone."""
    model = fit(training=Training(epochs=0, seed=3))
    same(model.params, seq2seq.init(model.config, 3))
    assert sum(a.size for _, a in tree.named(model.params)) > 0
