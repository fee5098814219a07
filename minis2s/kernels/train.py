"""Twin of train.py's loss_and_update: a training step is two compiled calls.

    p, batch ──> encoder, decoder, loss, and back (seq2seq.py) ──> g ──> norm, clipping, update (optim.py) ──> new p

Between them g is one flat array; nobody makes a tree of it, unless weights are shared.  The update is a call of its
own so that the new parameters may stand where the first call's arrays stood.
"""
from . import optim, seq2seq


def loss_and_update(p, config, batch, teacher, drops, s, optimizer, lr, limit=None, value=None, **options):
    """See train.loss_and_update."""
    shared = config.tied_cells or config.tied_embedding or not seq2seq.is_one_call(config, batch)
    gradient = seq2seq.loss_and_gradient if shared else seq2seq.flat_gradient
    L, g = gradient(p, config, batch, teacher, drops)
    return L, *optim.step(p, g, s, optimizer, lr, limit, value, **options)
