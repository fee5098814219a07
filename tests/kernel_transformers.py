"""A Transformer of one of the Configs with random arrays, to run by either backend."""
import dataclasses

import numpy as np

from configs import TRANSFORMERS
from draw import batch, like
from kernel_layers import guarded
from minis2s.core import tree
from minis2s.kernels.model import transformer as compiled
from minis2s.model import transformer, transformer_masks

MODELS = {"numba": compiled, "numpy": transformer}
LENGTHS = (5, 2, 4, 1, 3, 5, 2), (1, 3, 2, 5, 2, 1, 3)          # of sources, of targets: T = 5, S = 6


class Case:
    def __init__(self, name, dtype, seed=0, lengths=LENGTHS, spread=0.8, **sizes):
        rng = np.random.default_rng(seed)
        self.config = c = dataclasses.replace(TRANSFORMERS[name], dtype=dtype, **sizes)
        self.p = guarded(tree.map(lambda a: a.astype(dtype), like(rng, transformer.init_float64(rng, c), spread)))
        self.batch = b = batch(rng, c, *lengths)
        self.masks = guarded(transformer_masks.draw(rng, c, len(b.source), *b.inputs.shape))
        self.teacher = rng.random(b.inputs.shape) < 0.5

    def run(self, backend, free=False):
        """forward and backward: -> [L], logits, cache, gradients."""
        model = MODELS[backend]
        L, logits, k = model.forward(self.p, self.config, self.batch, self.teacher if free else None, self.masks)
        return np.asarray([L], logits.dtype), logits, k, model.backward(self.p, self.config, k)

    def in_one(self, backend, free=False, **changes):
        """loss_and_gradient: -> [L], gradients."""
        b = self.batch._replace(**changes)
        L, g = MODELS[backend].loss_and_gradient(self.p, self.config, b, self.teacher if free else None, self.masks)
        return np.asarray([L], self.config.dtype), transformer.Params(*g)
