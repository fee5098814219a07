"""Models that write frames: trained, kept, resumed, measured, read back by a recogniser, written as files."""
import json
import math

import numpy as np
import pytest

from minis2s import Config, Seq2Seq, Training
from minis2s.api import answering, fitting, speaking
from minis2s.core import tree
from minis2s.data import sound

SHAPE = {"l": [1.0, 0.0], "h": [0.0, 1.0]}
TEXTS = ["l", "h", "lh", "hl", "ll", "hh", "lhl", "hlh", "llh", "hhl"]
OPTIONS = dict(batch=4, lr=0.02, lr_final=1e-3)
SMALL = dict(hidden=24, embedding=8, bidirectional=True, attention_order="before", fusion="tanh")


def frames_of(text):
    """Three frames a letter: with two in a step the last step of some is not full."""
    return np.repeat([SHAPE[letter] for letter in text], 3, axis=0)


@pytest.fixture(scope="module", autouse=True)
def no_pictures():
    with pytest.MonkeyPatch.context() as m:
        m.setattr(fitting, "draw", lambda *_: None)
        m.setenv("MINIS2S_BACKEND", "numpy")
        yield


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("arrays")
    for text in TEXTS:
        np.save(folder / f"{text}.npy", frames_of(text))
    return [(text, str(folder / f"{text}.npy")) for text in TEXTS]


@pytest.fixture(scope="module")
def speaker(pairs):
    return Seq2Seq(Config(target="frames", frames_per_step=2, **SMALL), target_units="npy").fit(
        pairs, valid=pairs, training=Training(epochs=100, **OPTIONS), progress=False)


@pytest.fixture(scope="module")
def hearer(pairs):
    return Seq2Seq(Config(**SMALL), source_units="npy").fit(
        [(y, x) for x, y in pairs], valid=[(y, x) for x, y in pairs], training=Training(epochs=60, **OPTIONS),
        progress=False)


def test_it_says_what_it_learnt_kept_or_not(speaker, tmp_path):
    assert speaker.config.target_vocab is None and speaker.config.target_frame_size == 2
    speaker.save(tmp_path / "kept")
    for model in (speaker, Seq2Seq.load(tmp_path / "kept")):
        for text, said in zip(TEXTS, model.translate(TEXTS)):
            T = 3 * len(text)
            assert said.dtype == np.float32 and len(said) == T + T % 2      # the last step is written whole
            assert np.abs(said[:T] - frames_of(text)).max() < 0.2
        best, = model.decode(["lhl"])[0]
        assert best.text == "" and best.finished and best.alpha.shape == (5, 3) and math.isnan(best.log_prob)
        assert model.translate(" ").shape == (0, 2)
    assert "target: frames of 2 numbers (npy: rows of arrays)" in speaker.summary()
    with pytest.warns(UserWarning, match="the answer is cut off at 4 frames"):
        assert len(speaker.translate("lhl", max_length=3)) == 4


def test_resumed_training_is_as_if_never_stopped(pairs, tmp_path):
    def model():
        return Seq2Seq(Config(target="frames", frames_per_step=2, **SMALL, dropout=0.1), target_units="npy")

    def training(epochs):
        return Training(epochs=epochs, batch=4, teacher_forcing=0.8)
    whole = model().fit(pairs, training=training(4), progress=False)
    model().fit(pairs, training=training(2), out=tmp_path / "run", progress=False)
    resumed = model().fit(pairs, training=training(4), out=tmp_path / "run", resume=True, progress=False)
    assert all(np.array_equal(a, b) for a, b in zip(tree.leaves(whole.params), tree.leaves(resumed.params)))
    rows = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4] and "valid_stop_accuracy" in rows[0]
    np.save(pairs[0][1], frames_of("h"))
    with pytest.raises(ValueError, match="these are not the pairs"):
        model().fit(pairs, training=training(5), out=tmp_path / "run", resume=True, progress=False)
    np.save(pairs[0][1], frames_of("l"))


def test_measured_and_read_back(speaker, hearer, pairs):
    found = speaker.evaluate(pairs, recogniser=hearer)
    assert (found["pairs"], found["sources"], found["too_long"]) == (10, 10, 0)
    assert found["finished"] == found["stop_accuracy"] == 1 and found["frame_error_free_running"] < 0.01
    late = [len(text) % 2 / (3 * len(text)) for text in TEXTS]              # the frame that fills the last step
    assert found["length_error"] == pytest.approx(np.mean(late))
    assert found["read_back_error_rate_targets"] == 0 and found["read_back_exact_match_targets"] == 1
    assert found["read_back_error_rate"] < 0.3                              # a frame more is a letter to some ears
    wrong = [(x, pairs[(i + 1) % 10][1]) for i, (x, _) in enumerate(pairs)]     # files of other texts
    found = speaker.evaluate(wrong, recogniser=hearer)
    assert found["read_back_error_rate_targets"] > 0.5 > 0.3 > found["read_back_error_rate"]
    assert found["read_back_exact_match_targets"] == 0
    assert "read_back_error_rate" not in speaker.evaluate(pairs)


