"""Phones -> samples: harmonics and noise, shaped by formants (after Klatt 1980, in its additive form).

    x(t) = v(t) sum_k A(k f0; F(t)) sin(2 pi k phi(t))    the voice: phi' = f0, its multiples as loud as the tract lets
                                                          them be
         + u(t) (white noise between two frequencies)     turbulence: s, f, the burst of t
         + white noise                                    of the room
    A(f; F) = (1/k) prod_j 1 / sqrt((1 - (f/F_j)^2)^2 + (f B_j / F_j^2)^2)        resonances F_j, B_j wide

Formants do not jump: the tract moves, so F(t), v(t) and u(t) are means over 30 ms, and a phone is coloured by its
neighbours (coarticulation).  Durations vary by a fifth from phone to phone.
"""
import numpy as np

from .voices import PHONES, WORDS, speaker

RATE, STEP = 8000, 40               # samples a second; samples of a step of the slow quantities, 5 ms
SMOOTH = 7                          # steps of a mean
WIDTHS = np.array([70.0, 100.0, 150.0])     # B_j
BLOCK = 128                         # samples of a block of shaped noise


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
    formants, voice, noise, bands = tracks(phones_of(words, rng), who, rng)
    n = len(voice) * STEP
    t = (np.arange(n) + 0.5) / STEP - 0.5
    x = voiced(formants, voice, who, rng, n, t)
    x += who.breath * turbulence(noise, bands, rng, n, t)
    x *= 0.5 / np.abs(x).max()
    room = 0.003 * 10 ** rng.uniform(0, 1) if room is None else room
    return np.clip(x * rng.uniform(0.5, 1.5) + room * rng.normal(size=n), -1, 1)


def phones_of(words, rng):
    """Words -> names of phones, with silence of some length before, between and behind them."""
    names = [" "] * int(rng.integers(1, 5))
    for word in words:
        names += WORDS[word].split() + [" "] * int(rng.integers(0, 3))
    return names + [" "] * int(rng.integers(1, 4))


def tracks(names, who, rng):
    """Names of phones -> formants (steps, 3), voice and noise (steps,), noise bands (steps, 2), all smooth but the
    bands."""
    rows = []
    for name in names:
        p = PHONES[name]
        steps = max(1, round(p.seconds * who.pace * rng.uniform(0.8, 1.2) * RATE / STEP))
        way = np.linspace(0, 1, steps)[:, None]
        F = (1 - way) * p.formants + way * (p.end or p.formants)
        rows.append(np.column_stack([F * who.tract, np.full(steps, p.voice), np.full(steps, p.noise),
                                     np.tile(p.band, (steps, 1))]))
    rows = np.concatenate(rows)
    edge, kernel = SMOOTH // 2, np.ones(SMOOTH) / SMOOTH
    smooth = np.column_stack([np.convolve(np.pad(column, edge, mode="edge"), kernel, "valid")
                              for column in rows[:, :5].T])
    return smooth[:, :3], smooth[:, 3], smooth[:, 4], rows[:, 5:]


def voiced(formants, voice, who, rng, n, t):
    """The harmonics of the vocal folds: pitch falls slowly through an utterance and trembles a little."""
    steps = np.arange(len(voice))
    f0 = who.pitch * (1.08 - 0.16 * steps / len(steps) + 0.02 * np.sin(steps * 0.35 + rng.uniform(0, 6)))
    phase = 2 * np.pi * np.cumsum(np.interp(t, steps, f0)) / RATE
    x = np.zeros(n)
    for k in range(1, int(0.95 * RATE / 2 / f0.max()) + 1):
        f = k * f0[:, None] / formants
        gain = np.prod(1 / np.sqrt((1 - f ** 2) ** 2 + (f * WIDTHS / formants) ** 2), axis=1) / k
        x += np.interp(t, steps, voice * gain) * np.sin(k * phase)
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
