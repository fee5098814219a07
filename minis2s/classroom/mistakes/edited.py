"""A mistake as an edit: pieces of a right function's text, replaced.

So the right function is written once, is read as it stands, and two mistakes together are two edits.
"""
import inspect


class Edited:
    """A function whose text is changed when it is first called.

    function : the right one;  edits : tuple of (piece of its text, what stands in its place)
    """

    def __init__(self, function, edits):
        self.function, self.edits, self._made = function, tuple(edits), None

    def __call__(self, *values):
        if self._made is None:
            self._made = self._make()
        return self._made(*values)

    def __add__(self, other):
        """Both edits in one function; ValueError where they do not fit together."""
        both = Edited(self.function, (*self.edits, *other.edits))
        both._made = both._make()
        return both

    def _make(self):
        text = inspect.getsource(self.function)
        for old, new in self.edits:
            if old not in text:
                raise ValueError(f"{self.function.__name__} has no {old!r}")
            text = text.replace(old, new)
        world = dict(self.function.__globals__)
        exec(compile(text, f"<{self.function.__name__}, edited>", "exec"), world)
        return world[self.function.__name__]


def edits_of(wrong, exercise, function, table):
    """Add to a bank: `table` has rows (name, mark, says, look, edits, perhaps other edits of the same name)."""
    for name, mark, says, look, *forms in table:
        for edits in forms:
            wrong(exercise, name, mark, says, look)(Edited(function, edits))
