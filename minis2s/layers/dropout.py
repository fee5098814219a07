"""Dropout with one mask for a whole sequence.

Source: Gal & Ghahramani (2016); part P12.  The mask m is drawn once for each example and unit, and the same
mask serves every time step; kept units are scaled by 1/(1-rate), so that the mean stays as it was.

Forward                     Backward
(DR1)  y = x m              (DR1*) dx = dy m
"""
import numpy as np


def draw(rng: np.random.Generator, rate: float, shape: tuple, dtype: str) -> np.ndarray | None:
    """Draw a mask (N, D) of zeros and 1/(1-rate); None where rate is 0: nothing is dropped."""
    if rate == 0:
        return None
    return ((rng.random(shape) >= rate) / (1 - rate)).astype(dtype)


def forward(x: np.ndarray, m: np.ndarray | None) -> np.ndarray:
    """x (N, D) or (T, N, D), mask (N, D) or None -> y of x's shape."""
    return x if m is None else x * m                            # (DR1)


def backward(dy: np.ndarray, m: np.ndarray | None) -> np.ndarray:
    """dy of y's shape -> dx."""
    return dy if m is None else dy * m                          # (DR1*)
