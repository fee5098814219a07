"""Bugs planted into our own code, one by one: the tests that stand beside it must fail.

    pytest -m mutants                      all of them, one after the other
    MUTANT_JOBS=2 pytest -m mutants        two at a time
    pytest -m mutants -k cells/lstm        some of them

Every bug is planted into a copy of package and tests in a temporary directory; the checkout is never touched.
The normal suite only asks whether the bank still fits the code: see "The bank".
"""
import ast
import builtins
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

import minis2s
from mutants import MUTANTS

ROOT = Path(__file__).parent.parent
HOUSE = Path(minis2s.__file__).parent
FILES = {path: (HOUSE / path).read_text() for path in {m.file for m in MUTANTS}}
SECONDS = 600                       # for the tests of one bug; an endless loop is a bug that is seen
JOBS = int(os.environ.get("MUTANT_JOBS", 1))
CAUGHT, PASSED = 1, 0               # pytest's exit codes; others mean that nothing was tested
COMPILED = "# With it ---"          # a heading of kernels: what stands below it may run compiled only
COMPILED_ONLY = ["kernels/runtime/jit.py", "kernels/runtime/kernel_cache.py", "kernels/runtime/arena.py",
                 "kernels/runtime/precompile.py", "kernels/runtime/device_cache.py",
                 "kernels/runtime/kernel_library.py", "kernels/model/validated.py", "kernels/linalg/tile.py",
                 "kernels/linalg/gemm.py", "kernels/linalg/loops.py", "kernels/linalg/simd/vector.py",
                 "kernels/linalg/simd/lowering.py", "kernels/linalg/simd/whole.py"]
REAL = [m for m in MUTANTS if m.equivalent is None]

