"""One entry of the bank: a wrong implementation, and what to say to who wrote it."""
from typing import Callable, NamedTuple


class Mistake(NamedTuple):
    """A deliberately wrong implementation of an exercise; entries with one name are forms of one mistake.

    says : str, what is wrong, in one sentence.
    look : str, the next thing to look at.
    f : callable with the exercise's arguments, in order.
    variant : bool, True where it is another valid definition, not a mistake.
    """
    exercise: str
    name: str
    mark: str
    says: str
    look: str
    f: Callable
    variant: bool = False


def recorder():
    """-> an empty bank, and the decorator `wrong(exercise, name, mark, says, look)` that adds to it."""
    bank = []

    def wrong(exercise, name, mark, says, look, variant=False):
        def add(f):
            bank.append(Mistake(exercise, name, mark, says, look, f, variant))
            return f
        return add
    return bank, wrong
