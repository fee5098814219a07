"""K10: do quantisation, pruning and distillation cut the cost?  Bytes, seconds and exact match of smaller models.

A trained model is rounded to 8, 7, ... 1 bits, with a scale for each matrix or for each column; its smallest weights
are set to 0, by each of the three schemes of See et al. (2016), with and without training on; and students with a
sixth of its units learn from the targets, from its distributions, or from its answers.
"""
import time
from dataclasses import replace

import numpy as np

from ...core import tree
from ...data.batches import make_batch, pad
from ...decoding import beam
from ...layers.distillation import soft_targets
from ...model import seq2seq
from ...model.config import Config
from ...training import compression, pruning
from .claim import FAILS, HOLDS, IN_PART, Claim, Verdict, line, over_seeds, panel
from .small import answers, exact_match, strings, train

LETTERS, STEPS = 8, 500
BITS, SHARES = list(range(8, 0, -1)), [0.2, 0.4, 0.6, 0.8, 0.9]
LOST, FASTER = 0.01, 0.8       # of exact match; of the seconds
SMALL_FILE = {"quantised": 0.3, "pruned": 0.6}
BETTER = 0.01                  # exact match that a teacher must add to a student


def backwards(rng, count):
    """Letters and the same backwards."""
    xs = strings(rng, count, 3, 8, LETTERS)
    return xs, [x[::-1] for x in xs]


