"""LSTM with attention against Transformer, on a task: who wins where, measured.  `minis2s compare reverse`.

Part P15: the documents point to the Transformer as what comes next.  Better is four questions, and each has its
curve: accuracy by steps, by seconds, by the size of the data, and by length; a fifth says what a step costs as texts
grow.

Fair means here: equal numbers of parameters, and an equal budget for tuning.  Both have the same number of trials,
which differ in batch, step size and warm-up; the best by validation loss is taken, and all curves are its.  Both are
computed by the reference implementation on one core, so seconds compare the same kind of code.
"""
import time
from typing import NamedTuple

import numpy as np

from .. import tasks
from ..data import corpus, frames
from ..data.batches import make_batch
from ..model import architectures, parameters as model_parameters
from ..model.config import Config
from ..training import loop
from ..training.evaluation import validate
from ..training.options import TrainingOptions
from .claims.claim import FAILS, HOLDS, IN_PART, Claim, Verdict, line, over_seeds, panel
from .claims.small import parameters, same_parameters

HEADS, TRIALS_SEED, MARGIN = 4, 100, 0.02
TRIALS = ((32, 1e-3, 20), (32, 3e-3, 100), (64, 1e-3, 100), (64, 3e-3, 20))        # batch, greatest step size, warm-up


class Sizes(NamedTuple):
    """How much is measured."""
    pairs: int              # of training
    held_out: int
    steps: int
    trial_steps: int
    trials: int
    hidden: int             # of the LSTM; the Transformer's follows
    records: int            # points of a curve by steps
    parts: tuple            # shares of the data
    longest: int            # of the lengths whose cost is measured


QUICK = Sizes(2_000, 60, 300, 60, 2, 32, 5, (0.25, 1.0), 64)
FULL = Sizes(20_000, 500, 6_000, 1_000, 4, 64, 12, (1 / 16, 1 / 4, 1.0), 256)


def configs(source_vocab, target_vocab, hidden):
    """The two Configs, with numbers of parameters as equal as the heads allow: -> dict."""
    vocabs = dict(source_vocab=source_vocab, target_vocab=target_vocab)
    lstm = Config(**vocabs, hidden=hidden, embedding=hidden // 2, bidirectional=True, attention_order="before",
                  fusion="tanh")

    def of_size(size):
        return Config(**vocabs, architecture="transformer", hidden=HEADS * size, heads=HEADS, layers=2)
    return {"lstm": lstm, "transformer": same_parameters(lstm, parameters(lstm), of_size)}


