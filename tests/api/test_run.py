"""A run's directory: made, refused, read, rewound."""
import json
import os
import re
import tempfile
from pathlib import Path

import pytest

from minis2s.api import run as run_file
from minis2s.api.run import FILES, Run
from minis2s.core import files
from minis2s.data.vocabulary import SPECIALS, Vocabulary
from minis2s.model import seq2seq
from minis2s.model.config import Config
from minis2s.training import loop as train

C = Config(source_vocab=6, target_vocab=5, embedding=3, hidden=2)
SOURCE, TARGET = Vocabulary(SPECIALS + ("a", "你")), Vocabulary(SPECIALS + ("b",))
UNITS = {"source_units": "char", "target_units": "word", "min_count": 1, "lowercase": True, "max_length": 70}
STORY = {"config": C.to_json(), "units": UNITS,
         "lengths": {"source": 3, "target": 2}, "origin": {"task": "x"}}


def write(run):
    run.write_model(STORY, SOURCE, TARGET)


@pytest.fixture
def run(tmp_path):
    r = Run(tmp_path / "deep" / "run")
    r.create(write)
    return r


def test_what_is_written_is_read(run):
    description, source, target = run.read_model()
    assert description["config"] == C and (source, target) == (SOURCE, TARGET)
    assert all(description[k] == STORY[k] for k in ("units", "lengths", "origin"))
    assert "你" in run.vocabulary.read_text(encoding="utf-8")


def test_units_of_runs_from_before_words_had_ties(run):
    edited(run.config, units={"source_units": "char", "target_units": "word", "min_count": 2}, sha256=None)
    assert run.read_model()[0]["units"] == {"source_units": "char", "target_units": "word-1", "min_count": 2,
                                            "lowercase": False, "max_length": 10**9}


def test_sub_words_stand_with_the_vocabulary(run):
    run.write_model({**STORY, "subwords": {"source": "abc="}}, SOURCE, TARGET)
    assert run.read_model()[0]["subwords"] == {"source": "abc="} and "abc=" not in run.config.read_text()
    words = json.loads(run.vocabulary.read_text(encoding="utf-8"))
    edited(run.vocabulary, subwords={"source": "abd="})
    with pytest.raises(ValueError, match="vocabulary.json: changed after it was saved"):
        run.read_model()
    assert words["subwords"] == {"source": "abc="}


def test_an_existing_run_is_refused_or_replaced_and_other_files_stay(run):
    for name in FILES:
        (run.path / name).write_text("old")
    (run.path / "notes.txt").write_text("mine")
    (run.path / ".tmp-1234.json").write_text("half a file of a run that was killed")
    with pytest.raises(FileExistsError, match="run: exists already; .*resume=True.*overwrite=True"):
        run.create(write)
    assert len(list(run.path.iterdir())) == len(FILES) + 2
    run.create(write, overwrite=True)
    assert {p.name for p in run.path.iterdir()} == {"notes.txt", "config.json", "vocabulary.json"}
    run.read_model()


def test_an_old_run_stays_until_the_new_one_is_there(run, tmp_path):
    def full(new):
        write(new)
        new.weights.write_text("half")
        raise OSError(28, "No space left on device")
    before = {p.name: p.read_text() for p in run.path.iterdir()}
    with pytest.raises(OSError, match="No space"):
        run.create(full, overwrite=True)
    assert {p.name: p.read_text() for p in run.path.iterdir()} == before
    with pytest.raises(OSError, match="No space"):
        Run(tmp_path / "new").create(full)
    assert not (tmp_path / "new").exists()


def test_an_empty_directory_is_taken(tmp_path):
    Run(tmp_path).create(write)
    Run(tmp_path).read_model()


def test_a_file_in_the_place_of_the_directory(tmp_path):
    (tmp_path / "f").write_text("x")
    for path in (tmp_path / "f", tmp_path / "f" / "run"):
        for overwrite in (False, True):
            with pytest.raises(NotADirectoryError):
                Run(path).create(write, overwrite)
    assert (tmp_path / "f").read_text() == "x"


