"""Compiled implementation of update.py: a training step is two compiled calls.

    p, batch ──> encoder, decoder, loss, and back (model/) ──> g ──> norm, clip, update (optimizers.py) ──> new p

Between them g is one flat array; it becomes a tree only if weights are shared or the encoder is not part of the
call (see encoder.py).  The update is a call of its own so that the new parameters may take the memory of the first
call's arrays.
"""
from ..model import architectures
from ..model.validated import remember_validated, validated
from . import optimizers


def loss_and_update(p, config, batch, teacher_mask, masks, s, optimizer, lr, limit=None, value=None, **options):
    """See training.update.loss_and_update."""
    model = architectures.of(config)
    shared = config.tied_cells or config.tied_embedding or not model.is_one_call(config, batch)
    if shared:
        L, g = model.loss_and_gradient(p, config, batch, teacher_mask, masks)
    else:
        p, s = validated(p, config), optimizers.packed(p, s)
        L, g = model.flat_gradient(p, config, batch, teacher_mask, masks)
    p, *rest = optimizers.step(p, g, s, optimizer, lr, limit, value, **options)
    remember_validated(p, config)                              # as valid as the parameters before the update
    return L, p, *rest
