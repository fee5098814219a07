"""A person's own pairs: read from a file, and divided for training and validation.

One pair on a line, source TAB target; further columns are ignored.  Tatoeba's and Anki's exports are known by their
form (`formats.py`), and so is ``.gz``.  What is text and what is not, `text.py` says.
"""
import gzip
import unicodedata
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .formats import rows_of
from .text import is_blank, read_lines, same

WANTED = "lines of source TAB target"


class Skipped(NamedTuple):
    count: int              # pairs left out because a side was blank
    first_line: int | None  # the line of the first of them, counted from 1


class Pairs(NamedTuple):
    sources: list           # of str
    targets: list           # of str, as many
    skipped: Skipped
    notes: tuple = ()       # sentences about the file: its form, a header left out, a column of numbers


def read_pairs(path):
    """Read text pairs from a file.

    Texts are brought to NFC and stripped of outer white space.  Blank lines are passed over.  A pair with a blank side
    is left out and counted.

    Parameters
    ----------
    path : str or Path
        Compressed with gzip if the name ends in ``.gz`` (or ``.GZ``).

    Returns
    -------
    Pairs

    Raises
    ------
    FileNotFoundError, OSError
        There is no such file, or it cannot be read.
    ValueError
        The path is a directory, the gzip data are damaged, or a line is binary, not UTF-8, has a control character or
        one column only, or no pair is left.  The message names the file and the line.
    """
    path = Path(path)
    lines = read_lines(_data(path), path, WANTED)
    try:
        rows, notes = rows_of(lines)
    except ValueError as e:
        raise ValueError(f"{path}, {e}") from None
    sources, targets, skipped, first = [], [], 0, None
    for number, *texts in rows:
        source, target = (text and unicodedata.normalize("NFC", text).strip() for text in texts)
        if target is None:
            if is_blank(source):
                continue
            raise ValueError(f"{path}, line {number}: one column only, {source[:40]!r}; wanted source TAB target")
        if is_blank(source) or is_blank(target):
            skipped, first = skipped + 1, first or number
        else:
            sources.append(source)
            targets.append(target)
    if not sources:
        why = f": a side is blank in all {skipped}, the first at line {first}" if skipped else ""
        raise ValueError(f"{path}: no pairs{why}; wanted {WANTED}")
    return Pairs(sources, targets, Skipped(skipped, first), tuple(notes))


def _data(path):
    """The file's bytes; what the operating system or gzip refuses becomes a message that names the file."""
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if path.suffix.casefold() == ".gz" else data
    except IsADirectoryError:
        raise ValueError(f"{path}: a directory, wanted a file of {WANTED}") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as e:
        raise ValueError(f"{path}: no whole gzip file ({e})") from None
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file") from None
    except OSError as e:
        raise OSError(f"{path}: cannot be read ({e.strerror or e})") from None


def overlap(known, pairs, lowercase=False):
    """How many of some (source, target) pairs have a source that stands in `known` too, compared as `text.same`
    does."""
    keys = [same(source, lowercase) for source, _ in pairs]
    # `known` may be too many for a set
    seen = set(keys).intersection(same(source, lowercase) for source, _ in known)
    return sum(key in seen for key in keys)


def split_by_source(sources, targets, fraction, seed, lowercase=False):
    """Divide pairs for training and validation; all pairs of one source go to the same part.

    Sources that differ in white space or in composed accents only are one source.

    Parameters
    ----------
    sources, targets : lists of str
    fraction : float
        The share of the different sources that goes to validation, 0 < fraction < 1.
    seed : int
    lowercase : bool
        Sources that differ in capital letters only are one source, too: the model will read lower case.

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
    keys = [same(source, lowercase) for source in sources]
    different = list(dict.fromkeys(keys))           # in order of appearance: a set's order is not fixed
    count = round(fraction * len(different))
    if not 0 < count < len(different):
        raise ValueError(f"fraction: {fraction} of {len(different)} different sources is {count}, "
                         "so one part would be empty")
    held_out = {different[i] for i in np.random.default_rng(seed).permutation(len(different))[:count]}
    train, valid = ([], []), ([], [])
    for source, target, key in zip(sources, targets, keys):
        part = valid if key in held_out else train
        part[0].append(source)
        part[1].append(target)
    return train, valid
