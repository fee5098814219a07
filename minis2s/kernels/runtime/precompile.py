"""Compile in a second process what a training needs late, while the first compiles what it needs at once.

    this process     encoder │ decoder's loop │ loss │ their ways back │ optimizer │ ... training ...   search
                                                                            ▲ load                      ▲ load
    the other        optimizer │ search │ validation ──> files of the cache ┴───────────────────────────┘

What a kernel is kept under does not depend on sizes (see kernel_cache.py).  So the other process does each of these things
once, with a model of such a Config that knows two words, and is gone.  It says nothing: whatever it could not do, this
process will do itself.
"""
import json
import os
import subprocess
import sys
import warnings
from contextlib import contextmanager
from dataclasses import replace

from ...core import backend
from ...model import seq2seq
from ...training.optimizers import start
from ...model.config import Config
from ...data.batches import make_batch
from .jit import JIT
from .kernel_cache import UNWRITABLE, is_kept
from ..decoding import beam
from ..model.seq2seq import logits
from ..training import optimizers


@contextmanager
def precompile(config, optimizer):
    """Within this, another process compiles for a Config and an optimizer: -> a function that waits for it.

    There is none if the search has been compiled before, or if this process has one core for all.
    """
    if not JIT or backend.cores() == 1 or is_kept(beam.search_of(config)):
        yield lambda: None
        return
    env = {k: v for k, v in os.environ.items() if k != "MINIS2S_THREADS"}
    command = [sys.executable, "-m", __name__, json.dumps(config.to_json()), optimizer]
    process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        yield process.wait
    finally:
        process.kill()
        process.wait()


def work(config, optimizer):
    """The other process' life."""
    warnings.filterwarnings("error", UNWRITABLE)               # then all of it would be in vain
    config = replace(config, source_vocab=6, target_vocab=6)
    p, batch = seq2seq.init(config, 0), make_batch([[4, 5]], [[4, 5]])
    optimizers.step(p, p, start(p), optimizer, 1e-3, 1.0)
    beam.beam(p, config, batch.source, batch.source_mask, 1, 1)
    logits(p, config, batch)


if __name__ == "__main__":
    work(Config.from_json(json.loads(sys.argv[1])), sys.argv[2])
