"""The formulas as printed: where they agree with the library, and what each slip costs.

Forward against the oracle and every gradient are checked by tests/test_formulas.py for all formulas alike.
Here: with the missing weights at zero, printed and intended must be the same, forward and backward.
"""
import numpy as np
import pytest
from numpy.testing import assert_allclose

from draw import close, normal, read_only, same
from minis2s.core import tree
from minis2s.core.functions import softmax
from minis2s.documents.printed import a, b, c, d
from minis2s.layers import linear, recurrent
from minis2s.layers.attention import additive, attend, concat_dot, precompute_keys
from minis2s.layers.cells import gru, lstm, rnn, rnn_sigmoid

N, T, D, H, V = 2, 4, 3, 5, 6


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# A4.2, A4.4 ------------------------------------------------------------------------------------------------

def test_a4_2_is_the_sigmoid_cell_whose_sum_serves_as_logits(rng):                # (PA1) (PA2) (PA3)
    y, s, W = normal(rng, N, D), normal(rng, N, V), normal(rng, D + V, V)
    new, p, _ = a.step(a.Params(W), y, s)
    cell, _ = rnn_sigmoid.step(rnn.Params(W[:D], W[D:], np.zeros(V)), y, rnn.State(s))
    close(new, cell.h)
    close(p, softmax(np.concatenate([y, s], axis=1) @ W))
    shift = np.log(new / (1 - new)) - np.log(p)                 # both come from one sum a: a - log softmax(a)
    assert_allclose(shift, shift[:, :1] * np.ones(V), rtol=1e-12)


def test_a4_2_reads_the_answer():
    """A model that copies its input has no loss in training, and nothing to say without the answer."""
    copy = a.Params(np.concatenate([20 * np.eye(V), np.zeros((V, V))]))
    _, p, _ = a.step(copy, np.eye(V), np.zeros((V, V)))
    assert -np.log(np.diag(p)).max() < 1e-7
    _, p, _ = a.step(copy, np.zeros((1, V)), np.zeros((1, V)))
    close(p, np.full((1, V), 1 / V))


def example(rng):
    p = a.Example(normal(rng, D + V, V), a.Params(normal(rng, D + V, V)))
    return p, normal(rng, T, N, D), normal(rng, 2, N, D)


def test_a4_4_from_zero_no_source_reaches_the_output(rng):                        # (PA4)
    p, xs, ys = example(rng)
    hs, ss, ps, k = a.example(p, xs, ys)
    other_hs, other_ss, other_ps, _ = a.example(p, -xs, ys)
    same((ss, ps), (other_ss, other_ps))
    assert abs(hs - other_hs).min() > 1e-3                      # although the encoder did its work
    dxs, _, g = a.example_backward(p, k, 0 * hs, normal(rng, *ss.shape), normal(rng, *ps.shape))
    assert not dxs.any() and not g.W_e.any() and g.decoder.W_d.all()


def test_a4_4_from_h_T_the_source_reaches_the_output(rng):
    p, xs, ys = example(rng)
    _, ss, ps, k = a.example(p, xs, ys, from_zero=False)
    assert abs(ps - a.example(p, -xs, ys, from_zero=False)[2]).max() > 1e-3
    dxs, _, g = a.example_backward(p, k, np.zeros((T, N, V)), 0 * ss, normal(rng, *ps.shape))
    assert dxs.all() and g.W_e.all()


# B4.2e, B4.2d, B4.2a ---------------------------------------------------------------------------------------

def lstm_parts(rng, D):
    p = lstm.Params(normal(rng, D, 4 * H), normal(rng, H, 4 * H), normal(rng, 4 * H))
    s, ds = ((normal(rng, N, H), normal(rng, N, H)) for _ in range(2))
    return p, normal(rng, N, D), s, ds


def test_b4_2e_is_the_lstm_whose_candidate_has_no_input_weights(rng):             # (PB1) (PB2) (PB4) (PB5)
    p, x, s, ds = lstm_parts(rng, D)
    p.W[:, 2 * H:3 * H] = 0
    q = b.EncoderParams(b.without_g(p.W), p.U, p.b)
    want, k = lstm.step(p, x, lstm.State(*s))
    got, kq = b.encoder_step(q, x, b.State(*s))
    close(tuple(got), tuple(want))
    dx, dprev, g = lstm.step_backward(p, k, lstm.State(*ds))
    dxq, dprevq, gq = b.encoder_step_backward(q, kq, b.State(*ds))
    close((dxq, tuple(dprevq), gq.W, gq.U, gq.b), (dx, tuple(dprev), b.without_g(g.W), g.U, g.b))


