"""The formulas of document A, one function for each row: A3.1 is a3_1."""
from ..attention import context, score_dot
from ..functions import sigmoid, softmax
from ..layers import embed
from ..vectors import add, argmax, concat, each, times


def a3_1(rnn, xs, h0):
    """A3.1: h_t = RNN(x_t, h_{t-1}); context = h_T.

    xs holds T inputs; returns the T states and the context.
    """
    hs, h = [], h0
    for x in xs:
        h = rnn(x, h)
        hs.append(h)
    return hs, h


def a3_2(rnn, decoder, E, ctx, steps, eos=None):
    """A3.2: ŷ_t = Decoder(context, y_{<t}); context ← RNN(ŷ_t, context).

    decoder(context, y_{<t}) returns V numbers, E is V x D.  ŷ_t is read as the best token, and RNN sees its
    embedding.  Stops after `steps` tokens or after `eos`; returns the tokens and the context after each.
    """
    ys, contexts = (), []
    while len(ys) < steps and ys[-1:] != (eos,):
        y = argmax(decoder(ctx, ys))
        ctx = rnn(embed(E, y), ctx)
        ys, contexts = ys + (y,), contexts + [ctx]
    return ys, contexts


def a3_3(s, hs, score=score_dot, mask=None):
    """A3.3: α_t = Attention(s_t, h_{1..T}); ctx_t = Σ_i α_ti h_i; s_t ← s_t + ctx_t.

    s has H entries, hs is T x H; returns the new s, α (T) and ctx (H).  Attention is softmax of `score`.
    """
    alpha = softmax(score(s, hs), mask)
    ctx = context(alpha, hs)
    return add(s, ctx), alpha, ctx


def a4_1(W_e, x, h_prev):
    """A4.1: h_t = σ(W_e [x_t; h_{t-1}]).

    W_e is (D + H) x H, the rows of x first; no bias; returns h (H).
    """
    return each(sigmoid, times(concat(x, h_prev), W_e))


def a4_2(W_d, W_y, y_prev, s_prev):
    """A4.2 as intended: s_t = σ(W_d [y_{t-1}; s_{t-1}]); p_t = softmax(W_y s_t).

    W_d is (D + H) x H, the rows of y first; W_y is H x V; returns s (H) and p (V).
    """
    s = each(sigmoid, times(concat(y_prev, s_prev), W_d))
    return s, softmax(times(s, W_y))


def a4_2_printed(W_d, y, s_prev, y_hat=None):
    """A4.2 as printed: s_t = σ(W_d [y_t; s_{t-1}]); y_t = softmax(ŷ_t).

    (PA1) a = [y_t; s'] W_d
    (PA2) s_t = σ(a)
    (PA3) p_t = softmax(a)

    The input is y_t itself, which is only known afterwards.  The document never says what the logits ŷ_t are;
    its example (A §4.4) takes W_d [y_t; s_{t-1}], which needs H = V.  So does this reading, unless ŷ_t (V) is
    handed in.  W_d is (D + H) x H; returns s (H) and the distribution (V).
    """
    a = times(concat(y, s_prev), W_d)                                                  # (PA1)
    s = each(sigmoid, a)                                                               # (PA2)
    return s, softmax(a if y_hat is None else y_hat)                                   # (PA3)


def a4_3(s, hs, W_a, score=score_dot, mask=None):
    """A4.3: a = softmax(Attention(s_t, h)); h̃_t = Σ_i a_i h_i; s_t ← σ(W_a [s_t; h̃_t]).

    s has H entries, hs is T x H, W_a is 2H x H, the rows of s first; returns the new s, a (T) and h̃ (H).
    Here Attention is the score, without softmax (in A3.3 it is with softmax).
    """
    a = softmax(score(s, hs), mask)
    h_tilde = context(a, hs)
    return each(sigmoid, times(concat(s, h_tilde), W_a)), a, h_tilde


def a4_4(W_e, W_d, xs, ys, h0, s0=None):
    """A4.4: h_t = σ(W_e [x_t; h_{t-1}]); s_t = σ(W_d [y_t; s_{t-1}]); ŷ_t = softmax(W_d [y_t; s_{t-1}]).

    (PA4) s_0 = 0, as printed

    The worked example: ["I", "love", "you"] → ["Hello", "World"], by A4.1 and A4.2 as printed.  xs are the T
    inputs of the encoder, ys the S inputs of the decoder: as printed, the very words to be found.  The
    document prints s_0 = 0; s0=None takes s_0 = h_T, which A §2.4 requires.  V = H.  Returns hs (T x H),
    ss (S x H), ŷ (S x V) and the S tokens argmax ŷ_t.
    """
    hs, h_T = a3_1(lambda x, h: a4_1(W_e, x, h), xs, h0)
    s = h_T if s0 is None else s0                                                      # (PA4)
    ss, y_hats = [], []
    for y in ys:
        s, y_hat = a4_2_printed(W_d, y, s)
        ss.append(s)
        y_hats.append(y_hat)
    return hs, ss, y_hats, each(argmax, y_hats)
