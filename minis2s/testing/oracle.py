"""The formulas in plain Python: numbers, lists and loops; no arrays, no batch, no speed.

This file is the project's independent witness: it imports only `math`, nothing from the library, and the
tests and `minis2s formulas` compare every fast line with the slow line here.  Read it beside the formulas.

How to read it
    vectors    are lists of floats, written as rows: the documents' W x is x W here
    matrices   are lists of rows: W[d][j] leads from input d to output j
    gates      W, U, b of a gated cell are dicts from the gate's letter to its own block: W["f"][d][j]
    states     are lists (RNN, GRU: h) or tuples (LSTM: (h, c)); a prime in a formula marks step t-1
    masks      are lists of bool, True = real; None means that all is real
    cells      handed in as functions are called cell(x, state) and return the new state, for example
               lambda x, h: rnn_step(W, U, b, x, h)    or    lambda x, s: lstm_step(W, U, b, x, *s)
    indices    start at 0 where the formulas start at 1
    (L4)       a mark: it names an equation and stands on the line that computes it
    A3.1       a row of the list of the documents' formulas; its function is a3_1

Part A holds the equations of the library, part B the formulas of the five documents: as intended, and *as
printed* where the documents slip.
"""
from math import exp, log, sqrt, tanh


# ---------------------------------------------------------------------------------------------------------
# A few words of vector arithmetic
# ---------------------------------------------------------------------------------------------------------

def dot(u, v):
    """u·v = Σ_k u_k v_k."""
    return sum(u_k * v_k for u_k, v_k in zip(u, v, strict=True))


def times(x, W):
    """(x W)_j = Σ_d x_d W_dj: x has D entries, W has D rows of J; the result has J entries."""
    return [dot(x, [row[j] for row in W]) for j in range(len(W[0]))]


def add(u, *others):
    """u + v + ..., entry by entry."""
    return [sum(entries) for entries in zip(u, *others, strict=True)]


def mul(u, v):
    """u ⊙ v, entry by entry."""
    return [u_k * v_k for u_k, v_k in zip(u, v, strict=True)]


def concat(u, v):
    """[u; v], one behind the other."""
    return list(u) + list(v)


def each(f, v):
    """f applied to each entry of v."""
    return [f(v_k) for v_k in v]


def argmax(v):
    """The index of the greatest entry; the first one if several are equal."""
    return max(range(len(v)), key=lambda k: v[k])


def h_of(state):
    """The h of a state: the state itself, or the first part of an LSTM's (h, c)."""
    return state[0] if isinstance(state, tuple) else state


# ---------------------------------------------------------------------------------------------------------
# A.  The equations of the library.  First: pointwise functions
# ---------------------------------------------------------------------------------------------------------

def sigmoid(a):
    """(F1) σ(a) = 1 / (1 + e^-a), for one number a; the exponent is never positive, so nothing overflows."""
    return 1 / (1 + exp(-a)) if a >= 0 else exp(a) / (1 + exp(a))                      # (F1)


def tanh_(a):
    """(F2) tanh(a) = (e^a - e^-a) / (e^a + e^-a), for one number a."""
    return tanh(a)                                                                     # (F2)


def softmax(e, mask=None):
    """(F3) softmax(e)_i = e^(e_i) / Σ_j e^(e_j), over real positions only; the others are 0.

    e has T entries; so has the result.  At least one position must be real.  Taking the greatest real
    entry away from all changes nothing, and keeps e^... from overflowing.
    """
    real = [True] * len(e) if mask is None else mask
    m = max(e[i] for i in range(len(e)) if real[i])
    total = sum(exp(e[i] - m) for i in range(len(e)) if real[i])
    return [exp(e[i] - m) / total if real[i] else 0.0 for i in range(len(e))]          # (F3)


def log_softmax(e):
    """(F4) log softmax(e)_i = e_i - log Σ_j e^(e_j): V entries in, V entries out."""
    m = max(e)
    log_total = m + log(sum(exp(e_j - m) for e_j in e))
    return [e_i - log_total for e_i in e]                                              # (F4)


