"""A run's directory: made, refused, read, rewound."""
import json

import pytest

from minis2s.model import seq2seq
from minis2s.training import loop as train
from minis2s.model.config import Config
from minis2s.data.vocabulary import SPECIALS, Vocabulary
from minis2s.api.run import FILES, Run

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
