"""Sound: what a WAV file of each form holds; log-mel by its formula, by loops, and by librosa where it is installed."""
import math
import struct
import wave

import numpy as np
import pytest

from minis2s.data import sound

X = np.sin(np.arange(2000) * 0.3) * np.linspace(0, 0.9, 2000)


def pcm(path, samples, width, rate=8000, channels=1):
    """A WAV file by the standard library, of samples from -1 to 1."""
    top = (1 << (8 * width - 1)) - 1
    numbers = [round(float(x) * top) for x in samples]
    data = b"".join((n + 128).to_bytes(1, "little") if width == 1 else n.to_bytes(width, "little", signed=True)
                    for n in numbers)
    with wave.open(str(path), "wb") as f:
        f.setnchannels(channels)
        f.setsampwidth(width)
        f.setframerate(rate)
        f.writeframes(data * channels)
    return path


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_every_width_is_read(tmp_path, width):
    samples, rate = sound.read_wav(pcm(tmp_path / "a.wav", X, width))
    assert rate == 8000 and np.abs(samples - X).max() < 2.0 ** (2 - 8 * width) + 1e-9


def test_what_is_written_is_read_again(tmp_path):
    sound.write_wav(tmp_path / "a.wav", [0, 0.5, -1, 7], 16000)
    samples, rate = sound.read_wav(tmp_path / "a.wav")
    assert rate == 16000 and np.abs(samples - [0, 0.5, -1, 1]).max() < 1e-4


def riff(kind, bits=32, channels=1, data=b"\0" * 800, rate=8000):
    """A WAV file whose samples are of any kind: 1 PCM, 3 floats, 7 mu-law."""
    block = channels * bits // 8
    head = struct.pack("<HHIIHH", kind, channels, rate, rate * block, block, bits)
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("content, told", [
    (riff(3), "samples are floats; wanted PCM of 8, 16, 24 or 32 bits, one channel"),
    (riff(7, 8), "compressed (mu-law); wanted PCM of 8, 16, 24 or 32 bits, one channel"),
    (riff(85, 8), "compressed (MP3); wanted PCM of 8, 16, 24 or 32 bits, one channel"),
    (riff(1, 16, 2), "2 channels, wanted one (mono)"),
    (riff(1, 16, data=b""), "no samples"),
    (riff(1, 16, rate=300), "300 samples a second, wanted 4,000 to 192,000"),
    (riff(1, 16)[:400], "cut off after 178 of 400 samples"),
    (riff(1, 16)[:20], "no whole WAV file (it ends too soon)"),
    (b"", "no whole WAV file (it ends too soon)"),
    (b"\x89PNG" * 30,
     "no WAV file (file does not start with RIFF id); wanted PCM of 8, 16, 24 or 32 bits, one channel"),
])
def test_what_is_not_read_is_refused_in_one_line(tmp_path, content, told):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(ValueError) as e:
        sound.read_wav(path)
    assert str(e.value) == f"{path}: {told}"


def test_a_folder_and_no_file(tmp_path):
    with pytest.raises(ValueError, match="a directory, wanted a WAV file"):
        sound.read_wav(tmp_path)
    with pytest.raises(FileNotFoundError):
        sound.read_wav(tmp_path / "none.wav")


@pytest.mark.parametrize("samples, told",
                         [([0.5], "1 sample, wanted at least 200"), (np.zeros(199), "199 samples, wanted at"),
                          ([np.nan] * 300, "sample 0 is not finite")])
def test_too_short_for_a_window(samples, told):
    with pytest.raises(ValueError, match=f"^{told}"):
        sound.log_mel(samples, 8000)


def test_the_formula_by_loops():
    """A window and two bands, by sums over n and k as the docstring has them."""
    rate, L, M, bands = 8000, 200, 256, 5
    got = sound.log_mel(X[:360], rate, bands)
    assert got.shape == (3, bands)                              # windows begin at 0, 80, 160
    edges = [700 * (10 ** (m / 2595) - 1) for m in
             (b / (bands + 1) * 2595 * math.log10(1 + rate / 2 / 700) for b in range(bands + 2))]
    for t, b in ((0, 0), (2, 3)):
        total = 0
        for k in range(M // 2 + 1):
            v = k * rate / M
            c = sum((1 - math.cos(2 * math.pi * n / L)) / 2 * X[80 * t + n] * complex(
                math.cos(2 * math.pi * k * n / M), -math.sin(2 * math.pi * k * n / M)) for n in range(L))
            up, down = (v - edges[b]) / (edges[b + 1] - edges[b]), (edges[b + 2] - v) / (edges[b + 2] - edges[b + 1])
            total += max(0, min(up, down)) * abs(c) ** 2
        assert math.isclose(got[t, b], math.log(total + 1e-6), rel_tol=1e-10)


def test_a_pure_tone_is_in_its_band():
    tone = np.sin(2 * np.pi * 1000 * np.arange(1600) / 8000)
    middle = sound.hertz(np.linspace(0, sound.mel(4000), 42))[1:-1]
    assert (sound.log_mel(tone, 8000).argmax(axis=1) == np.abs(middle - 1000).argmin()).all()
    assert sound.hertz(sound.mel(440)) == pytest.approx(440)


def test_librosa_says_the_same():
    librosa = pytest.importorskip("librosa")
    want = librosa.feature.melspectrogram(
        y=X, sr=8000, n_fft=256, win_length=200, hop_length=80, window="hann", center=False, htk=True, norm=None,
        n_mels=40)
    # librosa puts the window in the middle of its 256 samples
    padded = np.concatenate([np.zeros(28), X, np.zeros(28)])
    want = librosa.feature.melspectrogram(
        y=padded, sr=8000, n_fft=256, win_length=200, hop_length=80, window="hann", center=False, htk=True, norm=None,
        n_mels=40)
    got = np.exp(sound.log_mel(X, 8000)) - sound.FLOOR
    assert np.abs(got - want.T[:len(got)]).max() < 1e-6 * want.max()
