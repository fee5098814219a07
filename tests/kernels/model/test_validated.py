"""What compiled code takes for granted is looked at before: an array that lies in memory otherwise gives the same
numbers, and one that does not fit is an error, never memory that is somebody else's."""
import copy
import dataclasses
import pickle

import numpy as np
import pytest

from configs import CONFIGS
from draw import normal
from kernel_layers import Case as Layer, close
from kernel_models import Case, in_one
from minis2s import decoding
from minis2s.core import tree
from minis2s.kernels.decoding import beam as beam_kernels, hypotheses as hypotheses_kernels
from minis2s.kernels.decoding.sampling import sample
from minis2s.kernels.layers import (
    embedding as embedding_kernels, loss as loss_kernels, readout as readout_kernels, unroll as unroll_kernels
)
from minis2s.kernels.linalg import gradients
from minis2s.kernels.model import decoder as decoder_kernels, seq2seq as seq2seq_kernels
from minis2s.kernels.runtime import jit
from minis2s.kernels.training import optimizers as optim_kernels, update as train_kernels
from minis2s.layers import embedding, linear, unroll
from minis2s.model import parameters, seq2seq
from minis2s.training import optimizers

ONE_CALL, IN_PARTS = "concat-dot-before", "two-ways-additive"


def strided(a):
    """The same numbers, each with others between it and the next."""
    wide = np.full((*a.shape, 3), 77, a.dtype)
    wide[..., 1] = a
    return wide[..., 1]


def backwards(a):
    """The same numbers, the last one first in memory."""
    return a[(slice(None, None, -1),) * a.ndim].copy()[(slice(None, None, -1),) * a.ndim]


LIES = {"Fortran": np.asfortranarray, "strided": strided, "backwards": backwards}
lies = pytest.mark.parametrize("lie", LIES.values(), ids=LIES)


@lies
@pytest.mark.parametrize("name", [ONE_CALL, IN_PARTS])
def test_a_model_whose_arrays_lie_otherwise(name, lie):
    case = Case(name, "float64")
    loss, logits, both = in_one(case, seq2seq), case.run("numpy")[2], case.run("numpy")[1:]
    case.p = tree.map(lie, case.p)
    close(in_one(case, seq2seq_kernels), loss, "float64")
    close(seq2seq_kernels.logits(case.p, case.config, case.batch), logits, "float64")
    close(case.run("numba")[1:], both, "float64")


@lies
def test_searches_with_a_model_whose_arrays_lie_otherwise(lie):
    for name in (ONE_CALL, IN_PARTS):
        case = Case(name, "float64")
        given = case.config, case.batch.source, case.batch.source_mask, 6
        want = [(a.ids, a.log_prob) for best in decoding.beam(case.p, *given, 3) for a in best]
        got = [(a.ids, a.log_prob) for best in beam_kernels.beam(tree.map(lie, case.p), *given, 3) for a in best]
        assert [ids for ids, _ in got] == [ids for ids, _ in want]
        np.testing.assert_allclose([x for _, x in got], [x for _, x in want])
        samples = [sample(p, *given, np.random.default_rng(1)) for p in (case.p, tree.map(lie, case.p))]
        assert [a.ids for best in samples[0] for a in best] == [a.ids for best in samples[1] for a in best]


@lies
@pytest.mark.parametrize("name", ["lstm", "gru-after"])
def test_a_layer_whose_arrays_lie_otherwise(name, lie):
    c = Layer(name, 4, 5, 7, 19, "float64")
    want = c.run(unroll)
    c.p, c.xs, c.s0, c.dhs, c.d, c.mask = tree.map(lie, (c.p, c.xs, c.s0, c.dhs, c.d, c.mask))
    for got, implementation in zip(c.run(unroll_kernels), want):
        close(got, implementation, "float64")


