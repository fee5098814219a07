"""commands: "jump around left twice and walk" -> the moves, one by one.

A command is a phrase, perhaps said twice or thrice, and perhaps another one before it ("after") or behind it ("and"):

    walk                 WALK                       turn left            LEFT
    walk left            LEFT WALK                  turn opposite left   LEFT LEFT
    walk opposite left   LEFT LEFT WALK             turn around left     LEFT LEFT LEFT LEFT
    walk around left     LEFT WALK LEFT WALK LEFT WALK LEFT WALK
    x twice, x thrice    the moves of x, two or three times
    x and y, x after y   the moves of x, then those of y; those of y, then those of x

So there are 34 phrases, 102 with their repetitions, and 102 + 2 · 102² = 20,910 commands.  Every word means the same
wherever it stands; whether a network finds that out, Lake & Baroni (2018) asked with commands of this kind.
"""
from .sampling import deal, draw

ACTIONS = ("walk", "look", "run", "jump")
SIDES = ("left", "right")
TIMES = {"": 1, " twice": 2, " thrice": 3}


def phrases():
    """All phrases: -> list of (words, list of moves)."""
    found = [(action, [action.upper()]) for action in ACTIONS]
    for action in (*ACTIONS, "turn"):
        move = [] if action == "turn" else [action.upper()]
        for side in SIDES:
            turn = side.upper()
            found += [(f"{action} {side}", [turn, *move]), (f"{action} opposite {side}", [turn, turn, *move]),
                      (f"{action} around {side}", [turn, *move] * 4)]
    return found


def parts():
    """All phrases, once, twice and thrice: -> list of (words, list of moves)."""
    return [(words + times, moves * count) for words, moves in phrases() for times, count in TIMES.items()]


def generate(rng, sizes):
    """-> Splits of sizes (train, valid, test)."""
    single = parts()
    count = len(single)
    commands = []
    for joined, _, i in draw([[count], [2 * count**2]], sum(sizes), rng, "commands"):
        words, moves = single[i % count]
        if joined:
            more, then = single[i // count % count]
            after = i // count**2
            words, moves = (f"{words} after {more}", then + moves) if after else (f"{words} and {more}", moves + then)
        commands.append((words, " ".join(moves)))
    return deal(commands, sizes)
