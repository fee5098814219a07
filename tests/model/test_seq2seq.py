"""The whole model, for each Config of the table: by the oracle, by complex step, and what must not matter."""
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, strategies as st

import scalar_model
from configs import CONFIGS, FRAMES_OUT, config
from draw import batch, close, form, like, read_only, same
from minis2s.core import tree
from minis2s.core.gradient_check import assert_close, assert_gradients, central_difference
from minis2s.data.batches import Batch, make_batch, target_frames
from minis2s.model import dropout_masks, seq2seq

ALL = {**CONFIGS, **FRAMES_OUT}
configs = pytest.mark.parametrize("c", ALL.values(), ids=ALL)
N = 3


class Case:
    """Random parameters, a ragged batch, dropout masks where the Config drops."""

    def __init__(self, c, seed=0):
        rng, self.c = np.random.default_rng(seed), c
        self.p = read_only(like(rng, seq2seq.init(c, seed)))
        self.batch = read_only(batch(rng, c))
        self.drops = read_only(dropout_masks.draw(rng, c, N))

    def forward(self, p=None, batch=None, teacher=None, drops=None):
        return seq2seq.forward(p or self.p, self.c, batch or self.batch, teacher, drops or self.drops)

    def run(self, **others):
        """-> loss, logits, gradients"""
        L, logits, k = self.forward(**others)
        return L, logits, seq2seq.backward(others.get("p") or self.p, self.c, k)


def test_the_table_meets_every_choice():
    assert len(CONFIGS) >= 30
    assert len(set(CONFIGS.values())) == len(CONFIGS)


@configs
def test_forward_is_the_oracles(c):
    """(S1) (S2) (S3) (S4) (S5)"""
    case = Case(c)
    L, logits, _ = case.forward()
    want = [scalar_model.model(case.p, c, case.batch, n, drops=case.drops) for n in range(N)]
    close(logits, np.array(want).swapaxes(0, 1))
    close(L, scalar_model.loss(c, logits.tolist(), case.batch))


@given(c=st.sampled_from(list(ALL.values())), seed=st.integers(0, 99),
       lengths=st.lists(st.tuples(st.integers(1, 5), st.integers(0, 4)), min_size=1, max_size=4))
def test_any_lengths(c, seed, lengths):
    """Sources of 1 to 5 tokens, targets of 0 to 4, in batches of 1 to 4."""
    rng, case = np.random.default_rng(seed), Case(c, seed)
    b, drops = batch(rng, c, *zip(*lengths)), dropout_masks.draw(rng, c, len(lengths))
    _, logits, k = seq2seq.forward(case.p, c, b, masks=drops)
    want = [scalar_model.model(case.p, c, b, n, drops=drops) for n in range(len(lengths))]
    close(logits, np.array(want).swapaxes(0, 1))
    assert form(seq2seq.backward(case.p, c, k)) == form(case.p)


@configs
def test_gradients(c):
    """(S1*) (S2*) (S3*) (S4*) (S5*)"""
    case = Case(c)
    _, _, got = case.run()
    assert form(got) == form(case.p)
    assert_gradients(lambda p: case.forward(p)[0], case.p, got, 1e-10)


def test_gradients_by_central_differences():
    case = Case(CONFIGS["two-ways-additive"])
    got, arrays = dict(tree.named(case.run()[2])), dict(tree.named(case.p))
    for name in ["encoder.layers.0.backward.U", "bridge.1.c.W", "decoder.score.v", "decoder.readout.b"]:
        def loss(w):
            return case.forward(tree.replace(case.p, {**arrays, name: w}))[0]
        want = central_difference(loss, arrays[name])
        assert_close(name, got[name], want, 1e-6)


@configs
def test_backward_twice_gives_the_same_bits(c):
    case = Case(c)
    k = read_only(case.forward()[2])
    same(seq2seq.backward(case.p, c, k), seq2seq.backward(case.p, c, k))


# What must not matter ------------------------------------------------------------------------------------

def steps(b):
    """The real steps of a batch's targets, (S, N)."""
    return b.target_mask if b.target_mask.ndim == 2 else b.target_mask[:, :, 0]