@lies
def test_gradients_that_lie_otherwise(lie):
    rng = np.random.default_rng(0)
    E, ids, dx = normal(rng, 9, 20), rng.integers(0, 9, (3, 4)), normal(rng, 3, 4, 20)
    close(embedding_kernels.backward(lie(E), lie(ids), lie(dx)), embedding.backward(E, ids, dx), "float64")
    np.testing.assert_allclose(gradients.bias_gradient(lie(dx)), dx.sum((0, 1)))
    case = Case(ONE_CALL, "float64")
    k = seq2seq_kernels.forward(case.p, case.config, case.batch)[2]
    dlogits = normal(rng, *case.batch.targets.shape, case.config.target_vocab)
    p = seq2seq.untie(case.p, case.config).decoder
    close(decoder_kernels.backward(p, case.config, k.source, k.decoder, lie(dlogits)),
          decoder_kernels.backward(p, case.config, k.source, k.decoder, dlogits), "float64")


def test_ids_of_the_other_order_of_bytes():
    case = Case(ONE_CALL, "float64")
    want, b = in_one(case, seq2seq_kernels), case.batch
    case.batch = b._replace(**{name: getattr(b, name).astype(">i4") for name in ("source", "inputs", "targets")})
    close(in_one(case, seq2seq_kernels), want, "float64")


# What does not fit ----------------------------------------------------------------------------------------

def doors(case):
    """All that take a whole model's parameters: functions of them and a Config."""
    b = case.batch
    given = b.source, b.source_mask, 4
    return [lambda p, c: seq2seq.forward(p, c, b), lambda p, c: seq2seq_kernels.forward(p, c, b),
            lambda p, c: seq2seq_kernels.loss_and_gradient(p, c, b), lambda p, c: seq2seq_kernels.logits(p, c, b),
            lambda p, c: train_kernels.loss_and_update(p, c, b, None, None, optimizers.start(p), "sgd", 0.1),
            lambda p, c: decoding.greedy(p, c, *given), lambda p, c: beam_kernels.beam(p, c, *given, 2),
            lambda p, c: hypotheses_kernels.start(p, c, *given[:2])]


@pytest.mark.parametrize("name", [ONE_CALL, IN_PARTS])
def test_parameters_of_another_config(name):
    case = Case(name, "float64")
    for other, said in ((dict(source_vocab=2_000_000),
                         r"p: encoder.embedding has shape \(7, 6\), wanted \(2000000, 6\)"),
                        (dict(hidden=5), "p: .* has shape .*, wanted .* of this Config"),
                        (dict(layers=case.config.layers + 1), "p: .* has shape None, wanted")):
        config = dataclasses.replace(case.config, **other, **({"attention_size": None} if "hidden" in other else {}))
        for door in doors(case):
            with pytest.raises(ValueError, match=said):
                door(case.p, config)
    one_more = case.p._replace(bridge=(np.zeros(3), np.zeros(3), np.zeros(3)))
    for door in doors(case):
        with pytest.raises(ValueError, match="p: bridge"):
            door(one_more, case.config)


def test_parameters_of_another_dtype():
    case = Case(ONE_CALL, "float64")
    for dtype in ("float32", ">f8"):
        p = tree.map(lambda a: a.astype(dtype), case.p)
        for door in doors(case)[2:5] + doors(case)[6:]:
            with pytest.raises(TypeError, match="p: encoder.embedding has dtype .*, wanted float64"):
                door(p, case.config)


def test_the_parameters_looked_at_last_are_not_taken_for_others():
    """What was found about them is remembered, for them and their Config alone."""
    case = Case(ONE_CALL, "float64")
    greater = dataclasses.replace(case.config, source_vocab=99)
    first, second = (beam_kernels.beam(tree.map(lambda a: a * scale, case.p), case.config, case.batch.source,
                                       case.batch.source_mask, 4, 2)[0][0].log_prob for scale in (1, 2))
    assert first != second
    for _ in range(2):
        seq2seq_kernels.loss_and_gradient(case.p, case.config, case.batch)
        with pytest.raises(ValueError, match="p: encoder.embedding"):
            seq2seq_kernels.loss_and_gradient(case.p, greater, case.batch)


