"""Corpus: text pairs made ready for training, and what there is to say about them before it begins."""
from typing import NamedTuple

import numpy as np

from . import frames, stream
from .batches import lengths_of
from .frames import FrameReader, NoVocabulary
from .pairs import overlap
from .text import same
from .tokenizer import Tokenizer
from .vocabulary import SPECIALS, UNK, Vocabulary

MAX_LENGTH = 500        # tokens of a side; longer pairs are left out unless somebody asks for them


class Side(NamedTuple):
    """Source or target: how its texts become numbers."""
    tokenizer: Tokenizer    # or FrameReader
    vocab: Vocabulary

    def encode(self, text):
        """A text -> list of int, or an array of frames."""
        return self.vocab.encode(self.tokenizer.split(text))


class Corpus(NamedTuple):
    """Training and validation pairs in texts and in numbers."""
    source: Side
    target: Side
    train: list             # of (source ids, target ids)
    valid: list             # the same, held out, each with its source text as a name
    valid_texts: list       # of (source, target), as many as `valid`
    seen: int               # held-out pairs whose source stands in training too
    too_long: tuple         # pairs left out of training and of validation because of their length


def build(pairs, valid, source_units, target_units, *, min_count=1, lowercase=False, max_length=MAX_LENGTH,
          stack=1, shared=False):
    """Train tokenizers on the training side, leave out what is too long, collect vocabularies, number everything.

    Parameters
    ----------
    pairs, valid : lists of (str, str)
        Or `pairs` a stream.FilePairs, whose texts stay in their file.
    source_units, target_units : str
        See `tokenizer.Tokenizer`; or those of `frames.FrameReader`, which have no vocabulary.
    min_count : int
        Tokens seen less often in training are not in the vocabulary.
    lowercase : bool
    max_length : int
        Pairs with more tokens on a side (or steps of a source's frames, or frames of a target) are left out and
        counted.
    stack : int
        How many frames of a source are one step.
    shared : bool
        Both sides have one vocabulary, and words of a source that are not in it have numbers of their own, which its
        target may have too (Vocabulary.encode_beside): for a readout that copies.

    Returns
    -------
    Corpus

    Raises
    ------
    ValueError
        All pairs of a part are too long, no token stands often enough, or sub-words cannot be trained.
    """
    sides = (trained(source_units, (x for x, _ in pairs), stack, lowercase),
             trained(target_units, (y for _, y in pairs), 1, lowercase))
    if isinstance(pairs, stream.FilePairs):
        if shared:
            raise ValueError("readout=copy: wanted pairs in memory; leave out --stream")
        kept, sizes, counts = stream.measured(pairs, sides, max_length)
        check_some("pairs", pairs, kept, max_length)
        vocabs, train = stream.encoded(kept, sides, sizes, counts, min_count)
    else:
        kept, tokens = cut("pairs", pairs, sides, max_length)
        vocabs = vocabularies(tokens, min_count, [isinstance(side, FrameReader) for side in sides], shared)
        train = [numbered(vocabs, pair, shared) for pair in tokens]
    valid_texts, valid_tokens = cut("valid", valid, sides, max_length)
    for side, vocab in zip(("source", "target"), vocabs):
        if len(vocab) == len(SPECIALS) and not isinstance(vocab, NoVocabulary):
            raise ValueError(f"min_count={min_count}: no {side} token stands so often in the pairs")
    held = [(*numbered(vocabs, pair, shared), source) for pair, (source, _) in zip(valid_tokens, valid_texts)]
    return Corpus(*map(Side, sides, vocabs), train, held, valid_texts, overlap(kept, valid_texts, lowercase),
                  (len(pairs) - len(kept), len(valid) - len(valid_texts)))


def trained(unit, texts, stack, lowercase):
    """What makes tokens, or frames, of the texts of one side."""
    return (FrameReader.train(unit, texts, stack) if unit in frames.UNITS else Tokenizer.train(unit, texts, lowercase))


def cut(name, part, sides, max_length):
    """Pairs -> those that are not too long, and their tokens; ValueError if there are none."""
    tokens = [tuple(side.split(text) for side, text in zip(sides, pair)) for pair in part]
    kept = [i for i, pair in enumerate(tokens) if max(map(len, pair)) <= max_length]
    check_some(name, part, kept, max_length)
    return [part[i] for i in kept], [tokens[i] for i in kept]


def check_some(name, part, kept, max_length):
    """ValueError if no pair of a part is short enough."""
    if not len(kept):
        raise ValueError(f"{name}: all {len(part)} are longer than {max_length} tokens; raise max_length "
                         "(--max-length)")


def vocabularies(tokens, min_count, of_frames, shared):
    """The vocabularies of source and target, from the pairs' tokens; one for both if it is shared.  `of_frames` says of
    each side whether it needs none."""
    if shared:
        return [Vocabulary.build((t for pair in tokens for t in pair), min_count=min_count)] * 2
    return [NoVocabulary() if of_frames[k] else
            Vocabulary.build((pair[k] for pair in tokens), min_count=min_count) for k in (0, 1)]


def numbered(vocabs, pair, shared):
    """The tokens of (source, target) -> their numbers, a pair."""
    if shared:
        return tuple(v.encode_beside(t, pair[0]) for v, t in zip(vocabs, pair))
    return tuple(v.encode(t) for v, t in zip(vocabs, pair))


def lengths(corpus):
    """The longest source and target of training, in tokens: -> dict."""
    return dict(zip(("source", "target"), lengths_of(corpus.train).max(axis=0).tolist()))


def summary(corpus):
    """Three lines about the data: pairs, then each side's vocabulary, lengths and share of <unk>."""
    left = sum(corpus.too_long)
    sources = len({same(text) for text, _ in corpus.valid_texts})
    seen = f", {corpus.seen:,} of these pairs are not unseen: their sources stand in training" if corpus.seen else ""
    lines = [f"pairs    {len(corpus.train):,} to learn from; held out {len(corpus.valid):,} of {sources:,} different "
             f"sources{seen}{f'; left out {left:,} that are too long' if left else ''}"]
    for k, (name, side) in enumerate((("source", corpus.source), ("target", corpus.target))):
        sizes = lengths_of(corpus.train)[:, k]
        lengths_are = f"lengths {sizes.min()} to {sizes.max()}, median {np.median(sizes):g}"
        if isinstance(side.tokenizer, FrameReader):
            lines.append(f"{name}   {side.tokenizer.described()}; {lengths_are}")
        else:
            lines.append(f"{name}   vocabulary of {len(side.vocab):,} ({side.tokenizer.unit}); {lengths_are}; "
                         f"<unk> {unknown_share(corpus.train, k):.2%}, held out {unknown_share(corpus.valid, k):.2%}")
    return lines


def unknown_share(examples, side):
    """The share of tokens that are <unk>; side 0 source, 1 target."""
    if isinstance(examples, stream.Encoded):
        return examples.unknown[side]
    count = sum(len(pair[side]) for pair in examples)
    return sum(pair[side].count(UNK) for pair in examples) / max(1, count)
