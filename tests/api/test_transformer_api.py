"""A Transformer through the public class and the command line: learn, answer, evaluate, describe, save, load."""
import subprocess
import sys

import numpy as np
import pytest

from minis2s import Config, Seq2Seq, Training
from minis2s.api.heads import attention_heads, maps_of
from minis2s.model.config import Config as ModelConfig

PAIRS = [("ab", "ba"), ("bc", "cb"), ("ca", "ac"), ("a", "a"), ("abc", "cba"), ("b", "b")]


@pytest.fixture(scope="module")
def model():
    config = Config(architecture="transformer", hidden=16, heads=2, feed_forward=24, reverse_source=True)
    return Seq2Seq(config).fit(PAIRS, valid=PAIRS, training=Training(epochs=60, batch=3, lr=0.01), progress=False)


def test_it_learns_and_answers(model):
    assert model.translate([x for x, _ in PAIRS]) == [y for _, y in PAIRS]
    found = model.evaluate(PAIRS, beam=3)
    assert found["exact_match"] == 1 and found["token_accuracy"] == 1 and found["nll_free_running"] < 0.5
    for options in (dict(beam=3, nbest=3), dict(method="exact"), dict(method="sample", temperature=0.1)):
        assert [best[0].text for best in model.decode([x for x, _ in PAIRS], **options)] == [y for _, y in PAIRS]


def test_attention_stands_in_the_order_of_the_text(model):
    for x, y in PAIRS:
        a = model.decode([x])[0][0]
        assert a.alpha.shape == (len(y) + 1, len(x))
        np.testing.assert_allclose(a.alpha.sum(axis=1), 1, rtol=1e-5)


def test_weights_of_every_head(model, tmp_path):
    """Their mean in the last layer is what the search found; a finished answer's end has a row, and none beyond."""
    for text, options in (("abc", {}), ("ab", dict(max_length=1))):
        a = model.decode([text], **options)[0][0]
        alpha = attention_heads(model, a)
        assert alpha.shape == (1, 2, len(a.alpha), len(text))
        np.testing.assert_allclose(alpha[-1].mean(axis=0), a.alpha, atol=1e-6)
    assert np.abs(alpha[-1][0] - alpha[-1][1]).max() > 1e-3
    maps, names = maps_of(model, a)
    assert names == ["head 1", "head 2"] and maps[1][1:] == (["a", "b"], ["b"])
    np.testing.assert_array_equal(maps[1][0], alpha[-1][1])
    with pytest.raises(ValueError, match="^a: an answer without attention"):
        attention_heads(model, model.decode([" "])[0][0])
    with pytest.raises(ValueError, match="^model: architecture=recurrent has no heads"):
        attention_heads(Seq2Seq(), a)


def test_the_summary_tells_its_own_choices_only(model):
    text = model.summary()
    assert "architecture transformer" in text and "heads 2" in text and "norm pre" in text
    assert "lstm" not in text and "additive" not in text and "decoder.layers.0.cross.f.k" in text


def test_saved_and_loaded_it_answers_the_same(model, tmp_path):
    model.save(tmp_path / "m")
    again = Seq2Seq.load(tmp_path / "m")
    assert again.config == model.config and isinstance(again.config, ModelConfig)
    for a, b in zip(model.decode(["abc"], beam=2, nbest=2)[0], again.decode(["abc"], beam=2, nbest=2)[0]):
        assert a.text == b.text and a.log_prob == b.log_prob


def test_kernels_train_it():
    """To the loss that NumPy comes to; answers are searched for with NumPy's steps."""
    config, losses = Config(architecture="transformer", hidden=8, heads=2, dtype="float64"), []
    for backend in ("numba", "numpy"):
        m = Seq2Seq(config, backend=backend).fit(PAIRS, valid=PAIRS, training=Training(epochs=2, batch=3),
                                                 progress=False)
        assert m.backend == backend
        losses.append((m.evaluate(PAIRS, beam=2), m.translate(["abc"], beam=2)))
    assert losses[0][1] == losses[1][1]
    np.testing.assert_allclose(losses[0][0]["nll_teacher_forced"], losses[1][0]["nll_teacher_forced"], rtol=1e-10)


def test_the_command_line(tmp_path):
    out = tmp_path / "run"
    command = [sys.executable, "-m", "minis2s"]
    train = [*command, "train", "reverse", "--architecture", "transformer", "--hidden", "8", "--heads", "2", "--norm",
             "post", "--layers", "1", "--size", "200", "--epochs", "1", "--warmup", "5", "--schedule", "inverse-sqrt",
             "--out", str(out)]
    done = subprocess.run(train, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Transformer of 8" in done.stderr and "2 heads" in done.stderr and "numba" in done.stderr
    assert (out / "attention.png").exists() and (out / "weights.safetensors").exists()
    said = subprocess.run([*command, "summary", str(out)], capture_output=True, text=True)
    assert said.returncode == 0 and "architecture transformer" in said.stdout
    drawn = "--attention-map", str(tmp_path / "heads.svg")
    said = subprocess.run([*command, "translate", str(out), "abc", "de", *drawn], capture_output=True, text=True)
    assert said.returncode == 0 and said.stdout
    assert (tmp_path / "heads.svg").read_text().count("source, head 2") == 2
    bad = subprocess.run([*train, "--overwrite", "--cell", "gru"], capture_output=True, text=True)
    assert bad.returncode == 2 and "--cell gru: --architecture transformer has no such choice" in bad.stderr


def test_answers_end_where_the_learned_positions_end():
    """The usual greatest length is 10 tokens beyond the longest target; there may be no position for them."""
    config = Config(architecture="transformer", hidden=8, heads=2, feed_forward=8, positions="learned", max_positions=9)
    m = Seq2Seq(config, backend="numpy").fit(PAIRS, valid=PAIRS, training=Training(epochs=1, batch=3), progress=False)
    for how in (dict(), dict(method="beam", beam=2), dict(method="sample")):
        assert all(len(a[0].text) <= 9 for a in m.decode([x for x, _ in PAIRS], **how))
