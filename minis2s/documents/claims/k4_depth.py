"""K4: do more layers cure vanishing and exploding gradients?  The gradient at the first input against the depth.

A stack of RNN layers reads a sequence whose inputs are small, and the loss reads the last state of the top.  What
arrives at layer 1, step 1 has come back through all steps and all layers.  Depth adds paths (to the right, then down,
then to the right ...), so the number changes with the depth; whether that is a cure is asked of the factor for each
step, by which the gradient shrinks or grows when the sequence becomes longer.  Beside it models of each depth learn,
with and without residual connections (RC1).
"""
import numpy as np

from ...core import tree
from ...core.initializers import orthogonal
from ...layers import recurrent
from ...layers.cells import CELLS
from ...model.config import Config
from .claim import FAILS, HOLDS, IN_PART, Claim, Verdict, over_seeds, panel
from .small import exact_match, strings, train

DEPTHS = [1, 2, 3, 4, 6, 8]
RADII = {"vanishing": 0.7, "exploding": 1.3}       # the largest |eigenvalue| of every U
SHORT, LONG, N, H = 40, 80, 4, 32
LETTERS, STEPS = 6, 150
CURE = 0.5                     # of the distance of a step's factor to 1 that must go
BETTER = 0.05                  # of exact match
WAYS = {"plain": False, "residual": True}


def first_gradient(depth, radius, T, residual, rng):
    """The length of dL/dh of layer 1 at step 1, for L = u . h_T of the top with a random unit vector u."""
    cell = CELLS["rnn"]
    stack = tuple(cell.init(rng, H, H)._replace(U=radius * orthogonal(rng, H)) for _ in range(depth))
    xs, real = 1e-30 * rng.normal(size=(T, N, H)), np.ones((T, N), bool)     # small: no tanh is saturated
    hs, finals, cache = recurrent.forward(cell, stack, xs, real, residual=residual)
    dhs = np.zeros(hs.shape)
    dhs[-1] = rng.normal(size=(N, H))
    dhs /= np.linalg.norm(dhs)
    dxs, _ = recurrent.backward(cell, stack, cache, dhs, tree.zeros_like(finals), residual)
    # back through x_1 W of layer 1 alone: what layer 1's state received at step 1, as tanh is nearly linear
    return float(np.linalg.norm(np.linalg.lstsq(stack[0].W, dxs[0].T, rcond=None)[0]))


def copied(rng, count):
    """Letters said again."""
    xs = strings(rng, count, 2, 6, LETTERS)
    return xs, xs


def experiment(plan, tick):
    """-> gradients at layer 1, step 1, their factors for each step, and exact match, by depth."""
    found = {"depths": DEPTHS, "first": {}, "factors": {}, "exact": {way: [] for way in WAYS}}
    seeds = plan.seeds if plan.full else (0, 1, 2)             # gradients are cheap
    for kind, radius in RADII.items():
        for way, residual in WAYS.items():
            for seed in seeds:
                tick(0.1, f"gradients, {kind}, {way}")
                sizes = [[first_gradient(depth, radius, T, residual, np.random.default_rng((seed, depth)))
                          for T in (SHORT, LONG)]
                         for depth in DEPTHS]
                found["first"].setdefault(f"{kind}, {way}", []).append([long for _, long in sizes])
                found["factors"].setdefault(f"{kind}, {way}", []).append(
                    [(long / short) ** (1 / (LONG - SHORT)) for short, long in sizes])
    jobs = [(seed, way, depth) for seed in plan.seeds for way in WAYS for depth in DEPTHS]
    rows = {}
    for i, (seed, way, depth) in enumerate(jobs):
        tick(0.1 + 0.9 * i / len(jobs), f"{depth} layers, {way}, seed {seed}")
        config = Config(cell="gru", hidden=32, embedding=16, layers=depth, residual=WAYS[way] and depth > 1,
                        attention="none", source_vocab=4 + LETTERS, target_vocab=4 + LETTERS)
        p, _ = train(config, copied, 4 * STEPS if plan.full else STEPS, seed, lr=1e-2)
        rows[seed, way, depth] = exact_match(p, config, *copied(np.random.default_rng(10_000 + seed), 200))
    found["exact"] = {way: [[rows[seed, way, depth] for depth in DEPTHS] for seed in plan.seeds] for way in WAYS}
    return found


def verdict(numbers):
    """By `CLAIM.rule`."""
    deepest, because, cured = numbers["depths"][-1], [], []
    for kind in RADII:
        one, deep = (float(np.mean([row[i] for row in numbers["factors"][f"{kind}, plain"]])) for i in (0, -1))
        first = np.mean(numbers["first"][f"{kind}, plain"], axis=0)
        cured.append(abs(deep - 1) <= (1 - CURE) * abs(one - 1))
        because.append(f"{kind.capitalize()}: factor for each step {one:.3f} with 1 layer, {deep:.3f} with {deepest}; "
                       f"at layer 1, step 1 arrive {first[0]:.2g} and {first[-1]:.2g} of a gradient of 1.")
    exact = {way: np.mean(rows, axis=0) for way, rows in numbers["exact"].items()}
    because.append(f"Exact match with 1, {', '.join(map(str, numbers['depths'][1:]))} layers: " + "; ".join(
        f"{way} {', '.join(f'{value:.1%}' for value in curve)}" for way, curve in exact.items()) + ".")
    gained = float(exact["residual"][-1] - exact["plain"][-1])
    because.append(f"Residual connections {'help' if gained >= BETTER else 'do not help'} the deepest model: "
                   f"{gained:+.1%}.")
    if all(cured):
        return Verdict(HOLDS, because)
    return Verdict(IN_PART if any(cured) else FAILS, because)


def panels(numbers):
    """Gradients at the first step, factors, and exact match, against the depth."""
    return [panel(f"at layer 1, step 1, of {LONG}", "layers", "gradient",
                  [over_seeds(name, numbers["depths"], rows) for name, rows in numbers["first"].items()], yscale="log"),
            panel("what one more step multiplies it by", "layers", "factor",
                  [over_seeds(name, numbers["depths"], rows) for name, rows in numbers["factors"].items()]),
            panel("letters said again, GRU", "layers", "exact match",
                  [over_seeds(way, numbers["depths"], rows) for way, rows in numbers["exact"].items()])]


CLAIM = Claim(
    id="K4", title="more layers mitigate vanishing and exploding gradients", where="C §9.5",
    words="多层RNN：通过增加RNN的层数，可以缓解梯度消失和梯度爆炸问题。 (More layers of an RNN mitigate vanishing and exploding gradients.)",
    known="Pascanu et al. (2013) explain both by products over steps, which depth does not shorten; Barone et al. "
          "(2017): up to 8 layers give about 1.5 BLEU, with residual connections: quality, not a cure.",
    design="Gradients of the last top state are followed back to layer 1, step 1 of RNN stacks of 1 to 8 layers, with "
           f"recurrent matrices that shrink ({RADII['vanishing']}) or stretch ({RADII['exploding']}) and with and "
           f"without residual connections. Sequences of {SHORT} and {LONG} steps give the factor by which one more "
           "step multiplies the gradient. GRU models of each depth learn to say letters again.",
    rule="Depth mitigates if with 8 layers the factor for each step is nearer to 1 than with one layer by at least "
         f"{CURE:.0%} of the distance: for vanishing and for exploding gradients: holds; for one of them: in part; for "
         "neither: does not hold.",
    experiment=experiment, verdict=verdict, panels=panels)
