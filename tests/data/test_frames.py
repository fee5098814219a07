"""FrameReader: files and recipes become steps of frames, and what cannot is refused in one line."""
import pickle

import numpy as np
import pytest

from minis2s.data import frames, pictures, sound
from minis2s.data.batches import make_batch, pad_frames, pad_sources
from minis2s.data.frames import FrameReader

RNG = np.random.default_rng(0)


@pytest.fixture
def arrays(tmp_path):
    """Paths of three arrays of 4, 7 and 1 frames."""
    paths = []
    for T in (4, 7, 1):
        paths.append(str(tmp_path / f"{T}.npy"))
        np.save(paths[-1], RNG.normal(size=(T, 3)) * [1, 100, 0.01] + 5)
    return paths


def test_mean_and_scale_are_those_of_the_training_side(arrays):
    reader = FrameReader.train("npy", arrays, 1)
    rows = np.concatenate([reader.split(path) for path in arrays])
    assert reader.frame_size == 3 and reader.form == (3,) and rows.dtype == np.float32
    assert np.abs(rows.mean(axis=0)).max() < 1e-6 and rows[:, 1].std() == pytest.approx(1)
    assert rows[:, 2].std() < 0.1                               # a number that hardly changes is not blown up
    assert FrameReader.from_json(reader.to_json()) == reader
    assert np.allclose(reader.frames(reader.split(arrays[1])), np.load(arrays[1]), atol=1e-4)


def test_numbers_too_large_to_compute_with(arrays, tmp_path):
    """Neither a reader with an infinite scale, which no run could keep, nor frames that are infinite."""
    large = str(tmp_path / "large.npy")
    np.save(large, np.full((2, 3), 1e300))
    with pytest.raises(ValueError, match=r"numbers of up to 1.0e\+300, too large"):
        FrameReader.train("npy", [*arrays, large], 1)
    with pytest.raises(ValueError, match="large.npy: numbers that are too far"):
        FrameReader.train("npy", arrays, 1).split(large)


@pytest.mark.parametrize("k, steps", [(1, 7), (2, 4), (3, 3), (7, 1), (9, 1)])
def test_neighbours_are_stacked(arrays, k, steps):
    reader = FrameReader.train("npy", arrays, k)
    plain, got = FrameReader.train("npy", arrays, 1).split(arrays[1]), reader.split(arrays[1])
    assert got.shape == (steps, 3 * k)
    flat = got.reshape(-1, 3)
    assert np.array_equal(flat[:7], plain) and not flat[7:].any()


def test_frames_of_sounds_and_pictures(tmp_path):
    x = np.sin(np.arange(900) * 0.2)
    sound.write_wav(tmp_path / "a.wav", x, 8000)
    pictures.write_png(tmp_path / "a.png", RNG.random((5, 6, 3)))
    wav, png = (FrameReader.train(unit, [str(tmp_path / f"a.{unit}")], 2) for unit in ("wav", "png"))
    assert (wav.form, wav.frame_size, wav.split(str(tmp_path / "a.wav")).shape) == ((8000,), 40, (5, 80))
    assert (png.form, png.frame_size, png.split(str(tmp_path / "a.png")).shape) == ((5, 3), 15, (3, 30))
    assert "8,000 samples a second" in wav.described() and "columns of 5 pixels in colour" in png.described()


def test_another_rate_height_or_size_than_in_training(tmp_path, arrays):
    sound.write_wav(tmp_path / "a.wav", np.ones(900), 8000)
    sound.write_wav(tmp_path / "b.wav", np.ones(900), 16000)
    sound.write_wav(tmp_path / "c.wav", np.ones(1), 8000)
    pictures.write_png(tmp_path / "a.png", np.ones((5, 6, 3)))
    pictures.write_png(tmp_path / "b.png", np.ones((4, 6, 3)))
    np.save(tmp_path / "b.npy", np.ones((4, 2)))
    for unit, first, other, told in (
            ("wav", "a.wav", "b.wav", "16,000 samples a second, wanted 8,000 as in training"),
            ("wav", "a.wav", "c.wav", "1 sample, wanted at least 200: one window of 25 ms"),
            ("png", "a.png", "b.png", "4 rows of pixels, wanted 5 as in training"),
            ("npy", "4.npy", "b.npy", "frames of 2 numbers, wanted 3 as in training")):
        reader = FrameReader.train(unit, [str(tmp_path / first)], 1)
        with pytest.raises(ValueError) as e:
            reader.split(str(tmp_path / other))
        assert str(e.value) == f"{tmp_path / other}: {told}"


