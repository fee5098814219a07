"""Device functions are kept in files, too, and no function is taken for another."""
import os
import subprocess
import sys

import numpy as np
import pytest

from minis2s.kernels.layers.attention import SCORES, attend_with
from minis2s.kernels.runtime import jit

pytestmark = pytest.mark.skipif(not jit.JIT, reason="these look at the compiler")

PROGRAM = """
import sys
import numpy as np
from minis2s.kernels.linalg.gemm import packed, product
from minis2s.kernels.runtime import jit
factor = float(sys.argv[1])
@jit.jit(f"test.times-{factor}", loops=False)
def f(C, A, B):
    product(C, A, packed(None, B))
    C[0, 0] *= factor
C = np.empty((2, 3), "float32")
f(C, np.ones((2, 4), "float32"), np.ones((4, 3), "float32"))
assert (C == [[4 * factor, 4, 4], [4, 4, 4]]).all()
print(sum(packed._cache_hits.values()), sum(packed._cache_misses.values()))
"""


def hits_and_misses(folder, factor):
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(factor)], text=True, capture_output=True, check=True,
                          env={**os.environ, "NUMBA_CACHE_DIR": str(folder)})
    return done.stdout.split()


def test_a_later_process_finds_what_an_earlier_one_compiled(tmp_path):
    """Though it compiles another kernel; a kernel from the cache needs no device function; a broken file is made
    anew."""
    assert hits_and_misses(tmp_path, 2) == ["0", "1"]
    assert hits_and_misses(tmp_path, 2) == ["0", "0"]
    assert hits_and_misses(tmp_path, 3) == ["1", "0"]
    broken, = tmp_path.rglob("device.packed-*.nbc")
    broken.write_bytes(broken.read_bytes()[:100])
    assert hits_and_misses(tmp_path, 4) == ["0", "1"]
    assert hits_and_misses(tmp_path, 5) == ["1", "0"]


def test_what_a_function_closes_over_tells_it_from_others():
    from minis2s.kernels.runtime.device_cache import contents
    made = {name: contents(attend_with(score)) for name, score in SCORES.items()}
    assert made["dot"] == made["scaled"]                       # one function: the scale is an argument
    assert len(set(made.values())) == len(made) - 1
    assert contents((1, "1", True, None, np.ndarray)) == "(1, '1', True, None, numpy.ndarray)"
    assert contents((1,)) != contents(1) != contents("1") and contents(((1, 2), 3)) != contents((1, (2, 3)))


def test_a_function_of_a_reader_has_no_file():
    """Its file is not among those whose edits are noticed."""
    from minis2s.kernels.runtime.device_cache import Unnamed, contents
    unset = lambda: later                                      # noqa: E731
    for x in (hits_and_misses, {}, (1, [2]), unset, attend_with(SCORES["dot"]._replace(term=lambda q, k, h, v: q))):
        with pytest.raises(Unnamed):
            contents(x)
    later = 1
