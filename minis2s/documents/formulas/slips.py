"""What the slips cost: the smallest example of each, run when its page is shown.

Each function returns lines of text; the page of the formula prints them and the code of the function.
"""
import numpy as np

from ...core.functions import softmax
from ...layers import linear
from ...layers.attention import additive, attend, concat_dot, precompute_keys
from ...layers.cells import gru, lstm, rnn
from ..printed import a as printed_a, b as printed_b, c as printed_c, d as printed_d


def show(a):
    """Numbers of an array, short."""
    return "[" + ", ".join(f"{x:.3f}".replace("-0.000", "0.000") for x in np.ravel(a)) + "]"


def a4_2():
    copy = printed_a.Params(np.concatenate([9 * np.eye(2), np.zeros((2, 2))]))   # 9 for the word fed
    lines, s = [], np.zeros((1, 2))
    for word, y in (("Hello", [[1.0, 0.0]]), ("World", [[0.0, 1.0]])):
        s, p, _ = printed_a.step(copy, np.array(y), s)
        lines.append(f"fed the answer {word}: p = {show(p)}, loss {-np.log((p * y).sum()):.4f}")
    _, p, _ = printed_a.step(copy, np.zeros((1, 2)), s)
    return lines + [f"with a zero input, as when no answer is known: p = {show(p)}"]


def a4_4():
    rng, lines = np.random.default_rng(0), []
    p = printed_a.Example(rng.normal(size=(4, 2)), printed_a.Params(rng.normal(size=(4, 2))))
    sentences = rng.normal(size=(3, 2, 2))                      # two sources of three words ...
    ys = np.repeat(rng.normal(size=(2, 1, 2)), 2, axis=1)       # ... and the same target
    for name, from_zero in (("s_0 = 0", True), ("s_0 = h_T", False)):
        _, _, ps, k = printed_a.example(p, sentences, ys, from_zero)
        zero, one = np.zeros_like(ps), np.ones_like(ps)
        _, _, g = printed_a.example_backward(p, k, np.zeros((3, 2, 2)), one, zero)
        lines.append(f"{name:9}  p_1 for source 1 {show(ps[0, 0])}, for source 2 {show(ps[0, 1])}")
        lines.append(f"           largest entry of dW_e {abs(g.W_e).max():.3f}")
    return lines


def b4_1():
    h, lines = np.array([1.0, -1.0]), []            # two encoder states of one unit
    for start in (-1.0, 0.0, 1.0):
        s = start
        for _ in range(200):                        # put s in, get s out, again and again
            e = np.exp(s * h)
            ctx = (e / e.sum() * h).sum()           # a = Attention(s, h): softmax of s h_i
            s = np.tanh(2 * ctx)                    # s = Decoder(a, h): one tanh unit, weight 2
        lines.append(f"begun at {start:4.1f}, s comes to rest at {s:.6f}")
    return lines + ["three states solve the printed equations, which do not say which one is s_t"]


def b4_2e():
    rng, H, lines = np.random.default_rng(0), 2, []
    W, U, b = rng.normal(size=(1, 4 * H)), rng.normal(size=(H, 4 * H)), np.zeros(4 * H)
    zero = np.zeros((1, H))
    intended = lstm.Params(W, U, b)
    printed = printed_b.EncoderParams(printed_b.without_g(W), U, b)
    for word in (1.0, -5.0):
        s, q = lstm.State(zero, zero), printed_b.State(zero, zero)
        for _ in range(3):
            s, _ = lstm.step(intended, np.array([[word]]), s)
            q, _ = printed_b.encoder_step(printed, np.array([[word]]), q)
        lines.append(f"x = {word:4.1f} read three times: as intended h = {show(s.h)}, as printed {show(q.h)}")
    return lines


def b4_2d():
    p = printed_b.DecoderParams(np.ones((1, 4)), np.ones((1, 3)), np.zeros(4))
    hs, zero = np.ones((1, 1, 1)), np.zeros((1, 1))             # T = 1 source word
    s = printed_b.State(zero, zero)
    lines = [f"S = 1: s_1 = {show(printed_b.decode(p, hs, s, S=1))}"]
    try:
        printed_b.decode(p, hs, s, S=2)
    except ValueError as error:
        lines.append(f"S = 2: {error}")
    return lines


