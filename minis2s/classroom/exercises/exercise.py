"""What an exercise is, and the shapes and axes that its documentation names."""
import re
from typing import Any, Callable, NamedTuple

import numpy as np

AXES = {"T": "t", "S": "t", "N": "n", "D": "input", "E": "column", "H": "unit", "A": "unit", "V": "token",
        "K": "place", "width": "place", "h": "head", "d": "column", "4H": "gate:ifgo", "3H": "gate:zrn", "I": "row",
        "J": "column", "r": "frame", "F": "number", "R": "column", "U": "word"}


class Case(NamedTuple):
    """One set of inputs.

    label : str, what is special about it: "ragged lengths".
    inputs : dict of name: value, in the order of the arguments.
    raises : types of exception of which one is wanted in place of an answer, or ().
    layout : how the arrays are stored: "" as usual, "fortran" column by column, "gaps" with gaps between numbers
        and in the other byte order.
    """
    label: str
    inputs: dict
    raises: tuple = ()
    layout: str = ""


class Output(NamedTuple):
    """One array (or number) that the function returns: name, letters ("T", "N", "H"), what it is."""
    name: str
    letters: tuple
    doc: str

    @property
    def axes(self):
        """What each axis counts: "t", "n", "unit", or "gate:ifgo" for gates packed side by side."""
        both = {"S", "T"} <= set(self.letters)                  # then t counts decoder steps and i the source's
        return tuple("i" if both and letter == "T" else AXES.get(letter, "row") for letter in self.letters)

    @property
    def mark(self):
        """The mark in the documentation, "(L4*)", or ""."""
        found = re.search(r"\([A-Z]{1,2}\d\*?\)", self.doc)
        return found.group() if found else ""


class Exercise(NamedTuple):
    """One exercise: `arguments` and `returns` are lines "name  (shape)  meaning".

    cases(rng) makes the inputs, `reference` is the library's own code for them, called by keywords.
    `computed` names the outputs in the order of computation, where that is not the order of return.
    `backward`: time runs from T to 1.  `own_memory`: outputs must not share memory, nor with an argument.
    `contract(facts)` may refuse a function whose numbers are right: -> sentence or None.
    `shared`: what all outputs are made of, said when all of them are wrong.
    `layouts`: whether the inputs are also tried in other orders of memory.
    `canonical(case, arrays)` puts into one order what may come in any: candidates of equal probability.
    `depends`: arguments that other arguments were computed from (a mask that the forward pass used).
    """
    name: str
    title: str
    equations: str
    arguments: str
    returns: str
    example: str
    hints: tuple
    cases: Callable
    reference: Callable
    computed: tuple = ()
    backward: bool = False
    own_memory: bool = False
    contract: Any = None
    shared: str = ""
    layouts: bool = True
    depends: tuple = ()
    canonical: Any = None
    seconds: float = 10.0
    imports: str = "import numpy as np\n"

    @property
    def function(self):
        """Name of the function, and of the file without its suffix."""
        return self.name.replace("-", "_")

    @property
    def names(self):
        """Names of the arguments, in order."""
        return tuple(line.split()[0] for line in self.arguments.strip().splitlines()
                     if not line.startswith(" "))

    @property
    def shapes(self):
        """Name of each array argument -> its letters: {"x": ("N", "D"), ...}."""
        found = re.findall(r"^(\w+) +\(([^)]*)\)", self.arguments, re.MULTILINE)
        return {name: tuple(re.findall(r"\w+", letters)) for name, letters in found}

    @property
    def outputs(self):
        """The Outputs, in the order of return."""
        found = []
        for line in self.returns.strip().splitlines():
            name, shape, doc = re.fullmatch(r"(\w+) +(number|\([^)]*\)) +(.*)", line.strip()).groups()
            found.append(Output(name, () if shape == "number" else tuple(re.findall(r"\w+", shape)), doc))
        return tuple(found)

    @property
    def order(self):
        """The Outputs in the order of computation."""
        by_name = {output.name: output for output in self.outputs}
        return tuple(by_name[name] for name in self.computed or by_name)


def draws(seed):
    """The random generator of an exercise's inputs; TypeError or ValueError for what is no seed."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise TypeError(f"seed={seed!r}: wanted a whole number")
    if seed < 0:
        raise ValueError(f"seed={seed}: wanted 0 or more")
    return np.random.default_rng(seed)


def ragged(lengths, T):
    """Mask (T, N) of sequences of these lengths."""
    return np.arange(T)[:, None] < np.asarray(lengths)


def lengths(rng, T, N):
    """Lengths from 1 to T in random order, both met; the first sequence is not the longest."""
    some = rng.permutation(np.r_[1, rng.integers(2, T, N - 2)])
    return np.insert(some, rng.integers(1, N), T)
