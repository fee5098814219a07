"""Recurrent cells: one time step of one example.  See minis2s/layers/cells/.

x has D entries, states have H; a prime marks step t-1.
"""
from .functions import sigmoid, tanh_
from .vectors import add, each, mul, times

PHI = {"tanh": tanh_, "sigmoid": sigmoid}


def rnn_step(W, U, b, x, h_prev, phi="tanh"):
    """Plain RNN.  W is D x H, U is H x H, b has H entries; returns h.

    (R1) a = x W + h' U + b
    (R2) h = φ(a), φ = tanh or sigmoid
    """
    a = add(times(x, W), times(h_prev, U), b)                                          # (R1)
    return each(PHI[phi], a)                                                           # (R2)


def lstm_gates(W, U, b, x, h_prev):
    """The gates of the LSTM: returns i, f, g, o.  W, U, b are dicts with the blocks i, f, g, o.

    (L1) a = x W + h' U + b
    (L2) i, f, o = σ(a_i), σ(a_f), σ(a_o)
    (L3) g = tanh(a_g)
    """
    a = {q: add(times(x, W[q]), times(h_prev, U[q]), b[q]) for q in "ifgo"}            # (L1)
    i, f, o = (each(sigmoid, a[q]) for q in "ifo")                                     # (L2)
    g = each(tanh_, a["g"])                                                            # (L3)
    return i, f, g, o


def lstm_step(W, U, b, x, h_prev, c_prev):
    """LSTM.  W, U, b as in `lstm_gates`; returns (h, c).

    (L4) c = f ⊙ c' + i ⊙ g
    (L5) h = o ⊙ tanh(c)
    """
    i, f, g, o = lstm_gates(W, U, b, x, h_prev)
    c = add(mul(f, c_prev), mul(i, g))                                                 # (L4)
    h = mul(o, each(tanh_, c))                                                         # (L5)
    return h, c


def gru_gates(W, U, b, x, h_prev):
    """The gates of the GRU, reset *before* the product: returns z, r, q, n.  W, U, b are dicts with the blocks z, r, n.

    (G1) z, r = σ(x W + h' U + b), blocks z and r
    (G2) q = r ⊙ h'
    (G3) n = tanh(x W_n + q U_n + b_n)
    """
    z, r = (each(sigmoid, add(times(x, W[k]), times(h_prev, U[k]), b[k])) for k in "zr")   # (G1)
    q = mul(r, h_prev)                                                                 # (G2)
    n = each(tanh_, add(times(x, W["n"]), times(q, U["n"]), b["n"]))                   # (G3)
    return z, r, q, n


def gru_step(W, U, b, x, h_prev):
    """GRU, reset *before* the product.  W, U, b as in `gru_gates`; returns h.

    (G4) h = (1 - z) ⊙ h' + z ⊙ n
    """
    z, _, _, n = gru_gates(W, U, b, x, h_prev)
    return [(1 - z[j]) * h_prev[j] + z[j] * n[j] for j in range(len(z))]               # (G4)


def gru_after_gates(W, U, b, b_U, x, h_prev):
    """The gates of the GRU, reset *after* the product; b_U (H entries) is the product's own bias: returns z, r, m, n.

    (GA1) z, r = σ(x W + h' U + b), blocks z and r
    (GA2) m = h' U_n + b_U
    (GA3) n = tanh(x W_n + b_n + r ⊙ m)
    """
    z, r = (each(sigmoid, add(times(x, W[k]), times(h_prev, U[k]), b[k])) for k in "zr")   # (GA1)
    m = add(times(h_prev, U["n"]), b_U)                                                # (GA2)
    n = each(tanh_, add(times(x, W["n"]), b["n"], mul(r, m)))                          # (GA3)
    return z, r, m, n


def gru_after_step(W, U, b, b_U, x, h_prev):
    """GRU, reset *after* the product.  Parameters as in `gru_after_gates`; returns h.

    (GA4) h = (1 - z) ⊙ h' + z ⊙ n
    """
    z, _, _, n = gru_after_gates(W, U, b, b_U, x, h_prev)
    return [(1 - z[j]) * h_prev[j] + z[j] * n[j] for j in range(len(z))]               # (GA4)
