"""Vector arithmetic, compiled and as plain Python, and the cache of compiled kernels."""
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from minis2s.kernels.linalg import simd
from minis2s.kernels.linalg.simd import LANES, at
from minis2s.kernels.runtime import jit, kernel_cache

compiled = pytest.mark.skipif(not jit.JIT, reason="these look at the compiler")


@jit.jit("test.apply")
def apply(x, y, which):
    N, H = x.shape
    for n in range(N):
        for j in range(0, H, LANES):
            J = at(j, H)
            v = x[n, J]
            if which == 0:
                y[n, J] = simd.exp(v)
            elif which == 1:
                y[n, J] = simd.tanh(v)
            elif which == 2:
                y[n, J] = simd.sigmoid(v)
            elif which == 3:
                y[n, J] = -v
            elif which == 4:
                y[n, J] = 1.0 - v * v / 3.0 + v
            elif which == 5:
                y[n, J] = simd.where(n % 2 == 0, v, 7.0)
            elif which == 6:
                y[n, J] = simd.maximum(v, 0.5 - v)
            elif which == 7:
                y[n, J] = simd.maximum(v, simd.zeros_like(v))
            elif which == 8:
                y[n, J] = simd.maximum(simd.zeros_like(v), v)
            else:
                y[n, J] = simd.positive(v)


@jit.jit("test.columns")
def copy_columns(x, y, first, end):
    for n in range(len(x)):
        for j in range(first, end, LANES):
            y[n, at(j, end)] = x[n, at(j, end)]


@jit.jit("test.fold")
def fold(x, y):
    for n in range(len(x)):
        s = simd.zeros(x)
        for j in range(0, x.shape[1], LANES):
            s = simd.add(s, x[n, at(j, x.shape[1])])
        y[n, 0], y[n, 1] = simd.total(s), simd.greatest(x[n, at(0, min(LANES, x.shape[1]))])


def numbers(dtype):
    rng, big = np.random.default_rng(0), 87 if dtype == "float32" else 700
    small = 10.0 ** rng.uniform(-12, 0, 9999)
    return np.concatenate([rng.uniform(-big, big, 50_001), rng.uniform(-9, 9, 50_000), small,
                           -small]).astype(dtype)[None]


@compiled
@pytest.mark.parametrize("dtype, bounds", [("float32", (1.5e-7, 3e-7, 2e-7)), ("float64", (5e-16, 5e-16,
                                                                                           5e-16))])
def test_error_bounds(dtype, bounds):
    """The bounds that simd/__init__.py states, relative, against the widest floats of the machine."""
    x = numbers(dtype)
    y, exact = np.empty_like(x), x.astype(np.longdouble)
    wanted = np.exp(exact), np.tanh(exact), 1 / (1 + np.exp(-exact))
    for which, want in enumerate(wanted):
        apply(x, y, which)
        normal = np.abs(want) > np.finfo(dtype).tiny
        error = np.abs((y - want) / want)[normal].max()
        assert error < bounds[which], (which, error)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_not_finite_stays_so(dtype):
    x = np.array([[np.nan, np.inf, -np.inf, 0.0, 1000.0, -1000.0] + [1.0] * 12], dtype)
    y = np.empty_like(x)
    for which, f in enumerate((np.exp, np.tanh, lambda a: 0.5 * (1 + np.tanh(a / 2)))):
        apply(x, y, which)
        with np.errstate(over="ignore"):
            np.testing.assert_allclose(y, f(x), rtol=1e-6, atol=1e-38)
        assert y[0, 2] == (0, -1, 0)[which]                     # at -inf: no small number in its place
    for which in (7, 8):
        apply(x, y, which)
        np.testing.assert_array_equal(y, np.maximum(x, 0))
    apply(x, y, 9)
    np.testing.assert_array_equal(y, x > 0)                     # 0 at NaN


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("H", [1, 7, 15, 16, 17, 33])
def test_operators_and_tails(dtype, H):
    """Every size is right, and nothing is written beyond a row."""
    rng = np.random.default_rng(H)
    x, arena = rng.normal(size=(3, H)).astype(dtype), np.full((3, H + 20), 5, dtype)
    y = arena[:, :H]
    wants = {3: -x, 4: 1 - x * x / 3 + x, 5: np.where(np.arange(3)[:, None] % 2 == 0, x, 7),
             6: np.maximum(x, 0.5 - x), 9: x > 0}
    for which, want in wants.items():
        apply(x, y, which)
        np.testing.assert_allclose(y, want, rtol=4e-7 if dtype == "float32" else 1e-15, atol=1e-7)
    assert (arena[:, H:] == 5).all()
    out = np.empty((3, 2), dtype)
    fold(x, out)
    np.testing.assert_allclose(out[:, 0], x.sum(axis=1), rtol=1e-5, atol=1e-5)
    least = 0 if H < 16 and jit.JIT else -np.inf                # lanes that are off are 0
    np.testing.assert_array_equal(out[:, 1], np.maximum(x[:, :16].max(axis=1), least))


