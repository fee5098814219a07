"""Lines of five or seven characters, and couplets (对联) of two.

    春风吹绿柳        a line: words of certain kinds, and in places 2, 4 and 6 level and oblique tones by turns
    旭日照青松        the second line: words of the same kinds in the same places, other characters, the opposite tones
                      in places 2, 4, 6 and the last; the first line ends oblique, the second level

The rules are those of the regulated verse's middle couplets in their plain form (places 1, 3 and 5 are free), with the
tones of modern Mandarin.
"""
from itertools import product

from .lexicon import KIND, KINDS, is_level

FORMS = [("sky", "over", "plant"), ("sky", "over", "place"), ("animal", "moves", "place"), ("animal", "moves", "plant")]
FORMS += [("number", *form) for form in FORMS[:3]]
WITHHELD = ("number", "animal", "moves", "plant")               # in no line of training


def words(line):
    """Cut a line into words, two characters each but the last but one, which has one: -> list, or None."""
    if len(line) not in (5, 7):
        return None
    cut = [line[i:i + 2] for i in range(0, len(line) - 3, 2)] + [line[-3], line[-2:]]
    return cut if all(word in KIND for word in cut) else None


def form(line):
    """The kinds of a line's words, a tuple; None if it is no line."""
    cut = words(line)
    kinds = cut and tuple(KIND[word] for word in cut)
    return kinds if kinds in FORMS or kinds == WITHHELD else None


def alternates(line):
    """Whether level and oblique tones take turns in places 2, 4 and 6."""
    tones = [is_level(c) for c in line[1::2]]
    return all(a != b for a, b in zip(tones, tones[1:]))


def is_first(line):
    """Whether a text can be the first line of a couplet."""
    return form(line) is not None and alternates(line) and not is_level(line[-1]) and len(set(line)) == len(line)


def is_parallel(first, second):
    """Whether `second` is a second line to `first`."""
    if form(second) is None or form(second) != form(first) or set(first) & set(second):
        return False
    places = [*range(1, len(first), 2), len(first) - 1]
    return len(set(second)) == len(second) and all(is_level(first[i]) != is_level(second[i]) for i in places)


def first_lines(forms):
    """All first lines of some forms, a list."""
    return [line for kinds in forms for line in map("".join, product(*(KINDS[kind].split() for kind in kinds)))
            if is_first(line)]


def second(rng, first):
    """Draw a second line to a first line."""
    choices = [KINDS[kind].split() for kind in form(first)]
    while True:
        line = "".join(some[rng.integers(len(some))] for some in choices)
        if is_parallel(first, line):
            return line
