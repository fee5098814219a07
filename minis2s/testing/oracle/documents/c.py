"""The formulas of document C, one function for each row: C3.1L is c3_1l."""
from ..cells import gru_after_step, gru_step
from ..functions import sigmoid, softmax, tanh_
from ..training import clip_by_global_norm, clip_by_value
from ..vectors import add, argmax, concat, each, h_of, mul, times


def c2_1(rnn, xs, h0):
    """C2.1: h_t = RNN(h_{t-1}, x_t).

    xs holds T inputs; returns the T states.
    """
    hs = [h0]
    for x in xs:
        hs.append(rnn(x, hs[-1]))
    return hs[1:]


def c2_2(encoder, decoder, W_y, b_y, xs, h0, ys_prev):
    """C2.2: h = RNNᵀ(x_1..x_T); y_t = Decoder(h, y_{t-1}), with h fed at every step and a state of its own:
    s_0 = h; s_t = Decoder([y_{t-1}; h], s_{t-1}); p_t = softmax(W_y s_t + b_y).

    As printed there is no s_t, and y_{t-1} would be all that is remembered.  encoder and decoder are cells
    with states of H entries, ys_prev the S inputs y_0..y_{S-1}; W_y is H x V; returns ps (S x V) and
    ss (S x H).
    """
    h = c2_1(encoder, xs, h0)[-1]
    s, ss, ps = h, [], []
    for y_prev in ys_prev:
        s = decoder(concat(y_prev, h), s)
        ss.append(s)
        ps.append(softmax(add(times(s, W_y), b_y)))
    return ps, ss


def c2_2_printed(W, b, W_y, b_y, y_prev, h):
    """C2.2 as printed: y_t = Decoder(h, y_{t-1}), read as a network without a state.

    (PC1) u = tanh([y'; h] W + b)
    (PC2) p = softmax(u W_y + b_y)

    W has a row for each entry of y, then one for each entry of h; returns p (V).
    """
    u = each(tanh_, add(times(concat(y_prev, h), W), b))                               # (PC1)
    return softmax(add(times(u, W_y), b_y))                                            # (PC2)


def c3_1l(W, b, x, h_prev, c_prev):
    """C3.1L: i, f, o = σ(W_· [h_{t-1}, x_t] + b_·); g = tanh(W_g [h_{t-1}, x_t] + b_g);
    c_t = f ⊙ c_{t-1} + i ⊙ g; h_t = o ⊙ tanh(c_t).

    One matrix for each gate, (H + D) x H, the rows of *h* first; returns (h, c).  It is `lstm_step` with U
    stacked upon W.
    """
    i, f, o = (each(sigmoid, add(times(concat(h_prev, x), W[q]), b[q])) for q in "ifo")
    g = each(tanh_, add(times(concat(h_prev, x), W["g"]), b["g"]))
    c = add(mul(f, c_prev), mul(i, g))
    return mul(o, each(tanh_, c)), c


def c3_1g(W, U, b, x, h_prev):
    """C3.1G as intended, reset before: z, r = σ(W_· [h_{t-1}, x_t] + b_·);
    h̃_t = tanh(W_x x_t + W_h (r ⊙ h_{t-1}) + b); h_t = (1 - z) ⊙ h_{t-1} + z ⊙ h̃_t.

    Blocks z, r, n of W (D x H), U (H x H), b (H), where n is h̃; returns h.
    """
    return gru_step(W, U, b, x, h_prev)


def c3_1g_after(W, U, b, b_U, x, h_prev):
    """C3.1G as intended, reset after: h̃_t = tanh(W_x x_t + b + r ⊙ (W_h h_{t-1} + b_U)), the rest as above.

    Shapes as in c3_1g; b_U has H entries; returns h.
    """
    return gru_after_step(W, U, b, b_U, x, h_prev)


def c3_1g_printed(W, b, x, h_prev):
    """C3.1G as printed: z, r = σ(W_· [h_{t-1}, x_t] + b_·); h̃_t = tanh(W ([z ⊙ h_{t-1}] + [r ⊙ x_t]) + b);
    h_t = (1 - z) ⊙ h_{t-1} + z ⊙ h̃_t.

    (PC3) z, r = σ([h'; x] W + b)
    (PC4) q = z ⊙ h' + r ⊙ x
    (PC5) n = tanh(q W + b)
    (PC6) h = (1 - z) ⊙ h' + z ⊙ n

    The + is read as a sum, so x and h have the same size H.  W["z"], W["r"] are 2H x H, the rows of *h*
    first; W["n"] is H x H; returns h.
    """
    if len(x) != len(h_prev):
        raise ValueError(f"as printed, x and h need the same size; got {len(x)} and {len(h_prev)}")
    z, r = (each(sigmoid, add(times(concat(h_prev, x), W[k]), b[k])) for k in "zr")    # (PC3)
    q = add(mul(z, h_prev), mul(r, x))                                                 # (PC4)
    n = each(tanh_, add(times(q, W["n"]), b["n"]))                                     # (PC5)
    return [(1 - z[j]) * h_prev[j] + z[j] * n[j] for j in range(len(z))]               # (PC6)


def c4_1d(cell, W_y, b_y, y_prev, state):
    """C4.1d: h_t = cell(y_{t-1}, h_{t-1}); p_t = softmax(W_y h_t + b_y); y_t = argmax p_t.

    cell is an RNN, LSTM or GRU; W_y is H x V; returns the state, p (V) and the token y_t.
    """
    state = cell(y_prev, state)
    p = softmax(add(times(h_of(state), W_y), b_y))
    return state, p, argmax(p)


def c3_3c(gs, c, by="norm"):
    """C3.3c: by "norm": g ← g · min(1, c / ‖g‖); by "value": g_k ← max(-c, min(c, g_k)).

    gs is a list of flat lists of any lengths; so is the result.
    """
    return {"norm": clip_by_global_norm, "value": clip_by_value}[by](gs, c)
