"""Document A as printed: the decoder of A4.2, and the worked example of A4.4 that uses it.

Shapes: T source steps, S target steps, N batch, D target embedding, V vocabulary and state (as printed they
must be equal).  There are no biases.

Forward                                  Backward, where dz means dL/dz
(PA1)  a = [y_t; s'] W_d                 (PA1*) dy_t, ds' = the parts of da W_d^T    dW_d = [y_t; s']^T da
(PA2)  s_t = sigmoid(a)                  (PA2*) da = ds_t s_t (1-s_t)
(PA3)  p_t = softmax(a)                  (PA3*) da += p_t (dp_t - sum_v p_tv dp_tv)
(PA4)  s_0 = 0                           (PA4*) dh_T = 0: the source gets no gradient

A prime marks step t-1.  The slips: (PA1) reads y_t, the very word that p_t must predict, where y_{t-1} is
meant.  The logits' own projection W_y is missing, so the sum a serves as logits (as in A 4.4), and the state
must have as many entries as the vocabulary.  The example starts at (PA4) although A 2.4 passes on h_T.
What they cost: in training the answer stands in the input, so the loss falls by copying; when the model must
decode freely there is no y_t to read.  With (PA4) nothing of the source reaches the output.
"""
from typing import NamedTuple

import numpy as np

from ...core import tree
from ...core.functions import sigmoid, softmax, softmax_backward
from ...layers import linear, unroll
from ...layers.cells import rnn, rnn_sigmoid


class Params(NamedTuple):
    W_d: np.ndarray            # (D+V, V), the rows of y first


class Cache(NamedTuple):
    y_s: np.ndarray            # (N, D+V), [y_t; s']
    s: np.ndarray              # (N, V)
    p: np.ndarray              # (N, V)


def step(p, y, s_prev):
    """A4.2: one decoder step: Params, y_t (N, D), s' (N, V) -> s_t (N, V), p_t (N, V), Cache."""
    y_s = np.concatenate([y, s_prev], axis=1)
    a = y_s @ p.W_d                                             # (PA1)
    s, probs = sigmoid(a), softmax(a)                           # (PA2) (PA3)
    return s, probs, Cache(y_s, s, probs)


def step_backward(p, k, ds, dprobs):
    """Pull ds_t and dp_t (both (N, V)) back: -> dy_t, ds', Params gradients."""
    da = ds * k.s * (1 - k.s) + softmax_backward(k.p, dprobs)   # (PA2*) (PA3*) fork: a makes state and output
    dy_s, dW_d = linear.product_backward(p.W_d, k.y_s, da)      # (PA1*)
    D = k.y_s.shape[1] - k.s.shape[1]
    return dy_s[:, :D], dy_s[:, D:], Params(dW_d)               # (PA1*)


class Example(NamedTuple):     # A4.4: encoder A4.1, decoder A4.2
    W_e: np.ndarray            # (D_x+V, V), the rows of x first
    decoder: Params


class ExampleCache(NamedTuple):
    encoder: list              # the time loop's caches
    decoder: list              # of Cache
    from_zero: bool


def encoder_params(W_e):
    """[x; h'] W_e is x W + h' U: the rows of W_e, cut, and no bias."""
    V = W_e.shape[1]
    return rnn.Params(W_e[:-V], W_e[-V:], np.zeros(V))


def example(p, xs, ys, from_zero=True):
    """A4.4: the whole worked example.

    Parameters
    ----------
    p : Example
    xs : ndarray of shape (T, N, D_x)
    ys : ndarray of shape (S, N, D)
        The words fed to the decoder: as printed, those it shall find.
    from_zero : bool
        True: s_0 = 0 as printed.  False: s_0 = h_T.

    Returns
    -------
    hs (T, N, V), ss (S, N, V), ps (S, N, V), ExampleCache
    """
    zero = np.zeros((xs.shape[1], p.W_e.shape[1]), xs.dtype)
    mask = np.ones(xs.shape[:2], dtype=bool)
    hs, final, caches = unroll.forward(rnn_sigmoid, encoder_params(p.W_e), xs, rnn.State(zero), mask)
    s, ss, ps, steps = zero if from_zero else final.h, [], [], []     # (PA4)
    for y in ys:
        s, probs, k = step(p.decoder, y, s)
        ss.append(s)
        ps.append(probs)
        steps.append(k)
    return hs, np.stack(ss), np.stack(ps), ExampleCache(caches, steps, from_zero)


def example_backward(p, k, dhs, dss, dps):
    """Pull the gradients of hs, ss, ps back: -> dxs, dys, Example gradients."""
    ds, dys, total = np.zeros_like(dss[0]), [None] * len(dss), tree.zeros_like(p.decoder)
    for t in reversed(range(len(dss))):
        ds = ds + dss[t]                                        # fork: s_t is output and carry
        dys[t], ds, g = step_backward(p.decoder, k.decoder[t], ds, dps[t])
        tree.accumulate(total, g)                               # fork: W_d is used at every t
    dfinal = rnn.State(np.zeros_like(ds) if k.from_zero else ds)      # (PA4*)
    mask = np.ones(dhs.shape[:2], dtype=bool)
    dxs, _, g = unroll.backward(rnn_sigmoid, encoder_params(p.W_e), k.encoder, dhs, dfinal, mask)
    return dxs, np.stack(dys), Example(np.concatenate([g.W, g.U]), total)