@pytest.mark.parametrize("first, end", [(0, 5), (3, 19), (3, 20), (16, 39), (7, 7)])
def test_some_columns_of_a_row(first, end):
    x, y = np.arange(80.0).reshape(2, 40), np.full((2, 40), -1.0)
    copy_columns(x, y, first, end)
    np.testing.assert_array_equal(y[:, first:end], x[:, first:end])
    assert (y[:, :first] == -1).all() and (y[:, end:] == -1).all()


def test_the_greatest_is_nan_if_one_is():
    x, out = np.ones((4, 16)), np.empty((4, 2))
    x[1, 0] = x[2, 7] = x[3, 15] = np.nan
    fold(x, out)
    np.testing.assert_array_equal(np.isnan(out[:, 1]), [False, True, True, True])


# The cache ------------------------------------------------------------------------------------------------

PROGRAM = """
import numpy as np
from minis2s.kernels.linalg import gemm
from minis2s.kernels.runtime import jit, kernel_cache
@jit.jit("test.program")
def f(C, A, B):
    gemm.product(C, A, gemm.packed(None, B))
C = np.empty((2, 3), "float32")
f(C, np.ones((2, 4), "float32"), np.ones((4, 3), "float32"))
assert (C == 4).all()
print("was in the cache:", not kernel_cache.Reported.compiling)
"""


def start(program, **env):
    return subprocess.Popen([sys.executable, "-c", program], text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, env={**os.environ, **env})


def finish(process):
    out, err = process.communicate()
    assert process.returncode == 0, err
    return out, err


