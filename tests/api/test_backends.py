"""The choice of a backend: what the caller says goes before the environment, and NUMBA is imported when needed."""
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from minis2s import Config, Seq2Seq, decoding
from minis2s.api import backends
from minis2s.api.backends import BACKENDS, FEW, MANY, backend_for, backend_name, choose, choose_for_texts
from minis2s.core.backend import Backend
from minis2s.kernels.backend import NUMBA
from minis2s.layers import attention, cells, unroll
from minis2s.model import architectures
from minis2s.training.reference import NUMPY


def test_an_explicit_argument_goes_before_the_environment(monkeypatch):
    monkeypatch.delenv("MINIS2S_BACKEND", raising=False)
    assert choose() is NUMPY and choose("numpy") is NUMPY and choose("numba") is NUMBA
    assert choose(otherwise="numba") is NUMBA
    monkeypatch.setenv("MINIS2S_BACKEND", "numba")
    assert choose() is NUMBA and choose("numpy") is NUMPY and choose(otherwise="numpy") is NUMBA
    assert Seq2Seq().backend == "numba" and Seq2Seq(backend="numpy").backend == "numpy"
    monkeypatch.setenv("MINIS2S_BACKEND", "")
    assert backend_name() == "numpy"


def test_unknown_names(monkeypatch):
    for name in ("c", "", 3):
        with pytest.raises(ValueError, match=f"backend={name!r}: choose one of numpy, numba"):
            choose(name)
    monkeypatch.setenv("MINIS2S_BACKEND", "fortran")
    with pytest.raises(ValueError, match="MINIS2S_BACKEND='fortran': choose one of numpy, numba"):
        choose()
    assert choose("numpy") is NUMPY


def test_both_have_all_functions_and_none_is_the_others():
    assert (NUMPY.name, NUMBA.name, "torch") == BACKENDS
    for name in set(Backend._fields[1:]) - Backend._field_defaults.keys():
        reference, compiled = getattr(NUMPY, name), getattr(NUMBA, name)
        assert callable(reference) and callable(compiled) and reference is not compiled, name
        assert compiled.__module__.startswith("minis2s.kernels.") and "kernels" not in reference.__module__, name
    assert (NUMPY.forward, NUMPY.unroll, NUMPY.beam) == (architectures.forward, unroll.forward, decoding.beam)


@pytest.mark.parametrize("table, name, config", [(cells.CELLS, "own", Config(cell="lstm")),
                                                 (attention.SCORES, "dot", Config(attention="dot"))])
def test_a_part_of_a_persons_own_runs_on_numpy_alone(monkeypatch, table, name, config):
    """Also where it takes the place of one of the library's."""
    part = next(iter(table.values()))
    monkeypatch.setitem(table, name, type(part)("own") if name == "own" else SimpleNamespace())
    config = replace(config, cell="own") if name == "own" else config
    with pytest.warns(UserWarning, match=f"the (cell|score) {name} of your own has no compiled implementation"):
        assert Seq2Seq(config, backend="numba").backend == "numpy"
    with pytest.raises(ValueError, match=f"backend='torch': the (cell|score) {name} of your own has no PyTorch module"):
        Seq2Seq(config, backend="torch")
    assert backend_for(config, None, "numba") == "numpy" and choose_for_texts(Seq2Seq(config), 10**6) is NUMPY


def test_torch_trains_and_others_search(monkeypatch):
    """A run that was trained on PyTorch is answered as one that names no backend."""
    assert [backend_name(name) for name in ("torch", "torch:cuda+amp")] == ["torch", "torch:cuda+amp"]
    assert choose_for_texts(Seq2Seq(backend="torch"), 1) is NUMPY
    monkeypatch.setitem(sys.modules, "minis2s.pytorch.backend", None)
    with pytest.raises(ValueError, match="wanted PyTorch, which is not installed"):
        backends.torch_backend.__wrapped__("torch")


def test_many_texts_are_answered_by_the_compiled_implementation(monkeypatch):
    """Where nobody names a backend: from 32 texts on if the cache has the kernels, from 2,000 on if it has not."""
    from minis2s.kernels.runtime import jit, kernel_cache
    monkeypatch.delenv("MINIS2S_BACKEND", raising=False)
    used = []
    monkeypatch.setattr(backends, "choose",
                        lambda name: NUMBA._replace(use_threads=used.append) if name == "numba" else NUMPY)
    for kept, least in ((True, FEW), (False, MANY)):
        monkeypatch.setattr(kernel_cache, "is_kept", lambda kernel: kept)
        assert choose_for_texts(Seq2Seq(), least - 1) is NUMPY and not used
        for config in (Config(), Config(architecture="transformer", hidden=8)):
            assert choose_for_texts(Seq2Seq(config), least).name == "numba" and used == [None]
            used.clear()
    assert choose_for_texts(Seq2Seq(backend="numpy"), 10**6) is NUMPY
    assert choose_for_texts(Seq2Seq(backend="numba"), 1).name == "numba" and not used
    monkeypatch.setattr(jit, "JIT", False)
    assert choose_for_texts(Seq2Seq(), 10**6) is NUMPY
    monkeypatch.setenv("MINIS2S_BACKEND", "numpy")
    assert choose_for_texts(Seq2Seq(), 10**6) is NUMPY


QUIET = """
import ctypes, sys
called = []
class Library:
    def __init__(self, *args): called.append(args)
ctypes.CDLL = Library
import minis2s, minis2s.cli.main
minis2s.Seq2Seq(backend="numba")
assert not called, called
assert not [name for name in sys.modules if name.startswith(("numba", "minis2s.kernels", "matplotlib"))]
"""


def test_import_has_no_side_effects():
    """No C library is opened, as setting up memory or BLAS would, and neither Numba nor the kernels are imported."""
    done = subprocess.run([sys.executable, "-c", QUIET], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_precision_wants_kernels():
    assert choose_for_texts(Seq2Seq(backend="numba"), 1, "int8").name == "numba"
    with pytest.raises(ValueError, match="precision='int8': only compiled kernels .*, and backend='numpy' was named"):
        choose_for_texts(Seq2Seq(backend="numpy"), 1, "int8")
    with pytest.raises(ValueError, match="precision='bf16': only compiled kernels search so, and this model has none"):
        choose_for_texts(Seq2Seq(Config(residual=True, layers=2)), 1, "bf16")
