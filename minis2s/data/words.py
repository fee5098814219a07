"""Words and marks, with the white space kept: `join` returns exactly what `split` was given.

A word is a run of letters, digits and their accents; each punctuation mark or symbol is a token of its own, except
inside a word: don't, well-known, snake_case, 3.50, 10:30, 7/8, p.m.  Where no white space stood between two tokens,
the mark between them says so by a tie ‿ on that side:

    Er sagte „Hallo“, und -5 ≠ C++.   →   Er sagte „‿ Hallo ‿“ ‿, und -‿ 5 ≠ C ‿+ ‿+ ‿.

So no list of characters and no habit of one language decides where spaces stand: the tokens do.  A model learns from
the training texts which tokens it has to write.  Words themselves never carry a tie, and look the same everywhere.
Moses (Koehn et al. 2007) and OpenNMT write such ties as @-@ and ￭.
"""
import unicodedata

from .words_1 import is_inner

TIE = "‿"           # U+203F; in a text of its own it counts as a letter


def split(text):
    """Cut a text into words and marks.

    Parameters
    ----------
    text : str
        White space divides; of a run of white space `join` puts back one space.

    Returns
    -------
    list of str
    """
    return [token for chunk in text.split() for token in _tied(_parts(chunk))]


def join(tokens):
    """Put words and marks together: the inverse of `split`.

    Any list of tokens gives a text, also one that no `split` returns: a space stands between two tokens unless one of
    them has a tie on that side.
    """
    text, tied = "", True
    for token in tokens:
        left, body, right = _untie(token)
        text += body if tied or left else " " + body
        tied = right
    return text


def is_mark(part):
    """Is it one character of the Unicode classes punctuation (P) or symbol (S), and not the tie?"""
    return len(part) == 1 and unicodedata.category(part)[0] in "PS" and part != TIE


def _parts(chunk):
    """Cut a text without white space into words and marks, without ties."""
    parts, start = [], 0
    for i, ch in enumerate(chunk):
        if is_mark(ch) and not is_inner(chunk, i):
            parts += [chunk[start:i], ch] if start < i else [ch]
            start = i + 1
    return parts + [chunk[start:]] if start < len(chunk) else parts


def _tied(parts):
    """Tie neighbours together: a mark to what stands before it; a word to the mark before it by that mark's right
    tie."""
    last = len(parts) - 1
    return [part if not is_mark(part) else
            TIE * (i > 0) + part + TIE * (i < last and not is_mark(parts[i + 1]))
            for i, part in enumerate(parts)]


def _untie(token):
    """A token -> (tie on the left, what is written, tie on the right)."""
    body = token.strip(TIE)
    if token == body or not is_mark(body):          # a word; ties in it are its own characters
        return False, token, False
    return token[0] == TIE, body, token[-1] == TIE
