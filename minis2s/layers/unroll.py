"""The time loop, once, for every cell.  Time first: xs[t] is the x_t of the equations.

    x W + b of all steps ──> step 0 ──> step 1 ──> ... ──> step T-1
    dx, dW, dU, db       <── step 0 <── step 1 <── ... <── step T-1

Only what the next step waits for is done step by step: one large product is faster than T small ones.

Forward                                Backward
(M1)  s_t = new_t where real,          (M1*) dnew_t = ds_t where real, else 0
            s_{t-1} where padding            ds_{t-1} = (step's) where real, ds_t where padding
"""
import numpy as np


def forward(cell, p, xs, s0, mask):
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
    (T, N, D), full = xs.shape, mask.all(axis=1)
    a_xs = (xs.reshape(T * N, D) @ p.W + p.b).reshape(T, N, -1)
    s, hs, caches = s0, [], []
    for x, a_x, m, all_real in zip(xs, a_xs, mask[:, :, None], full):
        new, cache = cell.step(p, x, s, a_x)
        s = new if all_real else type(s)(*(np.where(m, a, b) for a, b in zip(new, s)))          # (M1)
        hs.append(s.h)
        caches.append(cache)
    return np.array(hs), s, caches


def backward(cell, p, caches, dhs, d, mask):
    """Backpropagate through time: -> dxs (T, N, D), State gradients at t=0, Params gradients.

    `dhs` (T, N, H) arrives from outside at every t; `d` (a State) at the last one.
    """
    (T, N, _), full, das = dhs.shape, mask.all(axis=1), [None] * len(dhs)
    by_columns = p._replace(U=np.asfortranarray(p.U))      # U^T lies in memory as each step reads it: faster
    for t in reversed(range(T)):
        m, all_real = mask[t][:, None], full[t]
        d = d._replace(h=d.h + dhs[t])                     # fork: h_t is output and carry
        d_new = d if all_real else type(d)(*(np.where(m, a, 0) for a in d))                     # (M1*)
        das[t], d_prev = cell.state_backward(by_columns, caches[t], d_new)
        d = d_prev if all_real else type(d)(*(np.where(m, a, b) for a, b in zip(d_prev, d)))    # (M1*)
    rows = Rows(caches)
    dx, grads = cell.weights_backward(p, rows, np.concatenate(das))    # fork: p is used at every t
    return dx.reshape(T, N, -1), d, grads


class Rows:
    """One Cache of many steps: rows of step 0, of step 1, ...; a field is put together when it is first read."""

    def __init__(self, caches):
        self.caches = caches

    def __getattr__(self, field):
        self.__dict__[field] = rows = np.concatenate([getattr(k, field) for k in self.caches])
        return rows