def test_b4_2d_is_the_lstm_whose_candidate_has_no_recurrent_weights(rng):         # (PB1) (PB3) (PB4) (PB5)
    p, x, s, ds = lstm_parts(rng, D)
    p.U[:, 2 * H:3 * H] = 0
    q = b.DecoderParams(p.W, b.without_g(p.U), p.b)
    want, k = lstm.step(p, x, lstm.State(*s))
    got, kq = b.decoder_step(q, x, b.State(*s))
    close(tuple(got), tuple(want))
    dx, dprev, g = lstm.step_backward(p, k, lstm.State(*ds))
    dxq, dprevq, gq = b.decoder_step_backward(q, kq, b.State(*ds))
    close((dxq, tuple(dprevq), gq.W, gq.U, gq.b), (dx, tuple(dprev), g.W, b.without_g(g.U), g.b))


def test_gate_blocks_are_taken_out_and_put_back_in_order():
    four = np.arange(8.0).reshape(1, 8)                         # i = 0 1, f = 2 3, g = 4 5, o = 6 7
    assert b.without_g(four).tolist() == [[0, 1, 2, 3, 6, 7]]
    assert b.with_g(b.without_g(four), four[:, 4:6]).tolist() == four.tolist()


def test_b4_2e_from_zeros_never_moves(rng):
    """Zero states, zero biases: whatever is read, and however the other weights are, h and c stay 0."""
    p = b.EncoderParams(normal(rng, D, 3 * H), normal(rng, H, 4 * H), np.zeros(4 * H))
    s = b.State(np.zeros((N, H)), np.zeros((N, H)))
    for _ in range(5):
        s, _ = b.encoder_step(p, normal(rng, N, D, scale=5), s)
    assert not s.h.any() and not s.c.any()


def test_b4_2d_needs_an_encoder_state_for_every_output(rng):
    p = b.DecoderParams(normal(rng, H, 4 * H), normal(rng, H, 3 * H), normal(rng, 4 * H))
    hs, s = normal(rng, T, N, H), b.State(normal(rng, N, H), normal(rng, N, H))
    ss = b.decode(p, hs, s, T)
    for t in range(T):
        s, _ = b.decoder_step(p, hs[t], s)
        same(ss[t], s.h)
    with pytest.raises(ValueError, match=f"S={T + 1} .* T={T} .* reads h_{T + 1}, which does not exist"):
        b.decode(p, hs, s, T + 1)


def test_b4_2a_equals_the_intended_form_where_there_is_one_word(rng):             # (PB6) (PB7)
    """And with a source of equal words, where it does not matter which h_i stands inside v."""
    W_s, W_h, s = normal(rng, D, H), normal(rng, H, H), normal(rng, N, D)
    for hs in (normal(rng, 1, N, H), np.repeat(normal(rng, 1, N, H), T, axis=0)):
        p = concat_dot.Params(W_s, W_h)
        _, k = attend(concat_dot, p, s, precompute_keys(concat_dot, p, hs, np.ones(hs.shape[:2], dtype=bool)))
        alpha, _ = b.attend(b.AttentionParams(np.concatenate([W_s, W_h])), s, hs, t=len(hs) - 1)
        close(alpha, k.alpha)


def test_b4_2a_depends_on_the_order_of_the_source(rng):
    """Intended: permuting the source permutes the weights.  Printed: it changes them."""
    p, q, s, hs = (concat_dot.init(rng, D, H, H), None, normal(rng, N, D), normal(rng, T, N, H))
    q, order, mask = b.AttentionParams(np.concatenate(p)), [1, 0, 3, 2], np.ones((T, N), dtype=bool)
    _, k = attend(concat_dot, p, s, precompute_keys(concat_dot, p, hs, mask))
    _, k_moved = attend(concat_dot, p, s, precompute_keys(concat_dot, p, hs[order], mask))
    close(k_moved.alpha, k.alpha[order])
    alpha, alpha_moved = (b.attend(q, s, h, t=0)[0] for h in (hs, hs[order]))
    assert abs(alpha_moved - alpha[order]).max() > 1e-3
    close(alpha.sum(axis=0), np.ones(N))


@pytest.mark.parametrize("t", [-1, T])
def test_b4_2a_needs_a_state_with_the_outputs_number(rng, t):
    with pytest.raises(ValueError, match=f"T={T}: as printed v_{t + 1} reads h_{t + 1}"):
        b.attend(b.AttentionParams(normal(rng, D + H, H)), normal(rng, N, D), normal(rng, T, N, H), t)


def test_b4_2a_gives_masked_words_no_weight_and_no_gradient(rng):
    mask = np.ones((T, N), dtype=bool)
    mask[2:, 1] = False
    p, s, hs = b.AttentionParams(normal(rng, D + H, H)), normal(rng, N, D), normal(rng, T, N, H)
    alpha, k = b.attend(p, s, hs, 0, mask)
    _, dhs, _ = b.attend_backward(p, hs, k, normal(rng, T, N))
    assert not alpha[~mask].any() and not dhs[~mask].any() and alpha[mask].all() and dhs[mask].all()


