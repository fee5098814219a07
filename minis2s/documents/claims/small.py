"""Small models, trained in seconds by the reference implementation: what several experiments share."""
import time

import numpy as np

from ...data.batches import make_batch, pad
from ...decoding import greedy
from ...model import seq2seq
from ...model.parameters import shapes
from ...training import optimizers

FIRST = 4                      # ids below are PAD, BOS, EOS, UNK


def strings(rng, count, shortest, longest, letters):
    """Random sequences of ids, lengths evenly from `shortest` to `longest`."""
    return [rng.integers(FIRST, FIRST + letters, size=rng.integers(shortest, longest + 1)).tolist()
            for _ in range(count)]


def train(config, draw, steps, seed=0, batch=32, lr=5e-3, limit=1.0, seconds=None, each=None, batch_of=make_batch,
          start=None, project=None):
    """Adam with a step size that falls evenly to nothing, on batches that draw(rng, count) makes.

    Parameters
    ----------
    config : Config
    draw : callable
        (rng, count) -> sources, targets: lists of lists of ids.
    steps : int
    seed : int
    batch, lr, limit
        Examples in a batch, first step size, largest gradient norm.
    seconds : float, optional
        Stop after so much processor time.
    each : callable, optional
        each(share done) after every step.
    batch_of : callable
        What makes a Batch of sources, targets, and whether to reverse the sources.
    start : Params, optional
        Where to begin; None: at random parameters of this seed.
    project : callable, optional
        What becomes of the parameters after each step.

    Returns
    -------
    Params, steps made
    """
    rng, p = np.random.default_rng(seed), seq2seq.init(config, seed) if start is None else start
    s, began, step = optimizers.start(p), time.process_time(), 0
    for step in range(1, steps + 1):
        _, g = seq2seq.loss_and_gradient(p, config, batch_of(*draw(rng, batch), config.reverse_source))
        p, s, _, _ = optimizers.step(p, g, s, "adam", lr * (1 - (step - 1) / steps), limit)
        p = project(p) if project else p
        if each:
            each(step / steps)
        if seconds and time.process_time() - began > seconds:
            break
    return p, step


def answers(p, config, sources, longest):
    """Greedy answers: -> list of lists of ids."""
    source, mask = pad([s[::-1] for s in sources] if config.reverse_source else sources)
    return [best.ids for best, in greedy(p, config, source, mask, longest)]


def exact_match(p, config, sources, targets):
    """Share of greedy answers that are the target."""
    found = answers(p, config, sources, max(map(len, targets)) + 2)
    return float(np.mean([a == list(t) for a, t in zip(found, targets)]))


def copied_by_length(p, config, lengths, count, letters, seed):
    """Exact match of letters said again, for each of the lengths: `count` new strings of it."""
    rng, row = np.random.default_rng(10_000 + seed), []
    for n in lengths:
        xs = strings(rng, count, n, n, letters)
        row.append(exact_match(p, config, xs, xs))
    return row


def parameters(config):
    """How many numbers a model of this Config has."""
    return sum(int(np.prod(shape)) for shape in shapes(config).values())


def same_parameters(config, wanted, size_of):
    """The Config of size_of(hidden) whose number of parameters is nearest to `wanted`."""
    return min((size_of(hidden) for hidden in range(4, 400)), key=lambda c: abs(parameters(c) - wanted))
