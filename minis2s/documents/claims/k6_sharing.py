"""K6: do shared parameters of encoder and decoder let a model learn long-range dependencies?  Tied against untied.

Letters are said again without attention, so a letter must be kept for as many steps as there are letters: the length is
the lag.  Sharing halves the parameters of the cells; so tied models are compared at equal H and at equal parameters.
"""
import numpy as np

from ...model.config import Config
from .claim import FAILS, HOLDS, Claim, Verdict, over_seeds, panel
from .small import copied_by_length, parameters, same_parameters, strings, train

LETTERS, STEPS = 6, 500
BETTER = 0.05                  # of exact match on the longest third of the lengths
SIZE = dict(cell="gru", attention="none", embedding=16, source_vocab=4 + LETTERS, target_vocab=4 + LETTERS)


def models(hidden):
    """Untied; tied at equal H; tied with as many parameters as the untied one."""
    untied = Config(hidden=hidden, **SIZE)

    def tied(h):
        return Config(hidden=h, tied_cells=True, **SIZE)
    return {"untied": untied, "tied, equal H": tied(hidden),
            "tied, equal parameters": same_parameters(untied, parameters(untied), tied)}


def experiment(plan, tick):
    """-> exact match by lag for each model, a row for each seed."""
    lags = list(range(2, 13)) if plan.full else list(range(2, 8))
    made = models(64 if plan.full else 32)
    found = {"lags": lags, "parameters": {name: parameters(c) for name, c in made.items()},
             "exact": {name: [] for name in made}}
    jobs = [(seed, name) for seed in plan.seeds for name in made]

    def draw(rng, count):
        xs = strings(rng, count, lags[0], lags[-1], LETTERS)
        return xs, xs
    for i, (seed, name) in enumerate(jobs):
        def share(done, before=i, name=name, seed=seed):
            tick((before + done) / len(jobs), f"{name}, seed {seed}")
        p, _ = train(made[name], draw, 6000 if plan.full else STEPS, seed, lr=1e-2 if not plan.full else 5e-3,
                     each=share)
        found["exact"][name].append(copied_by_length(p, made[name], lags, 200 if plan.full else 60, LETTERS, seed))
    return found


def verdict(numbers):
    """By `CLAIM.rule`."""
    third = max(1, len(numbers["lags"]) // 3)
    far = {name: float(np.mean(np.array(rows)[:, -third:])) for name, rows in numbers["exact"].items()}
    gains = {name: far[name] - far["untied"] for name in far if name != "untied"}
    because = [f"{name}: {numbers['parameters'][name]:,} parameters, exact match on the longest third {value:.1%}."
               for name, value in far.items()]
    return Verdict(HOLDS if max(gains.values()) >= BETTER and min(gains.values()) > -BETTER else FAILS, because)


def panels(numbers):
    """Exact match by lag."""
    return [panel("letters said again, no attention", "lag: steps for which a letter is kept", "exact match",
                  [over_seeds(name, numbers["lags"], rows) for name, rows in numbers["exact"].items()])]


CLAIM = Claim(
    id="K6", title="sharing parameters lets the model learn long-range dependencies", where="D §2.1",
    words="编码器和解码器共享同一组参数，这使得模型能够学习到长序列的长距离依赖关系。 (Encoder and decoder share one set of parameters, which "
          "lets the model learn long-range dependencies.)",
    known="Sharing works as compression: 31 % fewer parameters at no loss (arXiv 1607.08725). Nothing was found that "
          "speaks for long range.",
    design="Models without attention learn to say letters again, so each letter must be kept for as many steps as "
           "there are letters. Cells are tied or not, at equal H and at equal numbers of parameters. Exact match is "
           "measured by lag.",
    rule=f"Holds if a tied model is better than the untied one by at least {BETTER:.0%} of exact match on the longest "
         "third of the lags, and none is worse by as much. Else it does not hold.",
    experiment=experiment, verdict=verdict, panels=panels)
