"""A person's own pairs: one line each, source TAB target.

Further columns are ignored, so the files of Tatoeba and exported Anki decks work as they are; so does
``.gz``.
"""
import gzip
import unicodedata
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Skipped(NamedTuple):
    count: int              # pairs left out because a side was empty
    first_line: int | None  # the line of the first of them, counted from 1


class Pairs(NamedTuple):
    sources: list           # of str
    targets: list           # of str, as many
    skipped: Skipped


def read_pairs(path):
    """Read text pairs from a file.

    UTF-8 (a byte order mark is dropped), lines end in LF or CRLF, texts are brought to NFC and stripped
    of outer whitespace.  Blank lines are passed over.  A pair with an empty side is left out and counted.

    Parameters
    ----------
    path : str or Path
        Compressed with gzip if the name ends in ``.gz``.

    Returns
    -------
    Pairs

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The path is a directory, the gzip data are damaged, or a line is binary, not UTF-8 or has one
        column only, or no pair is left.  The message names the file and the line.
    """
    path = Path(path)
    sources, targets, skipped, first = [], [], 0, None
    for number, line in enumerate(_lines(path), start=1):
        if b"\0" in line:
            raise ValueError(f"{path}, line {number}: a NUL byte, so this is no text file; "
                             "wanted source TAB target")
        try:
            text = unicodedata.normalize("NFC", line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError as e:
            raise ValueError(f"{path}, line {number}: byte {e.start + 1} of the line is not UTF-8 "
                             "(save the file as UTF-8)") from None
        if "\t" not in text and not text.strip():
            continue
        source, *rest = (column.strip() for column in text.split("\t"))
        if not rest:
            raise ValueError(f"{path}, line {number}: one column only, {source[:40]!r}; "
                             "wanted source TAB target")
        if source and rest[0]:
            sources.append(source)
            targets.append(rest[0])
        else:
            skipped, first = skipped + 1, first or number
    if not sources:
        why = f": a side is empty in all {skipped}, the first at line {first}" if skipped else ""
        raise ValueError(f"{path}: no pairs{why}; wanted lines of source TAB target")
    return Pairs(sources, targets, Skipped(skipped, first))


def _lines(path):
    """The lines as bytes; what the operating system or gzip refuses becomes a message that names the file."""
    if path.is_dir():
        raise ValueError(f"{path}: a directory, wanted a file of lines source TAB target")
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
    except (gzip.BadGzipFile, EOFError, zlib.error) as e:
        raise ValueError(f"{path}: no whole gzip file ({e})") from None
    return data.split(b"\n")        # not splitlines: only LF ends a line, the CR before it is stripped


def split_by_source(sources, targets, fraction, seed):
    """Divide pairs for training and validation; all pairs of one source go to the same part.

    Parameters
    ----------
    sources, targets : lists of str
    fraction : float
        The share of the different sources that goes to validation, 0 < fraction < 1.
    seed : int

    Returns
    -------
    train, valid : each a pair (sources, targets) of lists, in the order of the input

    Raises
    ------
    ValueError
        The lists differ in length, `fraction` is out of range, or one part would be empty.
    """
    if len(sources) != len(targets):
        raise ValueError(f"targets: {len(targets)} for {len(sources)} sources, wanted one for each")
    if not 0 < fraction < 1:
        raise ValueError(f"fraction: {fraction}, wanted between 0 and 1")
    different = list(dict.fromkeys(sources))        # in order of appearance: a set's order is not fixed
    count = round(fraction * len(different))
    if not 0 < count < len(different):
        raise ValueError(f"fraction: {fraction} of {len(different)} different sources is {count}, "
                         "so one part would be empty")
    held_out = {different[i] for i in np.random.default_rng(seed).permutation(len(different))[:count]}
    train, valid = ([], []), ([], [])
    for source, target in zip(sources, targets):
        part = valid if source in held_out else train
        part[0].append(source)
        part[1].append(target)
    return train, valid
