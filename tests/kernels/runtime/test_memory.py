"""Memory of compiled code: none is read or written after it was freed, or behind an array's end."""
import ast
from pathlib import Path

import pytest

from guard import needs_guard, run
from minis2s import kernels
from minis2s.kernels.runtime import jit

SHAPES = (8, 64, 128, 512), (3, 2, 600, 70), (1, 1, 1, 1), (5, 200, 20, 700)        # T, N, I, J

PRODUCTS = f"""
import guard, numpy as np
from minis2s.kernels.linalg import gemm, gradients
from minis2s.kernels.runtime import threads
threads.QUEUE[threads.ENOUGH] = 1
threads.use(3)
rng = np.random.default_rng(0)
cases = [[rng.normal(size=(T, N, I)).astype(dtype), rng.normal(size=(T, N, J)).astype(dtype)]
         for T, N, I, J in {SHAPES} for dtype in ("float32", "float64")]

def results():
    return [f(*args) for x, da in cases for f, args in ((gradients.weight_gradient, (x, da)),
            (gradients.bias_gradient, (da,)), (gemm.pack_weights, (x[0].T,)), (gemm.pack_weights, (da[0],)))]
want = results()
guard.install()
cases = [[a.copy() for a in case] for case in cases]
for got, expected in zip(results(), want, strict=True):
    np.testing.assert_array_equal(got, expected)
print("same", flush=True)
"""

MODELS = """
import guard, numpy as np, sys
from configs import CONFIGS
from kernel_models import Case, in_one
from minis2s.core import tree
from minis2s.kernels.decoding.beam import beam
from minis2s.kernels.decoding.sampling import sample
from minis2s.kernels.layers import embedding, loss
from minis2s.kernels.model import seq2seq
from minis2s.kernels.runtime import threads
from minis2s.kernels.training import update
from minis2s.model import seq2seq as reference
from minis2s.training import optimizers
threads.QUEUE[threads.ENOUGH] = 1
threads.use(2)
name, dtype = sys.argv[1:]

def results():
    case = Case(name, dtype, hidden=17, embedding=19)
    b = case.batch
    p, config, s = case.p, case.config, optimizers.start(case.p)
    for optimizer in optimizers.OPTIMIZERS:
        _, p, s, *_ = update.loss_and_update(p, config, b, case.coins, case.drops, s, optimizer, 0.01, 1.0)
    beams = beam(p, config, b.source, b.source_mask, 5, 3, 0.5, 2)
    logits = seq2seq.logits(p, config, b, case.coins)
    log_p = loss.forward(logits, b.targets, b.target_mask, 0.1)[1]
    return tree.leaves((reference.Params(*p), in_one(case, seq2seq, True)[1], case.run("numba")[1:], logits,
                        log_p.log_p,
                        loss.backward(log_p),
                        embedding.backward(p.encoder.embedding, np.minimum(b.source, 6),
                                           np.ones((*b.source.shape, 19), dtype)))) + [
        np.array([a.log_prob for answers in beams for a in answers]),
        np.array([a.log_prob for answers in sample(p, config, b.source, b.source_mask, 5, np.random.default_rng(0))
                  for a in answers])]
want = results()
guard.install()
for got, expected in zip(results(), want, strict=True):
    np.testing.assert_array_equal(got, expected)
print("same", flush=True)
"""

TRANSFORMERS = """
import guard, numpy as np, sys
from kernel_transformers import Case
from minis2s.core import tree
from minis2s.kernels.decoding.beam import beam
from minis2s.kernels.decoding.sampling import sample
from minis2s.kernels.model import transformer
from minis2s.kernels.runtime import threads
threads.QUEUE[threads.ENOUGH] = 1
threads.use(2)
name, dtype = sys.argv[1:]

def results():
    case = Case(name, dtype, hidden=18, feed_forward=19, heads=3)
    p, config, b = case.p, case.config, case.batch
    searched = p, config, b.source, b.source_mask, 5
    answers = beam(*searched, 3, 0.5, 2) + sample(*searched, np.random.default_rng(0))
    return tree.leaves((case.run("numba", free=True)[1:], *case.in_one("numba"),
                        *transformer.forced_and_free(p, config, b))) + [
        np.array([a.log_prob for of_source in answers for a in of_source])]
want = results()
guard.install()
for got, expected in zip(results(), want, strict=True):
    np.testing.assert_array_equal(got, expected)
print("same", flush=True)
"""

THREADS = """
import numpy as np, sys
from minis2s.kernels.linalg import gradients
from minis2s.kernels.runtime import threads
threads.QUEUE[threads.ENOUGH] = 1
rng = np.random.default_rng(0)
x, da = rng.normal(size=(8, 64, 128)).astype("float32"), rng.normal(size=(8, 64, 512)).astype("float32")
threads.use(1)
want = gradients.weight_gradient(x, da)
for count in (1, 2, 3, 24):
    threads.use(count)
    wrong = sum(not np.array_equal(gradients.weight_gradient(x, da), want) for _ in range(int(sys.argv[1])))
    print(count, wrong, flush=True)
"""


@needs_guard
def test_products_under_a_guarded_allocator():
    assert "same" in run(PRODUCTS)


@needs_guard
@pytest.mark.parametrize("name", ["everything", "concat-dot-before", "copying-before"])
def test_trainings_and_searches_under_a_guarded_allocator(name):
    """Parts put together by Python, and one compiled call with arenas: the same numbers as without the guard."""
    assert "same" in run(MODELS, name, "float64")


@needs_guard
@pytest.mark.parametrize("name", ["dropout-pre", "everything"])
def test_transformers_under_a_guarded_allocator(name):
    assert "same" in run(TRANSFORMERS, name, "float64")


@pytest.mark.skipif(not jit.JIT, reason="without compilation there are no threads")
def test_threads_that_share_one_heap_get_the_same_bits():
    """As in containers: what one thread frees is at once another's, and freed memory does not keep its numbers."""
    said = run(THREADS, "300", MALLOC_ARENA_MAX="1", MALLOC_PERTURB_="165", MINIS2S_THREADS="1")
    assert said.split() == ["1", "0", "2", "0", "3", "0", "24", "0"]


def test_only_calls_take_the_address_of_an_array():
    """A pointer that outlives its array is how memory is freed too early: so no function returns the pointer of an
    array.  What has one takes it from the tuple of a call's arguments, see linking.argument."""
    found = []
    for path in Path(kernels.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Attribute) and node.value.attr == "data":
                found.append(path.name)
            if isinstance(node, ast.FunctionDef) and node.name.startswith("pointer_to"):
                found.append(node.name)
    assert found == ["linking.py"]