def edited(path, **changes):
    value = json.loads(path.read_text(encoding="utf-8"))
    for key, new in changes.items():
        if new is None:
            del value[key]
        else:
            value[key] = new
    path.write_text(json.dumps(value), encoding="utf-8")


@pytest.mark.parametrize("changes, told", [
    (dict(format=2), "format 2, this version reads 1"), (dict(config=None), "config is None"),
    (dict(config={**C.to_json(), "hidden": -1}), "hidden=-1"),
    (dict(config={"depth": 3}), "unknown configuration depth"),
    (dict(config={**C.to_json(), "hidden": "2"}), "hidden='2'"), (dict(units={"source": "char"}), "units is"),
    (dict(lengths={"source": "3", "target": 2}), "lengths is"), (dict(origin=None), "origin is None"),
    (dict(vocabulary=None), "vocabulary is None")])
def test_an_edited_config(run, changes, told):
    edited(run.config, **changes)
    with pytest.raises(ValueError, match=f"config.json: {told}"):
        run.read_model()


@pytest.mark.parametrize("changes", [dict(source=[*SPECIALS, "你", "a"]), dict(target=[*SPECIALS, "c"]),
                                     dict(target=None),
                                     dict(source=[*SPECIALS, "a"]), dict(more=[])])
def test_an_edited_vocabulary(run, changes):
    edited(run.vocabulary, **changes)
    with pytest.raises(ValueError, match=r"vocabulary.json: changed after it was saved"):
        run.read_model()


def test_files_that_are_broken_or_missing(run, tmp_path):
    for path in (run.vocabulary, run.config):
        data = path.read_bytes()
        for broken, told in ((data[:20], "not JSON"), (b"[1]", "wanted a JSON object"),
                             (b"\xff\xfe", "not JSON")):
            path.write_bytes(broken)
            with pytest.raises(ValueError, match=f"{path.name}: {told}"):
                run.read_model()
        path.unlink()
        with pytest.raises(FileNotFoundError, match=f"{path.name}: missing, .*overwrite=True"):
            run.read_model()
        path.write_bytes(data)
    with pytest.raises(FileNotFoundError, match="none: no such run directory"):
        Run(tmp_path / "none").read_model()


def row(step, epoch, end):
    return {"step": step, "epoch": epoch, "end_of_epoch": end, "valid_exact_match": 0.5}


ROWS = [row(2, 0.5, False), row(4, 1.0, True), row(6, 1.5, False), row(8, 2.0, True)]


@pytest.mark.parametrize("broken", ['{"step": 9, "ep', "[]", "5", '{"step": 9}',
                                    '{"step": 9, "epoch": 3, "end_of_epoch": true}'])
def test_records_end_at_the_first_broken_line(run, broken):
    assert run.records() == []
    for r in ROWS:
        run.append(r)
    assert run.records() == ROWS
    with open(run.metrics, "a") as f:
        f.write(broken)
    assert run.records() == ROWS


@pytest.mark.parametrize("step, epoch, kept",
                         [(0, 0, 0), (1, 0, 0), (2, 0, 1), (4, 0, 1), (4, 1, 2), (7, 1, 3), (8, 1, 3),
                          (8, 2, 4)])
def test_rewinding_drops_what_will_be_written_again(run, step, epoch, kept):
    """At step 4 an epoch's last batch is done; only with epoch 1 is its evaluation behind the checkpoint."""
    for r in ROWS:
        run.append(r)
    with open(run.metrics, "a") as f:
        f.write('{"cut')
    progress = train.begin(C, train.Training())._replace(step=step, epoch=epoch)
    run.rewind(progress)
    assert run.records() == ROWS[:kept]
    run.append(ROWS[3])
    assert run.records() == ROWS[:kept] + ROWS[3:]


def test_weights_are_the_best_or_before_that_the_present_ones(run):
    from minis2s.training import checkpoint
    progress = train.begin(C, train.Training())
    other = seq2seq.init(C, seed=5)
    for score, wanted in ((None, other), ((0.0, -1.0), progress.best)):
        run.save_progress(progress._replace(params=other, best_score=score), C)
        got = checkpoint.load_weights(run.weights, C)
        assert (got.encoder.embedding == wanted.encoder.embedding).all()
        assert (checkpoint.load_progress(run.checkpoint,
                                         C).params.encoder.embedding == other.encoder.embedding).all()