# ---------------------------------------------------------------------------------------------------------
# Cells: one time step of one example.  x has D entries, states have H
# ---------------------------------------------------------------------------------------------------------

PHI = {"tanh": tanh_, "sigmoid": sigmoid}


def rnn_step(W, U, b, x, h_prev, phi="tanh"):
    """Plain RNN.  W is D x H, U is H x H, b has H entries; returns h.

    (R1) a = x W + h' U + b
    (R2) h = φ(a), φ = tanh or sigmoid
    """
    a = add(times(x, W), times(h_prev, U), b)                                          # (R1)
    return each(PHI[phi], a)                                                           # (R2)


def lstm_step(W, U, b, x, h_prev, c_prev):
    """LSTM.  W, U, b are dicts with the blocks i, f, g, o; returns (h, c).

    (L1) a = x W + h' U + b
    (L2) i, f, o = σ(a_i), σ(a_f), σ(a_o)
    (L3) g = tanh(a_g)
    (L4) c = f ⊙ c' + i ⊙ g
    (L5) h = o ⊙ tanh(c)
    """
    a = {q: add(times(x, W[q]), times(h_prev, U[q]), b[q]) for q in "ifgo"}            # (L1)
    i, f, o = (each(sigmoid, a[q]) for q in "ifo")                                     # (L2)
    g = each(tanh_, a["g"])                                                            # (L3)
    c = add(mul(f, c_prev), mul(i, g))                                                 # (L4)
    h = mul(o, each(tanh_, c))                                                         # (L5)
    return h, c


def gru_step(W, U, b, x, h_prev):
    """GRU, reset *before* the product.  W, U, b are dicts with the blocks z, r, n; returns h.

    (G1) z, r = σ(x W + h' U + b), blocks z and r
    (G2) q = r ⊙ h'
    (G3) n = tanh(x W_n + q U_n + b_n)
    (G4) h = (1 - z) ⊙ h' + z ⊙ n
    """
    z, r = (each(sigmoid, add(times(x, W[k]), times(h_prev, U[k]), b[k])) for k in "zr")   # (G1)
    q = mul(r, h_prev)                                                                 # (G2)
    n = each(tanh_, add(times(x, W["n"]), times(q, U["n"]), b["n"]))                   # (G3)
    return [(1 - z[j]) * h_prev[j] + z[j] * n[j] for j in range(len(z))]               # (G4)


def gru_after_step(W, U, b, b_U, x, h_prev):
    """GRU, reset *after* the product; b_U (H entries) is the product's own bias; returns h.

    (GA1) z, r = σ(x W + h' U + b), blocks z and r
    (GA2) m = h' U_n + b_U
    (GA3) n = tanh(x W_n + b_n + r ⊙ m)
    (GA4) h = (1 - z) ⊙ h' + z ⊙ n
    """
    z, r = (each(sigmoid, add(times(x, W[k]), times(h_prev, U[k]), b[k])) for k in "zr")   # (GA1)
    m = add(times(h_prev, U["n"]), b_U)                                                # (GA2)
    n = each(tanh_, add(times(x, W["n"]), b["n"], mul(r, m)))                          # (GA3)
    return [(1 - z[j]) * h_prev[j] + z[j] * n[j] for j in range(len(z))]               # (GA4)


# ---------------------------------------------------------------------------------------------------------
# The time loop
# ---------------------------------------------------------------------------------------------------------

def unroll(step, xs, s0, mask=None):
    """(M1) state_t = step(x_t, state_{t-1}) if mask_t else state_{t-1}.

    xs holds T inputs; returns the T states and the last one (s0 if T = 0).
    """
    states, s = [], s0
    for t in range(len(xs)):
        s = step(xs[t], s) if mask is None or mask[t] else s                           # (M1)
        states.append(s)
    return states, s


def reverse_real(xs, mask=None):
    """x_L, ..., x_1, then the padding as it was; L is the number of real steps, which all come first."""
    L = len(xs) if mask is None else sum(1 for real in mask if real)
    return [xs[L - 1 - t] for t in range(L)] + [xs[t] for t in range(L, len(xs))]


