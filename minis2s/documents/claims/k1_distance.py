"""K1: is there a long-range problem, and does attention remove it?  Exact match by length, with a control.

Without attention all of the source must pass through one vector.  Two things grow with the length: how much that
vector must hold (capacity), and how far the first letter read is from the first letter written (distance).  Reading the
source backwards brings the beginnings together and leaves the capacity as it is: what it gains was lost to distance.
"""
import numpy as np

from ...model.config import Config
from .claim import FAILS, HOLDS, IN_PART, Claim, Verdict, over_seeds, panel
from .small import copied_by_length, parameters, same_parameters, strings, train

LETTERS, STEPS = 6, 800
FALLS, CURES = 0.2, 0.5        # a fall of exact match; the share of it that attention must take away
SIZE = dict(cell="gru", embedding=16, source_vocab=4 + LETTERS, target_vocab=4 + LETTERS)
MODELS = {"no attention": dict(attention="none"),
          "no attention, source reversed": dict(attention="none", reverse_source=True),
          "attention": dict(attention="dot"), "attention, source reversed": dict(attention="dot", reverse_source=True)}


def configs(hidden):
    """The four models with about equally many parameters."""
    plain = Config(hidden=hidden, **MODELS["no attention"], **SIZE)
    return {name: same_parameters(plain, parameters(plain), lambda h, c=choices: Config(hidden=h, **c, **SIZE))
            for name, choices in MODELS.items()}


def experiment(plan, tick):
    """-> exact match by length for each of the four models, a row for each seed."""
    shortest, longest = (5, 60) if plan.full else (2, 10)
    lengths = list(range(5, 61, 5)) if plan.full else list(range(2, 11, 2))
    models = configs(96 if plan.full else 32)
    found = {"lengths": lengths, "parameters": {name: parameters(c) for name, c in models.items()},
             "exact": {name: [] for name in models}}
    jobs = [(seed, name) for seed in plan.seeds for name in models]

    def draw(rng, count):
        xs = strings(rng, count, shortest, longest, LETTERS)
        return xs, xs
    for i, (seed, name) in enumerate(jobs):
        def share(done, before=i, name=name, seed=seed):
            tick((before + done) / len(jobs), f"{name}, seed {seed}")
        p, _ = train(models[name], draw, 12_000 if plan.full else STEPS, seed, lr=1e-2 if not plan.full else 3e-3,
                     each=share)
        found["exact"][name].append(copied_by_length(p, models[name], lengths, 200 if plan.full else 60, LETTERS, seed))
    return found


def verdict(numbers):
    """By `CLAIM.rule`."""
    mean = {name: np.mean(rows, axis=0) for name, rows in numbers["exact"].items()}
    third = max(1, len(numbers["lengths"]) // 3)
    fall = {name: float(curve[:third].mean() - curve[-third:].mean()) for name, curve in mean.items()}
    problem = fall["no attention"] >= FALLS
    cured = fall["attention"] <= (1 - CURES) * fall["no attention"]
    because = [f"{name}: exact match {curve[:third].mean():.1%} on the shortest third of the lengths, "
               f"{curve[-third:].mean():.1%} on the longest." for name, curve in mean.items()]
    gained = fall["no attention"] - fall["no attention, source reversed"]
    because.append(f"Reading backwards takes {gained:.1%} of the fall of {fall['no attention']:.1%} away: that much "
                   "was distance, the rest is capacity.")
    if problem and cured:
        return Verdict(HOLDS, because)
    return Verdict(IN_PART if problem or cured else FAILS, because)


def panels(numbers):
    """Exact match by length."""
    return [panel("letters said again", "length", "exact match",
                  [over_seeds(name, numbers["lengths"], rows) for name, rows in numbers["exact"].items()])]


CLAIM = Claim(
    id="K1", title="attention removes the long-range problem", where="B §1",
    words="传统序列模型存在长期依赖问题……通过引入注意力机制，能够有效地捕捉长距离依赖关系。 (Recurrent models have a long-range problem; "
          "attention captures long-range dependencies.)",
    known="Sutskever et al. (2014): reversing the source helps; Bahdanau et al. (2015): attention keeps BLEU on long "
          "sentences; Koehn & Knowles (2017): neural translation is worse only on very long ones.",
    design="Four models with about equally many parameters learn to say letters again: with and without attention, the "
           "source read forwards and backwards. Exact match is measured by length, from 2 to 10 letters (full: 5 to "
           "60). Reading backwards shortens the distance and not the content, so it separates the two.",
    rule=f"A long-range problem is there if without attention exact match falls by at least {FALLS:.0%} from the "
         "shortest to the longest third of the lengths; attention removes it if its own fall is at most "
         f"{1 - CURES:.0%} of that. Both: holds; one: in part.",
    experiment=experiment, verdict=verdict, panels=panels)
