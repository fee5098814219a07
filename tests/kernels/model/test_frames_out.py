"""The compiled model whose target is frames, and its free running, against the reference implementation."""
import numpy as np
import pytest

from configs import CONFIGS, FRAMES_OUT
from draw import batch, like, normal, same
from kernel_layers import close, unchanged
from kernel_models import Case, in_one
from minis2s.core import tree
from minis2s.decoding import frames
from minis2s.kernels.backend import NUMBA
from minis2s.kernels.decoding import frames as written
from minis2s.kernels.model import decoder as decoder_kernels, seq2seq as kernels
from minis2s.kernels.runtime import jit
from minis2s.model import dropout_masks, seq2seq
from minis2s.training import loop
from minis2s.training.evaluation import validate
from minis2s.training.reference import NUMPY
from random_configs import random_speaker

# compiled: a model in one call, and one of several; as plain Python: all of them
NAMES = ("spoken", "spoken-everything") if jit.JIT else tuple(FRAMES_OUT)
MANY = (3, 1, 2) * 44, (9, 1, 5) * 44              # 132 rows, 9 steps: three are a block


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("free", [False, True])
def test_the_whole_model(name, free):
    """Loss and gradients in one call, and part by part; the frames that were fed, and those that were said."""
    case = Case(name, "float64")
    with unchanged(case.p, case.drops, case.batch):
        got, want = case.run("numba", free), case.run("numpy", free)
        close(in_one(case, kernels, free), in_one(case, seq2seq, free), "float64")
    close(got, want, "float64")
    given = case.p, case.config, case.batch, case.coins if free else None
    close(*((model.logits(*given),) for model in (kernels, seq2seq)), "float64")


@pytest.mark.parametrize("name", NAMES)
def test_the_losss_cache_field_by_field(name):
    case = Case(name, "float64")
    got, want = (backend.forward(case.p, case.config, case.batch, None, case.drops)[2].loss
                 for backend in (NUMBA, NUMPY))
    close((got.e, got.a), (want.e, want.a), "float64")
    same((got.stop, got.mask), (want.stop, want.mask))
    assert got.error == want.error


@pytest.mark.parametrize("name", NAMES)
def test_validation(name):
    """With targets fed and with own frames fed, in one call where there is one."""
    case = Case(name, "float64")
    close(*(b.forced_and_free(case.p, case.config, case.batch) for b in (NUMBA, NUMPY)), "float64")
    rng, c = np.random.default_rng(0), case.config
    sources = [normal(rng, T, c.step_size) if c.source == "frames" else rng.integers(4, 7, T).tolist()
               for T in (3, 1, 5)]
    examples = [(x, normal(rng, T, c.target_frame_size)) for x, T in zip(sources, (4, 7, 1))]
    got, want = (validate(case.p, c, examples, 2, backend) for backend in (NUMBA, NUMPY))
    np.testing.assert_allclose(got, want, rtol=1e-12)


@pytest.mark.parametrize("name", NAMES[:1])
def test_float32_and_several_blocks_of_steps(name):
    case = Case(name, "float32", hidden=37, embedding=19, target_frame_size=17, lengths=MANY, spread=0.3)
    close(in_one(case, kernels), in_one(case, seq2seq), "float32")


@pytest.mark.parametrize("name", NAMES)
def test_any_number_of_threads_gives_the_same_bits(name, use):
    case, results = Case(name, "float64", spread=0.15, hidden=42, embedding=70, target_frame_size=33, lengths=MANY), []
    for count in (1, 2, 3):
        use(count)
        said = written.write(case.p, case.config, case.batch.source, case.batch.source_mask, 9)
        results.append((in_one(case, kernels), *kernels.forced_and_free(case.p, case.config, case.batch),
                        *(w.frames for w in said), *(w.alpha for w in said)))
    for other in results[1:]:
        if jit.JIT:                                            # else BLAS does as it likes
            same(other, results[0])
    close(results[0][0], in_one(case, seq2seq), "float64")


