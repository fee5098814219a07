"""Units ``bpe:N``: frequent words are one token, rare ones several, so that (nearly) no word is unknown.

Byte-pair encoding (Sennrich et al. 2016) begins with single characters and joins the most frequent pair of
neighbours, again and again, until there are N pieces.  The library sentencepiece (Kudo & Richardson 2018) learns and
applies the pieces; a piece that begins with ▁ had a space before it.
"""
import base64
import io
import unicodedata
from dataclasses import dataclass, field

SPACE = "▁"                                     # U+2581, how sentencepiece writes a space
ESCAPES = {"␛": "␛e", SPACE: "␛u"}              # so that a ▁ of the text is not taken for a space
UNKNOWN = "\U000f0000unknown"                   # a name that no text has: sentencepiece wants one


@dataclass(frozen=True)
class Subwords:
    """A trained set of pieces.

    Parameters
    ----------
    model : bytes
        What sentencepiece wrote.
    """
    model: bytes
    _processor: object = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        if not self.model:
            raise ValueError("model: empty, wanted the bytes that sentencepiece wrote")
        try:
            processor = library().SentencePieceProcessor(model_proto=self.model)
        except (RuntimeError, TypeError) as e:
            raise ValueError(f"model: no model of sentencepiece ({first_line(e)})") from None
        object.__setattr__(self, "_processor", processor)

    @classmethod
    def train(cls, texts, size):
        """Learn pieces.

        Parameters
        ----------
        texts : iterable of str
            The training side only: what is held out must not shape the pieces.
        size : int
            N, the number of pieces wanted; there are fewer if the texts have no more.

        Raises
        ------
        ValueError
            `size` is less than the number of different characters, or the texts are all empty.
        """
        lines = [_marked(text) for text in texts if text.strip()]
        if not lines:
            raise ValueError("texts: all empty, so no pieces can be learnt")
        need = len(set("".join(lines))) + 1             # every character is a piece, and there is one for unknown ones
        if size < need:
            raise ValueError(f"bpe:{size}: the texts have {need - 1} different characters, each of which needs a "
                             f"piece; wanted bpe:{need} or more")
        out = io.BytesIO()
        library().SentencePieceTrainer.train(
            sentence_iterator=iter(lines), model_writer=out, model_type="bpe", vocab_size=size, num_threads=1,
            character_coverage=1.0, normalization_rule_name="identity", remove_extra_whitespaces=False,
            add_dummy_prefix=False, bos_id=-1, eos_id=-1, pad_id=-1, unk_id=0, unk_piece=UNKNOWN,
            max_sentence_length=10**9, hard_vocab_limit=False, minloglevel=2)
        return cls(out.getvalue())

    def split(self, text):
        """Cut a text, brought to NFC, into pieces; a run of characters that no training text had is one piece."""
        return self._processor.encode(_marked(unicodedata.normalize("NFC", text)), out_type=str) if text else []

    def join(self, tokens):
        """Put pieces together: the exact inverse of `split`, whatever the text."""
        text = "".join(tokens).replace(SPACE, " ").removeprefix(" ")
        return text.replace(ESCAPES[SPACE], SPACE).replace(ESCAPES["␛"], "␛")

    def to_json(self):
        """The model as text (base64)."""
        return base64.b64encode(self.model).decode("ascii")

    @classmethod
    def from_json(cls, text):
        """The inverse of `to_json`; ValueError if `text` is something else."""
        try:
            return cls(base64.b64decode(text, validate=True))
        except (TypeError, ValueError) as e:
            raise ValueError(f"pieces: {first_line(e)}") from None


def _marked(text):
    """A text as sentencepiece reads it: a space before the first word too, so that it looks like any other."""
    for character, escape in ESCAPES.items():
        text = text.replace(character, escape)
    return " " + text


def library():
    """The module sentencepiece; ValueError with the way to install it."""
    try:
        import sentencepiece
    except ImportError:
        raise ValueError("units bpe:N need the library sentencepiece:  pip install 'minis2s[bpe]'") from None
    return sentencepiece


def first_line(e):
    """The message of an error, cut to its first line."""
    return (str(e).splitlines() or [type(e).__name__])[0][:200]
