"""The parts that the documents name without a formula: P1 to P12 and P14, one test for each.

Each test shows what the part is, in the smallest model that has it.  The modules' own tests go deeper.
"""
import re

import numpy as np
import pytest

import scalar_model
from draw import batch as draw_batch, close, like, normal, readout, same
from minis2s import Config, Seq2Seq, Training, decoding
from minis2s.core import tree
from minis2s.core.functions import log_softmax, softmax
from minis2s.core.gradient_check import assert_gradients
from minis2s.data.batches import make_batch
from minis2s.data.vocabulary import BOS, EOS, PAD, UNK
from minis2s.layers import dropout, embedding, linear, loss, recurrent
from minis2s.layers.cells import CELLS, lstm, rnn
from minis2s.model import decoder, dropout_masks, seq2seq
from minis2s.testing import oracle
from minis2s.training import loop as train, optimizers

SIZES = dict(source_vocab=7, target_vocab=6, embedding=3, hidden=4, dtype="float64")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def model(rng, **choices):
    """A Config and random parameters."""
    config = Config(**{**SIZES, **choices})
    return config, like(rng, seq2seq.init(config, 0))


def logits_of(p, config, batch, teacher=None):
    return seq2seq.forward(p, config, batch, teacher)[1]


def test_P1_embedding_looks_rows_up_and_adds_gradients_where_a_token_repeats(rng):    # (E1) (E1*)
    E, ids, dx = normal(rng, 5, 3), np.array([[4, 1], [1, 1], [0, 2]]), normal(rng, 3, 2, 3)
    one_hot = np.eye(5)[ids]
    same(embedding.forward(E, ids), E[ids])
    close(embedding.forward(E, ids), one_hot @ E)               # lookup = product with one-hot rows
    dE = embedding.backward(E, ids, dx)
    close(dE, np.einsum("tnv,tne->ve", one_hot, dx))            # scatter-add = product with their transpose
    close(dE[1], dx[0, 1] + dx[1, 0] + dx[1, 1])                # token 1 stands thrice
    assert not dE[3].any()                                      # token 3 nowhere


def test_P2_the_encoders_last_states_are_the_context_and_teacher_forcing_feeds_the_right_words(rng):
    config, p = model(rng, cell="lstm", attention="none")
    batch = draw_batch(rng, config)
    source, s0, k = seq2seq.encode(p, config, batch.source, batch.source_mask)
    same(s0, k.finals)                                          # h_T and c_T, as they are
    assert source == decoder.EncoderOutput(None, None) and s0[0]._fields == ("h", "c")     # and nothing else
    logits = logits_of(p, config, batch)
    for n in range(batch.source.shape[1]):                      # softmax head, by the oracle
        want = np.array(scalar_model.model(p, config, batch, n))
        close(softmax(logits[:, n]), softmax(want))
    other = batch.inputs.copy()
    other[2, 1] = 9 - other[2, 1]                               # 4 <-> 5: another right answer at t = 2
    moved = abs(logits_of(p, config, batch._replace(inputs=other)) - logits).max(axis=2)
    assert not moved[:2].any() and moved[2:, 1].all()           # is what the model is given from t = 2 on
    g = seq2seq.backward(p, config, seq2seq.forward(p, config, batch)[2])
    assert g.encoder.layers[0].U.all()                          # the encoder learns through h_T and c_T alone


def repeat_vector(p, xs, S):
    """B 5.2 as meant: the last h repeated S times, two stacked LSTMs, a dense layer at each step."""
    mask = np.ones(xs.shape[:2], dtype=bool)
    _, finals, k_encoder = recurrent.forward(lstm, p[0], xs, mask)
    repeated = np.repeat(finals[0].h[None], S, axis=0)
    hs, _, k = recurrent.forward(lstm, p[1], repeated, np.ones(repeated.shape[:2], dtype=bool))
    return linear.forward(p[2], hs), (mask, k_encoder, hs, k)


