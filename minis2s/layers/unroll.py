"""The time loop, once, for every cell.  Time first: xs[t] is the x_t of the equations.

    x_0          x_1                 x_{T-1}
     │            │                     │
    step ──s_0─> step ──s_1─> ... ──> step ──> s_{T-1}         h_t of every step leaves as well

Forward                                Backward
(M1)  s_t = new_t where real,          (M1*) dnew_t = ds_t where real, else 0
            s_{t-1} where padding            ds_{t-1} = (step's) where real, ds_t where padding
"""
from typing import Any

import numpy as np

from ..core import tree
from .cells import Cell


def where(real: np.ndarray, a: Any, b: Any) -> Any:
    """The rows of the tree `a` where `real` (N, 1) is True, else those of `b`."""
    return tree.map(lambda a, b: np.where(real, a, b), a, b)


def forward(cell: Cell, p: Any, xs: np.ndarray, s0: Any, mask: np.ndarray) -> tuple[np.ndarray, Any, list]:
    """Run `cell` over time.

    Parameters
    ----------
    cell : module or Cell
    p : cell.Params
    xs : ndarray of shape (T, N, D)
    s0 : cell.State
    mask : ndarray of shape (T, N)
        True where the step is real; elsewhere the state is carried unchanged.

    Returns
    -------
    hs : ndarray of shape (T, N, H)
    s : cell.State
        The state after the last step: for padding at the end, the state at each sequence's own length.
    caches : list of T cell.Cache
    """
    s, hs, caches = s0, [], []
    for x, real in zip(xs, mask[:, :, None]):
        new, k = cell.step(p, x, s)
        s = where(real, new, s)                                 # (M1)
        hs.append(s.h)
        caches.append(k)
    return np.array(hs), s, caches


def backward(cell: Cell, p: Any, caches: list, dhs: np.ndarray, d: Any,
             mask: np.ndarray) -> tuple[np.ndarray, Any, Any]:
    """Backpropagate through time: -> dxs (T, N, D), State gradients at t=0, Params gradients.

    `dhs` (T, N, H) arrives from outside at every t; `d` (a State) at the last one.
    """
    grads, dxs = tree.zeros_like(p), []
    for k, dh, real in zip(reversed(caches), reversed(dhs), reversed(mask[:, :, None])):
        d = d._replace(h=d.h + dh)                              # fork: h_t is output and carry
        dnew = where(real, d, tree.zeros_like(d))               # (M1*)
        dx, d_prev, g = cell.step_backward(p, k, dnew)
        d = where(real, d_prev, d)                              # (M1*)
        tree.accumulate(grads, g)                               # fork: p is used at every t
        dxs.append(dx)
    return np.array(dxs[::-1]), d, grads
