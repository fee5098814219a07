"""A readout that copies: the whole model by the oracle and the complex step, searches, names that training never had,
and what refuses it."""
from dataclasses import replace

import numpy as np
import pytest

import scalar_model
from configs import COPYING, copier as config
from draw import close, like, read_only
from minis2s import Config, Seq2Seq, Training
from minis2s.api.backends import backend_for, is_compiled
from minis2s.core.functions import log_softmax
from minis2s.core.gradient_check import assert_gradients
from minis2s.data import corpus
from minis2s.data.batches import make_batch
from minis2s.data.vocabulary import UNK, Vocabulary
from minis2s.decoding import beam, exact, greedy, sample
from minis2s.layers import copying
from minis2s.model import dropout_masks, parameters, seq2seq
from minis2s.testing import oracle

V = 7


# words outside the vocabulary, twice in a source, copied twice, in no target; ragged lengths
SOURCES, TARGETS = [[4, 7, 8, 7, 5], [6, 5], [7, 4, 4]], [[7, 4, 8, 7], [5, 6, 6], [4, 7]]


class Case:
    def __init__(self, c):
        rng, self.c = np.random.default_rng(0), c
        self.p = read_only(like(rng, parameters.init(c)))
        self.batch = make_batch(SOURCES, TARGETS, c.reverse_source)
        self.drops = read_only(dropout_masks.draw(rng, c, len(SOURCES)))

    def loss(self, p, teacher=None):
        return seq2seq.forward(p, self.c, self.batch, teacher, self.drops)


def written_out(case, n):
    """log p of example n, step by step: the oracle's decoder with a readout that shows what it reads, then (CP1) to
    (CP3)."""
    p, c, batch = case.p, case.c, case.batch
    m, dec = scalar_model.oracle_model(p, c, n, case.drops), p.decoder
    source, mask = batch.source[:, n].tolist(), batch.source_mask[:, n].tolist()
    hs, finals = oracle.encode(m, [x if x < V else UNK for x in source], mask)
    states, z, found = m["bridge"](finals), [0.0] * c.fused_size, []
    R = c.fused_size + c.encoder_size
    m.update(readout=([[float(i == j) for j in range(R)] for i in range(R)], [0.0] * R),
             read_context=True, drop_output=None)
    alphas = []

    def attend(s):
        e = scalar_model.score(c.attention, dec.score)(s, hs)
        alphas.append(oracle.attention_weights(e, mask))
        return oracle.context(alphas[-1], hs)
    for y in batch.inputs[:, n].tolist():
        y = y if y < V else UNK
        r, states, z, _ = oracle.decoder_step(m, attend, y, states, None, z)
        r = r + dec.embedding[y].tolist()
        r = oracle.dropout(r, case.drops.output[n].tolist()) if case.drops else r
        c_t = oracle.copies(alphas[-1], source, int(batch.source.max()) + 1)
        found.append(oracle.mixed(oracle.linear(*scalar_model.lists(dec.readout), r), c_t,
                                  oracle.copy_gate(*scalar_model.lists(dec.gate), r)))
    return found


@pytest.mark.parametrize("c", COPYING.values(), ids=COPYING)
def test_log_p_is_the_oracles_and_all_gradients_are_those_of_the_complex_step(c):
    case = Case(c)
    L, log_p, k = case.loss(case.p)
    assert log_p.shape == (5, 3, V + 2)
    close(np.exp(log_p).sum(axis=2), np.ones((5, 3)))
    for n in range(3):
        close(np.exp(log_p[:, n]), np.exp(written_out(case, n)))
    assert_gradients(lambda p: case.loss(p)[0], case.p, seq2seq.backward(case.p, c, k))
    free = np.random.default_rng(1).random(case.batch.inputs.shape) < 0.5
    assert_gradients(lambda p: case.loss(p, free)[0], case.p, seq2seq.backward(case.p, c, case.loss(case.p, free)[2]))


def test_small_probabilities_are_not_lost_and_what_cannot_be_said_has_none():
    rng, ids = np.random.default_rng(0), np.array([[4, 0], [6, 6]])
    p, r = copying.linear.Params(np.array([[1.0]]), np.zeros(1)), np.array([[[-800.0], [800.0]]])
    logits, alpha = rng.normal(size=(1, 2, 5)), np.array([[[0.5, 1e-30], [0.5, 1.0]]])
    log_p, k = copying.forward(p, r, logits, alpha, ids)
    close(log_p[0, 0, :5], log_softmax(logits[0, 0]))           # the gate is shut: g = 0
    close(log_p[0, 0, 6], -800 + np.log(0.5))                   # and yet the copy's logarithm is there
    close(log_p[0, 1, [0, 6]], np.log([1e-30, 1]))
    assert np.isneginf(log_p[:, :, 5]).all()
    dlog_p = np.zeros_like(log_p)
    dlog_p[0, :, 6] = -1
    grads = copying.backward(p, k, dlog_p)
    assert all(np.isfinite(a).all() for a in (*grads[:3], *grads[3]))
    close(copying.log_sigmoid(np.array([-1000.0, 0, 1000])), [-1000, np.log(0.5), 0])


