"""K7: can such models handle sequences of any length?  They can compute them; are the answers right?

Models are trained up to N letters and tested up to 2N: free, and with the right length given, so that only the letters
count.  A third is trained without the end among its targets (Newman et al. 2020): it never learns at which position
answers end.
"""
import numpy as np

from ...data.batches import make_batch, pad
from ...data.vocabulary import EOS
from ...decoding import greedy
from ...model.config import Config
from .claim import FAILS, HOLDS, IN_PART, Claim, Verdict, over_seeds, panel
from .small import strings, train

LETTERS, STEPS = 6, 1000
KEPT = 0.9                     # of the exact match at trained lengths, for lengths beyond
WAYS = ("free", "right length given", "trained without the end, right length given")
CONFIG = Config(cell="gru", embedding=16, hidden=32, attention="dot", source_vocab=4 + LETTERS,
                target_vocab=4 + LETTERS)


def without_the_end(sources, targets, reverse):
    """A batch in whose loss the end does not count."""
    batch = make_batch(sources, targets, reverse)
    return batch._replace(target_mask=batch.target_mask & (batch.targets != EOS))


def exact(p, xs, given):
    """Share of strings of one length that come back whole; `given`: the end is forbidden before that length."""
    source, mask = pad(xs)
    if given:
        b = p.decoder.readout.b.copy()
        b[EOS] = -1e9
        p = p._replace(decoder=p.decoder._replace(readout=p.decoder.readout._replace(b=b)))
    found = greedy(p, CONFIG, source, mask, len(xs[0]) + (0 if given else 3))
    return float(np.mean([best.ids == x for (best,), x in zip(found, xs)]))


def experiment(plan, tick):
    """-> exact match by length for each of WAYS, a row for each seed."""
    N = 20 if plan.full else 6
    lengths = list(range(2, 2 * N + 1, 2))
    found = {"N": N, "lengths": lengths, "exact": {way: [] for way in WAYS}}

    def draw(rng, count):
        xs = strings(rng, count, 1, N, LETTERS)
        return xs, xs
    for i, seed in enumerate(plan.seeds):
        steps, lr = (8000, 3e-3) if plan.full else (STEPS, 1e-2)

        def share(done, part=0, before=i):
            tick((before + (part + 0.9 * done) / 2) / len(plan.seeds), f"training, seed {plan.seeds[before]}")
        with_end, _ = train(CONFIG, draw, steps, seed, lr=lr, each=share)
        without, _ = train(CONFIG, draw, steps, seed, lr=lr, each=lambda done: share(done, 1), batch_of=without_the_end)
        for way, p in zip(WAYS, (with_end, with_end, without)):
            rng = np.random.default_rng(10_000 + seed)
            found["exact"][way].append([exact(p, strings(rng, 200 if plan.full else 60, n, n, LETTERS), way != "free")
                                        for n in lengths])
    return found


def verdict(numbers):
    """By `CLAIM.rule`."""
    lengths = np.array(numbers["lengths"])
    inside = {way: float(np.mean(np.array(rows)[:, lengths <= numbers["N"]])) for way, rows in numbers["exact"].items()}
    beyond = {way: float(np.mean(np.array(rows)[:, lengths > numbers["N"]])) for way, rows in numbers["exact"].items()}
    because = [f"{way}: exact match {inside[way]:.1%} up to {numbers['N']} letters, {beyond[way]:.1%} beyond."
               for way in inside]
    kept = {way: beyond[way] >= KEPT * inside[way] > 0 for way in inside}
    if kept["free"]:
        return Verdict(HOLDS, because)
    return Verdict(IN_PART if any(kept.values()) else FAILS, because)


def panels(numbers):
    """Exact match by length."""
    return [panel("letters said again", "length", "exact match",
                  [over_seeds(way, numbers["lengths"], rows) for way, rows in numbers["exact"].items()],
                  note=f"trained up to {numbers['N']}")]


CLAIM = Claim(
    id="K7", title="inputs and outputs of any length", where="C §3.3.1",
    words="能够处理任意长度的输入和输出序列。 (It can handle input and output sequences of any length.)",
    known="Lake & Baroni (2018): on longer commands of SCAN 13.8 to 20.8 %; Newman et al. (2020): models trained "
          "without an end symbol extrapolate better when the length is given.",
    design="Models with attention learn to say up to N letters again and are tested up to 2N. They answer freely, and "
           "with the right length given; another model is trained without the end in its loss. Exact match is measured "
           "by length.",
    rule=f"Holds if answering freely beyond N keeps at least {KEPT:.0%} of the exact match up to N; holds in part if "
         "that needs the right length to be given. Else it does not hold.",
    experiment=experiment, verdict=verdict, panels=panels)
