"""Draw different examples, evenly over kinds, and deal them out to train, valid and test."""
from typing import NamedTuple


class Splits(NamedTuple):
    """Three lists of (source, target) texts; no source stands in two of them, or twice in one."""
    train: list
    valid: list
    test: list


def fill(capacities, count):
    """Share `count` out over vessels as evenly as their capacities allow: -> list of int, one for each.

    Small vessels are filled to the brim, the others get equal shares (up to 1).
    """
    shares = [0] * len(capacities)
    order = sorted(range(len(capacities)), key=lambda k: capacities[k])
    for place, k in enumerate(order):               # the smallest first: it may get less than its share
        shares[k] = min(capacities[k], count // (len(order) - place))
        count -= shares[k]
    return shares


def draw(groups, count, rng, what="pairs"):
    """Draw `count` different items, evenly over groups, and within a group evenly over its kinds.

    Parameters
    ----------
    groups : list of lists of int
        ``groups[g][k]`` is the number of items of kind k in group g.
    count : int
    rng : numpy.random.Generator
    what : str
        What there is too little of, for the error message.

    Returns
    -------
    list of `count` tuples (g, k, i)
        0 <= i < ``groups[g][k]``; all different, in random order.

    Raises
    ------
    ValueError
        There are fewer than `count` items.
    """
    totals = [sum(kinds) for kinds in groups]
    if count > sum(totals):
        raise ValueError(f"sizes: {count:,} {what} asked for, but there are {sum(totals):,} different ones")
    items = [(g, k, int(i))
             for g, group_share in enumerate(fill(totals, count))
             for k, share in enumerate(fill(groups[g], group_share))
             for i in rng.choice(groups[g][k], share, replace=False)]
    return [items[j] for j in rng.permutation(count)]


def deal(pairs, sizes):
    """Cut a shuffled list of pairs into Splits of sizes (train, valid, test)."""
    train, valid, _ = sizes
    return Splits(pairs[:train], pairs[train:train + valid], pairs[train + valid:])
