"""The worked examples of the five documents, to be run with the document beside them: `minis2s example W1`.

Each module has `TITLE`, `WHERE` (document and section), `run(seed)` -> a NamedTuple of all results,
and `report(result)` -> the lines to read.  A module with a picture also has `PICTURE`, its file's name,
and `picture(result)` -> the arguments of `viewer.plots.attention_map`: the examples draw nothing themselves.
"""
import difflib
from importlib import import_module

MODULES = {"W1": "w1_hello_world", "W2": "w2_leak", "W3": "w3_student", "W4": "w4_autoencoder",
           "W5": "w5_numbers", "W6": "w6_how_are_you", "W7": "w7_softmax_axis", "W8": "w8_tagger"}


def find(name):
    """The module of the example with this name, upper or lower case.

    Raises
    ------
    ValueError
        There is none; the message suggests the nearest and lists all.
    """
    key = name.upper()
    if key not in MODULES:
        near = difflib.get_close_matches(key, MODULES, n=1, cutoff=0)[0]
        raise ValueError(f"no example {name!r}; did you mean {near}?  There are {', '.join(MODULES)}")
    return import_module(f".{MODULES[key]}", __name__)


def listing():
    """One line for each example."""
    for name in MODULES:
        module = find(name)
        yield f"{name}  {module.WHERE:<14} {module.TITLE}"
