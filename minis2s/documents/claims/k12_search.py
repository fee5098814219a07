"""K12: do simple searches save cost, and at what price?  Greedy, beam, exact and random search on one model.

The targets are noisy on purpose: a letter is said wrongly now and then, and some answers are empty, as in real data.
So the model is unsure, an answer's log p falls with every token, and the most probable output of all may be the empty
one: the search that makes most errors may give the best answers.
"""
import time

import numpy as np

from ...data.batches import pad
from ...decoding import beam, exact, sample
from ...model.config import Config
from .claim import FAILS, HOLDS, IN_PART, Claim, Verdict, line, panel
from .small import strings, train

LETTERS, WRONG, EMPTY = 6, 0.5, 0.1      # share of letters said wrongly, of answers that are empty
WIDTHS = (1, 2, 4, 8, 16)
LONGEST, BUDGET = 9, 3000
STEPS = 1200                   # of training, in quick mode
AS_GOOD, CHEAPER = 0.03, 0.5


def noisy(rng, count):
    """Letters and the same letters, some of them said wrongly; some answers are empty."""
    xs = strings(rng, count, 4, 7, LETTERS)
    ys = [[int(rng.integers(4, 4 + LETTERS)) if rng.random() < WRONG else y for y in x] for x in xs]
    return xs, [[] if rng.random() < EMPTY else y for y in ys]


def experiment(plan, tick):
    """-> for each search: seconds, share of right answers, of empty ones, of search errors, mean log p and length."""
    rows = {}
    for i, seed in enumerate(plan.seeds):
        config = Config(cell="gru", hidden=32, embedding=16, attention="dot", source_vocab=4 + LETTERS,
                        target_vocab=4 + LETTERS)

        def share(done, seed_number=i):
            tick((seed_number + 0.6 * done) / len(plan.seeds), f"training, seed {plan.seeds[seed_number]}")
        p, _ = train(config, noisy, 4000 if plan.full else STEPS, seed, each=share)
        sources = strings(np.random.default_rng(10_000 + seed), 200 if plan.full else 40, 4, 7, LETTERS)
        tick((i + 0.6) / len(plan.seeds), f"searching, seed {seed}")
        for name, row in searches(p, config, sources, seed).items():
            rows.setdefault(name, []).append(row)
    return {"searches": rows, "widths": list(WIDTHS)}


def searches(p, config, sources, seed):
    """All searches on the same model and sources."""
    given = (p, config, *pad(sources), LONGEST)
    jobs = {f"beam {K}" if K > 1 else "greedy": lambda K=K: [a[0] for a in beam(*given, K, 0.0)] for K in WIDTHS}
    jobs["beam 16, by log p / length"] = lambda: [a[0] for a in beam(*given, 16, 1.0)]
    jobs["beam 16, at least one token"] = lambda: [next((b for b in a if b.ids), a[0])
                                                   for a in beam(*given, 16, 0.0, 16)]
    jobs["sampling"] = lambda: [a[0] for a in sample(*given, np.random.default_rng(seed))]
    jobs["exact"] = lambda: [a[0] for a in exact(*given, BUDGET)]
    found, seconds = {}, {}
    for name, job in jobs.items():
        start = time.process_time()
        found[name] = job()
        seconds[name] = time.process_time() - start
    best = [a.log_prob for a in found["exact"]]
    proven = [a.proven for a in found["exact"]]
    return {name: {
        "seconds": seconds[name], "right": float(np.mean([a.ids == s for a, s in zip(answers, sources)])),
        "empty": float(np.mean([not a.ids for a in answers])),
        "errors": float(np.mean([a.log_prob < b - 1e-5 for a, b, sure in zip(answers, best, proven) if sure])),
        "log_p": float(np.mean([a.log_prob for a in answers])), "length": float(np.mean([len(a.ids) for a in answers])),
        "proven": float(np.mean(proven))} for name, answers in found.items()}


def verdict(numbers):
    """By `CLAIM.rule`."""
    rows = numbers["searches"]
    mean = {name: {key: float(np.mean([row[key] for row in seeds])) for key in seeds[0]}
            for name, seeds in rows.items()}
    best = max(mean[name]["right"] for name in mean)
    cheap = mean["greedy"]["seconds"] <= CHEAPER * mean["beam 16"]["seconds"]
    good = mean["greedy"]["right"] >= best - AS_GOOD
    because = [f"{name}: {m['seconds']:.2f} s, right {m['right']:.1%}, empty {m['empty']:.1%}, search errors "
               f"{m['errors']:.1%}, mean length {m['length']:.1f}." for name, m in mean.items()]
    because.append(f"Exact search proved {mean['exact']['proven']:.0%} of its answers; {mean['exact']['empty']:.1%} of "
                   "the most probable outputs are empty.")
    if cheap and good:
        return Verdict(HOLDS, because)
    return Verdict(IN_PART if cheap or good else FAILS, because)


def panels(numbers):
    """Quality against seconds; what a wider beam does."""
    rows = numbers["searches"]

    def mean(name, key):
        return float(np.mean([row[key] for row in rows[name]]))
    beams = ["greedy" if K == 1 else f"beam {K}" for K in numbers["widths"]]
    return [panel("quality against time", "seconds of processor time", "share of right answers",
                  [line(name, [mean(name, "seconds")], [mean(name, "right")], style="points") for name in rows],
                  xscale="log"),
            panel("a wider beam, ranked by log p", "width", "share of answers",
                  [line(label, numbers["widths"], [mean(name, key) for name in beams])
                   for label, key in (("right", "right"), ("empty", "empty"),
                                      ("less probable than the optimum", "errors"))],
                  xscale="log")]


CLAIM = Claim(
    id="K12", title="greedy decoding or dynamic programming lowers cost", where="E §6",
    words="在计算资源有限的情况下，我们可以尝试使用更简单的模型结构，或者使用更有效的训练方法，如贪婪解码、动态规划解码等。 (Where resources are "
          "limited, greedy decoding or dynamic programming helps.)",
    known="Koehn & Knowles (2017): only narrow beams help; Stahlberg & Byrne (2019): for over half of the sentences "
          "the global optimum is the empty output, and beams of 100 mostly miss it.",
    design="A small model learns from noisy targets, of which some are empty. The same unseen sources are answered by "
           "greedy, beam, exact and random search, by beams ranked by log p for each token, and by beams that must say "
           "something. Compared are seconds, right answers, empty answers and outputs less probable than the proven "
           "optimum.",
    rule=f"Cheap if greedy takes at most {CHEAPER:.0%} of the time of a beam of 16; good if no search has "
         f"{AS_GOOD:.0%} more right answers than greedy. Both: holds; one: in part.",
    experiment=experiment, verdict=verdict, panels=panels)
