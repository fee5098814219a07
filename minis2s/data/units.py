"""A text <-> its tokens, in units of characters or of words.

``char``  every Unicode code point (after NFC) is a token.
``word``  whitespace divides and is dropped; each punctuation mark or symbol is a token of its own.
          Marks inside a word do not divide it: don't, well-known, snake_case, 3.50, 10:30, 7/8, p.m, U.S.

Joining words puts spaces back by the habits of English: none before , . ! ? and closing brackets, none
after opening brackets and $, straight double quotes open and close in turn.  Chinese marks take no
spaces at all.  Ordinary sentences come back unchanged; runs of whitespace do not, nor single straight
quotes used as brackets ('so').
"""
import unicodedata

UNITS = ("char", "word")
OPENING = set("([{“‘«¿¡$£€¥#@")              # no space after
TIGHT = set("—…/~*^|\\") | set("。，、；：？！（）《》〈〉「」『』【】")     # no space on either side
SPACED = set("-–&+=<>")                     # a space on both sides; every other mark: no space before


def split(text, unit):
    """Cut a text into tokens.

    Parameters
    ----------
    text : str
    unit : {"char", "word"}

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        `unit` is neither of the two.
    """
    text = unicodedata.normalize("NFC", text)
    return list(text) if _check(unit) == "char" else [t for chunk in text.split() for t in _words(chunk)]


def join(tokens, unit):
    """Put tokens together to a text: the inverse of `split`, for words as far as the module's text says.

    Raises
    ------
    ValueError
        `unit` is neither "char" nor "word".
    """
    if _check(unit) == "char":
        return "".join(tokens)
    text, glue, quoted = "", True, False           # glue: no space before the next token
    for token in tokens:
        opens = token in OPENING or (token == '"' and not quoted)
        closes = _is_mark(token) and not opens and token not in SPACED
        text += token if glue or closes else " " + token
        glue = opens or token in TIGHT
        quoted ^= token == '"'
    return text


def _check(unit):
    if unit not in UNITS:
        raise ValueError(f"unit: {unit!r}, wanted one of {', '.join(UNITS)}")
    return unit


def _is_mark(ch):
    """Is it one character of the Unicode classes punctuation (P) or symbol (S)?"""
    return len(ch) == 1 and unicodedata.category(ch)[0] in "PS"


def _words(chunk):
    """Cut a text without whitespace into words and marks."""
    tokens, word = [], ""
    for i, ch in enumerate(chunk):
        if not _is_mark(ch) or _is_inner(chunk, i):
            word += ch
            continue
        tokens += [word, ch] if word else [ch]
        word = ""
    return tokens + [word] if word else tokens


def _is_inner(chunk, i):
    """Does the mark at `i` belong to the word around it?"""
    if not 0 < i < len(chunk) - 1:
        return False
    before, ch, after = chunk[i - 1:i + 2]
    if ch in "'’-_":
        return before.isalnum() and after.isalnum()
    if ch in ".,:/":
        if ch == "." and before.isalpha() and after.isalpha():
            return not chunk[max(i - 2, 0):i - 1].isalnum()     # p.m, but not end.Next
        return before.isdigit() and after.isdigit()
    return False
