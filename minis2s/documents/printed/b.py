"""Document B as printed: the encoder LSTM of B4.2e, the decoder LSTM of B4.2d, the attention of B4.2a.

Shapes: T source steps, N batch, D input, H hidden.  Gates are packed on the last axis as i, f, g, o, as in
cells/lstm.py; the candidate's missing weights have no entry at all.

Forward, with x for the cell's input       Backward, where dz means dL/dz
(PB1)  i,f,o = sigmoid(x W + h' U + b)     (PB1*) da_k = dk k(1-k), k in {i, f, o}; then as for any product
(PB2)  g = tanh(h' U_g + b_g)   encoder    (PB2*) da_g = dg (1-g^2)   dh' += da_g U_g^T   dU_g = h'^T da_g
(PB3)  g = tanh(x W_g + b_g)    decoder    (PB3*) da_g = dg (1-g^2)   dx += da_g W_g^T    dW_g = x^T da_g
(PB4)  c = f c' + i g                      (PB4*) df = dc c'   dc' = dc f   di = dc g   dg = dc i
(PB5)  h = o tanh(c)                       (PB5*) do = dh tanh(c)   dc += dh o (1-tanh(c)^2)
(PB6)  v = tanh([s; h_t] W_a)              (PB6*) da = dv (1-v^2)   ds, dh_t = parts of da W_a^T
                                                  dW_a = [s; h_t]^T da
(PB7)  alpha = softmax_i(v . h_i)          (PB7*) de = softmax's   dv = sum_i de_i h_i   dh_i = de_i v

A prime marks step t-1.  The slips:
B4.2e, (PB2): the candidate does not see x_t.  From zero states with zero biases c and h stay 0 at every
    step, for any input; and a word enters c only through the gates' opening, never as such.
B4.2d, (PB3): the candidate does not see s_{t-1}.  The input x is h_t, with the output's own t: for S > T
    there is no h_t.  The word before (y_{t-1}) is no input: the decoder cannot know which word it chose.
B4.2a, (PB6): h_t, again with the output's t, stands where each h_i is meant.  One v scores all positions, and
    which one it is made from depends on the step number: reorder the source, and ctx changes.
"""
from typing import NamedTuple

import numpy as np

from ...core.functions import sigmoid, softmax, softmax_backward
from ...layers import linear


class State(NamedTuple):
    h: np.ndarray              # (N, H); the decoder's is called s in the document
    c: np.ndarray              # (N, H)


class EncoderParams(NamedTuple):
    W: np.ndarray              # (D, 3H): i, f, o
    U: np.ndarray              # (H, 4H): i, f, g, o
    b: np.ndarray              # (4H,)


class DecoderParams(NamedTuple):
    W: np.ndarray              # (D, 4H): i, f, g, o
    U: np.ndarray              # (H, 3H): i, f, o
    b: np.ndarray              # (4H,)


class Cache(NamedTuple):
    x: np.ndarray              # (N, D)
    h_prev: np.ndarray         # (N, H), as are all below
    c_prev: np.ndarray
    i: np.ndarray
    f: np.ndarray
    g: np.ndarray
    o: np.ndarray
    tanh_c: np.ndarray


def without_g(a):
    """The blocks i, f, o of the four: (..., 4H) -> (..., 3H)."""
    i, f, _, o = np.split(a, 4, axis=-1)
    return np.concatenate([i, f, o], axis=-1)


def lstm(x, s, a_ifo, a_g):
    """What encoder and decoder share: sums of the gates and of the candidate -> State, Cache."""
    i, f, o = np.split(sigmoid(a_ifo), 3, axis=1)               # (PB1)
    g = np.tanh(a_g)                                            # (PB2) (PB3)
    c = f * s.c + i * g                                         # (PB4)
    tanh_c = np.tanh(c)
    return State(o * tanh_c, c), Cache(x, s.h, s.c, i, f, g, o, tanh_c)    # (PB5)


def lstm_backward(k, d):
    """State gradients `d` -> da_ifo, da_g, dc'."""
    do = d.h * k.tanh_c                                         # (PB5*)
    dc = d.c + d.h * k.o * (1 - k.tanh_c**2)                    # (PB5*) fork: c feeds h and c(t+1)
    df, dc_prev = dc * k.c_prev, dc * k.f                       # (PB4*)
    di, dg = dc * k.g, dc * k.i                                 # (PB4*)
    da_ifo = np.concatenate([di * k.i * (1 - k.i),              # (PB1*)
                             df * k.f * (1 - k.f),              # (PB1*)
                             do * k.o * (1 - k.o)], axis=1)     # (PB1*)
    return da_ifo, dg * (1 - k.g**2), dc_prev                   # (PB2*) (PB3*)


