"""Every formula of the five documents: what is printed, what is meant, and the live code that computes it.

`FORMULAS` maps an ID ("B4.2a") to its Formula.  No number is stored here: errors and examples are
computed when they are shown, by the code that they describe.
"""
import difflib

from . import a, b, c, d, e
from .entry import Form, Formula, resolve, source    # noqa: F401

FORMULAS = {formula.id: formula for document in (a, b, c, d, e) for formula in document.FORMULAS}


def find(name):
    """The Formula with this ID, upper or lower case.

    Raises
    ------
    ValueError
        There is none; the message suggests the nearest and lists all.
    """
    by_lower = {known.lower(): formula for known, formula in FORMULAS.items()}
    if name.lower() in by_lower:
        return by_lower[name.lower()]
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0)
    known = ", ".join(FORMULAS)
    raise ValueError(f"no formula {name!r}; did you mean {by_lower[near[0]].id}?  There are {known}")