# The record of training ----------------------------------------------------------------------------------

WHOLE = "".join(json.dumps(r) + "\n" for r in ROWS)
BAD_LINES = {
    "cut off": (WHOLE[:-20], 3, "line 4: not JSON"), "cut off at its end": (WHOLE[:-1], 4, None),
    "NaN": (WHOLE + '{"step": 9, "epoch": 3, "end_of_epoch": true, "valid_exact_match": NaN}\n', 4,
            "line 5: not JSON .*NaN"),
    "infinite": (WHOLE + '{"step": 9, "epoch": 1e999, "end_of_epoch": true, "valid_exact_match": 0.5}\n', 4,
                 "epoch is inf"),
    "another": (WHOLE + '{"step": 9, "epoch": 3, "end_of_epoch": true, "valid_exact_match": 0.5, "lr": -1e999}\n', 4,
                "lr is -inf"),
    "a word": (WHOLE.replace('"step": 4', '"step": "4"'), 1, "line 2: step is '4'; .* nor are the 2 lines after"),
    "a truth": (WHOLE.replace('"epoch": 1.5', '"epoch": true'), 2, "line 3: epoch is True; .* nor is the line after"),
    "missing": (WHOLE.replace('"end_of_epoch": true, ', ""), 1, "line 2: end_of_epoch is None"),
    "list": ("[]\n" + WHOLE, 0, "line 1: not a JSON object"),
    "deep": (WHOLE + '{"step":' + "[" * 100_000 + "\n", 4, "line 5: not JSON .nested deeper than 100 levels"),
    "not UTF-8": (None, 1, "line 2: not JSON"), "fine": (WHOLE, 4, None), "nothing": ("", 0, None)}


@pytest.mark.parametrize("text, count, told", BAD_LINES.values(), ids=BAD_LINES)
def test_a_broken_record_is_not_counted_and_said(run, text, count, told):
    data = WHOLE.encode().replace(b"4", b"\xff", 1) if text is None else text.encode()
    run.metrics.write_bytes(data)
    rows, problem = run.read_records()
    assert rows == ROWS[:count] == run.records()
    if told is None:
        assert problem is None
    else:
        assert re.search(f"^{re.escape(str(run.metrics))}, line .*", problem) and re.search(told, problem), problem
        assert "not counted" in problem and problem.isprintable()


def test_numbers_that_are_not_finite_are_written_as_null(run):
    run.append({**ROWS[0], "valid_loss_free_running": float("nan"), "lr": float("inf"), "train_loss": 0.5})
    assert run.records() == [{**ROWS[0], "valid_loss_free_running": None, "lr": None, "train_loss": 0.5}]


# Digests, nesting, full disks ----------------------------------------------------------------------------

def test_every_part_of_the_configuration_is_under_its_digest(run):
    """Whatever is edited, added or removed; only a run from before there was one has none."""
    run.write_model({**STORY, "training": {"batch": 2, "seed": 0}, "data": {"train": 5, "sha256": "x"}}, SOURCE, TARGET)
    good = json.loads(run.config.read_text(encoding="utf-8"))
    edits = [dict(training={"batch": 3, "seed": 0}), dict(training={"batch": 2, "seed": 1}), dict(training=None),
             dict(data={"train": 4, "sha256": "x"}), dict(origin={"task": "y"}),
             dict(lengths={"source": 4, "target": 2}), dict(units={**UNITS, "min_count": 2}),
             dict(config={**C.to_json(), "dropout": 0.5}), dict(more=1), dict(sha256="0" * 64), dict(sha256=5)]
    for changes in edits:
        edited(run.config, **changes)
        with pytest.raises(ValueError, match=r"config.json: changed after it was saved \(its digest does not fit\)"):
            run.read_model()
        run.config.write_text(json.dumps(good), encoding="utf-8")
    run.read_model()
    edited(run.config, sha256=None)
    run.read_model()