def test_written_whole_or_not_at_all(speaker, tmp_path):
    answers = [best[0] for best in speaker.decode(["l", "hl"])]
    paths = speaking.write(speaker, answers, tmp_path / "said")
    assert paths == [str(tmp_path / "said/1.npy"), str(tmp_path / "said/2.npy")]
    assert np.allclose(np.load(paths[1]), speaker.translate("hl"), atol=1e-5)
    assert sorted(p.name for p in (tmp_path / "said").iterdir()) == ["1.npy", "2.npy"]
    (tmp_path / "said/1.npy").unlink()
    with pytest.raises(FileExistsError, match="2.npy: exists already; replace it with --overwrite"):
        speaking.write(speaker, answers, tmp_path / "said")
    assert [p.name for p in (tmp_path / "said").iterdir()] == ["2.npy"]
    speaking.write(speaker, answers[::-1], tmp_path / "said", overwrite=True)
    assert np.allclose(np.load(paths[0]), speaker.translate("hl"), atol=1e-5)
    with pytest.raises(NotADirectoryError, match="1.npy: a file, wanted a folder"):
        speaking.write(speaker, answers, tmp_path / "said/1.npy")


def test_sounds_are_heard_as_samples(tmp_path):
    for i, pitch in enumerate((300, 1500)):
        sound.write_wav(tmp_path / f"{i}.wav", 0.5 * np.sin(np.arange(900) * 2 * np.pi * pitch / 8000), 8000)
    (tmp_path / "m.tsv").write_text("l\t0.wav\nh\t1.wav\n")
    model = Seq2Seq(Config(frames_per_step=3, target="frames", **SMALL), target_units="wav").fit(
        tmp_path / "m.tsv", tmp_path / "m.tsv", training=Training(epochs=80, **OPTIONS), progress=False)
    for text, pitch in (("l", 300), ("h", 1500)):
        samples, rate = model.translate(text)
        heard = np.abs(np.fft.rfft(samples, 8000))
        assert rate == 8000 and abs(int(heard.argmax()) - pitch) < 60
    samples, rate = model.translate("")
    assert (len(samples), rate) == (0, 8000)


def test_refusals(speaker, hearer, pairs, tmp_path):
    def refused(call, told):
        with pytest.raises(ValueError) as e:
            call()
        assert str(e.value).startswith(told) and "\n" not in str(e.value)
    for options in (dict(beam=2), dict(method="sample"), dict(method="exact"), dict(length_penalty=0.5)):
        refused(lambda: speaker.decode(["l"], **options), "target=frames: frames are written one after the other")
    refused(lambda: speaker.evaluate(pairs, beam=2), "target=frames: frames are written one after the other")
    refused(lambda: speaker.evaluate(pairs, recogniser=speaker), "recogniser: wanted a trained model that reads npy")
    refused(lambda: hearer.evaluate([(y, x) for x, y in pairs], recogniser=hearer), "recogniser: it reads sounds back")
    config = Config(target="frames", **SMALL)
    refused(lambda: Seq2Seq(config), "target_units='char' with target=frames: choose one of wav, npy")
    refused(lambda: Seq2Seq(config, target_units="png"), "target_units='png': choose one of char")
    refused(lambda: Seq2Seq(config, target_units="npy").fit([("a", " "), ("b", "c")]), "pairs[0]: the target is blank")
    new = Seq2Seq(config, target_units="npy")
    refused(lambda: new.fit(pairs, training=Training(monitor="exact-match")),
            "monitor='exact-match' with target=frames")
    refused(lambda: new.fit(pairs, teacher=speaker), "teacher: it says frames")
    refused(lambda: new.fit(pairs, teacher=hearer), "teacher: target=frames: wanted a student that writes tokens")
    assert new.params is None
    with pytest.raises(FileNotFoundError, match="none.npy: no such file"):
        new.fit([*pairs, ("lll", "none.npy")])
    np.save(tmp_path / "three.npy", np.ones((4, 3)))
    refused(lambda: new.fit([*pairs, ("lll", str(tmp_path / "three.npy"))]),
            f"{tmp_path}/three.npy: frames of 3 numbers, wanted 2 as in training")


def test_frames_to_frames(pairs, tmp_path):
    """Arrays are answered by the same arrays; what is attended to is drawn."""
    both = [(y, y) for _, y in pairs]
    config = Config(source="frames", stack=2, target="frames", frames_per_step=2, **SMALL)
    model = Seq2Seq(config, source_units="npy", target_units="npy").fit(
        both, both, training=Training(epochs=2, **OPTIONS), progress=False)
    model.save(tmp_path / "run")
    model = Seq2Seq.load(tmp_path / "run")
    assert (model.config.source, model.config.target, model.config.step_size) == ("frames", "frames", 4)
    assert model.decode([pairs[0][1]])[0][0].target.shape[1] == 2 and model.evaluate(both)["sources"] == 10
    fitting.draw_attention(model, [model.decode([pairs[2][1]])[0][0]], tmp_path / "map.png")
    assert (tmp_path / "map.png").stat().st_size > 1000


def test_recognisers_that_cannot_be(speaker, pairs, tmp_path):
    """One that reads arrays and writes arrays, and one that reads frames of another size."""
    np.save(tmp_path / "three.npy", np.ones((4, 3)))
    writes, other = [(y, y) for _, y in pairs[:2]], [(str(tmp_path / "three.npy"), "a")]
    for target, some, told in (("npy", writes, "writes npy$"), ("char", other, "^recogniser: it reads frames of 3 ")):
        model = Seq2Seq(Config(**SMALL), source_units="npy", target_units=target).fit(
            some, some, training=Training(epochs=1), progress=False)
        with pytest.raises(ValueError, match=told):
            speaker.evaluate(pairs, recogniser=model)


def test_another_model_begins_with_its_weights(speaker, pairs):
    more = Seq2Seq(speaker.config, target_units="npy").fit(
        pairs, pairs, training=Training(epochs=1, batch=4, lr=1e-6), start=speaker, progress=False)
    assert np.allclose(more.translate("lh"), speaker.translate("lh"), atol=0.01)
    options = answering.checked(answering.Options(), speaker)
    assert options.max_length == 9 + 2 * answering.EXTRA