def b4_2a():
    rng, lines = np.random.default_rng(0), []
    p = concat_dot.Params(rng.normal(size=(2, 2)), rng.normal(size=(2, 2)))
    q = printed_b.AttentionParams(np.concatenate(p))            # W_a: W_s upon W_h
    s, hs = rng.normal(size=(1, 2)), rng.normal(size=(3, 1, 2))
    for name, order in (("h_1, h_2, h_3", [0, 1, 2]), ("h_2, h_1, h_3", [1, 0, 2])):
        h = hs[order]
        ctx, _ = attend(concat_dot, p, s, precompute_keys(concat_dot, p, h, np.ones((3, 1), dtype=bool)))
        alpha, _ = printed_b.attend(q, s, h, t=0)
        other = (alpha[:, :, None] * h).sum(axis=0)
        lines.append(f"source {name}: ctx as intended {show(ctx)}, as printed {show(other)}")
    try:
        printed_b.attend(q, s, hs, t=3)
    except ValueError as error:
        lines.append(f"output step 4: {error}")
    return lines


def c2_2():
    rng, lines = np.random.default_rng(0), []
    p, h, that = printed_c.init(rng, 2, 2, 3, 3), rng.normal(size=(1, 2)), np.ones((1, 2))
    p_rnn = rnn.Params(p.hidden.W, rng.normal(size=(3, 3)), p.hidden.b)    # the same, and a memory
    s = rnn.State(np.zeros((1, 3)))
    for t in (1, 2, 3):
        q, _ = printed_c.decoder_step(p, that, h)
        s, _ = rnn.step(p_rnn, np.concatenate([that, h], axis=1), s)
        better = softmax(linear.forward(p.readout, s.h))
        lines.append(f"after 'that' was output {t} times: p as printed {show(q)}, as intended {show(better)}")
    return lines


def c3_1g():
    big, one, lines = 50.0, np.ones((1, 1)), []                 # sigmoid(±50) is 1 or 0: gates set
    n_only = np.array([[0.0, 0.0, 1.0]])                        # W_n = U_n = 1, no other weights
    intended = gru.Params(n_only, n_only, np.array([big, -big, 0.0]))          # z = 1, r = 0
    printed = printed_c.GruParams(np.zeros((2, 2)), np.array([big, big]), one, np.zeros(1))
    for memory in (-1.0, 1.0):
        s = gru.State(memory * one)
        new, _ = gru.step(intended, one, s)
        old, _ = printed_c.gru_step(printed, one, s)
        lines.append(f"z = 1, x = 1, h' = {memory:4.1f}: as intended h = {show(new.h)}, "
                     f"as printed h = {show(old.h)}")
    return lines + ["as intended tanh(x) is written, whatever was there before (r = 0)",
                    "as printed tanh(h' + r x): the old state is always in it"]


def d3_2():
    one = np.ones((1, 1))
    p, s = rnn.Params(one, one, np.zeros(1)), rnn.State(0 * one)
    ss, _ = printed_d.decode(p, np.ones((1, 1, 1)), s, S=1)     # T = 1 source word
    lines = [f"S = 1: s_1 = {show(ss)}"]
    try:
        printed_d.decode(p, np.ones((1, 1, 1)), s, S=2)
    except ValueError as error:
        lines.append(f"S = 2: {error}")
    return lines


def d3_3():
    rng = np.random.default_rng(0)
    p, s, hs = additive.init(rng, 2, 2, 2), rng.normal(size=(1, 2)), rng.normal(size=(3, 1, 2))
    _, k = attend(additive, p, s, precompute_keys(additive, p, hs, np.ones((3, 1), dtype=bool)))
    lines = [f"as intended: a = {show(k.alpha)}, sum {k.alpha.sum():.3f}"]
    a, k = printed_d.weights(p, np.repeat(s[None], 3, axis=0), hs)
    _, _, g = printed_d.weights_backward(p, k, rng.normal(size=a.shape))
    lines.append(f"as printed:  a_1, a_2, a_3 = {show(a)}; largest gradient of v {abs(g.v).max():.3f}")
    try:
        printed_d.weights(p, s[None], hs, over_t=True)
    except ValueError as error:
        lines.append(f"softmax over t, at the first step: {error}")
    return lines