@pytest.mark.parametrize("name", ["config.json", "vocabulary.json"])
@pytest.mark.parametrize("depth", [90, 101, 900, 100_000])
def test_json_nested_deeply_is_refused_in_one_line(run, name, depth):
    path = run.path / name
    path.write_text('{"a": ' + "[" * depth + "]" * depth + "}")
    with pytest.raises(ValueError, match=f"{name}: not JSON .nested deeper than 100 levels" if depth > 100
                       else "format None|vocabulary.json: changed"):
        run.read_model()


def test_what_is_wrong_in_a_file_is_shown_in_short(run):
    edited(run.config, format="x" * 10_000, units=["y" * 10_000])
    for _ in range(2):
        with pytest.raises(ValueError) as caught:
            run.read_model()
        assert len(str(caught.value)) < 500 and str(caught.value).isprintable()
        edited(run.config, format=1)


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a file system that takes any bytes as a name")
def test_a_name_that_is_not_utf8_is_written_and_read():
    name = os.fsdecode(b"pairs-\xff.tsv")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        run = Run(Path(folder) / os.fsdecode(b"r-\xff"))
        run.create(lambda new: new.write_model({**STORY, "origin": {"pairs": name}}, SOURCE, TARGET))
        assert run.read_model()[0]["origin"] == {"pairs": name}


def test_the_old_run_is_no_run_while_it_is_replaced(run, monkeypatch):
    """A process killed between two files must not leave one run's configuration with another's weights."""
    moved = []

    def replace(old, new):
        moved.append(Path(new).name)
        assert not run.config.exists()
        os.rename(old, new)
    with monkeypatch.context() as m:
        m.setattr(run_file.os, "replace", lambda old, new: os.rename(old, new))

        def both(new):
            write(new)
            new.weights.write_text("w")
            m.setattr(run_file.os, "replace", replace)
        run.create(both, overwrite=True)
    assert sorted(moved) == ["config.json", "vocabulary.json", "weights.safetensors"] and moved[-1] == "config.json"


def test_errors_name_the_persons_file_not_a_temporary_one(run, monkeypatch):
    def full(new):
        raise OSError(28, "No space left on device", str(new.weights))

    def no_room(new):
        monkeypatch.setattr(files.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        write(new)
    for fail, name in ((full, "weights.safetensors"), (no_room, "vocabulary.json")):
        with pytest.raises(OSError) as caught:
            run.create(fail, overwrite=True)
        assert caught.value.filename == str(run.path / name)
        monkeypatch.undo()
    monkeypatch.setattr(run_file.tempfile, "mkdtemp", lambda *a, **k: (_ for _ in ()).throw(
        PermissionError(13, "Permission denied", str(run.path / ".tmp-abc"))))
    with pytest.raises(PermissionError) as caught:
        run.create(write, overwrite=True)
    assert caught.value.filename == str(run.path)
    monkeypatch.undo()
    monkeypatch.setattr("builtins.open", lambda *a, **k: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError) as caught:
        run.append(ROWS[0])
    monkeypatch.undo()
    assert caught.value.filename == str(run.metrics)


def test_what_cannot_be_read_is_not_said_to_be_missing(run, monkeypatch):
    def denied(self):
        raise PermissionError(13, "Permission denied", str(self))
    monkeypatch.setattr(Path, "read_bytes", denied)
    for read in (run.read_model, run.records):
        with pytest.raises(PermissionError):
            read()


def test_leftovers_of_a_killed_process_are_no_run(tmp_path):
    """A process killed while it made the run leaves a folder of its own, and its lock."""
    (tmp_path / ".tmp-abc").mkdir()
    (tmp_path / ".lock").write_text("process 5")
    Run(tmp_path).create(write)
    assert {p.name for p in tmp_path.iterdir()} == {"config.json", "vocabulary.json"}


def test_a_digest_is_of_values_not_of_the_order_in_which_they_stand():
    from minis2s.api.run import digest
    assert digest({"a": [1, 2], "b": {"c": 3, "d": 4}}) == digest({"b": {"d": 4, "c": 3}, "a": [1, 2]})
    values = {"a": [1, 2]}, {"a": [2, 1]}, {"a": ["1", 2]}, {"b": [1, 2]}, {"a": [1, 2], "b": None}
    assert len({digest(x) for x in values}) == 5
