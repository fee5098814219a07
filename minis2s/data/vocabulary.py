"""Numbers for symbols.  The first four numbers are the same for every vocabulary."""
from collections import Counter
from dataclasses import dataclass, field

PAD, BOS, EOS, UNK = range(4)       # filler, begin of sequence, end of sequence, unknown symbol
SPECIALS = ("<pad>", "<bos>", "<eos>", "<unk>")


@dataclass(frozen=True)
class Vocabulary:
    """A list of symbols; the number of a symbol is its place in the list.

    Parameters
    ----------
    symbols : tuple of str
        The four specials ``<pad> <bos> <eos> <unk>``, then the symbols of the language, all different.

    Raises
    ------
    TypeError
        A symbol is not a string.
    ValueError
        The specials do not come first, or a symbol is empty or stands twice.
    """
    symbols: tuple
    ids: dict = field(init=False, repr=False, compare=False)    # symbol -> number, without the specials

    def __post_init__(self):
        symbols = tuple(self.symbols)
        for i, symbol in enumerate(symbols):
            if not isinstance(symbol, str):
                raise TypeError(f"symbols: entry {i} is {symbol!r}, wanted a string")
            if not symbol:
                raise ValueError(f"symbols: entry {i} is empty, wanted at least one character")
        if symbols[:4] != SPECIALS:
            raise ValueError(f"symbols: begin with {symbols[:4]}, wanted {SPECIALS}")
        if len(set(symbols)) < len(symbols):
            twice = Counter(symbols).most_common(1)[0][0]
            raise ValueError(f"symbols: {twice!r} stands more than once, wanted all different")
        object.__setattr__(self, "symbols", symbols)
        # A text that happens to hold "<eos>" must not end a sequence: a special is never found by its name.
        object.__setattr__(self, "ids", {s: i for i, s in enumerate(symbols) if i > UNK})

    @classmethod
    def build(cls, sequences, max_size=None, min_count=1):
        """Collect the symbols of token sequences, the most frequent first, ties in code-point order.

        Parameters
        ----------
        sequences : iterable of lists of str
        max_size : int, optional
            Keep at most this many entries in all, the four specials counted.
        min_count : int
            Leave out symbols seen less often.

        Returns
        -------
        Vocabulary

        Raises
        ------
        ValueError
            `max_size` leaves no room beyond the specials, or `min_count` is less than 1.
        """
        if max_size is not None and max_size <= len(SPECIALS):
            raise ValueError(f"max_size: {max_size}, wanted more than the {len(SPECIALS)} specials")
        if min_count < 1:
            raise ValueError(f"min_count: {min_count}, wanted 1 or more")
        counts = Counter(token for tokens in sequences for token in tokens)
        kept = [s for s, count in counts.items() if count >= min_count and s not in SPECIALS]
        kept.sort(key=lambda s: (-counts[s], s))
        return cls((SPECIALS + tuple(kept))[:max_size])

    def __len__(self):
        return len(self.symbols)

    def encode(self, tokens):
        """Tokens -> list of numbers; a token that is not in the vocabulary becomes UNK."""
        return [self.ids.get(token, UNK) for token in tokens]

    def encode_beside(self, tokens, source):
        """Tokens -> list of numbers; one that is not in the vocabulary, but in the list `source`, gets a number of its
        own: len(self) for the first such word of the source, then one more for each.  So it can be copied."""
        own = {token: len(self) + k for k, token in enumerate(self.unknown(source))}
        return [self.ids.get(token, own.get(token, UNK)) for token in tokens]

    def decode(self, ids, source=()):
        """Numbers -> list of tokens: stops at EOS, drops PAD and BOS, shows UNK as ``<unk>``.

        `source` is the list of tokens whose unknown words have the numbers from len(self) on, see `encode_beside`.

        Raises
        ------
        ValueError
            A number means no token.
        """
        tokens, symbols = [], (*self.symbols, *self.unknown(source))
        for i in ids:
            if not 0 <= i < len(symbols):
                raise ValueError(f"ids: {i} is no entry of this vocabulary, wanted 0 .. {len(symbols) - 1}")
            if i == EOS:
                break
            if i not in (PAD, BOS):
                tokens.append(symbols[i])
        return tokens

    def unknown(self, tokens):
        """The tokens that `encode` turns into UNK, each once, in order of appearance."""
        return [token for token in dict.fromkeys(tokens) if token not in self.ids]

    def to_json(self):
        """The symbols as a plain list, ready for `json.dump`."""
        return list(self.symbols)

    @classmethod
    def from_json(cls, symbols):
        """The inverse of `to_json`.

        Raises
        ------
        TypeError
            `symbols` is not a list of strings.
        ValueError
            The list does not begin with the specials, or a symbol is empty or stands twice.
        """
        if not isinstance(symbols, list):
            raise TypeError(f"symbols: a {type(symbols).__name__}, wanted a list of strings")
        return cls(tuple(symbols))
