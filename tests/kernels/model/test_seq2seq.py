"""The compiled decoder, loss, optimizers and embedding, and the whole compiled model, against the NumPy path."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from configs import CONFIGS
from draw import form, normal, same
from kernel_layers import BOUND, close, guarded, unchanged
from kernel_models import LENGTHS, Case, in_one
from minis2s.core import tree
from minis2s.kernels.backend import NUMBA
from minis2s.kernels.layers import embedding as embedding_kernels, loss as loss_kernels
from minis2s.kernels.model import decoder as decoder_kernels, seq2seq as seq2seq_kernels
from minis2s.kernels.runtime import jit
from minis2s.kernels.training import optimizers as optim_kernels, update as train_kernels
from minis2s.layers import embedding, loss
from minis2s.model import decoder, seq2seq
from minis2s.training import loop, optimizers, update
from minis2s.training.reference import NUMPY

# compiled: one Config for every piece; as plain Python: all of them
COMPILED = ("every-step-sigmoid", "feeding-lstm-none", "dropout-readout", "two-ways-additive",
            "concat-dot-before",
            "everything")
NAMES = COMPILED if jit.JIT else tuple(CONFIGS)
FREE = ("two-ways-additive", "everything") if jit.JIT else NAMES


@pytest.mark.parametrize("name, free", [(name, False) for name in NAMES] + [(name, True) for name in FREE])
def test_the_whole_model(name, free):
    """float64; fed its own tokens too: near ties of two tokens would show as different ids."""
    case = Case(name, "float64")
    with unchanged(case.p, case.drops, case.batch):
        got, want = case.run("numba", free), case.run("numpy", free)
    np.testing.assert_array_equal(got[0], want[0])
    close(got[1:], want[1:], "float64")


@pytest.mark.parametrize("name",
                         ["two-ways-additive"] if jit.JIT else ["two-ways-additive", "tanh-state-before"])
def test_the_whole_model_in_float32(name):
    case = Case(name, "float32", hidden=37, embedding=19)
    close(case.run("numba")[1:], case.run("numpy")[1:], "float32")


@pytest.mark.parametrize("name, free", [(name, False) for name in NAMES] + [(name, True) for name in FREE])
def test_loss_and_gradient_in_one(name, free):
    """The readout and its loss together, (S4) (S5) (S5*) (S4*), say what they say apart."""
    case = Case(name, "float64")
    with unchanged(case.p, case.drops, case.batch):
        got, want = (in_one(case, implementation, free) for implementation in (seq2seq_kernels, seq2seq))
    assert form(got) == form(want)
    close(got, want, "float64")
    close(in_one(case, seq2seq_kernels, free), case.run("numba", free)[1::2], "float64")


@pytest.mark.parametrize("name, free", [(name, False) for name in NAMES] + [(name, True) for name in FREE])
def test_logits_alone(name, free):
    """What validation asks for, in one call."""
    case = Case(name, "float64")
    given = case.p, case.config, case.batch, case.coins if free else None
    close(seq2seq_kernels.logits(*given), seq2seq.logits(*given), "float64")


@pytest.mark.parametrize("name", FREE)
def test_logits_with_targets_and_with_own_tokens_fed(name):
    """What validation asks for: both in one call, in which a source is read once for its two rows."""
    case = Case(name, "float64")
    with unchanged(case.p, case.batch):
        got, want = (b.forced_and_free(case.p, case.config, case.batch) for b in (NUMBA, NUMPY))
    assert not np.array_equal(*want)
    close(got, want, "float64")


@pytest.mark.parametrize("size, score",
                         [(12, "W_s"), (12, "W_h"), (40, "W_s"), (40, "W_h"), (400, "W_s"), (400, "W_h")])
def test_additive_scores_within_reach_and_out_of_reach(size, score):
    """(AB2) (AB3) e^{2q} e^{2k} of great queries or keys would overflow; a score is right on either way."""
    for dtype in ("float64", "float32"):
        case = Case("two-ways-additive", dtype)
        d, W = case.p.decoder, getattr(case.p.decoder.score, score)
        W = W * W.dtype.type(size / np.abs(W).max())
        p = case.p._replace(decoder=d._replace(score=d.score._replace(**{score: W})))
        turned = type(case.batch)(*(a[:, ::-1] for a in case.batch))          # the first source is not the longest
        with np.errstate(all="ignore"):
            got, want = (b.logits(p, case.config, turned) for b in (NUMBA, NUMPY))
        close((got,), (want,), dtype)


def test_a_shared_embedding_of_an_encoder_that_reads_both_ways():
    """Put together part by part, with the two uses of the weight summed."""
    name = "two-ways-additive"
    case = Case(name, "float64", tied_embedding=True, embedding=CONFIGS[name].readout_size)
    close(in_one(case, seq2seq_kernels), in_one(case, seq2seq), "float64")


def test_loss_and_gradient_of_one_hot_targets_and_in_float32():
    for name, dtype in (("everything", "float64"), ("two-ways-additive", "float32")):
        case = Case(name, dtype, hidden=37, embedding=19)
        wants = in_one(case, seq2seq), in_one(case, seq2seq, one_hot=True)
        for one_hot, want in enumerate(wants):
            close(in_one(case, seq2seq_kernels, one_hot=one_hot), want, dtype)


@pytest.mark.parametrize("dtype", ["int32", "uint8"])
def test_ids_of_any_whole_type(dtype):
    case = Case("two-ways-additive", "float64")
    want, b = in_one(case, seq2seq_kernels), case.batch
    case.batch = b._replace(**{name: getattr(b, name).astype(dtype) for name in ("source", "inputs", "targets")})
    close(in_one(case, seq2seq_kernels), want, "float64")


def test_loss_and_gradient_ask_as_the_page_does():
    case = Case("two-ways-additive", "float64")
    for wrong in (dict(targets=case.batch.targets + 99), dict(inputs=-case.batch.inputs),
                  dict(target_mask=case.batch.target_mask[::-1]), dict(source=-case.batch.source)):
        said = []
        for implementation in (seq2seq, seq2seq_kernels):
            with pytest.raises(ValueError) as e:
                implementation.loss_and_gradient(case.p, case.config, case.batch._replace(**wrong))
            said.append(str(e.value))
        assert said[0] == said[1] and next(iter(wrong)) in said[0]


@pytest.mark.parametrize("which", ["loss_and_gradient", "loss_and_update"])
def test_targets_that_are_no_array(which):
    case, said = Case("concat-dot-before", "float64"), []
    given = case.p, case.config, case.batch._replace(targets=case.batch.targets.tolist()), None, None
    for implementation in (seq2seq, seq2seq_kernels) if which == "loss_and_gradient" else (update, train_kernels):
        rest = () if which == "loss_and_gradient" else (optimizers.start(case.p), "adam", 0.1)
        with pytest.raises(TypeError, match="targets: got list, wanted an array") as e:
            getattr(implementation, which)(*given, *rest)
        said.append(str(e.value))
    assert said[0] == said[1]


MANY = (3, 1, 2) * 44, (9, 1, 5) * 44              # 132 rows, 10 steps: three are a block, and one is left


@pytest.mark.parametrize("name", COMPILED)
def test_several_blocks_of_steps(name):
    case = Case(name, "float64", lengths=MANY)
    got, want = (in_one(case, implementation) for implementation in (seq2seq_kernels, seq2seq))
    close(got, want, "float64")
    if jit.JIT:
        close(case.run("numba")[1:], case.run("numpy")[1:], "float64")


@pytest.mark.parametrize("name", ["two-ways-additive", "everything"])
def test_any_number_of_threads_gives_the_same_loss_and_gradient(name, use):
    """Columns are cut at multiples of 64, in the midst of gates."""
    # weights as small as layers of this width have: larger ones magnify what is rounded
    case, results = Case(name, "float64", spread=0.15, hidden=42, embedding=19,
                         lengths=MANY if jit.JIT else LENGTHS), []
    for count in (1, 2, 3):
        use(count)
        results.append(in_one(case, seq2seq_kernels))
    for other in results[1:]:
        if jit.JIT:                                            # else BLAS does as it likes
            same(other, results[0])
        close(other, results[0], "float64")
    close(results[0], in_one(case, seq2seq), "float64")


def test_large_scores():
    """Only the greatest score is a safe shift."""
    case = Case("dropout-readout", "float64")
    score = case.p.decoder.score
    case.p = case.p._replace(decoder=case.p.decoder._replace(score=score._replace(W=1e4 * score.W)))
    got, want = case.run("numba"), case.run("numpy")
    assert np.isfinite(want[2]).all()
    close(got[1:3], want[1:3], "float64")


def test_attention_weights():
    case = Case("two-ways-additive", "float64")
    alphas = []
    for backend, implementation in ((NUMPY, decoder), (NUMBA, decoder_kernels)):
        k = backend.forward(case.p, case.config, case.batch)[2].decoder
        alphas.append(implementation.alphas(k))
    np.testing.assert_allclose(alphas[1], alphas[0], rtol=0, atol=1e-13)
    k = NUMBA.forward(Case("every-step-sigmoid", "float64").p, CONFIGS["every-step-sigmoid"], case.batch)[2].decoder
    assert decoder_kernels.alphas(k) is None


@pytest.mark.skipif(not jit.JIT, reason="BLAS does as it likes")
def test_any_number_of_threads_trains_to_the_same_bits(use):
    case, results = Case("two-ways-additive", "float64"), []
    training = loop.Training(epochs=1)
    for count in (1, 2, 3):
        use(count)
        progress = loop.begin(case.config, training)
        for _ in range(3):
            progress = loop.one_step(case.config, training, progress, case.batch, 1e-2, NUMBA)
        results.append(progress.params)
    same(results[1], results[0])
    same(results[2], results[0])


# Loss, optimizers, embedding ------------------------------------------------------------------------------

@given(V=st.integers(5, 70), eps=st.sampled_from([0.0, 0.2]), seed=st.integers(0, 99),
       dtype=st.sampled_from(list(BOUND)))
def test_loss(V, eps, seed, dtype):
    rng = np.random.default_rng(seed)
    logits, targets = (20 * rng.normal(size=(4, 3, V))).astype(dtype), rng.integers(0, V, (4, 3))
    mask = np.arange(4)[:, None] < rng.integers(1, 5, 3)
    (L, k), (L_want, k_want) = (implementation.forward(logits, targets, mask, eps)
                                for implementation in (loss_kernels, loss))
    close((np.asarray([L], dtype), k.log_p, loss_kernels.backward(k)),
          (np.asarray([L_want], dtype), k_want.log_p, loss.backward(k_want)), dtype)


@pytest.mark.parametrize("V", [5, 16, 40])
@pytest.mark.parametrize("size", [1e3, -1e3])
def test_loss_of_large_logits(V, size):
    """Only the greatest logit is a safe shift: the last one as well as the first."""
    for v in (0, V - 1):
        logits, targets, mask = np.full((2, 3, V), size), np.zeros((2, 3), int), np.ones((2, 3), bool)
        logits[:, :, v] += 800
        (L, k), (L_want, k_want) = (implementation.forward(logits, targets, mask, 0.1)
                                    for implementation in (loss_kernels, loss))
        close((np.asarray([L]), k.log_p, loss_kernels.backward(k)),
              (np.asarray([L_want]), k_want.log_p, loss.backward(k_want)), "float64")


def test_loss_of_one_hot_targets_and_of_nan():
    rng = np.random.default_rng(0)
    logits, mask, ids = rng.normal(size=(2, 3, 20)), np.ones((2, 3), bool), rng.integers(0, 20, (2, 3))
    L, k = loss_kernels.forward(logits, np.eye(20)[ids], mask)
    L_want, k_want = loss_kernels.forward(logits, ids, mask)
    np.testing.assert_allclose(L, L_want)
    np.testing.assert_allclose(loss_kernels.backward(k), loss_kernels.backward(k_want), atol=1e-15)
    logits[1, 2, 17] = np.nan
    L, k = loss_kernels.forward(logits, ids, mask)
    assert np.isnan(L) and np.isnan(k.log_p[1, 2]).all() and np.isfinite(k.log_p[0]).all()


@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("name, extra", [("sgd", {}), ("sgd", dict(momentum=0.9)), ("rmsprop", {}), ("adam",
                                                                                                     {})])
def test_optimizers(name, extra, dtype):
    rng = np.random.default_rng(0)
    p = tuple(normal(rng, *shape).astype(dtype) for shape in ((3, 5), (17,), (4, 33)))
    states, ps = [optimizers.start(p)] * 2, [p, p]
    for _ in range(3):
        g = guarded(tuple(normal(rng, *a.shape).astype(dtype) for a in p))
        for i, implementation in enumerate((optimizers, optim_kernels)):
            clipped, size = implementation.clip_by_norm(g, 0.7)
            assert abs(size - optimizers.norm(g)) < 1e-12 * size
            ps[i], states[i] = implementation.OPTIMIZERS[name](guarded(ps[i]), clipped, states[i], 0.1, **extra)
        close((ps[1], states[1].m, states[1].v), (ps[0], states[0].m, states[0].v), dtype)
        assert states[0].t == states[1].t


def drawn(rng, dtype="float64"):
    """A tree with short arrays, long ones, one of three blocks, and one that is missing."""
    shapes = (3, 5), (17,), (40, 9), (2, 3), (1,), (70, 130)
    return *(normal(rng, *shape).astype(dtype) for shape in shapes), None


@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("name, limit, value", [("sgd", 0.7, None), ("sgd", None, None),
                                                ("rmsprop", 0.7, None),
                                                ("adam", 0.7, None), ("adam", 1e9, 0.1), ("adam", 0.7, 0.1)])
def test_a_step_of_the_optimizer(name, limit, value, dtype):
    """Parameters packed already, not packed, and others than the last ones."""
    rng = np.random.default_rng(0)
    p = drawn(rng, dtype)
    states, ps = [optimizers.start(p)] * 2, [p, p]
    for k in range(3):
        g = guarded(drawn(rng, dtype))
        if k == 1:
            ps = [tree.map(lambda a: a + 1, p) for p in ps]
        sizes = [None, None]
        for i, implementation in enumerate((optimizers, optim_kernels)):
            ps[i], states[i], sizes[i], finite = implementation.step(ps[i], g, states[i], name, 0.1, limit, value)
            assert finite
        assert sizes[1] == pytest.approx(sizes[0], rel=1e-12)
        close((ps[1], states[1].m, states[1].v), (ps[0], states[0].m, states[0].v), dtype)
        assert states[0].t == states[1].t


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_any_number_of_threads_makes_the_same_step(name, use):
    """Blocks do not depend on who does them: not the sum of squares, and not what comes of it."""
    p, g = (drawn(np.random.default_rng(k)) for k in range(2))
    results = []
    for count in (1, 2, 3):
        use(count)
        new, s, size, finite = optim_kernels.step(p, g, optimizers.start(p), name, 0.1, 0.7)
        assert finite
        results.append((np.asarray(size), new, s.m, s.v))
    same(results[1], results[0])
    same(results[2], results[0])


def test_a_step_changes_nothing_that_was():
    rng = np.random.default_rng(0)
    p, g = drawn(rng), drawn(rng)
    p, s = optim_kernels.step(p, g, optimizers.start(p), "adam", 0.1, 0.7)[:2]
    before = tree.map(np.array, (p, s.m, s.v))
    one, two = (optim_kernels.step(p, g, s, "adam", 0.1, 0.7)[:2] for _ in range(2))
    same((p, s.m, s.v), before)
    same((one[0], one[1].m, one[1].v), (two[0], two[1].m, two[1].v))


def test_a_state_of_the_twin_goes_on_in_numpy_and_back():
    rng = np.random.default_rng(0)
    p = drawn(rng)
    ps, states = [p, p], [optimizers.start(p)] * 2
    for k in range(4):
        g = drawn(rng)
        for i, implementation in enumerate((optimizers, (optimizers, optim_kernels)[k % 2])):
            ps[i], states[i] = implementation.step(ps[i], g, states[i], "adam", 0.1, 0.7)[:2]
    close((ps[1], states[1].m, states[1].v), (ps[0], states[0].m, states[0].v), "float64")


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
@pytest.mark.parametrize("array, entry", [(2, 0), (2, 16), (2, 39), (2, 359), (5, 4095), (5, 4096),
                                          (5, 9099)])
def test_the_twin_sees_every_weight_that_is_not_finite(name, array, entry):
    p, g = (drawn(np.random.default_rng(k)) for k in range(2))
    for bad in (np.nan, np.inf, -np.inf):
        broken = tree.map(np.array, p)
        broken[array].flat[entry] = bad
        with np.errstate(invalid="ignore"):
            assert not optim_kernels.step(broken, g, optimizers.start(p), name, 0.1)[3]
    assert optim_kernels.step(p, g, optimizers.start(p), name, 0.1)[3]


def stepped(implementation, case, name, limit, value, extra):
    """Three training steps: -> losses and norms, parameters, moments."""
    numbers, p, s = [], case.p, optimizers.start(case.p)
    for _ in range(3):
        L, p, s, size, finite = implementation.loss_and_update(
            p, case.config, case.batch, case.coins, case.drops, s, name, 0.01, limit, value, **extra)
        numbers += [L, size]
        assert finite
    assert s.t == 3
    return np.asarray(numbers, case.config.dtype), p, s.m, s.v


@pytest.mark.parametrize("config, name, limit, value, extra", [
    ("feeding-lstm-none", "adam", 0.3, None, {}), ("dropout-readout", "sgd", None, None, dict(momentum=0.9)),
    ("dropout-readout", "sgd", 0.3, None, {}), ("concat-dot-before", "rmsprop", 1e9, None, {}),
    ("concat-dot-before", "rmsprop", 0.3, 0.01, {}), ("everything", "adam", 0.3, None, {}),
    ("two-ways-additive", "adam", 0.3, None, {})])
def test_a_training_step(config, name, limit, value, extra):
    """Those that are one call, and those that are two."""
    case = Case(config, "float64")
    with unchanged(case.p, case.drops, case.batch):
        got, want = (stepped(implementation, case, name, limit, value, extra)
                     for implementation in (train_kernels, update))
    close(got, want, "float64")


@pytest.mark.parametrize("name", ["dropout-readout"] if jit.JIT else ["tied-cells", "tied-embedding", "tied-both"])
def test_a_training_step_of_weights_that_are_shared(name):
    case = Case(name, "float64", **dict(tied_embedding=True, embedding=4) if jit.JIT else {})
    close(*(stepped(implementation, case, "adam", 0.3, None, {}) for implementation in (train_kernels, update)),
          "float64")


@pytest.mark.skipif(not jit.JIT, reason="BLAS does as it likes")
def test_any_number_of_threads_makes_the_same_training_step(use):
    case, results = Case("feeding-lstm-none", "float64", lengths=MANY), []
    for count in (1, 2, 3):
        use(count)
        results.append(stepped(train_kernels, case, "adam", 0.3, None, {}))
    same(results[1], results[0])
    same(results[2], results[0])


def test_embedding():
    rng = np.random.default_rng(0)
    E, ids, dx = normal(rng, 9, 21), rng.integers(0, 9, (5, 4)), normal(rng, 5, 4, 21)
    close((embedding_kernels.backward(E, ids, dx),), (embedding.backward(E, ids, dx),), "float64")
    same((embedding_kernels.forward(E, ids),), (embedding.forward(E, ids),))
