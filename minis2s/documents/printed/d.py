"""Document D as printed: the decoder of D3.2, and the weights of D3.3 in both readings that can be computed.

Shapes: T source steps, N batch, H encoder state, Q decoder state, A size of the hidden layer.

Forward                                         Backward, where dz means dL/dz
(PD1)  s_t = tanh(h_t W + s' U + b)             (PD1*) da = ds (1-s^2)   dh_t = da W^T   ds' = da U^T ...
(PD2)  u_t = tanh(s_t W_s + h_t W_h)            (PD2*) da = du (1-u^2)   ds_t = da W_s^T   dh_t = da W_h^T
                                                       dW_s = sum s_t^T da   dW_h = sum h_t^T da
(PD3)  a_t = softmax of the one number u_t . v  (PD3*) a_t = 1 always, so de = 0: nothing is learned
(PD4)  a = softmax over t of u_t . v            (PD4*) de_t = a_t (da_t - sum_t a_t da_t)
                                                       du_t = de_t v   dv = sum de_t u_t

A prime marks step t-1.  The slips:
D3.2, (PD1): the input is h_t with the output's own t.  y_{t-1} is never seen, and for S > T there is no h_t.
    What is printed is the second layer of a stack, one output for each source word: a tagger (part P4).
D3.3, (PD3) (PD4): h_t stands where h_i is meant, i running over the source.  Word for word there is one score
    for one weight: a_t = 1, ctx is the plain sum of all h_i, and no gradient reaches W_s, W_h or v.  With the
    softmax read as over t, it needs S = T and all s_t at once: one set of weights for a whole sentence, which
    no decoder can have before it has finished.
"""
from typing import NamedTuple

import numpy as np

from ...core import tree
from ...core.functions import softmax, softmax_backward
from ...layers import linear
from ...layers.attention.additive import Params
from ...layers.cells import rnn


def decode(p, hs, s, S):
    """D3.2 over S steps: rnn.Params, hs (T, N, H), rnn.State -> ss (S, N, Q), caches.

    Raises
    ------
    ValueError
        S > T: the formula needs encoder states that do not exist.
    """
    if S > len(hs):
        raise ValueError(f"S={S} output steps, T={len(hs)} encoder states: as printed step {len(hs) + 1} "
                         f"reads h_{len(hs) + 1}, which does not exist")
    ss, caches = [], []
    for t in range(S):
        s, k = rnn.step(p, hs[t], s)                            # (PD1)
        ss.append(s.h)
        caches.append(k)
    return np.stack(ss), caches


def decode_backward(p, hs, caches, dss):
    """dss (S, N, Q) -> dhs (T, N, H), ds_0 (a State), rnn.Params gradients."""
    dhs, d = np.zeros_like(hs), rnn.State(np.zeros_like(dss[0]))
    total = tree.zeros_like(p)
    for t in reversed(range(len(dss))):
        d = rnn.State(d.h + dss[t])                             # fork: s_t is output and carry
        dhs[t], d, g = rnn.step_backward(p, caches[t], d)       # (PD1*)
        tree.accumulate(total, g)                               # fork: p is used at every t
    return dhs, d, total


class Cache(NamedTuple):
    ss: np.ndarray             # (T, N, Q)
    hs: np.ndarray             # (T, N, H)
    u: np.ndarray              # (T, N, A)
    a: np.ndarray              # (T, N)


def weights(p, ss, hs, over_t=False):
    """D3.3: additive Params, ss (T, N, Q), hs (T, N, H) -> a (T, N), Cache.

    Parameters
    ----------
    over_t : bool
        False: word for word, each t by itself (PD3).  True: one softmax over all t (PD4).

    Raises
    ------
    ValueError
        ss and hs differ in length: s_t and h_t share one t.
    """
    if len(ss) != len(hs):
        raise ValueError(f"{len(ss)} states s_t, {len(hs)} states h_t: as printed both have one t, so S = T")
    u = np.tanh(ss @ p.W_s + hs @ p.W_h)                        # (PD2)
    e = u @ p.v
    a = softmax(e, axis=0) if over_t else softmax(e[:, :, None])[:, :, 0]    # (PD4) (PD3)
    return a, Cache(ss, hs, u, a)


def weights_backward(p, k, da, over_t=False):
    """da (T, N) -> dss, dhs, additive Params gradients."""
    de = softmax_backward(k.a, da, axis=0) if over_t else np.zeros_like(da)    # (PD4*) (PD3*)
    dv = np.einsum("tn,tna->a", de, k.u)                        # (PD4*)
    du = de[:, :, None] * p.v * (1 - k.u**2)                    # (PD4*) (PD2*)
    dss, dW_s = linear.product_backward(p.W_s, k.ss, du)        # (PD2*)
    dhs, dW_h = linear.product_backward(p.W_h, k.hs, du)        # (PD2*)
    return dss, dhs, Params(dW_s, dW_h, dv)