def test_dropout_masks():
    """Parts may be missing; what is there must fit."""
    case = Case("dropout-readout", "float64")
    d, implementations = case.drops, (seq2seq, seq2seq_kernels)
    for drops in (d, d._replace(encoder=None), d._replace(decoder=None), d._replace(output=None),
                  d._replace(decoder=None, output=None), tree.map(lambda m: m.astype("float32"), d)):
        case.drops = drops
        close(*(in_one(case, implementation) for implementation in reversed(implementations)), "float64")
    N = len(d.output)
    for drops, said in ((d._replace(output=np.ones((N, 1))), r"masks.output: got shape \(7, 1\), wanted \(7, "),
                        (d._replace(decoder=(np.ones((N, 2)),)), r"masks.decoder: got shape \(7, 2\)"),
                        (d._replace(encoder=(np.ones((N + 1, 6)),)),
                         r"masks.encoder: got shape \(8, 6\), wanted \(7, 6\)"),
                        (d._replace(encoder=()), "masks.encoder: 0 masks, wanted one for each of 1 layers"),
                        (d._replace(decoder=d.decoder * 2), "masks.decoder: 2 masks")):
        case.drops = drops
        for implementation in implementations:
            with pytest.raises(ValueError, match=said):
                in_one(case, implementation)


def test_ids_that_are_not_there():
    """-100 under the mask, as other libraries mark what does not count; and ids far beyond the table."""
    rng = np.random.default_rng(0)
    logits, mask, targets = normal(rng, 3, 2, 9), np.ones((3, 2), bool), np.full((3, 2), 4)
    W, E = np.zeros((5, 9)), normal(rng, 9, 6)
    mask[2, 1] = False
    case = Case(ONE_CALL, "float64")
    source, s0, _ = seq2seq.encode(case.p, case.config, case.batch.source, case.batch.source_mask)
    for wrong in (-100, 50_000_000):
        targets[2, 1] = wrong
        with pytest.raises(ValueError, match="targets: got ids from"):
            loss_kernels.forward(logits, targets, mask)
        with pytest.raises(ValueError, match="targets: got ids from"):
            readout_kernels.loss_and_gradient(linear.Params(W, np.zeros(9)), normal(rng, 3, 2, 5), targets, mask)
        with pytest.raises(ValueError, match="ids: got ids from"):
            embedding_kernels.backward(E, targets, normal(rng, 3, 2, 6))
        ids = case.batch.inputs.copy()
        ids[-1, -1] = wrong
        with pytest.raises(ValueError, match="ids: got ids from"):
            decoder_kernels.states(case.p.decoder, case.config, source, s0, ids)


@pytest.mark.skipif(not jit.JIT, reason="plain Python has no arrays of the other order of bytes to fear")
def test_a_layer_of_the_other_order_of_bytes():
    c = Layer("lstm", 4, 5, 7, 19, "float64")
    for p, xs in ((c.p, c.xs.astype(">f8")), (tree.map(lambda a: a.astype(">f8"), c.p), c.xs.astype(">f8"))):
        with pytest.raises(TypeError, match="(xs|p.U): got dtype >f8, wanted float"):
            unroll_kernels.forward(c.cell, p, xs, c.s0, c.mask)


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adam"])
def test_a_gradient_of_other_parameters(name):
    p = np.ones(3), np.ones((2, 2))
    s = optimizers.start(p)
    for g in ((np.ones(3), np.ones((2, 1))), (None, np.ones((2, 2))), (np.ones((2, 2)), np.ones(3)), np.ones(6)):
        for value in (None, 9.0):
            with pytest.raises(ValueError, match="^g: .*, wanted "):
                optim_kernels.step(p, g, s, name, 0.1, value=value)
    for g in ((p[0].astype("float32"), p[1]), tree.map(lambda a: a.astype("float32"), p)):
        close(optim_kernels.step(p, g, s, name, 0.1)[0], optimizers.step(p, p, s, name, 0.1)[0], "float64")
    bare, ones = np.arange(6.0).reshape(2, 3), np.ones((2, 9))[:, ::3]
    close(optim_kernels.step(bare, ones, optimizers.start(bare), name, 0.1)[0],
          optimizers.step(bare, ones, optimizers.start(bare), name, 0.1)[0], "float64")
    hollow = (), np.ones(3)
    for optimizer in (optimizers, optim_kernels):
        p, s = hollow, optimizers.start(hollow)
        for _ in range(2):
            p, s, *_ = optimizer.step(p, hollow, s, name, 0.1)
        assert p[0] == () and (p[1] < 1).all()
    p = np.ones(3), np.ones((2, 2))
    s = optimizers.start(p)
    with pytest.raises(ValueError, match="s.m: 3 numbers, wanted one for each of 7 parameters"):
        optim_kernels.step(p, p, s._replace(m=p[0], v=p), name, 0.1)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda a: pickle.loads(pickle.dumps(a))])
