"""Rough logits: the readout's weights are read at less precision, and only those of the likeliest tokens in full.

A step of a search multiplies one row r by the whole readout W (R, V), and uses each weight once.  With many words the
time is that in which W comes from memory; weights of one byte come four times as fast as float32, of two bytes
twice.

    W' (R, V)          "int8": s q, with q whole and s one number for each column, as training/quantization.py has it;
                       "bf16": float32, rounded to the first 16 of its 32 bits
    e_v = |w'_v - w_v|                                 how far column v was moved, a Euclidean length
    l'_v = r.w'_v + b_v                                the rough logit of token v
    |l'_v - l_v| = |r.(w'_v - w_v)| <= |r| e_v         by Cauchy and Schwarz

Both sums are rounded as well, by 2 R eps (|r| |w_v| + |b_v|) at most.  The first part is added to e_v, the second is
c_v.  So l_v lies between l'_v - |r| e_v - c_v and l'_v + |r| e_v + c_v:

        token 7     ├──── l' ────┤                    K = 1: the greatest lower end is token 2's.  The upper end of
        token 2             ├──── l' ────┤            token 7 reaches it, so either may be the best, and both are
        token 5  ├─ l' ─┤                             computed in full.  Token 5 cannot be, and keeps its rough logit.

With K the width of the beam, the K best tokens after each hypothesis are among those whose upper end reaches the K-th
greatest lower end, of the tokens that an answer may hold.

What it changes.  The K best of these tokens have their logits in full, bit for bit, so greedy search writes the same
tokens.  The sum in the softmax holds rough logits too, so log p of a token is off, by the greatest |r| e_v + c_v at
most.  A beam compares sums of such log p between beginnings: of two that are that close it may keep the other one, and
so end with another answer.

What it costs.  Each search rounds all of W first, which takes as long as a few steps in full; so it pays for long
answers.  The compiled search alone computes this way, where it is asked to (kernels/decoding/rough.py), where all
weights are finite, and where sources times K are 8 at most: for more hypotheses, each weight serves so many of them
that W in full costs no more.
"""
from typing import NamedTuple

import numpy as np

PRECISIONS = {"int8": np.dtype(np.int8), "bf16": np.dtype(np.uint16)}      # the numbers that are kept of W
STEPS = 127                    # of int8, to each side of 0
LEAST = 1e-30                  # of s, where a column is zeros and any will do
FEW = 8                        # hypotheses of all sources, up to which it pays


class Rough(NamedTuple):
    W: np.ndarray              # (R, V), W'
    e: np.ndarray              # (V,)
    c: np.ndarray              # (V,)


def check(precision: str, copies: bool = False) -> None:
    """ValueError unless it is a key of PRECISIONS; of a readout that copies, whose best words are not those of the
    greatest logits, none will do."""
    if not isinstance(precision, str) or precision not in PRECISIONS:
        raise ValueError(f"precision={precision!r}: choose one of {', '.join(PRECISIONS)}")
    if copies:
        raise ValueError(f"precision={precision!r}: a model with readout=copy reads its readout in full")


def said(precision: str, width: int) -> str:
    """What a precision changes in a search with a beam of this width: a sentence."""
    kept = "greedy answers stay the same" if width == 1 else (
        "of two beginnings that are nearly as good the beam may keep the other one, and so end with another answer")
    return (f"precision {precision}: for more than {FEW} hypotheses at once the readout is read in full; for fewer "
            f"{kept}, and log p may differ a little")


def rounded(W: np.ndarray, b: np.ndarray, precision: str) -> Rough:
    """Round a readout's weights.

    Parameters
    ----------
    W : ndarray of shape (R, V)
    b : ndarray of shape (V,)
    precision : {"int8", "bf16"}

    Returns
    -------
    Rough

    Raises
    ------
    ValueError
        For another precision.
    """
    check(precision)
    if precision == "int8":
        s = np.maximum(np.abs(W).max(axis=0) / W.dtype.type(STEPS), W.dtype.type(LEAST))
        near = np.rint(W / s) * s
    else:
        bits = W.astype(np.float32).view(np.uint32)
        even = bits + np.uint32(0x7FFF) + (bits >> np.uint32(16) & np.uint32(1))       # to the nearest, of two the even
        near = (even & np.uint32(0xFFFF0000)).view(np.float32).astype(W.dtype)
    return Rough(near, lengths(near - W) + rounding(W) * lengths(W), rounding(W) * np.abs(b))


def lengths(A: np.ndarray) -> np.ndarray:
    """The Euclidean length of each column."""
    return np.sqrt((A * A).sum(axis=0))


def rounding(W: np.ndarray) -> np.ndarray:
    """2 R eps: how far two sums of R products may differ by rounding alone, as a share of what is summed."""
    return W.dtype.type(2 * len(W) * np.finfo(W.dtype).eps)


def logits(r: np.ndarray, W: np.ndarray, b: np.ndarray, rough: Rough, K: int, never: np.ndarray) -> np.ndarray:
    """Logits of one step, those of the K best tokens and of some others in full.

    Parameters
    ----------
    r : ndarray of shape (R,)
    W : ndarray of shape (R, V)
    b : ndarray of shape (V,)
    rough : Rough
        `rounded` W.
    K : int
    never : ndarray of bool of shape (V,)
        True for tokens that no answer may hold.

    Returns
    -------
    ndarray of shape (V,)
    """
    l, off = r @ rough.W + b, np.sqrt(r @ r) * rough.e + rough.c
    low = np.sort((l - off)[~never])
    may = l + off >= (low[-K] if K <= len(low) else -np.inf)
    l[may] = r @ W[:, may] + b[may]
    return l
