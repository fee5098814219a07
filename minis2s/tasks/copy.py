"""copy: say again what you heard, letter by letter.

The smallest task that needs memory: everything about the source must fit into what the encoder hands
over.  A model with attention learns it in a minute, because the alignment is a straight line.  Held-out
texts are up to two letters longer than any in training, so one sees at once whether a model learned to
copy or to count.
"""
from .sampling import Splits

SYMBOLS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"      # 50
TRAIN_LONGEST, LONGEST = 10, 12


def strings(rng, count, longest, taken):
    """Draw strings of SYMBOLS: length even over 1 .. `longest`, none that is in the set `taken`, which grows.

    There are only 50 strings of length 1, so later draws find few or none of these left.
    """
    drawn = []
    while len(drawn) < count:
        length = rng.integers(1, longest, endpoint=True)
        s = "".join(SYMBOLS[i] for i in rng.integers(len(SYMBOLS), size=length))
        if s not in taken:
            taken.add(s)
            drawn.append(s)
    return drawn


def generate(rng, sizes):
    """-> Splits of sizes (train, valid, test)."""
    taken = set()
    return Splits(*([(s, s) for s in strings(rng, count, longest, taken)]
                    for count, longest in zip(sizes, (TRAIN_LONGEST, LONGEST, LONGEST))))