def experiment(plan, tick):
    """-> bytes, seconds and exact match of the model, of its quantised and pruned forms, and of students."""
    hidden, steps = (64, 1500) if plan.full else (48, STEPS)
    config = Config(cell="gru", hidden=hidden, embedding=16, attention="general", source_vocab=4 + LETTERS,
                    target_vocab=4 + LETTERS)
    found = {"bits": BITS, "shares": SHARES, "models": {}}
    for i, seed in enumerate(plan.seeds):
        def report(done, text, before=i, seed=seed):
            tick((before + done) / len(plan.seeds), f"{text}, seed {seed}")
        p, _ = train(config, backwards, steps, seed, lr=1e-2, each=lambda done: report(0.25 * done, "the model"))
        held_out = backwards(np.random.default_rng(10_000 + seed), 400 if plan.full else 150)
        rows = {"as trained": measured(p, config, held_out, compression.encode(p)[0])}
        for bits in BITS:
            report(0.3, f"{bits} bits")
            for per in ("tensor", "channel"):
                q, arrays, _ = compression.shrink(p, bits, per)
                rows[f"{bits} bits, per {per}"] = measured(q, config, held_out, arrays)
        rows.update(pruned(p, config, held_out, seed, steps // 4, report))
        rows.update(students(p, config, held_out, seed, steps, report))
        for name, row in rows.items():
            found["models"].setdefault(name, []).append(row)
    return found


def measured(p, config, held_out, arrays):
    """Bytes of the packed arrays, processor seconds of greedy answers, exact match."""
    seconds = []
    for _ in range(3):                                          # the least: other programs only ever add
        start = time.process_time()
        exact = exact_match(p, config, *held_out)
        seconds.append(time.process_time() - start)
    return {"bytes": compression.size(arrays), "seconds": min(seconds), "exact": exact}


def pruned(p, config, held_out, seed, steps, report):
    """By each scheme and share; the blind scheme with training on as well."""
    rows = {}
    for share in SHARES:
        for scheme in pruning.SCHEMES:
            report(0.4, f"{share:.0%} pruned, {scheme}")
            masks = pruning.masks(p, share, scheme)
            rows[f"{share:.0%} pruned, {scheme}"] = row_of(pruning.apply(p, masks), masks, config, held_out)
        masks = pruning.masks(p, share)
        again, _ = train(config, backwards, steps, seed + 1, lr=2e-3, start=pruning.apply(p, masks),
                         project=lambda q, m=masks: pruning.apply(q, m),
                         each=lambda done: report(0.4 + 0.1 * done, "retraining"))
        rows[f"{share:.0%} pruned, blind, retrained"] = row_of(again, masks, config, held_out)
    return rows


def row_of(p, masks, config, held_out):
    """`measured` for a model with masks."""
    return measured(p, config, held_out, compression.encode(p, masks)[0])


def students(p, config, held_out, seed, steps, report):
    """A sixth of the units: from targets, from the teacher's distributions, from its answers; the teacher's beam."""
    small, rows = replace(config, hidden=config.hidden // 6), {}

    def softened(sources, targets, reverse):
        batch = make_batch(sources, targets, reverse)
        return batch._replace(targets=soft_targets(batch.targets, seq2seq.logits(p, config, batch), 0.5))

    def taught(rng, count):
        xs, ys = backwards(rng, count)
        return xs, answers(p, config, xs, max(map(len, ys)) + 2)
    for name, draw, batch_of in (("student, from the targets", backwards, make_batch),
                                 ("student, word level", backwards, softened),
                                 ("student, sequence level", taught, make_batch)):
        q, _ = train(small, draw, steps, seed, lr=1e-2, batch_of=batch_of,
                     each=lambda done, n=name: report(0.5 + 0.4 * done, n))
        rows[name] = measured(q, small, held_out, dict(tree.named(q)))
    start = time.process_time()
    found = beam(p, config, *pad(held_out[0]), max(map(len, held_out[1])) + 2, 5)
    rows["teacher, beam 5"] = {"bytes": compression.size(dict(tree.named(p))), "seconds": time.process_time() - start,
                               "exact": float(np.mean([best[0].ids == y for best, y in zip(found, held_out[1])]))}
    return rows


def means(numbers):
    """{name: {"bytes", "seconds", "exact"}} over the seeds."""
    return {name: {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
            for name, rows in numbers["models"].items()}


def kind(name):
    """Which of the techniques a model's name tells: "quantised", "pruned", "student" or "model"."""
    return next((k for word, k in (("bits", "quantised"), ("pruned", "pruned"), ("student", "student"))
                 if word in name), "model")


def verdict(numbers):
    """By `CLAIM.rule`."""
    mean, because, helps = means(numbers), [], {}
    whole = mean["as trained"]
    good = {name: m for name, m in mean.items() if m["exact"] >= whole["exact"] - LOST and kind(name) in SMALL_FILE}
    for technique, limit in SMALL_FILE.items():
        smallest = min(((m["bytes"], name) for name, m in good.items() if kind(name) == technique),
                       default=(whole["bytes"], None))
        helps[technique] = smallest[0] <= limit * whole["bytes"]
        because.append(f"{technique.capitalize()}, at most {LOST:.0%} of exact match lost: " + (
            f"{smallest[1]}, {smallest[0] / whole['bytes']:.2f} of {whole['bytes']:,.0f} bytes." if smallest[1]
            else "no model."))
    alone = mean["student, from the targets"]
    name, best = max(((n, mean[n]) for n in ("student, word level", "student, sequence level")),
                     key=lambda pair: pair[1]["exact"])
    helps["distilled"] = best["exact"] >= alone["exact"] + BETTER
    because.append(f"Distilled: {name} {best['exact']:.1%}, from the targets {alone['exact']:.1%}, the teacher "
                   f"{whole['exact']:.1%} (beam 5: {mean['teacher, beam 5']['exact']:.1%}); "
                   f"{best['bytes'] / whole['bytes']:.2f} of the bytes, {best['seconds'] / whole['seconds']:.2f} of "
                   "the seconds.")
    quickest = min((m["seconds"] / whole["seconds"] for m in good.values()), default=1.0)
    typical = float(np.median([m["seconds"] / whole["seconds"] for m in good.values()])) if good else 1.0
    because.append(f"Seconds of quantised and pruned models over those of the model: median {typical:.2f}, least "
                   f"{quickest:.2f}: they compute with matrices of the same sizes.")
    if all(helps.values()) and typical <= FASTER:
        return Verdict(HOLDS, because)
    return Verdict(IN_PART if any(helps.values()) else FAILS, because)


def panels(numbers):
    """Exact match against bits and against zeros; and against bytes and seconds, each technique by itself."""
    models, mean = numbers["models"], means(numbers)

    def rows(names):
        return np.array([[row["exact"] for row in models[name]] for name in names]).T

    def cloud(technique, key):
        chosen = [m for name, m in mean.items() if kind(name) == technique]
        return line(technique, [m[key] for m in chosen], [m["exact"] for m in chosen], style="points")
    ways = [*pruning.SCHEMES, "blind, retrained"]
    clouds = ("quantised", "pruned", "student", "model")
    return [panel("quantised", "bits of a weight", "exact match", [
                over_seeds(f"per {per}", numbers["bits"], rows(f"{b} bits, per {per}" for b in numbers["bits"]))
                for per in ("tensor", "channel")]),
            panel("pruned", "share of zeros", "exact match", [
                over_seeds(way, numbers["shares"], rows(f"{share:.0%} pruned, {way}" for share in numbers["shares"]))
                for way in ways]),
            panel("size", "bytes", "exact match", [cloud(technique, "bytes") for technique in clouds], xscale="log"),
            panel("time", "seconds of processor time, greedy", "exact match",
                  [cloud(technique, "seconds") for technique in clouds], xscale="log")]


CLAIM = Claim(
    id="K10", title="quantisation, pruning and distillation cut the cost", where="C §3.3.3",
    words="而模型压缩技术，如量化、剪枝和蒸馏，可以减少模型的计算复杂度和参数数量，从而降低计算资源的消耗。 (Quantisation, pruning and distillation "
          "reduce computation and parameters, and so the resources that are needed.)",
    known="See et al. (2016): 40 % pruned at no loss, 80 % with retraining; 8 bits at no loss (arXiv 1804.05038), 4 "
          "bits without noticeable loss in recurrent networks (arXiv 1909.06091); Kim & Rush (2016): a student 13 "
          "times smaller loses 0.4 BLEU, and answers greedily as well as its teacher with a beam.",
    design="A model that says letters backwards is rounded to 8 to 1 bits, and its smallest weights are set to 0 by "
           "three schemes, with and without training on. Students with a sixth of its units learn from the targets, "
           "from its distributions or from its answers. Bytes of the packed weights, seconds of greedy answers and "
           "exact match are compared.",
    rule=f"Quantisation helps if a file of at most {SMALL_FILE['quantised']:g} of the bytes loses at most {LOST:.0%} "
         f"of exact match, pruning if one of at most {SMALL_FILE['pruned']:g} does; distillation if it makes the "
         f"student better by at least {BETTER:.0%}. Holds if all three help and quantised and pruned models, in the "
         f"median, take at most {FASTER:.0%} of the seconds; holds in part if one of the three helps.",
    experiment=experiment, verdict=verdict, panels=panels)
