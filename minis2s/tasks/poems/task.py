"""The pairs of the task, who is right, and what a generator of texts is asked: valid, its own, and how varied."""
import numpy as np

from ..judge import Judge, most_frequent
from ..sampling import deal
from .couplets import FORMS, WITHHELD, first_lines, form, is_parallel, second

UNSEEN = "withheld form"
TEMPERATURES = (0, 0.5, 1, 1.5)


def generate(rng, sizes):
    """-> Splits of sizes (train, valid, test), no source twice; every tenth line of the test is of the WITHHELD form.

    Raises
    ------
    ValueError
        There are fewer first lines.
    """
    known, withheld = first_lines(FORMS), first_lines([WITHHELD])
    train, valid, test = sizes
    for some, count in ((known, train + valid + test - test // 10), (withheld, test // 10)):
        if count > len(some):
            raise ValueError(f"sizes: {count:,} first lines asked for, but there are {len(some):,} different ones")
    known, withheld = ([some[i] for i in rng.permutation(len(some))] for some in (known, withheld))
    lines = known
    for i in range(test // 10):
        lines.insert(train + valid + 10 * i + 9, withheld[i])
    return deal([(first, second(rng, first)) for first in lines[:sum(sizes)]], sizes)


def group(source):
    """How long the line is, or that its form is in no line of training."""
    return UNSEEN if form(source) == WITHHELD else f"{len(source)} characters"


def variety(ask, training, count=300, seed=1):
    """At several temperatures, for first lines that training has not: shares of second lines that are valid, that stand
    in training, and that are different; and how many stand there of second lines that follow the rules by chance.

    Parameters
    ----------
    ask : function: list of sources, temperature -> list of answers; temperature 0 is the most probable answer
    training : pairs of training
    """
    rng, used, known = np.random.default_rng(seed), {first for first, _ in training}, {line for _, line in training}
    unseen = [line for line in first_lines(FORMS) if line not in used]
    sources = [unseen[i] for i in rng.permutation(len(unseen))[:count]]
    by_chance = [second(rng, first) for first in sources]
    shares = {"by chance: found in training": sum(line in known for line in by_chance) / len(sources)}
    for temperature in TEMPERATURES:
        answers = ask(sources, temperature)
        for name, value in (("valid", sum(map(is_parallel, sources, answers))),
                            ("found in training", sum(answer in known for answer in answers)),
                            ("different", len(set(answers)))):
            shares[f"T={temperature}: {name}"] = value / len(answers)
    return shares


JUDGE = Judge(
    right=lambda source, answer, target: is_parallel(source, answer),
    baseline=most_frequent,
    rule="it has the same kinds of words in the same places, the opposite tones in places 2, 4, 6 and the last, and no "
         "character of the first line",
    trivial="the most frequent second line of training, whatever the first",
    failure="A number before an animal that does something with a plant: training has each of the words in its place, "
            "but never all in one line.",
    group=group, beyond=(UNSEEN,), experiment=variety)