def test_copies_of_gradients_and_of_states_are_their_own(copied):
    """They know a flat array of the original's numbers, too."""
    case = Case(ONE_CALL, "float64")
    g = seq2seq_kernels.loss_and_gradient(case.p, case.config, case.batch)[1]
    p, s, *_ = optim_kernels.step(case.p, g, optimizers.start(case.p), "adam", 0.1)
    other, (p, s) = copied(g), copied((p, s))
    for a in tree.leaves(other) + tree.leaves(p):
        a *= 2
    assert optim_kernels.norm(other) == pytest.approx(2 * optimizers.norm(g))
    close(seq2seq.Params(*optim_kernels.step(p, g, s, "adam", 0.1)[0]),
          seq2seq.Params(*optimizers.step(p, g, optimizers.State(s.t, s.m, s.v), "adam", 0.1)[0]), "float64")


def test_a_state_belongs_to_the_very_parameters_of_its_step():
    """Others are packed anew, also where their first array is the same."""
    case = Case(ONE_CALL, "float64")
    g = seq2seq_kernels.loss_and_gradient(case.p, case.config, case.batch)[1]
    p, s, *_ = optim_kernels.step(case.p, g, optimizers.start(case.p), "adam", 0.1)
    arrays = dict(tree.named(p))
    last = list(arrays)[-1]
    other = tree.replace(p, {**arrays, last: arrays[last] + 1})
    close(seq2seq.Params(*optim_kernels.step(other, g, s, "adam", 0.1)[0]),
          seq2seq.Params(*optimizers.step(other, g, optimizers.State(s.t, s.m, s.v), "adam", 0.1)[0]), "float64")


def test_parts_that_do_not_fit():
    """At the doors of what a model is put together of."""
    case, rng = Case(ONE_CALL, "float64"), np.random.default_rng(0)
    E, ids = normal(rng, 9, 20), np.zeros((3, 4), int)
    with pytest.raises(ValueError, match=r"dx: got shape \(3, 4, 5\), wanted \(3, 4, 20\)"):
        embedding_kernels.backward(E, ids, normal(rng, 3, 4, 5))
    assert not embedding_kernels.backward(E, ids[:0], normal(rng, 0, 4, 20)).any()
    rs, targets, mask = normal(rng, 3, 4, 5), np.zeros((3, 4), int), np.ones((3, 4), bool)
    for W, b, m in ((np.ones((50, 9)), np.ones(9), mask), (np.ones((5, 9)), np.ones(90), mask),
                    (np.ones((5, 9)), np.ones(9), mask[:2])):
        with pytest.raises(ValueError, match=r"(p.W|p.b|mask): got shape .*, wanted \("):
            readout_kernels.loss_and_gradient(linear.Params(W, b), rs, targets, m)
    b = case.batch
    source, s0, _ = seq2seq.encode(case.p, case.config, b.source, b.source_mask)
    p = seq2seq.untie(case.p, case.config).decoder
    with pytest.raises(ValueError, match="teacher_mask: got shape"):
        decoder_kernels.states(p, case.config, source, s0, b.inputs, np.zeros((len(b.inputs), 1), bool))
    few = source._replace(memory=tree.map(lambda a: a[:, :2], source.memory))
    with pytest.raises(ValueError, match="source.memory.hs: got shape .*, wanted"):
        decoder_kernels.states(p, case.config, few, s0, b.inputs)
    k = decoder_kernels.forward(p, case.config, source, s0, b.inputs)[1]
    with pytest.raises(ValueError, match="dlogits: got shape"):
        decoder_kernels.backward(p, case.config, source, k, np.ones((*b.inputs.shape, 3)))


