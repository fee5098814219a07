"""P16: does transfer help where examples are few?  And what do the states of a model show?

A model learns English number words to Chinese numerals, then Esperanto's from 10 to 1,000 examples, beside a model that
begins at random.  The decoder knows Chinese numerals already; the words are new, so their embeddings are not trained.

Interpretability: a linear probe asks the encoder's states how many digits the number has that was read so far; the same
is asked of random weights.  The unit that goes with it best by itself is drawn over a text.
"""
import numpy as np

from ...data.vocabulary import Vocabulary
from ...model import saliency, seq2seq
from ...model.config import Config
from ...tasks.numbers import chinese, english, esperanto
from .claim import FAILS, HOLDS, IN_PART, Claim, Verdict, line, over_seeds, panel
from .small import exact_match, train

COUNTS = [10, 30, 100, 300, 1000]
FEW, MORE, NO_WORSE = 100, 0.10, 0.02
LARGEST = 10_000               # numbers are smaller
STEPS, TUNING = 1500, 300


class Numbers:
    """Numbers as ids: words of both languages in one source vocabulary."""

    def __init__(self):
        words = [self.words(say, n) for say in (english, esperanto) for n in range(LARGEST)]
        self.vocabs = Vocabulary.build(words), Vocabulary.build([list(chinese(n)) for n in range(LARGEST)])

    @staticmethod
    def words(say, n):
        """The words of a number, twenty-one as two."""
        return say(n).replace("-", " ").split()

    def pairs(self, say, numbers):
        """-> sources, targets."""
        return ([self.vocabs[0].encode(self.words(say, n)) for n in numbers],
                [self.vocabs[1].encode(list(chinese(n))) for n in numbers])


def some(rng, count, but=()):
    """Different numbers, as many of 1 digit as of 4 where there are enough; none of `but`."""
    found, but = {}, set(but)
    while len(found) < count:
        n = int(rng.integers(0, 10 ** rng.integers(2, 5)))
        if n not in but:
            found[n] = None
    return list(found)


def experiment(plan, tick):
    """-> exact match on Esperanto's numbers by number of examples, with transfer and without; what a probe reads."""
    data = Numbers()
    S, T = (len(v) for v in data.vocabs)
    config = Config(cell="gru", hidden=64, embedding=32, attention="general", source_vocab=S, target_vocab=T)
    found = {"counts": COUNTS, "exact": {"transfer": [], "from scratch": []}, "english": [],
             "probe": {"trained": [], "random": []}}
    for i, seed in enumerate(plan.seeds):
        def report(done, text, before=i, seed=seed):
            tick((before + done) / len(plan.seeds), f"{text}, seed {seed}")
        rng = np.random.default_rng(10_000 + seed)
        held_out = some(rng, 300 if plan.full else 150)
        p, _ = train(config, lambda rng, count: data.pairs(english, some(rng, count, held_out)),
                     2 * STEPS if plan.full else STEPS, seed, lr=1e-2, each=lambda done: report(0.35 * done, "English"))
        found["english"].append(exact_match(p, config, *data.pairs(english, held_out)))
        known = some(rng, COUNTS[-1], held_out)
        for way, start in (("transfer", p), ("from scratch", None)):
            row = []
            for j, count in enumerate(COUNTS):
                report(0.35 + 0.3 * ((way != "transfer") + j / len(COUNTS)), f"{count} examples, {way}")

                def draw(rng, size, numbers=known[:count]):
                    return data.pairs(esperanto, [numbers[k] for k in rng.integers(0, len(numbers), size)])
                q, _ = train(config, draw, 2 * TUNING if plan.full else TUNING, seed + 1, lr=5e-3 if start else 1e-2,
                             start=start)
                row.append(exact_match(q, config, *data.pairs(esperanto, held_out)))
            found["exact"][way].append(row)
        found["probe"]["trained"].append(probed(p, config, data, held_out)[0])
        found["probe"]["random"].append(probed(seq2seq.init(config, seed), config, data, held_out)[0])
        if i == 0:
            found["trace"] = probed(p, config, data, held_out)[1]
    return found


