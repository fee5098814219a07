"""ONNX: both graphs have the module's numbers for all choices of a Config, and the folder answers without torch."""
import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest

from configs import CONFIGS, TRANSFORMERS
from draw import batch as draw_batch, like

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
torch.set_num_threads(1)

from minis2s import Config, Seq2Seq, Training  # noqa: E402
from minis2s.cli.main import main  # noqa: E402
from minis2s.core import tree  # noqa: E402
from minis2s.model import architectures, parameters  # noqa: E402
from minis2s.pytorch import convert, onnx_graphs  # noqa: E402

ALL = {**{f"recurrent {name}": c for name, c in CONFIGS.items()},
       **{f"transformer {name}": c for name, c in TRANSFORMERS.items()}}
PAIRS = [(" ".join(a), " ".join(reversed(a))) for a in ("abc", "bcd", "cda", "dab", "acbd", "ba", "dcb", "adbc")]


@pytest.mark.parametrize("name", ALL)
def test_the_graphs_have_the_logits_of_the_hand_written_model(name, tmp_path):
    config, rng = dataclasses.replace(ALL[name], dtype="float32", dropout=0.0), np.random.default_rng(0)
    p = tree.map(lambda a: a.astype("float32"), like(rng, parameters.init(config)))
    batch = draw_batch(rng, config, (5, 2, 4), (1, 3, 2))
    if config.source == "frames":
        batch = batch._replace(source=batch.source.astype("float32"))
    onnx_graphs.write(convert.to_module(p, config), tmp_path)
    logits = architectures.of(config).logits(p, config, batch)
    onnx_graphs.check(tmp_path, batch, logits)
    wrong = logits.copy()
    wrong[0, 0, 0] += 1e-3 * abs(logits).max()
    with pytest.raises(ValueError, match="onnxruntime's logits differ by"):
        onnx_graphs.check(tmp_path, batch, wrong)


def trained(dtype="float32", **choices):
    model = Seq2Seq(Config(hidden=12, dtype=dtype, **choices))
    return model.fit(PAIRS, valid=PAIRS[:4], training=Training(epochs=30, batch=4, lr=2e-2), progress=False)


def alone(folder, *command):
    """Run in the folder, where neither minis2s nor torch can be imported."""
    hide = "import sys; sys.modules['minis2s'] = sys.modules['torch'] = None; import runpy; sys.argv = sys.argv[1:]; " \
           "sys.path.insert(0, '.'); runpy.run_path(sys.argv[0], run_name='__main__')"
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "-c", hide, *command], cwd=folder, text=True, capture_output=True, env=env)


@pytest.mark.parametrize("choices", (dict(cell="gru", attention="additive", bidirectional=True, reverse_source=True,
                                          dtype="float64"),
                                     dict(architecture="transformer", heads=2, feed_forward=24)),
                         ids=("gru", "transformer"))
def test_the_folder_answers_with_onnxruntime_alone(choices, tmp_path, capsys):
    model = trained(**choices)
    model.save(tmp_path / "run")
    assert main(["export", str(tmp_path / "run"), str(tmp_path / "out"), "--to", "onnx"]) == 0
    assert "run.py --check" in capsys.readouterr().out
    texts = [source for source, _ in PAIRS]
    answers = model.translate(texts)
    done = alone(tmp_path / "out", "run.py", *texts[:3], " ", *texts[3:])
    assert done.stdout.splitlines() == [*answers[:3], "", *answers[3:]] and len(set(answers)) > 4, done.stderr
    done = alone(tmp_path / "out", "run.py", "--check")
    assert done.returncode == 0 and done.stdout == "same       greedy answers\n", done.stderr
    file = tmp_path / "out" / "reference.json"
    file.write_text(file.read_text().replace('"greedy": [[', '"greedy": [[5, '))
    assert alone(tmp_path / "out", "run.py", "--check").returncode == 1


def test_the_place_of_the_reset_gate_and_the_order_of_gates_matter():
    p = tree.map(torch.from_numpy,
                 like(np.random.default_rng(0), parameters.init(CONFIGS["plain-gru-after"])).encoder.layers[0])
    H = p.U.shape[0]
    W, R, B = onnx_graphs.weights(p, "gru-after")
    np.testing.assert_array_equal(W[0, :H].T, -p.W[:, :H])
    np.testing.assert_array_equal(R[0, H:].T, p.U[:, H:])
    np.testing.assert_array_equal(B[0, -H:], p.b_U)