# The files that must have bugs.
REPRESENTED = [
    "data/stream.py", "training/quantization.py", "training/pruning.py", "training/compression.py",
    "layers/distillation.py", "model/saliency.py", "viewer/trace/position.py", "viewer/trace/tensors.py",
    "viewer/figures/stories.py", "viewer/figures/models.py", "viewer/figures/__init__.py", "viewer/plots/fonts.py",
    "viewer/plots/gradients.py",
    "layers/cells/rnn.py", "layers/cells/lstm.py", "layers/cells/gru.py", "layers/cells/gru_after.py",
    "layers/attention/additive.py", "layers/attention/concat_dot.py", "layers/attention/general.py",
    "layers/attention/dot.py", "layers/attention/attend.py", "documents/printed/a.py", "documents/printed/b.py",
    "documents/printed/c.py", "documents/printed/d.py", "decoding/hypotheses.py", "decoding/greedy.py",
    "decoding/beam.py", "decoding/sampling.py", "decoding/exact.py", "kernels/linalg/simd/meaning.py",
    "kernels/linalg/simd/vector.py", "kernels/linalg/simd/lowering.py", "kernels/linalg/simd/whole.py",
    "kernels/runtime/threads.py", "decoding/rough.py", "kernels/decoding/rough.py",
    "kernels/linalg/packing.py", "kernels/linalg/tile.py", "kernels/linalg/gemm.py", "kernels/linalg/loops.py",
    "kernels/linalg/gradients.py", "kernels/layers/cells/rnn.py", "kernels/layers/cells/lstm.py",
    "kernels/layers/cells/gru.py", "kernels/layers/cells/gru_after.py", "kernels/layers/unroll.py",
    "kernels/linalg/rows.py", "kernels/layers/fusion.py", "kernels/layers/attention/keys.py",
    "kernels/layers/attention/dot.py", "kernels/layers/attention/general.py", "kernels/layers/attention/additive.py",
    "kernels/layers/attention/concat_dot.py", "kernels/layers/attention/buffers.py",
    "kernels/layers/attention/attend.py", "kernels/layers/attention/powers.py",
    "kernels/model/decoder.py", "kernels/model/decoder_buffers.py", "kernels/model/decoder_step.py",
    "kernels/layers/loss.py", "kernels/layers/embedding.py", "kernels/layers/copying.py",
    "kernels/layers/readout_copying.py", "kernels/layers/frame_output.py", "kernels/layers/frame_input.py",
    "kernels/decoding/frames.py", "kernels/model/decoder_inputs.py", "kernels/model/decoder_outputs.py",
    "kernels/layers/readout.py", "kernels/model/seq2seq.py", "kernels/model/encoder.py",
    "kernels/layers/layer_norm.py", "kernels/layers/linear.py", "kernels/layers/feed_forward.py",
    "kernels/layers/residual.py", "kernels/layers/positions.py", "kernels/layers/attention/scaled_dot_product.py",
    "kernels/layers/attention/multi_head.py", "kernels/model/transformer_sublayers.py",
    "kernels/model/transformer_encoder.py", "kernels/model/transformer_decoder.py", "kernels/model/transformer.py",
    "kernels/model/transformer_buffers.py", "kernels/model/architectures.py",
    "kernels/runtime/arena.py", "kernels/model/validated.py", "kernels/runtime/jit.py",
    "kernels/runtime/kernel_cache.py", "kernels/runtime/device_cache.py", "kernels/runtime/kernel_library.py",
    "kernels/runtime/precompile.py", "kernels/training/optimizers.py", "kernels/training/update.py",
    "kernels/core/tree.py", "kernels/decoding/hypotheses.py", "kernels/decoding/beam.py", "kernels/decoding/chains.py",
    "kernels/decoding/architectures.py", "kernels/decoding/transformer_hypotheses.py",
    "kernels/model/transformer_step.py", "core/functions.py",
    "layers/linear.py", "layers/embedding.py", "layers/dropout.py", "core/initializers.py", "layers/loss.py",
    "layers/copying.py", "data/vocoder.py", "decoding/frames.py",
    "layers/frame_output.py", "model/inputs.py", "layers/unroll.py", "layers/recurrent.py", "model/encoder.py",
    "model/bridge.py", "layers/fusion.py", "model/decoder.py", "model/decoder_step.py", "model/context_step.py",
    "model/seq2seq.py", "model/parameters.py", "model/dropout_masks.py", "model/checks.py", "training/optimizers.py",
    "core/tree.py", "data/batches.py", "data/augment.py", "training/step.py", "training/evaluation.py",
    "training/loop.py",
    "bench/cases.py", "bench/ours.py", "bench/__main__.py", "bench/rounds.py",
    "bench/limits.py", "bench/growth.py", "bench/memory.py", "bench/profiling.py", "layers/layer_norm.py",
    "layers/feed_forward.py", "layers/positions.py", "layers/residual.py",
    "layers/attention/scaled_dot_product.py", "layers/attention/multi_head.py",
    "model/transformer_sublayers.py", "model/transformer_encoder.py", "model/transformer_decoder.py",
    "model/transformer.py", "model/transformer_masks.py", "model/architectures.py", "training/schedule.py",
    "core/files.py", "training/checkpoint.py", "api/lock.py", "api/run.py", "api/signals.py", "api/texts.py",
    "cli/wording.py", "api/heads.py",
    "api/answering.py", "api/backends.py", "api/evaluation.py", "api/fitting.py", "api/notes.py", "api/opening.py",
    "api/presets.py", "api/seq2seq.py", "api/speaking.py", "data/frames.py",
    "classroom/assignment/grade.py", "classroom/assignment/submissions.py",
    "classroom/doctor/bank.py", "classroom/doctor/cases.py", "classroom/doctor/doctor.py",
    "classroom/doctor/changed.py", "classroom/doctor/locate.py", "classroom/exercises/copying.py",
    "classroom/exercises/frame_output.py", "classroom/puzzles.py", "viewer/explain.py", "viewer/search.py",
    "classroom/exercises/progress.py", "classroom/notebooks/build.py", "cli/class_.py", "cli/example.py",
    "cli/exercise.py", "cli/formulas.py", "cli/main.py", "cli/sources.py", "cli/streams.py", "cli/trace.py",
    "cli/task.py", "cli/train.py", "cli/train_options.py", "cli/translate.py",
    "data/corpus.py", "data/formats.py", "data/pairs.py",
    "data/subwords.py", "data/text.py", "data/tokenizer.py", "data/units.py", "data/vocabulary.py", "data/words.py",
    "data/words_1.py", "documents/claims/claim.py", "documents/formulas/cases/case.py", "documents/formulas/check.py",
    "documents/formulas/entry.py", "documents/formulas/page.py", "documents/formulas/table.py", "documents/marks.py",
    "pytorch/interop.py", "pytorch/model.py", "pytorch/transformer.py", "pytorch/convert.py", "pytorch/backend.py",
    "pytorch/processes.py", "pytorch/update.py", "pytorch/export.py", "pytorch/importing.py", "pytorch/onnx_graphs.py",
    "pytorch/standalone/search.py", "pytorch/standalone/load.py", "pytorch/standalone/check.py",
    "pytorch/standalone/translate.py", "pytorch/standalone/sides.py", "pytorch/standalone/run.py",
    "tasks/dialogue/state.py", "tasks/dialogue/replies.py", "tasks/dialogue/guest.py",
    "tasks/voice/synthesiser.py", "tasks/voice/listener.py", "tasks/voice/task.py",
    "tasks/headlines.py", "tasks/poems/couplets.py", "tasks/poems/task.py",
    "tasks/copy.py", "tasks/dates.py", "tasks/numbers.py", "tasks/phrases.py",
    "testing/checks.py", "testing/compare.py", "training/metrics.py", "training/options.py",
    "viewer/plots/attention.py", "viewer/plots/style.py", "viewer/trace/diff.py", "viewer/trace/page.py",
    "viewer/trace/show.py", "api/display.py", "classroom/assignment/make.py", "classroom/doctor/numbers.py",
    "classroom/doctor/outcome.py", "classroom/judge/load.py", "classroom/judge/guard.py", "cli/evaluate.py",
    "viewer/trace/record.py", "viewer/trace/tracer.py",
]


