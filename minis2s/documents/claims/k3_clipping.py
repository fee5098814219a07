"""K3: does clipping cure vanishing gradients?  An exact answer, from one batch.

A gradient through time is a sum over steps: dL/dU = sum_t h_{t-1}^T da_t.  The share of a step that lies k steps
before the loss is its contribution at lag k.  Clipping by norm (C1) multiplies the whole sum by one number, so each
contribution too: no ratio between two lags changes, and a share that has vanished stays vanished.
"""
import numpy as np

from ...core.functions import softmax
from ...core.initializers import orthogonal
from ...layers.cells import CELLS
from ...training import optimizers
from .claim import FAILS, HOLDS, IN_PART, Claim, Verdict, line, panel

T, N, D, H = 40, 8, 5, 16
RADII = {"vanishing": 0.6, "exploding": 1.6}       # the largest |eigenvalue| of U
EXACT = 1e-12                                      # rounding of float64 in sums of these sizes
HELPS = 2.0                                        # times that a ratio must grow to be called mitigated


def contributions(seed, radius):
    """An RNN over T steps, a softmax on its last state: -> h_{t-1}^T da_t for each t: (T, H, H)."""
    rng, cell = np.random.default_rng(seed), CELLS["rnn"]
    p = cell.init(rng, D, H)._replace(U=radius * orthogonal(rng, H))
    s = cell.State(0.1 * rng.normal(size=(N, H)))              # of zeros the first step would contribute nothing
    caches = []
    for x in 0.05 * rng.normal(size=(T, N, D)):                # small, so that tanh stays nearly linear
        s, k = cell.step(p, x, s)
        caches.append(k)
    W, targets = rng.normal(size=(H, 3)), rng.integers(0, 3, N)
    dlogits = (softmax(s.h @ W, axis=1) - np.eye(3)[targets]) / N
    d, shares = cell.State(dlogits @ W.T), [None] * T
    for t in reversed(range(T)):
        _, d, g = cell.step_backward(p, caches[t], d)
        shares[t] = g.U
    return np.stack(shares)


def cosine(a, b):
    """Of the angle between two arrays taken as vectors."""
    return float((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b))


def measure(seed, radius):
    """Contributions by lag before and after both kinds of clipping."""
    shares = contributions(seed, radius)
    g = shares.sum(axis=0)
    limit = 0.1 * float(np.linalg.norm(g))                     # so that clipping bites
    clipped, _ = optimizers.clip_by_norm(g, limit)
    factor = limit / float(np.linalg.norm(g))                  # what (C1) multiplies each contribution with
    cut = optimizers.clip_by_value(g, 0.1 * float(np.abs(g).max()))
    before = np.linalg.norm(shares, axis=(1, 2))[::-1]         # by lag: the last step first
    after = np.linalg.norm(factor * shares, axis=(1, 2))[::-1]
    return {"before": before, "after": after, "size": float(np.linalg.norm(g)), "limit": limit,
            "size_after": float(np.linalg.norm(clipped)), "cosine_norm": cosine(g, clipped),
            "cosine_value": cosine(g, cut), "same_gradient": float(np.abs(clipped - factor * g).max() / limit),
            "ratio_before": float(before[-1] / before[0]), "ratio_after": float(after[-1] / after[0])}


def experiment(plan, tick):
    """-> {"vanishing": [a measurement for each seed], "exploding": [...]}"""
    found = {name: [] for name in RADII}
    for i, seed in enumerate(plan.seeds):
        tick(i / len(plan.seeds), f"seed {seed}")
        for name, radius in RADII.items():
            found[name].append(measure(seed, radius))
    return found


def verdict(numbers):
    """By `CLAIM.rule`."""
    rows = [row for name in RADII for row in numbers[name]]
    bounded = all(row["size_after"] <= row["limit"] * (1 + EXACT) for row in rows)
    grown = [row["ratio_after"] / row["ratio_before"] for row in numbers["vanishing"]]
    revived = min(grown) >= HELPS
    turned = max(1 - row["cosine_norm"] for row in rows)
    because = [
        f"Exploding: the longest gradient, {max(r['size'] for r in numbers['exploding']):.3g}, is cut to its limit "
        f"{'each time' if bounded else 'not always'}.",
        f"Vanishing: the step farthest from the loss has {numbers['vanishing'][0]['ratio_before']:.2e} of the nearest "
        f"one's share before clipping by norm and {numbers['vanishing'][0]['ratio_after']:.2e} after it: "
        f"the ratio changes by a factor of {min(grown):.15g}.",
        f"By norm the direction stays: 1 - cosine is {turned:.1e} at most. By value it changes: the cosine falls to "
        f"{min(row['cosine_value'] for row in rows):.3f}."]
    if bounded and revived:
        return Verdict(HOLDS, because)
    return Verdict(IN_PART if bounded or revived else FAILS, because)


def panels(numbers):
    """Contributions by lag, before and after."""
    made = []
    for name in RADII:
        row = numbers[name][0]
        lags = range(len(row["before"]))
        made.append(panel(f"{name}: spectral radius {RADII[name]}", "steps before the loss", "share of dL/dU (norm)",
                          [line("before clipping", lags, row["before"]), line("clipped by norm", lags, row["after"])],
                          yscale="log"))
    return made


CLAIM = Claim(
    id="K3", title="clipping mitigates vanishing and exploding gradients", where="C §3.3.3, §9.5",
    words="梯度裁剪是一种常用的技术，用于解决梯度消失和梯度爆炸问题。 (Gradient clipping is a common technique that solves "
          "vanishing and exploding gradients.)",
    known="Pascanu, Mikolov & Bengio (2013) introduce clipping by norm against explosion alone; against vanishing they "
          "need another term in the loss.",
    design="An RNN reads 40 steps and is asked at the end, once with a recurrent matrix that shrinks and once with one "
           "that stretches. The gradient of U is taken apart into what each step contributes, and clipped by norm and "
           "by value. Compared are lengths, directions and the ratios between steps.",
    rule="Exploding counts as mitigated if every clipped gradient is within its limit; vanishing if clipping makes "
         f"the farthest step's share of the nearest one's at least {HELPS:g} times as large. Both: holds; one: in "
         "part.",
    experiment=experiment, verdict=verdict, panels=panels)