# C2.2, C3.1G -----------------------------------------------------------------------------------------------

def test_c2_2_is_an_rnn_without_memory(rng):                                      # (PC1) (PC2)
    p = c.init(rng, D, H, 4, V)
    y, h = normal(rng, N, D), normal(rng, N, H)
    got, k = c.decoder_step(p, y, h)
    x, zeros = np.concatenate([y, h], axis=1), rnn.State(np.zeros((N, 4)))
    q = rnn.Params(p.hidden.W, np.zeros((4, 4)), p.hidden.b)
    s, cache = rnn.step(q, x, zeros)
    close(got, softmax(linear.forward(p.readout, s.h)))
    dp = normal(rng, N, V)
    dy, dh, g = c.decoder_step_backward(p, k, dp, H)
    dlogits = got * (dp - (got * dp).sum(axis=1, keepdims=True))
    ds, g_readout = linear.backward(p.readout, s.h, dlogits)
    dx, _, g_cell = rnn.step_backward(q, cache, rnn.State(ds))
    close((dy, dh, g), (dx[:, :D], dx[:, D:], c.DecoderParams(linear.Params(g_cell.W, g_cell.b), g_readout)))


def gru_printed(rng):
    return c.GruParams(normal(rng, 2 * H, 2 * H), normal(rng, 2 * H), normal(rng, H, H), normal(rng, H))


def test_c3_1g_equals_the_gru_where_input_and_candidate_gates_are_open(rng):      # (PC3) (PC4) (PC5) (PC6)
    """r = z = 1 (biases of 50): both forms are tanh(x W + h' W + b), if W_x = W_h."""
    p = c.GruParams(np.zeros((2 * H, 2 * H)), np.full(2 * H, 50.0), normal(rng, H, H), normal(rng, H))
    zeros = np.zeros((H, 2 * H))
    W = np.concatenate([zeros, p.W], axis=1)
    q = gru.Params(W, W, np.concatenate([p.b_zr, p.b]))
    x, h = normal(rng, N, H), normal(rng, N, H)
    got, _ = c.gru_step(p, x, c.State(h))
    want, _ = gru.step(q, x, gru.State(h))
    close(tuple(got), tuple(want))


def test_c3_1g_keeps_the_state_where_z_is_shut(rng):
    p = gru_printed(rng)._replace(W_zr=np.zeros((2 * H, 2 * H)), b_zr=np.repeat([-50.0, 50.0], H))
    h = normal(rng, N, H)
    s, _ = c.gru_step(p, normal(rng, N, H), c.State(h))
    close(s.h, h)


def test_c3_1g_cannot_forget_and_write_at_once(rng):
    """z = 1 is to write.  Intended, r = 0: h' is gone.  Printed: h' is in the candidate, whatever r is."""
    x, h = normal(rng, N, H), normal(rng, N, H)
    W = np.concatenate([np.zeros((H, 2 * H)), normal(rng, H, H)], axis=1)
    q = gru.Params(W, W, np.concatenate([np.full(H, 50.0), np.full(H, -50.0), np.zeros(H)]))
    close(gru.step(q, x, gru.State(h))[0].h, gru.step(q, x, gru.State(-h))[0].h)
    for r in (-50.0, 50.0):
        p = c.GruParams(np.zeros((2 * H, 2 * H)), np.repeat([50.0, r], H), W[:, 2 * H:], np.zeros(H))
        assert abs(c.gru_step(p, x, c.State(h))[0].h - c.gru_step(p, x, c.State(-h))[0].h).max() > 0.1


def test_c3_1g_needs_as_many_inputs_as_units(rng):
    with pytest.raises(ValueError, match=rf"x has shape \({N}, {D}\), h \({N}, {H}\)"):
        c.gru_step(gru_printed(rng), normal(rng, N, D), c.State(normal(rng, N, H)))


# D3.2, D3.3 ------------------------------------------------------------------------------------------------

