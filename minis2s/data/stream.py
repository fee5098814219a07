"""Pairs that stay in their file: for more of them than memory holds.

In memory are, for each pair, where its line stands (12 bytes) and its two lengths (8 bytes), and while a part is held
out a digest of its source (8 bytes, and as much again to sort them).  A batch reads its own lines, and cuts and
numbers them again each time.  Split, digest of the data, batches and so the trained weights are those of the same
pairs in memory, bit for bit.

    FilePairs   a sequence of (source, target)             Encoded   a sequence of (source ids, target ids)

Limits: plain lines of source TAB target in UTF-8, not compressed, which stay as they are while the run goes on; `bpe`
units are learnt from a list of all texts, so they need memory; the first pass over the file is not shorter.
"""
import hashlib
import os
import unicodedata
from array import array
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np

from .formats import rows_of
from .text import is_blank, read_lines, same
from .vocabulary import Vocabulary

WANTED = "plain lines of source TAB target"
HEAD = 1000                         # lines by which another form is recognized


class FilePairs:
    """A sequence of pairs that are read when they are asked for.

    Parameters
    ----------
    file : int
        Descriptor of the file, opened for reading; it stays open.
    starts, sizes : arrays of int
        Where each pair's line stands, in bytes.
    skipped : int
        Pairs left out because a side was blank.
    """

    def __init__(self, file, starts, sizes, skipped=0):
        self.file, self.starts, self.sizes, self.skipped = file, starts, sizes, skipped

    def __len__(self):
        return len(self.starts)

    def __getitem__(self, i):
        line = os.pread(self.file, int(self.sizes[i]), int(self.starts[i]))
        return pair_of(line.decode("utf-8").split("\t"))

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def subset(self, chosen):
        """Some of the pairs: `chosen` are numbers, or one bool for each."""
        return FilePairs(self.file, self.starts[chosen], self.sizes[chosen], self.skipped)


def pair_of(cells):
    """The cells of a line -> source, target in NFC without outer white space."""
    return tuple(unicodedata.normalize("NFC", text).strip() for text in cells[:2])


def open_pairs(path):
    """Find the pairs of a file, in one pass: -> FilePairs.

    Raises
    ------
    FileNotFoundError, OSError
    ValueError
        For a compressed file or one of another form, and for lines that `pairs.read_pairs` would refuse, with their
        numbers.
    """
    path = Path(path)
    try:
        file = open(path, "rb")
    except IsADirectoryError:
        raise ValueError(f"{path}: a directory, wanted a file of {WANTED}") from None
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file") from None
    starts, sizes, skipped, at = array("q"), array("i"), 0, 0
    with file:
        check_form(path, b"".join(islice(file, HEAD)))
        file.seek(0)
        for number, line in enumerate(file, start=1):
            text = line.rstrip(b"\r\n")
            try:
                read, = read_lines(text, path, WANTED) or [""]
            except ValueError as e:
                raise ValueError(str(e).replace("line 1:", f"line {number}:", 1)) from None
            cells = read.split("\t")
            if len(cells) == 1 and not is_blank(read):
                raise ValueError(f"{path}, line {number}: one column only, {read[:40]!r}; wanted {WANTED}")
            if len(cells) > 1 and not any(map(is_blank, cells[:2])):
                mark = len(text) - len(text.removeprefix(b"\xef\xbb\xbf"))      # of the file's beginning
                starts.append(at + mark)
                sizes.append(len(text) - mark)
            else:
                skipped += len(cells) > 1
            at += len(line)
        if not len(starts):
            raise ValueError(f"{path}: no pairs; wanted {WANTED}")
        return FilePairs(os.dup(file.fileno()), np.array(starts), np.array(sizes), skipped)


def check_form(path, head):
    """ValueError for a compressed file, a header line, and the exports that `pairs.read_pairs` knows."""
    if head[:2] == b"\x1f\x8b":
        raise ValueError(f"{path}: compressed with gzip; wanted {WANTED}, as lines are read where they stand")
    notes = rows_of(read_lines(head, path, WANTED))[1] if head else []
    if notes:
        raise ValueError(f"{path}: {notes[0]}; streamed are only {WANTED}")


def split_by_source(pairs, share_of, seed, lowercase=False):
    """As pairs.split_by_source: -> training FilePairs, list of validation pairs; a source is known by a digest of 64
    bits.

    `share_of` is a function: how many different sources there are -> the share of them to hold out.
    """
    keys = np.fromiter((digest(source, lowercase) for source, _ in pairs), np.uint64, len(pairs))
    _, first, of = np.unique(keys, return_index=True, return_inverse=True)
    count = round(share_of(len(first)) * len(first))
    appearance = np.argsort(first)                              # the different sources, as they first appear
    held = np.zeros(len(first), bool)
    held[appearance[np.random.default_rng(seed).permutation(len(first))[:count]]] = True
    return pairs.subset(~held[of]), list(pairs.subset(held[of]))


def digest(source, lowercase=False):
    """64 bits of a source, in the form in which sources are compared."""
    return int.from_bytes(hashlib.blake2b(same(source, lowercase).encode(), digest_size=8).digest(), "little")


class Encoded:
    """A sequence of (source ids, target ids) of FilePairs.

    Parameters
    ----------
    pairs : FilePairs
    sides : two functions
        A text -> its ids.
    lengths : ndarray of int of shape (pairs, 2)
    unknown : two floats
        The share of <unk> on each side.
    """

    def __init__(self, pairs, sides, lengths, unknown):
        self.pairs, self.sides, self.lengths, self.unknown = pairs, sides, lengths, unknown

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, i):
        return tuple(encode(text) for encode, text in zip(self.sides, self.pairs[i]))


def measured(pairs, tokenizers, max_length):
    """One pass: -> FilePairs that are not too long, their lengths (N, 2), a Counter of the tokens of each side."""
    lengths, counts = np.zeros((len(pairs), 2), np.int32), (Counter(), Counter())
    for i, pair in enumerate(pairs):
        cut = [tokenizer.split(text) for tokenizer, text in zip(tokenizers, pair)]
        lengths[i] = [len(tokens) for tokens in cut]
        if lengths[i].max() <= max_length:
            for known, tokens in zip(counts, cut):
                known.update(tokens)
    kept = lengths.max(axis=1) <= max_length
    return pairs.subset(kept), lengths[kept], counts


def encoded(pairs, tokenizers, lengths, counts, min_count):
    """Vocabularies of the counted tokens: -> them, Encoded."""
    vocabs = [Vocabulary.build([known.elements()], min_count=min_count) for known in counts]
    unknown = [sum(n for token, n in known.items() if token not in vocab.ids) / max(1, sum(known.values()))
               for known, vocab in zip(counts, vocabs)]
    sides = [lambda text, t=t, v=v: v.encode(t.split(text)) for t, v in zip(tokenizers, vocabs)]
    return vocabs, Encoded(pairs, sides, lengths, unknown)
