"""The steps of compiled searches by the name of the architecture; both files have `start` and `advance`."""
from . import hypotheses, transformer_hypotheses

MODELS = {"recurrent": hypotheses, "transformer": transformer_hypotheses}


def of(config):
    """The file with the steps for a Config."""
    return MODELS[config.architecture]