def save(path, a):
    np.save(path, a, allow_pickle=True)


@pytest.mark.parametrize("write, told", [
    (lambda p: save(p, np.ones(3)), "shape (3,), wanted (steps, numbers), both at least 1"),
    (lambda p: save(p, np.ones((2, 2, 2))), "shape (2, 2, 2), wanted (steps, numbers), both at least 1"),
    (lambda p: save(p, np.ones((0, 3))), "shape (0, 3), wanted (steps, numbers), both at least 1"),
    (lambda p: save(p, np.array([[{}]])),
     "no array of numbers saved by NumPy (it holds Python objects, which are never unpickled)"),
    (lambda p: save(p, np.array([["a"]])), "entries of dtype <U1, wanted real numbers"),
    (lambda p: save(p, np.array([[1j]])), "entries of dtype complex128, wanted real numbers"),
    (lambda p: save(p, np.array([[1, np.nan]])), "entry (0, 1) is nan, wanted finite numbers"),
    (lambda p: p.write_bytes(b"hello"), "no array of numbers saved by NumPy"),
    (lambda p: p.write_bytes(b""), "no array of numbers saved by NumPy"),
    (lambda p: p.write_bytes(pickle.dumps(print)), "no array of numbers saved by NumPy"),
    (lambda p: np.savez(open(p, "wb"), a=np.ones((2, 2))), "several arrays (.npz), wanted one (.npy)"),
])
def test_arrays_that_are_refused_in_one_line(tmp_path, write, told):
    path = tmp_path / "a.npy"
    write(path)
    with pytest.raises(ValueError) as e:
        frames.read_npy(path)
    assert str(e.value).startswith(f"{path}: {told}") and "\n" not in str(e.value)


def test_files_are_known_by_their_content_and_recipes_by_themselves(tmp_path, arrays, monkeypatch):
    monkeypatch.setitem(frames.RECIPES, "made", ("npy", lambda text: np.full((len(text), 3), 2.0)))
    copy = tmp_path / "copy.npy"
    copy.write_bytes((tmp_path / "4.npy").read_bytes())
    assert frames.content(str(copy)) == frames.content(arrays[0]) != frames.content(arrays[1])
    assert frames.content("made:xy") == "made:xy"
    assert frames.beside(["4.npy", "made:xy"], tmp_path / "m.tsv") == [arrays[0], "made:xy"]
    assert FrameReader.train("npy", ["made:xy"], 1).split("made:xyz").shape == (3, 3)
    with pytest.raises(ValueError, match="^made:xy: a recipe for npy, wanted wav$"):
        frames.signal_of("wav", "made:xy")
    with pytest.raises(FileNotFoundError, match="none.npy: no such file"):
        frames.signal_of("npy", "none.npy")


def test_a_batch_of_frames():
    a, b = RNG.normal(size=(3, 2)), RNG.normal(size=(1, 2))
    batch = make_batch([a, b], [[4], [5, 6]], reverse_source=True, dtype="float64")
    assert batch.source.shape == (3, 2, 2)
    assert batch.source_mask.tolist() == [[True, True], [True, False], [True, False]]
    assert np.array_equal(batch.source[:, 0], a[::-1]) and np.array_equal(batch.source[0, 1], b[0])
    assert not batch.source[1:, 1].any() and make_batch([a], [[4]]).source.dtype == np.float32
    assert pad_sources([[4, 5]])[0].tolist() == [[4], [5]]
    for wrong, error, told in (([], ValueError, "none"),
                               ([a, np.ones((2, 3))], ValueError, r"sequences\[1\]: got shape"),
                               ([a * np.nan], ValueError, "finite"), ([np.ones((2, 2), int)], TypeError, "floating")):
        with pytest.raises(error, match=told):
            pad_frames(wrong)
