"""W1, document A 4.4: ["I", "love", "you"] -> ["Hello", "World"] with a sigmoid RNN, down to the last number.

It shows that the printed distributions [0.2, 0.8] and [0.8, 0.2] are possible: weights that give them are
*solved for*.  Two words, so a distribution fixes only the difference of its two logits; two steps, so there
are two equations for the two unknown weights of a state with two entries.
"""
from typing import NamedTuple

import numpy as np

from ...core.functions import sigmoid, softmax
from ...layers import linear, unroll
from ...layers.attention import attend, dot, precompute_keys
from ...layers.cells import rnn, rnn_sigmoid
from ..printed import a as printed
from . import show

TITLE, WHERE = "I love you -> Hello World: the printed numbers", "A §4.4"

SOURCE, TARGET = ["I", "love", "you"], ["World", "Hello"]   # in this order both printed argmax lines hold
PRINTED = np.array([[0.2, 0.8], [0.8, 0.2]])                # p_1, p_2
I_LOVE_YOU = np.eye(3)[:, None, :]                          # one-hot (T, N, 3): W_e has a row for each word
BOS, WORLD, HELLO = np.eye(3)[:, None, :]                   # one-hot (N, 3): the words fed to the decoder


class Result(NamedTuple):
    hs: np.ndarray             # (3, 2) encoder states
    W_e: np.ndarray            # (5, 2): I, love, you, and two rows for h'
    W_d: np.ndarray            # (5, 2): BOS, World, Hello, and two rows for s'
    ss: np.ndarray             # (2, 2) decoder states
    gaps: np.ndarray           # (2,) wanted logit of Hello minus logit of World
    delta: np.ndarray          # (2,) the solution of ss @ delta = gaps
    W_y: np.ndarray            # (2, 2): a column for each word
    logits: np.ndarray         # (2, 2)
    ps: np.ndarray             # (2, 2) the distributions
    words: list
    alphas: np.ndarray         # (2, 3) attention weights, dot product
    h_tildes: np.ndarray       # (2, 2)
    ps_other: np.ndarray       # (2, 2) for the source "you love I"
    printed_W_d: np.ndarray    # (4, 2): World, Hello, and two rows for s'
    printed_ps: np.ndarray     # (2, 2)
    printed_words: list
    printed_other: np.ndarray  # (2, 2) for the source "you love I"
    printed_swapped: np.ndarray    # (2, 2) fed World, Hello instead of Hello, World


def encode(W_e, xs):
    """A4.1: h_t = sigmoid([x_t; h_{t-1}] W_e): -> hs (T, N, 2), the last State."""
    start, real = rnn.State(np.zeros((1, 2))), np.ones((len(xs), 1), bool)
    hs, last, _ = unroll.forward(rnn_sigmoid, printed.encoder_params(W_e), xs, start, real)
    return hs, last


def decode(W_d, s):
    """A4.2 as intended, s_t = sigmoid([y_{t-1}; s_{t-1}] W_d), fed BOS and Hello: -> ss (2, 2)."""
    p, ss = rnn.Params(W_d[:3], W_d[3:], np.zeros(2)), []
    for y_prev in (BOS, HELLO):
        s, _ = rnn_sigmoid.step(p, y_prev, s)
        ss.append(s.h)
    return np.concatenate(ss)


