"""From log-mel back to sound: loudness of frequencies, overlapped windows, phases; a sound is heard again."""
import numpy as np
import pytest

from minis2s.data import vocoder
from minis2s.data.sound import log_mel, mel_bands

RATE = 8000


def tone(seconds=0.3, pitches=(440, 1300)):
    t = np.arange(int(seconds * RATE)) / RATE
    return sum(0.2 * np.sin(2 * np.pi * v * t) for v in pitches)


def test_power_has_the_bands_that_were_asked_for():
    f = log_mel(tone(), RATE)
    P = vocoder.power_of(f, RATE)
    assert P.shape == (len(f), 129) and (P >= 0).all()
    got, want = P @ mel_bands(RATE, 256, 40).T, np.exp(f) - 1e-6
    assert np.abs(got - want).max() < 0.05 * want.max()
    assert abs(int(P[10, 20:].argmax()) + 20 - 1300 * 256 / RATE) <= 1              # the louder half of a band is found


def test_windows_overlapped_are_the_samples_again():
    """Where no phase is lost, all but the two ends come back, where Hann's windows are nearly 0."""
    x = np.random.default_rng(0).normal(size=200 + 80 * 20)
    y = vocoder.overlapped(vocoder.windows_of(x, RATE), RATE)
    assert y.shape == x.shape
    np.testing.assert_allclose(y[80:-80], x[80:-80], rtol=0, atol=0.02)


def test_rounds_bring_the_windows_nearer_to_the_loudness_asked_for():
    M = np.sqrt(vocoder.power_of(log_mel(tone(), RATE), RATE))

    def far(rounds):
        return np.linalg.norm(np.abs(vocoder.windows_of(vocoder.griffin_lim(M, RATE, rounds), RATE)) - M)
    away = [far(rounds) for rounds in (0, 1, 3, 10, 40)]
    assert away == sorted(away, reverse=True) and away[-1] < 0.4 * away[0]


def test_a_sound_is_heard_again():
    f = log_mel(tone(), RATE)
    x = vocoder.sound_of(f, RATE)
    assert len(x) == (len(f) - 1) * 80 + 200 and np.abs(x).max() < 1
    loud = f > f.max() - 6
    assert np.abs(log_mel(x, RATE) - f)[loud].mean() < 0.35
    spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x))))
    peaks = np.sort(np.argsort(spectrum[:])[-1:] * RATE / len(x))
    assert min(abs(peaks[0] - v) for v in (440, 1300)) < 40
    np.testing.assert_array_equal(vocoder.sound_of(f, RATE), x)


@pytest.mark.parametrize("frames", [np.zeros((0, 40)), np.zeros(40), np.full((2, 40), np.nan)])
def test_what_are_no_frames_is_refused(frames):
    with pytest.raises(ValueError, match=r"^frames: shape .*, wanted \(T, bands\) of finite numbers, both at least 1$"):
        vocoder.sound_of(frames, RATE)


def test_silence_and_too_loud_frames_stay_finite():
    assert np.abs(vocoder.sound_of(np.full((5, 40), np.log(1e-6)), RATE)).max() < 1e-3
    assert np.isfinite(vocoder.sound_of(np.full((5, 40), 900.0), RATE)).all()
