"""Quantisation: the weights of a matrix as whole numbers of a few bits, with a scale.

Part P13.  W is a matrix (D, H) and b the number of bits; s is one number for the matrix ("tensor") or one for each of
its H columns ("channel"), whose maxima and means are then those of the column.

(QZ1)  s = max|W| / (2^(b-1) - 1)       for b >= 2
(QZ2)  q = round(W / s)                 whole numbers from -(2^(b-1) - 1) to 2^(b-1) - 1
(QZ3)  W' = s q                         what the model computes with; |W - W'| <= s/2 for b >= 2
(QZ4)  s = mean|W|,  q = sign(W)        for b = 1: the s with the least |W - s q|^2 (Rastegari et al. 2016)

A column's maximum is at most the matrix's, so a scale for each column is never coarser.  A weight that is 0 stays 0
for b >= 2.  Rounding is a step function, whose derivative is 0 nearly everywhere: there is no (QZ2*) to learn by.
"""
from typing import NamedTuple

import numpy as np

from ..core import validation

PER = ("tensor", "channel")


class Quantized(NamedTuple):
    q: np.ndarray              # (D, H), int8
    s: np.ndarray              # () or (H,), of the matrix's dtype


def check(bits: int, per: str) -> None:
    """Require from 1 to 8 bits, and a scale for each "tensor" or "channel"."""
    validation.whole("bits", bits, 1, 8)
    if per not in PER:
        raise ValueError(f"per={per!r}: choose one of {', '.join(PER)}")


def largest(bits: int) -> int:
    """The largest whole number of so many bits, 2 or more."""
    return 2 ** (bits - 1) - 1


def quantize(W: np.ndarray, bits: int, per: str = "channel", mask: np.ndarray | None = None) -> Quantized:
    """Round a matrix.

    Parameters
    ----------
    W : ndarray of shape (D, H)
    bits : int from 1 to 8
    per : {"tensor", "channel"}
    mask : ndarray of bool of shape (D, H), optional
        True where a weight is kept: of the others the q of one bit, which has no 0, is of no use (see pruning.py).

    Returns
    -------
    Quantized
    """
    check(bits, per)
    axis, kept = (None if per == "tensor" else 0), True if mask is None else mask
    size = np.where(kept, np.abs(W), 0)
    if bits == 1:
        count = np.maximum(1, np.broadcast_to(kept, W.shape).sum(axis=axis))
        s, q = size.sum(axis=axis) / count, np.where(W < 0, -1, 1)          # (QZ4)
    else:
        s = size.max(axis=axis) / largest(bits)                             # (QZ1)
        s = np.where(s > 0, s, 1)                               # of zeros alone any scale is right
        q = np.rint(np.clip(W / s, -largest(bits), largest(bits)))          # (QZ2)
    return Quantized(q.astype(np.int8), np.asarray(s, W.dtype))


def dequantize(k: Quantized) -> np.ndarray:
    """The matrix that a Quantized stands for, in its scale's dtype."""
    return k.s * k.q.astype(k.s.dtype)                                      # (QZ3)
