"""What another process compiles ahead is what a training needs later, and that process never stays."""
import json
import os
import subprocess
import sys

import pytest

from minis2s import Config
from minis2s.api.backends import choose
from minis2s.core import backend
from minis2s.kernels.runtime import jit, partner

pytestmark = pytest.mark.skipif(not jit.JIT, reason="these look at the compiler")
CONFIG = Config(cell="rnn", attention="none", dropout=0.1)
LATER = """
import numpy as np
from minis2s.core import backend
from minis2s.model import dropout_masks
from minis2s import Config
from minis2s.model import seq2seq
from minis2s.training import optimizers as optim
from minis2s.data.batches import make_batch
from minis2s.kernels.model import seq2seq as model
from minis2s.kernels.runtime import jit, kernel_cache
from minis2s.kernels.training import optimizers as compiled
from minis2s.kernels.runtime.precompile import precompile
from minis2s.kernels.decoding import beam
config = Config(source_vocab=11, target_vocab=9, embedding=20, hidden=35, cell="rnn", attention="none", dropout=0.1)
compiled_here = []
p, batch = seq2seq.init(config, 1), make_batch([[4, 5, 6], [7]], [[4, 5], [6, 7, 8]])
compiled.step(p, p, optim.start(p), "sgd", 0.1, 1.0, momentum=0.5)
beam.beam(p, config, batch.source, batch.source_mask, 5, 4, 0.5, 3)
model.logits(p, config, batch)
model.logits(p, config, batch, np.zeros(batch.inputs.shape, bool))
with precompile(config, "sgd") as wait:
    assert wait() is None                     # there is no process, as all is there
print("was in the cache:", not kernel_cache.Reported.compiling)
backend.COMPILATION_LISTENERS.append(compiled_here.append)
model.loss_and_gradient(p, config, batch, None, dropout_masks.draw(np.random.default_rng(0), config, 2))
print("compiled only now:", len(compiled_here) > 0, [name for name in compiled_here if "backward" in name])
"""


def test_nothing_that_was_compiled_ahead_is_compiled_again(tmp_path):
    """For another model of the same kind; and whoever compiled it said nothing but that."""
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "minis2s.kernels.runtime.precompile", json.dumps(CONFIG.to_json()), "sgd"]
    subprocess.run(command, env=env, check=True)
    later = subprocess.run([sys.executable, "-c", LATER], env=env, text=True, capture_output=True)
    assert (later.returncode, later.stdout, later.stderr) == (
        0, "was in the cache: True\ncompiled only now: True []\n", "compiling kernels, once ...\n")    # no way back


def test_it_gives_up_where_nothing_can_be_kept(tmp_path):
    (tmp_path / "file").write_text("where a directory should be")
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "file")}
    command = [sys.executable, "-m", "minis2s.kernels.runtime.precompile", json.dumps(CONFIG.to_json()), "sgd"]
    done = subprocess.run(command, env=env, text=True, capture_output=True)
    assert done.returncode == 1 and "cannot be kept" in done.stderr


def test_two_processes_do_not_compile_the_same(tmp_path):
    """A process waits for what its partner has marked, unless that has ended; nothing stays behind."""
    path, alive = tmp_path / "unroll.run-123.nbc", [True, True, False]
    partner.mark(path)
    assert not list(tmp_path.iterdir())                         # alone: no marks
    partner.Partner.work_with(1234, lambda: alive.pop(0))
    try:
        assert not partner.partner_compiles(path)
        partner.mark_of(path, 1234).touch()
        assert partner.partner_compiles(path) and not alive     # it waited for the partner's end
        partner.mark(path)
        assert {p.name for p in tmp_path.iterdir()} == {f"{path.name}.compiled-by-{n}" for n in (1234, os.getpid())}
        partner.unmark(path)
        assert [p.name for p in tmp_path.iterdir()] == [f"{path.name}.compiled-by-1234"]
    finally:
        partner.Partner.end(tmp_path)
    assert not list(tmp_path.iterdir()) and partner.Partner.pid is None


@pytest.fixture
def started(monkeypatch):
    """The processes that are started, which do something else here."""
    from minis2s.kernels.runtime import precompile as ahead
    processes, start = [], subprocess.Popen

    def other(command, **options):
        assert command[:3] == [sys.executable, "-m", "minis2s.kernels.runtime.precompile"] and command[4:] == ["adam"]
        assert Config(**json.loads(command[3])) == CONFIG
        processes.append(start([sys.executable, "-c", f"import time; time.sleep({SECONDS[-1]})"], **options))
        return processes[-1]
    monkeypatch.setattr(ahead.subprocess, "Popen", other)
    monkeypatch.setattr(ahead, "is_kept", lambda kernel: False)
    monkeypatch.setattr(backend, "cores", lambda: 2)
    monkeypatch.delenv("MINIS2S_BACKEND", raising=False)
    SECONDS[:] = [0.1]
    return processes


SECONDS = []                   # that such a process takes


def test_one_process_that_can_be_waited_for(started):
    with choose("numba").precompile(CONFIG, "adam") as wait:
        wait()
        assert [p.poll() for p in started] == [0]


def test_it_ends_with_what_it_was_for(started):
    SECONDS.append(600)
    with pytest.raises(KeyboardInterrupt):
        with choose("numba").precompile(CONFIG, "adam"):
            assert [p.poll() for p in started] == [None]
            raise KeyboardInterrupt
    assert len(started) == 1 and started[0].poll() not in (None, 0)


def test_none_where_it_is_of_no_use(started, monkeypatch):
    from minis2s.kernels.runtime import precompile as ahead
    with choose("numpy").precompile(CONFIG, "adam") as wait:
        wait()
    monkeypatch.setattr(backend, "cores", lambda: 1)
    with choose("numba").precompile(CONFIG, "adam") as wait:
        wait()
    monkeypatch.setattr(backend, "cores", lambda: 2)
    monkeypatch.setattr(ahead, "is_kept", lambda kernel: True)
    with choose("numba").precompile(CONFIG, "adam") as wait:
        wait()
    assert not started
