"""Sentences about scenes: what may be said, in several wordings, and the checker, which decides whether a sentence is
true.

    one thing          a small red circle in the upper left      there is a small red circle in the upper left
    two things         a red circle is left of a blue square     a blue square is right of a red circle
    some of a kind     three green triangles                     the picture shows three green triangles

A sentence must be of the kind that the scene asks for, and all that it says must hold: colour, shape, size, place,
number and relation.  Of two things any relation that holds may be said, from either of them.
"""
import re

from .scenes import COLOURS, SHAPES, SIDE, SIZES

OPENINGS = ("", "there is ", "the picture shows ", "i see ")
NUMBERS = {"two": 2, "three": 3, "four": 4}
ROWS, COLUMNS = ("upper", "middle", "lower"), ("left", "centre", "right")
APART = 6                           # pixels by which one thing must stand beyond the other for a relation to hold
RELATIONS = {"left of": lambda a, b: b.x - a.x >= APART, "right of": lambda a, b: a.x - b.x >= APART,
             "above": lambda a, b: b.y - a.y >= APART, "below": lambda a, b: a.y - b.y >= APART}
OPENING = re.compile("^(?:there is|the picture shows|i see) ")
ONE = re.compile(rf"an? ({'|'.join(SIZES)}) ({'|'.join(COLOURS)}) ({'|'.join(SHAPES)}) in the "
                 rf"({'|'.join(ROWS)}) ({'|'.join(COLUMNS)})")
TWO = re.compile(rf"an? ({'|'.join(COLOURS)}) ({'|'.join(SHAPES)}) is ({'|'.join(RELATIONS)}) "
                 rf"an? ({'|'.join(COLOURS)}) ({'|'.join(SHAPES)})")
SOME = re.compile(rf"({'|'.join(NUMBERS)}) ({'|'.join(COLOURS)}) ({'|'.join(SHAPES)})s")


def place(thing):
    """Row and column, of three each, in which a thing's middle is."""
    return ROWS[min(2, 3 * thing.y // SIDE)], COLUMNS[min(2, 3 * thing.x // SIDE)]


def kind(scene):
    """"one thing", "two things" or "some of a kind"."""
    if len(scene.things) == 1:
        return "one thing"
    return "some of a kind" if len({(t.colour, t.shape) for t in scene.things}) == 1 else "two things"


def describe(scene, rng):
    """One of the true sentences about a scene, drawn at random."""
    things, what = scene.things, kind(scene)
    if what == "one thing":
        t = things[0]
        said = f"a {t.size} {t.colour} {t.shape} in the {' '.join(place(t))}"
    elif what == "two things":
        a, b = things if rng.random() < 0.5 else things[::-1]
        true = [name for name, holds in RELATIONS.items() if holds(a, b)]
        return f"a {a.colour} {a.shape} is {rng.choice(true)} a {b.colour} {b.shape}"
    else:
        number = next(word for word, n in NUMBERS.items() if n == len(things))
        said = f"{number} {things[0].colour} {things[0].shape}s"
    return str(rng.choice([o for o in OPENINGS if what == "one thing" or o != "there is "])) + said


def is_true(scene, sentence):
    """Whether a sentence says of a scene what is to be said, and all of it holds."""
    things, what, said = scene.things, kind(scene), OPENING.sub("", sentence.strip())
    if what == "one thing":
        m, t = ONE.fullmatch(said), things[0]
        return bool(m) and m.groups() == (t.size, t.colour, t.shape, *place(t))
    if what == "two things":
        m = TWO.fullmatch(said)
        return bool(m) and any((a.colour, a.shape, b.colour, b.shape) == (m[1], m[2], m[4], m[5])
                               and RELATIONS[m[3]](a, b)
                               for a, b in (things, things[::-1]))
    m = SOME.fullmatch(said)
    return bool(m) and (NUMBERS[m[1]], m[2], m[3]) == (len(things), things[0].colour, things[0].shape)