def bidirectional(step_f, step_b, xs, s0_f, s0_b, mask=None):
    """Read xs from both ends: returns (states, last) of the forward and of the backward reader.

    The backward reader starts at the last *real* step, whatever the padding.  Its states are put back in the
    order of time, so both readers' states at t have read x_t last; its last state is the one at t = 1.
    """
    fw, fw_last = unroll(step_f, xs, s0_f, mask)
    bw, bw_last = unroll(step_b, reverse_real(xs, mask), s0_b, mask)
    return (fw, fw_last), (reverse_real(bw, mask), bw_last)


# ---------------------------------------------------------------------------------------------------------
# Attention: one query s (H entries), encoder states hs (T lists); scores e have T entries
# ---------------------------------------------------------------------------------------------------------

def score_dot(s, hs):
    """(AD1) e_i = s·h_i."""
    return [dot(s, h_i) for h_i in hs]                                                 # (AD1)


def score_scaled_dot(s, hs):
    """(AD2) e_i = s·h_i / √H."""
    return [dot(s, h_i) / sqrt(len(s)) for h_i in hs]                                  # (AD2)


def score_general(s, hs, W):
    """General (bilinear) score; W leads from the size of s to the size of h_i.

    (AG1) q = s W
    (AG2) e_i = q·h_i
    """
    q = times(s, W)                                                                    # (AG1)
    return [dot(q, h_i) for h_i in hs]                                                 # (AG2)


def score_additive(s, hs, W_s, W_h, v):
    """Additive score (Bahdanau).  W_s leads from the size of s to A, W_h from that of h_i to A; v has A.

    (AB1) k_i = h_i W_h
    (AB2) u_i = tanh(s W_s + k_i)
    (AB3) e_i = u_i·v
    """
    k = [times(h_i, W_h) for h_i in hs]                                                # (AB1)
    u = [each(tanh_, add(times(s, W_s), k_i)) for k_i in k]                            # (AB2)
    return [dot(u_i, v) for u_i in u]                                                  # (AB3)


def score_concat_dot(s, hs, W_s, W_h):
    """Concat-dot score.  W_s leads from the size of s to the size of h_i, W_h from the size of h_i to itself.

    (AC1) k_i = h_i W_h
    (AC2) v_i = tanh(s W_s + k_i)
    (AC3) e_i = v_i·h_i
    """
    k = [times(h_i, W_h) for h_i in hs]                                                # (AC1)
    v = [each(tanh_, add(times(s, W_s), k_i)) for k_i in k]                            # (AC2)
    return [dot(v[i], hs[i]) for i in range(len(hs))]                                  # (AC3)


def attention_weights(e, mask=None):
    """(A1) α = softmax(e) over real positions: T entries."""
    return softmax(e, mask)                                                            # (A1)


def context(alpha, hs):
    """(A2) ctx = Σ_i α_i h_i: alpha has T entries, ctx the size of h_i."""
    return [dot(alpha, [h_i[j] for h_i in hs]) for j in range(len(hs[0]))]             # (A2)


def fuse_concat(s, ctx):
    """(U1) [s; ctx]."""
    return concat(s, ctx)                                                              # (U1)


def fuse_add(s, ctx):
    """(U2) s + ctx; both have the same size."""
    return add(s, ctx)                                                                 # (U2)


def fuse_sigmoid(s, ctx, W):
    """(U3) σ([s; ctx] W); W has a row for each entry of s, then one for each entry of ctx."""
    return each(sigmoid, times(concat(s, ctx), W))                                     # (U3)


def fuse_tanh(s, ctx, W):
    """(U4) tanh([s; ctx] W); W as in (U3)."""
    return each(tanh_, times(concat(s, ctx), W))                                       # (U4)


# ---------------------------------------------------------------------------------------------------------
# Embedding, linear layer, bridge, dropout, loss
# ---------------------------------------------------------------------------------------------------------

def embed(E, token):
    """(E1) x = E_token: row `token` of E, which is V x D."""
    return list(E[token])                                                              # (E1)