def run(seed=0):
    """Draw W_e and W_d, solve for the readout W_y; then solve the printed form for its W_d: -> Result."""
    rng = np.random.default_rng(seed)
    W_e, W_d = rng.normal(size=(5, 2)), 2 * rng.normal(size=(5, 2))
    hs, last = encode(W_e, I_LOVE_YOU)
    ss = decode(W_d, last)
    gaps = np.log(PRINTED[:, 1] / PRINTED[:, 0])                # softmax: p_Hello / p_World = exp(gap)
    delta = np.linalg.solve(ss, gaps)
    W_y = np.stack([-delta / 2, delta / 2], axis=1)         # any two columns with this difference would do
    readout = linear.Params(W_y, np.zeros(2))
    logits = linear.forward(readout, ss)
    ps = softmax(logits)

    memory = precompute_keys(dot, dot.Params(), hs, np.ones((3, 1), bool))
    asked = [attend(dot, dot.Params(), s[None], memory) for s in ss]

    _, last_other = encode(W_e, I_LOVE_YOU[::-1])
    ps_other = softmax(linear.forward(readout, decode(W_d, last_other)))

    U = 0.3 * rng.normal(size=(2, 2))                           # as printed the state's sum is the logits:
    to_hello = np.array([0, gaps[0]])                           # a_1 = W_d^Hello
    s_1 = sigmoid(to_hello)
    to_world = np.array([0, gaps[1]]) - s_1 @ U                 # a_2 = W_d^World + s_1 U
    p = printed.Example(W_e, printed.Params(np.stack([to_world, to_hello, *U])))
    fed = np.array([[[0.0, 1.0]], [[1.0, 0.0]]])                # Hello, World
    _, _, as_printed, _ = printed.example(p, I_LOVE_YOU, fed)
    _, _, other, _ = printed.example(p, I_LOVE_YOU[::-1], fed)
    _, _, swapped, _ = printed.example(p, I_LOVE_YOU, fed[::-1])
    alphas, h_tildes = np.stack([k.alpha[:, 0] for _, k in asked]), np.concatenate([ctx for ctx, _ in asked])
    return Result(hs[:, 0], W_e, W_d, ss, gaps, delta, W_y, logits, ps, said(ps), alphas, h_tildes, ps_other,
                  p.decoder.W_d, as_printed[:, 0], said(as_printed[:, 0]), other[:, 0], swapped[:, 0])


def said(ps):
    """y_t = argmax p_t, as words."""
    return [TARGET[k] for k in ps.argmax(axis=1)]


def encoder_lines(r):
    """Encoder, A4.1."""
    v = show.vector
    out = show.heading("4.4.1 Encoder: h_t = σ(W_e [x_t, h_{t-1}])      (A4.1; code: R1, R2)")
    out += [f"  W_e^{w:<5} = {v(row)}" for w, row in zip(SOURCE, r.W_e)]
    out += [f"  W_e^h'    = {v(r.W_e[3])} and {v(r.W_e[4])}", "  h_0 = [0, 0]"]
    before = np.zeros(2)
    for t, (word, h) in enumerate(zip(SOURCE, r.hs)):
        part = before @ r.W_e[3:]
        out += [f"  h_{t + 1} = σ(W_e^{word} + h_{t} W_e^h') = σ({v(r.W_e[t])} + {v(part)})",
                f"      = σ({v(r.W_e[t] + part)}) = {v(h)}"]
        before = h
    out += show.slip("the document lists the two parts side by side, σ([W_e^I, W_e^0]). A matrix times a "
                     "stacked vector is the SUM of the two parts' products, as above.")
    out += [f"  context = h_3 = {v(r.hs[2])}"]
    return out


def decoder_lines(r):
    """Decoder as intended, A4.2."""
    v = show.vector
    out = show.heading("4.4.2 Decoder as intended: s_t = σ(W_d [y_{t-1}, s_{t-1}])      (A4.2; R1, R2)")
    out += [f"  W_d^BOS   = {v(r.W_d[0])}", f"  W_d^Hello = {v(r.W_d[2])}",
            f"  W_d^s'    = {v(r.W_d[3])} and {v(r.W_d[4])}", "  s_0 = h_3: the decoder starts from the source"]
    steps = (1, "BOS", r.W_d[0], r.hs[2], r.ss[0]), (2, "Hello", r.W_d[2], r.ss[0], r.ss[1])
    for t, fed, row, prev, s in steps:
        out += [f"  s_{t} = σ(W_d^{fed} + s_{t - 1} W_d^s')",
                f"      = σ({v(row)} + {v(prev @ r.W_d[3:])}) = {v(s)}"]
    return out


