"""Phones -> samples: harmonics and noise, shaped by formants (after Klatt 1980, in its additive form).

    x(t) = v(t) sum_k A(k f0; F(t)) sin(2 pi k phi(t))    the voice: phi' = f0, its multiples as loud as the tract lets
                                                          them be
         + u(t) (white noise between two frequencies)     turbulence: s, f, the burst of t
         + white noise                                    of the room
    A(f; F) = (1/k) prod_j 1 / sqrt((1 - (f/F_j)^2)^2 + (f B_j / F_j^2)^2)        resonances F_j, B_j wide

Formants do not jump: the tract moves, so F(t), v(t) and u(t) are means over 30 ms, and a phone is coloured by its
neighbours (coarticulation).  Durations vary by a fifth from phone to phone.
"""
from typing import NamedTuple

import numpy as np

from .voices import PHONES, WORDS, speaker

RATE, STEP = 8000, 40               # samples a second; samples of a step of the slow quantities, 5 ms
SMOOTH = 7                          # steps of a mean
WIDTHS = np.array([70.0, 100.0, 150.0])     # B_j
BLOCK = 128                         # samples of a block of shaped noise


class Tract(NamedTuple):
    """How the vocal tract moves, step by step."""
    formants: np.ndarray                # (steps, 3) Hz
    voice: np.ndarray                   # (steps,) loudness of the vocal folds' tone
    noise: np.ndarray                   # (steps,) of turbulence
    bands: np.ndarray                   # (steps, 2) Hz in which it lies


def say(words, number, rng, room=None):
    """The sound of some words.

    Parameters
    ----------
    words : list of str
        Keys of WORDS.
    number : int
        Of the speaker.
    rng : numpy.random.Generator
        For durations, silences, noise.
    room : float, optional
        Loudness of the room's noise; None: drawn, from quiet to some.

    Returns
    -------
    ndarray, samples from -1 to 1
    """
    who = speaker(number)
    phones = [PHONES[name] for name in phones_of(words, rng)]
    tract = tracks(phones, durations(phones, who, rng), who)
    steps = np.arange(len(tract.voice))                         # pitch falls slowly and trembles a little
    f0 = who.pitch * (1.08 - 0.16 * steps / len(steps) + 0.02 * np.sin(steps * 0.35 + rng.uniform(0, 6)))
    return sound(tract, f0, who, rng, room)


def sound(tract, f0, who, rng, room=None, loudness=None):
    """Samples of a Tract whose vocal folds swing f0 (steps,) times a second; room and loudness are drawn unless
    given."""
    n = len(f0) * STEP
    t = (np.arange(n) + 0.5) / STEP - 0.5
    x = voiced(tract, f0, n, t)
    x += who.breath * turbulence(tract.noise, tract.bands, rng, n, t)
    x *= 0.5 / np.abs(x).max()
    room = 0.003 * 10 ** rng.uniform(0, 1) if room is None else room
    loudness = rng.uniform(0.5, 1.5) if loudness is None else loudness
    return np.clip(x * loudness + room * rng.normal(size=n), -1, 1)


def phones_of(words, rng):
    """Words -> names of phones, with silence of some length before, between and behind them."""
    names = [" "] * int(rng.integers(1, 5))
    for word in words:
        names += WORDS[word].split() + [" "] * int(rng.integers(0, 3))
    return names + [" "] * int(rng.integers(1, 4))


def durations(phones, who, rng, vary=0.2):
    """How many steps each phone is held."""
    return [max(1, round(p.seconds * who.pace * rng.uniform(1 - vary, 1 + vary) * RATE / STEP)) for p in phones]


def tracks(phones, steps, who):
    """Phones, each held so many steps, -> Tract; all is smooth but the bands."""
    rows = []
    for p, count in zip(phones, steps):
        way = np.linspace(0, 1, count)[:, None]
        F = (1 - way) * p.formants + way * (p.end or p.formants)
        rows.append(np.column_stack([F * who.tract, np.full(count, p.voice), np.full(count, p.noise),
                                     np.tile(p.band, (count, 1))]))
    rows = np.concatenate(rows)
    smooth = np.column_stack([smoothed(column) for column in rows[:, :5].T])
    return Tract(smooth[:, :3], smooth[:, 3], smooth[:, 4], rows[:, 5:])


def smoothed(column):
    """Means over SMOOTH steps."""
    return np.convolve(np.pad(column, SMOOTH // 2, mode="edge"), np.ones(SMOOTH) / SMOOTH, "valid")


def voiced(tract, f0, n, t):
    """The harmonics of the vocal folds."""
    steps, formants = np.arange(len(f0)), tract.formants
    phase = 2 * np.pi * np.cumsum(np.interp(t, steps, f0)) / RATE
    x = np.zeros(n)
    for k in range(1, int(0.95 * RATE / 2 / f0.max()) + 1):
        f = k * f0[:, None] / formants
        gain = np.prod(1 / np.sqrt((1 - f ** 2) ** 2 + (f * WIDTHS / formants) ** 2), axis=1) / k
        x += np.interp(t, steps, tract.voice * gain) * np.sin(k * phase)
    return x


def turbulence(noise, bands, rng, n, t):
    """White noise, block by block without the frequencies outside of a band; blocks overlap by half."""
    x, window = np.zeros(n + BLOCK), np.hanning(BLOCK)
    frequencies = np.fft.rfftfreq(BLOCK, 1 / RATE)
    for start in range(0, n, BLOCK // 2):
        low, high = bands[min(start // STEP, len(bands) - 1)]
        white = np.fft.rfft(rng.normal(size=BLOCK))
        if high:
            band = (frequencies >= low) & (frequencies <= high)
            x[start:start + BLOCK] += window * np.fft.irfft(white * band, BLOCK)
    return x[:n] * np.interp(t, np.arange(len(noise)), noise)