def linear(W, b, x):
    """(Y1) y = x W + b: W is D x J, b has J entries."""
    return add(times(x, W), b)                                                         # (Y1)


def bridge(W, b, h):
    """(B1) s_0 = tanh(h W + b): from the encoder's last state to the decoder's first."""
    return each(tanh_, add(times(h, W), b))                                            # (B1)


def dropout(x, m):
    """(DR1) y = x ⊙ m; m is 0 where an entry is dropped, 1 / (1 - rate) where it is kept."""
    return mul(x, m)                                                                   # (DR1)


def target_distribution(token, V, eps=0.0):
    """(X2) q_v = (1 - ε) [v = token] + ε / V: V entries; one-hot when ε = 0, smoothed otherwise."""
    return [(1 - eps) * (1.0 if v == token else 0.0) + eps / V for v in range(V)]      # (X2)


def cross_entropy(logits, ids, mask, eps=0.0):
    """Loss for each real token of a batch: logits are S x N x V, ids and mask are S x N.

    (X1) log p = log_softmax(logits)
    (X2) q = target_distribution(id)
    (X3) L = -Σ_{real (t, n)} Σ_v q_v log p_v / (number of real tokens)
    """
    total, count = 0.0, 0
    for t in range(len(ids)):
        for n in range(len(ids[t])):
            if mask[t][n]:
                log_p = log_softmax(logits[t][n])                                      # (X1)
                q = target_distribution(ids[t][n], len(log_p), eps)                    # (X2)
                total, count = total - dot(q, log_p), count + 1
    return total / count                                                               # (X3)


# ---------------------------------------------------------------------------------------------------------
# Optimizers: w is a list of floats, gs holds the gradient of every step; returns w after each step
# ---------------------------------------------------------------------------------------------------------

def sgd(w, gs, lr):
    """(O1) w ← w - lr g."""
    ws = []
    for g in gs:
        w = [w[k] - lr * g[k] for k in range(len(w))]                                  # (O1)
        ws.append(w)
    return ws


def momentum(w, gs, lr, mu):
    """(O2) u ← μ u + g; w ← w - lr u.  u starts at 0."""
    ws, u = [], [0.0] * len(w)
    for g in gs:
        u = [mu * u[k] + g[k] for k in range(len(w))]                                  # (O2)
        w = [w[k] - lr * u[k] for k in range(len(w))]                                  # (O2)
        ws.append(w)
    return ws


def rmsprop(w, gs, lr, rho, eps):
    """RMSprop; v starts at 0.

    (O3) v ← ρ v + (1 - ρ) g²
    (O4) w ← w - lr g / (√v + ε)
    """
    ws, v = [], [0.0] * len(w)
    for g in gs:
        v = [rho * v[k] + (1 - rho) * g[k] ** 2 for k in range(len(w))]                # (O3)
        w = [w[k] - lr * g[k] / (sqrt(v[k]) + eps) for k in range(len(w))]             # (O4)
        ws.append(w)
    return ws


def adam(w, gs, lr, b1, b2, eps):
    """Adam; m and v start at 0, and t counts the steps from 1.

    (O5) m ← β₁ m + (1 - β₁) g,  v ← β₂ v + (1 - β₂) g²
    (O6) m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ),  w ← w - lr m̂ / (√v̂ + ε)
    """
    ws, m, v = [], [0.0] * len(w), [0.0] * len(w)
    for t, g in enumerate(gs, start=1):
        m = [b1 * m[k] + (1 - b1) * g[k] for k in range(len(w))]                       # (O5)
        v = [b2 * v[k] + (1 - b2) * g[k] ** 2 for k in range(len(w))]                  # (O5)
        m_hat = [m[k] / (1 - b1 ** t) for k in range(len(w))]                          # (O6)
        v_hat = [v[k] / (1 - b2 ** t) for k in range(len(w))]                          # (O6)
        w = [w[k] - lr * m_hat[k] / (sqrt(v_hat[k]) + eps) for k in range(len(w))]     # (O6)
        ws.append(w)
    return ws


def global_norm(gs):
    """‖g‖ = √(Σ over every entry of every list, squared)."""
    return sqrt(sum(g_k ** 2 for g in gs for g_k in g))


