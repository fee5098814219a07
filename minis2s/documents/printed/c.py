"""Document C as printed: the decoder without a state of C2.2, and the GRU of C3.1G.

Shapes: N batch, D input, H hidden, V vocabulary.

Forward                                      Backward, where dz means dL/dz
(PC1)  u = tanh([y'; h] W + b)               (PC1*) da = du (1-u^2)   dy', dh = parts of da W^T
                                                    dW = [y'; h]^T da   db = sum_n da
(PC2)  p = softmax(u W_y + b_y)              (PC2*) dlogits = softmax's; the rest as for any linear layer
(PC3)  z,r = sigmoid([h'; x] W_zr + b_zr)    (PC3*) da_k = dk k(1-k), k in {z, r}; then as for any product
(PC4)  q = z h' + r x                        (PC4*) dz = dq h'   dh' += dq z   dr = dq x   dx += dq r
(PC5)  n = tanh(q W + b)                     (PC5*) da_n = dn (1-n^2)   dq = da_n W^T   dW = q^T da_n
(PC6)  h = (1-z) h' + z n                    (PC6*) dz += dh (n-h')   dn = dh z   dh' += dh (1-z)

A prime marks step t-1.  The slips:
C2.2, (PC1): y_t = Decoder(h, y_{t-1}) keeps nothing but the last word; h is the encoder's, the same at every
    step.  After the same word its output is always the same: it cannot count, nor output "that that" and then stop.
    ("Decoder" is read as the smallest network that mixes the two: one tanh layer and a softmax.)
C3.1G, (PC4): read as a sum, it needs as many inputs as units.  The update gate z scales the memory that goes
    into the candidate and also decides how much of the old state stays; the reset gate r scales the new word
    in place of the memory.  So the unit cannot drop its memory and rewrite the state at once: writing (z = 1)
    lets all of h' into the candidate.  One W serves h' and x, so the candidate cannot tell them apart.
"""
from typing import NamedTuple

import numpy as np

from ...core.functions import sigmoid, softmax, softmax_backward
from ...layers import linear


class DecoderParams(NamedTuple):
    hidden: linear.Params      # W (E+H, A), the rows of y' first
    readout: linear.Params     # W (A, V)


def init(rng, E, H, A, V):
    """First DecoderParams, float64."""
    return DecoderParams(linear.init(rng, E + H, A), linear.init(rng, A, V))


class DecoderCache(NamedTuple):
    y_h: np.ndarray            # (N, E+H), [y'; h]
    u: np.ndarray              # (N, A)
    p: np.ndarray              # (N, V)


def decoder_step(p, y_prev, h):
    """C2.2: DecoderParams, y_{t-1} (N, E), h (N, H) -> p_t (N, V), DecoderCache; no state goes on."""
    y_h = np.concatenate([y_prev, h], axis=1)
    u = np.tanh(linear.forward(p.hidden, y_h))                  # (PC1)
    probs = softmax(linear.forward(p.readout, u))               # (PC2)
    return probs, DecoderCache(y_h, u, probs)


def decoder_step_backward(p, k, dprobs, H):
    """dp_t (N, V), size H of h -> dy_{t-1} (N, E), dh (N, H), DecoderParams gradients."""
    du, g_readout = linear.backward(p.readout, k.u, softmax_backward(k.p, dprobs))    # (PC2*)
    dy_h, g_hidden = linear.backward(p.hidden, k.y_h, du * (1 - k.u**2))              # (PC1*)
    E = k.y_h.shape[1] - H
    return dy_h[:, :E], dy_h[:, E:], DecoderParams(g_hidden, g_readout)    # (PC1*)


class GruParams(NamedTuple):
    W_zr: np.ndarray           # (2H, 2H): z, r; the rows of h' first
    b_zr: np.ndarray           # (2H,)
    W: np.ndarray              # (H, H)
    b: np.ndarray              # (H,)


class State(NamedTuple):
    h: np.ndarray              # (N, H)


class GruCache(NamedTuple):
    h_x: np.ndarray            # (N, 2H), [h'; x]
    z: np.ndarray              # (N, H), as are all below
    r: np.ndarray
    q: np.ndarray
    n: np.ndarray


def gru_step(p, x, s):
    """C3.1G: GruParams, x_t (N, H), State -> State, GruCache.

    Raises
    ------
    ValueError
        x and h differ in size: as printed they are added.
    """
    if x.shape != s.h.shape:
        raise ValueError(f"x has shape {x.shape}, h {s.h.shape}: as printed [z h'] + [r x] needs one shape")
    h_x = np.concatenate([s.h, x], axis=1)
    z, r = np.split(sigmoid(h_x @ p.W_zr + p.b_zr), 2, axis=1)  # (PC3)
    q = z * s.h + r * x                                         # (PC4)
    n = np.tanh(q @ p.W + p.b)                                  # (PC5)
    h = (1 - z) * s.h + z * n                                   # (PC6)
    return State(h), GruCache(h_x, z, r, q, n)


def gru_step_backward(p, k, d):
    """Pull State gradients back one step: -> dx, State (t-1), GruParams gradients."""
    h_prev, x = np.split(k.h_x, 2, axis=1)
    dn = d.h * k.z                                              # (PC6*)
    dq, dW = linear.product_backward(p.W, k.q, dn * (1 - k.n**2))    # (PC5*)
    db = (dn * (1 - k.n**2)).sum(axis=0)                        # (PC5*)
    dz = d.h * (k.n - h_prev) + dq * h_prev                     # (PC6*) (PC4*) fork: z updates and gates
    dr = dq * x                                                 # (PC4*)
    da = np.concatenate([dz * k.z * (1 - k.z),                  # (PC3*)
                         dr * k.r * (1 - k.r)], axis=1)         # (PC3*)
    dh_x, dW_zr = linear.product_backward(p.W_zr, k.h_x, da)    # (PC3*)
    dh_gates, dx_gates = np.split(dh_x, 2, axis=1)
    dh_prev = d.h * (1 - k.z) + dq * k.z + dh_gates             # (PC6*) (PC4*) (PC3*) fork: h' is used thrice
    dx = dq * k.r + dx_gates                                    # (PC4*) (PC3*) fork: x is gated and gates
    return dx, State(dh_prev), GruParams(dW_zr, da.sum(axis=0), dW, db)