def repeat_vector_backward(p, cache, dlogits):
    mask, k_encoder, hs, k = cache
    dhs, g_dense = linear.backward(p[2], hs, dlogits)
    N, H = hs.shape[1:]
    zero = lstm.State(np.zeros((N, H)), np.zeros((N, H)))
    drepeated, g_decoder = recurrent.backward(lstm, p[1], k, dhs, (zero, zero))
    dh = drepeated.sum(axis=0)                                  # fork: one vector, read S times
    dhs = np.zeros((*mask.shape, H))                            # only the last state is read
    _, g_encoder = recurrent.backward(lstm, p[0], k_encoder, dhs, (zero._replace(h=dh),))
    return g_encoder, g_decoder, g_dense


def test_P3_repeat_vector_decoder_of_two_stacked_lstms_with_a_time_distributed_head(rng):
    D, H, V, T, S, N = 3, 4, 5, 3, 2, 2
    two = lstm.init(rng, H, H), lstm.init(rng, H, H)
    p = like(rng, ((lstm.init(rng, D, H),), two, linear.init(rng, H, V)))
    xs, d = normal(rng, T, N, D), normal(rng, S, N, V)
    logits, cache = repeat_vector(p, xs, S)
    assert logits.shape == (S, N, V)                            # S does not depend on T
    for t in range(S):
        close(logits[t], cache[2][t] @ p[2].W + p[2].b)         # the same dense layer at every step
    for n in range(N):
        _, finals = scalar_model.stack("lstm", p[0], xs[:, n].tolist(), None, [None], n)
        hs, _ = scalar_model.stack("lstm", p[1], [finals[0][0]] * S, None, [None, None], n)
        close(logits[:, n], np.array([oracle.linear(*scalar_model.lists(p[2]), h) for h in hs]))
    grads = repeat_vector_backward(p, cache, d)
    assert_gradients(lambda p: readout(d, repeat_vector(p, xs, S)[0]), p, grads, 1e-12)


def test_P4_stacked_layers_with_one_output_for_each_input_step_are_a_tagger(rng):
    D, H, V, T, N = 3, 4, 5, 6, 2
    layers, head = like(rng, ((lstm.init(rng, D, H), lstm.init(rng, H, H)), linear.init(rng, H, V)))
    xs, mask = normal(rng, T, N, D), np.ones((T, N), dtype=bool)

    def tag(xs):
        return linear.forward(head, recurrent.forward(lstm, layers, xs, mask)[0])
    logits = tag(xs)
    assert logits.shape == (T, N, V)                            # as many outputs as inputs, always
    for n in range(N):
        hs, _ = scalar_model.stack("lstm", layers, xs[:, n].tolist(), None, [None, None], n)
        close(logits[:, n], np.array([oracle.linear(*scalar_model.lists(head), h) for h in hs]))
    later = xs.copy()
    later[3] += 1
    moved = abs(tag(later) - logits).max(axis=2)
    assert not moved[:3].any() and moved[3:].all()              # output t sees inputs 1..t, and none after


def test_P5_inference_step_by_step_with_states_in_and_out_gives_what_greedy_search_gives(rng):
    """C 5.4: an encoder model, then a decoder model that is called once a word, states in and states out."""
    config, p = model(rng, cell="lstm", attention="additive", attention_order="before")
    batch, length = draw_batch(rng, config), 5
    dec = seq2seq.untie(p, config).decoder
    source, s0, _ = seq2seq.encode(p, config, batch.source, batch.source_mask)
    ids, state, said = np.full(batch.source.shape[1], BOS), decoder.initial_state(config, s0), []
    for _ in range(length):
        r, state, _ = decoder.step(dec, config, source, ids, state)
        logits = decoder.readout(dec, r)
        logits[:, [PAD, BOS, UNK]] = -np.inf
        ids = logits.argmax(axis=1)
        said.append(ids)
    answers = decoding.greedy(p, config, batch.source, batch.source_mask, length)
    for answer, mine in zip(answers, np.stack(said).T.tolist(), strict=True):
        assert answer[0].ids == (mine[:mine.index(EOS)] if EOS in mine else mine)


