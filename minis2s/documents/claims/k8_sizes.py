"""K8: must sizes of states and embeddings be chosen by experiment?  A sweep, at equal steps and at equal seconds.

If the largest model always won, no experiment would be needed.  At equal seconds a large model makes fewer steps.
"""
import time

import numpy as np

from ...model.config import Config
from .claim import FAILS, HOLDS, IN_PART, Claim, Verdict, over_seeds, panel
from .small import exact_match, strings, train

LETTERS, STEPS = 8, 220
WORSE = 0.02                   # of exact match: a smaller difference is none


def backwards(rng, count):
    """Letters and the same backwards."""
    xs = strings(rng, count, 2, 6, LETTERS)
    return xs, [x[::-1] for x in xs]


def experiment(plan, tick):
    """-> exact match for each (H, E), at equal steps and at equal seconds."""
    hidden, embeddings = ([8, 16, 32, 64, 128], [4, 16, 64]) if plan.full else ([8, 16, 32, 64], [4, 32])
    steps = 3000 if plan.full else STEPS
    found = {"hidden": hidden, "embeddings": embeddings, "steps": {}, "seconds": {}}
    jobs = [(seed, E, H) for seed in plan.seeds for E in embeddings for H in hidden]
    rows = {}
    for i, (seed, E, H) in enumerate(jobs):
        tick(i / len(jobs), f"H = {H}, E = {E}, seed {seed}")
        config = Config(cell="gru", hidden=H, embedding=E, attention="none", source_vocab=4 + LETTERS,
                        target_vocab=4 + LETTERS)
        start = time.process_time()
        train(config, backwards, 10, seed)
        each = (time.process_time() - start) / 10              # seconds of a step of this size
        if (seed, "each") not in rows:
            rows[seed, "each"] = each                          # of the smallest model: its time is everybody's
        held_out = backwards(np.random.default_rng(10_000 + seed), 200)
        for way, count in (("steps", steps), ("seconds", max(1, round(steps * rows[seed, "each"] / each)))):
            p, _ = train(config, backwards, count, seed, lr=1e-2)
            rows[seed, E, H, way] = exact_match(p, config, *held_out)
    for way in ("steps", "seconds"):
        found[way] = {f"E = {E}": [[rows[seed, E, H, way] for H in hidden] for seed in plan.seeds] for E in embeddings}
    return found


def verdict(numbers):
    """By `CLAIM.rule`."""
    because, needed = [], {}
    for way in ("steps", "seconds"):
        mean = {name: np.mean(rows, axis=0) for name, rows in numbers[way].items()}
        best = max((float(curve.max()), name, numbers["hidden"][int(curve.argmax())]) for name, curve in mean.items())
        largest = float(list(mean.values())[-1][-1])
        needed[way] = largest < best[0] - WORSE
        because.append(f"At equal {way}: the best is H = {best[2]}, {best[1]} with {best[0]:.1%}; the largest model "
                       f"has {largest:.1%}.")
    if needed["seconds"] and needed["steps"]:
        return Verdict(HOLDS, because)
    return Verdict(IN_PART if any(needed.values()) else FAILS, because)


def panels(numbers):
    """Exact match against H."""
    return [panel(f"at equal {way}", "H", "exact match",
                  [over_seeds(name, numbers["hidden"], rows) for name, rows in numbers[way].items()], xscale="log")
            for way in ("steps", "seconds")]


CLAIM = Claim(
    id="K8", title="sizes are chosen by experiment", where="A §9.5, E §6",
    words="词嵌入大小通常取决于任务的复杂性和数据规模。通常情况下，我们可以通过实验来选择合适的词嵌入大小。 (The embedding size depends on task and "
          "data; usually it is chosen by experiment.)",
    known="Greff et al. (2016), 5,400 runs: larger layers help with diminishing returns, and hyper-parameters hardly "
          "interact.",
    design="Models of several H and E learn to say letters backwards. All make equally many steps, and once more as "
           "many steps as fit into the time of the smallest model. Exact match on unseen strings is compared.",
    rule=f"An experiment is needed where the largest model is worse than the best by more than {WORSE:.0%}: at equal "
         "steps and at equal seconds: holds; at one of them: in part; at neither: does not hold, take the largest.",
    experiment=experiment, verdict=verdict, panels=panels)
