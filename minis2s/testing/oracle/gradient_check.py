"""Numerical derivatives of a function f of one number.  See minis2s/core/gradient_check.py."""


def complex_step(f, w, h=1e-30):
    """(N1) f'(w) = Im f(w + ih) / h: nothing is subtracted, so nothing is lost to rounding."""
    return f(complex(w, h)).imag / h                                                   # (N1)


def central_difference(f, w, h):
    """(N2) f'(w) = (f(w + h) - f(w - h)) / 2h."""
    return (f(w + h) - f(w - h)) / (2 * h)                                             # (N2)
