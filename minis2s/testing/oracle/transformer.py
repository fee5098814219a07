"""The parts of the Transformer.  See minis2s/layers/ (layer_norm, positions, attention/multi_head, ...).

One example at a time; a sequence is a list of rows of D numbers.  `seen` is a function of two positions: seen(t, i)
says whether the query at t may read the key at i.
"""
from math import cos, exp, pi, sin, sqrt, tanh

from .layers import dropout, embed, linear
from .vectors import add, dot, each, mul, times


def layer_norm(g, b, x, eps=1e-5):
    """One row of D numbers, shifted and scaled.

    (LN1) c = x - mean(x)
    (LN2) r = √(mean(c²) + ε)
    (LN3) n = c / r
    (LN4) y = g ⊙ n + b
    """
    D = len(x)
    c = [x_j - sum(x) / D for x_j in x]                                                # (LN1)
    r = sqrt(dot(c, c) / D + eps)                                                      # (LN2)
    n = [c_j / r for c_j in c]                                                         # (LN3)
    return add(mul(g, n), b)                                                           # (LN4)


def relu(a):
    """(FR1) max(a, 0), for one number a."""
    return max(a, 0.0)                                                                 # (FR1)


def gelu(a):
    """GELU in its tanh form, for one number a.

    (FG1) s = tanh(√(2/π) (a + 0.044715 a³))
    (FG2) a (1 + s) / 2
    """
    s = tanh(sqrt(2 / pi) * (a + 0.044715 * a ** 3))                                   # (FG1)
    return a * (1 + s) / 2                                                             # (FG2)


PHI = {"relu": relu, "gelu": gelu}


def feed_forward(W_1, b_1, W_2, b_2, x, phi="relu"):
    """One position.  W_1 is D x F, W_2 is F x D.

    (FF1) a = x W_1 + b_1
    (FF2) u = φ(a)
    (FF3) y = u W_2 + b_2
    """
    a = linear(W_1, b_1, x)                                                            # (FF1)
    u = each(PHI[phi], a)                                                              # (FF2)
    return linear(W_2, b_2, u)                                                         # (FF3)


def sinusoid(i, D):
    """(PE1) the vector of position i: D entries, sin(i / 10000^(2k/D)) and cos of the same, alternating."""
    return [(sin if j % 2 == 0 else cos)(i / 10000 ** ((j - j % 2) / D)) for j in range(D)]    # (PE1)


def placed(x, P_i):
    """(PE2) √D x + P_i: an embedding x with the vector of its position."""
    return [sqrt(len(x)) * x[j] + P_i[j] for j in range(len(x))]                       # (PE2)


def see_real(mask):
    """(SA4) any query sees the real keys."""
    return lambda t, i: mask[i]                                                        # (SA4)


def see_past(t, i):
    """(SA5) a query at t sees the keys up to its own position."""
    return i <= t                                                                      # (SA5)


def scaled_dot_product(qs, ks, vs, seen):
    """All queries qs over keys ks and values vs: -> (contexts, weights), a list for each query.

    (SA1) e_ti = q_t·k_i / √d
    (SA2) α_t = softmax(e_t) over the keys seen from t
    (SA3) ctx_t = Σ_i α_ti v_i
    """
    ctxs, alphas = [], []
    for t, q in enumerate(qs):
        e = [dot(q, k) / sqrt(len(q)) for k in ks]                                     # (SA1)
        top = max(e[i] for i in range(len(ks)) if seen(t, i))
        y = [exp(e[i] - top) if seen(t, i) else 0.0 for i in range(len(ks))]
        alpha = [y_i / sum(y) for y_i in y]                                            # (SA2)
        ctxs.append([dot(alpha, [v[j] for v in vs]) for j in range(len(vs[0]))])       # (SA3)
        alphas.append(alpha)
    return ctxs, alphas


def split(xs, h):
    """(MH5) rows of D entries -> h sequences of rows of d = D / h entries, in order."""
    d = len(xs[0]) // h
    return [[x[j * d:(j + 1) * d] for x in xs] for j in range(h)]                      # (MH5)


def multi_head(W_q, b_q, W_k, W_v, b_v, W_o, b_o, h, xs, ys, seen):
    """Queries from xs, keys and values from ys, h heads: -> (S rows of D numbers, weights of each head).

    (MH1) k_i = y_i W_k,  v_i = y_i W_v + b_v
    (MH2) q_t = x_t W_q + b_q
    (MH3) every head by itself
    (MH4) z_t = [ctx of head 1; ...; ctx of head h] W_o + b_o
    """
    ks, vs = [times(y, W_k) for y in ys], [linear(W_v, b_v, y) for y in ys]            # (MH1)
    qs = [linear(W_q, b_q, x) for x in xs]                                             # (MH2)
    heads = [scaled_dot_product(*three, seen)
             for three in zip(split(qs, h), split(ks, h), split(vs, h))]               # (MH3)
    joined = [[number for ctxs, _ in heads for number in ctxs[t]] for t in range(len(xs))]
    return [linear(W_o, b_o, row) for row in joined], [alphas for _, alphas in heads]  # (MH4)


def residual(norm, g, b, xs, sublayer, m=None):
    """A sub-layer (a function of the sequence) with the path around it; m: the rows of the dropout mask, or None.

    (RS1) u = x                  post-norm
    (RS2) u = norm(x)            pre-norm
    (RS3) y = norm(x + m z)      post-norm
    (RS4) y = x + m z            pre-norm
    """
    us = xs if norm == "post" else [layer_norm(g, b, x) for x in xs]                   # (RS1) (RS2)
    zs = sublayer(us)
    zs = zs if m is None else [dropout(z, m_t) for z, m_t in zip(zs, m)]
    ys = [add(x, z) for x, z in zip(xs, zs)]                                           # (RS4)
    return ys if norm == "pre" else [layer_norm(g, b, y) for y in ys]                  # (RS3)


def inputs(E, P, ids, m=None):
    """Token ids -> rows; P is a list of learned positions or None for sinusoids."""
    D = len(E[0])
    xs = [placed(embed(E, token), P[i] if P else sinusoid(i, D)) for i, token in enumerate(ids)]
    return xs if m is None else [dropout(x, m_i) for x, m_i in zip(xs, m)]
