"""From gradients to new parameters, on PyTorch: clipping, SGD, RMSprop, Adam.

The equations are those of training/optimizers.py, under the same marks, for trees of tensors.  Everything is pure, too:
a step makes new tensors, so the best parameters so far need no copy.
"""
import torch

from ..core import tree
from ..training.optimizers import State


def norm(g):
    """Euclidean length of all of a tree's tensors together, in float64."""
    return torch.stack([a.double().square().sum() for _, a in tree.named(g)]).sum().sqrt()


def sgd(p, g, s, lr, momentum=0.0):
    """(O1) (O2): see training.optimizers.sgd."""
    u = tree.map(lambda u, g: momentum * u + g, s.m, g) if momentum else g              # (O2)
    p = tree.map(lambda w, u: w - lr * u, p, u)                                         # (O1) (O2)
    return p, State(s.t + 1, u if momentum else s.m, s.v)


def rmsprop(p, g, s, lr, rho=0.9, eps=1e-8):
    """(O3) (O4): see training.optimizers.rmsprop."""
    v = tree.map(lambda v, g: rho * v + (1 - rho) * g**2, s.v, g)                       # (O3)
    p = tree.map(lambda w, g, v: w - lr * g / (v.sqrt() + eps), p, g, v)                # (O4)
    return p, State(s.t + 1, s.m, v)


def adam(p, g, s, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    """(O5) (O6): see training.optimizers.adam."""
    t = s.t + 1
    m = tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, s.m, g)                      # (O5)
    v = tree.map(lambda v, g: beta2 * v + (1 - beta2) * g**2, s.v, g)                   # (O5)
    m_scale, v_scale = 1 / (1 - beta1**t), 1 / (1 - beta2**t)
    p = tree.map(lambda w, m, v: w - lr * (m * m_scale) / ((v * v_scale).sqrt() + eps), p, m, v)    # (O6)
    return p, State(t, m, v)


OPTIMIZERS = {"sgd": sgd, "rmsprop": rmsprop, "adam": adam}


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
