"""Frame output: what softmax and cross-entropy are for tokens, for targets of frames of numbers, such as sound.

A step of the decoder writes r frames at once, and the score a of "this was the last step".  So a second of sound needs
few steps, and the step learns more than to copy the frame before, which is nearly equal.
Row U9 (text -> speech signal); Wang et al. (2017), "Tacotron", section 3.4, for r frames a step; Shen et al. (2018),
"Tacotron 2", section 2.2, for the stop decision.
Shapes: S target steps, N batch, r frames of a step, F numbers of a frame.  Real are the frames of the target, and the
steps that have one; s = 1 in an example's last real step, else 0; M is the number of real frames in the batch.

Forward                                                    Backward
(FO1) E = sum_real sum_j (y_j - f_j)^2 / F                 (FO1*) dy = 2 (y - f) dE / F
                     or  |y_j - f_j| / F                               or sign(y - f) dE / F
(FO2) B = sum_real log(1 + exp a) - s a                    (FO2*) da = (sigmoid(a) - s) dB
(FO3) L = (E + B) / M                                      (FO3*) dE = dB = 1 / M

The readout, (D7), says r F + 1 numbers at a step: y_1, ..., y_r and a.  With p(stop) = sigmoid(a), a term of B is
-log p(s).  The sum of E is over real frames, that of B over real steps.
"""
from typing import Any, NamedTuple

import numpy as np

from ..core.functions import sigmoid

ERRORS = ("squared", "absolute")


class Cache(NamedTuple):
    e: np.ndarray              # (S, N, r, F), y - f
    a: np.ndarray              # (S, N)
    stop: np.ndarray           # (S, N), 1 in the last real step
    mask: np.ndarray           # (S, N, r), True = real frame
    error: str


def split(out: np.ndarray, r: int) -> tuple[np.ndarray, np.ndarray]:
    """What the readout says (..., r F + 1) -> frames (..., r, F), scores of the stop (...)."""
    y, a = out[..., :-1], out[..., -1]
    return y.reshape(*y.shape[:-1], r, -1), a


def softplus(a: np.ndarray) -> np.ndarray:
    """log(1 + exp a) without overflow: a is taken out of the logarithm where it is positive."""
    positive = a.real > 0
    return np.where(positive, a, 0) + np.log1p(np.exp(np.where(positive, -a, a)))


def last_frame(out: np.ndarray, F: int) -> np.ndarray:
    """The last of a step's frames (..., F): what the next step is fed when the model runs freely."""
    return out[..., -F - 1:-1]


def stops(mask: np.ndarray) -> np.ndarray:
    """Masks of frames (S, N, r) -> s (S, N): True in each example's last real step."""
    real = mask[:, :, 0]
    return real & ~np.concatenate([real[1:], np.zeros_like(real[:1])])


def forward(out: np.ndarray, targets: np.ndarray, mask: np.ndarray, error: str = "squared") -> tuple[Any, Cache]:
    """Mean loss for each real frame.

    Parameters
    ----------
    out : ndarray of shape (S, N, r F + 1)
        What the readout says.
    targets : ndarray of shape (S, N, r F)
    mask : ndarray of bool of shape (S, N, r)
        True = real frame; padded ones count neither in the sum nor in M.
    error : {"squared", "absolute"}

    Returns
    -------
    L : number
    cache : Cache
    """
    (y, a), F = split(out, mask.shape[2]), targets.shape[2] // mask.shape[2]
    e, stop, real = y - targets.reshape(y.shape), stops(mask), mask[:, :, 0]
    of_frame = (e * e if error == "squared" else e * np.sign(e.real)).sum(axis=3) / F    # (FO1)
    E = np.where(mask, of_frame, 0).sum()                       # (FO1)
    B = np.where(real, softplus(a) - stop * a, 0).sum()         # (FO2)
    L = (E + B) / mask.sum()                                    # (FO3)
    return L, Cache(e, a, stop, mask, error)


def backward(k: Cache) -> np.ndarray:
    """-> gradient of what the readout says (S, N, r F + 1)."""
    e, a, stop, mask, error = k
    (S, N, r, F), real = e.shape, mask[:, :, 0]
    dE = dB = 1 / mask.sum(dtype=a.real.dtype)                  # (FO3*)
    da = np.where(real, (sigmoid(a) - stop) * dB, 0)            # (FO2*)
    dy = (2 * e if error == "squared" else np.sign(e.real)) * (dE / F)    # (FO1*)
    dy = np.where(mask[:, :, :, None], dy, 0)                   # (FO1*)
    return np.concatenate([dy.reshape(S, N, r * F), da[:, :, None]], axis=2)


def parts(k: Cache) -> tuple[float, float]:
    """The loss in its two parts: error of a number of a real frame, and nats of a real step's stop decision."""
    of_frame = (k.e.real ** 2 if k.error == "squared" else np.abs(k.e.real)).mean(axis=3)
    decision = softplus(k.a.real) - k.stop * k.a.real
    return float(of_frame[k.mask].mean()), float(decision[k.mask[:, :, 0]].mean())
