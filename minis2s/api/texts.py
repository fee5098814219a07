"""Texts and pairs as people give them: checked, held out, recognized again, and echoed in messages."""
import hashlib
import json
from typing import Any

from ..data import stream
from ..data.frames import beside, content
from ..data.pairs import read_pairs, split_by_source
from ..data.text import is_blank, same

HELD_OUT = 0.05                     # share of the sources held out where no validation pairs are given
AT_MOST = 1000                      # and how many sources at most
TEXTS = (False, False)              # whether sources and targets are paths of files
ECHO = 60                           # characters of a person's text that a message repeats


def shown(value: Any, most: int = ECHO) -> str:
    """A value as messages show it: its repr, which has no control characters; the beginning, if it is long."""
    if isinstance(value, str) and len(value) > most:
        return f"{value[:most]!r}... ({len(value):,} characters)"
    if isinstance(value, (list, tuple, dict)) and len(value) > most:
        return f"{type(value).__name__} of {len(value):,}"
    text = repr(value)
    return text if len(text) <= 3 * most else text[:3 * most] + "..."


def text_pairs(name: str, pairs: Any, files: tuple = TEXTS) -> Any:
    """Pairs in any accepted form -> list of (source, target); ValueError, TypeError naming the argument.

    `files` says of sources and of targets whether they are paths; those in a pairs file are seen from its folder.
    """
    if isinstance(pairs, str) or hasattr(pairs, "__fspath__"):
        pairs = from_folder(read_pairs(pairs), pairs, files)
    if hasattr(pairs, "sources"):
        pairs = list(zip(pairs.sources, pairs.targets))
    if isinstance(pairs, stream.FilePairs):
        return pairs                                            # its lines were checked, and are not kept in memory
    if not isinstance(pairs, (list, tuple)):
        raise TypeError(f"{name}: got {type(pairs).__name__}, wanted a list of (source, target), or a path")
    if not pairs:
        raise ValueError(f"{name}: none, wanted at least one (source, target)")
    for i, pair in enumerate(pairs):
        if not (isinstance(pair, (tuple, list)) and len(pair) == 2 and all(isinstance(t, str) for t in pair)):
            raise TypeError(f"{name}[{i}]: {shown(pair)}, wanted (source, target), two strings")
        for side, text, is_file in zip(("source", "target"), pair, (True, files[1])):
            if is_file and is_blank(text):
                raise ValueError(f"{name}[{i}]: the {side} is blank")
        check_characters(f"{name}[{i}]", "".join(pair))
    return [tuple(pair) for pair in pairs]


def from_folder(pairs: Any, manifest: Any, files: tuple) -> Any:
    """Pairs of a file whose paths, on the sides that `files` names, are seen from the file's folder."""
    named = zip(("sources", "targets"), files)
    return pairs._replace(**{side: beside(getattr(pairs, side), manifest) for side, is_file in named if is_file})


def check_characters(name: str, text: str) -> None:
    """ValueError naming the argument unless every character of a text has a UTF-8 form."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name}: {shown(text)} holds half of a surrogate pair, which is no character") from None


def hold_out(pairs: list[tuple[str, str]], seed: int, lowercase: bool = False) -> list:
    """Divide (source, target) pairs into training and validation pairs that share no source, as
    `text.same` compares them."""
    if isinstance(pairs, stream.FilePairs):
        return list(stream.split_by_source(pairs, share_of, seed, lowercase))
    share = share_of(len({same(x, lowercase) for x, _ in pairs}))
    parts = split_by_source(*zip(*pairs), share, seed, lowercase)     # type: ignore[call-arg]
    return [list(zip(*part)) for part in parts]


def share_of(sources: int) -> float:
    """The share of so many different sources that is held out; ValueError where there is one only."""
    if sources == 1:
        raise ValueError("pairs: one source only, so none can be held out; give valid")
    return min(max(HELD_OUT, 1 / sources), AT_MOST / sources)


def fingerprint(*parts: Any, files: tuple = TEXTS) -> str:
    """SHA-256 of lists of pairs, all texts in order: to know the same data again.  Of files, what is in them counts."""
    h = hashlib.sha256()
    for part in parts:
        for x, y in part:
            x, y = (content(text) if is_file else text for text, is_file in zip((x, y), files))
            plain = "\t" not in x and "\t" not in y and "\n" not in x and "\n" not in y
            h.update(f"{x}\t{y}\n".encode() if plain else f"{json.dumps([x, y])}\n".encode())
        h.update(b"\0")
    return h.hexdigest()
