"""Tokenizer: all that turns the texts of one side into tokens and back, under one name."""
import re
import unicodedata
from dataclasses import dataclass

from . import units
from .subwords import Subwords


def check_unit(name, unit):
    """ValueError unless `unit` is char, word, space or bpe:N with N at least 5; `name` is the argument's."""
    if unit in (*units.UNITS, "word-1"):
        return
    if not (isinstance(unit, str) and re.fullmatch(r"bpe:[1-9][0-9]{0,6}", unit)):
        raise ValueError(f"{name}={unit!r}: choose one of {', '.join(units.UNITS)}, bpe:N (N pieces, such as bpe:4000)")


@dataclass(frozen=True)
class Tokenizer:
    """Cut texts of one side into tokens.

    Parameters
    ----------
    unit : str
        "char", "word", "space" (see `units.py`) or "bpe:N".
    lowercase : bool
        Texts are lower-cased first, so that The and the are one token; answers are in lower case then.
    subwords : Subwords or None
        The trained pieces of "bpe:N".

    Examples
    --------
    >>> t = Tokenizer("word")
    >>> t.split("Ja, „gut“.")
    ['Ja', '‿,', '„‿', 'gut', '‿“', '‿.']
    >>> t.join(t.split("Ja, „gut“."))
    'Ja, „gut“.'
    """
    unit: str
    lowercase: bool = False
    subwords: Subwords | None = None

    def __post_init__(self):
        check_unit("unit", self.unit)
        if self.unit.startswith("bpe:") != (self.subwords is not None):
            raise ValueError(f"subwords: unit {self.unit} " + ("needs trained pieces" if self.subwords is None else
                                                               "has none"))

    @classmethod
    def train(cls, unit, texts, lowercase=False):
        """The Tokenizer of a unit; for "bpe:N" the pieces are learnt from `texts`, those of the training side."""
        check_unit("unit", unit)
        if not unit.startswith("bpe:"):
            return cls(unit, lowercase)
        texts = (unicodedata.normalize("NFC", lowered(t) if lowercase else t) for t in texts)
        return cls(unit, lowercase, Subwords.train(texts, int(unit[4:])))

    @property
    def trained(self):
        """What a run must keep: the sub-words, or None."""
        return self.subwords

    def split(self, text):
        """A text -> list of str."""
        text = lowered(text) if self.lowercase else text
        return units.split(text, self.unit) if self.subwords is None else self.subwords.split(text)

    def join(self, tokens):
        """Tokens -> the text; see `units.py` for what comes back exactly."""
        return units.join(tokens, self.unit) if self.subwords is None else self.subwords.join(tokens)

    def normal(self, text):
        """The text in the form that answers have: join(split(text))."""
        return self.join(self.split(text))


def lowered(text):
    """A text in lower case; its accents are composed first, so that equal texts stay equal."""
    return unicodedata.normalize("NFC", text).lower()