def encoder_step(p, x, s):
    """B4.2e: EncoderParams, x_t (N, D), State -> State, Cache."""
    b_g = np.split(p.b, 4)[2]
    U_g = np.split(p.U, 4, axis=1)[2]
    a_ifo = x @ p.W + s.h @ without_g(p.U) + without_g(p.b)     # (PB1)
    return lstm(x, s, a_ifo, s.h @ U_g + b_g)                   # (PB2) x is not here


def encoder_step_backward(p, k, d):
    """Pull State gradients back one step: -> dx, State (t-1), EncoderParams gradients."""
    da_ifo, da_g, dc_prev = lstm_backward(k, d)
    da = with_g(da_ifo, da_g)
    grads = EncoderParams(k.x.T @ da_ifo, k.h_prev.T @ da, da.sum(axis=0))    # (PB1*) (PB2*)
    return da_ifo @ p.W.T, State(da @ p.U.T, dc_prev), grads    # (PB1*) (PB2*)


def with_g(ifo, g):
    """The blocks i, f, o and the block g -> i, f, g, o."""
    i, f, o = np.split(ifo, 3, axis=-1)
    return np.concatenate([i, f, g, o], axis=-1)


def decoder_step(p, h_t, s):
    """B4.2d: DecoderParams, encoder state h_t (N, D), State -> State, Cache."""
    b_g = np.split(p.b, 4)[2]
    W_g = np.split(p.W, 4, axis=1)[2]
    a_ifo = h_t @ without_g(p.W) + s.h @ p.U + without_g(p.b)   # (PB1)
    return lstm(h_t, s, a_ifo, h_t @ W_g + b_g)                 # (PB3) s_{t-1} is not here


def decoder_step_backward(p, k, d):
    """Pull State gradients back one step: -> dh_t, State (t-1), DecoderParams gradients."""
    da_ifo, da_g, dc_prev = lstm_backward(k, d)
    da = with_g(da_ifo, da_g)
    grads = DecoderParams(k.x.T @ da, k.h_prev.T @ da_ifo, da.sum(axis=0))    # (PB1*) (PB3*)
    return da @ p.W.T, State(da_ifo @ p.U.T, dc_prev), grads    # (PB1*) (PB3*)


def decode(p, hs, s, S):
    """B4.2d over S output steps: hs (T, N, D), State -> states s_1 .. s_S (S, N, H).

    Raises
    ------
    ValueError
        S > T: the formula needs encoder states that do not exist.
    """
    if S > len(hs):
        raise ValueError(f"S={S} output steps, T={len(hs)} encoder states: as printed step {len(hs) + 1} "
                         f"reads h_{len(hs) + 1}, which does not exist")
    out = []
    for t in range(S):
        s, _ = decoder_step(p, hs[t], s)
        out.append(s.h)
    return np.stack(out)


class AttentionParams(NamedTuple):
    W_a: np.ndarray            # (Q+H, H), the rows of s first


class AttentionCache(NamedTuple):
    s_h: np.ndarray            # (N, Q+H), [s; h_t]
    v: np.ndarray              # (N, H)
    alpha: np.ndarray          # (T, N)
    t: int


def attend(p, s, hs, t, mask=None):
    """B4.2a: AttentionParams, s (N, Q), hs (T, N, H), t (from 0) -> alpha (T, N), AttentionCache.

    Raises
    ------
    ValueError
        There is no h_t.
    """
    if not 0 <= t < len(hs):
        raise ValueError(f"t={t + 1} with T={len(hs)}: as printed v_{t + 1} reads h_{t + 1}, "
                         "which does not exist")
    s_h = np.concatenate([s, hs[t]], axis=1)
    v = np.tanh(s_h @ p.W_a)                                    # (PB6) one v for all positions
    e = np.einsum("nh,tnh->tn", v, hs)                          # (PB7)
    alpha = softmax(e, mask, axis=0)                            # (PB7)
    return alpha, AttentionCache(s_h, v, alpha, t)


def attend_backward(p, hs, k, dalpha):
    """dalpha (T, N) -> ds (N, Q), dhs (T, N, H), AttentionParams gradients."""
    de = softmax_backward(k.alpha, dalpha, axis=0)              # (PB7*)
    dv, dhs = np.einsum("tn,tnh->nh", de, hs), de[:, :, None] * k.v    # (PB7*)
    ds_h, dW_a = linear.product_backward(p.W_a, k.s_h, dv * (1 - k.v**2))    # (PB6*)
    Q = k.s_h.shape[1] - hs.shape[2]
    dhs[k.t] += ds_h[:, Q:]                                     # (PB6*) fork: h_t is scored and makes v
    return ds_h[:, :Q], dhs, AttentionParams(dW_a)              # (PB6*)
