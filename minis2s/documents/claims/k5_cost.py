"""K5: does the cost grow exponentially with the length?  Slopes in a picture with two logarithmic axes.

A cost of n^a is a straight line of slope a there; an exponential one bends upwards without end.  What does grow
exponentially is the number of possible outputs; how many of them exact search must visit depends on the model.
"""
import time

import numpy as np

from .claim import FAILS, HOLDS, Claim, Verdict, line, panel

ENDS = {"likely": 0.0, "unlikely": -20.0}       # the bias of the end's logit: at -20 all outputs are about as good
STEEPEST = 3.0                 # a slope above this, or one that still grows, would speak for an exponential


def slope(sizes, seconds):
    """Of the straight line through the logarithms, with its standard error: -> (slope, error)."""
    x, y = np.log(sizes), np.log(seconds)
    design = np.stack([np.ones_like(x), x], axis=1)
    coefficients, residual, *_ = np.linalg.lstsq(design, y, rcond=None)
    left = float(((y - design @ coefficients)**2).sum()) / max(1, len(x) - 2)
    return float(coefficients[1]), float(np.sqrt(left / ((x - x.mean())**2).sum()))


def one_step(config, T, S, N=8):
    """A function that computes a loss and its gradient, for random tokens."""
    from ...data.batches import make_batch
    from ...model import seq2seq
    rng = np.random.default_rng(0)
    rows = [[rng.integers(4, 20, size=steps).tolist() for _ in range(N)] for steps in (T, S)]
    p, batch = seq2seq.init(config), make_batch(*rows)
    return lambda: seq2seq.loss_and_gradient(p, config, batch)


def processor_time(call, repeats):
    """The least of several calls, in seconds of processor time: other programs only ever add."""
    call()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def experiment(plan, tick):
    """-> seconds against T = S for models with and without attention, against S alone, and nodes of exact search."""
    from ...model.config import Config
    sizes = [25, 50, 100, 200, 400] + ([800] if plan.full else [])
    small = dict(source_vocab=20, target_vocab=20, embedding=16, hidden=32)
    models = {"no attention": Config(attention="none", **small), "additive attention": Config(**small)}
    found, done = {"sizes": sizes, "seconds": {}}, 0
    for name, config in models.items():
        found["seconds"][name] = []
        for n in sizes:
            tick(0.8 * done / (len(models) * len(sizes)), f"{name}, T = S = {n}")
            found["seconds"][name].append(processor_time(one_step(config, n, n), 5 if plan.full else 2))
            done += 1
    found["slopes"] = {name: slope(sizes[-4:], times[-4:]) for name, times in found["seconds"].items()}
    found["last_slopes"] = {name: float(np.log2(times[-1] / times[-2])) for name, times in found["seconds"].items()}
    tick(0.8, "exact search")
    found["search"] = visited(plan, tick)
    return found


def visited(plan, tick):
    """Nodes that exact search expands on a model of random weights, against the outputs that there are."""
    from ...data.batches import pad
    from ...data.vocabulary import EOS
    from ...decoding import exact as search
    from ...model import seq2seq
    from ...model.config import Config
    config = Config(source_vocab=9, target_vocab=9, embedding=8, hidden=16, attention="none", dtype="float64")
    source, mask = pad([[4, 5, 6]])
    rows, p = [], seq2seq.init(config, 1)
    for longest in range(2, 7 if plan.full else 6):
        tick(0.8 + 0.2 * (longest - 2) / 5, f"exact search, outputs up to {longest} tokens")
        # tokens that are none of the four, then the end
        row = {"longest": longest, "outputs": sum(5 ** k for k in range(longest))}
        for name, bias in ENDS.items():
            p.decoder.readout.b[EOS] = bias
            budget, proven = 1, False
            while not proven:                                  # the least budget, a power of 2, that proves it
                budget *= 2
                proven = search(p, config, source, mask, longest, budget)[0][0].proven
            row[name] = budget
        rows.append(row)
    return rows


def verdict(numbers):
    """By `CLAIM.rule`."""
    steep = {name: max(numbers["slopes"][name][0], numbers["last_slopes"][name]) for name in numbers["slopes"]}
    exponential = any(value > STEEPEST for value in steep.values())
    because = [f"{name}: time grows as n^{a:.2f} (standard error {e:.2f}), over the last doubling as "
               f"n^{numbers['last_slopes'][name]:.2f}." for name, (a, e) in numbers["slopes"].items()]
    last = numbers["search"][-1]
    because.append(f"What is exponential: there are {last['outputs']:,} outputs of up to {last['longest']} tokens, of "
                   f"which exact search needs at most {last['likely']:,} nodes for its proof where an end is likely at "
                   f"once, and at most {last['unlikely']:,} where it never is.")
    return Verdict(HOLDS if exponential else FAILS, because)


def panels(numbers):
    """Time and nodes."""
    search = numbers["search"]
    lengths = [row["longest"] for row in search]
    return [panel("one training step", "T = S", "seconds of processor time",
                  [line(f"{name}: slope {numbers['slopes'][name][0]:.2f}", numbers["sizes"], times)
                   for name, times in numbers["seconds"].items()], xscale="log", yscale="log"),
            panel("exact search", "greatest length of an output", "number",
                  [line("possible outputs", lengths, [row["outputs"] for row in search]),
                   *(line(f"nodes for the proof, at most: an end is {name}", lengths, [row[name] for row in search])
                     for name in ENDS)], yscale="log")]


CLAIM = Claim(
    id="K5", title="cost grows exponentially with the length", where="B §8",
    words="随着输入序列和输出序列的长度的增加，计算复杂度呈指数级增长。 (With the lengths of input and output the complexity grows "
          "exponentially.)",
    known="A recurrence costs T steps, attention T times S scores; only the space of outputs grows exponentially "
          "(Stahlberg & Byrne 2019 search it exactly).",
    design="Training steps of equal models with and without attention are timed at lengths that double, T = S. The "
           "slope of the logarithms is the power of the growth. Beside it, exact search is run on outputs of growing "
           "length, and its nodes are counted.",
    rule=f"Holds if a slope, over all or over the last doubling, is above {STEEPEST:g}: no polynomial of the model's "
         "parts is as steep. Else it does not hold.",
    experiment=experiment, verdict=verdict, panels=panels)