def clip_by_global_norm(gs, c):
    """(C1) g ← g · min(1, c / ‖g‖); gs is a list of flat lists, ‖g‖ the norm over all of them together."""
    norm = global_norm(gs)
    scale = c / norm if norm > c else 1.0                                              # (C1)
    return [[scale * g_k for g_k in g] for g in gs]                                    # (C1)


def clip_by_value(gs, c):
    """(C2) g_k ← max(-c, min(c, g_k)), each entry by itself."""
    return [[max(-c, min(c, g_k)) for g_k in g] for g in gs]                           # (C2)


# ---------------------------------------------------------------------------------------------------------
# Decoding.  next_log_probs(prefix) takes the tokens so far (a tuple) and returns log p of each next token.
# An *output* is a tuple of tokens that ends with EOS, or that was cut at max_length tokens.  EOS counts as a
# token.  So the probabilities of all outputs sum to 1.  Every search returns (output, log p of the output).
# ---------------------------------------------------------------------------------------------------------

def greedy(next_log_probs, max_length, eos):
    """y_t = argmax_v log p(v given y_{<t}), until EOS or max_length."""
    y, log_p = (), 0.0
    while len(y) < max_length and y[-1:] != (eos,):
        step = next_log_probs(y)
        token = argmax(step)
        y, log_p = y + (token,), log_p + step[token]
    return y, log_p


def all_outputs(next_log_probs, max_length, eos, y=(), log_p=0.0):
    """Every output that continues y, as a list of (output, log p): about V^max_length of them."""
    if len(y) == max_length or y[-1:] == (eos,):
        return [(y, log_p)]
    step = next_log_probs(y)
    return [found for token in range(len(step))
            for found in all_outputs(next_log_probs, max_length, eos, y + (token,), log_p + step[token])]


def best_output(outputs, eos, a, must_finish):
    """The output with the greatest log p / len^a; if equal, the one whose tokens come first.

    len counts the EOS.  With `must_finish`, outputs cut at max_length count only if none has an EOS.
    """
    finished = [(y, log_p) for y, log_p in outputs if y[-1:] == (eos,)]
    candidates = finished if must_finish and finished else outputs
    return min(candidates, key=lambda found: (-found[1] / len(found[0]) ** a, found[0]))


def exhaustive(next_log_probs, max_length, eos, a=0.0, must_finish=False):
    """The best of all outputs, by looking at every single one; with a = 0 it is the most probable one."""
    return best_output(all_outputs(next_log_probs, max_length, eos), eos, a, must_finish)


def beam_search(next_log_probs, max_length, eos, K, a=0.0, must_finish=False):
    """Keep the K unfinished beginnings with the greatest log p; collect every output that they finish.

    All V continuations of a kept beginning are tried.  One that ends with EOS is finished and takes no place
    in the beam (so K = 1 may find a better output than greedy).  The last beam, cut at max_length, competes
    too.
    """
    beam, finished = [((), 0.0)], []
    for _ in range(max_length):
        grown = [(y + (token,), log_p + step_log_p)
                 for y, log_p in beam for token, step_log_p in enumerate(next_log_probs(y))]
        finished += [(y, log_p) for y, log_p in grown if y[-1] == eos]
        unfinished = [(y, log_p) for y, log_p in grown if y[-1] != eos]
        beam = sorted(unfinished, key=lambda found: (-found[1], found[0]))[:K]
    return best_output(finished + beam, eos, a, must_finish)


# ---------------------------------------------------------------------------------------------------------
# B.  The formulas of the documents, one function for each row: A3.1 is a3_1.
# Cells (`rnn`, `cell`) are functions (x, state) -> state, scores functions (s, hs) -> e.
# ---------------------------------------------------------------------------------------------------------

