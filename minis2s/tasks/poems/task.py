"""The pairs of the task, who is right, and what a generator of texts is asked: valid, its own, and how varied."""
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
    """At several temperatures: shares of second lines that are valid, that stand in training, and that are different.

    Parameters
    ----------
    ask : function: list of sources, temperature -> list of answers; temperature 0 is the most probable answer
    training : pairs of training
    """
    sources = [first for first, _ in training[:count]]
    known, shares = {second for _, second in training}, {}
    for temperature in TEMPERATURES:
        answers = ask(sources, temperature)
        for name, value in (("valid", sum(map(is_parallel, sources, answers))),
                            ("copied from training", sum(answer in known for answer in answers)),
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
