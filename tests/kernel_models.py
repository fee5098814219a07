"""A model of one of the Configs with random arrays, to run by either backend."""
import dataclasses

import numpy as np

from configs import CONFIGS, COPYING, FRAMES_OUT, RESIDUAL
from draw import batch, like
from kernel_layers import guarded
from minis2s.api.backends import choose
from minis2s.core import tree
from minis2s.model import dropout_masks, seq2seq

ALL = {**CONFIGS, **RESIDUAL, **FRAMES_OUT, **{f"copying-{name}": config for name, config in COPYING.items()}}
LENGTHS = (5, 2, 4, 1, 3, 5, 2), (1, 3, 2, 4, 2, 1, 3)          # of sources, of targets


class Case:
    def __init__(self, name, dtype, seed=0, lengths=LENGTHS, spread=0.5, **sizes):
        self.config, rng = dataclasses.replace(ALL[name], dtype=dtype, **sizes), np.random.default_rng(seed)
        p = like(rng, seq2seq.init(self.config), spread)
        self.p = guarded(tree.map(lambda a: a.astype(dtype), p))
        self.batch = batch(rng, self.config, *lengths)
        self.drops = guarded(dropout_masks.draw(rng, self.config, len(lengths[0])))
        self.coins = rng.random(self.batch.inputs.shape[:2]) < 0.5

    def run(self, backend, free=False):
        teacher = self.coins if free else None
        backend = choose(backend)
        L, logits, k = backend.forward(self.p, self.config, self.batch, teacher, self.drops)
        return k.decoder.ids, np.asarray([L], logits.dtype), logits, backend.backward(self.p, self.config, k)


def in_one(case, page, free=False, one_hot=False):
    """loss_and_gradient: -> [loss], gradients."""
    b = case.batch
    if one_hot:
        b = b._replace(targets=np.eye(case.config.target_vocab, dtype=case.config.dtype)[b.targets])
    L, g = page.loss_and_gradient(case.p, case.config, b, case.coins if free else None, case.drops)
    assert isinstance(g, seq2seq.Params)                     # the compiled one also knows a flat array
    return np.asarray([L], case.config.dtype), seq2seq.Params(*g)
