"""What a planted bug is."""
from typing import NamedTuple


class Mutant(NamedTuple):
    """One bug.

    file : under minis2s/.
    old : text that stands exactly once in the file.
    new : what is put in its place.
    why : the mistake, in words.
    tests : the test files that should catch it, the quickest first.
    equivalent : why no test can catch it, or None.
    """
    file: str
    old: str
    new: str
    why: str
    tests: tuple
    equivalent: str | None = None


def bugs(file, tests, *edits):
    """The Mutants of one file; each edit is (old, new, why) or (old, new, why, equivalent)."""
    return [Mutant(file, old, new, why, tuple(tests.split()), *rest) for old, new, why, *rest in edits]
