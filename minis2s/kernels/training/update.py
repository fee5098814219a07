"""Compiled implementation of update.py: a training step is two compiled calls.

    p, batch ──> encoder, decoder, loss, and back (seq2seq.py) ──> g ──> norm, clipping, update (optimizers.py) ──> new p

Between them g is one flat array; nobody makes a tree of it, unless weights are shared or the model is put together
part by part (see encoder.py).  The update is a call of its own so that the new parameters may stand where the first
call's arrays stood.
"""
from ..model import seq2seq
from . import optimizers
from ..model.validated import validated, remember_validated


def loss_and_update(p, config, batch, teacher, drops, s, optimizer, lr, limit=None, value=None, **options):
    """See training.update.loss_and_update."""
    shared = config.tied_cells or config.tied_embedding or not seq2seq.is_one_call(config, batch)
    if shared:
        L, g = seq2seq.loss_and_gradient(p, config, batch, teacher, drops)
    else:
        p, s = validated(p, config), optimizers.packed(p, s)
        L, g = seq2seq.flat_gradient(p, config, batch, teacher, drops)
    p, *rest = optimizers.step(p, g, s, optimizer, lr, limit, value, **options)
    remember_validated(p, config)                                                 # as ready as those that it was made of
    return L, p, *rest