def probed(p, config, data, numbers):
    """How well the digits read so far follow from the encoder's states, by linear regression: R2 on the second half;
    and the trace of the best unit."""
    hs, values = [], []
    for n in numbers:
        words = data.words(english, n)
        hs.append(saliency.states(p, config, data.vocabs[0].encode(words)))
        values.append([worth(words[:k + 1]) for k in range(len(words))])
    _, right = saliency.probe(np.concatenate(hs).astype(float), np.concatenate(values).astype(float))
    together = np.corrcoef(np.concatenate(hs).T, np.concatenate(values))[-1, :-1]
    unit = int(np.nan_to_num(np.abs(together)).argmax())
    longest = max(range(len(numbers)), key=lambda k: len(values[k]))
    return right, {"unit": unit, "correlation": float(together[unit]), "words": data.words(english, numbers[longest]),
                   "digits": values[longest], "state": hs[longest][:, unit]}


def worth(words):
    """How many digits the number read so far has."""
    total = part = 0
    for word in words:
        if word == "thousand":
            total, part = total + 1000 * part, 0
        elif word == "hundred":
            part *= 100
        else:
            part += VALUES[word]
    return len(str(total + part))


VALUES = {word: n for n in [*range(20), *range(20, 100, 10)] for word in [english(n)]}


def verdict(numbers):
    """By `CLAIM.rule`."""
    mean = {way: np.mean(rows, axis=0) for way, rows in numbers["exact"].items()}
    few = np.array(numbers["counts"]) <= FEW
    gain = mean["transfer"] - mean["from scratch"]
    because = [f"{way}: exact match " + ", ".join(f"{value:.1%} from {n:,}"
                                                  for n, value in zip(numbers["counts"], curve)) + " examples."
               for way, curve in mean.items()]
    because.append(f"Transfer gains {gain[few].mean():+.1%} with at most {FEW} examples and {gain[-1]:+.1%} with "
                   f"{numbers['counts'][-1]:,}; the first model knows {np.mean(numbers['english']):.1%} of English.")
    r2, t = {kind: float(np.mean(values)) for kind, values in numbers["probe"].items()}, numbers["trace"]
    because.append(f"A probe reads the digits of the number so far from trained states with R2 = {r2['trained']:.2f}, "
                   f"from random ones with {r2['random']:.2f}; unit {t['unit']} alone goes with it by a correlation of "
                   f"{t['correlation']:.2f}.")
    if gain[few].mean() >= MORE and gain[-1] >= -NO_WORSE:
        return Verdict(HOLDS, because)
    return Verdict(IN_PART if gain.max() >= MORE else FAILS, because)


def panels(numbers):
    """Exact match against examples; the unit that counts, over a text."""
    t = numbers["trace"]
    steps = list(range(1, len(t["words"]) + 1))
    return [panel("Esperanto number words", "examples", "exact match",
                  [over_seeds(way, numbers["counts"], rows) for way, rows in numbers["exact"].items()], xscale="log"),
            panel("the unit that goes best with the digits", "  ".join(t["words"]), "value",
                  [line("digits read so far", steps, t["digits"]),
                   line(f"state of unit {t['unit']}", steps, t["state"])])]


CLAIM = Claim(
    id="P16", title="transfer gives better models where examples are few", where="A §8, B §7",
    words="通过迁移学习和少样本学习技术，Seq2Seq架构可以在有限的训练数据下实现更好的性能。 (By transfer and few-shot learning the architecture "
          "does better with limited training data.)",
    known="Zoph et al. (2016): a model begun with the weights of another language pair gains 5.6 BLEU in the mean "
          "where pairs are few; Karpathy et al. (2016): single units that count or track quotes; Belinkov & Glass "
          "(2019) on probes and their limits.",
    design="A model learns English number words to Chinese numerals, then Esperanto's from 10 to 1,000 examples; "
           "another begins at random and makes as many steps, of twice the size. Exact match on unseen numbers is "
           "compared. A linear probe asks the states of trained and of random weights how many digits the number has "
           "that was read so far.",
    rule=f"Holds if with at most {FEW} examples exact match is higher by at least {MORE:.0%} in the mean, and with "
         f"1,000 not lower by more than {NO_WORSE:.0%}; holds in part if it is higher by {MORE:.0%} for some number of "
         "examples; else it does not hold.",
    experiment=experiment, verdict=verdict, panels=panels)
