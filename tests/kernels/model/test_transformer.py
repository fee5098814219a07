"""The compiled Transformer against the reference implementation: every field of its Cache, and every gradient."""
import re

import numpy as np
import pytest

from configs import TRANSFORMERS
from draw import form, normal, same
from kernel_layers import close, unchanged
from kernel_transformers import Case
from minis2s.core import tree
from minis2s.kernels.model import architectures as compiled_models, transformer as compiled, transformer_buffers
from minis2s.kernels.runtime import jit
from minis2s.kernels.training import update as compiled_update
from minis2s.model import architectures, transformer
from minis2s.training import optimizers, update

# compiled: one Config for each place of the norm; as plain Python: all of them
NAMES = ("dropout-pre", "everything") if jit.JIT else tuple(TRANSFORMERS)
names = pytest.mark.parametrize("name", NAMES)
both_norms = pytest.mark.parametrize("name", ["dropout-pre", "everything"])


def close_caches(got, want, dtype):
    """Also the ids, masks and what else is no floating-point number."""
    assert [name for name, _ in tree.named(got)] == [name for name, _ in tree.named(want)]
    for (name, a), (_, b) in zip(tree.named(got), tree.named(want)):
        if np.asarray(b).dtype.kind == "f":
            close((np.asarray(a),), (np.asarray(b),), dtype if np.ndim(b) else "float64")
        else:
            np.testing.assert_array_equal(a, b, name)


@names
@pytest.mark.parametrize("free", [False, True])
def test_forward_and_backward_field_by_field(name, free):
    """With teacher forcing, and fed its own tokens too."""
    case = Case(name, "float64")
    with unchanged(case.p, case.masks, case.batch):
        (*got, k, g), (*want, k_want, g_want) = case.run("numba", free), case.run("numpy", free)
    close(tuple(got), tuple(want), "float64")
    close_caches(k, k_want, "float64")
    assert form(g) == form(g_want)
    close(g, g_want, "float64")


@names
def test_loss_and_gradient_in_one_call(name):
    case = Case(name, "float64")
    with unchanged(case.p, case.masks, case.batch):
        got = case.in_one("numba")
    assert form(got) == form(case.in_one("numpy"))
    close(got, case.in_one("numpy"), "float64")
    close(case.in_one("numba", free=True), case.in_one("numpy", free=True), "float64")


def test_in_float32():
    # larger weights magnify what is rounded
    case = Case("everything", "float32", spread=0.2, hidden=36, feed_forward=37)
    (*got, k, g), (*want, k_want, g_want) = case.run("numba"), case.run("numpy")
    close((*got, g), (*want, g_want), "float32")
    close_caches(k, k_want, "float32")
    close(case.in_one("numba"), case.in_one("numpy"), "float32")


# compiled: more rows than a block has, more keys than two vectors; as plain Python: more keys than one
LONG = (tuple(range(2, 36, 3)), tuple(range(34, 0, -3))) if jit.JIT else ((18, 3), (2, 20))


@both_norms
def test_large_ones(name):
    """Heads of more than one vector, hidden layers of more than one panel, several blocks of rows."""
    choices = dict(hidden=38, heads=2, feed_forward=70, target_vocab=75)
    case = Case(name, "float64", lengths=LONG, **choices, **({"max_positions": 40} if name == "everything" else {}))
    close(case.in_one("numba"), case.in_one("numpy"), "float64")


@both_norms
def test_any_number_of_threads_gives_the_same_bits(name, use):
    case, results = Case(name, "float64", hidden=66, heads=3, feed_forward=130, lengths=LONG,
                         **({"max_positions": 40} if name == "everything" else {})), []
    for count in (1, 2, 3):
        use(count)
        results.append((*case.in_one("numba"), *case.run("numba")[1::2]))
    for other in results[1:]:
        if jit.JIT:                                            # else BLAS does as it likes
            same(other, results[0])
        close(other, results[0], "float64")


@names
def test_logits_and_source_alone(name):
    case = Case(name, "float64")
    given = case.p, case.config, case.batch
    close(compiled.logits(*given), transformer.logits(*given), "float64")
    b, untied = case.batch, transformer.untie(case.p, case.config)
    close(compiled_models.forced_and_free(*given), architectures.forced_and_free(*given), "float64")
    masks = case.masks
    got = compiled.encode(case.p, case.config, b.source, b.source_mask, masks)
    want = transformer.encode(untied, case.config, b.source, b.source_mask, masks)
    close_caches(got, want, "float64")


