"""A readout that copies: a source of three words, one of which stands twice and one is in no vocabulary."""
import numpy as np

from ....core.functions import softmax
from ....layers import copying, linear
from ....testing import oracle
from .example import Example, normal

R, V = 2, 2
WORDS = np.array([[1], [2], [1]])                               # word 2 can only be copied


def copied(v):
    """One step.  The source is the words 1, 2, 1; the vocabulary has the words 0 and 1."""
    a = oracle.copy_gate(v["w"], v["b"], v["r"][0][0])
    c = oracle.copies([alpha[0] for alpha in v["alpha"][0]], [1, 2, 1], 3)
    return {"log_p": [[oracle.mixed(v["logits"][0][0], c, a)]]}


def draw(rng, N):
    """Weights of attention that sum to 1."""
    return {"r": normal(rng, 1, N, R), "logits": normal(rng, 1, N, V),
            "alpha": softmax(normal(rng, 1, len(WORDS), N), axis=1), "w": normal(rng, R, 1), "b": normal(rng, 1)}


def mixed(v):
    """The library's."""
    ids = WORDS.repeat(v["r"].shape[1], axis=1)
    log_p, k = copying.forward(linear.Params(v["w"], v["b"]), v["r"], v["logits"], v["alpha"], ids)
    return {"log_p": log_p}, k


def mixed_back(v, k, d):
    """Its derivative."""
    dr, dlogits, dalpha, g = copying.backward(linear.Params(v["w"], v["b"]), k, d["log_p"])
    return {"r": dr, "logits": dlogits, "alpha": dalpha, "w": g.W, "b": g.b}


EXAMPLES = (Example("copying", draw, copied, mixed, mixed_back),)
