"""The formulas of document B, one function for each row: B4.2e is b4_2e."""
from math import log

from ..attention import context
from ..cells import lstm_step
from ..functions import sigmoid, softmax, tanh_
from ..vectors import add, concat, dot, each, h_of, mul, pairs, times


def b4_1(order, cell, score, readout, y_prev, s_prev, hs, mask=None):
    """B4.1: s_t = Decoder(s_{t-1}, h, a_t); a_t = Attention(s_t, h); p_t = softmax(Decoder(s_t, h, a_t)).

    As printed it is circular: s_t needs a_t, which needs s_t.  Two ways out:
    order "before" (Bahdanau): a_t = Attention(s_{t-1}, h); s_t = cell([y_{t-1}; ctx_t], s_{t-1})
    order "after"  (Luong):    s_t = cell(y_{t-1}, s_{t-1}); a_t = Attention(s_t, h)
    Both: ctx_t = Σ_i a_ti h_i; p_t = softmax(readout(s_t, ctx_t)).
    hs is T x H, readout returns V numbers; returns the state s_t, p (V) and a (T).
    """
    if order == "before":
        a = softmax(score(h_of(s_prev), hs), mask)
        ctx = context(a, hs)
        s = cell(concat(y_prev, ctx), s_prev)
    elif order == "after":
        s = cell(y_prev, s_prev)
        a = softmax(score(h_of(s), hs), mask)
        ctx = context(a, hs)
    else:
        raise ValueError(f'order must be "before" or "after", got {order!r}')
    return s, softmax(readout(h_of(s), ctx)), a


def b4_1l(ps, ys):
    """B4.1L: L = -Σ_t y_t log p(y_t given y_{<t}), y_t one-hot.

    ps and ys are S x V; entries with y = 0 add nothing, whatever p is.
    """
    return -sum(y_v * log(p_v) for p, y in pairs(ps, ys) for p_v, y_v in pairs(p, y) if y_v != 0)


def b4_2e(W, U, b, x, h_prev, c_prev):
    """B4.2e as intended: i, f, o = σ(W_·x x_t + W_·h h_{t-1} + b_·);
    c_t = f ⊙ c_{t-1} + i ⊙ tanh(W_cx x_t + W_ch h_{t-1} + b_c); h_t = o ⊙ tanh(c_t).

    Blocks i, f, g, o, where g is the document's candidate c: W["i"] is W_ix (D x H), U["i"] is W_ih (H x H);
    returns (h, c).
    """
    return lstm_step(W, U, b, x, h_prev, c_prev)


def b4_2e_printed(W, U, b, x, h_prev, c_prev):
    """B4.2e as printed: as above, but c_t = f ⊙ c_{t-1} + i ⊙ tanh(W_ic h_{t-1} + b_c).

    (PB1) i, f, o = σ(x W + h' U + b)
    (PB2) g = tanh(h' U_g + b_g): the candidate does not see x_t

    W_ic is U["g"] (H x H), and W["g"] is not used; returns (h, c).
    """
    i, f, o = (each(sigmoid, add(times(x, W[q]), times(h_prev, U[q]), b[q])) for q in "ifo")   # (PB1)
    g = each(tanh_, add(times(h_prev, U["g"]), b["g"]))                                # (PB2)
    return printed_state(i, f, g, o, c_prev)


def printed_state(i, f, g, o, c_prev):
    """What both printed LSTMs do with their gates: returns (h, c).

    (PB4) c = f ⊙ c' + i ⊙ g
    (PB5) h = o ⊙ tanh(c)
    """
    c = add(mul(f, c_prev), mul(i, g))                                                 # (PB4)
    return mul(o, each(tanh_, c)), c                                                   # (PB5)


def b4_2d(W, U, b, y_prev, ctx, s_prev, c_prev):
    """B4.2d as intended: (s_t, c_t) = LSTM([y_{t-1}; ctx_t], (s_{t-1}, c_{t-1})).

    The blocks of W are (D + H) x H, the rows of y first; those of U are H x H; returns (s, c).
    """
    return lstm_step(W, U, b, concat(y_prev, ctx), s_prev, c_prev)


def b4_2d_printed(W, U, b, h_t, s_prev, c_prev):
    """B4.2d as printed: i, f, o = σ(W_·s s_{t-1} + W_·h h_t + b_·);
    c_t = f ⊙ c_{t-1} + i ⊙ tanh(W_ic h_t + b_c); s_t = o ⊙ tanh(c_t).

    (PB1) i, f, o = σ(x W + s' U + b), where x = h_t
    (PB3) g = tanh(x W_g + b_g): the candidate does not see s_{t-1}

    The input is the encoder state h_t with the output's own t, so it needs S ≤ T.  U["i"] is W_is, W["i"] is
    W_ih (all H x H); W_ic is W["g"], U["g"] is not used; returns (s, c).
    """
    i, f, o = (each(sigmoid, add(times(s_prev, U[q]), times(h_t, W[q]), b[q])) for q in "ifo")   # (PB1)
    g = each(tanh_, add(times(h_t, W["g"]), b["g"]))                                   # (PB3)
    return printed_state(i, f, g, o, c_prev)


def b4_2a(s, hs, W_a, mask=None):
    """B4.2a as intended: v_ti = tanh(W_a [s_t; h_i]); e_ti = v_tiᵀ h_i; a_t = softmax(e_t).

    s has H entries, hs is T x H, W_a is 2H x H, the rows of s first; returns a (T).
    """
    v = [each(tanh_, times(concat(s, h_i), W_a)) for h_i in hs]
    return softmax([dot(v[i], hs[i]) for i in range(len(hs))], mask)


def b4_2a_printed(s, hs, W_a, t, mask=None):
    """B4.2a as printed: v_t = tanh(W_a [s_t; h_t]); a_t = softmax(v_tᵀ h).

    (PB6) v = tanh([s; h_t] W_a)
    (PB7) alpha = softmax_i(v · h_i)

    One v_t for all positions, from the encoder state with the output's own index t (here from 0, and t < T).
    h without an index is read as all T states, so a_t has T entries.  (B §4.3 prints softmax(v_tᵀ h_t): the
    softmax of a single number, always 1.)  Shapes as in b4_2a.
    """
    v = each(tanh_, times(concat(s, hs[t]), W_a))                                      # (PB6)
    return softmax([dot(v, h_i) for h_i in hs], mask)                                  # (PB7)


def b4_2o(W_y, b_y, s):
    """B4.2o: p(y_t) = softmax(W_y s_t + b_y).

    W_y is H x V, b_y has V entries; returns p (V).
    """
    return softmax(add(times(s, W_y), b_y))
