"""The first rule for words, unit ``word-1``: only for runs that were saved with it.

White space is dropped and put back by the habits of English, so texts with „quotes“, C++ or -5 come back changed;
`words.py` has the present rule.  The two differ in the tokens (``,`` here, ``‿,`` there), so a model trained
with this rule keeps it.
"""
import unicodedata

OPENING = set("([{“‘«¿¡$£€¥#@")              # no space after
TIGHT = set("—…/~*^|\\") | set("。，、；：？！（）《》〈〉「」『』【】")     # no space on either side
SPACED = set("-–&+=<>")                     # a space on both sides; every other mark: no space before


def split(text):
    """Cut a text into words and marks."""
    return [token for chunk in text.split() for token in _words(chunk)]


def join(tokens):
    """Put words and marks together to a text."""
    text, glue, quoted = "", True, False           # glue: no space before the next token
    for token in tokens:
        opens = token in OPENING or (token == '"' and not quoted)
        closes = _is_mark(token) and not opens and token not in SPACED
        text += token if glue or closes else " " + token
        glue = opens or token in TIGHT
        quoted ^= token == '"'
    return text


def _is_mark(ch):
    """Is it one character of the Unicode classes punctuation (P) or symbol (S)?"""
    return len(ch) == 1 and unicodedata.category(ch)[0] in "PS"


def _words(chunk):
    """Cut a text without whitespace into words and marks."""
    tokens, word = [], ""
    for i, ch in enumerate(chunk):
        if not _is_mark(ch) or is_inner(chunk, i):
            word += ch
            continue
        tokens += [word, ch] if word else [ch]
        word = ""
    return tokens + [word] if word else tokens


def is_inner(chunk, i):
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
