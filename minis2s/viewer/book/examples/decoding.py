"""The searches, on a model that is a table: row y holds the logits of what follows token y; token 2 is the EOS."""
import itertools

import numpy as np

from ....core.functions import log_softmax
from ....testing import oracle
from .example import Example, normal


def live(v):
    """Greedy, a beam of two, and the exact search, at most three tokens; token 2 is the EOS, -1 is nothing."""
    log_p = [oracle.log_softmax(row) for row in v["logits"]]

    def next_log_probs(y):
        return log_p[y[-1] if y else 0]

    def tokens(y):
        return [float(y[i]) if i < len(y) else -1.0 for i in range(3)]
    greedy, greedy_log_p = oracle.greedy(next_log_probs, 3, 2)
    beam, beam_log_p = oracle.beam_search(next_log_probs, 3, 2, 2)
    exact, exact_log_p = oracle.exhaustive(next_log_probs, 3, 2)
    return {"log_p": log_p, "y_greedy": tokens(greedy), "log_p_greedy": [greedy_log_p],
            "y_beam": tokens(beam), "log_p_beam": [beam_log_p], "y_exact": tokens(exact), "log_p_exact": [exact_log_p]}


def forward(v):
    """The same by looking at every output, with the library's log-softmax."""
    log_p = log_softmax(v["logits"])
    found = {"log_p": log_p}
    for name, y in (("greedy", greedy(log_p)), ("beam", beam(log_p, 2)), ("exact", best(outputs()[1], log_p))):
        found[f"y_{name}"] = np.array([*y, -1, -1, -1][:3], dtype=float)
        found[f"log_p_{name}"] = np.array([total(y, log_p)])
    return found, None


def total(y, log_p):
    """log p of tokens."""
    return sum(log_p[a, b] for a, b in zip((0, *y), y))


def outputs():
    """Beginnings by length, and all outputs: those that end with the EOS, and those cut at three tokens."""
    ways = [y for n in (1, 2, 3) for y in itertools.product(range(3), repeat=n) if 2 not in y[:-1]]
    return ways, [y for y in ways if y[-1] == 2 or len(y) == 3]


def best(among, log_p):
    """The most probable of some outputs."""
    return max(among, key=lambda y: total(y, log_p))


def greedy(log_p):
    """The most probable token each time."""
    y = ()
    while len(y) < 3 and y[-1:] != (2,):
        y += (int(log_p[y[-1] if y else 0].argmax()),)
    return y


def beam(log_p, K):
    """The K most probable beginnings each time, and all that they finish."""
    kept, done = [()], []
    for _ in range(3):
        grown = [(*y, token) for y in kept for token in range(3)]
        done += [y for y in grown if y[-1] == 2]
        kept = sorted((y for y in grown if y[-1] != 2), key=lambda y: -total(y, log_p))[:K]
    return best(done + kept, log_p)


EXAMPLES = (Example("decoding", lambda rng, N: {"logits": 2 * normal(rng, 3, 3)}, live, forward, None,
                    also={"(outputs)": {name: name for name in (
                        "log_p", "y_greedy", "log_p_greedy", "y_beam", "log_p_beam", "y_exact", "log_p_exact")}}),)
