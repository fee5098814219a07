"""A text <-> its tokens, in units that need no training.  (`subwords.py` has the one that does.)

``char``   every Unicode code point (after NFC) is a token.
``word``   words and marks, see `words.py`.
``space``  what stands between white space is a token, unchanged: for texts that are tokens already (phones, commands,
           tokenised corpora).

`join` undoes `split`: exactly for ``char``; for the others if the text has single spaces, none at its ends, and no
other white space.
"""
import unicodedata

from . import words, words_1

UNITS = ("char", "word", "space")
_SPLIT = {"char": list, "word": words.split, "space": str.split, "word-1": words_1.split}
_JOIN = {"char": "".join, "word": words.join, "space": " ".join, "word-1": words_1.join}


def split(text, unit):
    """Cut a text, brought to NFC, into tokens.

    Parameters
    ----------
    text : str
    unit : {"char", "word", "space"}
        Or "word-1", of old runs (`words_1.py`).

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        There is no such unit.
    """
    return _of(_SPLIT, unit)(unicodedata.normalize("NFC", text))


def join(tokens, unit):
    """Put tokens together to a text: the inverse of `split`.

    Raises
    ------
    ValueError
        There is no such unit.
    """
    return _of(_JOIN, unit)(tokens)


def _of(table, unit):
    if unit not in table:
        raise ValueError(f"unit: {unit!r}, wanted one of {', '.join(UNITS)}")
    return table[unit]