def trained(config, trial, steps, train, valid, seed, records):
    """Train so many steps: -> parameters, rows of (step, seconds of processor time, tokens right)."""
    batch, lr, warmup = trial
    epochs = max(1, round(steps / -(-len(train) // batch)))
    every = max(1, steps // records)
    options = TrainingOptions(epochs=epochs, batch=batch, lr=lr, lr_final=lr / 100, warmup=warmup, clip=1.0, seed=seed,
                              evaluate_every=every)
    clock, rows = [0.0, time.process_time()], []

    def on_step(progress, loss):
        clock[0] += time.process_time() - clock[1]

    def on_record(row):
        rows.append((row["step"], clock[0], row["valid_token_accuracy"]))

    def after():
        clock[1] = time.process_time()
        return False
    end = loop.run(config, options, train, valid, on_step=on_step, on_record=on_record, should_stop=after)
    return end.params, rows


def best_trial(config, sizes, train, valid, tick):
    """The trial with the least validation loss after a short training: -> trial, losses."""
    losses = []
    for k, trial in enumerate(TRIALS[:sizes.trials]):
        tick(k / sizes.trials)
        try:
            p, _ = trained(config, trial, sizes.trial_steps, train, valid, TRIALS_SEED, 1)
            losses.append(validate(p, config, valid).loss_teacher_forced)
        except loop.Diverged:
            losses.append(float("inf"))
    return TRIALS[int(np.argmin(losses))], [loss if np.isfinite(loss) else None for loss in losses]


def by_length(p, config, examples, bins):
    """Exact match in each of the bins (lowest, highest) of target lengths; None where there is no example."""
    found = []
    for low, high in bins:
        inside = [e for e in examples if low <= len(e[1]) <= high]
        found.append(validate(p, config, inside).exact_match if inside else None)
    return found


def cost(config, lengths, repeats=9):
    """Processor time of a step's loss and gradient on texts of each of these lengths, the least of several."""
    rng, p, found = np.random.default_rng(0), model_parameters.init(config), []
    for T in lengths:
        rows = [rng.integers(4, V, size=(8, T)).tolist() for V in (config.source_vocab, config.target_vocab)]
        batch, times = make_batch(*rows), []
        for _ in range(repeats):
            start = time.process_time()
            architectures.loss_and_gradient(p, config, batch)
            times.append(time.process_time() - start)
        found.append(min(times))
    return found


def slope(lengths, times):
    """The exponent of time over length, by the last doubling."""
    return float(np.log(times[-1] / times[-2]) / np.log(lengths[-1] / lengths[-2]))


def experiment(name):
    """The experiment of a task: -> (plan, tick) -> numbers."""
    task = tasks.TASKS[name]

    def measure(plan, tick):
        sizes = FULL if plan.full else QUICK
        splits = tasks.load(name, 0, {"train": sizes.pairs, "valid": sizes.held_out, "test": sizes.held_out})
        made = corpus.build(splits.train, splits.valid, task.source_unit, task.target_unit)
        test = [(made.source.encode(x), made.target.encode(y), x) for x, y in splits.test]
        both = configs(len(made.source.vocab), len(made.target.vocab), sizes.hidden)
        return measured(both, sizes, plan.seeds, made.train, made.valid, test, tick)
    return measure


def measured(both, sizes, seeds, train, valid, test, tick):
    """All numbers of a comparison; lengths are tokens of the target."""
    longest = max(len(y) for _, y, *_ in train)
    edges = np.unique(np.linspace(0, max(longest, max(len(y) for _, y, _ in test)), 7).round().astype(int))
    bins = [(int(a) + 1, int(b)) for a, b in zip(edges, edges[1:])]
    lengths = [n for n in (16, 32, 64, 128, 256) if n <= sizes.longest]
    found = {"parameters": {name: parameters(c) for name, c in both.items()}, "trials": {}, "curves": {}, "data": {},
             "parts": [round(part * len(train)) for part in sizes.parts], "bins": bins, "longest": longest,
             "length": {}, "lengths": lengths, "cost": {}, "hidden": {name: c.hidden for name, c in both.items()}}
    jobs = 1 + len(seeds) * len(sizes.parts)
    for k, (name, config) in enumerate(both.items()):
        def say(share, what, k=k, name=name):
            tick((k + share) / 2, f"{name}: {what}")
        trial, losses = best_trial(config, sizes, train, valid, lambda share: say(0.2 * share, "tuning"))
        found["trials"][name] = {"losses": losses, "best": dict(zip(("batch", "lr", "warmup"), trial))}
        for key in ("curves", "data", "length"):
            found[key][name] = []
        done = 0
        for seed in seeds:
            row = []
            for part in sizes.parts:
                say(0.2 + 0.7 * done / jobs, f"seed {seed}, {round(part * len(train)):,} pairs")
                done += 1
                p, curve = trained(config, trial, sizes.steps, train[:round(part * len(train))], valid, seed,
                                   sizes.records if part == 1 else 1)
                row.append(validate(p, config, test).token_accuracy)
                if part == 1:
                    found["curves"][name].append(curve)
                    found["length"][name].append(by_length(p, config, test, bins))
            found["data"][name].append(row)
        say(0.9, "cost of a step")
        found["cost"][name] = cost(config, lengths)
    return found


def winner(scores, margin=MARGIN):
    """The name with the greater number; None where they are within a margin."""
    lstm, transformer = scores["lstm"], scores["transformer"]
    return None if abs(lstm - transformer) <= margin else max(scores, key=scores.get)


def at_equal_seconds(curves):
    """Mean share of tokens right of each at the second at which the quicker one ended: -> dict, that second."""
    second = min(curve[-1][1] for rows in curves.values() for curve in rows)

    def reached(curve):
        return max([right for _, s, right in curve if s <= second], default=0.0)
    return {name: float(np.mean([reached(curve) for curve in rows])) for name, rows in curves.items()}, second


def beyond(numbers, inside):
    """Mean exact match of each on targets up to the longest trained on, or longer; None where there are none."""
    picked = [k for k in measured_bins(numbers) if (numbers["bins"][k][1] <= numbers["longest"]) == inside]
    if not picked:
        return None
    return {name: float(np.mean([[row[k] for k in picked] for row in rows]))
            for name, rows in numbers["length"].items()}


def measured_bins(numbers):
    """The bins of lengths in which every model was measured."""
    every = [row for rows in numbers["length"].values() for row in rows]
    return [k for k in range(len(numbers["bins"])) if all(row[k] is not None for row in every)]


def verdict(numbers):
    """By the rule of `comparison`."""
    by_steps = {name: float(np.mean([curve[-1][2] for curve in rows])) for name, rows in numbers["curves"].items()}
    by_seconds, second = at_equal_seconds(numbers["curves"])
    least_data = {name: float(np.mean([row[0] for row in rows])) for name, rows in numbers["data"].items()}
    questions = {"Tokens right after equal steps": by_steps,
                 f"Tokens right after {second:.0f} equal seconds": by_seconds,
                 f"Tokens right with {numbers['parts'][0]:,} pairs": least_data}
    inside, longer = beyond(numbers, inside=True), beyond(numbers, inside=False)
    if longer:
        questions[f"Exact match on targets longer than {numbers['longest']} tokens"] = longer
    won, because = [], [
        "Parameters: " + ", ".join(f"{name} {count:,} (H = {numbers['hidden'][name]})"
                                   for name, count in numbers["parameters"].items()) + "."]
    for question, scores in questions.items():
        won.append(winner(scores))
        said = ", ".join(f"{name} {score:.1%}" for name, score in scores.items())
        because.append(f"{question}: {said}: {'level' if won[-1] is None else won[-1] + ' wins'}.")
    if inside:
        because.append("Exact match on targets as long as in training: " + ", ".join(
            f"{name} {score:.1%}" for name, score in inside.items()) + ".")
    slopes = [f"{slope(numbers['lengths'], times):.2f} ({name})" for name, times in numbers["cost"].items()]
    because.append(f"A step's time grows as T to the {', '.join(slopes)}, by the last doubling.")
    transformer = won.count("transformer")
    if transformer and "lstm" not in won:
        return Verdict(HOLDS, because)
    return Verdict(IN_PART if transformer else FAILS, because)


def panels(numbers):
    """The four curves and the cost."""
    curves = [(f"{name}, seed {k}" if len(rows) > 1 else name, curve)
              for name, rows in numbers["curves"].items() for k, curve in enumerate(rows)]
    found = [panel(f"by {what}", what, "tokens right",
                   [line(label, [row[at] for row in curve], [row[2] for row in curve]) for label, curve in curves])
             for at, what in ((0, "steps"), (1, "seconds"))]
    found.append(panel("by size of the data", "training pairs", "tokens right", [
        over_seeds(name, numbers["parts"], rows) for name, rows in numbers["data"].items()], xscale="log"))
    whole = measured_bins(numbers)
    middles = [sum(numbers["bins"][k]) / 2 for k in whole]
    found.append(panel("by length", "tokens of the target", "exact match", [
        over_seeds(name, middles, [[row[k] for k in whole] for row in rows])
        for name, rows in numbers["length"].items()], note=f"trained up to {numbers['longest']}"))
    found.append(panel("a step", "T = S", "seconds of processor time", [
        line(f"{name}: slope {slope(numbers['lengths'], times):.2f}", numbers["lengths"], times)
        for name, times in numbers["cost"].items()], xscale="log", yscale="log"))
    return found


def comparison(name):
    """The comparison on a task, as a claim: what is said, measured, decided and drawn.

    Raises
    ------
    ValueError
        There is no such task, or its sources or targets are not texts.
    """
    if name not in tasks.TASKS:
        raise ValueError(f"task {name!r}: choose one of {', '.join(tasks.TASKS)}")
    task = tasks.TASKS[name]
    if {task.source_unit, task.target_unit} & set(frames.UNITS):
        raise ValueError(f"task {name!r}: {task.source_unit} -> {task.target_unit}, wanted one from texts to texts")
    return Claim(
        id=f"P15-{name}", title=f"the Transformer is better, on {name}", where="A §7.3; B, C §8.2",
        words="引入更先进的神经网络架构（如Transformer），可以进一步提升模型的记忆能力和计算效率。 (More advanced networks, such as the "
              "Transformer, can further improve memory and efficiency.)",
        known="Vaswani et al. (2017): better translations at a fraction of the training cost, on 4.5 million pairs and "
              "more. Small data and longer texts than trained on are where recurrent models are said to hold out.",
        design="An LSTM with attention and a Transformer of as many parameters learn the task, each with the best of "
               "equally many settings of batch, step size and warm-up. The share of tokens right on unseen texts is "
               "compared after equal steps, after equal seconds and with the smallest part of the data, exact match on "
               "targets longer than those trained on. The time of a step is measured against the length.",
        rule=f"A question is won by who is more than {MARGIN:.0%} better. The claim holds if the Transformer wins some "
             "and loses none; in part if it wins some and loses some; else it does not hold.",
        experiment=experiment(name), verdict=verdict, panels=panels)