def name(m):
    return f"{m.file}: {m.why}"


def planted(m):
    """The file's text with the bug in it."""
    times = FILES[m.file].count(m.old)
    assert times == 1, f"{name(m)}: {m.old!r} stands {times} times"
    return FILES[m.file].replace(m.old, m.new)


def unknown(tree):
    """Names that a module reads but nothing in it makes."""
    nodes = list(ast.walk(tree))
    made = {n.id for n in nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    made |= {n.arg for n in nodes if isinstance(n, ast.arg)}
    made |= {n.asname or n.name.partition(".")[0] for n in nodes if isinstance(n, ast.alias)}
    made |= {n.name for n in nodes if isinstance(n, (ast.FunctionDef, ast.ClassDef, ast.ExceptHandler))}
    made |= {"__file__", *dir(builtins)}
    return {n.id for n in nodes if isinstance(n, ast.Name)} - made


# The bank ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("file", sorted(FILES))
def test_each_bug_fits_the_code(file):
    today = ast.dump(ast.parse(FILES[file]))
    for m in (m for m in MUTANTS if m.file == file):
        tree = ast.parse(planted(m))
        assert ast.dump(tree) != today, f"{m.why}: nothing but words changes"
        assert not unknown(tree), f"{m.why}: {unknown(tree)} unknown: a slip of the pen, no mistake of thought"
        assert m.tests and all((ROOT / "tests" / test).is_file() for test in m.tests), m.why


def test_bugs_are_many_and_different():
    assert len(REAL) >= 140
    assert len({(m.file, planted(m)) for m in MUTANTS}) == len(MUTANTS)
    assert {m.file for m in REAL} == set(REPRESENTED)


MARK = re.compile(r"\([A-Z]{1,3}\d{1,2}\*?\)")


def marks(lines):
    """Marks in the comments at the ends of code lines."""
    return {mark for line in lines if "  # " in line for mark in MARK.findall(line.split("  # ", 1)[1])}


def touched(m):
    """The lines that an edit changes."""
    text = FILES[m.file]
    first = text.count("\n", 0, text.index(m.old))
    return text.splitlines()[first:first + m.old.rstrip("\n").count("\n") + 1]


@pytest.mark.parametrize("file", sorted(FILES))
def test_every_equation_and_every_derivative_has_a_bug(file):
    hit = set().union(*(marks(touched(m)) for m in REAL if m.file == file))
    assert marks(FILES[file].splitlines()) <= hit


# Planting ------------------------------------------------------------------------------------------------

def plain(m):
    """Whether the tests need no compiler to see a bug: in a twin, on a line that runs as Python, too."""
    runs = FILES[m.file].split(COMPILED)[0]
    return m.file.startswith("kernels/") and m.file not in COMPILED_ONLY and m.old in runs


def skipped(m):
    """Whether its tests are skipped here: they need PyTorch, which is not installed."""
    return m.file.startswith("pytorch/") and m.file != "pytorch/interop.py" and find_spec("torch") is None


def run(copy, tests, as_python=False, seconds=SECONDS, options=()):
    """Run test files in a copy: pytest's exit code, and what it printed."""
    env = {**os.environ, "PYTHONPATH": str(copy), "OPENBLAS_NUM_THREADS": "1", "HYPOTHESIS_PROFILE": "ci"}
    if as_python:
        env["NUMBA_DISABLE_JIT"] = "1"
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *options,
               *(str(copy / "tests" / test) for test in tests)]
    try:
        done = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return CAUGHT, f"no end after {seconds} s"
    code = done.returncode if done.returncode >= 0 else CAUGHT                # a crash: a bug that is seen
    return code, done.stdout + done.stderr


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """A copy without bugs, whose tests pass: else they would "catch" everything."""
    copy = tmp_path_factory.mktemp("clean") / "copy"
    for part in ("minis2s", "tests", "notebooks"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "README.md"):
        shutil.copy(ROOT / name, copy)
    return copy