def test_d3_2_is_the_second_layer_of_a_stack(rng):                                # (PD1)
    """One output for each source word: a tagger (P4), not a decoder."""
    p, q = (rnn.Params(normal(rng, D, H), normal(rng, H, H), normal(rng, H)),
            rnn.Params(normal(rng, H, H), normal(rng, H, H), normal(rng, H)))
    xs, mask, d_top = normal(rng, T, N, D), np.ones((T, N), dtype=bool), normal(rng, T, N, H)
    zero = rnn.State(np.zeros((N, H)))
    want, _, k = recurrent.forward(rnn, (p, q), xs, mask)
    hs, _, k1 = recurrent.forward(rnn, (p,), xs, mask)
    ss, caches = d.decode(q, hs, zero, T)
    close(ss, want)
    _, (_, g) = recurrent.backward(rnn, (p, q), k, d_top, (zero, zero))
    dhs, _, got = d.decode_backward(q, hs, caches, d_top)
    close(got, g)
    _, (g1,) = recurrent.backward(rnn, (p,), k1, dhs, (zero,))
    close(g1, recurrent.backward(rnn, (p, q), k, d_top, (zero, zero))[1][0])


def test_d3_2_needs_an_encoder_state_for_every_output(rng):
    p, s = rnn.Params(normal(rng, D, H), normal(rng, H, H), normal(rng, H)), rnn.State(normal(rng, N, H))
    hs = normal(rng, T, N, D)
    ss, caches = d.decode(p, hs, s, 2)
    assert ss.shape == (2, N, H)
    dhs, _, _ = d.decode_backward(p, hs, caches, np.ones_like(ss))
    assert dhs[:2].all() and not dhs[2:].any()                  # later words are never read
    with pytest.raises(ValueError, match=f"S={T + 1} .* T={T} .* reads h_{T + 1}, which does not exist"):
        d.decode(p, hs, s, T + 1)


def test_d3_3_word_for_word_every_weight_is_one_and_nothing_is_learned(rng):      # (PD2) (PD3)
    p = additive.Params(normal(rng, D, 2), normal(rng, H, 2), normal(rng, 2))
    ss, hs = normal(rng, T, N, D), normal(rng, T, N, H)
    weights, k = d.weights(p, ss, hs)
    same(weights, np.ones((T, N)))
    grads = d.weights_backward(p, k, normal(rng, T, N))
    assert not any(array.any() for _, array in tree.named(grads))


def test_d3_3_over_t_shares_one_set_of_weights_among_all_steps(rng):              # (PD2) (PD4)
    """It is the intended form only if every s_t is the same, and then there is nothing to decode."""
    p = additive.Params(normal(rng, D, 2), normal(rng, H, 2), normal(rng, 2))
    s, hs = normal(rng, N, D), normal(rng, T, N, H)
    weights, _ = d.weights(p, np.repeat(s[None], T, axis=0), hs, over_t=True)
    _, k = attend(additive, p, s, precompute_keys(additive, p, hs, np.ones((T, N), dtype=bool)))
    close(weights, k.alpha)
    close(d.weights(p, normal(rng, T, N, D), hs, over_t=True)[0].sum(axis=0), np.ones(N))


@pytest.mark.parametrize("over_t", [False, True])
def test_d3_3_has_one_t_for_both_states(rng, over_t):
    p = additive.Params(normal(rng, D, 2), normal(rng, H, 2), normal(rng, 2))
    with pytest.raises(ValueError, match=f"1 states s_t, {T} states h_t"):
        d.weights(p, normal(rng, 1, N, D), normal(rng, T, N, H), over_t)


# All -------------------------------------------------------------------------------------------------------

def test_float32_stays_float32(rng):
    def half(x):
        return tree.map(lambda array: array.astype(np.float32), x)
    y, s, h = half(normal(rng, N, D)), half(normal(rng, N, V)), half(normal(rng, N, H))
    hs, b4 = half(normal(rng, T, N, H)), half(normal(rng, 4 * H))
    W3, U3, U4 = half((normal(rng, D, 3 * H), normal(rng, H, 3 * H), normal(rng, H, 4 * H)))
    results = [
        a.step(half(a.Params(normal(rng, D + V, V))), y, s)[:2],
        b.encoder_step(b.EncoderParams(W3, U4, b4), y, b.State(h, h))[0],
        b.decoder_step(b.DecoderParams(U4, U3, b4), h, b.State(h, h))[0],
        b.attend(half(b.AttentionParams(normal(rng, D + H, H))), y, hs, 0)[0],
        c.decoder_step(half(c.init(rng, D, H, 4, V)), y, h)[0],
        c.gru_step(half(gru_printed(rng)), h, c.State(h))[0],
        d.weights(half(additive.init(rng, H, H, 2)), hs, hs, over_t=True)[0]]
    assert {array.dtype for _, array in tree.named(tuple(results))} == {np.dtype(np.float32)}


def test_a_backward_does_not_write_into_what_it_reads(rng):
    p, s, hs = read_only((b.AttentionParams(normal(rng, D + H, H)), normal(rng, N, D), normal(rng, T, N, H)))
    alpha, k = b.attend(p, s, hs, 1)
    k = read_only(k)
    same(b.attend_backward(p, hs, k, alpha), b.attend_backward(p, hs, k, alpha))