@pytest.mark.parametrize("lie", [np.array, *LIES.values()], ids=["as made", *LIES])
def test_parameters_that_are_changed_where_they_are(lie):
    """Nothing of them is remembered but that they fit."""
    case = Case(ONE_CALL, "float64")
    case.p = tree.map(lambda a: lie(np.array(a)), case.p)
    for _ in range(2):
        close(in_one(case, seq2seq_kernels), in_one(case, seq2seq), "float64")
        for a in tree.leaves(case.p):
            a *= 1.5


def test_a_step_of_another_config_than_the_last():
    case = Case(ONE_CALL, "float64")
    p, s = case.p, optimizers.start(case.p)
    for _ in range(2):
        _, p, s, *_ = train_kernels.loss_and_update(p, case.config, case.batch, None, None, s, "adam", 0.1)
    with pytest.raises(ValueError, match="p: encoder.embedding has shape"):
        train_kernels.loss_and_update(p, dataclasses.replace(case.config, source_vocab=99), case.batch, None, None, s,
                                      "adam", 0.1)


@pytest.mark.parametrize("name", [ONE_CALL, IN_PARTS, "everything", "dropout-readout"])
def test_the_shapes_of_a_model_that_nobody_made(name):
    p = seq2seq.init(CONFIGS[name])
    assert parameters.shapes(CONFIGS[name]) == {part: a.shape for part, a in tree.named(p)}


# Searches -------------------------------------------------------------------------------------------------

def test_a_beam_that_no_memory_holds():
    case = Case(ONE_CALL, "float64")
    for width in (10**9, 2**61, 10**30):
        with pytest.raises(ValueError, match=f"width: {width} hypotheses of 4 tokens for 7 sources are too many"):
            beam_kernels.beam(case.p, case.config, case.batch.source, case.batch.source_mask, 4, width)


def test_no_token_may_come_next():
    """All but PAD, which no answer holds, have probability 0."""
    case = Case(ONE_CALL, "float64")
    p = tree.map(np.copy, case.p)
    p.decoder.readout.b[1:] = -np.inf
    given, rng = (p, case.config, case.batch.source, case.batch.source_mask, 4), np.random.default_rng(0)
    for find in (lambda: decoding.greedy(*given), lambda: decoding.beam(*given, 2),
                 lambda: decoding.sample(*given, rng), lambda: beam_kernels.beam(*given, 2),
                 lambda: beam_kernels.beam(*given, 1), lambda: sample(*given, rng)):
        with pytest.raises(ValueError, match="p: the model has probability 0 for all tokens that may come next"):
            find()


def test_no_power_of_a_length_is_too_large():
    case = Case(ONE_CALL, "float64")
    for find in (decoding.beam, beam_kernels.beam):
        with pytest.raises(ValueError, match="length_penalty: got 1e.308, wanted a number, 0 or more, with which 4"):
            find(case.p, case.config, case.batch.source, case.batch.source_mask, 4, 2, 1e308)


def test_the_configs_here_go_both_ways():
    assert seq2seq_kernels.is_one_call(CONFIGS[ONE_CALL], Case(ONE_CALL, "float64").batch)
    assert not seq2seq_kernels.is_one_call(CONFIGS[IN_PARTS], Case(IN_PARTS, "float64").batch)
