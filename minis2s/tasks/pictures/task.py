"""The pairs of the task, and who is right.

Two combinations of colour and shape, WITHHELD, are in no picture of training: a tenth of the test has them, and says
whether the model learnt colours and shapes, or their combinations.
"""
import numpy as np

from ..judge import Judge, most_frequent
from ..sampling import Splits
from . import sentences
from .scenes import COLOURS, SHAPES, SIDE, SIZES, Scene, Thing, draw, parsed

WITHHELD = {("yellow", "circle"), ("green", "square")}
KNOWN = [(c, s) for c in COLOURS for s in SHAPES if (c, s) not in WITHHELD]


def pixels(recipe):
    """A recipe -> pixels."""
    return draw(parsed(recipe))


PLACES = [v for v in range(5, SIDE - 5) if min(abs(v - SIDE // 3 + 0.5), abs(v - 2 * SIDE // 3 + 0.5)) > 1]


def placed(rng, looks, size=None):
    """Things of these colours and shapes, anywhere but on the line between two places, none touching another."""
    things = []
    while len(things) < len(looks):
        sizes, (x, y) = list(SIZES), rng.integers(len(PLACES), size=2)
        new = Thing(size or sizes[rng.integers(2)], *looks[len(things)], PLACES[x], PLACES[y])
        free = all(max(abs(new.x - t.x), abs(new.y - t.y)) > SIZES[new.size] + SIZES[t.size] + 1 for t in things)
        things = [*things, new] if free else things[:-1] if rng.random() < 0.1 else things
    return tuple(things)


def scene(rng, withheld=False):
    """Draw a scene: one thing, two things, or two to four of a kind."""
    looks, what = sorted(WITHHELD) if withheld else KNOWN, rng.integers(3)
    first, second = looks[rng.integers(len(looks))], KNOWN[rng.integers(len(KNOWN))]
    if what == 0 or first == second:
        things = placed(rng, [first])
    elif what == 1:
        things = ()
        while not things or not any(holds(*things) for holds in sentences.RELATIONS.values()):
            things = placed(rng, [first, second])
    else:
        things = placed(rng, [first] * rng.integers(2, 5), "small")
    return Scene(things, int(rng.integers(10 ** 9)))


def pair(rng, withheld=False):
    """Draw one pair (source, target)."""
    s = scene(rng, withheld)
    return f"picture:{s}", sentences.describe(s, rng)


def generate(rng, sizes):
    """-> Splits of sizes (train, valid, test); every tenth picture of the test has a combination of WITHHELD."""
    train, valid, test = sizes
    return Splits([pair(rng) for _ in range(train)], [pair(rng) for _ in range(valid)],
                  [pair(rng, i % 10 == 9) for i in range(test)])


def scene_of(source):
    """The Scene of a recipe; ValueError for a file, of which nobody knows what is in it."""
    prefix, _, recipe = source.partition(":")
    if prefix != "picture":
        raise ValueError(f"{source}: a file; only pictures of the task can be checked")
    return parsed(recipe)


def group(source):
    """The kind of a scene, or that it has a withheld combination."""
    s = scene_of(source)
    withheld = any((t.colour, t.shape) in WITHHELD for t in s.things)
    return "withheld combinations" if withheld else sentences.kind(s)


def write(source, path):
    """Write a source's picture as a PNG file, each pixel 8 x 8 large."""
    from ...data.pictures import write_png
    write_png(path, np.kron(draw(scene_of(source)), np.ones((8, 8, 1))))


JUDGE = Judge(
    right=lambda source, answer, target: sentences.is_true(scene_of(source), answer),
    baseline=most_frequent,
    rule="the sentence is of the kind that the scene asks for, and all that it says is true of the picture",
    trivial="the most frequent sentence of training, whatever is seen",
    failure="Yellow circles and green squares are in no picture of training.  The model often calls them by a "
            "combination that "
            "it knows, a yellow triangle or a green circle: it learnt combinations, not colours and shapes alone.",
    group=group, beyond=("withheld combinations",), suffix=".png", show=write)
