"""Files of frames from the command line: trained on by a manifest, evaluated, translated, drawn; bad ones refused."""
import json
import re
import shutil

import numpy as np
import pytest

from minis2s import Seq2Seq
from minis2s.api.answering import Translation
from minis2s.cli.task import attention_on_support
from minis2s.data import pictures, sound
from minis2s.tasks import TASKS, judge_of

SMALL = ["--hidden", "12", "--embedding", "8", "--batch", "4", "--epochs", "40", "--lr", "0.02", "--dropout", "0"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Eight sounds, high or low, and a manifest with paths seen from its folder."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "sounds").mkdir()
    rng, lines = np.random.default_rng(0), []
    for i in range(8):
        name, pitch = f"sounds/{i}.wav", (300, 1500)[i % 2]
        sound.write_wav(folder / name, 0.5 * np.sin(np.arange(600 + 100 * i) * 2 * np.pi * pitch / 8000 + rng.random()),
                        8000)
        lines.append(f"{name}\t{('low', 'high')[i % 2]}\n")
    (folder / "manifest.tsv").write_text("".join(lines))
    return folder


@pytest.fixture(scope="module")
def run(files, no_pictures, tmp_path_factory):
    """A run that knows high from low."""
    from minis2s.cli import main as cli
    out = tmp_path_factory.mktemp("runs") / "pitch"
    assert cli.main(["train", "--pairs", str(files / "manifest.tsv"), "--valid", str(files / "manifest.tsv"),
                     "--source-units", "wav", "--target-units", "word", *SMALL, "--out", str(out)]) == 0
    return out


def test_trained_translated_and_drawn(call, run, files, tmp_path):
    status, out, _ = call("translate", run, files / "sounds/0.wav", files / "sounds/7.wav", "--attention-map",
                          tmp_path / "map.png")
    assert (status, out) == (0, "low\nhigh\n") and pictures.read_png(tmp_path / "map.png").shape[2] == 3
    config = json.loads((run / "config.json").read_text())["config"]
    assert (config["source"], config["frame_size"], config["stack"], config["source_vocab"]) == ("frames", 40, 3, None)
    assert "frames of 40 numbers (wav: log-mel, 8,000 samples a second), 3 in a step" in call("summary", run)[1]
    status, out, _ = call("trace", run, files / "sounds/0.wav", "--backward", "low", "--steps", "1")
    assert status == 0 and "'step 1'" in out and "(E2)" not in out       # (E2) is of all steps at once
    assert "(E2)    x_t = f_t W + b" in call("trace", run, files / "sounds/0.wav")[1]


def test_evaluated_and_resumed_wherever_the_files_are(call, run, files, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(files, moved)
    status, out, err = call("evaluate", run, "--pairs", moved / "manifest.tsv")
    assert status == 0 and "exact match               100.00%" in out
    assert "8 of these 8 pairs are not unseen" in err                    # known by what is in the files
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    status, _, err = call("train", "--resume", "--out", copy, "--pairs", moved / "manifest.tsv", "--valid",
                          moved / "manifest.tsv", "--epochs", "41")
    assert status == 0 and "epoch 41" in err
    sound.write_wav(moved / "sounds/0.wav", np.ones(700), 8000)
    status, _, err = call("train", "--resume", "--out", copy, "--pairs", moved / "manifest.tsv", "--valid",
                          moved / "manifest.tsv", "--epochs", "42")
    assert status == 2 and "these are not the pairs" in err


def test_the_python_class_reads_a_manifest_too(run, files):
    model = Seq2Seq.load(run)
    assert model.evaluate(files / "manifest.tsv")["exact_match"] == 1
    assert model.translate(str(files / "sounds/3.wav")) == "high"
    with pytest.raises(ValueError, match="source_units='char' with source=frames: choose one of wav, png, npy"):
        Seq2Seq(model.config)
    with pytest.raises(ValueError, match="target_units='png': choose one of char, word, space"):
        Seq2Seq(target_units="png")


def test_bad_files_are_one_line_and_nothing_is_written(refused, run, files, tmp_path):
    (tmp_path / "a.tsv").write_text("none.wav\tlow\nother.wav\thigh\n")
    train = ["train", "--pairs", tmp_path / "a.tsv", "--source-units", "wav", "--out", tmp_path / "new"]
    assert refused(*train).endswith(".wav: no such file")
    (tmp_path / "none.wav").write_bytes(b"")
    (tmp_path / "other.wav").write_bytes(b"")
    assert "wav: no whole WAV file (it ends too soon)" in refused(*train)
    assert not (tmp_path / "new").exists()
    assert "no such file" in refused("translate", run, tmp_path / "no.wav")
    assert "stack 2 with source=tokens: only frames are stacked" in refused(
        "train", "--pairs", files / "manifest.tsv", "--stack", "2", "--out", tmp_path / "new")


def test_a_task_shows_samples_checker_baseline_and_failure(call, refused, tmp_path, run):
    status, out, _ = call("task", "pictures", "--samples", "2", "--out", tmp_path / "samples")
    assert status == 0 and sorted(p.name for p in (tmp_path / "samples").iterdir()) == ["1.png", "2.png"]
    assert out.count(": right\n") == 1 and out.count(": wrong\n") == 1
    assert "the baseline answers the most frequent sentence" in out and "what fails: Yellow circles" in out
    assert "exists" in refused("task", "pictures", "--samples", "2", "--out", tmp_path / "samples")
    assert call("task", "speech", "--samples", "1", "--out", tmp_path / "sounds")[0] == 0
    assert sound.read_wav(tmp_path / "sounds/1.wav")[1] == 8000
    assert "which need no files" in refused("task", "dates", "--out", tmp_path / "dates")
    assert "is no run of speech" in refused("task", "speech", "--run", run)
    assert "no task 'speach'" in refused("task", "speach")


def test_attention_on_the_facts_that_an_answer_rests_on(call, tmp_path):
    source = "mary ran to the park . tom ran to the office . ? where is tom"
    alpha = np.arange(len(source.split()), dtype=float)[None]
    answer = Translation("office", source.split(), ["office"], 0.0, 0.0, alpha, True, (), False)
    nobody = answer._replace(source="tom took the cup . ? where is anna".split(), alpha=np.ones((1, 8)))
    texts = [source, " ".join(nobody.source)]
    assert attention_on_support(judge_of(TASKS["questions"]), texts, [answer, nobody]) == (6 + 7 + 8 + 9 + 10, 5 / 16)
    assert attention_on_support(judge_of(TASKS["questions"]), texts[1:], [nobody]) == (0, 0)
    out = tmp_path / "run"
    assert call("train", "questions", "--size", "40", "--epochs", "1", "--hidden", "8", "--out", out)[0] == 0
    said = call("task", "questions", "--run", out, "--samples", "1")[1]
    found = re.search(r"attention on the facts .*: (\S+)%; they are (\S+)% of the source", said)
    assert 0 < float(found[1]) < 100 and 10 < float(found[2]) < 40


def test_a_task_of_frames_is_trained_scored_by_kind_and_looked_at(call, tmp_path):
    out = tmp_path / "run"
    status, said, _ = call("train", "pictures", "--size", "40", "--epochs", "1", "--hidden", "8", "--embedding", "4",
                           "--out", out)
    assert status == 0 and "right by the checker: all " in said and "withheld combinations" in said
    status, said, _ = call("evaluate", out, "--json")
    assert set(json.loads(said)["right"]) == {"all", "one thing", "two things", "some of a kind",
                                              "withheld combinations"}
    assert "right by the checker      " in call("evaluate", out)[1]
    status, said, _ = call("task", "pictures", "--run", out, "--samples", "1")
    assert status == 0 and "the run, on test pairs:" in said and "wrong answers:" in said
    assert call("translate", out, "picture:small red circle 5 5; seed 1")[0] == 0
