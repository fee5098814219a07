"""addition: "16+75" -> "91", two numbers from 0 to 999.

The answer cannot be copied from anywhere, it must be computed, and the carry runs from right to left
while the answer is written from left to right.  Known for showing what a reversed source and a context
at every step are worth. The nine pairs of digit counts are as frequent as their number of sums allows.
16+75 and 75+16 are different sums; one may be practised and the other asked.
"""
from .sampling import deal, draw

RANGES = ((0, 10), (10, 100), (100, 1000))              # numbers of one, two, three digits
KINDS = [(a, b) for a in RANGES for b in RANGES]


def generate(rng, sizes):
    """-> Splits of sizes (train, valid, test)."""
    groups = [[(a_end - a) * (b_end - b)] for (a, a_end), (b, b_end) in KINDS]
    pairs = []
    for g, _, i in draw(groups, sum(sizes), rng, "sums"):
        (a, a_end), (b, _) = KINDS[g]
        x, y = a + i % (a_end - a), b + i // (a_end - a)
        pairs.append((f"{x}+{y}", str(x + y)))
    return deal(pairs, sizes)