def test_searches_say_words_of_the_source_alone():
    """No answer has a word outside the vocabulary that stands in another source; beam search of width 1 is greedy; the
    answer's log p is that of the loss."""
    case = Case(config(attention_order="before"))
    source, mask = case.batch.source, case.batch.source_mask
    for name, found in dict(greedy=greedy(case.p, case.c, source, mask, 4),
                            beam=beam(case.p, case.c, source, mask, 4, 1),
                            wide=beam(case.p, case.c, source, mask, 4, 3), exact=exact(case.p, case.c, source, mask, 4),
                            sample=sample(case.p, case.c, source, mask, 4, np.random.default_rng(0))).items():
        for n, (answer, *_) in enumerate(found):
            assert max(answer.ids, default=0) <= max(SOURCES[n] + [V - 1]), name
            log_p = seq2seq.logits(case.p, case.c, make_batch([SOURCES[n]], [answer.ids]))[:, 0]
            ids = answer.ids + [2] * answer.finished
            close(sum(log_p[t, y] for t, y in enumerate(ids)), answer.log_prob)
    assert [a[0].ids for a in greedy(case.p, case.c, source, mask, 4)] == [
        a[0].ids for a in beam(case.p, case.c, source, mask, 4, 1)]
    best = exact(case.p, case.c, source, mask, 4)
    assert all(a[0].proven and a[0].log_prob >= b[0].log_prob - 1e-9
               for a, b in zip(best, beam(case.p, case.c, source, mask, 4, 3)) if b[0].finished)


def test_unknown_words_of_a_source_have_numbers_of_their_own():
    v = Vocabulary.build([["a", "b"]])
    source = ["x", "a", "y", "x"]
    assert v.encode_beside(source, source) == [6, 4, 7, 6]
    assert v.encode_beside(["y", "b", "z"], source) == [7, 5, UNK]
    assert v.decode([7, 6, 4, 2, 5], source) == ["y", "x", "a"]
    with pytest.raises(ValueError, match="8 is no entry"):
        v.decode([8], source)
    made = corpus.build([("a x b", "x a"), ("a b", "b a")], [("a q", "q")], "space", "space", min_count=3, shared=True)
    assert made.source.vocab == made.target.vocab and made.train == [([4, 6, 5], [6, 4]), ([4, 5], [5, 4])]
    assert made.valid == [([4, 6], [6], "a q")]


def test_names_that_training_never_had_are_copied(tmp_path):
    rng = np.random.default_rng(0)

    def pair():
        n, m = ("".join(rng.choice(list("abcdefghij"), 5)) for _ in range(2))
        if rng.random() < 0.5:
            return f"i am {n} and this is {m}", f"hello {n}"
        return (f"who is {n} {m} is", f"{m} not {n}")
    model = Seq2Seq(Config(hidden=32, embedding=16, cell="gru", readout="copy", bidirectional=True,
                           attention_order="before"),
                    source_units="space", target_units="space", min_count=8, backend="numpy")
    model.fit([pair() for _ in range(1200)], valid=[pair() for _ in range(60)], progress=False,
              training=Training(epochs=6, lr=6e-3, batch=32))
    assert len(model.source_vocab) == 12 and model.evaluate([pair() for _ in range(60)])["exact_match"] > 0.9
    texts, wanted = ["i am zora and this is quint", "who is quint zora is"], ["hello zora", "zora not quint"]
    assert model.translate(texts) == model.translate(texts, beam=3) == wanted
    model.save(tmp_path / "run")
    assert Seq2Seq.load(tmp_path / "run").translate(texts) == wanted


@pytest.mark.parametrize("message, choices", [
    ("readout=copy copies what attention looks at; context=init has none", dict(attention="none")),
    ("readout=copy with fusion=concat would read the context twice; take fusion=none", dict(fusion="concat")),
    ("readout=copy copies words; source=frames with target=tokens has none to read or to write",
     dict(source="frames", source_vocab=None, target_vocab=None)),
    ("readout=copy needs one vocabulary for both sides; source_vocab=7, target_vocab=8", dict(target_vocab=8)),
    ("readout=copy with label_smoothing=0.1: a word of another source has probability 0", dict(label_smoothing=0.1)),
    ("readout=copy: architecture=transformer has no such choice",
     dict(architecture="transformer", cell="lstm", embedding=64)),
])
def test_what_cannot_copy(message, choices):
    with pytest.raises(ValueError, match=f"^{message}"):
        config(**choices)


def test_a_target_must_stand_in_its_own_source():
    case = Case(COPYING["after"])
    with pytest.raises(ValueError, match="targets: ids from 7 on are words of the example's own source"):
        seq2seq.forward(case.p, case.c, make_batch([[4, 8], [4, 5]], [[8], [8]]))      # 8 stands in the other one


def test_ids_that_nothing_can_say_and_other_implementations_are_refused():
    case = Case(COPYING["after"])
    for source, target, message in (([4, 5], [7], "targets: ids from 7 on are words of the example's own source"),
                                    ([4, 9], [4], "source: got ids from 4 to 9, wanted 0 .. 8")):
        with pytest.raises(ValueError, match=message):
            seq2seq.forward(case.p, case.c, make_batch([source], [target]))
    soft = case.batch._replace(targets=np.full((5, 3, V), 1 / V))
    with pytest.raises(ValueError, match="targets: readout=copy needs ids"):
        seq2seq.forward(case.p, case.c, soft)
    assert is_compiled(case.c) and backend_for(case.c, "numba") == "numba"
    with pytest.raises(ValueError, match="readout=copy has no PyTorch module; choose numpy"):
        backend_for(case.c, "torch")
    assert replace(case.c, readout="state", fusion="tanh").fused_size == 4
