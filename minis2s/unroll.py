"""The time loop, once, for every cell.  Time first: xs[t] is the x_t of the equations.

Forward                                Backward
(M1)  s_t = new_t where real,          (M1*) dnew_t = ds_t where real, else 0
            s_{t-1} where padding            ds_{t-1} = (step's) where real, ds_t where padding
"""
import numpy as np

from . import tree


def forward(cell, p, xs, s0, mask):
    """Run `cell` over time.

    Parameters
    ----------
    cell : module or Cell with step
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
    for x, m in zip(xs, mask[:, :, None]):
        new, cache = cell.step(p, x, s)
        s = type(s)(*(np.where(m, a, b) for a, b in zip(new, s)))        # (M1)
        hs.append(s.h)
        caches.append(cache)
    return np.stack(hs), s, caches


def backward(cell, p, caches, dhs, d, mask):
    """Backpropagate through time: -> dxs (T, N, D), State gradients at t=0, Params gradients.

    `dhs` (T, N, H) arrives from outside at every t; `d` (a State) at the last one.
    """
    dxs, total = [None] * len(caches), tree.zeros_like(p)
    for t in reversed(range(len(caches))):
        m = mask[t][:, None]
        d = d._replace(h=d.h + dhs[t])                     # fork: h_t is output and carry
        d_new = type(d)(*(np.where(m, a, 0) for a in d))                 # (M1*)
        dxs[t], d_prev, grads = cell.step_backward(p, caches[t], d_new)
        d = type(d)(*(np.where(m, a, b) for a, b in zip(d_prev, d)))     # (M1*)
        tree.accumulate(total, grads)                      # fork: p is used at every t
    return np.stack(dxs), d, total