@compiled
def test_two_processes_at_once_and_a_third_that_finds_their_work(tmp_path):
    first = [start(PROGRAM, NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(2)]
    for process in first:
        out, err = finish(process)
        assert "was in the cache: False" in out and err.count("compiling kernels, once") == 1
    out, err = finish(start(PROGRAM, NUMBA_CACHE_DIR=str(tmp_path)))
    assert "was in the cache: True" in out and err == ""
    files = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert files and all(name.endswith(".nbc") for name in files)       # nothing half done is left
    for path in tmp_path.rglob("*.nbc"):
        path.write_bytes(path.read_bytes()[:100])                       # a broken file is compiled anew
    out, _ = finish(start(PROGRAM, NUMBA_CACHE_DIR=str(tmp_path)))
    assert "was in the cache: False" in out


SHARING = """
import numpy as np
from minis2s.kernels.runtime import jit, kernel_cache, threads
@jit.internal_kernel("test.inmost")
def inmost(a, i, j0, j1):
    for j in range(j0, j1):
        a[i, j] += i + j
@jit.internal_kernel("test.middle")
def middle(a, i0, i1):
    for i in range(i0, i1):
        threads.shared(inmost, (a, i), 30, 1, 30)
@jit.jit("test.outmost")
def outmost(a):
    threads.shared(middle, (a,), 20, 1, 600)
a = np.zeros((20, 30))
outmost(a)
assert (a == np.arange(20)[:, None] + np.arange(30)).all()
print("was in the cache:", not kernel_cache.Reported.compiling)
"""


@compiled
def test_a_kernel_from_the_cache_finds_the_kernels_that_it_shares_out(tmp_path):
    """They are loaded before it, or compiled where their files are missing or broken."""
    def run():
        return "was in the cache: True" in finish(start(SHARING, NUMBA_CACHE_DIR=str(tmp_path)))[0]

    def file(name):
        found, = tmp_path.rglob(f"{name}-*.nbc")
        return found
    assert not run() and run()
    file("test.inmost").unlink()
    file("threads.offer").unlink()
    assert not run()
    file("test.middle").write_bytes(file("test.middle").read_bytes()[:100])
    file("threads.take_shares").write_bytes(b"")
    assert not run() and run()                                 # and all of them are there again


OF_ONE_NAME = """
import sys
import numpy as np
from minis2s.kernels.runtime import jit, kernel_cache
def made(times):
    @jit.device_function
    def inner(a, i):           # long enough that it is not put into its callers
        total = 0.0
        for n in range(len(a)):
            total += a[n] * times
            if a[n] == i:
                total += np.sin(total)
        return total
    @jit.jit(f"test.times_{times}")
    def outer(a):
        return inner(a, 5), inner(a, 6), inner(a[1:], 7)
    return outer
for times in (int(word) for word in sys.argv[1:]):
    assert made(times)(np.ones(4)) == (4 * times, 4 * times, 3 * times), times
print("was in the cache:", not kernel_cache.Reported.compiling)
"""


@compiled
def test_functions_of_one_name_that_two_processes_compiled_are_two(tmp_path):
    """Numba's names tell them from each other in one process only; both are in the third one's memory."""
    def run(*times):
        program = f"import sys; sys.argv[1:] = {times}\n{OF_ONE_NAME}"
        return "was in the cache: True" in finish(start(program, NUMBA_CACHE_DIR=str(tmp_path)))[0]
    assert not run(3) and not run(2, 3) and run(2, 3) and run(3, 2)


@compiled
def test_an_edited_kernel_of_a_reader_is_another(tmp_path):
    def run(program):
        return "was in the cache: True" in finish(start(program, NUMBA_CACHE_DIR=str(tmp_path)))[0]
    edited = PROGRAM.replace("gemm.packed(None, B))", "gemm.packed(None, B))\n    C[0, 0] = 4")
    assert edited != PROGRAM and not run(PROGRAM) and run(PROGRAM) and not run(edited) and run(edited)
    constant = edited.replace("C[0, 0] = 4", "C[0, 0] = FOUR").replace("@jit.jit", "FOUR = 4\n@jit.jit")
    assert not run(constant) and run(constant) and not run(constant.replace("FOUR = 4", "FOUR = 2 + 2.0"))
    for number in (4, 4, 5):                                   # where it stands in a file, all of that counts
        (tmp_path / "mine.py").write_text(PROGRAM + f"def four(): return {number}\n")
        runs = run(f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from mine import *")
        assert runs == (number == 4 and "again" in locals())
        again = True


REDEFINED = """
import numpy as np
from minis2s.kernels.runtime import jit, kernel_cache, threads
def made(number):
    @jit.internal_kernel("test.inner")
    def inner(a, n0, n1):
        for n in range(n0, n1):
            a[n] = number
    @jit.jit("test.outer")
    def outer(a):
        threads.shared(inner, (a,), len(a), 1, 1)
    return outer
for number in (1, 2):
    a = np.zeros(3)
    made(number)(a)
    assert (a == number).all(), (number, a)
"""


@compiled
def test_a_kernel_that_is_made_again_is_the_new_one(tmp_path):
    """As in a notebook, where a cell is edited and run once more."""
    for _ in range(2):
        finish(start(REDEFINED, NUMBA_CACHE_DIR=str(tmp_path)))


@compiled
def test_a_cache_that_cannot_be_written_gives_one_warning(tmp_path):
    (tmp_path / "file").write_text("where a directory should be")
    out, err = finish(start(PROGRAM, NUMBA_CACHE_DIR=str(tmp_path / "file")))
    assert "was in the cache: False" in out and err.count("cannot be kept") == 1


@compiled
def test_a_kernel_is_not_kept_because_one_of_a_longer_name_is(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel_cache.Cache, "folder", tmp_path)
    (tmp_path / "test.apply-copy-0123456789abcdef.nbc").touch()
    assert not kernel_cache.is_kept(apply)
    (tmp_path / "test.apply-0123456789abcdef.nbc").touch()
    assert kernel_cache.is_kept(apply)


@compiled
def test_an_edit_of_any_file_is_another_cache(tmp_path):
    """Of a page, too, whose names kernels use; not of what only uses the library."""
    files = [tmp_path / name for name in (
        "core/tree.py", "kernels/linalg/gemm.py", "kernels/decoding/beam.py", "decoding/beam.py",
        "layers/cells/lstm.py", "layers/attention/dot.py", "data/vocabulary.py")]
    for path in (*files, tmp_path / "viewer/a.py"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")
    hashes = [kernel_cache.source_hash(tmp_path)]
    (tmp_path / "viewer/a.py").write_text("x = 2\n")
    assert kernel_cache.source_hash(tmp_path) == hashes[0]
    for path in files:
        path.write_text("x = 2\n")
        hashes.append(kernel_cache.source_hash(tmp_path))
    files[2].write_text("x = 3\n")
    files[3].write_text("x = 4\n")
    hashes.append(kernel_cache.source_hash(tmp_path))
    files[2].write_text("x = 4\n")                           # files of one name that change places
    files[3].write_text("x = 3\n")
    hashes.append(kernel_cache.source_hash(tmp_path))
    files[0].rename(tmp_path / "core/trees.py")
    hashes.append(kernel_cache.source_hash(tmp_path))
    assert len(set(hashes)) == len(hashes) == 11


@compiled
def test_every_page_that_kernels_import_is_hashed():
    root = Path(jit.__file__).parents[2]
    pattern = re.compile(r"^from (\.{2,6})(\w*)[.\w]* import (.*?)(?:  #.*)?$", re.M)
    for path in (root / "kernels").rglob("*.py"):
        for dots, name, names in pattern.findall(path.read_text()):
            if len(dots) - 1 == len(path.relative_to(root).parts) - 1:      # from the package itself
                for part in [name] if name else [word.split()[0] for word in names.split(",")]:
                    assert (root / f"{part}.py").is_file() or part in kernel_cache.READ, (path, part)


@compiled
def test_nothing_is_left_of_a_file_that_could_not_be_written(tmp_path):
    """Here because of an object that nobody can pickle."""
    failing = PROGRAM.replace("C = np.empty", "import pickle\ndef full(*a): raise OSError(28, 'full')\n"
                              "pickle.dumps = full\nC = np.empty")
    _, err = finish(start(failing, NUMBA_CACHE_DIR=str(tmp_path)))
    assert err.count("cannot be kept") == 1 and "(full)" in err
    assert not list(tmp_path.glob("*/*/*"))                            # within the directory of these sources


@compiled
@pytest.mark.skipif(sys.platform != "linux", reason="who has no home elsewhere")
def test_a_user_without_a_home():
    """Kernels run, and are compiled by each process."""
    homeless = "import pathlib\ndef none(): raise RuntimeError('no home')\npathlib.Path.home = none\n"
    env = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    done = subprocess.run([sys.executable, "-c", homeless + PROGRAM], text=True, capture_output=True, env=env)
    assert done.returncode == 0 and "was in the cache: False" in done.stdout, done.stderr
    assert done.stderr.count("cannot be kept") == 1


def test_importing_the_library_does_not_import_numba():
    out, _ = finish(start("import sys, minis2s, minis2s.cli; print('numba' in sys.modules)"))
    assert out == "False\n"


def test_nothing_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        test_operators_and_tails("float64", 3)