# Document A ----------------------------------------------------------------------------------------------

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

    The input is y_t itself, which is only known afterwards.  The document never says what the logits ŷ_t are;
    its example (A §4.4) takes W_d [y_t; s_{t-1}], which needs H = V.  So does this reading, unless ŷ_t (V) is
    handed in.  W_d is (D + H) x H; returns s (H) and the distribution (V).
    """
    a = times(concat(y, s_prev), W_d)
    return each(sigmoid, a), softmax(a if y_hat is None else y_hat)


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

    The worked example: ["I", "love", "you"] → ["Hello", "World"], by A4.1 and A4.2 as printed.  xs are the T
    inputs of the encoder, ys the S inputs of the decoder: as printed, the very words to be found.  The
    document prints s_0 = 0; s0=None takes s_0 = h_T, which A §2.4 asks for.  V = H.  Returns hs (T x H),
    ss (S x H), ŷ (S x V) and the S tokens argmax ŷ_t.
    """
    hs, h_T = a3_1(lambda x, h: a4_1(W_e, x, h), xs, h0)
    ss, y_hats, s = [], [], h_T if s0 is None else s0
    for y in ys:
        s, y_hat = a4_2_printed(W_d, y, s)
        ss.append(s)
        y_hats.append(y_hat)
    return hs, ss, y_hats, each(argmax, y_hats)


# Document B ----------------------------------------------------------------------------------------------

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
    return -sum(y_v * log(p_v) for p, y in zip(ps, ys, strict=True)
                for p_v, y_v in zip(p, y, strict=True) if y_v != 0)


def b4_2e(W, U, b, x, h_prev, c_prev):
    """B4.2e as intended: i, f, o = σ(W_·x x_t + W_·h h_{t-1} + b_·);
    c_t = f ⊙ c_{t-1} + i ⊙ tanh(W_cx x_t + W_ch h_{t-1} + b_c); h_t = o ⊙ tanh(c_t).

    Blocks i, f, g, o, where g is the document's candidate c: W["i"] is W_ix (D x H), U["i"] is W_ih (H x H);
    returns (h, c).
    """
    return lstm_step(W, U, b, x, h_prev, c_prev)


def b4_2e_printed(W, U, b, x, h_prev, c_prev):
    """B4.2e as printed: as above, but c_t = f ⊙ c_{t-1} + i ⊙ tanh(W_ic h_{t-1} + b_c).

    The candidate does not see x_t: W_ic is U["g"] (H x H), and W["g"] is not used; returns (h, c).
    """
    i, f, o = (each(sigmoid, add(times(x, W[q]), times(h_prev, U[q]), b[q])) for q in "ifo")
    g = each(tanh_, add(times(h_prev, U["g"]), b["g"]))
    c = add(mul(f, c_prev), mul(i, g))
    return mul(o, each(tanh_, c)), c


def b4_2d(W, U, b, y_prev, ctx, s_prev, c_prev):
    """B4.2d as intended: (s_t, c_t) = LSTM([y_{t-1}; ctx_t], (s_{t-1}, c_{t-1})).

    The blocks of W are (D + H) x H, the rows of y first; those of U are H x H; returns (s, c).
    """
    return lstm_step(W, U, b, concat(y_prev, ctx), s_prev, c_prev)


def b4_2d_printed(W, U, b, h_t, s_prev, c_prev):
    """B4.2d as printed: i, f, o = σ(W_·s s_{t-1} + W_·h h_t + b_·);
    c_t = f ⊙ c_{t-1} + i ⊙ tanh(W_ic h_t + b_c); s_t = o ⊙ tanh(c_t).

    The input is the encoder state h_t with the output's own t, so it needs S ≤ T.  U["i"] is W_is, W["i"] is
    W_ih (all H x H); W_ic is W["g"], U["g"] is not used; returns (s, c).
    """
    i, f, o = (each(sigmoid, add(times(s_prev, U[q]), times(h_t, W[q]), b[q])) for q in "ifo")
    g = each(tanh_, add(times(h_t, W["g"]), b["g"]))
    c = add(mul(f, c_prev), mul(i, g))
    return mul(o, each(tanh_, c)), c


