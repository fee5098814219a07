"""P13: does data augmentation help a model to generalise?  Exact match against the number of training pairs.

The task is `phrases`, English to Chinese, whose test sentences have combinations of words that no training sentence
has.  A model learns from few pairs as they are; with source tokens read as unknown; with noise in the sources; and with
pairs for further Chinese sentences, whose English was written by a model of the other direction that knew the same few
pairs.
"""
import numpy as np

from ...data import augment
from ...data.batches import make_batch
from ...data.tokenizer import Tokenizer
from ...data.vocabulary import Vocabulary
from ...model.config import Config
from ...tasks import load
from .claim import FAILS, HOLDS, IN_PART, Claim, Verdict, over_seeds, panel
from .small import answers, exact_match, train

WAYS = ("as they are", "token dropout", "noise", "back-translation")
RATE, LEFT_OUT = 0.1, 0.1      # of tokens
MORE = 1500                    # Chinese sentences without a source
HELPS = 0.02                   # of exact match, in the mean over the sizes


class Texts:
    """The pairs of `phrases` as ids."""

    def __init__(self, seed):
        splits = load("phrases", seed, {"train": 6000, "valid": 0, "test": 400})
        self.units = Tokenizer("word"), Tokenizer("char")
        cut = [[t.split(text) for t, text in zip(self.units, pair)] for pair in splits.train]
        self.vocabs = [Vocabulary.build([pair[side] for pair in cut]) for side in (0, 1)]
        self.train, self.test = self.ids(splits.train), self.ids(splits.test)

    def ids(self, pairs):
        """Pairs of texts -> pairs of lists of ids."""
        return [tuple(v.encode(t.split(text)) for v, t, text in zip(self.vocabs, self.units, pair)) for pair in pairs]


def drawing(pairs, *, noise=False, more=()):
    """-> draw(rng, count): pairs at random; half of them with noisy sources, or half of them from `more`."""
    def draw(rng, count):
        sets = [more if more and k % 2 else pairs for k in range(count)]
        chosen = [some[rng.integers(0, len(some))] for some in sets]
        xs = [augment.noisy(x, rng, LEFT_OUT) if noise and k % 2 else x for k, (x, _) in enumerate(chosen)]
        return xs, [y for _, y in chosen]
    return draw


def experiment(plan, tick):
    """-> exact match of each of WAYS for each number of pairs."""
    sizes = [300, 1000, 4000] if plan.full else [300, 1500]
    steps, rows = (1200 if plan.full else 250), {}
    jobs = [(seed, size, way) for seed in plan.seeds for size in sizes for way in WAYS]
    read = {seed: Texts(seed) for seed in plan.seeds}
    for i, (seed, size, way) in enumerate(jobs):
        tick(i / len(jobs), f"{size} pairs, {way}, seed {seed}")
        texts = read[seed]
        pairs, unread = texts.train[:size], [y for _, y in texts.train[-MORE:]]
        S, T = (len(v) for v in texts.vocabs)
        sizes_of = dict(cell="gru", hidden=48, embedding=32, attention="general", dropout=0.0)
        config = Config(source_vocab=S, target_vocab=T, **sizes_of)
        draw, batch_of = drawing(pairs, noise=way == "noise"), make_batch
        if way == "token dropout":
            dice = np.random.default_rng((seed, size))

            def unknown_tokens(sources, targets, reverse, dice=dice):
                return augment.drop_tokens(make_batch(sources, targets, reverse), RATE, dice)
            batch_of = unknown_tokens
        if way == "back-translation":
            back = Config(source_vocab=T, target_vocab=S, **sizes_of)
            q, _ = train(back, drawing([(y, x) for x, y in pairs]), steps, seed, lr=1e-2)
            written = answers(q, back, unread, 16)
            draw = drawing(pairs, more=[(x, y) for x, y in zip(written, unread) if x])
        p, _ = train(config, draw, steps, seed, lr=1e-2, batch_of=batch_of)
        rows[seed, size, way] = exact_match(p, config, *zip(*texts.test[:400 if plan.full else 200]))
    return {"sizes": sizes,
            "exact": {way: [[rows[seed, size, way] for size in sizes] for seed in plan.seeds] for way in WAYS}}


def verdict(numbers):
    """By `CLAIM.rule`."""
    mean = {way: np.mean(rows, axis=0) for way, rows in numbers["exact"].items()}
    gains = {way: float((curve - mean[WAYS[0]]).mean()) for way, curve in mean.items() if way != WAYS[0]}
    because = [f"{way}: exact match " + ", ".join(f"{value:.1%} from {size:,} pairs"
                                                  for size, value in zip(numbers["sizes"], curve))
               + (f"; in the mean {gains[way]:+.1%}." if way in gains else ".") for way, curve in mean.items()]
    helped = [gain >= HELPS for gain in gains.values()]
    if all(helped):
        return Verdict(HOLDS, because)
    return Verdict(IN_PART if any(helped) else FAILS, because)


def panels(numbers):
    """Exact match against the number of pairs."""
    return [panel("phrases, new combinations of words", "training pairs", "exact match",
                  [over_seeds(way, numbers["sizes"], rows) for way, rows in numbers["exact"].items()], xscale="log")]


CLAIM = Claim(
    id="P13", title="data augmentation improves generalisation", where="C §3.3.3",
    words="通过增加训练样本的数量或对现有样本进行变换，数据增强可以提升模型的泛化能力。 (More training examples, or transformations of those "
          "there are, improve generalisation.)",
    known="Sennrich et al. (2016): back-translated monolingual text gives 2 to 3.7 BLEU, and dropping whole words "
          "helps where parallel text is scarce; Edunov et al. (2018): with very little data, noise in synthetic "
          "sources hurts.",
    design="Models learn `phrases`, whose test sentences have unseen combinations of words, from few pairs to many. "
           f"They learn from the pairs as they are, with {RATE:.0%} of the source tokens unknown, with noisy sources, "
           f"or with {MORE:,} further targets whose sources were written by a model of the other direction. All make "
           "the same number of steps, and exact match is compared.",
    rule=f"A way helps if, in the mean over the numbers of pairs, exact match is higher by at least {HELPS:.0%}. All "
         "three help: holds; one or two: in part; none: does not hold.",
    experiment=experiment, verdict=verdict, panels=panels)
