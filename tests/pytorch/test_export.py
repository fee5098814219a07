"""An exported folder stands alone: it computes the same without minis2s, and is written whole or not at all."""
import json
import os
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

from minis2s import Config, Seq2Seq, Training  # noqa: E402
from minis2s.cli.main import main  # noqa: E402
from minis2s.pytorch.export import export  # noqa: E402

WORDS = ("abc", "bcd", "cda", "dab", "acbd", "ba", "dcb", "adbc")
PAIRS = [(" ".join(a), " ".join(reversed(a)).upper()) for a in WORDS]     # each side has letters of its own
TRANSFORMER = dict(architecture="transformer", heads=2, feed_forward=24)
MODELS = {"attention": (dict(cell="gru", attention="additive", embedding=8), {}),
          "lstm, two directions": (dict(cell="lstm", attention="general", bidirectional=True, input_feeding=True,
                                        fusion="tanh", embedding=8), dict(source_units="word", target_units="space")),
          "no attention": (dict(cell="gru", attention="none", context="every-step", reverse_source=True, layers=2,
                                embedding=8), {}),
          "transformer": (dict(TRANSFORMER, norm="pre", layers=2), {}),
          "transformer, learned positions": (dict(TRANSFORMER, norm="post", positions="learned", max_positions=9,
                                                  tied_embedding=True, reverse_source=True), {}),
          "frames": (dict(cell="gru", bidirectional=True, attention="additive", embedding=8), dict(source_units="npy")),
          "frames, by steps of two": (dict(cell="lstm", attention="dot", embedding=8, stack=2, source="frames"),
                                      dict(source_units="npy"))}


def trained(name, dtype="float64", pairs=PAIRS):
    choices, units = MODELS[name]
    model = Seq2Seq(Config(hidden=12, dtype=dtype, **choices), **units)
    return model.fit(pairs, valid=pairs[:4], training=Training(epochs=30, batch=4, lr=2e-2), progress=False)


def files(pairs, folder):
    """The same pairs with an array of a row for each letter in place of each source."""
    for n, (source, _) in enumerate(pairs):
        np.save(folder / f"{n}.npy", np.array([[ord(a) % 2, ord(a) % 3, ord(a) / 50] for a in source]))
    return [(str(folder / f"{n}.npy"), target) for n, (_, target) in enumerate(pairs)]


def alone(folder, *command):
    """Run in the folder, with an environment in which minis2s cannot be imported."""
    hide = "import sys; sys.modules['minis2s'] = None; import runpy; sys.argv = sys.argv[1:]; " \
           "sys.path.insert(0, '.'); runpy.run_path(sys.argv[0], run_name='__main__')"
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "-c", hide, *command], cwd=folder, text=True, capture_output=True, env=env)


@pytest.mark.parametrize("name", MODELS)
def test_the_folder_checks_itself_without_minis2s(name, tmp_path):
    pairs = files(PAIRS, tmp_path) if name.startswith("frames") else PAIRS
    model = trained(name, pairs=pairs)
    folder = export(model, tmp_path / "out")
    done = alone(folder, "check.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("same") == 4 and "DIFFERENT" not in done.stdout
    texts, most = [source for source, _ in pairs], 9
    for beam in (1, 3):
        done = alone(folder, "translate.py", "--beam", str(beam), "--max-length", str(most), *texts)
        answers = model.translate(texts, beam=beam, max_length=most)
        assert done.stdout.splitlines() == answers, done.stderr
        assert len(set(answers)) > 3
    assert not any("minis2s" in line for path in folder.rglob("*.py") for line in path.read_text().splitlines()
                   if line.startswith(("import", "from")))


def test_a_changed_weight_is_noticed(tmp_path):
    folder = export(trained("attention"), tmp_path / "out")
    data = bytearray((folder / "model.safetensors").read_bytes())
    at = len(data) - 8 * 5
    data[at:at + 8] = np.float64(np.frombuffer(data[at:at + 8])[0] + 1e-6).tobytes()
    (folder / "model.safetensors").write_bytes(data)
    done = alone(folder, "check.py")
    assert done.returncode == 1 and "DIFFERENT  logits" in done.stdout


def test_only_an_exported_model_is_replaced(tmp_path, capsys):
    run, out = tmp_path / "run", tmp_path / "out"
    trained("attention", "float32").save(run)
    assert main(["export", str(run), str(out)]) == 0 and "check.py" in capsys.readouterr().out
    assert alone(out, "check.py").returncode == 0              # float32, too
    before = (out / "model.safetensors").read_bytes()
    assert main(["export", str(run), str(out)]) == 2 and "exists already" in capsys.readouterr().err
    assert main(["export", str(run), str(out), "--overwrite"]) == 0
    assert (out / "model.safetensors").read_bytes() == before  # the same bytes
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").write_text("mine")
    assert main(["export", str(run), str(other), "--overwrite"]) == 2 and (other / "mine.txt").read_text() == "mine"
    assert main(["export", str(tmp_path / "none"), str(tmp_path / "x")]) == 2 and not (tmp_path / "x").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "out", "run"]     # nothing half made is left


def test_what_the_weights_mean_is_said_in_their_file(tmp_path):
    folder = export(trained("attention"), tmp_path / "out")
    data = (folder / "model.safetensors").read_bytes()
    header = json.loads(data[8:8 + int.from_bytes(data[:8], "little")])
    about = json.loads(header["__metadata__"]["minis2s"])
    assert about["config"]["cell"] == "gru" and "z, r, n" in about["conventions"]["gate order"]
    assert "True where real" == about["conventions"]["masks"]


def test_a_model_that_is_not_trained_is_refused(tmp_path):
    with pytest.raises(ValueError, match="not fitted"):
        export(Seq2Seq(Config(hidden=4)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_answered_is_said_in_one_line(tmp_path):
    folder = export(trained("transformer, learned positions"), tmp_path / "out")
    done = alone(folder, "translate.py", "a b c d a b", " ")
    assert done.returncode == 1 and done.stderr.strip() == (
        "translate.py: text 1: 11 tokens, wanted at most 9, as many as there are learned positions")
    assert alone(folder, "translate.py", " ", "a b").stdout.startswith("\n")
    assert alone(folder, "translate.py", " ").stdout == "\n"
    folder = export(trained("frames", pairs=files(PAIRS, tmp_path)), tmp_path / "frames")
    done = alone(folder, "translate.py", str(tmp_path / "none.npy"))
    assert done.returncode == 1 and done.stderr.strip().endswith("none.npy: no such file")
