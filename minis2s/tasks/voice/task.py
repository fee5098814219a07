"""Recipes of utterances, the pairs of both tasks, and who is right.

    voice        huan1 ying2                          ->  voice:spk 0 seed 804: huan1 ying2     always the narrator
    syllables    voice:spk 12 seed 31: huan1 ying2    ->  huan1 ying2                           forty others

So a recogniser that was trained on `syllables` has never heard the narrator, and reads what `voice` says as a stranger.
"""
import re

import numpy as np

from ...data import frames
from ..judge import Judge, most_frequent
from ..sampling import Splits
from ..speech.synthesiser import RATE
from ..speech.task import write
from .listener import RIGHT, distances
from .syllables import NARRATOR, SEEN, SYLLABLES, UNSEEN, parted
from .synthesiser import narrated, say

RECIPE = re.compile(r"spk (\d+) seed (\d+): ((?:[a-z]+[1-4] ?)+)")
MOST, LONGEST = 8, 12               # syllables of training, of the test
USUAL_KIND, LONG_KIND = "as long as trained", "longer than trained"
SEEN_KIND, UNSEEN_KIND = "speakers of training", "unseen speakers"


def parsed(recipe):
    """"spk 12 seed 804: ni3 hao3" -> speaker, seed, list of syllables; ValueError for what is none."""
    found = RECIPE.fullmatch(recipe)
    try:
        syllables = found and found[3].split()
        list(map(parted, syllables))
    except (TypeError, ValueError):
        raise ValueError(f"voice:{recipe[:60]}: no recipe, wanted such as voice:spk 3 seed 7: ni3 hao3") from None
    return int(found[1]), int(found[2]), syllables


def samples(recipe):
    """A recipe -> samples, rate."""
    number, seed, syllables = parsed(recipe)
    if number == NARRATOR:
        return narrated(syllables, seed)[0], RATE
    rng = np.random.default_rng((12, number, seed))
    return say(syllables, number, rng, 0.002 * 10 ** rng.uniform(0, 0.7))[0], RATE


def sentence(rng, kind):
    """Some syllables with tones, as many as the kind has."""
    count = rng.integers(MOST + 1, LONGEST + 1) if kind == LONG_KIND else rng.integers(1, MOST + 1)
    names, tones = rng.choice(SYLLABLES, count), rng.integers(1, 5, count)
    return " ".join(f"{name}{tone}" for name, tone in zip(names, tones))


def generate(rng, sizes):
    """Pairs of `voice`: -> Splits; no sentence stands twice, and the last fifth of the test is longer than
    training."""
    seen, parts = set(), []
    for part, size in zip(Splits._fields, sizes):
        pairs = []
        while len(pairs) < size:
            text = sentence(rng, LONG_KIND if part == "test" and len(pairs) >= 0.8 * size else USUAL_KIND)
            if text not in seen:
                pairs.append((text, f"voice:spk {NARRATOR} seed {rng.integers(10 ** 9)}: {text}"))
                seen.add(text)
        parts.append(pairs)
    return Splits(*parts)


def generate_syllables(rng, sizes):
    """Pairs of `syllables`: -> Splits; a third of validation and test is said by speakers of no training, and a fifth
    of the test is longer than training."""
    train, valid, test = sizes
    kinds = ([SEEN_KIND] * train, [SEEN_KIND, SEEN_KIND, UNSEEN_KIND] * valid,
             [SEEN_KIND, SEEN_KIND, UNSEEN_KIND, UNSEEN_KIND, LONG_KIND] * test)
    return Splits(*([utterance(rng, kind) for kind in part[:count]] for part, count in zip(kinds, sizes)))


def utterance(rng, kind):
    """Draw one pair of `syllables`, of a kind."""
    number = 1 + int(rng.integers(SEEN, SEEN + UNSEEN) if kind == UNSEEN_KIND else rng.integers(SEEN))
    text = sentence(rng, kind)
    return f"voice:spk {number} seed {rng.integers(10 ** 9)}: {text}", text


def is_heard(source, answer, target):
    """Whether an answer of `voice`, a recipe or the path of a WAV file, says all syllables of the sentence."""
    if not answer:
        return False
    heard, rate = frames.signal_of("wav", answer)
    return rate == RATE and len(heard) >= RATE // 20 and bool((distances(heard, source.split()) < RIGHT).all())


def length_of(source):
    """The kind of a sentence."""
    return LONG_KIND if len(source.split()) > MOST else USUAL_KIND


def kind_of(source):
    """The kind of an utterance; of a file, that it is one."""
    if not source.startswith("voice:"):
        return "files"
    number, _, syllables = parsed(source.partition(":")[2])
    return LONG_KIND if len(syllables) > MOST else UNSEEN_KIND if number > SEEN else SEEN_KIND


VOICE = Judge(
    right=is_heard, baseline=most_frequent, group=length_of, beyond=(LONG_KIND,), suffix=".wav", show=write,
    rule="laid along the narrator's own sound of the sentence it is near it in every syllable and tone",
    trivial="one sound of training, whatever is to be said",
    failure="Sentences of nine to twelve syllables are longer than any in training (one to eight).  In about half of "
            "them a syllable is lost, said twice or cut off: nothing but training tells the attention to go on evenly "
            "(claim K7).")
SYLLABLES_JUDGE = Judge(
    right=lambda source, answer, target: answer.split() == target.split(), baseline=most_frequent, group=kind_of,
    beyond=(LONG_KIND,), suffix=".wav", show=write,
    rule="all syllables and tones are the ones said, in their order",
    trivial="the most frequent utterance of training, whatever is heard",
    failure="Utterances of nine to twelve syllables are longer than any in training (one to eight).  The model skips "
            "some of them: it learnt how long utterances are together with what they say (claim K7).")
