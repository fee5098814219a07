"""The compiled models by the name of their architecture, as minis2s/model/architectures.py has the readable ones."""
from . import seq2seq, transformer

MODELS = {"recurrent": seq2seq, "transformer": transformer}


def of(config):
    """The file that computes models of a Config; both have the functions below."""
    return MODELS[config.architecture]


def forward(p, config, batch, teacher_mask=None, masks=None):
    """See model.architectures.forward."""
    return of(config).forward(p, config, batch, teacher_mask, masks)


def backward(p, config, k):
    """See model.architectures.backward."""
    return of(config).backward(p, config, k)


def loss_and_gradient(p, config, batch, teacher_mask=None, masks=None):
    """See model.architectures.loss_and_gradient."""
    return of(config).loss_and_gradient(p, config, batch, teacher_mask, masks)


def logits(p, config, batch, teacher_mask=None):
    """See model.architectures.logits."""
    return of(config).logits(p, config, batch, teacher_mask)


def forced_and_free(p, config, batch):
    """See model.architectures.forced_and_free."""
    return of(config).forced_and_free(p, config, batch)
