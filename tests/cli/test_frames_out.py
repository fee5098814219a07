"""Models that write frames, from the command line: trained by a manifest, heard, measured, drawn; refusals."""
import json
import shutil

import numpy as np
import pytest

from minis2s.data import pictures, sound

SMALL = ["--hidden", "12", "--embedding", "6", "--batch", "4", "--epochs", "3", "--frames-per-step", "2", "--dropout",
         "0"]
TEXTS = ["l", "h", "lh", "hl", "ll", "hh"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Six sounds of high and low tones, the same as arrays, and manifests with paths seen from their folder."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "sounds").mkdir()
    for text in TEXTS:
        x = np.concatenate([np.sin(np.arange(600) * 2 * np.pi * {"l": 300, "h": 1500}[c] / 8000) for c in text])
        sound.write_wav(folder / f"sounds/{text}.wav", 0.5 * x, 8000)
        np.save(folder / f"sounds/{text}.npy", sound.log_mel(x, 8000, 5))
    for unit in ("wav", "npy"):
        (folder / f"{unit}.tsv").write_text("".join(f"{text}\tsounds/{text}.{unit}\n" for text in TEXTS))
    return folder


def trained(files, unit, out):
    from minis2s.cli import main as cli
    manifest = str(files / f"{unit}.tsv")
    assert cli.main(["train", "--pairs", manifest, "--valid", manifest, "--target-units", unit, *SMALL, "--out",
                     str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def run(files, no_pictures, tmp_path_factory):
    return trained(files, "wav", tmp_path_factory.mktemp("runs") / "voice")


def test_trained_heard_and_drawn(call, run, tmp_path):
    status, out, err = call("translate", run, "lh", "h", "--out", tmp_path / "said", "--attention-map",
                            tmp_path / "map.png", "--max-length", "9")
    assert status == 0 and out.splitlines()[0].startswith(f"{tmp_path / 'said/1.wav'}\t")
    samples, rate = sound.read_wav(tmp_path / "said/2.wav")
    assert rate == 8000 and len(samples) % 80 == 40                 # 25 ms, then 10 for each frame
    assert pictures.read_png(tmp_path / "map.png").shape[2] == 3
    config = json.loads((run / "config.json").read_text())["config"]
    sizes = [config[k] for k in ("target", "target_frame_size", "frames_per_step", "target_vocab")]
    assert sizes == ["frames", 40, 2, None]
    status, out, _ = call("summary", run)
    assert "target: frames of 40 numbers (wav: log-mel, 8,000 samples a second)" in out
    assert "held-out stops right" in out
    status, out, _ = call("trace", run, "lh")
    assert "lh → " in out and "per frame" in out and "(FO3)   L = (E + B) / M" in out and "(FO3*)" not in out


def test_the_gradient_is_traced_beside_a_file(call, run, files):
    status, out, _ = call("trace", run, "lh", "--backward", files / "sounds/lh.wav")
    assert status == 0 and "(FO3*)  dE = dB = 1 / M" in out and "lh → 13 frames" in out


def test_measured_and_resumed_wherever_the_files_are(call, run, files, tmp_path):
    status, out, _ = call("evaluate", run)
    assert status == 0 and "frame error free running" in out and "length error" in out and "BLEU" not in out
    moved, copy = tmp_path / "moved", tmp_path / "copy"
    shutil.copytree(files, moved)
    shutil.copytree(run, copy)
    status, out, err = call("evaluate", run, "--pairs", moved / "wav.tsv", "--json")
    assert json.loads(out)["sources"] == 6 and "6 of these 6 pairs are not unseen" in err
    again = ["train", "--resume", "--out", copy, "--pairs", moved / "wav.tsv", "--valid", moved / "wav.tsv"]
    status, out, err = call(*again, "--epochs", "4")
    assert status == 0 and "epoch 4" in err and "stops right" in err and f"--out {copy / 'said'}" in out
    sound.write_wav(moved / "sounds/h.wav", np.ones(700), 8000)
    assert "these are not the pairs" in call(*again, "--epochs", "5")[2]


def test_another_run_reads_it_back(call, refused, run, files, tmp_path):
    lines = [f"sounds/{text}.wav\t{text}\n" for text in TEXTS]
    (files / "hear.tsv").write_text("".join(lines))
    hear = ["train", "--pairs", files / "hear.tsv", "--valid", files / "hear.tsv", *SMALL[:8]]
    assert call(*hear, "--source-units", "wav", "--epochs", "80", "--lr", "0.02", "--out", tmp_path / "ears")[0] == 0
    status, out, _ = call("evaluate", run, "--recogniser", tmp_path / "ears")
    assert status == 0 and "read back error rate targets    0.00%" in out and "read back exact match" in out
    assert "reads wav and writes texts, this one reads char and writes wav" in refused(
        "evaluate", run, "--recogniser", run)
    assert "--out: goes with a run that writes sounds" in refused(
        "translate", tmp_path / "ears", files / "sounds/l.wav", "--out", tmp_path / "x")
    assert "reads sounds back, and this model writes texts" in refused(
        "evaluate", tmp_path / "ears", "--recogniser", run)


def test_refusals_are_one_line_and_nothing_is_written(refused, run, files, tmp_path):
    out = tmp_path / "out"
    assert refused("translate", run, "l").endswith("--out DIR: wanted, as this run writes files (wav)")
    (tmp_path / "said").mkdir()
    (tmp_path / "said/2.wav").write_text("mine")
    assert "2.wav: exists already; replace it with --overwrite" in refused("translate", run, "l", "h", "--out",
                                                                           tmp_path / "said")
    assert [p.name for p in (tmp_path / "said").iterdir()] == ["2.wav"]
    assert "a file, wanted a folder" in refused("translate", run, "l", "--out", tmp_path / "said/2.wav")
    assert "text 2 is blank" in refused("translate", run, "l", " ", "--out", out)
    for options in (["--beam", "2"], ["--sample"], ["--exact"], ["--beam", "2", "--nbest", "2"]):
        assert "neither a beam nor sampling" in refused("translate", run, "l", "--out", out, *options)
    assert "writes frames, wanted a run that writes tokens" in refused("explain", run, "l")
    assert "which are not searched for" in refused("explain", run, "l", "--search", "2")
    assert "wanted a model that answers tokens" in refused("export", run, out)
    assert "task 'voice': char -> wav, wanted one from texts to texts" in refused("compare", "voice")
    train = ["train", "--pairs", files / "wav.tsv", "--out", out]
    for told, *options in (
            ("choose one of char, word, space", "--target-units", "png"),
            ("no PyTorch module", "--target-units", "wav", "--backend", "torch"),
            ("never equal; choose loss", "--target-units", "wav", "--monitor", "exact-match"),
            ("for texts of --pairs FILE", "--target-units", "wav", "--stream"),
            ("take target=frames", "--frames-per-step", "2"),
            ("no array of numbers saved by NumPy", "--target-units", "npy"),
            ("it says frames", "--target-units", "wav", "--teacher", run)):
        assert told in refused(*train, *options)
    assert not out.exists()


def test_numba_trains_and_writes_what_numpy_does(call, files, tmp_path):
    """The same losses, the same frames to within rounding, and no warning."""
    losses = []
    for name in ("numba", "numpy"):
        status, _, err = call("train", "--pairs", files / "npy.tsv", "--target-units", "npy", *SMALL, "--backend", name,
                              "--out", tmp_path / name)
        assert status == 0 and "no compiled implementation" not in err
        assert json.loads((tmp_path / name / "config.json").read_text())["backend"] == name
        rows = [json.loads(line) for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]
        losses.append([row["valid_loss_free_running"] for row in rows])
    np.testing.assert_allclose(*losses, rtol=1e-4)


def test_a_start_brings_its_units(call, run, files, tmp_path):
    status, _, err = call("train", "--pairs", files / "wav.tsv", "--from", run, *SMALL[:2], *SMALL[4:8], "--out",
                          tmp_path / "more")
    assert status == 0 and "target   frames of 40 numbers" in err