def test_random_configs():
    """All cells, scores, orders, fusions, contexts, bridges, dropout; tokens and frames read; of any sizes."""
    rng = np.random.default_rng(0)
    for seed in range(2 if jit.JIT else 60):
        c = random_speaker(rng)
        lengths = rng.integers(1, 6, (2, int(rng.integers(1, 5)))).tolist()
        p, b = like(rng, seq2seq.init(c), 0.5), batch(rng, c, *lengths)
        drops = dropout_masks.draw(rng, c, len(lengths[0])) if c.dropout else None
        coins = None if rng.random() < 0.5 else rng.random(b.inputs.shape[:2]) < 0.5
        (L, g), (want, g_want) = (m.loss_and_gradient(p, c, b, coins, drops) for m in (kernels, seq2seq))
        close((np.asarray([L]), *seq2seq.Params(*g)), (np.asarray([want]), *g_want), "float64")
        close(*((m.logits(p, c, b, coins),) for m in (kernels, seq2seq)), "float64")
        check_written(p, c, b, 6)


def test_training_gives_what_numpy_gives():
    case, found = Case(NAMES[0], "float64"), []
    training = loop.Training(epochs=1, teacher_forcing=0.5)
    for backend in (NUMBA, NUMPY):
        progress = loop.begin(case.config, training)
        for _ in range(3):
            progress = loop.one_step(case.config, training, progress, case.batch, 1e-2, backend)
        found.append(progress.params)
    close(*found, "float64")


# Running freely -----------------------------------------------------------------------------------------------

def check_written(p, config, b, max_steps):
    """-> how many steps each source's answer has."""
    given = p, config, b.source, b.source_mask, max_steps
    with unchanged(p, b):
        got, want = written.write(*given), frames.write(*given)
    for one, other in zip(got, want, strict=True):
        assert one.finished is other.finished and (one.alpha is None) == (other.alpha is None)
        close(*((w.frames, *(() if w.alpha is None else (w.alpha,))) for w in (one, other)), "float64")
    return [len(w.frames) // config.frames_per_step for w in got]


@pytest.mark.parametrize("name", NAMES)
def test_each_source_is_written_until_it_says_stop(name):
    lengths = set()
    for seed in range(4):
        case = Case(name, "float64", seed, spread=1.0)
        for bias in (-0.5, 0.0, 0.5):
            p = tree.map(np.array, case.p)
            p.decoder.readout.b[-1] = bias
            lengths |= set(check_written(p, case.config, case.batch, 7))
    assert {1, 7} < lengths                                     # at once, never, and between


def test_what_does_not_fit_is_refused():
    case = Case(NAMES[0], "float64")
    b = case.batch
    for wrong, message in ((dict(inputs=b.inputs[:, :, :2]), "inputs: got shape"),
                           (dict(targets=b.targets[:, :, :5]), "targets: got shape"),
                           (dict(targets=b.targets * np.nan), "targets: entry"),
                           (dict(target_mask=b.target_mask[:, :, 0]), "target_mask: got shape"),
                           (dict(source=b.source + 99), "source: got ids")):
        for door in (kernels.loss_and_gradient, kernels.forward, kernels.logits):
            with pytest.raises(ValueError, match=f"^{message}"):
                door(case.p, case.config, b._replace(**wrong))
    with pytest.raises(TypeError, match="^inputs: got dtype float32, wanted float64"):
        kernels.loss_and_gradient(case.p, case.config, b._replace(inputs=b.inputs.astype("float32")))
    source, s0, _ = kernels.encode(case.p, case.config, b.source, b.source_mask)
    p = case.p.decoder
    with pytest.raises(ValueError, match="^ids: got shape"):
        decoder_kernels.states(p, case.config, source, s0, b.inputs[:, :, :2])
    with pytest.raises(TypeError, match="^p.embedding: got tuple, wanted frame_input.Params"):
        decoder_kernels.states(p._replace(embedding=tuple(p.embedding)), case.config, source, s0, b.inputs)
    given = case.p, case.config, b.source, b.source_mask
    for args, message in (((*given, 0), "max_length: got 0"),
                          ((given[0], CONFIGS["frames"], *given[2:], 3), "config: target=tokens, wanted frames"),
                          ((*given[:3], ~b.source_mask, 3), "mask: wanted in every column")):
        for write in (written.write, frames.write):
            with pytest.raises(ValueError, match=f"^{message}"):
                write(*args)
    for search, args in ((NUMBA.greedy, ()), (NUMBA.beam, (2,)), (NUMBA.sample, (np.random.default_rng(0),))):
        with pytest.raises(ValueError, match="^config: target=frames, wanted tokens; frames are written and not"):
            search(*given, 3, *args)