@pytest.fixture(scope="module")
def results(request, clean, tmp_path_factory):
    """A dict from each bug that was asked for to the future of its run."""
    asked = [item.callspec.params["m"] for item in request.session.items
             if item.function is test_a_planted_bug_is_caught and not skipped(item.callspec.params["m"])]
    for as_python in {plain(m) for m in asked}:
        tests = sorted({test for m in asked if plain(m) == as_python for test in m.tests})
        code, said = run(clean, tests, as_python, None, ["-n", str(JOBS), "--dist", "loadfile"])
        assert code == PASSED, f"the tests fail without any bug:\n{said}"

    def one(m):
        copy = tmp_path_factory.mktemp("bug") / "copy"
        stale = f"{Path(m.file).stem}.{sys.implementation.cache_tag}.pyc"
        shutil.copytree(clean, copy, ignore=shutil.ignore_patterns(stale))
        (copy / "minis2s" / m.file).write_text(planted(m))
        answer = run(copy, m.tests, plain(m))
        shutil.rmtree(copy)
        return answer

    with ThreadPoolExecutor(JOBS) as pool:
        yield {m: pool.submit(one, m) for m in asked}
        pool.shutdown(cancel_futures=True)


@pytest.mark.mutants
@pytest.mark.parametrize("m", MUTANTS, ids=name)
def test_a_planted_bug_is_caught(m, results):
    if skipped(m):
        pytest.skip("needs PyTorch")
    code, said = results[m].result()
    assert code in (CAUGHT, PASSED), f"the tests did not run:\n{said}"
    if m.equivalent:
        assert code == PASSED, f"said to be equivalent ({m.equivalent}), but\n{said}"
    else:
        assert code == CAUGHT, f"{m.file}: {m.old!r} -> {m.new!r} ({m.why}) passes {', '.join(m.tests)}"
