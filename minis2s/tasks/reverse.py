"""reverse: say it backwards.

The alignment is the other diagonal: the last letter read is the first one written.  Without attention
the near end is easy and the far end is lost; with attention the map shows the crossing line.  Training
has lengths 1 to 25, valid and test 1 to 30, so the last fifth of the lengths is never practised.
"""
from .copy import strings
from .sampling import Splits

TRAIN_LONGEST, LONGEST = 25, 30


def generate(rng, sizes):
    """-> Splits of sizes (train, valid, test)."""
    taken = set()
    return Splits(*([(s, s[::-1]) for s in strings(rng, count, longest, taken)]
                    for count, longest in zip(sizes, (TRAIN_LONGEST, LONGEST, LONGEST))))
