"""Feed-forward layer: the same network with one hidden layer at every position.

Attention moves information between positions; this layer works on each position alone.
Source: Vaswani et al. (2017), section 3.3 (ReLU); GELU: Hendrycks & Gimpel (2016), in the tanh form of their
section 2, as GPT-2 has it.  Shapes: x (..., D), F hidden units.

Forward                                        Backward, where dz means dL/dz
(FF1)  a = x W_1 + b_1                         (FF1*) as for any linear layer
(FF2)  u = phi(a)                              (FF2*) da = du phi'(a)
(FF3)  y = u W_2 + b_2                         (FF3*) as for any linear layer

(FR1)  relu(a) = max(a, 0)                     (FR1*) relu'(a) = 1 where a > 0, else 0
(FG1)  s = tanh(C (a + 0.044715 a^3))          (FG1*) ds/da = (1 - s^2) C (1 + 3 0.044715 a^2)
(FG2)  gelu(a) = a (1 + s) / 2                 (FG2*) gelu'(a) = (1 + s) / 2 + a/2 ds/da

C = sqrt(2 / pi).  The exact GELU is a Phi(a) with the normal distribution function Phi, whose tanh form is off by
less than 5e-4 everywhere; it is taken because it is analytic in plain NumPy, so the complex step can check it.
Neither phi' can be written by the output alone, as a sigmoid's can: GELU has two inputs for some outputs.
"""
from typing import Callable, NamedTuple

import numpy as np

from . import linear

C, CUBIC = float(np.sqrt(2 / np.pi)), 0.044715


class Params(NamedTuple):
    hidden: linear.Params      # W (D, F)
    out: linear.Params         # W (F, D)


class Cache(NamedTuple):
    x: np.ndarray              # (..., D)
    a: np.ndarray              # (..., F)
    u: np.ndarray              # (..., F)


class Activation(NamedTuple):
    """A map of single numbers, and its derivative written in terms of the map's INPUT."""
    f: Callable
    df: Callable


def relu(a: np.ndarray) -> np.ndarray:
    """The positive part; for complex `a` the real part decides."""
    return np.maximum(a, 0)                                     # (FR1)


def relu_slope(a: np.ndarray) -> np.ndarray:
    """The derivative of `relu` at `a`, in a's real dtype."""
    return (a.real > 0).astype(a.real.dtype)                    # (FR1*)


def gelu(a: np.ndarray) -> np.ndarray:
    """a times the probability that a normal number is less than a, in the tanh form."""
    s = np.tanh(C * (a + CUBIC * a * a * a))                     # (FG1)
    return 0.5 * a * (1 + s)                                    # (FG2)


def gelu_slope(a: np.ndarray) -> np.ndarray:
    """The derivative of `gelu` at `a`."""
    s = np.tanh(C * (a + CUBIC * a * a * a))                     # (FG1) once more: cheaper than to keep it
    ds = (1 - s**2) * C * (1 + 3 * CUBIC * a**2)                # (FG1*)
    return 0.5 * (1 + s) + 0.5 * a * ds                         # (FG2*)


PHI = {"relu": Activation(relu, relu_slope), "gelu": Activation(gelu, gelu_slope)}


def init(rng: np.random.Generator, D: int, F: int) -> Params:
    """First parameters, float64."""
    return Params(linear.init(rng, D, F), linear.init(rng, F, D))


def forward(p: Params, phi: str, x: np.ndarray) -> tuple[np.ndarray, Cache]:
    """x (..., D) -> y (..., D), Cache; `phi` is "relu" or "gelu"."""
    a = linear.forward(p.hidden, x)                             # (FF1)
    u = PHI[phi].f(a)                                           # (FF2)
    return linear.forward(p.out, u), Cache(x, a, u)             # (FF3)


def backward(p: Params, phi: str, k: Cache, dy: np.ndarray) -> tuple[np.ndarray, Params]:
    """dy (..., D) -> dx (..., D), Params gradients."""
    du, g_out = linear.backward(p.out, k.u, dy)                 # (FF3*)
    da = du * PHI[phi].df(k.a)                                  # (FF2*)
    dx, g_hidden = linear.backward(p.hidden, k.x, da)           # (FF1*)
    return dx, Params(g_hidden, g_out)