def readout_lines(r):
    """The readout whose distributions are the printed ones."""
    v = show.vector
    out = show.heading("The readout, solved: p_t = softmax(s_t W_y)")
    out += show.remark("A softmax over two words sees only the difference of their logits: p_Hello / p_World "
                       "= exp(z_Hello - z_World). The printed numbers therefore require")
    for t in (0, 1):
        world, hello = PRINTED[t]
        out += [f"  z_Hello - z_World at t = {t + 1}:  ln({hello}/{world}) = {r.gaps[t]:+.6f}"]
    out += show.remark("With δ = (column of Hello) - (column of World) of W_y these are two equations s_t · "
                       "δ for two unknowns:")
    for t in (0, 1):
        s = r.ss[t]
        out += [f"  {s[0]:.6f} δ_1 + {s[1]:.6f} δ_2 = {r.gaps[t]:+.6f}"]
    det = r.ss[0, 0] * r.ss[1, 1] - r.ss[0, 1] * r.ss[1, 0]
    out += [f"  determinant {det:.6f}, so δ = {v(r.delta, 6)}",
            "  W_y: half of δ for Hello, minus half for World (any common shift would do)",
            "", "  the vocabulary in the order (World, Hello):"]
    for t in (0, 1):
        out += [f"  ŷ_{t + 1} = softmax({v(r.logits[t])}) = {v(r.ps[t])}   y_{t + 1} = argmax = {r.words[t]}"]
    out += [f"  largest difference from the printed numbers: {abs(r.ps - PRINTED).max():.1e}"]
    out += show.slip("ŷ_1 = softmax(ŷ_1) gives logits and distribution one name.")
    out += show.remark("Both printed argmax lines hold with the order (World, Hello): the second entry is "
                       "Hello's, 0.8 at t = 1 and 0.2 at t = 2. They do not contradict each other; the "
                       "document only never "
                       "says which order it means.", "  order: ")
    return out


def attention_lines(r):
    """Attention, A4.3."""
    v = show.vector
    out = show.heading("Attention: announced there, but not computed      (A4.3; AD1, A1, A2)")
    for t in (0, 1):
        out += [f"  a_{t + 1} = softmax(s_{t + 1} · h_i) = {v(r.alphas[t])}",
                f"  h̃_{t + 1} = Σ a_i h_i = {v(r.h_tildes[t])}"]
    return out


def printed_lines(r):
    """Decoder as printed, and its slips."""
    v = show.vector
    out = show.heading("4.4.2 Decoder as printed: s_0 = 0, and y_t itself is fed      (PA1..PA4)")
    out += show.remark("ŷ_1 = softmax([W_d^Hello, W_d^0]): there is no W_y, the gate's own sum serves as "
                       "logits. So W_d can be solved row by row, and the printed numbers come out again:")
    out += [f"  W_d^Hello = {v(r.printed_W_d[1])}   from ln 4 at t = 1",
            f"  W_d^World = {v(r.printed_W_d[0])}   from -ln 4 at t = 2, less what s_1 adds",
            f"  ŷ_1 = {v(r.printed_ps[0])}  {r.printed_words[0]}    ŷ_2 = {v(r.printed_ps[1])}  "
            f"{r.printed_words[1]}"]
    out += ["  slip: s_0 = 0, although A §2.4 hands h_3 over. Read another source:"]
    out += show.table([["source", "p_1 as printed", "p_1 as intended"],
                       ["I love you", v(r.printed_ps[0]), v(r.ps[0])],
                       ["you love I", v(r.printed_other[0]), v(r.ps_other[0])]], "        ")
    out += ["        As printed no source can change any output."]
    out += ["  slip: y_t, the answer, is fed at the step that shall find it. Feed the other:"]
    out += show.table([["fed at t = 1", "p_1 as printed"], ["Hello", v(r.printed_ps[0])],
                       ["World", v(r.printed_swapped[0])]], "        ")
    out += ["        A model that is fed the answer has nothing to predict; see W2."]
    return out


def report(r):
    """Result -> lines."""
    out = ["W1  I love you -> Hello World   (document A §4.4)"]
    out += show.remark("Words are one-hot, so every word has its own row in W_e and W_d: the document's "
                       "W_e^I, W_e^love, W_d^Hello. States have two entries. There are no biases. W_e and "
                       "W_d are random; only the readout W_y is solved for.")
    out += encoder_lines(r)
    out += decoder_lines(r)
    out += readout_lines(r)
    out += attention_lines(r)
    out += printed_lines(r)
    out += show.look_next(("minis2s/layers/cells/rnn.py", "(R1) (R2)", "the cell, forward and backward"),
                          ("minis2s/documents/printed/a.py", "(PA1)..(PA4)", "the printed decoder"),
                          ("minis2s formulas A4.4", "", "with its derivatives"))
    return out


if __name__ == "__main__":
    show.main(globals())
