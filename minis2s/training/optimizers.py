"""From gradients to new parameters: clipping, SGD, RMSprop, Adam.

Part P8; row C3.3c (clipping, Pascanu et al. 2013).  RMSprop: Tieleman & Hinton (2012); Adam: Kingma & Ba (2015).
Everything is pure: trees in, new trees out, so a step can be taken back, repeated and compared.

(O1)  w <- w - lr g                                     SGD
(O2)  u <- mu u + g             w <- w - lr u           SGD with momentum
(O3)  v <- rho v + (1-rho) g^2                          RMSprop
(O4)  w <- w - lr g / (sqrt(v) + eps)
(O5)  m <- beta1 m + (1-beta1) g    v <- beta2 v + (1-beta2) g^2     Adam
(O6)  w <- w - lr (m / (1-beta1^t)) / (sqrt(v / (1-beta2^t)) + eps)
(C1)  g <- g min(1, limit / ||g||), ||g|| over all arrays together   clipping by global norm
(C2)  g <- min(max(g, -limit), limit)                                clipping by value
"""
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..core import tree


class State(NamedTuple):
    t: int                     # steps taken
    m: Any                     # running mean of gradients (u of O2), a tree like the parameters, or None
    v: Any                     # running mean of squared gradients, or None


def start(p: Any) -> State:
    """The State before the first step, for any of the optimizers."""
    return State(0, tree.zeros_like(p), tree.zeros_like(p))


def sgd(p: Any, g: Any, s: State, lr: float, momentum: float = 0.0) -> tuple[Any, State]:
    """Stochastic gradient descent: trees p, g of one form, State, step size -> new p, State."""
    u = tree.map(lambda u, g: momentum * u + g, s.m, g) if momentum else g              # (O2)
    p = tree.map(lambda w, u: w - lr * u, p, u)                                         # (O1) (O2)
    return p, State(s.t + 1, u if momentum else s.m, s.v)


def rmsprop(p: Any, g: Any, s: State, lr: float, rho: float = 0.9, eps: float = 1e-8,
            sqrt: Callable = np.sqrt) -> tuple[Any, State]:
    """RMSprop: each entry has a step of its own, lr over its gradient's running size.  `sqrt`: that of the arrays."""
    v = tree.map(lambda v, g: rho * v + (1 - rho) * g**2, s.v, g)                       # (O3)
    p = tree.map(lambda w, g, v: w - lr * g / (sqrt(v) + eps), p, g, v)                 # (O4)
    return p, State(s.t + 1, s.m, v)


def adam(p: Any, g: Any, s: State, lr: float, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8,
         sqrt: Callable = np.sqrt) -> tuple[Any, State]:
    """Adam: momentum and RMSprop, both corrected for their start at zero.  `sqrt`: that of the arrays."""
    t = s.t + 1
    m = tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, s.m, g)                      # (O5)
    v = tree.map(lambda v, g: beta2 * v + (1 - beta2) * g**2, s.v, g)                   # (O5)
    m_scale, v_scale = 1 / (1 - beta1**t), 1 / (1 - beta2**t)
    p = tree.map(lambda w, m, v: w - lr * (m * m_scale) / (sqrt(v * v_scale) + eps), p, m, v)       # (O6)
    return p, State(t, m, v)


OPTIMIZERS: dict[str, Callable] = {"sgd": sgd, "rmsprop": rmsprop, "adam": adam}


def norm(g: Any) -> float:
    """Euclidean length of all of a tree's arrays together, in float64."""
    return float(np.sqrt(sum(np.square(a, dtype=np.float64).sum() for _, a in tree.named(g))))


def clip_by_norm(g: Any, limit: float) -> tuple[Any, float]:
    """Shorten the whole gradient to at most `limit`; its direction stays: -> g, its norm before."""
    size = norm(g)
    if size > limit:
        g = tree.map(lambda a: a * (limit / size), g)                                   # (C1)
    return g, size


def clip_by_value(g: Any, limit: float) -> Any:
    """Cut every entry to [-limit, limit]; the direction may change."""
    return tree.map(lambda a: np.clip(a, -limit, limit), g)                             # (C2)


def step(p: Any, g: Any, s: State, optimizer: str, lr: float, limit: float | None = None, value: float | None = None,
         **options: float) -> tuple[Any, State, float, bool]:
    """Clip by norm, then by value, then update: a training step's last part, in one call.

    Parameters
    ----------
    p, g : trees of one form
    s : State
    optimizer : {"sgd", "rmsprop", "adam"}
    lr : float
    limit, value : float or None
        What (C1) and (C2) clip to; None: no such clipping.
    **options
        Of the optimizer.

    Returns
    -------
    p, State
    size : float
        The gradient's norm before clipping; where it is not finite, neither p nor State is of use.
    finite : bool
        Whether all new parameters are.
    """
    g, size = clip_by_norm(g, limit or math.inf)
    if value:
        g = clip_by_value(g, value)
    p, s = OPTIMIZERS[optimizer](p, g, s, lr, **options)
    return p, s, size, all(np.isfinite(a).all() for _, a in tree.named(p))
