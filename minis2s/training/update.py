"""The computation of one training step, as one function: loss, gradient, clipping, new parameters.

The compiled implementation does the same in two calls (kernels/training/update.py); everything around it, such as
random numbers and bookkeeping, stays in Python and is the same for both.
"""
from typing import Any

import numpy as np

from ..data.batches import Batch
from ..model import architectures
from ..model.config import Config
from . import optimizers


def loss_and_update(p: Any, config: Config, batch: Batch, teacher: np.ndarray | None, drops: Any, s: optimizers.State,
                    optimizer: str, lr: float, limit: float | None = None, value: float | None = None,
                    **options: float) -> tuple:
    """Loss and gradient of a batch (see seq2seq.py), clipping and update (see optimizers.step).

    Returns
    -------
    L : number
    p, s, size, finite
        See optimizers.step; where L or size is not finite, neither p nor s is of use.
    """
    L, g = architectures.loss_and_gradient(p, config, batch, teacher, drops)
    return L, *optimizers.step(p, g, s, optimizer, lr, limit, value, **options)
