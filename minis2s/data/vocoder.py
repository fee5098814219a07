"""From log-mel frames back to sound: what a model that writes frames needs to be heard (row U9).

A frame says how loud each band is, but neither which frequencies of the band nor when their waves begin.  Both are made
up so that the sound's own frames come out as they were asked for.

    frames f (T, B)  ->  power P (T, K) of each frequency  ->  samples x

    m = exp(f) - 1e-6                                        loudness of the bands, log_mel turned around
    P <- P * (m B) / (P B^T B)                               so that P B^T = m and P >= 0 (Lee & Seung 2001)
    X = sqrt(P) exp(i phase)                                 some phase to begin with
    x[n] = sum_t w[n - t hop] x_t[n - t hop] / sum_t w[n - t hop]^2,   x_t the inverse transform of X_t
    phase <- that of the windows of x                        and again (Griffin & Lim 1984, equations 6 and 7)

B is the matrix of triangles of sound.py and w its window.  No round can make |windows of x| differ more from sqrt(P)
than the round before it.
"""
from typing import Any

import numpy as np

from .sound import FLOOR, HOP, WINDOW, mel_bands

POWER_ROUNDS, PHASE_ROUNDS = 60, 60


def shape_of(rate: int) -> tuple[int, int, int]:
    """Samples of a window, of a hop, and of a transform."""
    L = round(WINDOW * rate)
    return L, round(HOP * rate), 1 << (L - 1).bit_length()


def window(L: int) -> np.ndarray:
    """Hann, as in log_mel."""
    return (1 - np.cos(2 * np.pi * np.arange(L) / L)) / 2


def power_of(frames: Any, rate: int, rounds: int = POWER_ROUNDS) -> np.ndarray:
    """log-mel frames (T, bands) -> power (T, K) of each frequency, 0 or more, whose bands are as loud as asked for."""
    m = np.maximum(np.exp(np.asarray(frames, dtype=float)) - FLOOR, 0)
    B = mel_bands(rate, shape_of(rate)[2], m.shape[1])
    wanted, BB = m @ B, B.T @ B
    P = wanted / np.maximum(B.sum(axis=0) ** 2, 1e-3)
    for _ in range(rounds):
        P = P * wanted / np.maximum(P @ BB, 1e-30)
    return P


def windows_of(x: np.ndarray, rate: int) -> np.ndarray:
    """Samples -> transforms (T, K) of their windows."""
    L, hop, M = shape_of(rate)
    return np.fft.rfft(np.lib.stride_tricks.sliding_window_view(x, L)[::hop] * window(L), M)


def overlapped(X: np.ndarray, rate: int) -> np.ndarray:
    """Transforms (T, K) -> the samples whose windows are nearest to them, in the mean of squares."""
    L, hop, M = shape_of(rate)
    w, parts = window(L), np.fft.irfft(X, M)[:, :L]
    x, weight = np.zeros((len(X) - 1) * hop + L), np.full((len(X) - 1) * hop + L, 1e-3)
    for t, part in enumerate(parts):
        x[t * hop:t * hop + L] += w * part
        weight[t * hop:t * hop + L] += w ** 2
    return x / weight


def griffin_lim(magnitude: np.ndarray, rate: int, rounds: int = PHASE_ROUNDS, seed: int = 0) -> np.ndarray:
    """Samples whose windows are as loud at each frequency as `magnitude` (T, K) says; the first phases are random."""
    X = magnitude * np.exp(2j * np.pi * np.random.default_rng(seed).random(magnitude.shape))
    for _ in range(rounds):
        X = magnitude * np.exp(1j * np.angle(windows_of(overlapped(X, rate), rate)))
    return overlapped(X, rate)


def sound_of(frames: Any, rate: int) -> np.ndarray:
    """log-mel frames (T, bands) -> samples.

    Parameters
    ----------
    frames : array_like of floats, (T, bands)
        As `sound.log_mel` makes them.
    rate : int
        Samples a second.

    Returns
    -------
    ndarray of shape (n,)
        From -1 to 1, for what was made of samples in these limits.

    Raises
    ------
    ValueError
        There is no frame, or one is not finite.
    """
    frames = np.asarray(frames, dtype=float)
    if frames.ndim != 2 or 0 in frames.shape or not np.isfinite(frames).all():
        raise ValueError(f"frames: shape {frames.shape}, wanted (T, bands) of finite numbers, both at least 1")
    return griffin_lim(np.sqrt(power_of(np.minimum(frames, 15), rate)), rate)