def test_P6_padding_at_the_end_and_masks_that_make_it_harmless(rng):
    config, p = model(rng, attention="additive", bidirectional=True)
    sources, targets = [[4, 5, 6, 4, 5], [6], [5, 4, 4]], [[4], [5, 4, 5, 4], []]
    batch = make_batch(sources, targets)
    assert [row[:len(s)].tolist() for row, s in zip(batch.source.T, sources)] == sources       # post-padding
    assert (batch.source[~batch.source_mask] == PAD).all() and (~batch.source_mask).sum() == 15 - 9
    L, logits, k = seq2seq.forward(p, config, batch)
    g, tokens = seq2seq.backward(p, config, k), batch.target_mask.sum()
    alone_L, alone_g = 0.0, tree.zeros_like(p)
    for n, (x, y) in enumerate(zip(sources, targets)):          # without any padding: each example by itself
        one = make_batch([x], [y])
        share = one.target_mask.sum() / tokens
        L1, logits1, k1 = seq2seq.forward(p, config, one)
        close(logits[batch.target_mask[:, n], n], logits1[:, 0])
        alone_L += share * L1
        tree.accumulate(alone_g, tree.map(lambda a: share * a, seq2seq.backward(p, config, k1)))
    close(np.asarray(L), np.asarray(alone_L))
    close(g, alone_g)
    junk = batch._replace(source=np.where(batch.source_mask, batch.source, 6),     # anything may stand there
                          inputs=np.where(batch.target_mask, batch.inputs, 5),
                          targets=np.where(batch.target_mask, batch.targets, 4))
    L2, _, k2 = seq2seq.forward(p, config, junk)
    assert L2 == L
    same(seq2seq.backward(p, config, k2), g)


def test_P7_one_hot_and_sparse_targets_are_the_same_loss(rng):                        # (X1) (X2) (X3)
    logits, ids, mask = normal(rng, 4, 3, 5), rng.integers(0, 5, (4, 3)), rng.random((4, 3)) < 0.7
    for eps in (0.0, 0.1):
        sparse, k_sparse = loss.forward(logits, ids, mask, eps)
        one_hot, k_one_hot = loss.forward(logits, np.eye(5)[ids], mask, eps)
        assert abs(sparse - one_hot) < 1e-15 and sparse > 0
        close(loss.backward(k_one_hot), loss.backward(k_sparse), 1e-15)
    ps, ys = softmax(logits), np.eye(5)[ids]
    want = sum(oracle.b4_1l(ps[mask[:, n], n].tolist(), ys[mask[:, n], n].tolist()) for n in range(3))
    close(np.asarray(loss.forward(logits, ids, mask)[0] * mask.sum()), np.asarray(want))


@pytest.mark.parametrize("name, lr", [("sgd", 0.5), ("rmsprop", 0.02), ("adam", 0.02)])
def test_P8_gradient_descent_rmsprop_and_adam_each_lower_the_loss(rng, name, lr):     # (O1) (O4) (O6)
    config, p = model(rng, cell="gru")
    batch, state, losses = draw_batch(rng, config), optimizers.start(p), []
    w, gs, ws = p.decoder.readout.b.tolist(), [], []
    for _ in range(40):
        L, _, k = seq2seq.forward(p, config, batch)
        g = seq2seq.backward(p, config, k)
        p, state = optimizers.OPTIMIZERS[name](p, g, state, lr)
        losses.append(L)
        gs.append(g.decoder.readout.b.tolist())
        ws.append(p.decoder.readout.b)
    assert losses[-1] < 0.5 * losses[0]
    want = {"sgd": lambda: oracle.sgd(w, gs, lr), "rmsprop": lambda: oracle.rmsprop(w, gs, lr, 0.9, 1e-8),
            "adam": lambda: oracle.adam(w, gs, lr, 0.9, 0.999, 1e-8)}[name]()
    close(np.array(ws), np.array(want))


