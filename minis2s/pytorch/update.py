"""From gradients to new parameters, on PyTorch: clipping, SGD, RMSprop, Adam.

The optimizers are those of training/optimizers.py, given tensors and their root; clipping stands here, as it must not
wait for a number of the device.  Everything is pure, too: a step makes new tensors, so the best parameters so far need
no copy.
"""
from functools import partial

import torch

from ..core import tree
from ..training import optimizers


def norm(g):
    """Euclidean length of all of a tree's tensors together, in float64."""
    return torch.stack([a.double().square().sum() for _, a in tree.named(g)]).sum().sqrt()


OPTIMIZERS = {"sgd": optimizers.sgd, "rmsprop": partial(optimizers.rmsprop, sqrt=torch.sqrt),
              "adam": partial(optimizers.adam, sqrt=torch.sqrt)}


def step(p, g, s, optimizer, lr, limit=None, value=None, **options):
    """Clip by norm, then by value, then update: -> p, State, the norm before, whether all new parameters are finite.

    See training.optimizers.step; the last two are tensors of one number.
    """
    size = norm(g)
    if limit:
        shrink = torch.clamp(limit / size, max=1.0)
        g = tree.map(lambda a: a * shrink.to(a.dtype), g)                               # (C1)
    if value:
        g = tree.map(lambda a: a.clamp(-value, value), g)                               # (C2)
    p, s = OPTIMIZERS[optimizer](p, g, s, lr, **options)
    return p, s, size, torch.stack([a.isfinite().all() for _, a in tree.named(p)]).all()
