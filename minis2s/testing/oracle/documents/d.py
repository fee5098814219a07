"""The formulas of document D, one function for each row: D3.3 is d3_3."""
from ..attention import context
from ..functions import softmax, tanh_
from ..vectors import add, concat, dot, each, times
from .a import a3_1
from .c import c2_1


def d3_1(rnn, xs, h0):
    """D3.1: h_t = RNN(h_{t-1}, x_t).

    xs holds T inputs; returns the T states.
    """
    return c2_1(rnn, xs, h0)


def d3_2(rnn, y_prev, ctx, s_prev):
    """D3.2 as intended: s_t = RNN(s_{t-1}, [y_{t-1}; ctx_t]).

    y_prev has D entries, ctx H; the input of the cell has D + H; returns the state s_t.
    """
    return rnn(concat(y_prev, ctx), s_prev)


def d3_2_printed(rnn, h_t, s_prev):
    """D3.2 as printed: s_t = RNN(s_{t-1}, h_t).

    (PD1) s_t = RNN(h_t, s'), in the library tanh(h_t W + s' U + b)

    h_t is the encoder state with the output's own t, so it needs S ≤ T; the words said so far are never seen.
    The input of the cell has H entries; returns the state s_t.
    """
    return rnn(h_t, s_prev)                                                            # (PD1)


def d3_3(s, hs, W_s, W_h, v, mask=None):
    """D3.3 as intended: a_ti = softmax_i(vᵀ tanh(W_s s_t + W_h h_i)).

    hs is T x H, W_s and W_h are H x A, v has A entries; returns a (T).
    """
    return softmax([dot(v, each(tanh_, add(times(s, W_s), times(h_i, W_h)))) for h_i in hs], mask)


def d3_3_printed(s, h_t, W_s, W_h, v):
    """D3.3 as printed, word for word: a_t = softmax(vᵀ tanh(W_s s_t + W_h h_t)).

    (PD2) u = tanh(s W_s + h_t W_h)
    (PD3) a_t = softmax of the one number u · v

    What is read: the softmax is taken of what stands in it, for one t.  This is a single number, so a_t = 1
    always (returned as one number), and ctx = Σ_i a_i h_i is the plain sum of the states.  Shapes as in d3_3;
    h_t has H entries.
    """
    u = each(tanh_, add(times(s, W_s), times(h_t, W_h)))                               # (PD2)
    return softmax([dot(v, u)])[0]                                                     # (PD3)


def d3_3_printed_over_t(ss, hs, W_s, W_h, v):
    """D3.3 as printed, read the other way: e_t = vᵀ tanh(W_s s_t + W_h h_t); a = softmax of e over t = 1..T.

    (PD2) u_t = tanh(s_t W_s + h_t W_h)
    (PD4) a = softmax over t of u_t · v

    Here the softmax runs over the steps.  It needs S = T and every s_t at once, so no decoder could use it
    step by step.  ss and hs are T x H; returns a (T), one set of weights for the whole sentence.
    """
    if len(ss) != len(hs):
        raise ValueError(f"this reading needs S = T; got {len(ss)} and {len(hs)}")
    us = [each(tanh_, add(times(s, W_s), times(h, W_h))) for s, h in zip(ss, hs)]      # (PD2)
    return softmax([dot(v, u) for u in us])                                            # (PD4)


def d3_4(a, hs):
    """D3.4: ctx_t = Σ_i a_i h_i.

    a has T entries, hs is T x H; returns ctx (H).
    """
    return context(a, hs)


def d3_5(W_o, s, ctx):
    """D3.5: y_t = softmax(W_o [s_t; ctx_t]).

    W_o is 2H x V, the rows of s first; no bias; returns the distribution (V).
    """
    return softmax(times(concat(s, ctx), W_o))


def d3_s(rnn, xs, ys_prev, h0):
    """D3.s: h_t = RNN(x_t, h_{t-1}); s_0 = h_T; s_t = RNN(y_{t-1}, s_{t-1}).

    Both are the same RNN with the same parameters.  xs are T inputs, ys_prev S inputs of the same size;
    returns hs (T x H) and ss (S x H).
    """
    hs, h_T = a3_1(rnn, xs, h0)
    ss, _ = a3_1(rnn, ys_prev, h_T)
    return hs, ss