def test_one_hot_targets_and_ids_of_any_whole_type():
    case = Case("everything", "float64")
    want, b = case.in_one("numpy"), case.batch
    close(case.in_one("numba", targets=np.eye(case.config.target_vocab)[b.targets]), want, "float64")
    for dtype in ("int32", "uint8"):
        close(case.in_one("numba",
                          **{name: getattr(b, name).astype(dtype) for name in ("source", "inputs", "targets")}),
              want, "float64")


@both_norms
def test_a_step_of_training(name):
    """With weights of its own, and with a shared one."""
    case = Case(name, "float64")
    given = case.p, case.config, case.batch, None, case.masks, optimizers.start(case.p), "adam", 0.01, 1.0
    got, want = compiled_update.loss_and_update(*given), update.loss_and_update(*given)
    close((np.asarray(got[0]), *got[1:2]), (np.asarray(want[0]), *want[1:2]), "float64")
    np.testing.assert_allclose(got[3], want[3], rtol=1e-12)
    again = compiled_update.loss_and_update(got[1], *given[1:5], got[2], *given[6:])
    assert again[0] < got[0] and again[4]


def test_the_file_of_an_architecture():
    case = Case("dropout-pre", "float64")
    assert compiled_models.of(case.config) is compiled
    L, _, k = compiled_models.forward(case.p, case.config, case.batch, None, case.masks)
    close((np.asarray(L), compiled_models.backward(case.p, case.config, k)),
          (np.asarray(L), architectures.backward(case.p, case.config, k)), "float64")


def test_sinusoids_are_made_once_for_many_lengths():
    case = Case("dropout-pre", "float64")
    P, Q = compiled.tables(case.p, case.config, 5, 3)
    assert P is Q is compiled.tables(case.p, case.config, 2, 8)[0] and P.shape == (8, case.config.hidden)


# What is refused ---------------------------------------------------------------------------------------------

def test_loss_and_gradient_ask_as_the_page_does():
    case = Case("everything", "float64")
    for wrong in (dict(targets=case.batch.targets + 99), dict(inputs=-case.batch.inputs),
                  dict(target_mask=case.batch.target_mask[::-1]), dict(source=-case.batch.source),
                  dict(source_mask=case.batch.source_mask[::-1])):
        said = []
        for backend in ("numpy", "numba"):
            with pytest.raises(ValueError) as e:
                case.in_one(backend, **wrong)
            said.append(str(e.value))
        assert said[0] == said[1] and next(iter(wrong)) in said[0]


def test_sequences_beyond_the_learned_positions():
    case = Case("everything", "float64", max_positions=4)
    with pytest.raises(ValueError, match="^source: 5 steps, wanted at most 4, as many as there are learned positions"):
        case.in_one("numba")


def test_a_cache_of_another_model_is_refused():
    case, other = Case("dropout-pre", "float64"), Case("everything", "float64")
    k = case.run("numba")[2]
    with pytest.raises(ValueError, match=r"^k: wanted the cache of a model of this Config"):
        compiled.backward(other.p, other.config, k)
    ids = k._replace(decoder=k.decoder._replace(ids=k.decoder.ids + 99))
    with pytest.raises(ValueError, match=r"^k.decoder.ids: got ids from"):
        compiled.backward(case.p, case.config, ids)
    short = k._replace(decoder=k.decoder._replace(r=k.decoder.r[:, :, :-1]))
    with pytest.raises(ValueError, match=re.escape("k.decoder.r: got shape")):
        compiled.backward(case.p, case.config, short)
    other_loss = k._replace(loss=k.loss._replace(log_p=normal(np.random.default_rng(0), *k.loss.log_p.shape[:2], 11)))
    with pytest.raises(ValueError, match=re.escape("k.loss.log_p: got shape")):
        compiled.backward(case.p, case.config, other_loss)
    with pytest.raises(ValueError, match="^masks.encoder.inputs: got shape"):
        compiled.backward(case.p, case.config, k._replace(masks=tree.map(lambda m: m[1:], k.masks)))


def test_memory_begins_at_lines_of_the_cache():
    like = transformer_buffers.shapes(Case("everything", "float32").config, 5, 3, 2)
    k = transformer_buffers.allocated(like, "float32")
    starts = sorted((a.ctypes.data, a.nbytes) for a in tree.leaves(k))
    assert [a.shape for a in tree.leaves(k)] == [a.shape for a in tree.leaves(like)]
    assert all(start % 64 == 0 for start, _ in starts)
    assert all(start + size <= after for (start, size), (after, _) in zip(starts, starts[1:]))