def b4_2a(s, hs, W_a, mask=None):
    """B4.2a as intended: v_ti = tanh(W_a [s_t; h_i]); e_ti = v_tiᵀ h_i; a_t = softmax(e_t).

    s has H entries, hs is T x H, W_a is 2H x H, the rows of s first; returns a (T).
    """
    v = [each(tanh_, times(concat(s, h_i), W_a)) for h_i in hs]
    return softmax([dot(v[i], hs[i]) for i in range(len(hs))], mask)


def b4_2a_printed(s, hs, W_a, t, mask=None):
    """B4.2a as printed: v_t = tanh(W_a [s_t; h_t]); a_t = softmax(v_tᵀ h).

    One v_t for all positions, from the encoder state with the output's own index t (here from 0, and t < T).
    h without an index is read as all T states, so a_t has T entries.  (B §4.3 prints softmax(v_tᵀ h_t): the
    softmax of a single number, always 1.)  Shapes as in b4_2a.
    """
    v = each(tanh_, times(concat(s, hs[t]), W_a))
    return softmax([dot(v, h_i) for h_i in hs], mask)


def b4_2o(W_y, b_y, s):
    """B4.2o: p(y_t) = softmax(W_y s_t + b_y).

    W_y is H x V, b_y has V entries; returns p (V).
    """
    return softmax(add(times(s, W_y), b_y))


# Document C ----------------------------------------------------------------------------------------------

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

    The + is read as a sum, so x and h have the same size H.  W["z"], W["r"] are 2H x H, the rows of *h*
    first; W["n"] is H x H; returns h.
    """
    if len(x) != len(h_prev):
        raise ValueError(f"as printed, x and h need the same size; got {len(x)} and {len(h_prev)}")
    z, r = (each(sigmoid, add(times(concat(h_prev, x), W[k]), b[k])) for k in "zr")
    n = each(tanh_, add(times(add(mul(z, h_prev), mul(r, x)), W["n"]), b["n"]))
    return [(1 - z[j]) * h_prev[j] + z[j] * n[j] for j in range(len(z))]


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


# Document D ----------------------------------------------------------------------------------------------

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

    h_t is the encoder state with the output's own t, so it needs S ≤ T; the words said so far are never seen.
    The input of the cell has H entries; returns the state s_t.
    """
    return rnn(h_t, s_prev)


def d3_3(s, hs, W_s, W_h, v, mask=None):
    """D3.3 as intended: a_ti = softmax_i(vᵀ tanh(W_s s_t + W_h h_i)).

    hs is T x H, W_s and W_h are H x A, v has A entries; returns a (T).
    """
    return softmax([dot(v, each(tanh_, add(times(s, W_s), times(h_i, W_h)))) for h_i in hs], mask)


def d3_3_printed(s, h_t, W_s, W_h, v):
    """D3.3 as printed, word for word: a_t = softmax(vᵀ tanh(W_s s_t + W_h h_t)).

    What is read: the softmax is taken of what stands in it, for one t.  This is a single number, so a_t = 1
    always (returned as one number), and ctx = Σ_i a_i h_i is the plain sum of the states.  Shapes as in d3_3;
    h_t has H entries.
    """
    return softmax([dot(v, each(tanh_, add(times(s, W_s), times(h_t, W_h))))])[0]


def d3_3_printed_over_t(ss, hs, W_s, W_h, v):
    """D3.3 as printed, read the other way: e_t = vᵀ tanh(W_s s_t + W_h h_t); a = softmax of e over t = 1..T.

    Here the softmax runs over the steps.  It needs S = T and every s_t at once, so no decoder could use it
    step by step.  ss and hs are T x H; returns a (T), one set of weights for the whole sentence.
    """
    if len(ss) != len(hs):
        raise ValueError(f"this reading needs S = T; got {len(ss)} and {len(hs)}")
    return softmax([dot(v, each(tanh_, add(times(s, W_s), times(h, W_h)))) for s, h in zip(ss, hs)])


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


# Document E ----------------------------------------------------------------------------------------------

def e3_3(ps, ys):
    """E3.3: L = -Σ_t log p(y_t given y_{<t}, x).

    ps is S x V, ys holds S token ids; returns the sum, not divided by S.
    """
    return -sum(log(p[y]) for p, y in zip(ps, ys, strict=True))