def test_P9_validation_split_batch_size_epochs_and_accuracy():
    pairs = [(f"{a}{b}", f"{b}{a}") for a in "abcdef" for b in "abcdef"]
    seen = []
    config, training = Config(hidden=8, embedding=4, attention="dot"), Training(epochs=3, batch=10, seed=1)
    fitted = Seq2Seq(config).fit(pairs, training=training, progress=False)
    held_out = [x for x, _ in fitted.held_out]
    assert held_out and len(held_out) == round(0.05 * 36)       # 5 % of the sources, never trained on
    assert [r["epoch"] for r in fitted.records if r["end_of_epoch"]] == [1, 2, 3]
    steps_per_epoch = -(-(36 - len(held_out)) // 10)            # batches of 10, the last one smaller
    assert fitted.records[-1]["step"] == 3 * steps_per_epoch
    examples = [([4, 5], [5, 4]), ([6], [4]), ([5, 5, 6], [4, 5, 5])]
    config = Config(**SIZES)
    p = seq2seq.init(config, 0)
    v = train.validate(p, config, examples)
    for x, y in examples:                                       # accuracy by hand, token by token
        best = logits_of(p, config, make_batch([x], [y]))[:, 0].argmax(axis=1)
        seen += [int(a == b) for a, b in zip(best, [*y, EOS], strict=True)]
    assert v.token_accuracy == sum(seen) / len(seen)


def next_log_probs(p, config, source):
    """log p of each next token after a prefix, by running the whole model anew; never PAD, BOS or UNK."""
    def f(prefix):
        logits = logits_of(p, config, make_batch([source], [list(prefix)]))[-1, 0]
        log_p = log_softmax(logits)
        log_p[[PAD, BOS, UNK]] = -np.inf
        return log_p.tolist()
    return f


def test_P10_decoding_greedy_beam_exact_and_sampling(rng):
    config, p = model(rng, cell="gru", attention="general")
    source, length = [4, 6, 5], 4
    batch, f = make_batch([source], [[]]), next_log_probs(p, config, source)
    ask = p, config, batch.source, batch.source_mask, length

    def output(answer):
        return tuple(answer.ids) + (EOS,) * answer.finished
    greedy, best = decoding.greedy(*ask)[0][0], decoding.exact(*ask)[0][0]
    y, log_p = oracle.greedy(f, length, EOS)
    assert output(greedy) == y and abs(greedy.log_prob - log_p) < 1e-12
    finished = [(y, q) for y, q in oracle.all_outputs(f, length, EOS) if y[-1] == EOS]
    y, log_p = oracle.best_output(finished, EOS, 0.0, True)
    assert best.proven and output(best) == y and abs(best.log_prob - log_p) < 1e-12
    assert decoding.beam(*ask, width=1)[0][0].ids == greedy.ids
    assert output(decoding.beam(*ask, width=200)[0][0]) == y      # a beam that keeps everything is exact
    draws = 400
    many = make_batch([source] * draws, [[]] * draws)
    answers = decoding.sample(p, config, many.source, many.source_mask, 1, np.random.default_rng(1))
    first = [output(a[0])[0] for a in answers]
    want = np.exp(f(()))
    want /= want.sum()
    for token in (EOS, 4, 5):                                   # four standard deviations
        deviation = np.sqrt(want[token] * (1 - want[token]) / draws)
        assert abs(first.count(token) / draws - want[token]) < 4 * deviation


def test_P11_model_summary_lists_layers_shapes_and_numbers_of_parameters():
    config = Config(cell="lstm", embedding=3, hidden=5, attention="none")
    pairs = [("ab", "ba"), ("b", "b")]
    fitted = Seq2Seq(config).fit(pairs, valid=[("a", "a")], training=Training(epochs=1), progress=False)
    text = fitted.summary()
    rows = {m[0]: (m[1], int(m[2].replace(",", "")))
            for m in re.findall(r"^(\S.*?) {2,}([\d x]*?) +([\d,]+)$", text, re.M)}
    V, D, H = 4 + 2, 3, 5
    assert rows["encoder.layers.0.W"] == (f"{D} x {4 * H}", 4 * D * H)
    lstm_size = sum(size for name, (_, size) in rows.items() if name.startswith("encoder.layers.0"))
    assert lstm_size == 4 * H * (D + H + 1)                     # four gates, each with input, state and bias
    assert rows["decoder.embedding"] == (f"{V} x {D}", V * D)
    assert rows["decoder.readout.W"] == (f"{H} x {V}", H * V)
    names = [name for name, _ in tree.named(fitted.params)]
    assert [name for name in rows if name in names] == names
    assert rows["in all"][1] == sum(a.size for _, a in tree.named(fitted.params))


def test_P12_layers_upon_layers_and_dropout_with_one_mask_for_a_sequence(rng):        # (DR1)
    D, H, T, N = 4, 3, 7, 2
    layers = like(rng, (rnn.init(rng, D, H), rnn.init(rng, H, H), rnn.init(rng, H, H)))
    xs, mask, one = normal(rng, T, N, D), np.ones((T, N), dtype=bool), []
    hs = xs
    for p in layers:                                            # each layer reads the states of the one below
        hs, _, _ = recurrent.forward(rnn, (p,), hs, mask)
        one.append(hs)
    same(recurrent.forward(rnn, layers, xs, mask)[0], one[-1])
    m = dropout.draw(np.random.default_rng(3), 0.5, (N, D), "float64")
    assert set(np.unique(m)) == {0.0, 2.0}
    dropped = dropout.forward(np.ones((T, N, D)), m)
    same(dropped, np.repeat(m[None], T, axis=0))                # the same units at every step
    got, _, _ = recurrent.forward(rnn, layers, xs, mask, (m, None, None))
    same(got, recurrent.forward(rnn, layers, xs * m, mask)[0])
    config, p = model(rng, layers=2, dropout=0.5)
    drops = dropout_masks.draw(np.random.default_rng(0), config, 3)
    batch = draw_batch(rng, config)
    L, _, k = seq2seq.forward(p, config, batch, masks=drops)
    assert L == seq2seq.forward(p, config, batch, masks=drops)[0] != seq2seq.forward(p, config, batch)[0]
    dE = seq2seq.backward(p, config, k).encoder.embedding
    fed = drops.encoder[0]                                      # what is dropped for all learns nothing
    assert not dE[:, ~fed.any(axis=0)].any() and dE[:, fed.any(axis=0)].any()


@pytest.mark.parametrize("T, S", [(60, 1), (1, 30)])
def test_P14_attention_where_input_and_output_have_very_different_lengths(rng, T, S):
    config, p = model(rng, cell="gru", attention="additive")
    x, y = rng.integers(4, 7, T).tolist(), rng.integers(4, 6, S).tolist()
    batch = make_batch([x, [4, 5]], [y, []])
    L, logits, k = seq2seq.forward(p, config, batch)
    alpha = decoder.alphas(k.decoder)
    assert logits.shape == (S + 1, 2, 6)
    assert alpha.shape == (S + 1, max(T, 2), 2)                 # a weight for each pair (t, i)
    close(alpha.sum(axis=1), np.ones((S + 1, 2)))
    assert not alpha[:, ~batch.source_mask].any() and (alpha[:, batch.source_mask] > 0).all()
    for n in range(2):
        close(logits[:, n], np.array(scalar_model.model(p, config, batch, n)))
    nothing = decoder.State(tree.zeros_like(k.encode.finals), None)
    dr = np.ones_like(k.decoder.rs[0])                          # one output step reaches every word
    dsource = decoder.step_backward(p.decoder, config, k.source, k.decoder.steps[0], dr, nothing)[2]
    reached = abs(dsource.memory.hs).max(axis=2)
    assert (reached[batch.source_mask] > 0).all() and not reached[~batch.source_mask].any()


def test_the_parts_are_all_there():
    """P13, P15 and P16 belong elsewhere."""
    parts = {re.match(r"test_(P\d+)_", name)[1] for name in globals() if name.startswith("test_P")}
    assert parts == {f"P{k}" for k in (*range(1, 13), 14)}
    assert set(CELLS) == {"rnn", "rnn-sigmoid", "lstm", "gru", "gru-after"}
