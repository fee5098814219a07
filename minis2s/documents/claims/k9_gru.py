"""K9: is the GRU cheaper than the LSTM, as it merges gates?  Time at equal size, accuracy at equal price.

Three blocks of gates in place of four: at equal H three quarters of the parameters and multiply-adds.  Whether that is
a gain depends on what is held equal: the size of the state, the number of parameters, or the seconds.
"""
import time
from dataclasses import replace

import numpy as np

from ...layers.cells import CELLS
from ...model.config import Config
from .claim import FAILS, HOLDS, IN_PART, Claim, Verdict, line, panel
from .small import exact_match, parameters, same_parameters, strings, train

STEPS = 500                    # of training, in quick mode
CHEAPER, AS_GOOD = 0.95, 0.05  # a ratio of times; a difference of exact match
SIZE = dict(source_vocab=12, target_vocab=12, embedding=16, attention="none")


def reversed_strings(rng, count):
    """Letters and the same backwards."""
    xs = strings(rng, count, 2, 6, 8)
    return xs, [x[::-1] for x in xs]


def seconds_of_a_layer(name, H, repeats):
    """Processor time of one layer's steps there and back, the least of several."""
    rng, cell, T, N = np.random.default_rng(0), CELLS[name], 20, 32
    p = cell.init(rng, H, H)
    xs, best = rng.normal(size=(T, N, H)), float("inf")
    for _ in range(repeats):
        start = time.process_time()
        s, caches = cell.State(*(np.zeros((N, H)) for _ in cell.State._fields)), []
        for x in xs:
            s, k = cell.step(p, x, s)
            caches.append(k)
        d = cell.State(*(np.ones((N, H)) for _ in cell.State._fields))
        for k in reversed(caches):
            _, d, _ = cell.step_backward(p, k, d)
        best = min(best, time.process_time() - start)
    return best


def experiment(plan, tick):
    """-> times of a layer by H, and exact match at equal H, at equal parameters and at equal seconds."""
    found = {"H": [32, 64, 128, 256], "layer": {"lstm": [], "gru": []}, "accuracy": {}}
    for i, H in enumerate(found["H"]):
        tick(0.2 * i / 4, f"time of a layer, H = {H}")
        for name in ("lstm", "gru"):
            found["layer"][name].append(seconds_of_a_layer(name, H, 7))
    lstm, steps = Config(cell="lstm", hidden=32, **SIZE), (4000 if plan.full else STEPS)
    gru = replace(lstm, cell="gru")
    large = same_parameters(gru, parameters(lstm), lambda hidden: replace(gru, hidden=hidden))
    found["parameters"] = {"lstm": parameters(lstm), "gru": parameters(gru), "gru, more units": parameters(large)}
    jobs = [(seed, *job) for seed in plan.seeds for job in (
        ("lstm", lstm, None), ("gru, equal H", gru, None), ("gru, equal parameters", large, None),
        ("gru, equal seconds", gru, 1))]
    spent = {}
    for i, (seed, label, config, equal) in enumerate(jobs):
        tick(0.2 + 0.8 * i / len(jobs), f"{label}, seed {seed}")
        start = time.process_time()
        # at equal seconds: as many steps as fit, so that the step size still falls to nothing
        more = steps if not equal else round(steps * spent[seed, "lstm"] / spent[seed, "gru, equal H"])
        p, _ = train(config, reversed_strings, more, seed)
        spent[seed, label] = time.process_time() - start
        held_out = reversed_strings(np.random.default_rng(10_000 + seed), 500)
        found["accuracy"].setdefault(label, []).append(exact_match(p, config, *held_out))
        found.setdefault("seconds", {}).setdefault(label, []).append(spent[seed, label])
    return found


def verdict(numbers):
    """By `CLAIM.rule`."""
    ratios = [g / s for g, s in zip(numbers["layer"]["gru"], numbers["layer"]["lstm"])]
    cheaper = float(np.median(ratios)) <= CHEAPER
    mean = {label: float(np.mean(values)) for label, values in numbers["accuracy"].items()}
    good = mean["gru, equal seconds"] >= mean["lstm"] - AS_GOOD
    because = [
        "Time of a layer, GRU over LSTM: " + ", ".join(f"{r:.2f} at H = {H}"
                                                       for r, H in zip(ratios, numbers["H"])) + ".",
        "Exact match: " + ", ".join(f"{label} {value:.1%}" for label, value in mean.items()) + "."]
    if cheaper and good:
        return Verdict(HOLDS, because)
    return Verdict(IN_PART if cheaper or good else FAILS, because)


def panels(numbers):
    """Times, and accuracies as bars."""
    labels = list(numbers["accuracy"])
    return [panel("one layer, forward and backward", "H", "seconds of processor time",
                  [line(name.upper(), numbers["H"], numbers["layer"][name]) for name in ("lstm", "gru")],
                  xscale="log", yscale="log"),
            panel("letters said backwards", "", "exact match",
                  [line(label, [label], [float(np.mean(numbers["accuracy"][label]))],
                        [min(numbers["accuracy"][label])], [max(numbers["accuracy"][label])], "bars")
                   for label in labels])]


CLAIM = Claim(
    id="K9", title="the GRU is cheaper than the LSTM", where="C §3.1",
    words="门控循环单元（GRU）是LSTM的简化版本，它通过合并输入门和遗忘门，并引入更新门来提高计算效率。 (The GRU merges input and forget "
          "gate and so computes more efficiently.)",
    known="Chung et al. (2014): comparable accuracy at equal numbers of parameters; Jozefowicz et al. (2015): the LSTM "
          "with a forget bias of 1 is level.",
    design="A layer of each cell is timed at several sizes. Then both learn to say letters backwards: at equal H, at "
           "equal numbers of parameters, and with as many steps as fit into equal seconds. Compared are times and "
           "exact match on unseen strings.",
    rule=f"Cheaper if the median ratio of times is at most {CHEAPER}; as good if at equal seconds exact match is at "
         f"most {AS_GOOD:.0%} lower. Both: holds; one: in part.",
    experiment=experiment, verdict=verdict, panels=panels)
