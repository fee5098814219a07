"""Compile in a second process what a training needs late, while the first compiles what it needs at once.

    this process     encoder │ decoder's loop │ loss │ back through the decoder │ whole step │ ... training ...   search
                                                                                ▲ load                           ▲ load
    the other        back through the encoder ──────────────────────────────────┴ search, the optimizer ─────────┘

Nothing is compiled twice: a process that needs what the other one compiles waits for its file in the cache (see
partner.py).  What nobody has begun this process compiles itself.  So the other one begins with what comes last, and
goes on with the search, which takes longest: the two meet, and neither waits long for the other.

The key of a kernel in the cache does not depend on sizes (see kernel_cache.py).  So the other process does each of
these things once, with a model of this Config and a vocabulary of two words, and ends.  It prints nothing: what it
could not compile, this process compiles itself.
"""
import json
import os
import subprocess
import sys
import warnings
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from ...core import backend
from ...data.batches import make_batch
from ...model import architectures, parameters
from ...model.config import Config
from ...training.optimizers import start
from ..decoding import beam, frames
from ..model import architectures as compiled
from ..model.transformer_decoder import free_runs
from ..training import optimizers
from .arena import new_arena
from .jit import JIT
from .kernel_cache import UNWRITABLE, is_kept
from .partner import Partner

if JIT:
    from numba import typeof

    from .linking import calls_of, symbol_of


PARENT = os.getppid()          # the training, for the process that this file starts


@contextmanager
def precompile(config, optimizer):
    """In this context another process compiles for a Config and an optimizer: -> a function that waits for it.

    There is no such process if its last kernel has been compiled before, or if there is only one core.
    """
    if not JIT or backend.cores() == 1 or is_kept(last_of(config)):
        yield lambda: None
        return
    env = {k: v for k, v in os.environ.items() if k != "MINIS2S_THREADS"}
    command = [sys.executable, "-m", __name__, json.dumps(config.to_json()), optimizer]
    process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    Partner.work_with(process.pid, lambda: process.poll() is None)
    try:
        yield process.wait
    finally:
        process.kill()
        process.wait()
        Partner.end(last_of(config)._cache.cache_path)


def last_of(config):
    """The kernel without which nothing is complete: that in which a Transformer is fed its own tokens,
    which the other process compiles last; of recurrent models the beam search."""
    if config.architecture == "transformer":
        return free_runs(config.norm, config.feed_forward_activation)
    return beam.search_of(config)


def work(config, optimizer):
    """What the other process does."""
    warnings.filterwarnings("error", UNWRITABLE)               # then nothing could be kept
    config = replace(config, **{name: 6 if name.endswith("vocab") else getattr(config, name) or 1
                                for name in parameters.sizes(config)})
    source, target = ([np.zeros((2, F), config.dtype)] if side == "frames" else [[4, 5]] for side, F in (
        (config.source, config.step_size), (config.target, config.target_frame_size)))
    p = parameters.init(config, 0)
    batch = make_batch(source, target, dtype=config.dtype, frames_per_step=config.frames_per_step or 1)
    passes = backward_passes(parameters.untie(p, config), config, batch)
    compile_all(passes[:1])
    searched = p, config, batch.source, batch.source_mask, 1
    frames.write(*searched) if config.target == "frames" else beam.beam(*searched, 1)
    optimizers.step(p, p, start(p), optimizer, 1e-3, 1.0)
    compile_all(passes[1:])
    compiled.forced_and_free(p, config, batch)


def backward_passes(p, config, batch):
    """The second half of what a training step calls, the last first: kernels and the types of their arguments."""
    if not compiled.of(config).is_one_call(config, batch):
        return []
    masks = architectures.of(config).draw_masks(np.random.default_rng(0), config, batch)
    step, args = compiled.of(config).gradient_call(p, config, batch, None, masks)
    calls = calls_of(step, [typeof(a) for a in (new_arena(), *args)])
    return calls[:(len(calls) - 1) // 2:-1]


def compile_all(calls):
    """Compile these kernels for arguments of these types."""
    for kernel, kinds in calls:
        symbol_of(kernel, kinds)


if __name__ == "__main__":
    Partner.work_with(PARENT, lambda: os.getppid() == PARENT)
    work(Config.from_json(json.loads(sys.argv[1])), sys.argv[2])