def pad(ids, mask, more, V):
    """`more` steps of padding at the end, and garbage wherever the mask is False."""
    if ids.ndim == 3:                                   # frames, of which a step may have several with a mask for each
        ids = np.pad(ids, ((0, more), (0, 0), (0, 0)))
        mask = np.pad(mask, ((0, more), *[(0, 0)] * (mask.ndim - 1)))
        real = mask[:, :, None] if mask.ndim == 2 else np.repeat(mask, ids.shape[2] // mask.shape[2], axis=2)
        return np.where(real, ids, 1e3), mask
    ids = np.concatenate([ids, np.zeros((more, N), int)])
    mask = np.concatenate([mask, np.zeros((more, N), bool)])
    junk = np.random.default_rng(9).integers(0, V, ids.shape)
    return np.where(mask, ids, junk), mask


@configs
def test_padding_changes_nothing(c):
    case = Case(c)
    b, S = case.batch, len(case.batch.inputs)
    L, logits, grads = case.run()
    for more in (0, 2):
        source, source_mask = pad(b.source, b.source_mask, more, c.source_vocab)
        inputs, _ = pad(b.inputs, steps(b), more, c.target_vocab)
        targets, target_mask = pad(b.targets, b.target_mask, more, c.target_vocab)
        L2, logits2, grads2 = case.run(batch=Batch(source, source_mask, inputs, targets, target_mask))
        close((L2, logits2[:S][steps(b)], grads2), (L, logits[steps(b)], grads))


def take(case, n):
    """The examples `n` of a batch with their dropout masks."""
    return dict(batch=tree.map(lambda a: a[:, n], case.batch), drops=tree.map(lambda m: m[n], case.drops))


@configs
def test_the_order_of_a_batch_does_not_matter(c):
    case, order = Case(c), [2, 0, 1]
    L, logits, grads = case.run()
    close(case.run(**take(case, order)), (L, logits[:, order], grads))


@configs
def test_an_example_alone_is_as_in_the_batch(c):
    case = Case(c)
    L, logits, grads = case.run()
    counted = case.batch.target_mask.sum(axis=(0, *range(2, case.batch.target_mask.ndim)))      # tokens, or frames
    sum_L, sum_grads = 0, None
    for n in range(N):
        alone = take(case, [n])
        b, T, S = alone["batch"], case.batch.source_mask[:, n].sum(), steps(case.batch)[:, n].sum()
        alone["batch"] = Batch(*(a[:T] for a in b[:2]), *(a[:S] for a in b[2:]))
        L_n, logits_n, grads_n = case.run(**alone)
        close(logits_n[:, 0], logits[:S, n])
        share = counted[n] / counted.sum()             # the loss is a mean over tokens or frames, not over examples
        sum_L += share * L_n
        sum_grads = tree.add(sum_grads, tree.map(lambda g: share * g, grads_n))
    close((sum_L, sum_grads), (L, grads))


@configs
def test_one_token_in_one_example(c):
    case = Case(c)
    source = np.array([[5]]) if c.source == "tokens" else np.linspace(-1, 1, c.step_size)[None, None]
    target = np.array([[1]]), np.array([[2]]), np.array([[True]])
    if c.target == "frames":
        target = target_frames([np.full((1, c.target_frame_size), 0.3)], c.frames_per_step, "float64")
    one = Batch(source, np.array([[True]]), *target)
    drops = tree.map(lambda m: m[:1], case.drops)
    L, logits, k = case.forward(batch=one, drops=drops)
    close(logits[:, 0], scalar_model.model(case.p, c, one, 0, drops=drops))
    close(L, scalar_model.loss(c, logits.tolist(), one))
    assert form(seq2seq.backward(case.p, c, k)) == form(case.p)


# Other ways to run it ------------------------------------------------------------------------------------

@configs
def test_free_running(c):
    """Against the oracle, and equal to teacher forcing with the model's own tokens: loss and gradients."""
    case = Case(c)
    teacher = np.zeros(case.batch.inputs.shape[:2], bool)
    teacher[1, 1] = True
    L, logits, k = case.forward(teacher=teacher)
    want = [scalar_model.model(case.p, c, case.batch, n, teacher, case.drops) for n in range(N)]
    close(logits, np.array(want).swapaxes(0, 1))
    by_hand = case.batch._replace(inputs=k.decoder.ids)
    close(case.run(batch=by_hand), (L, logits, seq2seq.backward(case.p, c, k)))


@pytest.mark.parametrize("c", CONFIGS.values(), ids=CONFIGS)
def test_one_hot_targets_are_the_same(c):
    case = Case(c)
    one_hot = np.eye(c.target_vocab)[case.batch.targets]
    close(case.run(batch=case.batch._replace(targets=one_hot)), case.run(), 1e-14)


@configs
def test_float32_stays_float32_and_close(c):
    case = Case(c)
    L, logits, grads = case.run()
    case.c = replace(c, dtype="float32")
    p, drops = tree.map(lambda a: a.astype(np.float32), (case.p, case.drops))
    single = tree.map(lambda a: a.astype(np.float32) if a.dtype.kind == "f" else a, case.batch)
    L32, logits32, grads32 = case.run(p=p, drops=drops, batch=single)
    assert {a.dtype for _, a in tree.named((logits32, *grads32))} == {np.dtype(np.float32)}
    close((L32, logits32, grads32), (L, logits, grads), 1e-4)


# First parameters and dropout masks ----------------------------------------------------------------------

@configs
def test_first_parameters(c):
    p = seq2seq.init(c, seed=3)
    same(seq2seq.init(c, seed=3), p)
    arrays, others = dict(tree.named(p)), dict(tree.named(seq2seq.init(c, seed=4)))
    assert {a.dtype for a in arrays.values()} == {np.dtype(c.dtype)}
    weights = [name for name in arrays if name.split(".")[-1] not in ("b", "b_U")]
    assert all((others[name] != arrays[name]).any() for name in weights)
    assert (p.decoder.layers is None) == c.tied_cells
    assert (p.decoder.readout.W is None) == c.tied_embedding
    assert (p.bridge is not None) == (c.bridge == "dense")
    assert (p.decoder.score is not None) == (c.context == "attention")
    single = seq2seq.init(replace(c, dtype="float32"))
    assert {a.dtype for _, a in tree.named(single)} == {np.dtype("float32")}


def test_the_additive_scores_hidden_layer_has_the_size_asked_for():
    assert seq2seq.init(CONFIGS["additive-size"]).decoder.score.v.shape == (9,)
    assert seq2seq.init(CONFIGS["additive-after"]).decoder.score.v.shape == (2,)       # None: `hidden`


@pytest.mark.parametrize("name", ["dropout", "dropout-readout", "dropout-tied", "everything"])
def test_dropout_masks(name):
    c = CONFIGS[name]
    rng = np.random.default_rng
    drops = dropout_masks.draw(rng(5), c, 40)
    same(dropout_masks.draw(rng(5), c, 40), drops)
    assert [m.shape for m in drops.encoder] == [(40, c.embedding)] + [(40, c.encoder_size)] * (c.layers - 1)
    assert [m.shape for m in drops.decoder] == [(40, c.decoder_input_size)] + [(40, 2)] * (c.layers - 1)
    assert drops.output.shape == (40, c.readout_size)
    for _, m in tree.named(drops):
        assert set(np.unique(m)) == {0, 1 / (1 - c.dropout)}
    assert {m.dtype for _, m in tree.named(dropout_masks.draw(rng(5), replace(c, dtype="float32"), 2))} == {
        np.dtype("float32")}


def test_no_dropout_draws_nothing():
    assert dropout_masks.draw(None, CONFIGS["general-after"], N) is None


# Ties ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", [name for name, c in CONFIGS.items() if c.tied_cells or c.tied_embedding])
def test_the_gradient_of_a_shared_weight_is_the_sum_of_its_uses(name):
    tied = Case(CONFIGS[name])
    L, logits, g = tied.run()
    free = Case(replace(tied.c, tied_cells=False, tied_embedding=False))
    free.batch, free.drops, p, dec = tied.batch, tied.drops, tied.p, tied.p.decoder
    if tied.c.tied_cells:
        dec = dec._replace(layers=p.encoder.layers)
    if tied.c.tied_embedding:
        dec = dec._replace(readout=dec.readout._replace(W=dec.embedding.T))
    L2, logits2, g2 = free.run(p=p._replace(decoder=dec))
    close((L2, logits2), (L, logits))
    layers, embedding = g2.encoder.layers, g2.decoder.embedding
    if tied.c.tied_cells:
        layers = tree.map(np.add, layers, g2.decoder.layers)
    if tied.c.tied_embedding:
        embedding = embedding + g2.decoder.readout.W.T
    close(g.encoder, g2.encoder._replace(layers=layers))
    close(g.decoder.embedding, embedding)
    close(g.decoder.readout.b, g2.decoder.readout.b)


# What the encoder hands over -----------------------------------------------------------------------------

def test_an_lstms_cell_state_reaches_the_decoder():
    """Mistake 32: h handed over, c forgotten.  Here h_0 is cut off, so only c_0 can carry a gradient."""
    c = config(cell="lstm", attention="none")
    case = Case(c)
    H = c.hidden
    U = np.zeros_like(case.p.decoder.layers[0].U)                  # the decoder's gates do not read h_0
    layer = case.p.decoder.layers[0]._replace(U=U)
    p = case.p._replace(decoder=case.p.decoder._replace(layers=(layer,)))
    assert np.abs(case.run(p=p)[2].encoder.layers[0].W[:, H:2 * H]).max() > 1e-3


def test_a_reversed_source_is_the_plain_model_on_sources_turned_around():
    case = Case(CONFIGS["reverse"])
    plain = replace(case.c, reverse_source=False)
    b = make_batch([[4, 5, 6], [6, 4]], [[4], [5, 6]], reverse_source=True)
    np.testing.assert_array_equal(b.source, [[6, 4], [5, 6], [4, 0]])
    turned = make_batch([[6, 5, 4], [4, 6]], [[4], [5, 6]])
    L, logits, _ = case.forward(batch=b)
    L2, logits2, _ = seq2seq.forward(case.p, plain, turned)
    same((L, logits), (L2, logits2))


def test_a_model_without_vocabulary_sizes_is_refused():
    with pytest.raises(ValueError, match="^source_vocab and target_vocab: the Config must name both"):
        seq2seq.init(replace(CONFIGS["dense"], target_vocab=None))
