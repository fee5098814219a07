"""Utterances: their recipes, the pairs of the task, and who is right.

Training has one to four words of SEEN speakers.  A third of validation and test is said by speakers of no training,
and a fifth of the test is of five to seven words: a recogniser that learnt how far four words reach shows it there.
"""
import re

import numpy as np

from ...data import frames
from ..judge import Judge, most_frequent
from ..sampling import Splits
from .synthesiser import RATE, say
from .voices import SEEN, UNSEEN, WORDS

RECIPE = re.compile(r"spk (\d+) seed (\d+): ((?:[a-z]+ ?)+)")
MOST_WORDS, LONGEST = 4, 7
SEEN_KIND, UNSEEN_KIND, LONG_KIND = "speakers of training", "unseen speakers", "longer than trained"


def parsed(recipe):
    """"spk 12 seed 804: three five" -> speaker, seed, list of words; ValueError for what is none."""
    found = RECIPE.fullmatch(recipe)
    words = found and found[3].split()
    if not found or not set(words) <= WORDS.keys():
        raise ValueError(f"speech:{recipe[:60]}: no recipe, wanted such as speech:spk 3 seed 7: one two")
    return int(found[1]), int(found[2]), words


def samples(recipe):
    """A recipe -> samples, rate."""
    number, seed, words = parsed(recipe)
    return say(words, number, np.random.default_rng((11, number, seed))), RATE


def utterance(rng, kind):
    """Draw one pair (source, target) of a kind."""
    number = int(rng.integers(SEEN, SEEN + UNSEEN) if kind == UNSEEN_KIND else rng.integers(SEEN))
    count = rng.integers(MOST_WORDS + 1, LONGEST + 1) if kind == LONG_KIND else rng.integers(1, MOST_WORDS + 1)
    text = " ".join(rng.choice(list(WORDS), count))
    return f"speech:spk {number} seed {rng.integers(10 ** 9)}: {text}", text


def generate(rng, sizes):
    """-> Splits of sizes (train, valid, test); which kinds there are is in the first lines above."""
    train, valid, test = sizes
    kinds = ([SEEN_KIND] * train, [SEEN_KIND, SEEN_KIND, UNSEEN_KIND] * valid,
             [SEEN_KIND, SEEN_KIND, UNSEEN_KIND, UNSEEN_KIND, LONG_KIND] * test)
    return Splits(*([utterance(rng, kind) for kind in part[:count]] for part, count in zip(kinds, sizes)))


def kind_of(source):
    """The kind of an utterance; of a file, that it is one."""
    if not source.startswith("speech:"):
        return "files"
    number, _, words = parsed(source.partition(":")[2])
    return LONG_KIND if len(words) > MOST_WORDS else UNSEEN_KIND if number >= SEEN else SEEN_KIND


def write(source, path):
    """Write the sound of a recipe, of this task or another, as a WAV file."""
    frames.write_signal(path, "wav", frames.signal_of("wav", source))


JUDGE = Judge(
    right=lambda source, answer, target: answer.split() == target.split(),
    baseline=most_frequent,
    rule="all words are the ones said, in their order",
    trivial="the most frequent utterance of training, whatever is heard",
    failure="Utterances of five to seven words are longer than any in training (one to four).  The model stops after "
            "four words, or skips some: it learnt how long utterances are together with what they say (claim K7).",
    group=kind_of, beyond=(LONG_KIND,), suffix=".wav", show=write)
