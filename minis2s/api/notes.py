"""What there is to say about answers: unknown tokens, texts longer than those trained on, answers that were cut off.

A note about one answer stands with it, in `Translation.notes`; about many texts there is one sentence for each kind of
note, which names the texts.
"""
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..core import tree

LONGEST = 20_000                    # tokens of a text that is read: what is longer takes memory for nothing
MOST_TOKENS, MOST_PLACES = 10, 5    # that a sentence names


def remarks(model: Any, answer: Any) -> Iterator[tuple[str, Any]]:
    """Yield (kind, detail) for a Translation: the unknown tokens, or a number of tokens."""
    unknown, size = model.source_vocab.unknown(answer.source), len(answer.source)
    if size > LONGEST:
        yield "unread", size
        return
    if unknown and model.config.readout != "copy":
        yield "unknown", unknown
    if size > model.lengths["source"]:
        yield "long", size
    if size and not answer.finished:
        yield "cut", len(answer.target)


def sentence(model: Any, kind: str, details: list) -> str:
    """What a kind of note says of one text or of several."""
    if kind == "unknown":
        return f"unknown to the model, read as <unk>: {listed(token for tokens in details for token in tokens)}"
    most, what = max(details), "frames" if kind == "cut" and model.config.target == "frames" else "tokens"
    size = f"{most:,} {what}" if len(set(details)) == 1 else f"up to {most:,} {what}"
    if kind == "long":
        return f"{size}; the longest text trained on has {model.lengths['source']:,}"
    if kind == "cut":
        return f"the answer is cut off at {size}, the greatest length; a larger max_length=N allows more"
    return f"{size}, so not read; at most {LONGEST:,} are"


def of(model: Any, answer: Any) -> tuple[str, ...]:
    """The notes of one Translation: a tuple of sentences."""
    return tuple(sentence(model, kind, [detail]) for kind, detail in remarks(model, answer))


def grouped(model: Any, answers: list, what: str = "text", first: int = 1,
            shown: Callable[[int], str] | None = None) -> list[str]:
    """One sentence for each kind of note about the best answers to several texts.

    Parameters
    ----------
    model : Seq2Seq
    answers : list, for each text a list of Translation
    what : str
        What a text is called: "text", "line".
    first : int
        The number of the first text.
    shown : callable(int) -> str, optional
        How to show a text, of which there is a note of its own, by its index.

    Returns
    -------
    list of str
    """
    kinds: dict[str, list] = {}
    for i, best in enumerate(answers):
        for kind, detail in remarks(model, best[0]):
            kinds.setdefault(kind, []).append((i, detail))
    lines = []
    for kind, found in kinds.items():
        places = [i for i, _ in found]
        where = f"{places_of(places, what, first)}: " if len(answers) > 1 else ""
        if shown and len(places) == 1:
            where = f"{where.removesuffix(': ')}{', ' if where else ''}{shown(places[0])}: "
        lines.append(where + sentence(model, kind, [detail for _, detail in found]))
    return lines


def places_of(places: list[int], what: str, first: int) -> str:
    """"text 3", "texts 3, 5 and 9", "lines 3, 5, 7, 9, 12 and 40 more"."""
    numbers = [f"{i + first:,}" for i in places]
    if len(numbers) == 1:
        return f"{what} {numbers[0]}"
    if len(numbers) > MOST_PLACES + 1:
        numbers[MOST_PLACES:] = [f"{len(numbers) - MOST_PLACES:,} more"]
    return f"{what}s {', '.join(numbers[:-1])} and {numbers[-1]}"


def listed(tokens: Iterable[str]) -> str:
    """Tokens, each once, printable and not endlessly many."""
    tokens = [t if t.isprintable() else repr(t)[1:-1] for t in dict.fromkeys(tokens)]
    tokens = [t if len(t) <= 40 else f"{t[:40]}..." for t in tokens]
    more = len(tokens) - MOST_TOKENS
    return " ".join(tokens[:MOST_TOKENS]) + (f" and {more:,} more" if more > 0 else "")


def summary(model: Any) -> str:
    """A table of all parameters: name, shape, how many; and their sum."""
    rows = [(name, " x ".join(map(str, a.shape)), a.size) for name, a in tree.named(model.params)]
    wide = max(len(name) for name, _, _ in rows)
    lines = [f"{'parameter':<{wide}}  {'shape':>14}  {'numbers':>11}"]
    lines += [f"{name:<{wide}}  {shape:>14}  {size:>11,}" for name, shape, size in rows]
    lines += [f"{'in all':<{wide}}  {'':>14}  {sum(size for *_, size in rows):>11,}"]
    choices = ", ".join(f"{k} {v}" for k, v in model.config.chosen().items() if v not in (None, False, 0.0))
    if "frames" not in (model.config.source, model.config.target):
        return "\n".join([f"vocabularies: {len(model.source_vocab)} source ({model.source_units}), "
                          f"{len(model.target_vocab)} target ({model.target_units})", choices, "", *lines])
    sides = [f"{side}: {tokenizer.described()}" if getattr(model.config, side) == "frames" else
             f"{side} vocabulary: {len(vocab)} ({unit})" for side, tokenizer, vocab, unit in (
                 ("source", model.source_tokenizer, model.source_vocab, model.source_units),
                 ("target", model.target_tokenizer, model.target_vocab, model.target_units))]
    return "\n".join(["; ".join(sides), choices, "", *lines])
